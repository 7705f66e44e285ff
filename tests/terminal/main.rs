//! The terminal UI in a terminal, as somebody meets it who sits at one: what is shown, what keys and
//! signals do, and that the terminal is given back whatever happens.
//!
//! Only what a `TestBackend` cannot show is tried here; whole screens are in `tests/screens`.

#![cfg(all(unix, feature = "tui"))]

#[path = "../common/program.rs"]
#[expect(dead_code, reason = "pipes and refusals are tried elsewhere")]
mod program;
mod saving;
mod secrets;
#[path = "../common/terminal.rs"]
mod terminal;

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use terminal::Terminal;

use program::{capture, command, made, vshark};

const FAILED: &str = "captures/e-py-create_fails.pcap";
/// What the last line says when all of it was read.
const READ: &str = "15 calls, 105 frames";
const SIZE: (u16, u16) = (80, 24);

/// The program in a terminal.
fn open(arguments: &[&str]) -> Terminal {
    Terminal::open(in_terminal(arguments), SIZE, |command| command)
}

fn in_terminal(arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.env("TERM", "xterm-256color");
    command
}

/// A capture that was opened and read.
fn opened(arguments: &[&str]) -> Terminal {
    let mut terminal = open(arguments);
    terminal.shows(READ);
    terminal
}

/// A file of its own for one test, which is not there.
fn absent(name: &str) -> String {
    let path = made(name, b"");
    fs::remove_file(&path).expect("it was made");
    path
}

#[track_caller]
fn quits(mut terminal: Terminal) {
    terminal.keys("q");
    assert_eq!(terminal.ends().code(), Some(0));
    terminal.is_given_back();
    // Nothing of it stays behind.
    assert_eq!(terminal.screen().contents().trim(), "");
}

#[test]
fn a_capture_is_opened_walked_through_and_closed() {
    let mut terminal = opened(&[FAILED]);
    assert!(terminal.is_taken());
    terminal.shows("1 Overview");
    terminal.shows("operation: failed");
    terminal.shows("FAILED       on the file server");
    terminal.keys("2");
    terminal.shows("asked → answered");
    terminal.shows("── call 1: IsPathSupported");
    terminal.keys("jjjjjj");
    terminal.shows("── call 7: CommitShadowCopySet E_FAIL");
    terminal.keys("\t");
    terminal.shows("━━ call 7: CommitShadowCopySet");
    terminal.keys("j");
    terminal.shows("[20 bf 02 00]");
    terminal.keys("\t");
    terminal.shows("━━ [request stub] frame 57");
    terminal.keys("]");
    terminal.shows("━━ request stub [frame 57]");
    terminal.keys("\u{1b}[Z\u{1b}[Z");
    terminal.shows("━━   n   22 Nov UTC");
    quits(terminal);
}

#[test]
fn calls_are_filtered_and_looked_for() {
    let mut terminal = opened(&[FAILED]);
    terminal.keys("f");
    terminal.shows("show calls:");
    terminal.until("a cursor where something is typed", |of| !of.screen().hide_cursor());
    terminal.keys("statsu");
    terminal.shows("did you mean `status`?");
    terminal.keys("\u{7f}\u{7f}us != 0\r");
    terminal.shows("3 of 15 calls: status != 0");
    assert!(!terminal.has("SetContext"), "it returned 0");
    terminal.until("no cursor", |of| of.screen().hide_cursor());
    terminal.keys("\u{1b}");
    terminal.shows("SetContext");
    terminal.keys("gg/expose\r");
    terminal.shows("── call 8: ExposeShadowCopySet");
    terminal.shows("expose: found");
    terminal.keys("n");
    terminal.shows("from the beginning again");
    terminal.keys("/nowhere\r");
    terminal.shows("nowhere: not found");
    // What is pasted is typed, and is no keys.
    terminal.keys("f\u{1b}[200~quit == q\u{1b}[201~");
    terminal.shows("show calls: quit == q");
    terminal.keys("\u{1b}");
    terminal.hides("show calls:");
    quits(terminal);
}

