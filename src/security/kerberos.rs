//! RFC 4120 5.9.1 `KRB-ERROR`: why a ticket was not given, or not taken.

use std::fmt;

use super::der;
use super::tokens::SEQUENCE;

/// Application tag 30.
pub(super) const KRB_ERROR: u8 = 0x7e;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
const GENERAL_STRING: u8 = 0x1b;

/// Components of a principal's name that are read; a service has two or three.
const COMPONENTS_MAX: usize = 8;
/// Characters of a name that are kept.
const NAME_MAX: usize = 256;

/// What a `KRB-ERROR` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KrbError {
    /// `error-code`.
    pub code: ErrorCode,
    /// `realm` of the service.
    pub realm: String,
    /// `sname`, such as `cifs/fs1.lab.example`; `None` where it has no components.
    pub service: Option<String>,
    /// `cname`, where it is told.
    pub client: Option<String>,
    /// \[MS-KILE\] 2.2.1 the NTSTATUS in `e-data`, where Windows gives one.
    pub status: Option<u32>,
}

/// RFC 4120 7.5.9 an error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub i32);

impl ErrorCode {
    /// `KDC_ERR_S_PRINCIPAL_UNKNOWN`: the realm has no such service.
    pub const S_PRINCIPAL_UNKNOWN: Self = Self(7);
    /// `KDC_ERR_PREAUTH_REQUIRED`
    pub const PREAUTH_REQUIRED: Self = Self(25);
    /// `KRB_ERR_RESPONSE_TOO_BIG`
    pub const RESPONSE_TOO_BIG: Self = Self(52);
    /// `KDC_ERR_WRONG_REALM`
    pub const WRONG_REALM: Self = Self(68);
    /// `KDC_ERR_MORE_PREAUTH_DATA_REQUIRED` (RFC 6113 5.2)
    pub const MORE_PREAUTH_DATA_REQUIRED: Self = Self(91);

    /// Whether it is no refusal but a step on the way: the client asks again with what is missing,
    /// over TCP, or in another realm.
    pub fn is_a_step(self) -> bool {
        let steps = [
            Self::PREAUTH_REQUIRED,
            Self::RESPONSE_TOO_BIG,
            Self::WRONG_REALM,
            Self::MORE_PREAUTH_DATA_REQUIRED,
        ];
        steps.contains(&self)
    }

    /// Its name.
    pub fn name(self) -> Option<&'static str> {
        CODES.iter().find(|(code, _)| *code == self.0).map(|(_, name)| *name)
    }

    /// Every code with a name.
    pub fn named() -> impl Iterator<Item = (Self, &'static str)> {
        CODES.iter().map(|(code, name)| (Self(*code), *name))
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "Kerberos error {}", self.0),
        }
    }
}

/// Reads the `KRB-ERROR` at the start of `bytes`; `None` unless all of it is there.
pub fn error(bytes: &[u8]) -> Option<KrbError> {
    const VERSION: i32 = 5;
    const MESSAGE_TYPE: i32 = 30;
    let fields = der::open(der::open(bytes, KRB_ERROR)?, SEQUENCE)?;
    let field = |number: u8| {
        let tag = 0xa0 | number;
        der::elements(fields).find(|field| field.tag == tag).map(|field| field.value)
    };
    if integer(field(0)?)? != VERSION || integer(field(1)?)? != MESSAGE_TYPE {
        return None;
    }
    Some(KrbError {
        code: ErrorCode(integer(field(6)?)?),
        realm: text(field(9)?)?,
        service: principal(field(10)?),
        client: field(8).and_then(principal),
        status: field(12).and_then(status),
    })
}

/// An INTEGER of 32 bits.
pub(super) fn integer(bytes: &[u8]) -> Option<i32> {
    let octets = der::open(bytes, INTEGER)?;
    let negative = octets.first()? & 0x80 != 0;
    if octets.len() > 4 {
        return None;
    }
    let start = if negative { -1 } else { 0 };
    Some(octets.iter().fold(start, |value: i32, octet| value << 8 | i32::from(*octet)))
}

