//! Messages of Kerberos, and what is sealed in them: RFC 4120 5. Pure: octets in, what they say out.
//!
//! All is read as far as it is wanted; `None` where that is not there. Whether a message is one of
//! Kerberos at all, its application tag says.

use super::crypto::{Etype, Key};
use crate::security::Secret;
use crate::security::der;
use crate::security::kerberos::{INTEGER, KRB_ERROR, OCTET_STRING, integer, principal, text};
use crate::security::tokens::SEQUENCE;

/// Entries of lists that are read: pre-authentication data, encryption types.
const ENTRIES_MAX: usize = 32;
/// Octets of a salt that are kept.
const SALT_MAX: usize = 512;

/// Application tags.
const TICKET: u8 = 0x61;
const AUTHENTICATOR: u8 = 0x62;
const ENC_TICKET_PART: u8 = 0x63;
pub(super) const AS_REQ: u8 = 0x6a;
const AS_REP: u8 = 0x6b;
const TGS_REQ: u8 = 0x6c;
const TGS_REP: u8 = 0x6d;
pub(super) const AP_REQ: u8 = 0x6e;
pub(super) const AP_REP: u8 = 0x6f;
const ENC_AS_REP_PART: u8 = 0x79;
const ENC_TGS_REP_PART: u8 = 0x7a;
const ENC_AP_REP_PART: u8 = 0x7b;

/// RFC 4120 7.5.2 pre-authentication data.
const PA_TGS_REQ: i32 = 1;
const PA_ETYPE_INFO2: i32 = 19;
/// RFC 6113 5.4 `PA-FX-FAST`
const PA_FX_FAST: i32 = 136;

/// RFC 4120 7.5.1: what keys seal and check.
pub mod usage {
    /// `EncTicketPart`, with the key of the service.
    pub const TICKET: u32 = 2;
    pub(in super::super) const AS_REP: u32 = 3;
    pub(in super::super) const TGS_REQ_AUTHENTICATOR: u32 = 7;
    pub(in super::super) const TGS_REP_SESSION_KEY: u32 = 8;
    pub(in super::super) const TGS_REP_SUBKEY: u32 = 9;
    /// `Authenticator`, with the session key of the ticket.
    pub const AP_REQ_AUTHENTICATOR: u32 = 11;
    /// `EncAPRepPart`, with the session key of the ticket.
    pub const AP_REP: u32 = 12;
    /// RFC 6113 7.1
    pub(in super::super) const FAST_REP: u32 = 52;
}

/// RFC 4120 5.2.9 `EncryptedData`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealed<'a> {
    pub(super) etype: Etype,
    pub(super) kvno: Option<u32>,
    pub(super) cipher: &'a [u8],
}

/// RFC 4120 5.3 `Ticket`.
#[derive(Clone, Debug)]
pub(super) struct Ticket<'a> {
    pub(super) realm: String,
    /// `cifs/fs1.lab.example`
    pub(super) service: String,
    pub(super) sealed: Sealed<'a>,
}

impl Ticket<'_> {
    /// Service and realm.
    pub(super) fn name(&self) -> String {
        format!("{}@{}", self.service, self.realm)
    }
}

/// RFC 4120 5.5.1 `AP-REQ`.
#[derive(Clone, Debug)]
pub(super) struct ApReq<'a> {
    /// Whether the ticket is sealed with the session key of the server's own ticket.
    pub(super) use_session_key: bool,
    pub(super) mutual_required: bool,
    pub(super) ticket: Ticket<'a>,
    pub(super) authenticator: Sealed<'a>,
}

/// RFC 4120 5.3 `EncTicketPart`.
#[derive(Clone, Debug)]
pub(super) struct EncTicketPart {
    pub(super) key: Key,
    /// `user@REALM`
    pub(super) client: String,
}

/// RFC 4120 5.5.1 `Authenticator`.
#[derive(Clone, Debug)]
pub(super) struct Authenticator {
    /// `user@REALM`
    pub(super) client: String,
    pub(super) subkey: Subkey,
}

