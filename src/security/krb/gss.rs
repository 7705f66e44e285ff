//! What protects a PDU in a context of Kerberos: the tokens of RFC 4121 4.2 and RFC 4757 7, as
//! \[MS-KILE\] 3.4.5.4 has them for RPC.
//!
//! ```text
//!  RPC:       head │ body, sealed in place │ sec_trailer │ token
//!
//!  RFC 4121:  token = header (16) │ the rest, rotated
//!             the stream: confounder │ body │ filler, copy of the header │ HMAC
//!             turned to the right by RRC + EC, so that the body is the last of it, and stays where it is
//!
//!  RFC 4757:  token = GSS frame │ header (8) │ sequence number (8) │ checksum (8) │ confounder (8)
//! ```
//!
//! With header signing the checksum is also over head and trailer, which are not sealed.

use zeroize::Zeroizing;

use super::crypto::{self, Etype, Key};
use super::message::Subkey;
use crate::bytes::Side;
use crate::security::Protected;
use crate::security::digest::hmac_md5;

/// The keys of a context.
#[derive(Debug)]
pub(super) struct ContextKeys {
    /// The session key of the ticket.
    pub(super) ticket: Key,
    /// The subkey in the authenticator.
    pub(super) initiator: Subkey,
    /// The subkey in the server's answer.
    pub(super) acceptor: Subkey,
}

impl ContextKeys {
    /// The subkey of the client, or else the key of the ticket.
    fn of_initiator(&self) -> Result<&Key, Fault> {
        match &self.initiator {
            Subkey::Readable(key) => Ok(key),
            Subkey::Absent => Ok(&self.ticket),
            Subkey::Unreadable(etype) => Err(Fault::Subkey(*etype)),
        }
    }

    /// The key that others derive theirs from: the subkey the server chose, else the client's, else
    /// that of the ticket.
    pub(super) fn session_key(&self) -> Result<&Key, Fault> {
        match &self.acceptor {
            Subkey::Readable(key) => Ok(key),
            Subkey::Absent => self.of_initiator(),
            Subkey::Unreadable(etype) => Err(Fault::Subkey(*etype)),
        }
    }
}

/// Why a PDU is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It takes the subkey of the server's answer.
    NoAcceptorKey,
    /// It takes a subkey that cannot be read, perhaps for its encryption type.
    Subkey(Option<Etype>),
    /// What it takes is not to be had here.
    Unknown(&'static str),
    /// It is not what its sender signed, if the keys are those of its sender.
    Wrong(&'static str),
}

const WRONG: Fault = Fault::Wrong("a signature that is right");
const CUT: Fault = Fault::Unknown("a whole signature");
const OTHER_TYPE: Fault = Fault::Unknown("a signature of its keys' encryption type");
const LENGTH: Fault = Fault::Unknown("a signature as long as its encryption type has it");

/// RFC 4121 2 the usage of the key that seals.
pub(super) fn seals(side: Side) -> u32 {
    if side == Side::Client { 24 } else { 22 }
}

/// RFC 4121 2 the usage of the key that signs.
pub(super) fn signs(side: Side) -> u32 {
    if side == Side::Client { 25 } else { 23 }
}

/// Opens a sealed PDU and gives its body, or checks the signature of one in clear.
pub(super) fn open(
    keys: &ContextKeys,
    side: Side,
    pdu: &Protected<'_>,
) -> Result<Option<Vec<u8>>, Fault> {
    let kind = match *pdu.signature {
        [5, 4, ..] if pdu.sealed => return wrap(keys, side, pdu).map(Some),
        [4, 4, ..] if !pdu.sealed => return mic(keys, side, pdu).map(|()| None),
        [0x60, ..] => framed(pdu.signature).ok_or(CUT)?,
        [] | [_] => return Err(CUT),
        _ => return Err(Fault::Unknown("a signature of another kind")),
    };
    if kind.confounder.len() != if pdu.sealed { 8 } else { 0 } {
        return Err(LENGTH);
    }
    let rc4 = [keys.acceptor.key(), keys.initiator.key(), Some(&keys.ticket)];
    let mut rc4 = rc4.into_iter().flatten().filter(|key| key.etype() == Etype::RC4).peekable();
    let fault = match (&keys.acceptor, &keys.initiator) {
        (Subkey::Unreadable(etype), _) | (_, Subkey::Unreadable(etype)) => Fault::Subkey(*etype),
        _ if rc4.peek().is_none() => OTHER_TYPE,
        _ => WRONG,
    };
    // Which of its keys a context takes is told nowhere but in the checksum.
    let cleared = rc4.find_map(|key| arcfour(key.octets(), side, pdu, kind)).ok_or(fault)?;
    Ok(cleared.body)
}

/// RFC 4121 4.2: the header of a token.
pub(super) struct Header<'a> {
    octets: &'a [u8],
    flags: u8,
    ec: usize,
    rrc: usize,
    sequence: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Header<'a> {
    pub(super) const SENT_BY_ACCEPTOR: u8 = 1;
    pub(super) const SEALED: u8 = 2;
    pub(super) const ACCEPTOR_SUBKEY: u8 = 4;

    fn read(token: &'a [u8]) -> Option<Self> {
        let (octets, rest) = token.split_at_checked(16)?;
        let &[_, _, flags, _, ec0, ec1, rrc0, rrc1, ref sequence @ ..] = octets else {
            return None;
        };
        let number = |octets| usize::from(u16::from_be_bytes(octets));
        let (ec, rrc) = (number([ec0, ec1]), number([rrc0, rrc1]));
        Some(Self { octets, flags, ec, rrc, sequence, rest })
    }

    /// The key of a token that `side` has sent.
    fn key<'k>(&self, keys: &'k ContextKeys, side: Side) -> Result<&'k Key, Fault> {
        if (self.flags & Self::SENT_BY_ACCEPTOR != 0) != (side == Side::Server) {
            return Err(Fault::Wrong("a signature of its sender and not of the other side"));
        }
        if self.flags & Self::ACCEPTOR_SUBKEY != 0 {
            return match keys.acceptor {
                Subkey::Absent => Err(Fault::NoAcceptorKey),
                _ => keys.session_key(),
            };
        }
        keys.of_initiator()
    }
}

