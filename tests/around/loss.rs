//! What is missing, so that nobody is accused for it.

use crate::{common, only, read, told};

fn lost(text: &str) -> usize {
    only(&told(text), &["lost"]).len()
}

#[test]
fn nothing_is_lost_where_nothing_is() {
    assert_eq!(lost("A:8=0; A:0=0; A write \\\\FS\\d; A closes; FS restart; A:8=0"), 0);
}

#[test]
fn only_a_capture_with_holes_has_any() {
    let with_holes = |path: &std::path::PathBuf| {
        let lines = crate::lines(&read(path));
        !only(&lines, &["lost"]).is_empty()
    };
    let found: Vec<_> = common::committed().into_iter().filter(with_holes).collect();
    assert_eq!(found, [common::captures().join("i-a-drop5.pcap")]);
}

#[test]
fn a_gap_is_told_once() {
    for carrier in ["", "tcp 49667; "] {
        for what in ["request", "answer"] {
            let text = format!("{carrier}A:8=0; lose {what} of A:0=0; A:1(ctx=0)=0");
            assert_eq!(lost(&text), 1, "{text}: {:?}", told(&text));
        }
    }
    let twice = "A:8=0; lose answer of A:0=0; wait 5s; A:8=0; wait 5s; lose answer of A:0=0; A:8=0";
    assert_eq!(lost(twice), 2);
}

#[test]
fn a_capture_that_begins_in_the_middle() {
    for carrier in ["", "tcp 49667; "] {
        let lines = told(&format!("{carrier}A:8=0; capture from here; A:0=0"));
        assert_eq!(only(&lines, &["lost"]).len(), 1, "{lines:?}");
        assert_eq!(lines[0], "lost");
    }
}
