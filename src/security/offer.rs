//! What a server offers before anybody logs on: \[MS-SPNG\] 2.2.1 `NegTokenInit2`.

use super::der;
use super::tokens::{GSS, NEG_TOKEN_INIT, OID, OID_SPNEGO, SEQUENCE};

/// Mechanisms of one token that are read; servers offer a handful.
const MECHANISMS_MAX: usize = 16;
/// Octets of an object identifier that are read.
const OID_MAX: usize = 64;
/// Characters of a hint that are kept.
const HINT_MAX: usize = 256;

const GENERAL_STRING: u8 = 0x1b;

/// The mechanisms of a SPNEGO token and the name beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Object identifiers, dotted, the preferred first.
    pub mechanisms: Vec<String>,
    /// `hintName` of `negHints`.
    pub hint: Option<String>,
}

/// What the token of a NEGOTIATE response offers; `None` if it is no `NegTokenInit2`.
pub fn offer(token: &[u8]) -> Option<Offer> {
    let inner = der::open(token, GSS)?;
    let (oid, rest) = der::element(inner)?;
    if (oid.tag, oid.value) != (OID, OID_SPNEGO) {
        return None;
    }
    let fields = der::open(der::open(rest, NEG_TOKEN_INIT)?, SEQUENCE)?;
    let mut offer = Offer::default();
    for field in der::elements(fields) {
        match field.tag {
            0xa0 => {
                let list = der::open(field.value, SEQUENCE).unwrap_or_default();
                let oids = der::elements(list).filter(|element| element.tag == OID);
                offer.mechanisms = oids.take(MECHANISMS_MAX).map(|oid| dotted(oid.value)).collect();
            }
            // In RFC 4178 this is mechListMIC, an OCTET STRING.
            0xa3 => {
                let hints = der::open(field.value, SEQUENCE).unwrap_or_default();
                let name = der::open(hints, 0xa0).and_then(|name| der::open(name, GENERAL_STRING));
                offer.hint =
                    name.map(|name| String::from_utf8_lossy(name).chars().take(HINT_MAX).collect());
            }
            _ => {}
        }
    }
    Some(offer)
}

/// An object identifier as it is written (X.690 8.19).
fn dotted(octets: &[u8]) -> String {
    let mut text = String::new();
    let mut part = 0u64;
    for octet in octets.iter().take(OID_MAX) {
        part = part.saturating_mul(128).saturating_add(u64::from(octet & 0x7f));
        if octet & 0x80 != 0 {
            continue;
        }
        if text.is_empty() {
            // The first two are one: the first of them is 0, 1 or 2.
            let first = (part / 40).min(2);
            text = format!("{first}.{}", part - 40 * first);
        } else {
            text = format!("{text}.{part}");
        }
        part = 0;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, value: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(value.len()).unwrap()][..], value].concat()
    }

    #[test]
    fn mechanisms_and_hint() {
        const HINT: &str = "not_defined_in_RFC4178@please_ignore";
        // Kerberos as Windows 2000 has it, Kerberos, NTLM.
        let mechanisms: [&[u8]; 3] = [
            b"\x2a\x86\x48\x82\xf7\x12\x01\x02\x02",
            b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02",
            b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a",
        ];
        let list: Vec<u8> = mechanisms.iter().flat_map(|oid| der(OID, oid)).collect();
        let hints = der(SEQUENCE, &der(0xa0, &der(GENERAL_STRING, HINT.as_bytes())));
        let fields = [der(0xa0, &der(SEQUENCE, &list)), der(0xa3, &hints)].concat();
        let init = der(NEG_TOKEN_INIT, &der(SEQUENCE, &fields));
        let token = der(GSS, &[der(OID, OID_SPNEGO), init].concat());
        let told = offer(&token).unwrap();
        let expected = ["1.2.840.48018.1.2.2", "1.2.840.113554.1.2.2", "1.3.6.1.4.1.311.2.2.10"];
        assert_eq!(told.mechanisms, expected);
        assert_eq!(told.hint.as_deref(), Some(HINT));
        for n in 0..token.len() {
            assert_eq!(offer(&token[..n]), None, "{n} bytes");
        }
    }

    #[test]
    fn a_reply_or_an_ntlm_token_offers_nothing() {
        assert_eq!(offer(b""), None);
        assert_eq!(offer(b"\xa1\x07\x30\x05\xa0\x03\x0a\x01\x00"), None);
        assert_eq!(offer(b"NTLMSSP\0\x01\0\0\0"), None);
    }

    #[test]
    fn identifiers_are_bounded() {
        assert_eq!(dotted(&[]), "");
        assert_eq!(dotted(&[0x88, 0x37]), "2.999");
        assert_eq!(dotted(&[0xff; 100]), "");
        assert!(dotted(&[0x2b; 100]).len() < 300);
    }
}
