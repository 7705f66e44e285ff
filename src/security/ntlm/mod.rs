//! \[MS-NLMP\] 2.2.1 NTLM Messages: what they say in clear; [`Session`] is what keys make of them.

mod keys;
mod keystream;
mod mac;
mod make;
mod session;

pub use make::Response;
pub use session::Session;

use crate::bytes::{Field, Reader, Sink, Stop, View};

/// \[MS-NLMP\] 2.2.1: the eight bytes every message begins with.
pub const SIGNATURE: &[u8] = b"NTLMSSP\0";

/// \[MS-NLMP\] 2.2.2.5 `NTLMSSP_NEGOTIATE_UNICODE`.
const NEGOTIATE_UNICODE: u32 = 0x0000_0001;
/// \[MS-NLMP\] 2.2.2.5, the anonymous bit (J).
const NEGOTIATE_ANONYMOUS: u32 = 0x0000_0800;
/// \[MS-NLMP\] 2.2.2.5 `NTLMSSP_NEGOTIATE_VERSION`.
const NEGOTIATE_VERSION: u32 = 0x0200_0000;

/// \[MS-NLMP\] 2.2.2.1: as many AV pairs as a message can be expected to have, and more.
const AV_PAIRS_MAX: usize = 64;

/// One of the three messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// \[MS-NLMP\] 2.2.1.1 `NEGOTIATE_MESSAGE`.
    Negotiate(Negotiate),
    /// \[MS-NLMP\] 2.2.1.2 `CHALLENGE_MESSAGE`.
    Challenge(Challenge),
    /// \[MS-NLMP\] 2.2.1.3 `AUTHENTICATE_MESSAGE`.
    Authenticate(Authenticate),
}

/// \[MS-NLMP\] 2.2.1.1 `NEGOTIATE_MESSAGE`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Negotiate {
    /// `NegotiateFlags`.
    pub flags: u32,
    /// `DomainName`, empty when not supplied.
    pub domain: String,
    /// `WorkstationName`, empty when not supplied.
    pub workstation: String,
    /// `Version`, if negotiated.
    pub version: Option<Version>,
}

/// \[MS-NLMP\] 2.2.1.2 `CHALLENGE_MESSAGE`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// `NegotiateFlags`.
    pub flags: u32,
    /// `ServerChallenge`.
    pub server_challenge: [u8; 8],
    /// `TargetName`: the server's domain, or its own name when it has none.
    pub target_name: String,
    /// `TargetInfo`.
    pub target_info: TargetInfo,
    /// `Version`, if negotiated.
    pub version: Option<Version>,
}

/// \[MS-NLMP\] 2.2.2.1 `AV_PAIR`: the names the server gives itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetInfo {
    /// `MsvAvNbComputerName`.
    pub nb_computer_name: Option<String>,
    /// `MsvAvNbDomainName`.
    pub nb_domain_name: Option<String>,
    /// `MsvAvDnsComputerName`.
    pub dns_computer_name: Option<String>,
    /// `MsvAvDnsDomainName`.
    pub dns_domain_name: Option<String>,
    /// `MsvAvDnsTreeName`.
    pub dns_tree_name: Option<String>,
    /// Whether `MsvAvTimestamp` is there.
    pub timestamp: bool,
}

/// \[MS-NLMP\] 2.2.1.3 `AUTHENTICATE_MESSAGE`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authenticate {
    /// `NegotiateFlags`.
    pub flags: u32,
    /// `DomainName`.
    pub domain: String,
    /// `UserName`.
    pub user: String,
    /// `Workstation`.
    pub workstation: String,
    /// Whether nobody in particular logs on (\[MS-NLMP\] 3.2.5.1.2).
    pub anonymous: bool,
    /// What it proves itself by; empty where that is not there.
    pub proof: Proof,
    /// `Version`, if negotiated.
    pub version: Option<Version>,
}

/// What an `AUTHENTICATE_MESSAGE` proves that its sender knows the password by, and the key it sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// `LmChallengeResponse`.
    pub lm: Vec<u8>,
    /// `NtChallengeResponse`.
    pub nt: Vec<u8>,
    /// `EncryptedRandomSessionKey`.
    pub session_key: Vec<u8>,
}

