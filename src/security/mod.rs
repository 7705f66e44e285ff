//! What security tokens say in the clear: the mechanism, NTLM's names, and why Kerberos gives no ticket
//! or takes none.
//!
//! Takes the bytes of a token, from an SMB `SESSION_SETUP` or from the verifier of an RPC PDU, or those
//! of a KDC's answer, and knows none of these. Keys, and what they open, are no part of this.

mod der;
pub mod kerberos;
pub mod ntlm;
mod offer;
mod tokens;

pub use offer::{Offer, offer};
pub use tokens::{Mechanism, Token, peek};