/// RFC 4120 5.5.2 `EncAPRepPart`.
#[derive(Clone, Debug)]
pub(super) struct EncApRepPart {
    pub(super) subkey: Subkey,
}

/// A key that one side may choose.
#[derive(Clone, Debug, Default)]
pub(super) enum Subkey {
    #[default]
    Absent,
    Readable(Key),
    /// One that cannot be used here, with its encryption type if that is why.
    Unreadable(Option<Etype>),
}

impl Subkey {
    pub(super) fn key(&self) -> Option<&Key> {
        match self {
            Self::Readable(key) => Some(key),
            Self::Absent | Self::Unreadable(_) => None,
        }
    }
}

/// What is said between a client and a KDC.
#[derive(Clone, Debug)]
pub(super) enum KdcMessage<'a> {
    /// RFC 4120 5.4.1 `TGS-REQ`: the `AP-REQ` in it.
    TgsReq(ApReq<'a>),
    /// RFC 4120 5.4.2 `AS-REP` or `TGS-REP`.
    Rep(KdcRep<'a>),
    /// RFC 4120 5.9.1 `KRB-ERROR` that says which encryption types and salts there are.
    Salts { realm: String, client: String, salts: Vec<Salt> },
}

/// RFC 4120 5.4.2 `KDC-REP`.
#[derive(Clone, Debug)]
pub(super) struct KdcRep<'a> {
    /// `AS-REP`, as opposed to `TGS-REP`.
    pub(super) initial: bool,
    /// Whether it is under the protection of FAST (RFC 6113).
    pub(super) fast: bool,
    /// RFC 6113 5.4.3 `KrbFastArmoredRep`: what FAST adds to it.
    pub(super) armored: Option<Sealed<'a>>,
    pub(super) salts: Vec<Salt>,
    pub(super) realm: String,
    /// Client, without realm.
    pub(super) client: String,
    pub(super) ticket: Ticket<'a>,
    pub(super) sealed: Sealed<'a>,
}

/// RFC 4120 5.2.7.5 `ETYPE-INFO2-ENTRY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Salt {
    pub(super) etype: Etype,
    /// `None` is the default.
    pub(super) octets: Option<Vec<u8>>,
    /// `s2kparams` of AES: rounds.
    pub(super) rounds: Option<u32>,
}

/// The fields of a SEQUENCE, by their context tags.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The SEQUENCE at the start of `bytes`.
    fn of(bytes: &'a [u8]) -> Option<Self> {
        der::open(bytes, SEQUENCE).map(Self)
    }

    /// The SEQUENCE of a message.
    fn tagged(bytes: &'a [u8], tag: u8) -> Option<Self> {
        Self::of(der::open(bytes, tag)?)
    }

    fn get(self, number: u8) -> Option<&'a [u8]> {
        let tag = 0xa0 | number;
        der::elements(self.0).find(|field| field.tag == tag).map(|field| field.value)
    }

    fn integer(self, number: u8) -> Option<i32> {
        integer(self.get(number)?)
    }

    fn octets(self, number: u8) -> Option<&'a [u8]> {
        der::open(self.get(number)?, OCTET_STRING)
    }

    /// Realm and name, `user@REALM`.
    fn name(self, realm: u8, name: u8) -> Option<String> {
        Some(format!("{}@{}", principal(self.get(name)?)?, text(self.get(realm)?)?))
    }

    /// RFC 4120 5.2.9 `EncryptionKey`.
    fn key(self, number: u8) -> Option<Key> {
        let fields = Self::of(self.get(number)?)?;
        Key::new(Etype(fields.integer(0)?), Secret::from(fields.octets(1)?))
    }

    /// The same, where it may be left out.
    fn subkey(self, number: u8) -> Subkey {
        let Some(field) = self.get(number) else { return Subkey::Absent };
        let etype = || Self::of(field)?.integer(0).map(Etype);
        let unread = || Subkey::Unreadable(etype().filter(|etype| etype.key_len().is_none()));
        self.key(number).map_or_else(unread, Subkey::Readable)
    }

    /// A number of 32 bits: unsigned, or as some send it, signed.
    fn unsigned(self, number: u8) -> Option<u32> {
        let octets = der::open(self.get(number)?, INTEGER)?;
        let octets = match octets {
            [0, rest @ ..] if rest.len() == 4 => rest,
            octets => octets,
        };
        let fits = (1..=4).contains(&octets.len());
        fits.then(|| octets.iter().fold(0, |value, octet| value << 8 | u32::from(*octet)))
    }

    fn sealed(self, number: u8) -> Option<Sealed<'a>> {
        let fields = Self::of(self.get(number)?)?;
        Some(Sealed {
            etype: Etype(fields.integer(0)?),
            kvno: fields.unsigned(1),
            cipher: fields.octets(2)?,
        })
    }

    fn ticket(self, number: u8) -> Option<Ticket<'a>> {
        let fields = Self::tagged(self.get(number)?, TICKET)?;
        Some(Ticket {
            realm: text(fields.get(1)?)?,
            service: principal(fields.get(2)?)?,
            sealed: fields.sealed(3)?,
        })
    }

    /// A list of `PA-DATA`: types and values.
    fn padata(self, number: u8) -> impl Iterator<Item = (i32, &'a [u8])> {
        padata(self.get(number).unwrap_or_default())
    }
}

