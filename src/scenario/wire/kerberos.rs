//! Kerberos messages of the right shape (RFC 4120 5.5) around noise, and the tokens of RFC 4121.

use super::auth::{Names, OID_KERBEROS, der};
use super::octets::{Octets, noise};

/// aes256-cts-hmac-sha1-96
const ETYPE: &[u8] = &[18];

fn integer(n: &[u8]) -> Vec<u8> {
    der(2, &[n])
}

fn field(number: u8, value: &[u8]) -> Vec<u8> {
    der(0xa0 | number, &[value])
}

/// `EncryptedData`
fn encrypted(seed: u64, len: usize) -> Vec<u8> {
    der(0x30, &[&field(0, &integer(ETYPE)), &field(2, &der(4, &[&noise(seed, len)]))])
}

/// An AP-REQ in the token of RFC 4121 4.1, for the service `cifs` of the server.
pub(crate) fn ap_req(names: &Names) -> Vec<u8> {
    let realm = format!("{}.TEST", names.domain.to_uppercase());
    let text = |text: &str| der(0x1b, &[text.as_bytes()]);
    let service = der(0x30, &[&text("cifs"), &text(&names.server.to_lowercase())]);
    let name = der(0x30, &[&field(0, &integer(&[2])), &field(1, &service)]);
    let ticket = der(
        0x61,
        &[&der(
            0x30,
            &[
                &field(0, &integer(&[5])),
                &field(1, &text(&realm)),
                &field(2, &name),
                &field(3, &encrypted(names.seed ^ 0x11, 900)),
            ],
        )],
    );
    let request = der(
        0x6e,
        &[&der(
            0x30,
            &[
                &field(0, &integer(&[5])),
                &field(1, &integer(&[14])),
                // mutual-required
                &field(2, &der(3, &[&[0, 0x20, 0, 0, 0]])),
                &field(3, &ticket),
                &field(4, &encrypted(names.seed ^ 0x12, 180)),
            ],
        )],
    );
    der(0x60, &[&der(6, &[OID_KERBEROS]), &[1, 0], &request])
}

/// An AP-REP; both sides send one in the three-legged exchange that RPC uses.
pub(crate) fn ap_rep(names: &Names, leg: u64) -> Vec<u8> {
    let parts = [
        field(0, &integer(&[5])),
        field(1, &integer(&[15])),
        field(2, &encrypted(names.seed ^ leg, 80)),
    ];
    der(0x6f, &[&der(0x30, &[&parts.concat()])])
}

/// RFC 4121 4.2.6.1: a MIC token.
pub(crate) fn mic(seed: u64, sequence: u32, from_server: bool) -> Vec<u8> {
    Octets::new()
        .bytes(&[4, 4, if from_server { 5 } else { 4 }, 0xff, 0xff, 0xff, 0xff, 0xff])
        .zeros(4)
        .bytes(&sequence.to_be_bytes())
        .bytes(&noise(seed, 12))
        .done()
}

/// RFC 4121 4.2.6.2: a wrap token, rotated as \[MS-KILE\] 3.4.5.4.1 has it in front of sealed data.
pub(crate) fn wrap(seed: u64, sequence: u32, from_server: bool) -> Vec<u8> {
    Octets::new()
        .bytes(&[5, 4, if from_server { 7 } else { 6 }, 0xff, 0, 16, 0, 28])
        .zeros(4)
        .bytes(&sequence.to_be_bytes())
        .bytes(&noise(seed, 60))
        .done()
}