/// RFC 4120 5.2.1 `KerberosString`.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let octets = der::open(bytes, GENERAL_STRING)?;
    Some(String::from_utf8_lossy(octets).chars().take(NAME_MAX).collect())
}

/// RFC 4120 5.2.2 `PrincipalName`, with slashes between its components.
pub(super) fn principal(bytes: &[u8]) -> Option<String> {
    let fields = der::open(bytes, SEQUENCE)?;
    let names = der::elements(fields).find(|field| field.tag == 0xa1)?;
    let list = der::open(names.value, SEQUENCE)?;
    let components = der::elements(list).filter(|element| element.tag == GENERAL_STRING);
    let components: Vec<_> = components
        .take(COMPONENTS_MAX)
        .map(|component| String::from_utf8_lossy(component.value))
        .collect();
    let name: String = components.join("/").chars().take(NAME_MAX).collect();
    Some(name).filter(|name| !name.is_empty())
}

/// \[MS-KILE\] 2.2.1 `KERB-EXT-ERROR`, little-endian, in \[MS-KILE\] 2.2.2 `KERB-ERROR-DATA`.
fn status(bytes: &[u8]) -> Option<u32> {
    /// `KERB_ERR_TYPE_EXTENDED`
    const EXTENDED: i32 = 3;
    let data = der::open(bytes, OCTET_STRING)?;
    let fields = der::open(data, SEQUENCE)?;
    let field = |tag| der::elements(fields).find(|field| field.tag == tag);
    if integer(field(0xa1)?.value)? != EXTENDED {
        return None;
    }
    let error = der::open(field(0xa2)?.value, OCTET_STRING)?;
    error.first_chunk().map(|status| u32::from_le_bytes(*status)).filter(|status| *status != 0)
}