fn padata(bytes: &[u8]) -> impl Iterator<Item = (i32, &[u8])> {
    der::elements(der::open(bytes, SEQUENCE).unwrap_or_default())
        .take(ENTRIES_MAX)
        .filter(|entry| entry.tag == SEQUENCE)
        .filter_map(|entry| {
            let fields = Fields(entry.value);
            Some((fields.integer(1)?, fields.octets(2)?))
        })
}

/// RFC 4120 5.2.7.5 `ETYPE-INFO2` among pre-authentication data.
fn salts<'a>(padata: impl Iterator<Item = (i32, &'a [u8])>) -> Vec<Salt> {
    let lists = padata.filter(|(kind, _)| *kind == PA_ETYPE_INFO2);
    let entries = lists.flat_map(|(_, list)| {
        der::elements(der::open(list, SEQUENCE).unwrap_or_default()).take(ENTRIES_MAX)
    });
    let entries = entries.filter(|entry| entry.tag == SEQUENCE).take(ENTRIES_MAX);
    entries
        .filter_map(|entry| {
            let fields = Fields(entry.value);
            // A GeneralString, whatever its characters are.
            let salt = fields.get(1).and_then(der::element).map(|(salt, _)| salt.value);
            let rounds = fields.octets(2).and_then(|octets| <[u8; 4]>::try_from(octets).ok());
            Some(Salt {
                etype: Etype(fields.integer(0)?),
                octets: salt.filter(|salt| salt.len() <= SALT_MAX).map(<[u8]>::to_vec),
                rounds: rounds.map(u32::from_be_bytes),
            })
        })
        .collect()
}

/// Reads an `AP-REQ`.
pub(super) fn ap_req(bytes: &[u8]) -> Option<ApReq<'_>> {
    const BIT_STRING: u8 = 0x03;
    let fields = Fields::tagged(bytes, AP_REQ)?;
    // Behind the octet that counts unused bits; the first bit is reserved.
    let options = der::open(fields.get(2)?, BIT_STRING)?.get(1).copied().unwrap_or_default();
    Some(ApReq {
        use_session_key: options & 0x40 != 0,
        mutual_required: options & 0x20 != 0,
        ticket: fields.ticket(3)?,
        authenticator: fields.sealed(4)?,
    })
}

/// Reads an `AP-REP`.
pub(super) fn ap_rep(bytes: &[u8]) -> Option<Sealed<'_>> {
    Fields::tagged(bytes, AP_REP)?.sealed(2)
}

