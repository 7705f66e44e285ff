//! What is saved from the terminal UI, and what is not.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::program::{capture, made, vshark};
use super::{FAILED, READ, Terminal, absent, in_terminal, quits};

/// Room for long paths in the last line.
const WIDE: (u16, u16) = (200, 40);

#[test]
fn packets_of_a_call_are_saved() {
    let path = absent("terminal/saved.pcapng");
    let mut terminal = Terminal::open(in_terminal(&[FAILED]), WIDE, |command| command);
    terminal.shows(READ);
    terminal.keys(":7\r");
    terminal.shows("── call 7: CommitShadowCopySet");
    terminal.keys("w");
    terminal.shows("selected.pcapng");
    terminal.keys(&format!("\u{15}{path}\r"));
    terminal.shows("frames of 1 call");
    assert!(Path::new(&path).exists());
    let list = vshark(&["calls", &path]);
    assert_eq!(list.code, Some(0), "{}", list.err);
    assert!(
        list.out.contains("CommitShadowCopySet") && list.out.contains("E_FAIL"),
        "{}",
        list.out
    );
    assert!(!list.out.contains("ExposeShadowCopySet"), "{}", list.out);
    // What is there already is not written over.
    let before = fs::read(&path).expect("it was saved");
    terminal.keys(&format!("w\u{15}{path}\r"));
    terminal.shows("is there already");
    assert_eq!(fs::read(&path).expect("it was saved"), before);
    fs::remove_file(&path).expect("it was saved");
    quits(terminal);
}

/// The same capture by a clock that is so many seconds ahead, without every `n`th packet.
fn seen(ahead: u32, n: usize) -> Vec<u8> {
    let bytes = capture(FAILED);
    let (mut out, mut at, mut no) = (bytes[..24].to_vec(), 24, 1);
    while at < bytes.len() {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("a word"));
        let end = at + 16 + usize::try_from(word(at + 8)).expect("it is short");
        if !usize::is_multiple_of(no, n) {
            out.extend((word(at) + ahead).to_le_bytes());
            out.extend(&bytes[at + 4..end]);
        }
        (at, no) = (end, no + 1);
    }
    out
}

#[test]
fn packets_are_saved_as_they_were_numbered_when_clocks_were_corrected() {
    let near = made("terminal/near.pcap", &seen(0, 8));
    let far = made("terminal/far.pcap", &seen(37, 3));
    let path = absent("terminal/corrected.pcapng");
    let mut terminal = Terminal::open(in_terminal(&[&near, &far]), WIDE, |command| command);
    terminal.shows("15 calls, 162 frames");
    terminal.keys(":7\r");
    terminal.shows("── call 7: CommitShadowCopySet");
    terminal.keys(&format!("w\u{15}{path}\r"));
    terminal.shows("frames of 1 call");
    let same = absent("terminal/corrected-by-command.pcapng");
    let said = vshark(&["calls", &near, &far, "-Y", "n == 7", "-w", &same]).err;
    assert!(said.contains("its times are corrected"), "{said}");
    let [saved, written] = [&path, &same].map(|path| fs::read(path).expect("it was written"));
    assert!(saved == written, "other packets were saved");
    fs::remove_file(&path).expect("it was saved");
    quits(terminal);
}

#[test]
fn the_terminal_is_no_file_to_save_to() {
    let mut terminal = Terminal::open(in_terminal(&[FAILED]), WIDE, |command| command);
    terminal.shows(READ);
    for save in ["w", "W"] {
        terminal.keys(&format!("2{save}\u{15}-\r"));
        terminal.shows("- would be the terminal: name a file");
        terminal.keys("j");
        terminal.hides("would be the terminal");
    }
    quits(terminal);
}

/// Waits until there is a file.
#[track_caller]
fn appears(terminal: &mut Terminal, path: &str) {
    while !Path::new(path).exists() {
        assert!(terminal.take(Duration::from_millis(1)).is_some(), "the program ended");
    }
}

/// Packets before those of [`long`] that matter.
const BEFORE: usize = 200_000;

/// A capture that takes a while to be read: much else was said before the calls.
fn long(name: &str) -> String {
    let bytes = capture(FAILED);
    let (head, frames) = bytes.split_at(24);
    let mut other = frames[..8].to_vec();
    for len in [60u32; 2] {
        other.extend(len.to_le_bytes());
    }
    // Ethernet of a type for experiments (IEEE 802, 9.2.3).
    other.extend([&[2; 12][..], &[0x88, 0xb5], &[0; 46]].concat());
    made(name, &[head, &other.repeat(BEFORE), frames].concat())
}

#[test]
fn what_is_given_up_leaves_no_file() {
    let input = long("terminal/long-list.pcap");
    let path = absent("terminal/given-up.json");
    let mut terminal = Terminal::open(in_terminal(&[&input]), WIDE, |command| command);
    terminal.shows(" 200105 frames");
    terminal.keys(&format!("3W\u{15}{path}\r"));
    appears(&mut terminal, &path);
    terminal.keys("\u{1b}");
    terminal.shows("stopped");
    assert!(!Path::new(&path).exists());
    quits(terminal);
}

#[test]
fn packets_that_are_being_saved_are_saved_to_the_end_or_not_at_all() {
    let input = long("terminal/long.pcap");
    let last = |terminal: &mut Terminal, path: &str| {
        terminal.shows(" 200105 frames");
        terminal.keys(":7\r");
        terminal.shows("── call 7: CommitShadowCopySet");
        terminal.keys(&format!("w\u{15}{path}\r"));
        appears(terminal, path);
    };
    let path = absent("terminal/to-the-end.pcapng");
    let mut terminal = Terminal::open(in_terminal(&[&input]), WIDE, |command| command);
    last(&mut terminal, &path);
    terminal.keys("q");
    assert_eq!(terminal.ends().code(), Some(0));
    terminal.is_given_back();
    // Whether it was saved before the end or at it, it is whole.
    assert!(vshark(&["calls", &path]).out.contains("CommitShadowCopySet"));

    let path = absent("terminal/not-at-all.pcapng");
    let mut terminal = Terminal::open(in_terminal(&[&input]), WIDE, |command| command);
    last(&mut terminal, &path);
    terminal.signal(rustix::process::Signal::TERM);
    assert_eq!(terminal.ends().code(), Some(143));
    assert!(terminal.has("not saved, as the program was ended"));
    assert!(!Path::new(&path).exists());
}
