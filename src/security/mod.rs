//! What security tokens say in the clear: the mechanism, and NTLM's names.
//!
//! Takes the bytes of a token, from an SMB `SESSION_SETUP` or from the verifier of an RPC PDU, and
//! knows neither. Keys, and what they open, are no part of this.

mod der;
pub mod kerberos;
pub mod ntlm;
mod offer;
mod tokens;

pub use offer::{Offer, offer};
pub use tokens::{Mechanism, Token, peek};
