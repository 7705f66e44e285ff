//! Secrets as somebody gives them: what is taken, what is refused and in which words, and that no
//! secret is ever shown.

#[path = "common/program.rs"]
mod program;

use std::fs;
use std::path::Path;

use program::{Run, command, made, piped, vshark};

const SEALED: &str = "captures/b-ntlm-seal-smb311.pcap";
const LAB: &str = "captures/lab.toml";
const KEYTAB: &str = "captures/fslab-all.keytab";
const HASH: &str = "c0ffee0123456789c0ffee0123456789";
/// What must not be shown.
const SECRETS: [&str; 3] = ["hunter2", "Sesame", "c0ffee"];

/// A run whose output shows no secret.
#[track_caller]
fn run(arguments: &[&str]) -> Run {
    let run = vshark(arguments);
    for secret in SECRETS {
        assert!(!run.out.contains(secret) && !run.err.contains(secret), "{}{}", run.out, run.err);
    }
    run
}

/// The one sentence of a run that could not begin.
#[track_caller]
fn refused(arguments: &[&str]) -> String {
    run(arguments).refusal(2).to_owned()
}

/// A file of keys.
fn keys(name: &str, text: &str) -> String {
    made(&format!("secrets/{name}"), text.as_bytes())
}

fn everything() -> String {
    let keytab = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(KEYTAB)).unwrap();
    made("secrets/all/lab.keytab", &keytab);
    keys(
        "all/lab.toml",
        &format!(
            "[[password]]\ndomain = 'FSLAB'\nuser = 'fsadmin'\npassword = 'hunter2'\n\
             [[password]]\nnt_hash = '{HASH}'\n[[keytab]]\nfile = 'lab.keytab'\n\
             [[kerberos_key]]\netype = 17\nkey = '{HASH}'\n\
             [[smb_session]]\nid = '0x0000000048c1f2a3'\nkey = '{HASH}'\n"
        ),
    )
}

#[test]
fn every_command_that_reads_captures_takes_secrets() {
    let all = everything();
    let passwords = keys("pw.txt", "hunter2\r\n\nSesame %#\"\n");
    let files = ["--keys", &all, "--keytab", KEYTAB, "--password-file", &passwords];
    let commands: [&[&str]; 6] = [
        &["calls", SEALED],
        &["show", SEALED, "--call", "1"],
        &["check", SEALED],
        &["export", SEALED],
        &["diff", SEALED, SEALED],
        &["--press", "2", SEALED],
    ];
    for command in commands {
        let without = run(command);
        // They do not fit, and so nothing changes, wherever they stand.
        for arguments in [[command, &files[..]].concat(), [&files[..], command].concat()] {
            let with = run(&arguments);
            assert_eq!(with.code, without.code, "{arguments:?}: {}", with.err);
            assert!(!with.err.contains("command line"), "{}", with.err);
        }
    }
}

#[test]
fn what_is_typed_is_taken_with_a_warning() {
    let hash = format!("FSLAB\\fsadmin:{HASH}");
    let with_lm = format!("{HASH}:{HASH}");
    let key = format!("0x48c1f2a3={HASH}");
    let wire = format!("a3f2c14800000000={HASH}{HASH}");
    let warned = "while vshark runs, other users of this machine can see what is on its command \
                  line; --keys takes the same from a file";
    let cases: [(&[&str], &str); 8] = [
        (&["--password", "FSLAB\\fsadmin%hunter2"], "--password"),
        (&["--password", "%hunter2"], "--password"),
        (&["--password", "-x%-hunter2"], "--password"),
        (&["--nt-hash", HASH], "--nt-hash"),
        (&["--nt-hash", &hash], "--nt-hash"),
        (&["--nt-hash", &with_lm], "--nt-hash"),
        (&["--smb-key", &key], "--smb-key"),
        (&["--smb-key", &wire, "--password", "u%hunter2"], "--password, --smb-key"),
    ];
    for (given, options) in cases {
        let run = run(&[&["calls", SEALED], given].concat());
        assert_eq!(run.code, Some(0), "{}", run.err);
        assert_eq!(run.sentences()[0], format!("{options}: {warned}"), "{given:?}");
    }
}

