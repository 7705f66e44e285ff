//! What is saved from the terminal UI, and what is not.

use std::fs;
use std::path::Path;

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
