//! What a client of NTLM says to prove that it knows a password: the way back through [`super::keys`].

use rc4::{KeyInit as _, Rc4, StreamCipher as _};

use super::keys::{nt_hash, v2_hash};
use crate::security::Secret;
use crate::security::digest::hmac_md5;
use crate::security::keys::AccountSecret;

/// What stands for a password in an `AUTHENTICATE_MESSAGE`.
#[derive(Clone, Debug)]
pub struct Response {
    /// \[MS-NLMP\] 2.2.2.8 `NTLMv2_RESPONSE`, for `NtChallengeResponse`.
    pub nt: Vec<u8>,
    /// `EncryptedRandomSessionKey`.
    pub session_key: Vec<u8>,
    exported: Secret,
}

impl Response {
    /// \[MS-NLMP\] 3.3.2 `ComputeResponse`, and 3.1.5.1.2: `temp` is what the proof is made over besides
    /// the server's challenge, `exported` the key that the client has drawn, of 16 octets.
    pub fn new(
        secret: &AccountSecret,
        (domain, user): (&str, &str),
        server_challenge: [u8; 8],
        temp: &[u8],
        exported: Secret,
    ) -> Option<Self> {
        let key = v2_hash(&nt_hash(secret)?, user, domain);
        let proof = *hmac_md5(&*key, &[&server_challenge, temp]);
        let exchange = Secret::from(*hmac_md5(&*key, &[&proof]));
        let mut session_key = exported.octets().to_vec();
        Rc4::new_from_slice(exchange.octets()).ok()?.apply_keystream(&mut session_key);
        Some(Self { nt: [&proof, temp].concat(), session_key, exported })
    }

    /// \[MS-NLMP\] 3.1.5.1.2 `MIC`: over all three messages, the last with zeros where it will be.
    pub fn mic(&self, messages: [&[u8]; 3]) -> [u8; 16] {
        *hmac_md5(self.exported.octets(), &messages)
    }
}