#[test]
fn the_mouse_opens_tabs_and_selects_rows() {
    let mut terminal = opened(&[FAILED]);
    let click =
        |column: u16, row: u16| format!("\u{1b}[<0;{column};{row}M\u{1b}[<0;{column};{row}m");
    terminal.keys(&click(15, 1));
    terminal.shows("── call 1: IsPathSupported");
    terminal.keys(&click(30, 5));
    terminal.shows("── call 3: SetContext");
    terminal.keys("\u{1b}[<65;30;5M");
    terminal.hides("GetSupportedVersion");
    quits(terminal);
}

#[test]
fn signals_end_it_and_the_terminal_is_given_back() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let mut terminal = opened(&[FAILED]);
        assert!(terminal.is_taken());
        terminal.signal(signal);
        assert_eq!(terminal.ends().code(), Some(code), "{signal:?}");
        terminal.is_given_back();
    }
}

#[test]
fn the_terminal_may_go_away() {
    let mut terminal = opened(&[FAILED]);
    terminal.take_away();
    assert_eq!(terminal.ends().code(), Some(129));
}

/// A shell in a terminal that runs a script.
fn in_shell(script: &str) -> Terminal {
    let mut command = Command::new("sh");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["-c", script]);
    for (name, value) in in_terminal(&[]).env("PS1", "").get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Terminal::open(command, SIZE, |command| command)
}

/// A shell stops it, as only a shell's child can be stopped from the keyboard.
#[test]
fn it_stops_and_goes_on_as_the_shell_wants() {
    let script = format!(
        "set -m; '{}' {FAILED}; echo \"stopped: $?\"; stty -a; read go; fg >/dev/null; echo \"ended: $?\"",
        env!("CARGO_BIN_EXE_vshark")
    );
    let mut shell = in_shell(&script);
    shell.shows(READ);
    shell.keys("2");
    shell.shows("── call 1: IsPathSupported");
    assert!(shell.is_taken());
    shell.keys("\u{1a}");
    // 128 and the number of SIGTSTP, which is not the same everywhere.
    shell.shows("stopped: 1");
    shell.shows(" icanon ");
    shell.is_given_back();
    shell.resize((100, 30));
    shell.keys("\r");
    shell.shows("── call 1: IsPathSupported");
    assert!(shell.is_taken());
    assert!(!shell.has("stopped"), "it has its own screen again");
    shell.until("the new size", |shell| shell.rows()[29].contains(READ));
    shell.keys("q");
    shell.shows("ended: 0");
    shell.ends();
    shell.is_given_back();
}

#[test]
fn a_whole_pipeline_stops() {
    let script = format!(
        "set -m; (cat {FAILED}; exec sleep 1000) | '{}' -; echo \"stopped: $?\"; kill -9 %1",
        env!("CARGO_BIN_EXE_vshark")
    );
    let mut shell = in_shell(&script);
    shell.shows("15 calls");
    shell.keys("\u{1a}");
    shell.shows("stopped: 1");
    shell.ends();
    shell.is_given_back();
}

#[test]
fn a_signal_ends_a_live_read_and_the_terminal_is_given_back() {
    let path = made("terminal/live.pcap", &capture(FAILED));
    let mut terminal = open(&["-f", &path]);
    terminal.shows("15 calls");
    terminal.signal(Signal::INT);
    assert_eq!(terminal.ends().code(), Some(130));
    terminal.is_given_back();
}

#[test]
fn everything_is_drawn_anew_as_is_wanted() {
    let mut terminal = opened(&[FAILED]);
    terminal.keys("2");
    terminal.shows("l.s.h.a.r.e");
    // Somebody else writes over it.
    terminal.spoil("\u{1b}[H\u{1b}[2Jwall: the system goes down");
    terminal.keys("\u{c}");
    terminal.hides("wall:");
    terminal.shows("1 Overview");
    terminal.shows("── call 1: IsPathSupported");
    terminal.shows("l.s.h.a.r.e");
    quits(terminal);
}

#[test]
fn another_size_is_drawn_at_once() {
    let mut terminal = opened(&[FAILED]);
    terminal.keys("2");
    terminal.shows("━━   n   22 Nov UTC    call ");
    terminal.resize((200, 60));
    terminal.shows("━━   n   22 Nov UTC    client           server           call ");
    terminal.until("the last line", |terminal| terminal.rows()[59].ends_with(READ));
    terminal.resize((40, 10));
    terminal.until("the last line", |terminal| terminal.rows()[9].ends_with(READ));
    quits(terminal);
}

