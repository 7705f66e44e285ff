//! Published vectors, and captures.

mod captures;
mod gss;
mod messages;
mod search;
mod vectors;

use crate::security::Secret;
use crate::security::keys::{Account, AccountSecret, KerberosKey, Keyring};

/// Octets of their digits; spaces are for the eye.
pub(super) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|c| !c.is_ascii_whitespace()).collect();
    assert_eq!(digits.len() % 2, 0, "octets have two digits");
    let octet = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

/// A ring with one key.
fn kerberos(principal: &str, etype: i32, kvno: Option<u32>, key: &str) -> Keyring {
    let mut keys = Keyring::default();
    keys.add_kerberos(KerberosKey {
        principal: Some(principal.to_owned()),
        etype,
        kvno,
        key: Secret::new(hex(key)),
        from: "lab.keytab".to_owned(),
    });
    keys
}

/// A ring with one password.
fn password(user: &str, domain: Option<&str>, password: &str) -> Keyring {
    let mut keys = Keyring::default();
    keys.add_account(Account {
        domain: domain.map(str::to_owned),
        user: Some(user.to_owned()),
        secret: AccountSecret::Password(Secret::from(password.as_bytes())),
        from: "--password-file".to_owned(),
    });
    keys
}
