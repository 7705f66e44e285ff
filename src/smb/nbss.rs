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

use std::net::Ipv4Addr;

use crate::bytes::{Field, Order, Reader, Sink, Span, Stop};

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
        Some(Self { kind: NbssType(kind), length })
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

/// A packet of the NetBIOS session service that carries no message (RFC 1002 4.3.2 to 4.3.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionPacket {
    /// Asks for a session.
    Request {
        /// `CALLED NAME`: whom.
        called: String,
        /// `CALLING NAME`: who.
        calling: String,
    },
    /// Grants it.
    Positive,
    /// Denies it.
    Negative(SessionRefusal),
    /// Sends the client elsewhere.
    Retarget {
        /// `RETARGET_IP_ADDRESS`.
        ip: Ipv4Addr,
        /// `PORT`.
        port: u16,
    },
    /// Says nothing.
    KeepAlive,
}

/// RFC 1002 4.3.4: why a session is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionRefusal(pub u8);

impl std::fmt::Display for SessionRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match REFUSALS.iter().find(|(value, _)| *value == u64::from(self.0)) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "error 0x{:02x}", self.0),
        }
    }
}

const REFUSALS: &[(u64, &str)] = &[
    (0x80, "not listening on called name"),
    (0x81, "not listening for calling name"),
    (0x82, "called name not present"),
    (0x83, "called name present, but insufficient resources"),
    (0x8f, "unspecified error"),
];

/// Reads what follows the header of a packet that carries no message.
pub(super) fn packet<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    kind: NbssType,
) -> Result<SessionPacket, Stop> {
    let outer = std::mem::replace(&mut r.order, Order::Big);
    let packet = match kind {
        NbssType::SESSION_REQUEST => name(r, dec!("CALLED NAME")).and_then(|called| {
            let calling = name(r, dec!("CALLING NAME"))?;
            Ok(SessionPacket::Request { called, calling })
        }),
        NbssType::POSITIVE_SESSION_RESPONSE => Ok(SessionPacket::Positive),
        NbssType::NEGATIVE_SESSION_RESPONSE => {
            let error = r.u8(named!("ERROR_CODE", REFUSALS));
            error.map(|error| SessionPacket::Negative(SessionRefusal(error)))
        }
        NbssType::RETARGET_SESSION_RESPONSE => retarget(r),
        _ => Ok(SessionPacket::KeepAlive),
    };
    r.order = outer;
    packet
}

fn retarget<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<SessionPacket, Stop> {
    let at = r.pos();
    let ip = Ipv4Addr::from(r.raw_u32()?);
    if S::ROWS {
        let span = Span::new(at, r.pos());
        r.sink().row("RETARGET_IP_ADDRESS", ip.to_string(), span);
    }
    let port = r.u16(dec!("PORT"))?;
    Ok(SessionPacket::Retarget { ip, port })
}

/// RFC 1001 14.1 First Level Encoding: 16 octets, each as two letters, and a scope behind them. The
/// last octet says what has the name; spaces fill up the others.
fn name<S: Sink>(r: &mut Reader<'_, '_, S>, field: &'static Field) -> Result<String, Stop> {
    const ENCODED: u8 = 32;
    let at = r.pos();
    let [len] = r.array()?;
    if len != ENCODED {
        return Err(Stop::malformed(at, format!("a NetBIOS name of {len} letters, not {ENCODED}")));
    }
    let half = |letter: u8| letter.wrapping_sub(b'A') & 0x0f;
    let letters = r.array::<32>()?;
    let mut octets: Vec<u8> = letters
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |octet, letter| octet << 4 | half(*letter)))
        .collect();
    octets.pop();
    let name = String::from_utf8_lossy(&octets).trim_end().to_owned();
    if S::ROWS {
        let span = Span::new(at, r.pos());
        r.sink().row(field.name, format!("{name:?}"), span);
    }
    // The labels of the scope; each is longer than nothing, so they end.
    loop {
        let [len] = r.array()?;
        if len == 0 {
            return Ok(name);
        }
        r.bytes(dec!("SCOPE_ID"), len.into())?;
    }
}