/// RFC 4121 4.2.6.2 Wrap token.
fn wrap(keys: &ContextKeys, side: Side, pdu: &Protected<'_>) -> Result<Vec<u8>, Fault> {
    let header = Header::read(pdu.signature).ok_or(CUT)?;
    let key = header.key(keys, side)?;
    if header.flags & Header::SEALED == 0 {
        return Err(Fault::Wrong("a signature that seals"));
    }
    let mac = key.etype().mac_len().filter(|_| key.etype() != Etype::RC4).ok_or(OTHER_TYPE)?;
    // Confounder, filler, copy of the header, HMAC.
    if header.rest.len() != [16, header.ec, 16, mac].into_iter().fold(0, usize::saturating_add) {
        return Err(LENGTH);
    }
    let usage = seals(side);
    let turns = [header.rrc.saturating_add(header.ec), header.rrc];
    let turns = if header.ec == 0 { turns.get(..1) } else { turns.get(..) };
    let turns = turns.unwrap_or_default();
    turns.iter().find_map(|by| unwrap(key, usage, &header, pdu, *by)).ok_or(WRONG)
}

/// The body, if the checksum is right with the stream turned by so many octets.
fn unwrap(
    key: &Key,
    usage: u32,
    header: &Header<'_>,
    pdu: &Protected<'_>,
    turned: usize,
) -> Option<Vec<u8>> {
    let mut stream = [header.rest, pdu.body].concat();
    // RFC 4121 4.2.5: it may be turned round more than once.
    let turned = turned.checked_rem(stream.len())?;
    stream.rotate_left(turned);
    let len = stream.len().checked_sub(key.etype().mac_len()?)?;
    let (sealed, mac) = stream.split_at_checked(len)?;
    let clear = crypto::decrypt_unchecked(key, usage, sealed)?;
    let checked = if key.etype().is_checked_sealed() { sealed } else { &**clear };
    let parts = |octets| Parts::of(octets, pdu.body.len());
    let Parts { confounder, body, end } = parts(checked)?;
    let [head, trailer] = around(pdu);
    if crypto::mac(key, usage, &[confounder, head, body, trailer, end])? != mac {
        return None;
    }
    // RFC 4121 4.2.4: the copy is of the header before it was turned.
    let Parts { body, end, .. } = parts(&clear)?;
    let (_, copy) = end.split_at_checked(header.ec)?;
    let same = copy.len() == header.octets.len()
        && copy.get(..4) == header.octets.get(..4)
        && copy.get(8..) == Some(header.sequence);
    same.then(|| body.to_vec())
}

/// What the stream of a Wrap token consists of, without its HMAC.
struct Parts<'a> {
    confounder: &'a [u8],
    body: &'a [u8],
    end: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(octets: &'a [u8], body: usize) -> Option<Self> {
        let (confounder, rest) = octets.split_at_checked(16)?;
        let (body, end) = rest.split_at_checked(body)?;
        Some(Self { confounder, body, end })
    }
}

/// What is under the signature before the body and behind it.
pub(super) fn around<'a>(pdu: &Protected<'a>) -> [&'a [u8]; 2] {
    if pdu.header_signed { [pdu.head, pdu.trailer] } else { [&[], &[]] }
}

