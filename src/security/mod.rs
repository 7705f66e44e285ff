//! Security contexts: what their tokens say in the clear (the mechanism, NTLM's names, why Kerberos
//! gives no ticket or takes none), and, with the secrets of a [`Keyring`](keys::Keyring), what they
//! protect.
//!
//! Takes the bytes of a token, from an SMB `SESSION_SETUP` or from the verifier of an RPC PDU, or those
//! of a KDC's answer, and knows none of these.
//!
//! ```text
//!  tokens ─► Context ─┬─► ntlm::Session ─┐
//!               ▲     └─► krb::Session ──┼─► session key ─► SMB's keys
//!            Keyring                     └─► open(PDU) ─► Opened: a verdict, and the body in clear
//! ```
//!
//! INVARIANT: nothing is given back as opened unless its checksum is right.

mod context;
mod der;
mod digest;
pub mod kerberos;
pub mod keys;
pub mod krb;
pub mod ntlm;
mod offer;
mod protected;
mod secret;
pub mod smb;
mod tokens;

pub use context::Context;
pub use offer::{Offer, offer};
pub use protected::{Need, Opened, Protected, Verdict};
pub use secret::Secret;
pub use tokens::{Mechanism, Token, peek};