#[test]
fn what_is_typed_wrong_is_refused_without_it() {
    let account = "--password: expected [DOMAIN\\]USER%PASSWORD, or %PASSWORD for everyone";
    let hash = "--nt-hash: expected an NT hash of 32 hexadecimal digits, or [DOMAIN\\]USER: before \
                them";
    let key = "--smb-key: expected SID=HEX: the session's id (0x0000000048c1f2a3, or 16 digits in \
               the order of the wire), and a key of 32 or 64 hexadecimal digits";
    let cases = [
        (["--password", "hunter2"], account),
        (["--password", "hunter2%"], account),
        (["--nt-hash", "c0ffee"], hash),
        (["--nt-hash", "c0ffee:hunter2"], hash),
        (["--smb-key", "c0ffee"], key),
        (
            ["--smb-key", "48c1f2a3=c0ffee0123456789c0ffee0123456789"],
            "--smb-key: expected before the = the session's id (0x0000000048c1f2a3, or 16 digits in \
             the order of the wire)",
        ),
        (
            ["--smb-key", "0x48c1f2a3=c0ffee"],
            "--smb-key: expected behind the = a key of 32 or 64 hexadecimal digits",
        ),
    ];
    for (given, expected) in cases {
        assert_eq!(refused(&["calls", SEALED, given[0], given[1]]), expected);
    }
}

#[test]
fn files_that_are_wrong_are_told_with_the_place() {
    // What is typed where a file belongs may be the secret.
    for option in ["--keys", "--keytab", "--password-file"] {
        for typed in ["hunter2", "FSLAB\\fsadmin%hunter2", "hunter2/Sesame"] {
            let missing = refused(&["calls", SEALED, option, typed]);
            let expected = format!(
                "{option}: there is no such file; what was given is not shown, as it may be a secret"
            );
            assert_eq!(missing, expected);
        }
    }
    let wrong = refused(&["calls", SEALED, "--password-file", "captures/lab.toml"]);
    let expected = "--password-file: captures/lab.toml: expected passwords, one a line, found tables \
                    of keys: --keys takes them";
    assert_eq!(wrong, expected);
    let missing = refused(&["check", SEALED, "--keytab", "tests"]);
    assert!(missing.starts_with("--keytab: tests: could not be read: "), "{missing}");
    let other = refused(&["check", SEALED, "--keytab", "tests/secrets.rs"]);
    let expected = "--keytab: tests/secrets.rs: expected a keytab, which begins with the octets \
                    05 02 (or 05 01)";
    assert_eq!(other, expected);
    let cut = made("secrets/cut.keytab", &[5, 2, 0, 0, 0, 75, 0, 1]);
    let expected = format!(
        "--keytab: {cut}, offset 2: expected an entry of 75 octets, found 2 to the end of the file"
    );
    assert_eq!(refused(&["show", SEALED, "--call", "1", "--keytab", &cut]), expected);
    let empty = keys("empty.txt", "\n\n");
    let expected =
        format!("--password-file: {empty}: expected a password on a line of its own, found none");
    assert_eq!(refused(&["export", SEALED, "--password-file", &empty]), expected);
    let binary = made("secrets/binary.toml", b"hunter2\xff");
    let expected = format!(
        "--keys: {binary}: no keytab and no file of keys: expected text in UTF-8, found what is none \
         at offset 7"
    );
    assert_eq!(refused(&["calls", SEALED, "--keys", &binary]), expected);
    let gone = keys("gone.toml", "# hunter2\n[[keytab]]\nfile = 'gone.keytab'\n");
    let told = refused(&["diff", SEALED, SEALED, "--keys", &gone]);
    let expected = format!("--keys: {gone}, line 3: there is no such file; ");
    assert!(told.starts_with(&expected), "{told}");
}

#[test]
fn mistakes_in_a_file_of_keys_show_no_secret() {
    let cases = [
        ("[[password]]\npassword = hunter2\n", "line 2: expected TOML: "),
        ("[[password]]\npassword = \"hunter2\n", "line 2: expected TOML: "),
        ("[[password]]\npassword = \"hunter2\\Sesame\"\n", "line 2: expected TOML: "),
        ("hunter2\n", "line 1: expected TOML: "),
        ("[[password]]\nhunter2 = \"Sesame\"\n", "line 2: a [[password]] has "),
        ("[[password]]\npassword = [\"hunter2\"]\n", "line 2: expected a text in quotes"),
        ("[[password]]\nnt_hash = \"c0ffee\"\n", "line 2: expected an nt_hash of 32"),
        ("[[hunter2]]\n", "line 1: expected [[password]], "),
        ("[[password.hunter2]]\nSesame = 1\n", "line 1: expected [[password]], "),
        ("[[smb_session]]\nid = \"c0ffee\"\nkey = \"c0ffee\"\n", "line 2: expected the id of a"),
        ("[[kerberos_key]]\netype = 18\nkey = \"c0ffee\"\n", "line 3: expected a key of 64"),
    ];
    for (n, (text, expected)) in cases.into_iter().enumerate() {
        let file = keys(&format!("mistake-{n}.toml"), text);
        let told = refused(&["check", SEALED, "--keys", &file]);
        assert!(told.starts_with(&format!("--keys: {file}, {expected}")), "{text}: {told}");
    }
}