/// RFC 4121 4.2.6.1 MIC token.
fn mic(keys: &ContextKeys, side: Side, pdu: &Protected<'_>) -> Result<(), Fault> {
    let header = Header::read(pdu.signature).ok_or(CUT)?;
    let key = header.key(keys, side)?;
    let mac = key.etype().mac_len().filter(|_| key.etype() != Etype::RC4).ok_or(OTHER_TYPE)?;
    if header.rest.len() != mac {
        return Err(LENGTH);
    }
    let [head, trailer] = around(pdu);
    let right = crypto::checksum(key, signs(side), &[head, pdu.body, trailer, header.octets]);
    if right.as_deref() == Some(header.rest) { Ok(()) } else { Err(WRONG) }
}

/// RFC 4757 7.2, 7.3: a token of RC4, out of its frame.
#[derive(Clone, Copy)]
struct Arcfour<'a> {
    header: &'a [u8],
    sequence: &'a [u8],
    checksum: &'a [u8],
    confounder: &'a [u8],
}

/// 1.2.840.113554.1.2.2
pub(super) const OID: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";

/// Takes a token out of its frame, whose length may be with or without the body.
fn framed(token: &[u8]) -> Option<Arcfour<'_>> {
    let (length, rest) = token.get(1..)?.split_first()?;
    let more = if *length < 0x80 { 0 } else { usize::from(length & 0x7f) };
    let rest = rest.get(more..)?;
    let rest = rest.strip_prefix(OID)?;
    let (header, rest) = rest.split_at_checked(8)?;
    let (sequence, rest) = rest.split_at_checked(8)?;
    let (checksum, confounder) = rest.split_at_checked(8)?;
    Some(Arcfour { header, sequence, checksum, confounder })
}

/// `TOK_ID`, `SGN_ALG` HMAC, `SEAL_ALG` RC4.
pub(super) const WRAP: [u8; 8] = [2, 1, 0x11, 0, 0x10, 0, 0xff, 0xff];
/// `TOK_ID`, `SGN_ALG` HMAC.
pub(super) const MIC: [u8; 8] = [1, 1, 0x11, 0, 0xff, 0xff, 0xff, 0xff];
/// RFC 4757 7: the usages of Wrap and MIC.
pub(super) const WRAP_USAGE: u32 = 13;
pub(super) const MIC_USAGE: u32 = 15;

/// RFC 4757 7.2: what the number of a token is encrypted with.
pub(super) fn arcfour_sequence(key: &[u8], checksum: &[u8]) -> Zeroizing<[u8; 16]> {
    hmac_md5(&*hmac_md5(key, &[&[0; 4]]), &[checksum])
}

/// RFC 4757 7.3: what the token of this number is sealed with.
pub(super) fn arcfour_sealing(key: &[u8], number: &[u8]) -> Zeroizing<[u8; 16]> {
    let local = Zeroizing::new(key.iter().map(|octet| octet ^ 0xf0).collect::<Vec<_>>());
    hmac_md5(&*hmac_md5(&local, &[&[0; 4]]), &[number])
}

/// RFC 4757 7.2: who has sent a token, behind its number.
pub(super) fn arcfour_sender(side: Side) -> [u8; 4] {
    if side == Side::Client { [0; 4] } else { [0xff; 4] }
}

/// What has a checksum that is right.
struct Cleared {
    /// Of what was sealed.
    body: Option<Vec<u8>>,
}

/// `None` unless the checksum is right.
fn arcfour(key: &[u8], side: Side, pdu: &Protected<'_>, token: Arcfour<'_>) -> Option<Cleared> {
    let Arcfour { header, checksum, confounder, .. } = token;
    // The sequence number, big-endian, and four octets that say who sent it.
    let of_sequence = arcfour_sequence(key, checksum);
    let mut sequence = Zeroizing::new(token.sequence.to_vec());
    crypto::rc4(&*of_sequence, &mut sequence)?;
    let (number, direction) = sequence.split_at_checked(4)?;
    if direction != arcfour_sender(side) {
        return None;
    }
    let [head, trailer] = around(pdu);
    let key_of = |octets: &[u8]| Key::new(Etype::RC4, octets.into());
    let right = |usage, parts: &[&[u8]]| {
        let right = crypto::checksum(&key_of(key)?, usage, parts)?;
        (right.get(..8) == Some(checksum)).then_some(())
    };
    if !pdu.sealed {
        if header != MIC || !confounder.is_empty() {
            return None;
        }
        right(MIC_USAGE, &[header, head, pdu.body, trailer])?;
        return Some(Cleared { body: None });
    }
    if header != WRAP || confounder.len() != 8 {
        return None;
    }
    let mut clear = Zeroizing::new([confounder, pdu.body].concat());
    crypto::rc4(&*arcfour_sealing(key, number), &mut clear)?;
    let (confounder, body) = clear.split_at_checked(8)?;
    right(WRAP_USAGE, &[header, confounder, head, body, trailer])?;
    Some(Cleared { body: Some(body.to_vec()) })
}
