//! What a capture lacks, in words.

use crate::pipeline::{Loss, Summary};

/// What is missing and whom it touches, one statement each.
pub(super) fn missing(summary: &Summary) -> Vec<String> {
    let Loss { smb, rpc, .. } = summary.loss;
    let mut said = Vec::new();
    let kinds = |smb: u64, rpc: u64| match (smb, rpc) {
        (_, 0) => "SMB",
        (0, _) => "RPC",
        _ => "SMB and RPC",
    };
    let places = |gaps: u64| match gaps {
        1 => "in one place".to_owned(),
        _ => format!("in {gaps} places"),
    };
    let lost = smb.bytes.saturating_add(rpc.bytes);
    if lost > 0 {
        let (kinds, places) = (kinds(smb.bytes, rpc.bytes), places(smb.gaps + rpc.gaps));
        said.push(format!(
            "{} of {kinds} missing {places}: packets that were not captured",
            bytes(lost)
        ));
    }
    let others = summary.tcp.lost_bytes.saturating_sub(lost);
    if others > 0 {
        said.push(format!(
            "{} missing from other TCP streams: packets that were not captured",
            bytes(others)
        ));
    }
    if summary.tcp.snapped_bytes > 0 {
        said.push(format!(
            "{} cut off by the snap length (capture whole packets: -s 0)",
            bytes(summary.tcp.snapped_bytes)
        ));
    }
    match summary.fragments.incomplete {
        0 => {}
        1 => said.push("1 IP datagram of which a fragment was not captured".to_owned()),
        n => said.push(format!("{n} IP datagrams of which a fragment was not captured")),
    }
    said.extend(touched(&summary.loss));
    said
}

/// Which calls what is missing touches.
fn touched(loss: &Loss) -> Option<String> {
    const NAMED: usize = 8;
    let mut numbers = loss.calls.clone();
    numbers.sort_unstable();
    let named: Vec<String> = numbers.iter().take(NAMED).map(u64::to_string).collect();
    let beyond = loss.touched.saturating_sub(u64::try_from(named.len()).unwrap_or(u64::MAX));
    Some(match (named.as_slice(), beyond) {
        ([], _) => return None,
        ([one], 0) => format!("call {one} is touched by what is missing"),
        ([others @ .., last], 0) => {
            format!("calls {} and {last} are touched by what is missing", others.join(", "))
        }
        (named, beyond) => {
            format!("calls {} and {beyond} more are touched by what is missing", named.join(", "))
        }
    })
}

fn bytes(n: u64) -> String {
    if n == 1 { "1 byte".to_owned() } else { format!("{n} bytes") }
}
