//! Security tokens with the right names in them: NTLM, SPNEGO.
//!
//! Where nobody has told a password, proofs and signatures are noise: a capture made so can be read,
//! never verified.

use super::octets::{Octets, noise, utf16};
use crate::bytes::Time;
use crate::security::Secret;
use crate::security::keys::AccountSecret;
use crate::security::krb::crypto::Key;
use crate::security::ntlm::Response;

/// Whose tokens they are.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) domain: String,
    /// Empty when nobody in particular logs on.
    pub(crate) user: String,
    pub(crate) workstation: String,
    /// `NetBIOS` name of the server.
    pub(crate) server: String,
    pub(crate) time: Time,
    /// Where chance comes from.
    pub(crate) seed: u64,
    /// What the user proves itself by.
    pub(crate) secrets: Secrets,
}

/// What is behind the tokens of an authentication, as far as it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Secrets {
    /// The password of the user.
    pub(crate) password: Option<Secret>,
    /// The key of the service.
    pub(crate) key: Option<Key>,
}

/// Flags of NEGOTIATE and AUTHENTICATE: UNICODE, OEM, `REQUEST_TARGET`, SIGN, SEAL, `LM_KEY`,
/// NTLM, `ALWAYS_SIGN`, `EXTENDED_SESSIONSECURITY`, VERSION, 128, `KEY_EXCH`, 56.
const CLIENT_FLAGS: u32 = 0xe208_82b7;
/// Flags of CHALLENGE and AUTHENTICATE, with `TARGET_INFO` and `TARGET_TYPE_DOMAIN`.
const AGREED_FLAGS: u32 = 0xe289_8235;
/// `NTLMSSP_NEGOTIATE_ANONYMOUS`
const ANONYMOUS: u32 = 0x800;
/// \[MS-NLMP\] 2.2.2.10: 10.0 build 20348, revision 15.
const VERSION: &[u8] = &[10, 0, 0x7c, 0x4f, 0, 0, 0, 15];
const NTLMSSP: &[u8] = b"NTLMSSP\0";

/// \[MS-NLMP\] 2.2.1.1 `NEGOTIATE_MESSAGE`, without names as Windows sends it.
pub(crate) fn negotiate() -> Vec<u8> {
    let empty = |octets: Octets| octets.u16(0).u16(0).u32(40);
    let octets = Octets::new().bytes(NTLMSSP).u32(1).u32(CLIENT_FLAGS);
    empty(empty(octets)).bytes(VERSION).done()
}

/// \[MS-NLMP\] 2.2.1.2 `CHALLENGE_MESSAGE`
pub(crate) fn challenge(names: &Names) -> Vec<u8> {
    let target = utf16(&names.domain);
    let info = target_info(names, false);
    Octets::new()
        .bytes(NTLMSSP)
        .u32(2)
        .len16(target.len())
        .len16(target.len())
        .u32(56)
        .u32(AGREED_FLAGS)
        .bytes(&server_challenge(names))
        .zeros(8)
        .len16(info.len())
        .len16(info.len())
        .len32(target.len().saturating_add(56))
        .bytes(VERSION)
        .bytes(&target)
        .bytes(&info)
        .done()
}

fn server_challenge(names: &Names) -> [u8; 8] {
    let mut challenge = [0; 8];
    challenge.copy_from_slice(&noise(names.seed, 8));
    challenge
}

/// \[MS-NLMP\] 2.2.2.1 AV pairs of the server, as the client repeats them in its response.
fn target_info(names: &Names, repeated: bool) -> Vec<u8> {
    let pair =
        |octets: Octets, id: u16, value: &[u8]| octets.u16(id).len16(value.len()).bytes(value);
    let domain = format!("{}.test", names.domain.to_lowercase());
    let dns = format!("{}.{domain}", names.server.to_lowercase());
    let mut octets = Octets::new();
    for (id, text) in
        [(2, &names.domain), (1, &names.server), (4, &domain), (3, &dns), (5, &domain)]
    {
        octets = pair(octets, id, &utf16(text));
    }
    octets = pair(octets, 7, &Octets::new().filetime(names.time).done());
    if repeated {
        // MsvAvFlags: a MIC is there; MsvAvTargetName.
        octets = pair(octets, 6, &[2, 0, 0, 0]);
        octets = pair(octets, 9, &utf16(&format!("cifs/{}", names.server)));
    }
    pair(octets, 0, &[]).done()
}