const CODES: &[(i32, &str)] = &[
    (1, "KDC_ERR_NAME_EXP"),
    (2, "KDC_ERR_SERVICE_EXP"),
    (3, "KDC_ERR_BAD_PVNO"),
    (4, "KDC_ERR_C_OLD_MAST_KVNO"),
    (5, "KDC_ERR_S_OLD_MAST_KVNO"),
    (6, "KDC_ERR_C_PRINCIPAL_UNKNOWN"),
    (7, "KDC_ERR_S_PRINCIPAL_UNKNOWN"),
    (8, "KDC_ERR_PRINCIPAL_NOT_UNIQUE"),
    (9, "KDC_ERR_NULL_KEY"),
    (10, "KDC_ERR_CANNOT_POSTDATE"),
    (11, "KDC_ERR_NEVER_VALID"),
    (12, "KDC_ERR_POLICY"),
    (13, "KDC_ERR_BADOPTION"),
    (14, "KDC_ERR_ETYPE_NOSUPP"),
    (15, "KDC_ERR_SUMTYPE_NOSUPP"),
    (16, "KDC_ERR_PADATA_TYPE_NOSUPP"),
    (17, "KDC_ERR_TRTYPE_NOSUPP"),
    (18, "KDC_ERR_CLIENT_REVOKED"),
    (19, "KDC_ERR_SERVICE_REVOKED"),
    (20, "KDC_ERR_TGT_REVOKED"),
    (21, "KDC_ERR_CLIENT_NOTYET"),
    (22, "KDC_ERR_SERVICE_NOTYET"),
    (23, "KDC_ERR_KEY_EXPIRED"),
    (24, "KDC_ERR_PREAUTH_FAILED"),
    (25, "KDC_ERR_PREAUTH_REQUIRED"),
    (26, "KDC_ERR_SERVER_NOMATCH"),
    (27, "KDC_ERR_MUST_USE_USER2USER"),
    (28, "KDC_ERR_PATH_NOT_ACCEPTED"),
    (29, "KDC_ERR_SVC_UNAVAILABLE"),
    (31, "KRB_AP_ERR_BAD_INTEGRITY"),
    (32, "KRB_AP_ERR_TKT_EXPIRED"),
    (33, "KRB_AP_ERR_TKT_NYV"),
    (34, "KRB_AP_ERR_REPEAT"),
    (35, "KRB_AP_ERR_NOT_US"),
    (36, "KRB_AP_ERR_BADMATCH"),
    (37, "KRB_AP_ERR_SKEW"),
    (38, "KRB_AP_ERR_BADADDR"),
    (39, "KRB_AP_ERR_BADVERSION"),
    (40, "KRB_AP_ERR_MSG_TYPE"),
    (41, "KRB_AP_ERR_MODIFIED"),
    (42, "KRB_AP_ERR_BADORDER"),
    (44, "KRB_AP_ERR_BADKEYVER"),
    (45, "KRB_AP_ERR_NOKEY"),
    (46, "KRB_AP_ERR_MUT_FAIL"),
    (47, "KRB_AP_ERR_BADDIRECTION"),
    (48, "KRB_AP_ERR_METHOD"),
    (49, "KRB_AP_ERR_BADSEQ"),
    (50, "KRB_AP_ERR_INAPP_CKSUM"),
    (51, "KRB_AP_PATH_NOT_ACCEPTED"),
    (52, "KRB_ERR_RESPONSE_TOO_BIG"),
    (60, "KRB_ERR_GENERIC"),
    (61, "KRB_ERR_FIELD_TOOLONG"),
    (62, "KDC_ERROR_CLIENT_NOT_TRUSTED"),
    (63, "KDC_ERROR_KDC_NOT_TRUSTED"),
    (64, "KDC_ERROR_INVALID_SIG"),
    (65, "KDC_ERR_KEY_TOO_WEAK"),
    (66, "KDC_ERR_CERTIFICATE_MISMATCH"),
    (67, "KRB_AP_ERR_NO_TGT"),
    (68, "KDC_ERR_WRONG_REALM"),
    (69, "KRB_AP_ERR_USER_TO_USER_REQUIRED"),
    (70, "KDC_ERR_CANT_VERIFY_CERTIFICATE"),
    (71, "KDC_ERR_INVALID_CERTIFICATE"),
    (72, "KDC_ERR_REVOKED_CERTIFICATE"),
    (73, "KDC_ERR_REVOCATION_STATUS_UNKNOWN"),
    (74, "KDC_ERR_REVOCATION_STATUS_UNAVAILABLE"),
    (75, "KDC_ERR_CLIENT_NAME_MISMATCH"),
    (76, "KDC_ERR_KDC_NAME_MISMATCH"),
    (90, "KDC_ERR_PREAUTH_EXPIRED"),
    (91, "KDC_ERR_MORE_PREAUTH_DATA_REQUIRED"),
    (93, "KDC_ERR_UNKNOWN_CRITICAL_FAST_OPTIONS"),
];

#[cfg(test)]
pub(crate) mod samples {
    /// From a KDC of `LAB.TEST`: there is no `cifs/fs1`.
    pub(crate) const UNKNOWN: &[u8] = &[
        0x7e, 0x4d, 0x30, 0x4b, // KRB-ERROR, SEQUENCE
        0xa0, 3, 2, 1, 5, // pvno
        0xa1, 3, 2, 1, 30, // msg-type
        0xa4, 0x11, 0x18, 0x0f, // stime, 20260115120000Z
        b'2', b'0', b'2', b'6', b'0', b'1', b'1', b'5', b'1', b'2', b'0', b'0', b'0', b'0', b'Z',
        0xa5, 3, 2, 1, 0, // susec
        0xa6, 3, 2, 1, 7, // error-code
        0xa9, 0x0a, 0x1b, 8, b'L', b'A', b'B', b'.', b'T', b'E', b'S', b'T', // realm
        0xaa, 0x16, 0x30, 0x14, // sname
        0xa0, 3, 2, 1, 2, // name-type
        0xa1, 0x0d, 0x30, 0x0b, 0x1b, 4, b'c', b'i', b'f', b's', 0x1b, 3, b'f', b's', b'1',
    ];
}

#[cfg(test)]
mod tests {
    use super::samples::UNKNOWN;
    use super::*;