/// Reads what is sealed in a ticket.
pub(super) fn enc_ticket_part(clear: &[u8]) -> Option<EncTicketPart> {
    let fields = Fields::tagged(clear, ENC_TICKET_PART)?;
    Some(EncTicketPart { key: fields.key(1)?, client: fields.name(2, 3)? })
}

/// Reads what is sealed in an `AP-REQ`.
pub(super) fn authenticator(clear: &[u8]) -> Option<Authenticator> {
    let fields = Fields::tagged(clear, AUTHENTICATOR)?;
    Some(Authenticator { client: fields.name(1, 2)?, subkey: fields.subkey(6) })
}

/// Reads what is sealed in an `AP-REP`.
pub(super) fn enc_ap_rep_part(clear: &[u8]) -> Option<EncApRepPart> {
    let fields = Fields::tagged(clear, ENC_AP_REP_PART)?;
    Some(EncApRepPart { subkey: fields.subkey(2) })
}

/// Reads what is sealed in an answer of a KDC: the session key of its ticket. Which of both tags it
/// has is not the same with all KDCs.
pub(super) fn enc_kdc_rep_part(clear: &[u8]) -> Option<Key> {
    let fields =
        Fields::tagged(clear, ENC_AS_REP_PART).or_else(|| Fields::tagged(clear, ENC_TGS_REP_PART));
    fields?.key(0)
}

/// RFC 6113 5.4.3 `KrbFastResponse`.
#[derive(Clone, Debug)]
pub(super) struct FastResponse {
    pub(super) strengthen: Option<Key>,
    /// `user@REALM`, who may be told as nobody in clear.
    pub(super) client: Option<String>,
}

/// Reads what is sealed in the part that FAST adds to an answer.
pub(super) fn fast_response(clear: &[u8]) -> Option<FastResponse> {
    let fields = Fields::of(clear)?;
    let finished = fields.get(2).and_then(Fields::of);
    Some(FastResponse {
        strengthen: fields.key(1),
        client: finished.and_then(|finished| finished.name(2, 3)),
    })
}

/// Reads a message to or from a KDC; `None` also for one that nothing follows from.
pub(super) fn kdc_message(bytes: &[u8]) -> Option<KdcMessage<'_>> {
    let tag = *bytes.first()?;
    let fields = Fields::tagged(bytes, tag)?;
    match tag {
        TGS_REQ => {
            let mut asked = fields.padata(3).filter(|(kind, _)| *kind == PA_TGS_REQ);
            asked.find_map(|(_, value)| ap_req(value)).map(KdcMessage::TgsReq)
        }
        AS_REP | TGS_REP => Some(KdcMessage::Rep(KdcRep {
            initial: tag == AS_REP,
            fast: fields.padata(2).any(|(kind, _)| kind == PA_FX_FAST),
            armored: fields.padata(2).filter(|(kind, _)| *kind == PA_FX_FAST).find_map(
                |(_, value)| {
                    // A CHOICE with one arm.
                    Fields::of(Fields(value).get(0)?)?.sealed(0)
                },
            ),
            salts: salts(fields.padata(2)),
            realm: text(fields.get(3)?)?,
            client: principal(fields.get(4)?)?,
            ticket: fields.ticket(5)?,
            sealed: fields.sealed(6)?,
        })),
        KRB_ERROR => {
            let salts = salts(padata(fields.octets(12)?));
            // The client is told where the KDC likes it; who asks has said the realm.
            let client = fields.get(8).and_then(principal).unwrap_or_default();
            let realm = text(fields.get(9)?)?;
            (!salts.is_empty()).then_some(KdcMessage::Salts { realm, client, salts })
        }
        _ => None,
    }
}

/// Whether `bytes` begin like a message that clients and KDCs exchange.
pub fn is_kdc_message(bytes: &[u8]) -> bool {
    let tags = [AS_REQ, AS_REP, TGS_REQ, TGS_REP, KRB_ERROR];
    bytes.first().is_some_and(|tag| tags.contains(tag))
}