/// The numbers of SGR sequences (ECMA-48 8.3.117) that were written.
fn graphics(raw: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(raw);
    let sequences = text.split("\u{1b}[").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';')?;
        rest[end..].starts_with('m').then(|| rest[..end].to_owned())
    });
    let numbers: Vec<String> =
        sequences.flat_map(|of| of.split(';').map(str::to_owned).collect::<Vec<_>>()).collect();
    numbers.iter().map(|number| number.parse().unwrap_or(0)).collect()
}

#[test]
fn without_colours_no_colour_is_written() {
    let colour = |n: &u16| matches!(n, 30..=38 | 40..=48 | 58 | 90..=97 | 100..=107);
    let raw = |command: Command| {
        let mut terminal = Terminal::open(command, SIZE, |command| command);
        terminal.shows(READ);
        terminal.keys("2");
        terminal.shows("── call 1: IsPathSupported");
        terminal.keys("567");
        terminal.shows("━━ Statistics");
        terminal.keys("q");
        assert_eq!(terminal.ends().code(), Some(0));
        std::mem::take(&mut terminal.raw)
    };
    let coloured = graphics(&raw(in_terminal(&[FAILED])));
    assert!(coloured.iter().any(colour), "{coloured:?}");
    let mut plain = in_terminal(&[FAILED]);
    plain.env("NO_COLOR", "1");
    for plain in [plain, in_terminal(&["--color", "never", FAILED])] {
        let plain = graphics(&raw(plain));
        assert!(!plain.iter().any(colour), "{plain:?}");
        assert!(plain.contains(&7), "what is selected is inverse: {plain:?}");
    }
}

#[test]
fn a_capture_comes_through_a_pipe_while_keys_come_from_the_terminal() {
    let bytes = capture(FAILED);
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut terminal =
        Terminal::open(in_terminal(&["-"]), SIZE, |command| command.stdin(Stdio::piped()));
    let mut pipe = terminal.child.stdin.take().expect("a pipe");
    pipe.write_all(first).expect("the program reads");
    terminal.shows(" 4 calls");
    // What was counted so far is told while nothing comes.
    terminal.keys("7");
    terminal.shows("connections: 1, SMB messages: 37");
    // Keys are taken while more may come.
    terminal.keys("2k");
    terminal.shows("── call 3: SetContext");
    pipe.write_all(second).expect("the program reads");
    terminal.shows("15 calls");
    drop(pipe);
    terminal.shows(READ);
    assert!(terminal.has("── call 3: SetContext"), "what was selected stays so");
    terminal.keys("G");
    terminal.shows("── call 15: AbortShadowCopySet");
    quits(terminal);
}

#[test]
fn a_file_that_grows_is_followed() {
    let bytes = capture(FAILED);
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let path = made("terminal/grows.pcap", first);
    let mut terminal = open(&["-f", &path]);
    terminal.shows("reading, 0 MB, 4 calls");
    terminal.keys("2");
    // The list goes along with what comes in.
    terminal.shows("── call 4: StartShadowCopySet");
    let mut file = OpenOptions::new().append(true).open(&path).expect("it was made");
    file.write_all(second).expect("it can be written to");
    terminal.shows("15 calls");
    terminal.shows("── call 15: AbortShadowCopySet");
    // Who moves stays where he is.
    terminal.keys("k");
    terminal.shows("── call 14: CommitShadowCopySet");
    quits(terminal);
}

#[test]
fn what_cannot_be_read_any_more_is_told_where_it_was() {
    let path = made("terminal/vanishes.pcap", &capture(FAILED));
    let mut terminal = opened(&[&path]);
    fs::remove_file(&path).expect("it was made");
    // It is open, and so it is read on.
    terminal.keys("2G");
    terminal.shows("── call 15: AbortShadowCopySet");
    quits(terminal);

    let path = made("terminal/shrinks.pcap", &capture(FAILED));
    let mut terminal = opened(&[&path]);
    terminal.keys("2");
    terminal.shows("── call 1: IsPathSupported");
    fs::write(&path, b"short").expect("it was made");
    terminal.keys("G");
    terminal.shows("could not be read again");
    terminal.keys("3");
    terminal.shows("━━ frame 22 Nov UTC");
    // What is known without the file is still there.
    terminal.keys("1");
    terminal.shows("FAILED       on the file server");
    quits(terminal);
}

