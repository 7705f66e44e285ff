//! What a list of the calls does not show although it was there, in words.

use super::{missing::missing, sealed::stays_sealed};
use crate::check::Report;
use crate::net::Unseen;
use crate::pipeline::Summary;
use crate::security::Verdict;

/// What the list does not show although it was there, in a sentence: what a capture without calls
/// did have, or what keeps calls of a capture from being seen; `None` if nothing does.
pub fn not_listed(summary: &Summary) -> Option<String> {
    let seen = statements(summary, summary.sealed_calls());
    if summary.calls() > 0 && summary.frames > 0 {
        let seen = seen.join("; ");
        return (!seen.is_empty()).then(|| format!("beyond the list: {seen}"));
    }
    Some(nothing_listed(summary, &seen))
}

/// The same, each statement for itself, but for what `report` tells already.
pub fn not_told(summary: &Summary, report: &Report) -> Vec<String> {
    let calls = summary.sealed_calls().saturating_sub(report.sealed_calls);
    let mut seen = statements(summary, calls);
    seen.retain(|statement| !report.unreadable.contains(statement));
    if summary.calls() > 0 && summary.frames > 0 {
        return seen;
    }
    vec![nothing_listed(summary, &seen)]
}

/// What there was, where there is no call.
fn nothing_listed(summary: &Summary, seen: &[String]) -> String {
    let frames = match summary.frames {
        0 => return "there is no frame in the input".to_owned(),
        1 => "1 frame".to_owned(),
        frames => format!("{frames} frames"),
    };
    let seen = if seen.is_empty() { "nothing else".to_owned() } else { seen.join("; ") };
    format!("no RPC call in {frames}; seen: {seen}")
}

/// What was there and is not listed, one statement each; of the sealed calls `sealed_calls` are
/// told.
fn statements(summary: &Summary, sealed_calls: u64) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    let mut add = |count: u64, one: &str, many: &str| {
        if count > 0 {
            seen.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    };
    let listed = summary.calls() > 0;
    let more = if sealed_calls < summary.sealed_calls() { "more " } else { "" };
    if !listed {
        let pdus = "none of them a request or its answer";
        let one = "DCE/RPC PDU, neither a request nor an answer";
        add(summary.pdus(), one, &format!("DCE/RPC PDUs, {pdus}"));
    }
    add(
        summary.smb_without_keys(),
        "encrypted SMB message, which no key at hand opens, and calls in it perhaps",
        "encrypted SMB messages, which no key at hand opens, and calls in them perhaps",
    );
    add(
        summary.smb_sealed_bad,
        "encrypted SMB message that does not open, though its key does others: it was changed on \
         its way",
        "encrypted SMB messages that do not open, though their keys do others: they were changed \
         on their way",
    );
    add(
        summary.smb_sealed_torn,
        "encrypted SMB message that does not open, since bytes of it are missing",
        "encrypted SMB messages that do not open, since bytes of them are missing",
    );
    add(
        summary.smb_signatures.bad,
        "SMB message whose signature is wrong",
        "SMB messages whose signatures are wrong",
    );
    add(
        summary.rpc.signatures.get(&Verdict::BadSignature).copied().unwrap_or_default(),
        "PDU of RPC whose signature is wrong",
        "PDUs of RPC whose signatures are wrong",
    );
    add(
        sealed_calls,
        &format!("{more}call sealed by RPC, which no key at hand opens"),
        &format!("{more}calls sealed by RPC, which no key at hand opens"),
    );
    add(
        summary.smb_compressed_unread,
        "compressed SMB message that could not be decompressed",
        "compressed SMB messages that could not be decompressed",
    );
    for (what, count) in &summary.unseen {
        let seen = "whose payload no capture shows";
        let (one, many) = match what {
            Unseen::Iwarp => ("connection", "connections"),
            Unseen::Quic | Unseen::RoceV1 | Unseen::RoceV2 => ("packet", "packets"),
        };
        add(*count, &format!("{one} of {what}, {seen}"), &format!("{many} of {what}, {seen}"));
    }
    add(
        summary.datagrams.total(),
        "datagram of connectionless RPC, whose calls are not read",
        "datagrams of connectionless RPC, whose calls are not read",
    );
    if !listed {
        let others = summary.smb_messages.values().sum();
        add(others, "other SMB message", "other SMB messages");
        add(summary.tcp_segments, "TCP segment", "TCP segments");
        add(summary.tcp.flows, "TCP connection", "TCP connections");
        add(summary.udp, "UDP datagram", "UDP datagrams");
        for (what, count) in &summary.other {
            add(*count, &format!("frame of {what}"), &format!("frames of {what}"));
        }
    }
    seen.extend(stays_sealed(summary));
    seen.extend(missing(summary));
    for (what, count) in &summary.refusals {
        seen.push(match count {
            1 => format!("refused: {what}"),
            _ => format!("refused {count} times: {what}"),
        });
    }
    seen
}
