//! Octets of the layers, as Windows sends them: Ethernet, IP, TCP and UDP, names, SMB, DCE/RPC, tokens.
//!
//! Everything here is a function of its arguments, or a counter moved by them; who says what to
//! whom, and when, is decided above.

pub(super) mod auth;
pub(super) mod dns;
pub(super) mod kerberos;
pub(super) mod net;
pub(super) mod octets;
pub(super) mod rpc;
pub(super) mod smb;