/// The text behind base64 (RFC 4648).
fn decoded(base64: &[u8]) -> String {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    let (mut bits, mut len) = (0u32, 0);
    for c in base64.iter().filter(|c| **c != b'=') {
        bits = bits << 6 | u32::from(value(*c));
        len += 6;
        if len >= 8 {
            len -= 8;
            bytes.push(u8::try_from(bits >> len & 0xff).expect("it was masked"));
        }
    }
    String::from_utf8(bytes).expect("what is copied is text")
}

#[test]
fn what_is_copied_goes_to_the_clipboard_of_the_terminal() {
    let mut terminal = opened(&[FAILED]);
    terminal.keys(":7\r");
    terminal.shows("── call 7: CommitShadowCopySet");
    terminal.keys("yy");
    terminal.until("something copied", |terminal| !terminal.seen().clipboard.is_empty());
    let text = decoded(&terminal.seen().clipboard[0]);
    assert!(text.starts_with("7 18:13:24.383 "), "{text}");
    assert!(text.contains("CommitShadowCopySet") && text.contains("→ E_FAIL"), "{text}");
    terminal.shows("copied");
    quits(terminal);
}

#[test]
fn what_is_no_capture_is_told_after_the_end() {
    let path = made("terminal/no-capture", b"this is not a capture");
    let mut terminal =
        Terminal::open(in_terminal(&[&path]), SIZE, |command| command.stderr(Stdio::piped()));
    terminal.shows("nothing could be read");
    terminal.keys("q");
    assert_eq!(terminal.ends().code(), Some(2));
    terminal.is_given_back();
    let mut said = String::new();
    let mut stderr = terminal.child.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut said).expect("sentences are text");
    let sentence = format!("vshark: {path}, offset 0: expected a pcap, ");
    assert!(said.starts_with(&sentence) && said.lines().count() == 1, "{said}");
}

#[test]
fn what_is_found_at_the_end_is_listed() {
    let text = made(
        "terminal/left.txt",
        br"A:1(ctx=0x0)=0
A:2(cid=U1)=0->S1
A:3(S1,\\fs\d)=0->C1
A:3(S1,\\fs\e)=0->C2
A:12(S1,to=1800000)=0
A:4(S1,to=60000)=0
A:5(S1,to=1800000)=0
A:10(C1,S1,\\fs\d,L=1)=0->\\fs\d@{C1}
A:10(C2,S1,\\fs\e,L=1)=0->\\fs\e@{C2}
A:6(S1)=0
A:0()=0->1,1
A:11(S1,C1,\\fs\d)=0
A close
",
    );
    let path = absent("terminal/left.pcapng");
    assert_eq!(vshark(&["scenario", &text, "-o", &path]).code, Some(0));
    let rule = "FSRVP-3.2.4.8-03";
    assert!(vshark(&["check", &path]).out.contains(rule));
    let screen = vshark(&["--press", "6", "--size", "200x40", &path]).ok();
    assert!(screen.contains(rule), "{screen}");
}

#[test]
fn many_packed_inputs_are_read_again() {
    let bytes = capture("captures/g-bulk-same-connection-sign.pcap.gz");
    let copies: Vec<String> =
        (0..35).map(|n| made(&format!("terminal/copy{n}.pcap.gz"), &bytes)).collect();
    let mut arguments = vec!["--press", "3 j G", "--size", "120x40"];
    arguments.extend(copies.iter().map(String::as_str));
    let screen = vshark(&arguments).out;
    assert!(screen.contains("── frame "), "{screen}");
    assert!(!screen.contains("could not be read"), "{screen}");
    assert!(screen.contains("TCP"), "{screen}");
}

#[test]
fn a_packed_input_that_cannot_be_kept_is_not_shown_from_other_bytes() {
    let packed = "captures/g-bulk-same-connection-sign.pcap.gz";
    let mut command = command(&["--press", "2", "--size", "200x30", packed]);
    let run = command.env("TMPDIR", "/nowhere").output().expect("vshark runs");
    let screen = String::from_utf8(run.stdout).expect("output is UTF-8");
    assert_eq!(run.status.code(), Some(2), "{screen}");
    assert!(screen.contains("a temporary file to unpack it to could not be made"), "{screen}");
    assert!(screen.contains("0 calls, 0 frames"), "{screen}");
}
