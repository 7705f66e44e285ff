//! Kerberos with keys: what a ticket and its session open.

mod session;

pub use session::Session;
