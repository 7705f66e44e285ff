//! Kerberos with keys: tokens, what a KDC says, and PDUs under the protection of a session.

use vshark::bytes::Side;
use vshark::security::keys::{KerberosKey, Keyring};
use vshark::security::krb::{self, Kdc};
use vshark::security::{Context, Protected, Secret, Verdict};

use super::Script;

/// The keys of the seeds: a machine's, and a user's.
const KEYS: [(&str, i32, &str); 3] = [
    ("FSM1$", 18, "14a57ff02f0c52e30c16bb6ed9e6ac26b2e1c6fb8cbb7034d7816d364b97d12c"),
    ("FSM1$", 23, "ada8ffedd5308fb1c9d9985f570cb7fd"),
    ("fsbackup", 18, "3de77af8dfcf1334cb56c7bc68f0ffaaf0a80e4785dbd1843f7d1e86db2bbd7f"),
];

fn keys() -> Keyring {
    let mut keys = Keyring::default();
    for (principal, etype, digits) in KEYS {
        let octets = (0..digits.len()).step_by(2);
        let octets = octets.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex"));
        keys.add_kerberos(KerberosKey {
            principal: Some(format!("{principal}@FSLAB.TEST")),
            etype,
            kvno: None,
            key: Secret::new(octets.collect()),
            from: "a keytab".into(),
        });
    }
    keys
}

/// A conversation: before each chunk an octet that says what it is, and of a PDU three more, where
/// its body begins and how long its signature is.
pub fn ap_req(data: &[u8]) {
    let keys = keys();
    let (mut context, mut kdc) = (Context::default(), Kdc::default());
    let mut script = Script(data);
    while let Some(kind) = script.u8() {
        let side = if kind & 1 == 0 { Side::Client } else { Side::Server };
        match kind >> 1 & 3 {
            0 => {
                let Some(token) = script.chunk() else { break };
                context.token(side, token, &keys);
                let _ = krb::ticket_shown(token);
            }
            1 => {
                let Some(message) = script.chunk() else { break };
                kdc.message(message, &keys);
                let _ = krb::step(message);
            }
            _ => {
                let (Some(head), Some(signature)) = (script.u8(), script.u16()) else { break };
                let Some(bytes) = script.chunk() else { break };
                let (head, rest) = bytes.split_at(bytes.len().min(head.into()));
                let signature = rest.len().saturating_sub(signature.into());
                let (rest, signature) = rest.split_at(signature);
                let (body, trailer) = rest.split_at(rest.len().saturating_sub(8));
                let sealed = kind & 8 == 0;
                let header_signed = kind & 16 == 0;
                let pdu = Protected { sealed, header_signed, head, body, trailer, signature };
                let opened = context.open(side, &pdu);
                let whole = opened.verdict == Verdict::Verified;
                assert_eq!(opened.body.is_some(), whole && sealed);
                assert_eq!(opened.why.is_none(), whole);
                assert!(opened.body.is_none_or(|clear| clear.len() == body.len()));
            }
        }
        if let Some(user) = context.need().user {
            assert!(user.len() < 4096, "names are bounded");
        }
        let _ = context.need().to_string();
        let _ = context.session_key();
    }
}