impl Authenticate {
    /// `DOMAIN\user`, or the user alone where no domain is given.
    ///
    /// Of longer names the first 256 characters: it is kept with every call and pipe.
    pub fn account(&self) -> String {
        const MAX_NAME: usize = 256;
        let kept = |name: &str| name.chars().take(MAX_NAME).collect::<String>();
        match (self.anonymous, self.domain.is_empty()) {
            (true, _) => "NT AUTHORITY\\ANONYMOUS LOGON".to_owned(),
            (false, true) => kept(&self.user),
            (false, false) => format!("{}\\{}", kept(&self.domain), kept(&self.user)),
        }
    }
}

/// \[MS-NLMP\] 2.2.2.10 `VERSION`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// `ProductMajorVersion`.
    pub major: u8,
    /// `ProductMinorVersion`.
    pub minor: u8,
    /// `ProductBuild`.
    pub build: u16,
    /// `NTLMRevisionCurrent`.
    pub revision: u8,
}

/// Reads the message `token` consists of.
pub fn read(token: &[u8]) -> Result<Message, Stop> {
    let mut none = ();
    dissect(&mut Reader::new(View::new(token, &[], &[]), &mut none))
}

/// \[MS-NLMP\] 2.2.2.5 `NEGOTIATE`
const NEGOTIATE_FLAGS: &[(u64, &str)] = &[
    (0x8000_0000, "NTLMSSP_NEGOTIATE_56"),
    (0x4000_0000, "NTLMSSP_NEGOTIATE_KEY_EXCH"),
    (0x2000_0000, "NTLMSSP_NEGOTIATE_128"),
    (0x0200_0000, "NTLMSSP_NEGOTIATE_VERSION"),
    (0x0080_0000, "NTLMSSP_NEGOTIATE_TARGET_INFO"),
    (0x0008_0000, "NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY"),
    (0x0002_0000, "NTLMSSP_TARGET_TYPE_SERVER"),
    (0x0001_0000, "NTLMSSP_TARGET_TYPE_DOMAIN"),
    (0x0000_8000, "NTLMSSP_NEGOTIATE_ALWAYS_SIGN"),
    (0x0000_0800, "NTLMSSP_NEGOTIATE_ANONYMOUS"),
    (0x0000_0200, "NTLMSSP_NEGOTIATE_NTLM"),
    (0x0000_0080, "NTLMSSP_NEGOTIATE_LM_KEY"),
    (0x0000_0020, "NTLMSSP_NEGOTIATE_SEAL"),
    (0x0000_0010, "NTLMSSP_NEGOTIATE_SIGN"),
    (0x0000_0004, "NTLMSSP_REQUEST_TARGET"),
    (0x0000_0002, "NTLM_NEGOTIATE_OEM"),
    (0x0000_0001, "NTLMSSP_NEGOTIATE_UNICODE"),
];

/// Reads the message at the reader's position; its offsets count from there.
pub fn dissect<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Message, Stop> {
    let base = r.pos();
    if r.bytes(dec!("Signature"), 8)? != SIGNATURE {
        return Err(Stop::malformed(base, "signature is not NTLMSSP"));
    }
    let at = r.pos();
    match r.u32(named!(
        "MessageType",
        &[(1, "NtLmNegotiate"), (2, "NtLmChallenge"), (3, "NtLmAuthenticate")]
    ))? {
        1 => negotiate(r, base).map(Message::Negotiate),
        2 => challenge(r, base).map(Message::Challenge),
        3 => authenticate(r, base).map(Message::Authenticate),
        n => Err(Stop::malformed(at, format!("message type {n} is none of NTLM's"))),
    }
}

fn negotiate<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32) -> Result<Negotiate, Stop> {
    let flags = r.u32(flags!("NegotiateFlags", NEGOTIATE_FLAGS))?;
    // Clients from before Windows 95's successors end here.
    let (mut domain, mut workstation, mut ver) = (String::new(), String::new(), None);
    if r.left() >= 16 {
        let fields = [descriptor(r, "DomainNameFields")?, descriptor(r, "WorkstationFields")?];
        ver = version(r, flags)?;
        let [d, w] = fields;
        // [MS-NLMP] 2.2.1.1: both are in the OEM character set, whatever the flags say.
        domain = d.text(r, base, dec!("DomainName"), false)?;
        workstation = w.text(r, base, dec!("Workstation"), false)?;
    }
    Ok(Negotiate { flags, domain, workstation, version: ver })
}

