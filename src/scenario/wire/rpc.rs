//! Connection-oriented DCE/RPC PDUs: \[C706\] 12.6 and \[MS-RPCE\] 2.2.2.

use super::octets::{Octets, noise};
use crate::bytes::{Guid, Order};
use crate::idl::Syntax;

/// An interface or a transfer syntax: UUID, major and minor version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxId(pub(crate) Guid, pub(crate) u16, pub(crate) u16);

const NDR: SyntaxId = SyntaxId(Guid::from_u128(0x8a885d04_1ceb_11c9_9fe8_08002b104860), 2, 0);
const NDR64: SyntaxId = SyntaxId(Guid::from_u128(0x71710533_beba_4937_8319_b5dbef9ccc36), 1, 0);
/// \[MS-RPCE\] 3.3.1.5.3: security context multiplexing, keep connection on orphan.
const FEATURES: SyntaxId = SyntaxId(Guid::from_u128(0x6cb71c2c_9812_4540_0300_000000000000), 1, 0);
const NONE: SyntaxId = SyntaxId(Guid::nil(), 0, 0);

/// The number of the presentation context a request names.
pub(crate) fn context_id(syntax: Syntax) -> u16 {
    match syntax {
        Syntax::Ndr => 0,
        Syntax::Ndr64 => 1,
    }
}

fn transfer(syntax: Syntax) -> SyntaxId {
    match syntax {
        Syntax::Ndr => NDR,
        Syntax::Ndr64 => NDR64,
    }
}

/// PDU types (\[C706\] 12.6.4.1).
pub(crate) mod ptype {
    pub(crate) const REQUEST: u8 = 0;
    pub(crate) const RESPONSE: u8 = 2;
    pub(crate) const FAULT: u8 = 3;
    pub(crate) const BIND: u8 = 11;
    pub(crate) const BIND_ACK: u8 = 12;
    pub(crate) const BIND_NAK: u8 = 13;
    pub(crate) const ALTER_CONTEXT: u8 = 14;
    pub(crate) const ALTER_CONTEXT_RESP: u8 = 15;
    pub(crate) const AUTH3: u8 = 16;
}

const FIRST: u8 = 0x01;
const LAST: u8 = 0x02;
const SUPPORT_HEADER_SIGN: u8 = 0x04;
const DID_NOT_EXECUTE: u8 = 0x20;
const OBJECT_UUID: u8 = 0x80;

/// \[MS-RPCE\] 2.2.2.11 `sec_trailer` and its value.
#[derive(Clone, Debug)]
pub(crate) struct Verifier {
    pub(crate) provider: u8,
    pub(crate) level: u8,
    pub(crate) value: Vec<u8>,
}

/// What every PDU of an association has in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) order: Order,
    pub(crate) call_id: u32,
}

impl Head {
    fn octets(self) -> Octets {
        Octets::in_order(self.order)
    }

    /// A PDU around its body, which begins after the common header.
    fn pdu(self, kind: u8, flags: u8, body: &[u8], verifier: Option<&Verifier>) -> Vec<u8> {
        // The verifier begins at a multiple of four; Windows pads stubs, which have eight octets of
        // the body before them or twenty-four, to sixteen.
        let stub = matches!(kind, ptype::REQUEST | ptype::RESPONSE);
        let (before, to) = if stub { (8, 16) } else { (0, 4) };
        let filled = body.len().saturating_add(before);
        let padding = match verifier {
            Some(_) => filled.next_multiple_of(to).saturating_sub(filled),
            None => 0,
        };
        let trailer = verifier.map_or(0, |verifier| verifier.value.len().saturating_add(8));
        let length = [16, body.len(), padding, trailer].iter().sum();
        let drep = if self.order == Order::Little { 0x10 } else { 0 };
        let octets = self
            .octets()
            .bytes(&[5, 0, kind, flags, drep, 0, 0, 0])
            .len16(length)
            .len16(verifier.map_or(0, |verifier| verifier.value.len()))
            .u32(self.call_id)
            .bytes(body)
            .zeros(padding);
        let Some(verifier) = verifier else { return octets.done() };
        octets
            .bytes(&[verifier.provider, verifier.level])
            .u8(u8::try_from(padding).unwrap_or_default())
            .u8(0)
            .u32(0)
            .bytes(&verifier.value)
            .done()
    }
}

