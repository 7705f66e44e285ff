//! The keys of NTLM: \[MS-NLMP\] 3.3 and 3.4.5, as they are computed.

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit as _};
use md4::{Digest, Md4};
use md5::Md5;
use zeroize::Zeroizing;

use super::Authenticate;
use crate::bytes::Side;
use crate::security::Secret;
use crate::security::digest::{self, hmac_md5};
use crate::security::keys::AccountSecret;

/// \[MS-NLMP\] 2.2.2.5 `NTLMSSP_NEGOTIATE_56`.
pub(super) const NEGOTIATE_56: u32 = 0x8000_0000;
/// \[MS-NLMP\] 2.2.2.5 `NTLMSSP_NEGOTIATE_KEY_EXCH`.
pub(super) const NEGOTIATE_KEY_EXCH: u32 = 0x4000_0000;
/// \[MS-NLMP\] 2.2.2.5 `NTLMSSP_NEGOTIATE_128`.
pub(super) const NEGOTIATE_128: u32 = 0x2000_0000;
/// \[MS-NLMP\] 2.2.2.5 `NTLMSSP_REQUEST_NON_NT_SESSION_KEY`.
pub(super) const REQUEST_NON_NT_SESSION_KEY: u32 = 0x0040_0000;
/// \[MS-NLMP\] 2.2.2.5 `NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY`.
pub(super) const NEGOTIATE_EXTENDED_SESSIONSECURITY: u32 = 0x0008_0000;
/// \[MS-NLMP\] 2.2.2.5 `NTLMSSP_NEGOTIATE_LM_KEY`.
pub(super) const NEGOTIATE_LM_KEY: u32 = 0x0000_0080;

/// Octets of a response of version 1; those of version 2 are longer.
const V1_RESPONSE: usize = 24;
/// Octets of `NTProofStr`.
const PROOF: usize = 16;

fn md5(parts: &[&[u8]]) -> Zeroizing<[u8; 16]> {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    Zeroizing::new(hash.finalize().into())
}

fn utf16(text: &str) -> Zeroizing<Vec<u8>> {
    // In one allocation: a vector that grows leaves its contents behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(text.len().saturating_mul(2)));
    octets.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    octets
}

/// \[MS-NLMP\] 3.3.1 `NTOWFv1`: the NT hash of a password.
pub(super) fn nt_hash(secret: &AccountSecret) -> Option<Secret> {
    match secret {
        AccountSecret::NtHash(hash) => Some(hash.clone()),
        AccountSecret::Password(password) => digest::nt_hash(password.octets()),
    }
}

/// \[MS-NLMP\] 3.3.1 `LMOWFv1`: of passwords in ASCII, for that is where every code page agrees.
fn lm_hash(secret: &AccountSecret) -> Option<Secret> {
    let AccountSecret::Password(password) = secret else { return None };
    if !password.octets().is_ascii() {
        return None;
    }
    let upper = Secret::new(password.octets().to_ascii_uppercase()).sized(14);
    let (first, second) = upper.octets().split_at_checked(7)?;
    let halves = [des(first, *b"KGS!@#$%")?, des(second, *b"KGS!@#$%")?];
    Some(Secret::new(halves.concat()))
}

/// \[MS-NLMP\] 6 `DES(K, D)` with a key of seven octets.
fn des(key: &[u8], data: [u8; 8]) -> Option<[u8; 8]> {
    let key: [u8; 7] = key.try_into().ok()?;
    let mut wide = [0; 8];
    wide.get_mut(1..)?.copy_from_slice(&key);
    let bits = u64::from_be_bytes(wide);
    // Seven bits of the key in each octet, above one that counts for nothing.
    let mut octets = Zeroizing::new([0u8; 8]);
    for (at, octet) in (0u32..).zip(octets.iter_mut()) {
        let [.., low] = (bits >> (49 - 7 * at) << 1).to_be_bytes();
        *octet = low & 0xfe;
    }
    let mut block = data.into();
    Des::new_from_slice(&*octets).ok()?.encrypt_block(&mut block);
    Some(block.into())
}

/// \[MS-NLMP\] 6 `DESL(K, D)`.
fn desl(key: &[u8], data: [u8; 8]) -> Option<[u8; V1_RESPONSE]> {
    let key = Secret::from(key).sized(21);
    let mut response = [0; V1_RESPONSE];
    for (part, out) in key.octets().chunks_exact(7).zip(response.chunks_exact_mut(8)) {
        out.copy_from_slice(&des(part, data)?);
    }
    Some(response)
}

