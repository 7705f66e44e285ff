//! `rc4-hmac`: RFC 4757.

use ::rc4::{KeyInit, Rc4, StreamCipher};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use crate::security::digest::hmac_md5;

const MAC: usize = 16;
const CONFOUNDER: usize = 8;

/// Octets under the stream of this key, from its beginning.
pub(in super::super) fn rc4(key: &[u8], octets: &mut [u8]) -> Option<()> {
    Rc4::new_from_slice(key).ok()?.try_apply_keystream(octets).ok()
}

/// RFC 4757 3: usages that Windows numbers otherwise. That 9 is not one of them its erratum says.
fn usage_octets(usage: u32) -> [u8; 4] {
    match usage {
        3 => 8,
        23 => 13,
        usage => usage,
    }
    .to_le_bytes()
}

/// RFC 4757 4 `DECRYPT`.
pub(super) fn decrypt(key: &[u8], usage: u32, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (mac, body) = sealed.split_at_checked(MAC)?;
    let of_usage = hmac_md5(key, &[&usage_octets(usage)]);
    let mut clear = Zeroizing::new(body.to_vec());
    rc4(&*hmac_md5(&*of_usage, &[mac]), &mut clear)?;
    let plain = clear.get(CONFOUNDER..)?;
    let right = hmac_md5(&*of_usage, &[&clear]);
    (right.as_slice() == mac).then(|| Zeroizing::new(plain.to_vec()))
}

/// RFC 4757 4 `ENCRYPT`.
pub(super) fn encrypt(key: &[u8], usage: u32, confounder: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let of_usage = hmac_md5(key, &[&usage_octets(usage)]);
    let mac = hmac_md5(&*of_usage, &[confounder, plain]);
    let mut body = [confounder, plain].concat();
    rc4(&*hmac_md5(&*of_usage, &[&*mac]), &mut body)?;
    Some([mac.as_slice(), &body].concat())
}

/// RFC 4757 4 the keyed checksum.
pub(super) fn checksum(key: &[u8], usage: u32, parts: &[&[u8]]) -> Vec<u8> {
    let signing = hmac_md5(key, &[b"signaturekey\0"]);
    let mut digest = Md5::new();
    digest.update(usage_octets(usage));
    for part in parts {
        digest.update(part);
    }
    hmac_md5(&*signing, &[&digest.finalize()]).to_vec()
}
