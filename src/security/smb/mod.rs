//! The keys of SMB 2 and 3, and what they do: messages encrypted (\[MS-SMB2\] 3.1.4.3), opened again
//! (3.1.4.4) and signed (3.1.4.1), and signatures of SMB 1 (\[MS-CIFS\] 3.1.4.1). All of it is pure.
//!
//! ```text
//!  NEGOTIATE, SESSION_SETUP ─► Preauth ─┐ (3.1.1 only)
//!                        session key ───┴─► Derivation ─┬─► signing key ─► Signing::sign
//!                                                       └─► cipher keys ─► open, seal
//! ```
//! Section numbers are those of \[MS-SMB2\].

mod cipher;
mod kdf;
mod preauth;
mod signature;

#[cfg(test)]
mod tests;

pub use cipher::{Cipher, TRANSFORM_SIZE, open, seal};
pub use kdf::Derivation;
pub use preauth::Preauth;
pub use signature::{Signing, sign_smb1};