    fn der(tag: u8, value: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(value.len()).unwrap()][..], value].concat()
    }

    /// A `KRB-ERROR` with this error code, and whatever other fields.
    fn made(code: &[u8], more: &[Vec<u8>]) -> Vec<u8> {
        let service = der(SEQUENCE, &der(0xa1, &der(SEQUENCE, &der(GENERAL_STRING, b"krbtgt"))));
        let fields = [
            der(0xa0, &der(INTEGER, &[5])),
            der(0xa1, &der(INTEGER, &[30])),
            der(0xa6, &der(INTEGER, code)),
            more.concat(),
            der(0xa9, &der(GENERAL_STRING, b"R")),
            der(0xaa, &service),
        ];
        der(KRB_ERROR, &der(SEQUENCE, &fields.concat()))
    }

    #[test]
    fn a_service_that_is_unknown() {
        let told = error(UNKNOWN).unwrap();
        assert_eq!(told.code, ErrorCode::S_PRINCIPAL_UNKNOWN);
        assert_eq!(told.code.to_string(), "KDC_ERR_S_PRINCIPAL_UNKNOWN (7)");
        assert_eq!((told.realm.as_str(), told.service.as_deref()), ("LAB.TEST", Some("cifs/fs1")));
        assert_eq!((told.client, told.status), (None, None));
        for n in 0..UNKNOWN.len() {
            assert_eq!(error(&UNKNOWN[..n]), None, "{n} bytes");
        }
    }

    #[test]
    fn a_length_that_is_wrong_is_no_error() {
        // Of the message, the sequence, pvno, its integer, the code, the realm, the name.
        for at in [1, 3, 5, 7, 39, 41, 44, 46, 56] {
            let mut bad = UNKNOWN.to_vec();
            bad[at] = 0x7f;
            assert_eq!(error(&bad), None, "octet {at}");
        }
        // Another version, another message.
        for at in [8, 13] {
            let mut bad = UNKNOWN.to_vec();
            bad[at] += 1;
            assert_eq!(error(&bad), None, "octet {at}");
        }
    }

    #[test]
    fn a_client_and_what_windows_adds() {
        let client = der(0xa1, &der(SEQUENCE, &der(GENERAL_STRING, b"backup")));
        let extended = der(OCTET_STRING, b"\x34\x02\0\xc0\0\0\0\0\x01\0\0\0");
        let data = |kind: u8| {
            let fields = [der(0xa1, &der(INTEGER, &[kind])), der(0xa2, &extended)].concat();
            der(0xac, &der(OCTET_STRING, &der(SEQUENCE, &fields)))
        };
        let client = der(0xa8, &der(SEQUENCE, &client));
        let told = error(&made(&[18], &[client.clone(), data(3)])).unwrap();
        assert_eq!(told.client.as_deref(), Some("backup"));
        assert_eq!(told.status, Some(0xc000_0234), "STATUS_ACCOUNT_LOCKED_OUT");
        let told = error(&made(&[18], &[client, data(2)])).unwrap();
        assert_eq!(told.status, None, "other data");
    }

    #[test]
    fn codes_are_numbers_of_32_bits() {
        let code = |octets: &[u8]| error(&made(octets, &[])).map(|told| told.code.0);
        assert_eq!(code(&[0]), Some(0));
        assert_eq!(code(&[0xff]), Some(-1));
        assert_eq!(code(&[0x7f, 0xff, 0xff, 0xff]), Some(i32::MAX));
        assert_eq!(code(&[0, 0, 0, 0, 7]), None);
        assert_eq!(code(&[]), None);
        assert_eq!(ErrorCode(1000).to_string(), "Kerberos error 1000");
    }

    #[test]
    fn names_are_bounded() {
        let long = der(GENERAL_STRING, &[b'a'; 100]).repeat(12);
        let mut name = vec![SEQUENCE, 0x82];
        name.extend(u16::try_from(long.len()).unwrap().to_be_bytes());
        name.extend(long);
        let mut field = vec![0xa1, 0x82];
        field.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
        field.extend(name);
        let mut sequence = vec![SEQUENCE, 0x82];
        sequence.extend(u16::try_from(field.len()).unwrap().to_be_bytes());
        sequence.extend(field);
        assert_eq!(principal(&sequence).unwrap().len(), NAME_MAX);
    }
}
