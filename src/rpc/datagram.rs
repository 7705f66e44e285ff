//! Connectionless RPC: \[C706\] 12.5, of which only the header is read.
//!
//! A datagram is recognised by its content, never by port: everything its header fixes must be
//! so, because any protocol may begin with the same octet.

use super::names::{DATAGRAM_TYPES, name};
use crate::bytes::{Guid, Order, Reader, Stop, View};

/// Octets of the header.
pub const HEADER: u32 = 80;

/// `PF_RESERVED_01` and `PF_RESERVED_80` of \[C706\] 12.5.2.3, which are never set.
const FLAGS1_RESERVED: u8 = 0x81;
/// \[C706\] 12.5.2.4: all but `PF2_CANCEL_PENDING` is reserved.
const FLAGS2_RESERVED: u8 = 0xfd;

/// \[C706\] 12.5.2.2 PTYPE of the connectionless protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatagramType(pub u8);

impl DatagramType {
    /// A request, or a fragment of one.
    pub const REQUEST: Self = Self(0);
    /// A response, or a fragment of one.
    pub const RESPONSE: Self = Self(2);
    /// The answer to a request that could not be carried out.
    pub const FAULT: Self = Self(3);

    /// Its name, or `None` when the number is no type of this protocol.
    pub fn name(self) -> Option<&'static str> {
        name(DATAGRAM_TYPES, self.0)
    }
}

/// What the header of a datagram says of the call it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// What kind it is.
    pub ptype: DatagramType,
    /// The interface.
    pub interface: Guid,
    /// Its major version.
    pub major: u16,
    /// Number of the operation.
    pub opnum: u16,
}

/// Reads a UDP payload that was `wire_len` octets long; `None` if it is no RPC.
pub fn dissect(view: View<'_>, wire_len: u32) -> Option<Datagram> {
    // Nearly all that is no RPC ends here.
    if view.bytes().first() != Some(&4) {
        return None;
    }
    let mut none = ();
    read(&mut Reader::new(view, &mut none), wire_len).ok().flatten()
}

fn read(r: &mut Reader<'_, '_, ()>, wire_len: u32) -> Result<Option<Datagram>, Stop> {
    let [version, ptype, flags1, flags2] = r.array()?;
    let [integers, floats, reserved] = r.array()?;
    let [_serial_hi] = r.array()?;
    let plausible = version == 4
        && DatagramType(ptype).name().is_some()
        && flags1 & FLAGS1_RESERVED == 0
        && flags2 & FLAGS2_RESERVED == 0
        && matches!(integers, 0x00 | 0x01 | 0x10 | 0x11)
        && floats <= 3
        && reserved == 0;
    if !plausible {
        return Ok(None);
    }
    r.order = if integers & 0xf0 == 0 { Order::Big } else { Order::Little };
    let _object = r.raw_guid()?;
    let interface = r.raw_guid()?;
    let activity = r.raw_guid()?;
    let _server_boot = r.raw_u32()?;
    let version = r.raw_u32()?;
    let _seqnum = r.raw_u32()?;
    let opnum = r.raw_u16()?;
    let (_ihint, _ahint) = (r.raw_u16()?, r.raw_u16()?);
    let len = u32::from(r.raw_u16()?);
    let _fragnum = r.raw_u16()?;
    let [auth_proto, _serial_lo] = r.array()?;
    // An authentication verifier follows the body and is not counted in its length.
    let whole = HEADER + len;
    let fits = if auth_proto == 0 { whole == wire_len } else { whole < wire_len };
    let named = !interface.is_nil() && !activity.is_nil();
    let major = u16::try_from(version & 0xffff).unwrap_or_default();
    let datagram = Datagram { ptype: DatagramType(ptype), interface, major, opnum };
    Ok((fits && named).then_some(datagram))
}
