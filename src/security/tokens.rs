//! Which mechanism a security token carries: GSS-API (RFC 2743 3.1), SPNEGO (\[MS-SPNG\] 2.2), or raw.

use super::kerberos::{self, KRB_ERROR, KrbError};
use super::{der, ntlm};

/// The security mechanism a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// \[MS-NLMP\].
    Ntlm,
    /// \[MS-KILE\].
    Kerberos,
    /// Any other, such as NEGOEX or PKU2U.
    Other,
}

/// What a token says in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Whose token it is; where SPNEGO offers several and carries none, the one it prefers.
    pub mechanism: Mechanism,
    /// Whether SPNEGO wraps it.
    pub spnego: bool,
    /// The NTLM message in it.
    pub ntlm: Option<ntlm::Message>,
    /// The `KRB-ERROR` in it.
    pub refusal: Option<KrbError>,
}

pub(super) const GSS: u8 = 0x60;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 0x04;
/// `NegTokenInit` and `NegTokenResp` are the arms 0 and 1 of `NegotiationToken`.
pub(super) const NEG_TOKEN_INIT: u8 = 0xa0;
const NEG_TOKEN_RESP: u8 = 0xa1;

/// Application tags 14, 15 and 30 of RFC 4120: AP-REQ, AP-REP and KRB-ERROR.
const KERBEROS_MESSAGES: [u8; 3] = [0x6e, 0x6f, KRB_ERROR];

/// 1.3.6.1.5.5.2
pub(super) const OID_SPNEGO: &[u8] = b"\x2b\x06\x01\x05\x05\x02";
/// 1.3.6.1.4.1.311.2.2.10
const OID_NTLM: &[u8] = b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a";
/// 1.2.840.113554.1.2.2
const OID_KERBEROS: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
/// 1.2.840.48018.1.2.2, Windows 2000's misspelling of it.
const OID_MS_KERBEROS: &[u8] = b"\x2a\x86\x48\x82\xf7\x12\x01\x02\x02";
/// 1.2.840.113554.1.2.2.3, user to user.
const OID_USER_TO_USER: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x03";

/// What `token` says in the clear; `None` when it names no mechanism, as a last `NegTokenResp` may.
pub fn peek(token: &[u8]) -> Option<Token> {
    match *token.first()? {
        GSS => {
            let inner = der::open(token, GSS)?;
            let (oid, rest) = der::element(inner)?;
            if oid.tag != OID {
                return None;
            }
            if oid.value == OID_SPNEGO {
                negotiation(rest)
            } else {
                Some(raw(rest).unwrap_or_else(|| bare(of_oid(oid.value))))
            }
        }
        NEG_TOKEN_INIT | NEG_TOKEN_RESP => negotiation(token),
        _ => raw(token),
    }
}

fn bare(mechanism: Mechanism) -> Token {
    Token { mechanism, spnego: false, ntlm: None, refusal: None }
}

fn raw(token: &[u8]) -> Option<Token> {
    if token.starts_with(ntlm::SIGNATURE) {
        return Some(Token { ntlm: ntlm::read(token).ok(), ..bare(Mechanism::Ntlm) });
    }
    // In a GSS-API token the two octets of TOK_ID (RFC 4121 4.1) precede the message.
    let kerberos = |t: &&[u8]| t.first().is_some_and(|tag| KERBEROS_MESSAGES.contains(tag));
    let after_id = token.get(2..).filter(|_| token.get(1) == Some(&0));
    let message = Some(token).filter(kerberos).or_else(|| after_id.filter(kerberos))?;
    Some(Token { refusal: kerberos::error(message), ..bare(Mechanism::Kerberos) })
}

