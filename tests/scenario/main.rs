//! Scenarios: what is written is read back, whatever carries it.

mod catalogue;
#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "only where the shared files are is of interest here")]
mod common;
mod errors;
#[path = "../common/events.rs"]
mod events;
mod judge;
mod objects;
#[path = "../common/oracle.rs"]
mod oracle;
mod program;
mod random;
mod read;
mod sealed;
mod told;
mod variants;
