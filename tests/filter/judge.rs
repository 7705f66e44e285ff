//! An independent judge: the frames tshark chooses, and the calls we do.
//!
//! tshark asks each frame, we ask each call, which stands for all its frames. So a call must be
//! chosen if tshark chooses one of its frames, and only then; the expressions are those for which
//! that is the same question.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::{calls, chosen, common};

const EXPRESSIONS: &[&str] = &[
    "fsrvp",
    "fsrvp.opnum == 4 || fsrvp.opnum == CommitShadowCopySet",
    "fsrvp.opnum in {3..5, 8}",
    "fsrvp.status != 0",
    "fsrvp.status === 0",
    "fsrvp && fsrvp.opnum & 1 and not fsrvp.opnum == 3",
    "fsrvp.fsrvp_AddToShadowCopySet.ShareName contains \"fsrvp\"",
    "fsrvp.fsrvp_IsPathSupported.ShareName matches \"^.{2}FSS1\"",
    "fsrvp.fsrvp_SetContext.Context & 0x400000 == 0x400000",
    "fsrvp.fssagent_share_mapping_1.ShareNameUNC contains \"fsrvp\"",
    "fsrvp.fsrvp_CommitShadowCopySet.TimeOutInMilliseconds > 1000",
    "fsrvp.fsrvp_StartShadowCopySet.pShadowCopySetId",
    "fsrvp and dcerpc.cn_call_id >= 4 and dcerpc.cn_call_id < 0x8",
    "fsrvp and dcerpc.time > 0.01",
    "fsrvp and ip.dst in {10.77.0.1..10.77.0.9} and tcp.dstport == 445",
    "fsrvp and frame.time >= \"2026-11-22 17:49:18.7\"",
];

/// The frames of a capture that tshark chooses.
fn tshark(capture: &Path, expression: &str) -> BTreeSet<u64> {
    let output = Command::new("tshark")
        .args(["-n", "-T", "fields", "-e", "frame.number", "-Y", expression, "-r"])
        .arg(capture)
        .env("TZ", "UTC")
        .output()
        .expect("tshark runs");
    assert!(output.status.success(), "{expression}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("numbers");
    text.lines().map(|line| line.parse().expect("a number")).collect()
}

#[test]
fn tshark_chooses_the_same_calls() {
    if !crate::oracle::is_installed() {
        return;
    }
    let mut found = BTreeSet::new();
    for file in ["a-ntlm-sign-smb311.pcap", "et-torture-create_simple-bigendian-sign.pcap"] {
        let path = common::captures().join(file);
        let calls = calls(file);
        for expression in EXPRESSIONS {
            let frames = tshark(&path, expression);
            let carries = |call: &&vshark::call::Call| {
                let messages = call.rpc.request.iter().chain(&call.rpc.response);
                messages.flat_map(|m| &m.frames).any(|frame| frames.contains(&frame.0))
            };
            let expect: Vec<u64> = calls.iter().filter(carries).map(|call| call.rpc.n).collect();
            assert_eq!(chosen(expression, &calls), expect, "{file}: {expression}");
            if !expect.is_empty() && expect.len() < calls.len() {
                found.insert(expression);
            }
        }
    }
    // The judge must have something to say, and not the same of every call.
    assert!(found.len() >= EXPRESSIONS.len() - 3, "only {found:?} tell calls apart");
}
