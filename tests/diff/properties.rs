//! What is true of any two captures.

use vshark::bytes::is_invisible;
use vshark::diff::{Comparison, Outcome, Pair, Recording, Which, compare};
use vshark::report::diff::{Diff, Options};
use vshark::report::json;
use vshark::report::text::TimeStyle;

use crate::{REGISTRY, capture, common, file, number, place, recorded};

fn all() -> Vec<(String, Recording)> {
    let mut names: Vec<String> =
        common::committed().iter().map(|path| common::file_name(path)).collect();
    names.extend(["made-ndr64-multichannel.pcapng", "made-overlap.pcapng"].map(str::to_owned));
    names.into_iter().map(|name| (name.clone(), capture(&name))).collect()
}

#[test]
fn nothing_differs_from_itself() {
    for (name, recording) in all() {
        let compared = compare(Pair { good: &recording, bad: &recording });
        let hidden = ["b-ntlm-seal", "c-enc", "h-krb5-rc4", "h-krb5-s", "i-a-drop5"]
            .iter()
            .any(|of| name.starts_with(of) && name != "h-krb5-sign.pcap");
        let expect = if hidden { Outcome::Undecided } else { Outcome::Alike };
        assert_eq!(compared.outcome(), expect, "{name}");
        for of in &compared.comparisons {
            assert_eq!(of.parting, None, "{name}");
            assert!(of.differences.is_empty() && of.delays.is_empty(), "{name}");
            assert!(std::ptr::eq(of.conversations.good, of.conversations.bad), "{name}");
        }
    }
}

/// Whoever is called good, they part at the same place.
#[test]
fn exchanged_captures_part_at_the_same_place() {
    let all = all();
    for (good_name, good) in &all {
        for (bad_name, bad) in &all {
            let there = compare(Pair { good, bad });
            let back = compare(Pair { good: bad, bad: good });
            let what = format!("{good_name} and {bad_name}");
            assert_eq!(there.outcome(), back.outcome(), "{what}");
            let key = |of: &Comparison<'_>, swap: bool| {
                let both = |which: Which| if swap { which.other() } else { which };
                let steps = |parting: Option<&vshark::diff::Parting>| {
                    parting.map(|parting| Which::BOTH.map(|which| parting.steps[both(which)]))
                };
                let differences: Vec<_> = of
                    .differences
                    .iter()
                    .map(|of| (of.of, Which::BOTH.map(|which| of.values[both(which)].clone())))
                    .collect();
                let delays: Vec<_> = of
                    .delays
                    .iter()
                    .map(|of| Which::BOTH.map(|which| of.nanos[both(which)]))
                    .collect();
                let unseen: std::collections::BTreeSet<_> = of
                    .gaps()
                    .into_iter()
                    .map(|gap| (both(gap.which), gap.why, gap.rows.len()))
                    .collect();
                let ips = Which::BOTH.map(|which| of.conversations[both(which)].client.ip);
                (
                    ips,
                    steps(of.parting.as_ref()),
                    steps(of.ending.as_ref()),
                    of.alike(),
                    format!("{differences:?}{delays:?}{unseen:?}"),
                )
            };
            let mut one: Vec<_> = there.comparisons.iter().map(|of| key(of, false)).collect();
            let mut other: Vec<_> = back.comparisons.iter().map(|of| key(of, true)).collect();
            one.sort();
            other.sort();
            assert_eq!(one, other, "{what}");
        }
    }
}

/// The frames of a pcap file, each with its record's header.
pub(crate) fn frames(pcap: &[u8]) -> Vec<&[u8]> {
    let mut rest = &pcap[24..];
    let mut frames = Vec::new();
    while rest.len() >= 16 {
        let len = u32::from_le_bytes(rest[8..12].try_into().unwrap());
        let (frame, after) = rest.split_at(16 + usize::try_from(len).unwrap());
        frames.push(frame);
        rest = after;
    }
    frames
}