/// The key that a response proves knowledge of, if it is that of this secret:
/// \[MS-NLMP\] 3.3.1 and 3.3.2, and 3.4.5.1 `KXKEY`.
pub(super) fn key_exchange_key(
    secret: &AccountSecret,
    told: &Authenticate,
    server_challenge: [u8; 8],
) -> Option<Secret> {
    let hash = nt_hash(secret)?;
    let nt = &told.proof.nt;
    if nt.len() > V1_RESPONSE {
        return v2_key(&hash, told, server_challenge);
    }
    let response: [u8; V1_RESPONSE] = nt.as_slice().try_into().ok()?;
    let base: [u8; 16] = Md4::digest(hash.octets()).into();
    let base = Secret::from(base);
    let client: Option<[u8; 8]> = told.proof.lm.first_chunk().copied();
    if told.flags & NEGOTIATE_EXTENDED_SESSIONSECURITY != 0
        && let Some(client) = client
    {
        let [challenge @ .., _, _, _, _, _, _, _, _] = *md5(&[&server_challenge, &client]);
        let proved = desl(hash.octets(), challenge)? == response;
        return proved
            .then(|| Secret::from(*hmac_md5(base.octets(), &[&server_challenge, &client])));
    }
    if desl(hash.octets(), server_challenge)? != response {
        return None;
    }
    if told.flags & NEGOTIATE_LM_KEY != 0 {
        let lm = lm_hash(secret)?;
        let (seven, eighth) = (lm.octets().get(..7)?, lm.octets().get(7)?);
        let padded = [*eighth, 0xbd, 0xbd, 0xbd, 0xbd, 0xbd, 0xbd];
        return Some(Secret::new([des(seven, client?)?, des(&padded, client?)?].concat()));
    }
    if told.flags & REQUEST_NON_NT_SESSION_KEY != 0 {
        return Some(lm_hash(secret)?.sized(8).sized(16));
    }
    Some(base)
}

/// \[MS-NLMP\] 3.3.2 `NTOWFv2`, of an NT hash.
pub(super) fn v2_hash(hash: &Secret, user: &str, domain: &str) -> Zeroizing<[u8; 16]> {
    hmac_md5(hash.octets(), &[&utf16(&user.to_uppercase()), &utf16(domain)])
}

/// \[MS-NLMP\] 3.3.2 `SessionBaseKey`, which is the key of the exchange.
fn v2_key(hash: &Secret, told: &Authenticate, server_challenge: [u8; 8]) -> Option<Secret> {
    let (proof, temp) = told.proof.nt.split_first_chunk::<PROOF>()?;
    let upper = told.domain.to_uppercase();
    // The domain counts as it is written; servers also try it in capitals, and without one.
    [&*told.domain, &*upper, ""].into_iter().find_map(|domain| {
        let key = v2_hash(hash, &told.user, domain);
        let proved = *hmac_md5(&*key, &[&server_challenge, temp]) == *proof;
        proved.then(|| Secret::from(*hmac_md5(&*key, &[proof])))
    })
}

/// \[MS-NLMP\] 3.4.5.2 `SIGNKEY`; with extended session security only.
pub(super) fn sign_key(side: Side, session_key: &Secret) -> Secret {
    let magic: &[u8] = match side {
        Side::Client => b"session key to client-to-server signing key magic constant\0",
        Side::Server => b"session key to server-to-client signing key magic constant\0",
    };
    Secret::from(*md5(&[session_key.octets(), magic]))
}

/// \[MS-NLMP\] 3.4.5.3 `SEALKEY`.
pub(super) fn seal_key(side: Side, flags: u32, session_key: &Secret) -> Secret {
    let strong = flags & NEGOTIATE_56 != 0;
    if flags & NEGOTIATE_EXTENDED_SESSIONSECURITY != 0 {
        let len = match (flags & NEGOTIATE_128 != 0, strong) {
            (true, _) => 16,
            (false, true) => 7,
            (false, false) => 5,
        };
        let magic: &[u8] = match side {
            Side::Client => b"session key to client-to-server sealing key magic constant\0",
            Side::Server => b"session key to server-to-client sealing key magic constant\0",
        };
        return Secret::from(*md5(&[session_key.sized(len).octets(), magic]));
    }
    if flags & NEGOTIATE_LM_KEY == 0 {
        return session_key.clone();
    }
    let (len, end): (_, &[u8]) = if strong { (7, &[0xa0]) } else { (5, &[0xe5, 0x38, 0xb0]) };
    let mut key = Zeroizing::new(Vec::with_capacity(8));
    key.extend_from_slice(session_key.sized(len).octets());
    key.extend_from_slice(end);
    Secret::from(key.as_slice())
}
