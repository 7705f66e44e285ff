//! SMB1: bytes in, rows and events out.

mod files;
mod messages;
mod pipes;
mod signatures;
mod transactions;
pub(super) mod wire;
