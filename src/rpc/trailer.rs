//! \[MS-RPCE\] 2.2.2.13 Verification Trailer: what ends the stub of a first request.
//!
//! A client repeats in it, behind the parameters and under their signature, what it had said in
//! clear before: the flags of the bind, the presentation context, the header. It is no argument.

use crate::bytes::{Order, Reader, Sink, Stop, View, clamp};

/// \[MS-RPCE\] 2.2.2.13.1 the eight octets it begins with.
pub const SIGNATURE: [u8; 8] = [0x8a, 0xe3, 0x13, 0x71, 0x02, 0xf4, 0x36, 0x71];

const END: u16 = 0x4000;
const COMMAND_TYPE: u16 = 0x3fff;

/// Octets of the longest trailer looked for; with the three commands that exist it has 84.
const MAX_TRAILER: u32 = 256;

/// Where the trailer of a complete request stub starts.
///
/// Eight octets could also be an argument, so it counts only if it starts at a multiple of four
/// and its commands lead exactly to the end of the stub.
pub fn find(stub: View<'_>, order: Order) -> Option<u32> {
    let from = stub.len().saturating_sub(MAX_TRAILER);
    let end = stub.from(from);
    memchr::memmem::rfind_iter(end.bytes(), &SIGNATURE)
        .map(|at| from + clamp(at))
        .find(|at| at % 4 == 0 && order_of(stub.from(*at), order).is_some())
}

/// The byte order in which the commands of a trailer lead exactly to its end: that of the stub, or the
/// other, since Samba writes its trailers in little-endian whatever the stub is in.
pub fn order_of(trailer: View<'_>, stub: Order) -> Option<Order> {
    let other = match stub {
        Order::Little => Order::Big,
        Order::Big => Order::Little,
    };
    [stub, other].into_iter().find(|order| {
        let mut none = ();
        let mut r = Reader::new(trailer, &mut none);
        r.order = *order;
        read(&mut r).is_ok() && r.left() == 0
    })
}

/// Reads a trailer.
pub fn read<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<(), Stop> {
    let at = r.pos();
    if r.bytes(dec!("signature"), 8)? != SIGNATURE {
        return Err(Stop::malformed(at, "no verification trailer"));
    }
    loop {
        let last = r.group("command", |r| {
            let command = r.u16(flags!(
                "command",
                &[(0x4000, "SEC_VT_COMMAND_END"), (0x8000, "SEC_VT_MUST_PROCESS_COMMAND")]
            ))?;
            let length = r.u16(dec!("length"))?;
            let start = r.pos();
            r.within(length.into(), "length", |r| value(r, command & COMMAND_TYPE))?;
            let end = start + u32::from(length);
            if end > r.end() {
                return Err(Stop::malformed(start, format!("length {length} is beyond the stub")));
            }
            r.seek(end, "length")?;
            Ok(command & END != 0)
        })?;
        if last {
            return Ok(());
        }
    }
}

fn value<S: Sink>(r: &mut Reader<'_, '_, S>, command: u16) -> Result<(), Stop> {
    match command {
        // [MS-RPCE] 2.2.2.13.2 rpc_sec_vt_bitmask
        1 => {
            r.u32(flags!("bits", &[(1, "CLIENT_SUPPORT_HEADER_SIGNING")]))?;
        }
        // [MS-RPCE] 2.2.2.13.4 rpc_sec_vt_pcontext
        2 => {
            r.guid(dec!("InterfaceId.uuid"))?;
            r.u32(hex!("InterfaceId.version"))?;
            r.guid(dec!("TransferSyntax.uuid"))?;
            r.u32(hex!("TransferSyntax.version"))?;
        }
        // [MS-RPCE] 2.2.2.13.3 rpc_sec_vt_header2
        3 => {
            r.u8(dec!("PTYPE"))?;
            r.u8(dec!("Reserved"))?;
            r.u16(dec!("Reserved"))?;
            r.bytes(hex!("packed_drep"), 4)?;
            r.u32(dec!("call_id"))?;
            r.u16(dec!("p_cont_id"))?;
            r.u16(dec!("opnum"))?;
        }
        _ => {
            if r.left() > 0 {
                r.sub(dec!("value"), r.left())?;
            }
        }
    }
    Ok(())
}
