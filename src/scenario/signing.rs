//! Signatures of SMB messages, where the secret of the logon was told: \[MS-SMB2\] 3.1.4.1.

use super::session::Session;
use super::wire::smb::{Dialect, Header, command};
use crate::security::Secret;
use crate::security::smb::{Derivation, Preauth, Signing};

/// Octets that TCP has before a message.
const BEFORE: usize = 4;
/// \[MS-SMB2\] 2.2.1 `Signature`, behind those.
const SIGNATURE: std::ops::Range<usize> = BEFORE + 48..BEFORE + 64;

/// What a channel signs with.
#[derive(Default)]
pub(super) struct ChannelKey {
    /// What NEGOTIATE said.
    negotiated: Preauth,
    /// What that and the logon said.
    logon: Preauth,
    key: Option<Secret>,
}

/// What a dialect signs with; of 3.1.1, what the server of these conversations chooses.
fn signing(dialect: Dialect) -> Signing {
    match dialect {
        Dialect::V3_1_1 => Signing::AesGmac,
        Dialect::V3_0 | Dialect::V3_0_2 => Signing::AesCmac,
        _ => Signing::HmacSha256,
    }
}

impl Session {
    /// A message as it travels on a channel: signed, where there is a key and it is to be.
    pub(super) fn signed(
        &mut self,
        channel: usize,
        header: Header,
        mut message: Vec<u8>,
    ) -> Vec<u8> {
        // A channel that joins the session signs with the key of the first until it has its own.
        let of = |number: usize| self.channels.get(number).and_then(|of| of.key.key.as_ref());
        if let Some(key) = of(channel).or_else(|| of(0)).filter(|_| header.signed)
            && let Some(plain) = message.get(BEFORE..)
            && let Some(signature) = signing(header.dialect).sign(key, plain)
            && let Some(place) = message.get_mut(SIGNATURE)
        {
            place.copy_from_slice(&signature);
        }
        if std::mem::take(&mut self.tampered)
            && let Some(octet) = message.get_mut(SIGNATURE.start)
        {
            *octet ^= 1;
        }
        if let Some(channel) = self.channels.get_mut(channel)
            && let Some(plain) = message.get(BEFORE..)
        {
            match header.command {
                command::NEGOTIATE => channel.key.negotiated.update(plain),
                command::SESSION_SETUP => channel.key.logon.update(plain),
                _ => {}
            }
        }
        message
    }

    /// A logon begins on a channel.
    pub(super) fn begin_logon(&mut self, channel: usize) {
        if let Some(channel) = self.channels.get_mut(channel) {
            channel.key.logon = channel.key.negotiated.clone();
        }
    }

    /// A logon is at its end, and this is its key.
    pub(super) fn take_key(&mut self, channel: usize, session_key: Option<&Secret>) {
        let dialect = self.settings.dialect;
        let Some(ChannelKey { logon, key, .. }) =
            self.channels.get_mut(channel).map(|of| &mut of.key)
        else {
            return;
        };
        let derivation = match dialect {
            Dialect::V3_1_1 => Derivation::Preauth(logon),
            Dialect::V3_0 | Dialect::V3_0_2 => Derivation::Fixed,
            _ => Derivation::Direct,
        };
        *key = session_key.map(|session_key| derivation.signing_key(session_key));
    }

    /// Nobody is logged on any more.
    pub(super) fn forget_keys(&mut self) {
        for channel in &mut self.channels {
            channel.key.key = None;
        }
    }
}