fn syntax_id(octets: Octets, id: SyntaxId) -> Octets {
    // The version is one integer, its minor half the upper.
    octets.guid(id.0).u32(u32::from(id.2) << 16 | u32::from(id.1))
}

/// A presentation context that a client offers: its number, the interface, and how it is marshaled.
pub(crate) type Offer = (u16, SyntaxId, SyntaxId);

/// The contexts Windows offers with a bind: NDR, NDR64, and the features.
pub(crate) fn first_offers(interface: SyntaxId) -> Vec<Offer> {
    (0..).zip([NDR, NDR64, FEATURES]).map(|(id, of)| (id, interface, of)).collect()
}

/// Those it offers with an `alter_context`, from this number on: NDR, and NDR64 where that is agreed on.
pub(crate) fn further_offers(interface: SyntaxId, from: u16, syntax: Syntax) -> Vec<Offer> {
    let offers: &[SyntaxId] = match syntax {
        Syntax::Ndr => &[NDR],
        Syntax::Ndr64 => &[NDR, NDR64],
    };
    (from..).zip(offers).map(|(id, of)| (id, interface, *of)).collect()
}

/// The number of the context of these that is accepted in this transfer syntax.
pub(crate) fn accepted(offers: &[Offer], syntax: Syntax) -> Option<u16> {
    offers.iter().find(|(.., of)| *of == transfer(syntax)).map(|(id, ..)| *id)
}

/// The context that a `bind` or `alter_context` for security alone repeats.
pub(crate) fn repeated_offer(interface: SyntaxId) -> Vec<Offer> {
    vec![(0, interface, NDR)]
}

/// `bind` or `alter_context`.
pub(crate) fn bind(
    head: Head,
    kind: u8,
    offers: &[Offer],
    (fragment, group): (u16, u32),
    verifier: Option<&Verifier>,
) -> Vec<u8> {
    let mut octets = head.octets().u16(fragment).u16(fragment).u32(group).len32(offers.len());
    for (id, interface, offered) in offers {
        octets = octets.u16(*id).bytes(&[1, 0]);
        octets = syntax_id(syntax_id(octets, *interface), *offered);
    }
    // The count of contexts is one octet and three are reserved, in any byte order.
    let body = octets.done();
    let body = count_first(body, head.order, offers.len());
    let sign = if verifier.is_some() { SUPPORT_HEADER_SIGN } else { 0 };
    head.pdu(kind, FIRST | LAST | sign, &body, verifier)
}

/// Puts the count at offset 8 into its first octet, where it stands in both byte orders.
fn count_first(mut body: Vec<u8>, order: Order, count: usize) -> Vec<u8> {
    if order == Order::Big
        && let Some(place) = body.get_mut(8..12)
    {
        place.copy_from_slice(&[u8::try_from(count).unwrap_or_default(), 0, 0, 0]);
    }
    body
}

/// What the server makes of a context it was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It takes this transfer syntax.
    Accept(Syntax),
    /// It takes none, for this result and reason.
    Reject(u16, u16),
}

