//! \[MS-RPCE\] 2.2.2.13 Verification Trailer: what ends the stub of a first request.
//!
//! A client repeats in it, behind the parameters and under their signature, what it had said in
//! clear before: the flags of the bind, the presentation context, the header. It is no argument.

use super::bind::{SyntaxId, Transfer};
use super::call::Call;
use crate::bytes::{Order, Reader, Sink, Span, Stop, View, clamp};

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

/// What a trailer repeats; of what it does not, nothing is said. Commands that no specification has are
/// passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// \[MS-RPCE\] 2.2.2.13.2: whether the client signs headers.
    pub header_sign: Option<bool>,
    /// \[MS-RPCE\] 2.2.2.13.4: the interface and the transfer syntax.
    pub context: Option<(SyntaxId, SyntaxId)>,
    /// \[MS-RPCE\] 2.2.2.13.3: the header of the request.
    pub header: Option<Header>,
}

/// \[MS-RPCE\] 2.2.2.13.3 `rpc_sec_vt_header2`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    ptype: u8,
    order: Order,
    call_id: u32,
    context_id: u16,
    opnum: u16,
}

/// Reads a trailer.
pub fn read<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Repeated, Stop> {
    let at = r.pos();
    if r.bytes(dec!("signature"), 8)? != SIGNATURE {
        return Err(Stop::malformed(at, "no verification trailer"));
    }
    let mut repeated = Repeated::default();
    loop {
        let last = r.group("command", |r| {
            let command = r.u16(flags!(
                "command",
                &[(0x4000, "SEC_VT_COMMAND_END"), (0x8000, "SEC_VT_MUST_PROCESS_COMMAND")]
            ))?;
            let length = r.u16(dec!("length"))?;
            let start = r.pos();
            r.within(length.into(), "length", |r| value(r, command & COMMAND_TYPE, &mut repeated))?;
            let end = start + u32::from(length);
            if end > r.end() {
                return Err(Stop::malformed(start, format!("length {length} is beyond the stub")));
            }
            r.seek(end, "length")?;
            Ok(command & END != 0)
        })?;
        if last {
            return Ok(repeated);
        }
    }
}

fn value<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    command: u16,
    repeated: &mut Repeated,
) -> Result<(), Stop> {
    match command {
        // [MS-RPCE] 2.2.2.13.2 rpc_sec_vt_bitmask
        1 => {
            let bits = r.u32(flags!("bits", &[(1, "CLIENT_SUPPORT_HEADER_SIGNING")]))?;
            repeated.header_sign = Some(bits & 1 != 0);
        }
        // [MS-RPCE] 2.2.2.13.4 rpc_sec_vt_pcontext
        2 => {
            let interface = r.guid(dec!("InterfaceId.uuid"))?;
            let interface = SyntaxId::new(interface, r.u32(hex!("InterfaceId.version"))?);
            let transfer = r.guid(dec!("TransferSyntax.uuid"))?;
            let transfer = SyntaxId::new(transfer, r.u32(hex!("TransferSyntax.version"))?);
            repeated.context = Some((interface, transfer));
        }
        // [MS-RPCE] 2.2.2.13.3 rpc_sec_vt_header2
        3 => {
            let ptype = r.u8(dec!("PTYPE"))?;
            r.u8(dec!("Reserved"))?;
            r.u16(dec!("Reserved"))?;
            let drep = r.bytes(hex!("packed_drep"), 4)?;
            // The upper half of its first octet is the order of integers.
            let little = drep.first().is_some_and(|octet| octet >> 4 == 1);
            repeated.header = Some(Header {
                ptype,
                order: if little { Order::Little } else { Order::Big },
                call_id: r.u32(dec!("call_id"))?,
                context_id: r.u16(dec!("p_cont_id"))?,
                opnum: r.u16(dec!("opnum"))?,
            });
        }
        _ => {
            if r.left() > 0 {
                r.sub(dec!("value"), r.left())?;
            }
        }
    }
    Ok(())
}

/// What the trailer in this part of its request says that the bind or the header says otherwise, as two
/// half sentences: what the trailer has, and what was said in clear. Whoever gets it has to refuse it.
pub fn at_odds(call: &Call, trailer: Span) -> Option<(String, String)> {
    let request = call.request.as_ref()?;
    let view = request.stub.view().slice(trailer);
    let mut none = ();
    let mut r = Reader::new(view, &mut none);
    r.order = order_of(view, request.order)?;
    let Repeated { header_sign, context, header } = read(&mut r).ok()?;
    if let (Some((said, _)), Some(bound)) = (context, call.interface)
        && said != bound
    {
        return Some((format!("interface {}", shown(said)), format!("interface {}", shown(bound))));
    }
    if let (Some((_, said)), Some(agreed)) = (context, call.transfer)
        && said.transfer() != Some(agreed)
    {
        let agreed = match agreed {
            Transfer::Ndr => "NDR",
            Transfer::Ndr64 => "NDR64",
        };
        return Some((format!("transfer syntax {}", shown(said)), agreed.to_owned()));
    }
    if (header_sign, call.header_sign) == (Some(true), Some(false)) {
        let said = "that the client signs headers".to_owned();
        return Some((said, "no offer to do so".to_owned()));
    }
    let said = header?;
    let differs = |what: &str, said: u32, is: u32| {
        (said != is).then(|| (format!("{what} {said}"), format!("{what} {is}")))
    };
    let order = || {
        let name = |order| match order {
            Order::Little => "little-endian integers",
            Order::Big => "big-endian integers",
        };
        let differs = said.order != request.order;
        differs.then(|| (name(said.order).to_owned(), name(request.order).to_owned()))
    };
    differs("PTYPE", said.ptype.into(), 0)
        .or_else(order)
        .or_else(|| differs("call_id", said.call_id, call.call_id))
        .or_else(|| differs("p_cont_id", said.context_id.into(), call.context_id?.into()))
        .or_else(|| differs("opnum", said.opnum.into(), call.opnum?.into()))
}

fn shown(SyntaxId { uuid, major, minor }: SyntaxId) -> String {
    format!("{uuid} {major}.{minor}")
}