fn challenge<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32) -> Result<Challenge, Stop> {
    let target = descriptor(r, "TargetNameFields")?;
    let flags = r.u32(flags!("NegotiateFlags", NEGOTIATE_FLAGS))?;
    let challenge = r.bytes(hex!("ServerChallenge"), 8)?;
    let server_challenge = challenge.first_chunk().copied().unwrap_or_default();
    let mut out = Challenge { flags, server_challenge, ..Challenge::default() };
    let mut info = Descriptor::default();
    if r.left() >= 16 {
        r.bytes(dec!("Reserved"), 8)?;
        info = descriptor(r, "TargetInfoFields")?;
        out.version = version(r, flags)?;
    }
    out.target_name = target.text(r, base, dec!("TargetName"), flags & NEGOTIATE_UNICODE != 0)?;
    if info.len > 0 {
        r.seek(base.saturating_add(info.offset), "TargetInfoBufferOffset")?;
        // The limit holds only if all of it is there.
        if info.len > r.left() {
            r.take(info.len)?;
        }
        out.target_info =
            r.within(info.len, "TargetInfoLen", |r| r.group("TargetInfo", av_pairs))?;
    }
    Ok(out)
}

fn av_pairs<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<TargetInfo, Stop> {
    let mut info = TargetInfo::default();
    for _ in 0..AV_PAIRS_MAX {
        let id = r.u16(named!(
            "AvId",
            &[
                (0, "MsvAvEOL"),
                (1, "MsvAvNbComputerName"),
                (2, "MsvAvNbDomainName"),
                (3, "MsvAvDnsComputerName"),
                (4, "MsvAvDnsDomainName"),
                (5, "MsvAvDnsTreeName"),
                (6, "MsvAvFlags"),
                (7, "MsvAvTimestamp"),
                (8, "MsvAvSingleHost"),
                (9, "MsvAvTargetName"),
                (10, "MsvAvChannelBindings"),
            ]
        ))?;
        let len = u32::from(r.u16(dec!("AvLen"))?);
        let slot = match id {
            0 => return Ok(info),
            1 => &mut info.nb_computer_name,
            2 => &mut info.nb_domain_name,
            3 => &mut info.dns_computer_name,
            4 => &mut info.dns_domain_name,
            5 => &mut info.dns_tree_name,
            _ => {
                info.timestamp |= id == 7;
                r.bytes(dec!("Value"), len)?;
                continue;
            }
        };
        *slot = Some(r.utf16(dec!("Value"), len)?);
    }
    Err(Stop::malformed(r.pos(), format!("more than {AV_PAIRS_MAX} AV pairs")))
}

fn authenticate<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32) -> Result<Authenticate, Stop> {
    let lm_response = descriptor(r, "LmChallengeResponseFields")?;
    let nt_response = descriptor(r, "NtChallengeResponseFields")?;
    let domain = descriptor(r, "DomainNameFields")?;
    let user = descriptor(r, "UserNameFields")?;
    let workstation = descriptor(r, "WorkstationFields")?;
    let session_key = descriptor(r, "EncryptedRandomSessionKeyFields")?;
    let flags = r.u32(flags!("NegotiateFlags", NEGOTIATE_FLAGS))?;
    let version = version(r, flags)?;
    let unicode = flags & NEGOTIATE_UNICODE != 0;
    let domain = domain.text(r, base, dec!("DomainName"), unicode)?;
    let user = user.text(r, base, dec!("UserName"), unicode)?;
    let workstation = workstation.text(r, base, dec!("Workstation"), unicode)?;
    let anonymous = user.is_empty() && (nt_response.len == 0 || flags & NEGOTIATE_ANONYMOUS != 0);
    // Who it is, is worth knowing even where these are cut off.
    let proof = Proof {
        lm: lm_response.octets(r, base, hex!("LmChallengeResponse")),
        nt: nt_response.octets(r, base, hex!("NtChallengeResponse")),
        session_key: session_key.octets(r, base, hex!("EncryptedRandomSessionKey")),
    };
    Ok(Authenticate { flags, domain, user, workstation, anonymous, proof, version })
}

/// Length and place of a field of the payload.
#[derive(Clone, Copy, Default)]
struct Descriptor {
    len: u32,
    offset: u32,
}

