//! What stays sealed and what it would take, in words.

use crate::bytes::printable;
use crate::pipeline::Summary;
use crate::rpc::Closed;
use crate::security::Need;

/// Reasons that are told; all of them are in JSON.
const TOLD: usize = 8;

/// What stays closed and why, one statement each. Signatures that are not verified are left out,
/// unless something was given for them and does not fit.
pub(super) fn stays_sealed(summary: &Summary) -> Vec<String> {
    told(summary, false)
}

/// The same of that for which something was given, and does not fit.
pub fn does_not_fit(summary: &Summary) -> Vec<String> {
    told(summary, true)
}

/// What it would take to open the calls that RPC sealed, one statement each.
pub fn calls_take(summary: &Summary) -> Vec<String> {
    shortened(summary.rpc.closed.iter().filter(|closed| closed.sealed).map(pdus).collect())
}

fn told(summary: &Summary, only_tried: bool) -> Vec<String> {
    let wanted = |need: &Need| !only_tried || !need.tried.is_empty();
    let sessions = summary.smb_closed.iter().filter(|closed| wanted(&closed.need)).map(|closed| {
        let id = closed.session_id;
        let what = match closed.messages {
            1 => format!("1 encrypted message of SMB session 0x{id:016x} stays closed"),
            n => format!("{n} encrypted messages of SMB session 0x{id:016x} stay closed"),
        };
        format!("{what}: {}", takes(&closed.need))
    });
    let asked =
        |closed: &&Closed| wanted(&closed.need) && (closed.sealed || !closed.need.tried.is_empty());
    shortened(sessions.chain(summary.rpc.closed.iter().filter(asked).map(pdus)).collect())
}

/// How many PDUs stay closed for a reason.
fn pdus(closed: &Closed) -> String {
    let what = match (closed.pdus, closed.sealed) {
        (1, true) => "1 PDU stays sealed".to_owned(),
        (n, true) => format!("{n} PDUs stay sealed"),
        (1, false) => "the signature of 1 PDU is not verified".to_owned(),
        (n, false) => format!("the signatures of {n} PDUs are not verified"),
    };
    let from = match closed.first {
        Some(frame) if closed.pdus > 1 => format!(", from frame {} on", frame.0),
        Some(frame) => format!(", in frame {}", frame.0),
        None => String::new(),
    };
    format!("{what}{from}: {}", takes(&closed.need))
}

/// No more of them than are told.
fn shortened(mut told: Vec<String>) -> Vec<String> {
    let beyond = told.len().saturating_sub(TOLD);
    told.truncate(TOLD);
    if beyond > 0 {
        told.push(format!("{beyond} more reasons for what stays closed (export has all)"));
    }
    told
}

fn takes(need: &Need) -> String {
    let text = need.to_string();
    format!("it takes {}", printable(&text))
}

#[cfg(test)]
#[path = "tests/sealed.rs"]
mod tests;