/// `bind_ack` or `alter_context_resp`.
pub(crate) fn bind_ack(
    head: Head,
    kind: u8,
    secondary: &str,
    (offers, verdict): (&[Offer], Verdict),
    (fragment, group): (u16, u32),
    verifier: Option<&Verifier>,
) -> Vec<u8> {
    let bound = kind == ptype::BIND_ACK;
    let address = if bound && !secondary.is_empty() {
        [secondary.as_bytes(), &[0]].concat()
    } else {
        Vec::new()
    };
    let octets = head.octets().u16(fragment).u16(fragment).u32(group);
    let octets = octets.len16(address.len()).bytes(&address);
    // The address is padded from the start of the PDU, whose header is a multiple of four.
    let octets = octets.pad(4);
    let before = octets.len();
    let mut octets = octets.len32(offers.len());
    // In an alter_context that is for security alone the context is there already.
    let repeated = !bound && matches!(offers, [(0, ..)]);
    for (_, _, offered) in offers {
        octets = match verdict {
            _ if *offered == FEATURES => syntax_id(octets.u16(3).u16(3), NONE),
            Verdict::Accept(syntax) if *offered == transfer(syntax) || repeated => {
                syntax_id(octets.u16(0).u16(0), transfer(syntax))
            }
            // provider_rejection, proposed_transfer_syntaxes_not_supported
            Verdict::Accept(_) => syntax_id(octets.u16(2).u16(2), NONE),
            Verdict::Reject(result, reason) => syntax_id(octets.u16(result).u16(reason), NONE),
        };
    }
    let mut body = octets.done();
    if head.order == Order::Big
        && let Some(place) = body.get_mut(before..before.saturating_add(4))
    {
        place.copy_from_slice(&[u8::try_from(offers.len()).unwrap_or_default(), 0, 0, 0]);
    }
    let sign = if verifier.is_some() { SUPPORT_HEADER_SIGN } else { 0 };
    head.pdu(kind, FIRST | LAST | sign, &body, verifier)
}

/// `bind_nak`, with the versions the server speaks: 5.0.
pub(crate) fn bind_nak(head: Head, reason: u16) -> Vec<u8> {
    let body = head.octets().u16(reason).bytes(&[1, 5, 0]).done();
    head.pdu(ptype::BIND_NAK, FIRST | LAST, &body, None)
}

/// `rpc_auth_3`
pub(crate) fn auth3(head: Head, verifier: &Verifier) -> Vec<u8> {
    // Two lengths that nobody reads; Windows leaves there what was in its memory.
    let body = head.octets().zeros(4).done();
    head.pdu(ptype::AUTH3, FIRST | LAST, &body, Some(verifier))
}

/// `fault` without a stub.
pub(crate) fn fault(head: Head, context: u16, status: u32, verifier: Option<&Verifier>) -> Vec<u8> {
    let body = head.octets().u32(32).u16(context).zeros(2).u32(status).zeros(4).done();
    head.pdu(ptype::FAULT, FIRST | LAST | DID_NOT_EXECUTE, &body, verifier)
}

/// What a request says before its stub.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asks {
    pub(crate) context: u16,
    pub(crate) opnum: u16,
    pub(crate) object: Option<Guid>,
}

/// How stubs are cut and protected.
pub(crate) struct Cut<'a> {
    /// Octets of a PDU at most.
    pub(crate) fragment: u16,
    /// Protects the fragments.
    pub(crate) guard: &'a mut dyn Guard,
    /// Stubs are noise.
    pub(crate) noise: bool,
}

/// Protects the PDUs of one side, one after the other.
pub(crate) trait Guard {
    /// The verifier of the next PDU, if it has one: as long as it will be.
    fn verifier(&mut self) -> Option<Verifier>;

    /// Seals that PDU, now that it is there, and signs it.
    fn protect(&mut self, parts: Parts<'_>);
}

/// A PDU with a verifier: \[MS-RPCE\] 3.3.1.5.2.
pub(crate) struct Parts<'a> {
    /// What is before the stub.
    pub(crate) head: &'a [u8],
    /// The stub with its padding.
    pub(crate) body: &'a mut [u8],
    /// The `sec_trailer` up to its value.
    pub(crate) trailer: &'a [u8],
    /// Its value.
    pub(crate) signature: &'a mut [u8],
}