/// \[MS-SPNG\] 2.2.1 `NegTokenInit2`, and `NegTokenResp` of RFC 4178 4.2.2.
fn negotiation(token: &[u8]) -> Option<Token> {
    let (arm, _) = der::element(token)?;
    let fields = der::open(arm.value, SEQUENCE)?;
    let mut named = None;
    let mut carried = None;
    for field in der::elements(fields) {
        match (arm.tag, field.tag) {
            (NEG_TOKEN_INIT, 0xa0) => {
                let list = der::open(field.value, SEQUENCE).unwrap_or_default();
                named = der::open(list, OID).map(of_oid);
            }
            (NEG_TOKEN_RESP, 0xa1) => named = der::open(field.value, OID).map(of_oid),
            (NEG_TOKEN_INIT | NEG_TOKEN_RESP, 0xa2) => {
                carried = der::open(field.value, OCTET_STRING).and_then(inner);
            }
            _ => {}
        }
    }
    Some(Token { spnego: true, ..carried.or_else(|| named.map(bare))? })
}

/// The mechanism's own token inside SPNEGO; never SPNEGO again.
fn inner(token: &[u8]) -> Option<Token> {
    let Some(gss) = der::open(token, GSS) else {
        return raw(token);
    };
    let (oid, rest) = der::element(gss)?;
    Some(raw(rest).unwrap_or_else(|| bare(of_oid(oid.value))))
}

/// What a token carries of its mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Carried<'a> {
    /// Whose it is; `None` where nothing says it, as in a last `NegTokenResp`.
    pub(super) mechanism: Option<Mechanism>,
    /// The mechanism's own token, with the frame of GSS-API if it has one.
    pub(super) inner: Option<&'a [u8]>,
}

/// Takes SPNEGO from around a token; `None` where there is nothing of a mechanism.
pub(super) fn carried(token: &[u8]) -> Option<Carried<'_>> {
    let spnego = match *token.first()? {
        GSS => {
            let inner = der::open(token, GSS)?;
            let (oid, rest) = der::element(inner)?;
            (oid.tag == OID && oid.value == OID_SPNEGO).then_some(rest)
        }
        NEG_TOKEN_INIT | NEG_TOKEN_RESP => Some(token),
        _ => None,
    };
    let Some(spnego) = spnego else {
        let mechanism = peek(token)?.mechanism;
        return Some(Carried { mechanism: Some(mechanism), inner: Some(token) });
    };
    let (arm, _) = der::element(spnego)?;
    let fields = der::open(arm.value, SEQUENCE)?;
    let mut carried = Carried { mechanism: None, inner: None };
    let token = der::elements(fields).find(|field| field.tag == 0xa2);
    carried.inner = token.and_then(|token| der::open(token.value, OCTET_STRING));
    let named = || negotiation(spnego).map(|token| token.mechanism);
    carried.mechanism = carried.inner.and_then(inner).map(|token| token.mechanism).or_else(named);
    Some(carried)
}