/// \[MS-NLMP\] 2.2.1.3 `AUTHENTICATE_MESSAGE`
pub(crate) fn authenticate(names: &Names) -> Vec<u8> {
    /// Octets before the payload: with Version and MIC.
    const FIXED: usize = 88;
    let anonymous = names.user.is_empty();
    let proof = proof(names).filter(|_| !anonymous);
    let domain = utf16(if anonymous { "" } else { &names.domain });
    let user = utf16(&names.user);
    let workstation = utf16(&names.workstation);
    let (lm, nt, key) = match &proof {
        _ if anonymous => (vec![0], Vec::new(), Vec::new()),
        Some(proof) => (vec![0; 24], proof.nt.clone(), proof.session_key.clone()),
        None => {
            let nt = [noise(names.seed ^ 3, 16), proven(names)].concat();
            (vec![0; 24], nt, noise(names.seed ^ 5, 16))
        }
    };
    let mut at = FIXED;
    let mut payload = Vec::new();
    let mut place = |part: &[u8]| {
        let begins = at;
        at = at.saturating_add(part.len());
        payload.extend_from_slice(part);
        (part.len(), begins)
    };
    // The payload is in the order Windows has, the descriptors in that of the message.
    let [domain, user, workstation, lm, nt, key] =
        [&domain, &user, &workstation, &lm, &nt, &key].map(|part| place(part));
    let mut octets = Octets::new().bytes(NTLMSSP).u32(3);
    for (len, offset) in [lm, nt, domain, user, workstation, key] {
        octets = octets.len16(len).len16(len).len32(offset);
    }
    let octets =
        octets.u32(if anonymous { AGREED_FLAGS | ANONYMOUS } else { AGREED_FLAGS }).bytes(VERSION);
    let mic = match &proof {
        None => noise(names.seed ^ 6, 16),
        Some(proof) => {
            let before_it = octets.clone().zeros(16).bytes(&payload).done();
            proof.mic([&negotiate(), &challenge(names), &before_it]).to_vec()
        }
    };
    octets.bytes(&mic).bytes(&payload).done()
}

/// What a password answers to the challenge, where it was told.
fn proof(names: &Names) -> Option<Response> {
    let password = AccountSecret::Password(names.secrets.password.clone()?);
    let exported = Secret::new(noise(names.seed ^ 5, 16));
    let who = (names.domain.as_str(), names.user.as_str());
    Response::new(&password, who, server_challenge(names), &proven(names), exported)
}

/// \[MS-NLMP\] 3.3.2 `temp`: what a response has behind its proof, which is made over it.
fn proven(names: &Names) -> Vec<u8> {
    Octets::new()
        .u8(1)
        .u8(1)
        .zeros(6)
        .filetime(names.time)
        .bytes(&noise(names.seed ^ 4, 8))
        .zeros(4)
        .bytes(&target_info(names, true))
        .zeros(4)
        .done()
}

/// \[MS-NLMP\] 2.2.2.9.1 `NTLMSSP_MESSAGE_SIGNATURE` with extended session security.
pub(crate) fn ntlm_signature(seed: u64, sequence: u32) -> Vec<u8> {
    Octets::new().u32(1).bytes(&noise(seed, 8)).u32(sequence).done()
}

/// A DER element around its parts.
pub(super) fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut out = vec![tag];
    match (u8::try_from(body.len()), u16::try_from(body.len())) {
        (Ok(len), _) if len < 0x80 => out.push(len),
        (Ok(len), _) => out.extend([0x81, len]),
        (_, Ok(len)) => {
            out.push(0x82);
            out.extend(len.to_be_bytes());
        }
        // No token is that long.
        _ => out.extend([0x82, 0xff, 0xff]),
    }
    out.extend(body);
    out
}

/// 1.3.6.1.5.5.2
const OID_SPNEGO: &[u8] = b"\x2b\x06\x01\x05\x05\x02";
/// 1.3.6.1.4.1.311.2.2.10
pub(crate) const OID_NTLM: &[u8] = b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a";
/// 1.2.840.113554.1.2.2
pub(crate) const OID_KERBEROS: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";

/// \[MS-SPNG\] 2.2.1: the first token of a client, which prefers `mechanism` and begins with it.
pub(crate) fn spnego_init(mechanism: &[u8], token: &[u8]) -> Vec<u8> {
    let list = der(0xa0, &[&der(0x30, &[&der(6, &[mechanism])])]);
    let token = der(0xa2, &[&der(4, &[token])]);
    let init = der(0xa0, &[&der(0x30, &[&list, &token])]);
    der(0x60, &[&der(6, &[OID_SPNEGO]), &init])
}

/// What a server says of itself in the negotiation: `NegTokenInit2` with its mechanisms.
pub(crate) fn spnego_hint() -> Vec<u8> {
    let list = der(0x30, &[&der(6, &[OID_KERBEROS]), &der(6, &[OID_NTLM])]);
    let hint = der(0x30, &[&der(0xa0, &[&der(0x1b, &[b"not_defined_in_RFC4178@please_ignore"])])]);
    let init = der(0xa0, &[&der(0x30, &[&der(0xa0, &[&list]), &der(0xa3, &[&hint])])]);
    der(0x60, &[&der(6, &[OID_SPNEGO]), &init])
}

/// RFC 4178 4.2.2 `NegTokenResp`; `state` 0 is accept-completed, 1 accept-incomplete.
pub(crate) fn spnego_response(state: u8, mechanism: Option<&[u8]>, token: &[u8]) -> Vec<u8> {
    let state = der(0xa0, &[&der(10, &[&[state]])]);
    let mechanism = mechanism.map(|oid| der(0xa1, &[&der(6, &[oid])])).unwrap_or_default();
    let carried = if token.is_empty() { Vec::new() } else { der(0xa2, &[&der(4, &[token])]) };
    der(0xa1, &[&der(0x30, &[&state, &mechanism, &carried])])
}