#[test]
fn a_damaged_entry_costs_itself() {
    let whole = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(KEYTAB)).unwrap();
    let mut damaged = whole.clone();
    // The length of the first realm.
    damaged[8..10].copy_from_slice(&[0xff, 0xff]);
    let damaged = made("secrets/damaged.keytab", &damaged);
    let run = run(&["calls", SEALED, "--keytab", &damaged]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let expected = format!(
        "{damaged}, offset 2: expected a realm at offset 8, found the end of an entry of 75 octets"
    );
    assert_eq!(run.sentences()[0], expected);
}

#[test]
fn a_variable_names_a_file_of_keys() {
    let with = |path: &str| -> Run {
        command(&["calls", SEALED]).env("VSHARK_KEYS", path).output().unwrap().into()
    };
    let none = vshark(&["calls", SEALED]);
    for path in [&*everything(), KEYTAB, ""] {
        let run = with(path);
        assert_eq!((run.code, run.out), (none.code, none.out.clone()), "{path}: {}", run.err);
    }
    let mistake = keys("variable.toml", "[[password]]\npassword = hunter2\n");
    let run = with(&mistake);
    let told = run.refusal(2);
    assert!(told.starts_with(&format!("VSHARK_KEYS: {mistake}, line 2: ")), "{told}");
    // Who reads no capture needs none.
    let rules = command(&["rules"]).env("VSHARK_KEYS", "tests/not-there").output().unwrap();
    assert!(rules.status.success());
}

