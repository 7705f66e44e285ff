//! [`Protection`]: how the messages of an association are sealed and signed: with the key that both
//! sides have where a secret was told, else with noise.

use super::settings::Auth;
use super::wire::auth;
use super::wire::kerberos;
use super::wire::octets::{chance, noise};
use super::wire::rpc::{Guard, Parts, Verifier};
use crate::bytes::{Both, Side};
use crate::security::keys::Keyring;
use crate::security::{Context, Protected};

/// What protects an association.
#[derive(Default)]
pub(super) struct Protection {
    /// What a told secret makes of its tokens.
    context: Option<Context>,
    /// Messages protected so far.
    sequence: Both<u32>,
    seed: u64,
}

impl Protection {
    /// Nothing agreed on yet; chance comes from `seed`.
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Both sides have sent these tokens; `keys` has the secret, if one was told.
    pub(super) fn agree(&mut self, keys: Option<&Keyring>, tokens: &[(Side, &[u8])]) {
        self.context = keys.map(|keys| agreed(keys, tokens));
    }

    /// Whether there is a key.
    pub(super) fn is_real(&self) -> bool {
        self.context.as_ref().is_some_and(|context| context.session_key().is_some())
    }

    /// Protects what a side sends, at the level of `auth`.
    /// `tampered`: the first PDU is changed on its way.
    pub(super) fn sender(&mut self, auth: Option<Auth>, side: Side, tampered: bool) -> Sender<'_> {
        let auth = auth.filter(|auth| auth.level > Auth::CONNECT);
        Sender { of: self, auth, side, tampered }
    }
}

/// A context that has seen these tokens.
pub(super) fn agreed(keys: &Keyring, tokens: &[(Side, &[u8])]) -> Context {
    let mut context = Context::default();
    for (side, token) in tokens {
        context.token(*side, token, keys);
    }
    context
}

/// One side of an association, as it sends.
pub(super) struct Sender<'a> {
    of: &'a mut Protection,
    auth: Option<Auth>,
    side: Side,
    tampered: bool,
}

impl Guard for Sender<'_> {
    fn verifier(&mut self) -> Option<Verifier> {
        let auth = self.auth?;
        let Self { of, side, .. } = self;
        let sequence = of.sequence[*side];
        of.sequence[*side] = sequence.wrapping_add(1);
        let server = *side == Side::Server;
        let seed = chance(of.seed ^ u64::from(sequence) << 8 ^ u64::from(server));
        let sealed = auth.level == Auth::PRIVACY;
        let signed = of.context.as_ref().and_then(|context| context.signature_len(sealed));
        let value = match (signed, auth.kerberos, sealed) {
            (Some(len), ..) => vec![0; len],
            (None, true, true) => kerberos::wrap(seed, sequence, server),
            (None, true, false) => kerberos::mic(seed, sequence, server),
            (None, false, _) => auth::ntlm_signature(seed, sequence),
        };
        Some(Verifier { provider: auth.provider(), level: auth.level, value })
    }

    fn protect(&mut self, parts: Parts<'_>) {
        let (Some(auth), Some(context)) = (self.auth, &mut self.of.context) else { return };
        let sealed = auth.level == Auth::PRIVACY;
        if context.signature_len(sealed) != Some(parts.signature.len()) {
            return;
        }
        let seed = self.of.seed ^ u64::from(self.of.sequence[self.side]) << 32;
        let mut confounder = [0; 16];
        confounder.copy_from_slice(&noise(seed, 16));
        let pdu = Protected {
            sealed,
            header_signed: true,
            head: parts.head,
            body: parts.body,
            trailer: parts.trailer,
            signature: &[],
        };
        let Some((body, signature)) = context.protect(self.side, &pdu, &confounder) else { return };
        if body.len() == parts.body.len() && signature.len() == parts.signature.len() {
            parts.body.copy_from_slice(&body);
            parts.signature.copy_from_slice(&signature);
        }
        if std::mem::take(&mut self.tampered) {
            // An octet of the checksum: NTLM has the number of the message behind it.
            let place =
                if auth.kerberos { parts.signature.last_mut() } else { parts.signature.get_mut(4) };
            if let Some(octet) = place {
                *octet ^= 1;
            }
        }
    }
}
