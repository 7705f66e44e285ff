//! vshark
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::panic,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

#[macro_use]
pub mod bytes;
pub mod call;
pub mod capture;
pub mod idl;
pub mod ndr;
pub mod net;
pub mod pipeline;
pub mod protocol;
pub mod report;
pub mod rpc;
pub mod security;
pub mod smb;
pub mod tcp;