#[test]
fn texts_of_windows_are_read() {
    let utf16: Vec<u8> = [0xfeff]
        .into_iter()
        .chain("[[password]]\r\npassword = 'x'\r\nhunter2 = 1\r\n".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let file = made("secrets/utf16.toml", &utf16);
    let told = refused(&["calls", SEALED, "--keys", &file]);
    assert!(told.contains(", line 3: a [[password]] has "), "{told}");
    let cut = made("secrets/utf16-cut.toml", &utf16[..utf16.len() - 1]);
    let told = refused(&["calls", SEALED, "--keys", &cut]);
    assert!(told.ends_with("expected text, found UTF-16 that is none"), "{told}");
}

/// The bottom of the screen after keys were pressed.
#[cfg(feature = "tui")]
fn bottom(keys: &str, arguments: &[&str]) -> (String, String) {
    let arguments = [&["--press", keys, "--size", "200x30"], arguments].concat();
    let screen = run(&arguments).ok();
    let last = screen.trim_end().lines().last().unwrap_or_default().to_owned();
    (screen, last)
}

#[cfg(feature = "tui")]
#[test]
fn the_terminal_ui_takes_them_later_and_goes_back_to_the_call() {
    let all = everything();
    let (before, _) = bottom(": text:7 Enter", &[SEALED]);
    assert!(before.contains("call 7: "), "{before}");
    let (after, said) = bottom(&format!(": text:7 Enter K text:{all} Enter"), &[SEALED]);
    assert!(after.contains("call 7: "), "{after}");
    assert!(said.contains("lab.toml, 20 secrets: "), "{said}");
    let (_, said) = bottom(&format!("2 K text:{KEYTAB} Enter"), &[SEALED]);
    assert!(said.contains("fslab-all.keytab, 16 secrets: "), "{said}");
    let clear = "captures/a-ntlm-sign-smb311.pcap";
    let (_, said) = bottom(&format!("2 K text:{KEYTAB} Enter"), &[clear]);
    assert!(said.contains("16 secrets: nothing was sealed"), "{said}");
    let (screen, said) = bottom("2 K text:hunter2 Enter", &[SEALED]);
    assert!(said.contains("there is no such file; "), "{said}");
    assert!(!screen.contains("hunter2"), "{screen}");
    let mistake = keys("ui.toml", "[[password]]\npassword = hunter2\n");
    let (screen, _) = bottom(&format!("2 K text:{mistake} Enter"), &[SEALED]);
    assert!(screen.contains("ui.toml, line 2: expected TOML"), "{screen}");
}

#[cfg(feature = "tui")]
#[test]
fn what_came_through_a_pipe_is_read_again_from_what_was_kept() {
    let input = program::capture(SEALED);
    let keys = format!(": text:7 Enter K text:{KEYTAB} Enter");
    let screen = piped(&["--press", &keys, "--size", "200x30", "-"], &input).ok();
    assert!(screen.contains("call 7: "), "{screen}");
    assert!(screen.contains("fslab-all.keytab, 16 secrets: "), "{screen}");
}

/// Messages that SMB encrypted have no signature of their own, and are not said to lack one.
#[test]
fn a_call_says_that_smb_encrypted_it() {
    let encrypted = ["show", "captures/c-enc-AES-128-GCM-sign.pcap", "--call", "8"];
    let text = vshark(&[&encrypted[..], &["--keys", LAB]].concat()).ok();
    let smb = text.lines().find(|line| line.starts_with("  smb ")).unwrap();
    let expected = ", encrypted: opened with a key, and proved by the cipher as a signature would";
    assert!(smb.ends_with(expected), "{smb}");
    for title in [
        "request stub, 84 bytes, decrypted from frame 66",
        "response stub, 20 bytes, decrypted from frame 68",
        "request, PDU 1 of 1, 144 bytes, decrypted",
    ] {
        assert!(text.lines().any(|line| line == title), "{title} is not there:\n{text}");
    }
    let clear = vshark(&["show", "captures/a-ntlm-sign-smb311.pcap", "--call", "8"]).ok();
    assert!(!clear.contains("crypted"), "{clear}");
    assert!(clear.lines().any(|line| line.starts_with("  smb ") && line.ends_with(", signed")));
}

/// Bytes that were decrypted are told from those of a frame by the name of their tab.
#[cfg(feature = "tui")]
#[test]
fn decrypted_bytes_have_a_tab_that_says_so() {
    let encrypted = "captures/c-enc-AES-128-GCM-sign.pcap";
    for (file, keys, expected) in [
        (SEALED, ": 8 Enter", "[request stub, decrypted] frame 62 ─"),
        (SEALED, ": 8 Enter Tab Tab ]", "request stub, decrypted [frame 62] ━"),
        (encrypted, ": 8 Enter", "[request stub, decrypted] frame 66 ─"),
    ] {
        let screen = vshark(&["--press", keys, "--size", "80x24", "--keys", LAB, file]).ok();
        let title = |rule| screen.contains(&format!("{rule} {expected}"));
        assert!(title("━") || title("─"), "{screen}");
    }
    let sealed = vshark(&["--press", ": 8 Enter", "--size", "80x24", SEALED]).ok();
    assert!(sealed.contains("─ [request stub] frame 62 ─"), "{sealed}");
}

/// What it takes to open a call is said where it is shown.
#[test]
fn a_call_that_stays_sealed_says_what_opens_it() {
    let show = vshark(&["show", SEALED, "--call", "8"]);
    let expected = "vshark: 32 PDUs stay sealed, from frame 22 on: it takes the password or NT hash \
                    of FSLAB\\fsadmin\n";
    assert_eq!(show.err, expected);
    assert!(show.out.contains("encrypted by RPC, and not opened"), "{}", show.out);
    let opened = vshark(&["show", SEALED, "--call", "8", "--keys", LAB]);
    assert!(!opened.out.contains("not opened") && opened.err.is_empty(), "{}", opened.err);
}

#[cfg(feature = "tui")]
#[test]
fn the_terminal_ui_says_what_opens_a_sealed_call() {
    let (screen, _) = bottom(": text:8 Enter Tab g g l", &[SEALED]);
    assert!(screen.contains("sealed: 32 PDUs stay sealed, from frame 22 on: it takes"), "{screen}");
    let (screen, said) = bottom("", &[SEALED]);
    assert!(screen.contains("K takes a file of keys") && said.contains("K keys"), "{screen}");
    let (screen, _) = bottom("K", &[SEALED]);
    assert!(screen.contains("lines of session keys (Wireshark's or Samba's)"), "{screen}");
}

#[cfg(feature = "tui")]
#[test]
fn what_keys_do_not_open_is_told_once() {
    let wrong = keys("wrong.toml", "[[password]]\npassword = 'hunter2'\n");
    for view in ["1", "7"] {
        let (screen, _) = bottom(&format!("K text:{wrong} Enter {view}"), &[SEALED]);
        assert_eq!(screen.matches("32 PDUs stay sealed").count(), 1, "{screen}");
        assert_eq!(screen.matches("16 of 16 calls to 10.77.0.1 are sealed").count(), 1, "{screen}");
        assert!(!screen.contains("16 calls sealed"), "{screen}");
    }
}

#[cfg(feature = "tui")]
#[test]
fn where_all_is_open_that_is_said() {
    for file in [SEALED, "captures/c-enc-AES-128-GCM-sign.pcap"] {
        let (screen, _) = bottom(&format!("K text:{LAB} Enter"), &["--keys", LAB, file]);
        assert!(screen.contains(": all is open already"), "{screen}");
        assert!(!screen.contains("K keys"), "{screen}");
    }
}
