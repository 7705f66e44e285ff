//! Kerberos messages of the right shape (RFC 4120 5.5) around noise, and the tokens of RFC 4121.

use super::auth::{Names, OID_KERBEROS, der};
use super::octets::{Octets, noise};
use crate::bytes::clamp;

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

/// The realm of a domain.
fn realm(domain: &str) -> String {
    format!("{}.TEST", domain.to_uppercase())
}

fn text(text: &str) -> Vec<u8> {
    der(0x1b, &[text.as_bytes()])
}

/// `PrincipalName` of a service (`NT-SRV-INST`).
fn service(name: &str) -> Vec<u8> {
    let components: Vec<u8> = name.split('/').flat_map(text).collect();
    der(0x30, &[&field(0, &integer(&[2])), &field(1, &der(0x30, &[&components]))])
}

/// An AP-REQ in the token of RFC 4121 4.1, for the service `cifs` of the server.
pub(crate) fn ap_req(names: &Names) -> Vec<u8> {
    let request = request(names, &format!("cifs/{}", names.server.to_lowercase()));
    der(0x60, &[&der(6, &[OID_KERBEROS]), &[1, 0], &request])
}

/// An AP-REQ for a service.
fn request(names: &Names, name: &str) -> Vec<u8> {
    let ticket = der(
        0x61,
        &[&der(
            0x30,
            &[
                &field(0, &integer(&[5])),
                &field(1, &text(&realm(&names.domain))),
                &field(2, &service(name)),
                &field(3, &encrypted(names.seed ^ 0x11, 900)),
            ],
        )],
    );
    der(
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
    )
}

/// A TGS-REQ for a service (RFC 4120 5.4.1).
pub(crate) fn tgs_req(names: &Names, name: &str) -> Vec<u8> {
    let realm = realm(&names.domain);
    // PA-TGS-REQ is an AP-REQ for the ticket-granting service.
    let granting = request(names, &format!("krbtgt/{realm}"));
    let proof = der(0x30, &[&field(1, &integer(&[1])), &field(2, &der(4, &[&granting]))]);
    let till = der(0x18, &[b"20370913024805Z"]);
    // A positive number of as many octets as it takes.
    let nonce = [&[0x40], noise(names.seed ^ 0x13, 3).as_slice()].concat();
    let types = der(0x30, &[&integer(ETYPE), &integer(&[17]), &integer(&[23])]);
    let body = der(
        0x30,
        &[
            // forwardable, renewable, canonicalize
            &field(0, &der(3, &[&[0, 0x40, 0x81, 0, 0]])),
            &field(2, &text(&realm)),
            &field(3, &service(name)),
            &field(5, &till),
            &field(7, &integer(&nonce)),
            &field(8, &types),
        ],
    );
    let parts = [
        field(1, &integer(&[5])),
        field(2, &integer(&[12])),
        field(3, &der(0x30, &[&proof])),
        field(4, &body),
    ];
    der(0x6c, &[&der(0x30, &[&parts.concat()])])
}

/// A KRB-ERROR about a service (RFC 4120 5.9.1).
pub(crate) fn error(names: &Names, name: &str, code: u8) -> Vec<u8> {
    let time = names.time.timestamp().strftime("%Y%m%d%H%M%SZ").to_string();
    let parts = [
        field(0, &integer(&[5])),
        field(1, &integer(&[30])),
        field(4, &der(0x18, &[time.as_bytes()])),
        field(5, &integer(&[0])),
        field(6, &integer(&[code])),
        field(9, &text(&realm(&names.domain))),
        field(10, &service(name)),
    ];
    der(0x7e, &[&der(0x30, &[&parts.concat()])])
}

/// A service refuses the ticket it was given: a KRB-ERROR in the token of RFC 4121 4.1.
pub(crate) fn refusal(names: &Names, code: u8) -> Vec<u8> {
    let error = error(names, &format!("cifs/{}", names.server.to_lowercase()), code);
    der(0x60, &[&der(6, &[OID_KERBEROS]), &[3, 0], &error])
}

/// A message as TCP carries it (RFC 4120 7.2.2).
pub(crate) fn with_length(message: &[u8]) -> Vec<u8> {
    [&clamp(message.len()).to_be_bytes(), message].concat()
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