fn descriptor<S: Sink>(r: &mut Reader<'_, '_, S>, name: &str) -> Result<Descriptor, Stop> {
    r.group(name, |r| {
        let len = r.u16(dec!("Len"))?.into();
        r.u16(dec!("MaxLen"))?;
        let offset = r.u32(dec!("BufferOffset"))?;
        Ok(Descriptor { len, offset })
    })
}

impl Descriptor {
    /// The octets; none unless all of them are there.
    fn octets<S: Sink>(
        self,
        r: &mut Reader<'_, '_, S>,
        base: u32,
        field: &'static Field,
    ) -> Vec<u8> {
        if self.len == 0 || r.seek(base.saturating_add(self.offset), "BufferOffset").is_err() {
            return Vec::new();
        }
        r.bytes(field, self.len).map(<[u8]>::to_vec).unwrap_or_default()
    }

    fn text<S: Sink>(
        self,
        r: &mut Reader<'_, '_, S>,
        base: u32,
        field: &'static Field,
        unicode: bool,
    ) -> Result<String, Stop> {
        if self.len == 0 {
            return Ok(String::new());
        }
        r.seek(base.saturating_add(self.offset), "BufferOffset")?;
        if unicode {
            return r.utf16(field, self.len);
        }
        r.oem(field, self.len)
    }
}

fn version<S: Sink>(r: &mut Reader<'_, '_, S>, flags: u32) -> Result<Option<Version>, Stop> {
    if flags & NEGOTIATE_VERSION == 0 {
        return Ok(None);
    }
    r.group("Version", |r| {
        let major = r.u8(dec!("ProductMajorVersion"))?;
        let minor = r.u8(dec!("ProductMinorVersion"))?;
        let build = r.u16(dec!("ProductBuild"))?;
        r.bytes(dec!("Reserved"), 3)?;
        let revision = r.u8(dec!("NTLMRevisionCurrent"))?;
        Ok(Some(Version { major, minor, build, revision }))
    })
}

#[cfg(test)]
pub(crate) mod samples {
    /// Flags UNICODE, NTLM, VERSION; neither domain nor workstation; version 10.0 build 14393.
    pub(crate) const NEGOTIATE: &[u8] = b"NTLMSSP\0\x01\0\0\0\x01\x02\x00\x02\
        \0\0\0\0\x28\0\0\0\0\0\0\0\x28\0\0\0\x0a\x00\x39\x38\0\0\0\x0f";

    pub(crate) fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn descriptor(len: usize, offset: usize) -> Vec<u8> {
        let len = u16::try_from(len).unwrap().to_le_bytes();
        let offset = u32::try_from(offset).unwrap().to_le_bytes();
        [&len[..], &len, &offset].concat()
    }

    fn av(id: u8, value: &[u8]) -> Vec<u8> {
        [&[id, 0, u8::try_from(value.len()).unwrap(), 0][..], value].concat()
    }

    pub(crate) fn challenge() -> Vec<u8> {
        let target = utf16("FSLAB");
        let info = [
            av(2, &utf16("FSLAB")),
            av(1, &utf16("FSS1")),
            av(3, &utf16("fss1.fslab.test")),
            av(7, &[0; 8]),
            av(0, &[]),
        ]
        .concat();
        [
            b"NTLMSSP\0\x02\0\0\0".to_vec(),
            descriptor(target.len(), 56),
            b"\x01\x02\x81\x02".to_vec(), // UNICODE, NTLM, TARGET_TYPE_DOMAIN, TARGET_INFO, VERSION
            vec![0x11; 8],                // ServerChallenge
            vec![0; 8],
            descriptor(info.len(), 56 + target.len()),
            b"\x06\x01\0\0\0\0\0\x0f".to_vec(),
            target,
            info,
        ]
        .concat()
    }

    pub(crate) fn authenticate() -> Vec<u8> {
        let (domain, user, host) = (utf16("FSLAB"), utf16("fsadmin"), utf16("CLIENT1"));
        let nt = [0x22; 24];
        let at = 64 + domain.len() + user.len() + host.len();
        [
            b"NTLMSSP\0\x03\0\0\0".to_vec(),
            descriptor(0, 0),
            descriptor(nt.len(), at),
            descriptor(domain.len(), 64),
            descriptor(user.len(), 64 + domain.len()),
            descriptor(host.len(), 64 + domain.len() + user.len()),
            descriptor(0, 0),
            b"\x01\x02\x00\x00".to_vec(),
            domain,
            user,
            host,
            nt.to_vec(),
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests;
