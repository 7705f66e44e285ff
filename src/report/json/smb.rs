//! What SMB carried, in the summary.

use serde_json::{Value as Json, json};

use super::counts;
use crate::pipeline::Summary;

/// `smb` of the `summary` record.
pub(super) fn smb(summary: &Summary) -> Json {
    let signatures = &summary.smb_signatures;
    json!({
        "dialects": summary.smb_dialects,
        "messages": counts(summary.smb_messages.iter().map(|(what, n)| (what.clone(), *n))),
        "encrypted_messages": summary.smb_sealed,
        "encrypted_bytes": summary.smb_sealed_bytes,
        "decrypted_messages": summary.smb_opened,
        "encrypted_bulk_messages": summary.smb_sealed_bulk,
        "encrypted_bad_messages": summary.smb_sealed_bad,
        "encrypted_cut_messages": summary.smb_sealed_torn,
        "signatures": {
            "verified": signatures.verified,
            "bad": signatures.bad,
            "not_verifiable": signatures.not_verifiable,
        },
        "compressed_messages": summary.smb_compressed,
        "compressions": counts(summary.smb_compressions.iter().map(|(what, n)| (what.clone(), *n))),
        "compressed_messages_unread": summary.smb_compressed_unread,
        "smb1_messages": summary.smb1,
        "malformed_messages": summary.smb_malformed,
    })
}
