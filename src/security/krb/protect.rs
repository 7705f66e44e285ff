//! Makes the tokens that [`gss`] reads: seals and signs.

use zeroize::Zeroizing;

use super::crypto::{self, Etype, Key};
use super::gss::{self, ContextKeys, Header, around};
use crate::bytes::Side;
use crate::security::Protected;

/// What a sender chooses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'a> {
    /// Number of the message.
    pub(super) number: u32,
    /// Chance, which stands before what is sealed.
    pub(super) confounder: &'a [u8; 16],
    /// RFC 4121 4.2.3 `EC`: octets behind what is sealed.
    pub(super) filler: u8,
}

/// \[MS-KILE\] 3.4.5.4.1: as Windows has it.
pub(super) const FILLER: u8 = 16;
/// Octets of the header of RFC 4121 4.2.6.
const HEADER: usize = 16;
/// Octets of the frame of RFC 4757 7, and of what is in it for a MIC.
const FRAMED_MIC: usize = 13 + 24;

/// The key that a side protects with, and whether it is the server's.
fn sender(keys: &ContextKeys) -> (&Key, bool) {
    match keys.acceptor.key() {
        Some(key) => (key, true),
        None => (keys.initiator.key().unwrap_or(&keys.ticket), false),
    }
}

/// Octets of a signature.
pub(super) fn signature_len(keys: &ContextKeys, sealed: bool) -> Option<usize> {
    let (key, _) = sender(keys);
    let mac = key.etype().mac_len()?;
    Some(match (key.etype(), sealed) {
        (Etype::RC4, false) => FRAMED_MIC,
        (Etype::RC4, true) => FRAMED_MIC.saturating_add(8),
        (_, false) => HEADER.saturating_add(mac),
        // Header, filler, copy of the header, HMAC, confounder.
        (_, true) => [HEADER, FILLER.into(), HEADER, mac, 16].iter().sum(),
    })
}

/// Seals a PDU, whose body is in clear, or signs it: gives the body as it travels, and the signature.
pub(super) fn protect(
    keys: &ContextKeys,
    side: Side,
    pdu: &Protected<'_>,
    choice: Choice<'_>,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let (key, acceptor) = sender(keys);
    if key.etype() == Etype::RC4 {
        return arcfour(key, side, pdu, choice);
    }
    let mut flags = if side == Side::Server { Header::SENT_BY_ACCEPTOR } else { 0 };
    flags |= if acceptor { Header::ACCEPTOR_SUBKEY } else { 0 };
    if pdu.sealed {
        return wrap(key, flags | Header::SEALED, (side, pdu), choice);
    }
    // RFC 4121 4.2.6.1
    let mut token = vec![4, 4, flags, 0xff, 0xff, 0xff, 0xff, 0xff];
    token.extend(u64::from(choice.number).to_be_bytes());
    let [head, trailer] = around(pdu);
    let mac = crypto::checksum(key, gss::signs(side), &[head, pdu.body, trailer, &token])?;
    token.extend(mac);
    Some((pdu.body.to_vec(), token))
}

/// RFC 4121 4.2.6.2, turned by EC and RRC so that the body stays where it is.
fn wrap(
    key: &Key,
    flags: u8,
    (side, pdu): (Side, &Protected<'_>),
    Choice { number, confounder, filler }: Choice<'_>,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let mac_len = key.etype().mac_len()?;
    // The copy of the header and the HMAC.
    let turned = mac_len.checked_add(HEADER)?;
    let header = |turned: u16| {
        let [rrc_high, rrc_low] = turned.to_be_bytes();
        let start = [5, 4, flags, 0xff, 0, filler, rrc_high, rrc_low];
        [start, u64::from(number).to_be_bytes()].concat()
    };
    let end = [vec![0xff; filler.into()], header(0)].concat();
    let clear = Zeroizing::new([&confounder[..], pdu.body, &end].concat());
    let usage = gss::seals(side);
    let sealed = crypto::encrypt_unchecked(key, usage, &clear)?;
    let over: &[u8] = if key.etype().is_checked_sealed() { &sealed } else { &clear };
    let (before, rest) = over.split_at_checked(confounder.len())?;
    let (body, behind) = rest.split_at_checked(pdu.body.len())?;
    let [head, trailer] = around(pdu);
    let mac = crypto::mac(key, usage, &[before, head, body, trailer, behind])?;
    let mut stream = [sealed, mac].concat();
    let by = turned.checked_add(filler.into())?;
    if by > stream.len() {
        return None;
    }
    stream.rotate_right(by);
    let body = stream.split_off(stream.len().checked_sub(pdu.body.len())?);
    let token = [header(u16::try_from(turned).ok()?), stream].concat();
    Some((body, token))
}

/// RFC 4757 7.2, 7.3.
fn arcfour(
    key: &Key,
    side: Side,
    pdu: &Protected<'_>,
    Choice { number, confounder, .. }: Choice<'_>,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let [head, trailer] = around(pdu);
    let number = number.to_be_bytes();
    let (header, checksum, rest) = if pdu.sealed {
        let (confounder, _) = confounder.split_at_checked(8)?;
        let parts: [&[u8]; 5] = [&gss::WRAP, confounder, head, pdu.body, trailer];
        let checksum = crypto::checksum(key, gss::WRAP_USAGE, &parts)?;
        let mut rest = [confounder, pdu.body].concat();
        crypto::rc4(&*gss::arcfour_sealing(key.octets(), &number), &mut rest)?;
        (gss::WRAP, checksum, rest)
    } else {
        let parts: [&[u8]; 4] = [&gss::MIC, head, pdu.body, trailer];
        (gss::MIC, crypto::checksum(key, gss::MIC_USAGE, &parts)?, pdu.body.to_vec())
    };
    let (checksum, _) = checksum.split_at_checked(8)?;
    let mut sequence = [number, gss::arcfour_sender(side)].concat();
    crypto::rc4(&*gss::arcfour_sequence(key.octets(), checksum), &mut sequence)?;
    let (confounder, body) = rest.split_at_checked(if pdu.sealed { 8 } else { 0 })?;
    let inner = [gss::OID, &header, &sequence, checksum, confounder].concat();
    let token = [vec![0x60, u8::try_from(inner.len()).ok()?], inner].concat();
    Some((body.to_vec(), token))
}