fn of_oid(oid: &[u8]) -> Mechanism {
    match oid {
        OID_NTLM => Mechanism::Ntlm,
        OID_KERBEROS | OID_MS_KERBEROS | OID_USER_TO_USER => Mechanism::Kerberos,
        _ => Mechanism::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn der(tag: u8, value: &[u8]) -> Vec<u8> {
        let mut out = vec![tag];
        match u8::try_from(value.len()) {
            Ok(n) if n < 0x80 => out.push(n),
            _ => {
                out.push(0x82);
                out.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            }
        }
        out.extend_from_slice(value);
        out
    }

    /// `NegTokenInit` with these mechanisms and this `mechToken`, in its GSS-API frame.
    fn init(mechs: &[&[u8]], token: Option<&[u8]>) -> Vec<u8> {
        let mechs: Vec<u8> = mechs.iter().flat_map(|oid| der(OID, oid)).collect();
        let mut fields = der(0xa0, &der(SEQUENCE, &mechs));
        if let Some(token) = token {
            fields.extend(der(0xa2, &der(OCTET_STRING, token)));
        }
        let body = der(NEG_TOKEN_INIT, &der(SEQUENCE, &fields));
        der(GSS, &[der(OID, OID_SPNEGO), body].concat())
    }

    fn resp(mech: Option<&[u8]>, token: &[u8]) -> Vec<u8> {
        let mut fields = der(0xa0, &der(0x0a, &[1]));
        if let Some(mech) = mech {
            fields.extend(der(0xa1, &der(OID, mech)));
        }
        fields.extend(der(0xa2, &der(OCTET_STRING, token)));
        der(NEG_TOKEN_RESP, &der(SEQUENCE, &fields))
    }

    fn check(token: &[u8], mechanism: Mechanism, spnego: bool) -> Token {
        let got = peek(token).expect("a mechanism");
        assert_eq!((got.mechanism, got.spnego), (mechanism, spnego));
        for n in 0..token.len() {
            let _ = peek(&token[..n]);
        }
        got
    }

    #[test]
    fn ntlm_raw_and_wrapped() {
        let negotiate = ntlm::samples::NEGOTIATE;
        let raw = check(negotiate, Mechanism::Ntlm, false);
        assert!(matches!(raw.ntlm, Some(ntlm::Message::Negotiate(_))));
        let wrapped = check(&init(&[OID_NTLM], Some(negotiate)), Mechanism::Ntlm, true);
        assert_eq!(wrapped.ntlm, raw.ntlm);
        let challenge = ntlm::samples::challenge();
        let answer = check(&resp(Some(OID_NTLM), &challenge), Mechanism::Ntlm, true);
        assert!(matches!(answer.ntlm, Some(ntlm::Message::Challenge(_))));
        check(&resp(None, &challenge), Mechanism::Ntlm, true);
    }

    #[test]
    fn kerberos_by_oid_by_tag_and_by_preference() {
        let ap_req = [&der(OID, OID_KERBEROS)[..], b"\x01\x00\x6e\x03abc"].concat();
        let gss = der(GSS, &ap_req);
        check(&gss, Mechanism::Kerberos, false);
        check(b"\x6e\x03abc", Mechanism::Kerberos, false);
        check(b"\x6f\x00", Mechanism::Kerberos, false);
        let offer = [OID_MS_KERBEROS, OID_KERBEROS, OID_NTLM];
        check(&init(&offer, Some(&gss)), Mechanism::Kerberos, true);
        check(&init(&offer, None), Mechanism::Kerberos, true);
    }

    #[test]
    fn a_ticket_that_is_refused() {
        let error = kerberos::samples::UNKNOWN;
        let gss = der(GSS, &[&der(OID, OID_KERBEROS)[..], b"\x03\0", error].concat());
        for (token, spnego) in [
            (error.to_vec(), false),
            (gss.clone(), false),
            (resp(Some(OID_KERBEROS), &gss), true),
            (resp(None, error), true),
        ] {
            let told = check(&token, Mechanism::Kerberos, spnego);
            assert_eq!(told.refusal.unwrap().service.as_deref(), Some("cifs/fs1"));
        }
        // One that is cut is still a token of Kerberos.
        let cut = check(&error[..20], Mechanism::Kerberos, false);
        assert_eq!(cut.refusal, None);
    }

    #[test]
    fn what_is_carried_outweighs_what_is_preferred() {
        let offer = init(&[OID_KERBEROS, OID_NTLM], Some(ntlm::samples::NEGOTIATE));
        check(&offer, Mechanism::Ntlm, true);
    }

    #[test]
    fn nothing_named_is_nothing_told() {
        assert_eq!(peek(b""), None);
        assert_eq!(peek(b"\xa1\x07\x30\x05\xa0\x03\x0a\x01\x00"), None);
        let negoex = b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x1e";
        check(&init(&[negoex], None), Mechanism::Other, true);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(
            mut token in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                Just(init(&[OID_NTLM], Some(&ntlm::samples::challenge()))),
                Just(ntlm::samples::authenticate()),
            ],
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        ) {
            for (at, value) in flips {
                if !token.is_empty() {
                    let at = at.index(token.len());
                    token[at] = value;
                }
            }
            let _ = peek(&token);
        }
    }
}
