//! Security contexts: tokens in any order, raw and in SPNEGO, and what follows them.
//!
//! An input is a script: an octet that says what comes and from whom, two of length, and that many
//! octets.

use std::sync::LazyLock;

use vshark::bytes::Side;
use vshark::security::keys::{Account, AccountSecret, Keyring};
use vshark::security::{Context, Protected, Secret, Verdict, ntlm, offer, peek};

static KEYS: LazyLock<Keyring> = LazyLock::new(|| {
    let mut keys = Keyring::default();
    keys.add_account(Account {
        domain: None,
        user: None,
        secret: AccountSecret::Password(Secret::from(&b"Password"[..])),
        from: "here".to_owned(),
    });
    keys
});

/// Steps of a script.
const STEPS: usize = 64;

/// Drives a context.
pub(crate) fn token(data: &[u8]) {
    let mut context = Context::default();
    let mut rest = data;
    for _ in 0..STEPS {
        let [what, l0, l1, more @ ..] = rest else { break };
        let len = usize::from(u16::from_le_bytes([*l0, *l1])).min(more.len());
        let (octets, after) = more.split_at(len);
        rest = after;
        let side = if what & 1 == 0 { Side::Client } else { Side::Server };
        if what & 2 == 0 {
            let _ = (peek(octets), offer(octets), ntlm::read(octets));
            context.token(side, octets, &KEYS);
            continue;
        }
        let (body, signature) = octets.split_at(octets.len().saturating_sub(16));
        let pdu = Protected {
            sealed: what & 4 != 0,
            header_signed: what & 8 != 0,
            head: b"head",
            body,
            trailer: b"trailer.",
            signature,
        };
        let opened = context.open(side, &pdu);
        let sealed = pdu.sealed && opened.verdict == Verdict::Verified;
        assert_eq!(opened.body.is_some(), sealed, "what is shown is proved");
        assert_eq!(
            opened.why.is_none(),
            opened.verdict == Verdict::Verified,
            "else it is told why"
        );
        assert!(opened.body.is_none_or(|clear| clear.len() == body.len()));
    }
    let _ = context.need().to_string();
}