/// A capture that ends too early parts where it ends: at the first step that it does not have, or
/// not the end of.
#[test]
fn a_capture_that_ends_early_parts_at_its_end() {
    for name in ["a-ntlm-sign-smb311.pcap", "d-NT1-sign.pcap", "a5-spnego-sign.pcap"] {
        let bytes = file(&common::captures().join(name));
        let good = recorded(bytes.clone());
        let frames = frames(&bytes);
        let steps = good.conversations[0].steps.len();
        let mut places = std::collections::BTreeSet::new();
        for len in 0..frames.len() {
            let cut = [&bytes[..24], &frames[..len].concat()].concat();
            let bad = recorded(cut);
            let compared = compare(Pair { good: &good, bad: &bad });
            let Some(of) = compared.comparisons.first() else {
                assert!(len < 20, "{name}, {len} frames: nothing is compared");
                continue;
            };
            let complete = of
                .conversations
                .bad
                .steps
                .iter()
                .filter(|step| step.call().is_none_or(|call| call.status.is_some()))
                .count();
            let at = of.parting.as_ref().map(|parting| parting.steps.good);
            let expect = (complete < steps).then_some(Some(complete));
            assert_eq!(at, expect, "{name}, {len} frames: {}", place(of, of.parting.as_ref()));
            assert_eq!(of.alike(), complete, "{name}, {len} frames");
            places.extend(at.flatten());
            let last = of
                .parting
                .as_ref()
                .and_then(|parting| number(of.step(Which::Bad, parting.steps.bad)));
            let calls = of.conversations.bad.calls;
            assert!(last.is_none_or(|n| n == calls), "{name}, {len} frames: {last:?} of {calls}");
        }
        // At every step from the share on, some prefix ends.
        assert!((3..steps).all(|step| places.contains(&step)), "{name}: {places:?}");
    }
}

/// What is missing in the middle is never told to be a difference of what was said.
#[test]
fn a_lost_packet_makes_no_difference() {
    for name in ["a-ntlm-sign-smb311.pcap", "d-SMB2_02-sign.pcap"] {
        let bytes = file(&common::captures().join(name));
        let good = recorded(bytes.clone());
        let frames = frames(&bytes);
        for lost in 0..frames.len() {
            let mut left = frames.clone();
            left.remove(lost);
            let bad = recorded([&bytes[..24], &left.concat()].concat());
            let compared = compare(Pair { good: &good, bad: &bad });
            for of in &compared.comparisons {
                let parting = place(of, of.parting.as_ref());
                assert_ne!(
                    compared.outcome(),
                    Outcome::Different,
                    "{name} without frame {}: {parting}",
                    lost + 1
                );
            }
        }
    }
}

/// The side of one of both alone is not all there was.
#[test]
fn half_of_a_capture_makes_no_difference() {
    let bytes = file(&common::captures().join("a-ntlm-sign-smb311.pcap"));
    let good = recorded(bytes.clone());
    for source in [[10, 77, 0, 11], [10, 77, 0, 1]] {
        let of_source = |frame: &&&[u8]| frame[16 + 26..16 + 30] == source;
        let side: Vec<&[u8]> = frames(&bytes).iter().filter(of_source).copied().collect();
        let bad = recorded([&bytes[..24], &side.concat()].concat());
        let compared = compare(Pair { good: &good, bad: &bad });
        assert_eq!(compared.outcome(), Outcome::Undecided, "{source:?}");
    }
}

/// A number from the last one: the same numbers in every run.
fn dice(last: &mut u64) -> usize {
    *last = last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*last >> 33).unwrap()
}

/// Whatever the octets of a capture are, it is compared and written.
#[test]
fn damage_is_compared_and_written() {
    let good = file(&common::captures().join("e-py-create_fails.pcap"));
    let recorded_good = recorded(good.clone());
    let mut last = 1;
    for _ in 0..60 {
        let mut bad = good.clone();
        for _ in 0..=dice(&mut last) % 40 {
            let at = 24 + dice(&mut last) % (bad.len() - 24);
            bad[at] = u8::try_from(dice(&mut last) % 256).unwrap();
        }
        let bad = recorded(bad);
        let compared = compare(Pair { good: &recorded_good, bad: &bad });
        let mut text = Vec::new();
        let options = Options { time: TimeStyle::Delta, width: 80 };
        let files = Pair { good: "good", bad: "bad" };
        Diff::new(&REGISTRY, files, options).write(&compared, &mut text).expect("memory");
        let text = String::from_utf8(text).expect("UTF-8");
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert!(!plain.lines().any(|line| line.chars().any(is_invisible)), "{plain:?}");
        let records = json::diffs(&compared, &REGISTRY);
        assert_eq!(records.last().expect("a record")["type"], "diff_summary");
    }
}