impl<'a> Parts<'a> {
    /// Of a PDU that has so many octets before its stub, and in its signature.
    fn of(pdu: &'a mut [u8], head: usize, signature: usize) -> Option<Self> {
        let (rest, signature) = pdu.split_at_mut_checked(pdu.len().checked_sub(signature)?)?;
        let (rest, trailer) = rest.split_at_mut_checked(rest.len().checked_sub(8)?)?;
        let (head, body) = rest.split_at_mut_checked(head)?;
        Some(Self { head, body, trailer, signature })
    }
}

/// A request in as many fragments as it takes.
pub(crate) fn request(head: Head, asks: Asks, stub: &[u8], cut: &mut Cut<'_>) -> Vec<Vec<u8>> {
    let flag = if asks.object.is_some() { OBJECT_UUID } else { 0 };
    let mut after = head.octets().u16(asks.context).u16(asks.opnum);
    if let Some(object) = asks.object {
        after = after.guid(object);
    }
    fragments(head, ptype::REQUEST, flag, &after.done(), stub, cut)
}

/// A response in as many fragments as it takes.
pub(crate) fn response(head: Head, context: u16, stub: &[u8], cut: &mut Cut<'_>) -> Vec<Vec<u8>> {
    let after = head.octets().u16(context).zeros(2).done();
    fragments(head, ptype::RESPONSE, 0, &after, stub, cut)
}

/// `after` is what stands between `alloc_hint` and the stub.
fn fragments(
    head: Head,
    kind: u8,
    flag: u8,
    after: &[u8],
    stub: &[u8],
    cut: &mut Cut<'_>,
) -> Vec<Vec<u8>> {
    let mut pdus = Vec::new();
    let mut left = stub;
    loop {
        let verifier = cut.guard.verifier();
        let trailer = verifier.as_ref().map_or(0, |v| v.value.len().saturating_add(8));
        let overhead = [16, 4, after.len(), trailer].iter().sum();
        let room = usize::from(cut.fragment).saturating_sub(overhead);
        // All stubs but the last are whole units of sixteen, twice the eight octets asked for
        // (\[C706\] 12.6.4.9), and need no padding.
        let room = (room / 16).max(1).saturating_mul(16);
        let (now, rest) = left.split_at_checked(room).unwrap_or((left, &[]));
        let first = if pdus.is_empty() { FIRST } else { 0 };
        let last = if rest.is_empty() { LAST } else { 0 };
        let sealed;
        let shown = if cut.noise {
            sealed = noise(u64::from(head.call_id) << 32 ^ u64::from(kind), now.len());
            &sealed
        } else {
            now
        };
        let body = head.octets().len32(left.len()).bytes(after).bytes(shown).done();
        let mut pdu = head.pdu(kind, first | last | flag, &body, verifier.as_ref());
        if let Some(Verifier { value, .. }) = verifier
            && let Some(parts) = Parts::of(&mut pdu, after.len().saturating_add(20), value.len())
        {
            cut.guard.protect(parts);
        }
        pdus.push(pdu);
        if rest.is_empty() {
            return pdus;
        }
        left = rest;
    }
}

/// \[MS-RPCE\] 2.2.2.13 Verification Trailer behind a stub: `SEC_VT_BITMASK_1`, `SEC_VT_PCONTEXT`.
pub(crate) fn verification_trailer(
    stub: &[u8],
    order: Order,
    interface: SyntaxId,
    syntax: Syntax,
) -> Vec<u8> {
    const SIGNATURE: &[u8] = b"\x8a\xe3\x13\x71\x02\xf4\x36\x71";
    const END: u16 = 0x4000;
    let octets = Octets::in_order(order).bytes(stub).pad(4).bytes(SIGNATURE);
    let octets = octets.u16(1).u16(4).u32(1).u16(2 | END).u16(40);
    syntax_id(syntax_id(octets, interface), transfer(syntax)).done()
}
