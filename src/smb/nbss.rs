//! 2.1 Transport: the four bytes before every message on TCP.
//!
//! ```text
//!  Direct TCP, port 445              NetBIOS session service, port 139 (RFC 1002 4.3.1)
//!  ┌──────┬────────────────┐         ┌──────┬─────────┬────────────────┐
//!  │ 0x00 │ length, 24 bit │         │ type │ flags   │ length, 17 bit │
//!  └──────┴────────────────┘         └──────┴─────────┴────────────────┘
//! ```
//! Both lengths are big-endian. Only a session message (type 0) can be longer than 17 bits say, and
//! its seven flag bits are zero on port 139, so one reader serves both.

use crate::bytes::{Order, Reader, Sink, Stop};

/// The type of a packet of the NetBIOS session service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NbssType(pub u8);

impl NbssType {
    /// Carries a message; the only type on port 445.
    pub const SESSION_MESSAGE: Self = Self(0x00);
    /// Asks for a session with a NetBIOS name.
    pub const SESSION_REQUEST: Self = Self(0x81);
    /// Grants it.
    pub const POSITIVE_SESSION_RESPONSE: Self = Self(0x82);
    /// Denies it.
    pub const NEGATIVE_SESSION_RESPONSE: Self = Self(0x83);
    /// Sends the client elsewhere.
    pub const RETARGET_SESSION_RESPONSE: Self = Self(0x84);
    /// Says nothing, to keep the connection alive.
    pub const SESSION_KEEP_ALIVE: Self = Self(0x85);
}

const TYPES: &[(u64, &str)] = &[
    (0x00, "SESSION MESSAGE"),
    (0x81, "SESSION REQUEST"),
    (0x82, "POSITIVE SESSION RESPONSE"),
    (0x83, "NEGATIVE SESSION RESPONSE"),
    (0x84, "RETARGET SESSION RESPONSE"),
    (0x85, "SESSION KEEP ALIVE"),
];

/// The header of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nbss {
    /// What the packet is for.
    pub kind: NbssType,
    /// Bytes that follow the header.
    pub length: u32,
}

impl Nbss {
    /// Bytes of the header.
    pub const SIZE: u32 = 4;

    /// The header at the start of `bytes`; `None` when they are too few or cannot be one.
    pub fn peek(bytes: &[u8]) -> Option<Self> {
        let [kind, rest @ ..] = *bytes.first_chunk::<4>()?;
        let [high, mid, low] = rest;
        let length = u32::from_be_bytes([0, high, mid, low]);
        match kind {
            0x00 => {}
            0x81..=0x85 if high <= 1 => {}
            _ => return None,
        }
        Some(Self {
            kind: NbssType(kind),
            length,
        })
    }

    /// Length of the packet with its header.
    pub fn whole(self) -> u32 {
        self.length.saturating_add(Self::SIZE)
    }

    /// Reads the header with its rows.
    pub fn read<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Self, Stop> {
        let outer = std::mem::replace(&mut r.order, Order::Big);
        let header = r.group("NetBIOS session service", |r| {
            let kind = NbssType(r.u8(named!("TYPE", TYPES))?);
            let [high] = r.bytes(dec!("LENGTH (high)"), 1)? else {
                return Err(Stop::malformed(r.pos(), "internal length"));
            };
            let low = r.u16(dec!("LENGTH"))?;
            let length = u32::from(*high) << 16 | u32::from(low);
            Ok(Self { kind, length })
        });
        r.order = outer;
        header
    }
}
