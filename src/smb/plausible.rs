//! Whether the data of a handle nobody saw being opened are wholly one DCE/RPC PDU.
//!
//! This layer does not read RPC. It knows just enough of its common header (C706 12.6.3.1) to tell a
//! pipe from a file when the capture began after the CREATE, and asks for all of it:
//!
//! ```text
//!  0        1          2      3      4     (drep)        8             10            12        16
//!  ┌────────┬──────────┬──────┬──────┬──────┬────┬───┬───┬─────────────┬─────────────┬─────────┐
//!  │ vers 5 │ minor ≤1 │ type │ flags│ 00 10│ ≤3 │ 0 │ 0 │ frag_length │ auth_length │ call_id │
//!  └────────┴──────────┴──────┴──────┴──────┴────┴───┴───┴─────────────┴─────────────┴─────────┘
//! ```

use crate::bytes::{Side, clamp};

/// Whether `data`, sent by `side`, are exactly one PDU of connection-oriented DCE/RPC.
pub(super) fn is_one_pdu(data: &[u8], side: Side) -> bool {
    let Some(header) = data.first_chunk::<16>() else {
        return false;
    };
    let [5, 0 | 1, kind, _, integers @ (0x00 | 0x10), 0..=3, 0, 0, ..] = *header else {
        return false;
    };
    let [.., f0, f1, a0, a1, _, _, _, _] = *header;
    let u16_of = |bytes| match integers {
        0x10 => u16::from_le_bytes(bytes),
        _ => u16::from_be_bytes(bytes),
    };
    let frag_length = u32::from(u16_of([f0, f1]));
    let auth_length = u32::from(u16_of([a0, a1]));
    // request, bind, alter_context, auth3, co_cancel, orphaned; what answers them.
    let least = match (side, kind) {
        (Side::Client, 11 | 14) | (Side::Server, 3) => 28,
        (Side::Client, 0) | (Side::Server, 2 | 12 | 15) => 24,
        (Side::Server, 13) => 18,
        (Side::Client, 16) => 20,
        (Side::Client, 18 | 19) | (Side::Server, 17) => 16,
        _ => return false,
    };
    let verifier = if auth_length == 0 { 0 } else { auth_length + 8 };
    frag_length == clamp(data.len()) && frag_length >= least + verifier
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request of 24 bytes: call 1, opnum 8.
    const REQUEST: &[u8] = b"\x05\x00\x00\x03\x10\x00\x00\x00\x18\x00\x00\x00\x01\x00\x00\x00\
        \x00\x00\x00\x00\x00\x00\x08\x00";

    #[test]
    fn a_whole_request_is_one_and_nothing_else_is() {
        assert!(is_one_pdu(REQUEST, Side::Client));
        assert!(!is_one_pdu(REQUEST, Side::Server), "servers do not ask");
        for n in 0..REQUEST.len() {
            assert!(!is_one_pdu(&REQUEST[..n], Side::Client), "{n} bytes");
        }
        let longer = [REQUEST, b"x"].concat();
        assert!(!is_one_pdu(&longer, Side::Client));
        for (at, bad) in [
            (0, 4),
            (1, 2),
            (2, 4),
            (4, 0x20),
            (5, 4),
            (6, 1),
            (8, 0x17),
            (10, 1),
        ] {
            let mut pdu = REQUEST.to_vec();
            pdu[at] = bad;
            assert!(!is_one_pdu(&pdu, Side::Client), "{bad} at {at}");
        }
    }

    #[test]
    fn big_endian_lengths() {
        let mut pdu = REQUEST.to_vec();
        pdu[4] = 0;
        pdu[8..10].copy_from_slice(&[0, 0x18]);
        assert!(is_one_pdu(&pdu, Side::Client));
    }
}
