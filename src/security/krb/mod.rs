//! Kerberos with keys: what a ticket and its session open.
//!
//! ```text
//!  what a KDC says ─► Kdc ─► session keys of tickets ─► Keyring ─┐
//!                                                               ▼
//!  AP-REQ, AP-REP ──────────────────────────────────────────► Session ─► session key, open(PDU)
//!
//!  message: what is said, pure    candidates: whose key it may take
//!  crypto: encryption types       gss: signatures and what is sealed; protect: the way back
//!  trail: which messages lead to the key of a ticket, told without any
//! ```
//!
//! INVARIANT: a key is taken for the right one only where a checksum says so.

mod candidates;
pub mod crypto;
mod gss;
mod kdc;
mod message;
mod protect;
mod session;
#[cfg(test)]
mod tests;
mod trail;

pub use kdc::Kdc;
pub use message::{is_kdc_message, usage};
pub use session::Session;
pub use trail::{Step, step, ticket_shown};
