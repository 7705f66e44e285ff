//! The program as somebody meets it who types its name.

#[path = "common/events.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod events;
#[path = "common/program.rs"]
mod program;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use program::{Run, capture, command, made, piped, vshark};
use vshark::bytes::is_invisible;
use vshark::capture::Capture;
use vshark::pipeline::Pipeline;
use vshark::protocol::Registry;
use vshark::report::text::{CallList, Options};

const BACKUP: &str = "captures/a-ntlm-sign-smb311.pcap";
const LATER: &str = "captures/a5-spnego-sign.pcap";
const ENCRYPTED: &str = "captures/c-enc-AES-128-GCM-sign.pcap";

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let mut found = 0;
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
            found += 1;
        }
    }
    assert_ne!(found, 0, "there is nothing to replace");
    bytes
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The lines of calls, which begin with a number.
fn rows(list: &str) -> Vec<&str> {
    let number = |line: &&str| {
        line.split_whitespace()
            .next()
            .is_some_and(|n| n.trim_end_matches(['!', '?']).parse::<u64>().is_ok())
    };
    list.lines().filter(number).collect()
}

fn column(rows: &[&str], column: usize) -> Vec<String> {
    let cell = |row: &&str| row.split_whitespace().nth(column).unwrap_or_default().to_owned();
    rows.iter().map(cell).collect()
}

#[test]
fn a_file_alone_is_listed() {
    let list = vshark(&[BACKUP]).ok();
    assert_eq!(rows(&list).len(), 16);
    let row = "   8  17:49:18.681  AddToShadowCopySet             \
               set 958131cf… \\\\fss1\\fsrvp_share\\ → copy 9c027e62…";
    assert_eq!(rows(&list)[7], row);
    let head = "VM (10.77.0.11) → FSS1 (10.77.0.1)\n   n  22 Nov UTC    call ";
    assert!(list.starts_with(head), "{list}");
    for same in [&["calls", BACKUP][..], &["-r", BACKUP], &["calls", "-r", BACKUP]] {
        assert_eq!(vshark(same).ok(), list, "{same:?}");
    }
    assert!(vshark(&["calls", "--format", "json", BACKUP]).ok().starts_with("{\"type\":\"call\""));
}

#[test]
fn a_pipe_is_listed_as_the_file_would_be() {
    let texts = |list: &str| -> Vec<Vec<String>> {
        let words = |row: &&str| row.split_whitespace().map(str::to_owned).collect();
        rows(list).iter().map(words).collect()
    };
    let list = texts(&vshark(&[BACKUP]).ok());
    // Nobody knows yet which machines will talk, so they have columns; the rest is the same.
    let list: Vec<Vec<String>> = list
        .into_iter()
        .map(|row| [&row[..2], &["VM".to_owned(), "FSS1".to_owned()], &row[2..]].concat())
        .collect();
    for arguments in [&["-"][..], &["calls", "-"], &["-r", "-"]] {
        assert_eq!(texts(&piped(arguments, &capture(BACKUP)).ok()), list, "{arguments:?}");
    }
    let packed = capture("captures/i-a-gzip.pcap.gz");
    assert_eq!(texts(&piped(&["-"], &packed).ok()), list);
}

#[test]
fn several_files_are_one_list_by_time() {
    let list = vshark(&[LATER, BACKUP]).ok();
    let rows = rows(&list);
    let numbers: Vec<_> = (1..=32).map(|n| n.to_string()).collect();
    let told: Vec<_> =
        column(&rows, 0).iter().map(|n| n.trim_end_matches('!').to_owned()).collect();
    assert_eq!(told, numbers);
    let times = column(&rows, 1);
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!((&*times[15], &*times[16]), ("17:49:18.748", "17:49:24.083"));
    assert_eq!(vshark(&["calls", "-r", LATER, BACKUP]).ok(), list);
}

/// Expected values: `frame.time_relative` and the differences of it that tshark gives for the
/// frames of the requests (27, 37, 47, 57, …; 67 is call 8).
#[test]
fn times_are_written_as_asked() {
    let times = |style: &str, n: usize| {
        let list = vshark(&["calls", "--time", style, BACKUP]).ok();
        column(&rows(&list)[..n], 1)
    };
    assert_eq!(times("utc", 2), ["17:49:18.630", "17:49:18.642"]);
    let relative = ["0.346308", "0.358498", "0.368057", "0.378246"];
    assert_eq!(times("relative", 4), relative);
    assert_eq!(times("relative", 8)[7], "0.397163");
    assert_eq!(times("delta", 4), ["0.000000", "0.012190", "0.009559", "0.010189"]);
    assert_eq!(times("delta", 8)[7], "0.000754");
    let refused = vshark(&["calls", "--time", "sometimes", BACKUP]);
    assert_eq!((refused.code, &*refused.out), (Some(2), ""));
}

#[cfg(unix)]
#[test]
fn local_time_is_that_of_the_machine() {
    let mut command = command(&["--time", "local", BACKUP]);
    let list = Run::from(command.env("TZ", "JST-9").output().expect("vshark runs")).ok();
    assert!(list.contains("\n   n  23 Nov JST    call "), "{list}");
    assert_eq!(column(&rows(&list)[..1], 1), ["02:49:18.630"]);
    let show = ["show", "--time", "local", "--call", "1", BACKUP];
    let mut command = self::command(&show);
    let call = Run::from(command.env("TZ", "JST-9").output().expect("vshark runs")).ok();
    assert!(call.contains("2026-11-23T02:49:18.630375000+09:00"), "{call}");
}

/// The list as a terminal of so many columns gets it.
fn on_terminal(captures: &[&str], width: usize) -> String {
    let registry = Registry::embedded().expect("the built-in interfaces");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths: Vec<_> = captures.iter().map(|capture| folder.join(capture)).collect();
    let mut capture = Capture::open(&paths);
    let mut pipeline = Pipeline::new(&registry);
    let events = events::read(&mut capture, &mut pipeline);
    let options = Options { width: Some(width), ..Options::default() };
    let mut list = CallList::new(&registry, options);
    let mut out = Vec::new();
    for call in events::calls(events) {
        list.call(&call, &mut out).expect("memory can be written");
    }
    list.finish(&mut out).expect("memory can be written");
    without_colours(&String::from_utf8(out).expect("output is UTF-8"))
}

#[test]
fn a_list_fits_the_terminal() {
    let clients = "captures/g-two-clients-in-progress.pcap";
    for width in [60, 80, 100, 140, 300] {
        for captures in [&[BACKUP][..], &["captures/e-py-bad_pdus.pcap"], &[BACKUP, clients]] {
            let list = on_terminal(captures, width);
            let longest = list.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(width), "{width}: {list}");
        }
    }
    // Where everything fits it is as in a file.
    assert_eq!(on_terminal(&[BACKUP], 300), vshark(&[BACKUP]).ok());
    // An answer that is longer than half of what is left keeps that half.
    let list = on_terminal(&[BACKUP], 80);
    let row = "  12  17:49:18.734  GetShareMapping                set 958131cf… → fsrvp_share@…";
    assert_eq!(rows(&list)[11], row);
    assert!(rows(&list)[2].ends_with("  \\\\FS… → FSRVP_E_NOT_SUPPORTED"), "{list}");
    assert!(rows(&list)[8].ends_with("  set 958131cf… within 24… → ok"), "{list}");
    // Two clients have columns, or, where these would leave no room for what was answered, stand
    // above their calls.
    let list = on_terminal(&[clients], 140);
    assert!(list.starts_with("   n  22 Nov UTC    client      server  call "), "{list}");
    let list = on_terminal(&[clients], 80);
    assert!(list.starts_with("10.77.0.11 → FSS1 (10.77.0.1)\n   n  22 Nov UTC    call "), "{list}");
    assert_eq!(list.matches("10.77.0.12 → FSS1 (10.77.0.1)\n").count(), 2, "{list}");
    assert!(
        list.contains("StartShadowCopySet             … → FSRVP_E_SHADOW_COPY_SET_…"),
        "{list}"
    );
}

#[test]
fn calls_of_objects_are_told_in_the_words_of_their_users() {
    let list = |name: &str| vshark(&[&format!("captures/scmp/{name}.pcap")]).ok();
    let holds = |list: &str, expected: &str| {
        for line in expected.lines().map(str::trim).filter(|line| !line.is_empty()) {
            // The width of the column of methods is the list's.
            let found = list.lines().any(|row| {
                let row: Vec<_> = row.split_whitespace().skip(2).collect();
                row.join(" ") == line
            });
            assert!(found, "{line}\n{list}");
        }
    };
    holds(
        &list("mgmt-connect"),
        r"
        IObjectExporter::ServerAlive2 → version 5.7 at 127.0.0.1
        IRemoteSCMActivator::RemoteCreateInstance VssSnapshotMgmt for IVssSnapshotMgmt → IVssSnapshotMgmt 00007c01…, port 49667
        IObjectExporter::ResolveOxid2 0x6d4f1c3a9e5b7702 → 127.0.0.1[49667]
        IObjectExporter::ComplexPing new set +1 -0 objects → set 0x7e57000000000001
        IObjectExporter::SimplePing set 0x7e57000000000001 → ok
        IRemUnknown::RemQueryInterface 00007c01… for IUnknown, IVssSnapshotMgmt → IUnknown 00008002…, IVssSnapshotMgmt 00008403…
        IRemUnknown::RemAddRef 00007c01… +5 → ok
        GetProviderMgmtInterface IVssDifferentialSoftwareSnapshotMgmt → IVssDifferentialSoftwareSnapshotMgmt 00008804…
        QueryVolumesSupportedForSnapshots VSS_VOLSNAP_ATTR_PERSISTENT | VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE → IVssEnumMgmtObject 00008c05…
        IVssEnumMgmtObject::Next celt=2 → 2 × VSS_VOLUME_PROP
        IVssEnumMgmtObject::Skip celt=9 → S_FALSE
        IVssEnumMgmtObject::Clone → IVssEnumMgmtObject 00009006…
        QueryDiffAreasForVolume \\?\Volume{11111111…}\ → IVssEnumMgmtObject 00009407…
        IVssEnumMgmtObject::Next celt=10 → \\?\Volume{11111111…}\ stored on \\?\Volume{22222222…}\: 1.5 of 10 GiB used, S_FALSE
        IVssEnumMgmtObject::Next celt=10 → 3 × VSS_DIFF_VOLUME_PROP, S_FALSE
        IVssEnumMgmtObject::Next celt=1 → nothing, S_FALSE
        AddDiffArea \\?\Volume{44444444…}\ on \\?\Volume{11111111…}\ without a limit → ok
        ChangeDiffAreaMaximumSize \\?\Volume{44444444…}\ on \\?\Volume{11111111…}\ at most 1 GiB → ok
        IRemUnknown::RemRelease 00008c05… -5, 00009006… -5, 00009407… -5, 00009808… -5, … 8 in all → ok
        ",
    );
    let snapshots = r"
        QuerySnapshotsByVolume \\?\Volume{11111111…}\ → IVssEnumObject 00008002…
        IVssEnumObject::Next celt=1 → copy a0a0a0a0… of \\?\Volume{11111111…}\ made 2013-06-06T13:46:40Z
        IVssEnumObject::Next celt=10 → 4 × VSS_SNAPSHOT_PROP, S_FALSE
        IVssEnumObject::Reset → ok
        ";
    holds(&list("snaps-connect"), snapshots);
    holds(&list("ndr64-snaps-connect"), snapshots);
    holds(
        &list("err-hresults"),
        r"
        QuerySnapshotsByVolume \\?\Volume{11111111…}\ of provider deadbeef… → VSS_E_PROVIDER_NOT_REGISTERED
        AddDiffArea \\?\Volume{11111111…}\ on NULL at most 1 GiB → E_INVALIDARG
        ",
    );
    holds(
        &list("ex43-none"),
        r"
        IVssEnumMgmtObject::Next celt=1 → C:\: 20 of 60 GiB free
        IVssEnumMgmtObject::Next celt=1 → D:\: 512 GiB of 1 TiB free
        ",
    );
    let rest = "IActivation::RemoteActivation VssSnapshotMgmt for IVssSnapshotMgmt → IVssSnapshotMgmt 00007c01…, port 49667";
    holds(&list("oldact-connect"), rest);
}

#[test]
fn colours_are_for_those_who_see_them() {
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = command(arguments);
        let variables = variables.iter().copied();
        Run::from(command.envs(variables).output().expect("vshark runs")).ok()
    };
    let plain = run(&[BACKUP], &[]);
    assert!(!plain.contains('\u{1b}'));
    let forced = ("CLICOLOR_FORCE", "1");
    for coloured in [run(&["--color", "always", BACKUP], &[]), run(&[BACKUP], &[forced])] {
        // Green for what went well, red for what failed, and the words as they are.
        let row = |n: usize| coloured.lines().nth(n).expect("a line");
        assert!(row(2).starts_with("\u{1b}[32m   1  "), "{coloured}");
        assert!(row(4).starts_with("\u{1b}[31m   3! "), "{coloured}");
        assert_eq!(without_colours(&coloured), plain);
    }
    assert_eq!(run(&["--color", "never", BACKUP], &[forced]), plain);
    assert_eq!(run(&[BACKUP], &[forced, ("NO_COLOR", "1")]), plain);
    let json = run(&["calls", "--json", "--color", "always", BACKUP], &[]);
    assert!(!json.contains('\u{1b}'));
}

/// `text` without the escape sequences that only colour.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (codes, rest) =
            part.split_once('m').unwrap_or_else(|| panic!("not a colour: {part:?}"));
        assert!(codes.bytes().all(|b| b.is_ascii_digit() || b == b';'), "not a colour: {part:?}");
        plain.push_str(rest);
    }
    plain
}

#[test]
fn every_help_has_examples() {
    let help = vshark(&["--help"]).ok();
    let (_, list) = help.split_once("\nCommands:\n").expect("a list of the commands");
    let (list, _) = list.split_once("\n\n").expect("an end of the list");
    let commands: Vec<_> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"calls") && commands.contains(&"show"), "{commands:?}");
    let with_examples = |help: &str, words: &str| {
        let examples = help.split_once("\nExamples:\n").map(|(_, examples)| examples);
        assert!(examples.is_some_and(|text| text.contains(words)), "{help}");
    };
    with_examples(&help, "vshark backup.pcapng");
    for command in commands.into_iter().filter(|command| *command != "help") {
        for way in [[command, "--help"], ["help", command]] {
            with_examples(&vshark(&way).ok(), &format!("  vshark {command} "));
        }
    }
    let nothing = vshark(&[]);
    assert_eq!((nothing.code, &*nothing.out), (Some(2), ""));
    assert!(nothing.err.contains("Examples:"), "{}", nothing.err);
    let version = format!("vshark {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(vshark(&["--version"]).ok(), version);
}

/// Spans, lengths and values as tshark's tree and byte view have them for frames 67 and 69.
#[test]
fn show_has_the_fields_and_bytes_of_a_call() {
    let text = vshark(&["show", BACKUP, "--call", "8"]).ok();
    for line in [
        "call 8: AddToShadowCopySet ok (0x00000000)",
        "  time        2026-11-22T17:49:18.681230000Z",
        "  elapsed     13.933000 ms",
        "  client      10.77.0.11:34790 (VM)",
        "request stub, 84 bytes, in frame 67",
        "  ShadowCopySetId                    958131cf-1bef-46c9-b6db-7eceda0998bd  [16..32]",
        "  ShareName                          \"\\\\fss1\\fsrvp_share\\\"  [44..84]",
        "  bytes of frame 67 from its offset 214",
        "  0000  f3 e4 45 9b 46 34 28 4a  b2 dd 00 0b d6 61 39 bf   ..E.F4(J.....a9.",
        "request, PDU 1 of 1, 144 bytes",
        "    auth_level                       RPC_C_AUTHN_LEVEL_PKT_INTEGRITY (5)  [121..122]",
        "response stub, 20 bytes, in frame 69",
        "response, PDU 1 of 1, 80 bytes",
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
    }
    let frames = vshark(&["show", "captures/e-py-fragmented.pcap", "--call", "1"]).ok();
    let place = "request stub, 12028 bytes, in frames 28, 29, 31, 33, 34, 36, 38, 39, 41";
    assert!(frames.lines().any(|line| line == place), "{frames}");
}

#[test]
fn show_has_the_headers_and_messages_of_a_frame() {
    let text = vshark(&["show", BACKUP, "--frame", "69"]).ok();
    for line in [
        "frame 69, 2026-11-22T17:49:18.695163000Z, 262 bytes captured",
        "    Source                           02:00:00:77:00:01  [6..12]",
        "    Sequence Number                  2503230927  [38..42]",
        "  0000  02 00 00 77 00 11 02 00  00 77 00 01 08 00 45 00   ...w.....w....E.",
        "SMB message, 196 bytes, in frame 69",
        "    MessageId                        24  [28..36]",
        "DCE/RPC PDU, 80 bytes, in frame 69",
        "    call_id                          12  [12..16]",
        "call 8: AddToShadowCopySet ok (0x00000000)",
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
    }
    // A frame that has a part of a message in its middle.
    let text = vshark(&["show", "captures/e-py-fragmented.pcap", "--frame", "29"]).ok();
    let place = "DCE/RPC PDU, 4200 bytes, in frames 28, 29, 31";
    assert!(text.lines().any(|line| line == place), "{text}");
}

#[test]
fn show_says_which_numbers_there_are() {
    let refusal = |arguments: &[&str]| {
        let run = vshark(&[&["show"], arguments].concat());
        run.refusal(2).to_owned()
    };
    let calls = "the calls are numbered 1 to 16";
    for n in ["17", "0", "18446744073709551615"] {
        let sentence = format!("there is no call {n}: {calls}");
        assert_eq!(refusal(&[BACKUP, "--call", n]), sentence);
    }
    let sentence = "there is no frame 118: the frames are numbered 1 to 117";
    assert_eq!(refusal(&[BACKUP, "--frame", "118"]), sentence);
    let why = refusal(&[ENCRYPTED, "--call", "1"]);
    assert!(why.starts_with("there is no call 1: no RPC call in 116 frames; "), "{why}");
    for wrong in [&["show", BACKUP][..], &["show", BACKUP, "--call", "1", "--frame", "1"]] {
        let run = vshark(wrong);
        assert_eq!((run.code, &*run.out), (Some(2), ""), "{wrong:?}");
    }
}

fn dissectors(name: &str) -> String {
    format!("tests/data/dissectors/{name}")
}

/// The backup with an interface in it that nobody knows.
fn unknown_interface(name: &str) -> String {
    // a8e0653c-2744-4389-a61d-7373df8b2292 and 6d1f0a3e-52c4-4b87-9e0d-3a5b7c9d1e2f on the wire.
    let fsrvp = *b"\x3c\x65\xe0\xa8\x44\x27\x89\x43\xa6\x1d\x73\x73\xdf\x8b\x22\x92";
    let notes = *b"\x3e\x0a\x1f\x6d\xc4\x52\x87\x4b\x9e\x0d\x3a\x5b\x7c\x9d\x1e\x2f";
    made(name, &replaced(&capture(BACKUP), &fsrvp, &notes))
}

#[test]
fn an_interface_is_added_by_its_idl_alone() {
    let file = unknown_interface("adding.pcap");
    let call = |arguments: &[&str]| -> serde_json::Value {
        let json = vshark(&[&["calls", "--json", &file], arguments].concat()).ok();
        serde_json::from_str(json.lines().nth(7).expect("call 8")).expect("JSON")
    };
    let before = call(&[]);
    assert_eq!((&before["grade"], before["method"].as_str()), (&"raw".into(), None));
    assert_eq!(before["interface"]["uuid"], "6d1f0a3e-52c4-4b87-9e0d-3a5b7c9d1e2f");
    let after = call(&["--dissectors", &dissectors("adding")]);
    assert_eq!((&after["grade"], &after["method"]), (&"idl".into(), &"AppendToNote".into()));
    assert_eq!(after["interface"]["name"], "BackupNotes");
    assert_eq!(after["request"]["Text"], r"\\fss1\fsrvp_share\");
    assert_eq!(after["response"]["Line"], "9c027e62-0ab0-437a-b6fc-c9a865d3b113");
    assert_eq!(after["outcome"], "ok");
    // As text: the bare numbers, and then names and values.
    let list = vshark(&[&file]).ok();
    assert!(rows(&list)[7].contains("  6d1f0a3e… v1 opnum 3 "), "{list}");
    let list = vshark(&["--dissectors", &dissectors("adding"), &file]).ok();
    assert!(rows(&list)[7].contains("  BackupNotes.AppendToNote "), "{list}");
    assert!(rows(&list)[5].ends_with(" Kind=NOTE_PLAIN → ok"), "{list}");
}

#[test]
fn a_built_in_interface_is_replaced_by_its_idl() {
    let replacing = dissectors("replacing");
    let list = vshark(&["--dissectors", &replacing, BACKUP]).ok();
    let rows = rows(&list);
    assert!(rows[1].contains("  AskVersions ") && rows[1].ends_with("→ Least=1 Most=1"), "{list}");
    assert!(rows[7].contains("  OurAgent opnum 3 "), "{list}");
    let show = ["show", "--call", "8", "--dissectors", &replacing, BACKUP];
    let text = vshark(&show).ok();
    assert!(text.contains("\n  not decoded "), "{text}");
}

#[test]
fn a_mistake_in_an_idl_is_told_with_its_place() {
    let file = Path::new(&dissectors("broken")).join("broken.idl");
    let run = vshark(&["calls", "--dissectors", &dissectors("broken"), BACKUP]);
    let sentence = format!("{}:11:14: unknown type `NoSuchType`", file.display());
    assert_eq!(run.refusal(2), sentence);
    let run = vshark(&["--dissectors", "tests/data/not-there", BACKUP]);
    let sentence = run.refusal(2);
    assert!(sentence.starts_with("tests/data/not-there: could not be read: "), "{sentence}");
    assert_eq!(sentence.matches("os error").count(), 1, "{sentence}");
    let run = vshark(&["--dissectors", "captures", BACKUP]);
    assert_eq!(
        run.refusal(2),
        "captures: neither *.idl, names.toml, causes.toml or rules/ nor folders that hold them"
    );
}

#[test]
fn output_nobody_reads_ends_quietly() {
    for arguments in [&["-"][..], &["calls", "--json", "-"], &["export", "-"]] {
        let mut command = command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("vshark runs");
        // It has no input yet, so this comes before the first line of output.
        drop(child.stdout.take());
        // It may stop reading as soon as it may not write.
        let _ = child.stdin.take().expect("a pipe").write_all(&capture(BACKUP));
        let run = Run::from(child.wait_with_output().expect("vshark ends"));
        assert_eq!((run.code, &*run.err), (Some(0), ""), "{arguments:?}");
    }
}

/// What somebody noted beside a frame is the first that is shown of it, line by line.
#[test]
fn a_comment_is_shown_with_its_frame() {
    let block = |kind: u32, body: &[u8]| {
        let len = u32::try_from(body.len() + 12).unwrap().to_le_bytes();
        [&kind.to_le_bytes()[..], &len, body, &len].concat()
    };
    let packet = [
        &[0; 12][..],
        b"\x04\0\0\0\x04\0\0\0data",
        b"\x01\0\x08\0this is.\x01\0\x08\0odd \x1b[m.\0\0\0\0",
    ];
    let file = [
        block(0x0A0D_0D0A, b"\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"),
        block(1, &[1, 0, 0, 0, 0, 0, 0, 0]),
        block(6, &packet.concat()),
    ];
    let path = made("noted.pcapng", &file.concat());
    let run = vshark(&["show", "--frame", "1", &path]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let lines: Vec<_> = run.out.lines().collect();
    assert_eq!(lines[0], "comment: this is.");
    assert!(lines[1].starts_with("comment: odd ") && !lines[1].contains('\u{1b}'), "{lines:?}");
    assert!(lines[2].starts_with("frame 1, "), "{lines:?}");
}

/// Files of which nothing can be read: each is one sentence that names it and what to do.
#[test]
fn what_is_no_capture_is_refused_in_a_sentence() {
    let header = &capture(BACKUP)[..20];
    let mut endless = capture(BACKUP)[..60].to_vec();
    endless[32..36].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    let found = ", offset 0: expected a pcap, pcapng or Network Monitor capture, found ";
    for (name, bytes, expected) in [
        ("empty.pcap", &b""[..], format!("{found}an empty file")),
        ("tiny.pcap", b"\xd4\xc3", format!("{found}a file of 2 bytes")),
        ("text.pcap", b"n,time\n1,2\n", format!("{found}text")),
        ("noise.pcap", b"\0\x01\x02\x03\x04", format!("{found}data that starts with 0x00010203")),
        ("trace.etl", b"\0\0\x01\0zzzz", format!("{found}a Windows event trace: convert it ")),
        ("trace.matp", b"PK\x03\x04zzzz", format!("{found}a Message Analyzer trace: export it ")),
        ("trace.zip", b"PK\x03\x04zzzz", format!("{found}a zip archive: unpack it first, ")),
        ("header.pcap", header, ", offset 0: the input ends after 20 of the 24 bytes".to_owned()),
        (
            "endless.pcap",
            &endless,
            ", offset 24: expected a packet record, found one that".to_owned(),
        ),
    ] {
        let path = made(name, bytes);
        for command in [&["calls"][..], &["calls", "--json"]] {
            let run = vshark(&[command, &[&path]].concat());
            let sentence = run.refusal(2);
            assert!(sentence.starts_with(&format!("{path}{expected}")), "{sentence}");
        }
        let sentence = piped(&["-"], bytes).refusal(2).replace("standard input", &path);
        // Only the name says of a trace without a whole header, and of an archive, what it is.
        if !["trace.etl", "trace.matp"].contains(&name) {
            assert!(sentence.starts_with(&format!("{path}{expected}")), "{sentence}");
        }
    }
    let run = vshark(&["tests/not-there.pcap"]);
    let expected = "tests/not-there.pcap: expected a capture file, could not open it: ";
    assert!(run.refusal(2).starts_with(expected), "{}", run.err);
    let run = vshark(&["captures"]);
    assert!(run.refusal(2).starts_with("captures: expected a capture file, found a directory"));
    for command in ["calls", "export"] {
        assert!(vshark(&[command]).refusal(2).starts_with("no capture given: "));
    }
    // With `show` it is told once more that the call is not there.
    let run = vshark(&["show", "--call", "1", &made("show.pcap", b"")]);
    assert_eq!((run.code, run.sentences().len()), (Some(2), 2), "{}", run.err);
    assert_eq!(run.sentences()[1], "there is no call 1: no call could be read");
}

#[test]
fn a_cut_tail_costs_only_the_tail() {
    let whole = capture(BACKUP);
    let path = made("cut.pcap", &whole[..whole.len() - 100]);
    let run = vshark(&[&path]);
    // The last records are acknowledgements of 66 bytes behind headers of 16: one goes, and 18
    // bytes of the one before it.
    let [sentence] = *run.sentences() else { panic!("{}", run.err) };
    let expected = format!(
        "{path}, offset {}: the input ends inside a packet record: 64 bytes are left over where 82 \
         were expected",
        whole.len() - 2 * 82
    );
    assert_eq!(sentence, expected);
    assert_eq!((run.code, &run.out), (Some(0), &vshark(&[BACKUP]).ok()));
}

#[test]
fn one_unreadable_file_does_not_hide_the_others() {
    for others in [["captures/README.md", BACKUP], [BACKUP, "tests/not-there.pcap"]] {
        let run = vshark(&others);
        assert_eq!((run.code, run.sentences().len()), (Some(2), 1), "{}", run.err);
        assert_eq!(run.out, vshark(&[BACKUP]).ok());
    }
}

#[test]
fn an_unknown_link_type_is_named() {
    let mut bytes = capture(BACKUP);
    bytes[20..24].copy_from_slice(&147_u32.to_le_bytes());
    let path = made("link.pcap", &bytes);
    let run = vshark(&[&path]);
    let [first, second] = *run.sentences() else { panic!("{}", run.err) };
    let expected = format!(
        "{path}, frame 1: expected Ethernet, IP, loopback or Linux cooked frames, found link type \
         147, which is not read"
    );
    assert_eq!(first, expected);
    assert!(second.starts_with("no RPC call in 117 frames; "), "{second}");
    assert_eq!((run.code, &*run.out), (Some(2), ""));
    // Beside a capture that can be read it is the same: said, and the other one listed.
    let run = vshark(&[&path, BACKUP]);
    assert_eq!((run.code, run.sentences()), (Some(2), vec![&*expected]));
    assert_eq!(rows(&run.out).len(), 16);
    bytes[20..24].copy_from_slice(&105_u32.to_le_bytes());
    let run = vshark(&[&made("wireless.pcap", &bytes)]);
    assert!(
        run.err.contains("found IEEE 802.11 (link type 105), which is not read\n"),
        "{}",
        run.err
    );
}

#[test]
fn silence_is_not_taken_for_health() {
    for arguments in [&["calls", ENCRYPTED][..], &["calls", "--json", ENCRYPTED]] {
        let run = vshark(arguments);
        assert_eq!(
            run.refusal(0),
            "no RPC call in 116 frames; seen: 87 encrypted SMB messages, which no key at hand \
             opens, and calls in them perhaps; 8 other SMB messages; 116 TCP segments; 1 TCP \
             connection; 87 encrypted messages of SMB session 0x00000000511f933e stay closed: it \
             takes the password or NT hash of FSLAB\\fsadmin"
        );
    }
    // A header and no packet.
    let run = vshark(&[&made("none.pcap", &capture(BACKUP)[..24])]);
    assert_eq!(run.refusal(0), "there is no frame in the input");
    // Calls are listed, and more is known to be hidden.
    let run = vshark(&["captures/b-ntlm-seal-smb311.pcap"]);
    let sentence = "beyond the list: 16 calls sealed by RPC, which no key at hand opens; 32 PDUs stay sealed, from frame 22 on: it takes the \
                    password or NT hash of FSLAB\\fsadmin";
    assert_eq!((run.code, run.sentences()), (Some(0), vec![sentence]));
    let run = vshark(&["captures/i-a-drop5.pcap"]);
    let sentence = "beyond the list: 524 bytes of SMB missing in 2 places: packets that were not \
                    captured; calls 6 and 7 are touched by what is missing";
    assert_eq!(run.sentences(), [sentence]);
}

/// Asserts that `text` does nothing to a terminal but colour and end lines.
#[track_caller]
fn harmless(what: &str, text: &str) {
    let plain = without_colours(text);
    let bad = plain.chars().find(|c| *c != '\n' && is_invisible(*c));
    assert_eq!(bad, None, "{what}: {plain}");
}

#[test]
fn text_from_packets_does_nothing_to_a_terminal() {
    // Clears the screen, turns the line around, sets the title, and forges another row.
    let name = "\u{1b}[2J\\\u{202e}\u{9b}\u{7}\r\n\u{feff}hare";
    let bytes = replaced(&capture(BACKUP), &utf16("fss1\\fsrvp_share"), &{
        let mut name = utf16(name);
        name.extend(utf16(&"x".repeat(16))); // the rest of the old name
        name.truncate(utf16("fss1\\fsrvp_share").len());
        name
    });
    let path = made("hostile.pcap", &bytes);
    for colour in ["always", "never"] {
        for arguments in [
            &["calls"][..],
            &["show", "--call", "8"],
            &["show", "--frame", "67"],
            &["show", "--frame", "15"],
            &["calls", "--json"],
            &["export"],
        ] {
            let run = vshark(&[arguments, &["--color", colour, &path]].concat());
            assert_eq!(run.code, Some(0), "{}", run.err);
            harmless(&format!("{arguments:?}"), &run.out);
            harmless(&format!("{arguments:?}"), &run.err);
        }
    }
    let list = vshark(&[&path]).ok();
    assert_eq!(rows(&list).len(), 16, "{list}");
    let shown = r"\\\u{1b}[2J\\u{202e}\u{9b}\u{7}\u{d}\u{a}\u{feff}hare";
    assert!(rows(&list)[7].contains(shown), "{list}");
    // Who parses the JSON has the name as it was sent.
    let json = vshark(&["calls", "--json", &path]).ok();
    let call: serde_json::Value =
        serde_json::from_str(json.lines().nth(7).expect("call 8")).expect("JSON");
    let share = call["request"]["ShareName"].as_str().expect("a name");
    assert!(share.starts_with(&format!("\\\\{name}")), "{share:?}");
}

#[test]
fn text_from_dissectors_does_nothing_to_a_terminal() {
    let folder = |name: &str, idl: &str, rules: &str| -> String {
        made(&format!("{name}/x.idl"), idl.as_bytes());
        let rules = made(&format!("{name}/rules.toml"), rules.as_bytes());
        let folder: PathBuf = Path::new(&rules).parent().expect("a folder").into();
        folder.to_str().expect("a plain path").to_owned()
    };
    let idl = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("dissectors/ms-fsrvp/fsrvp.idl"),
    )
    .expect("the IDL of FSRVP");
    let rules = "[status]\n\"\\u001b[31m\\u202eRED\" = 0x8004230C\n";
    let named = folder("hostile-names", &idl, rules);
    for arguments in [&["calls"][..], &["show", "--call", "3"], &["export"]] {
        let run = vshark(&[arguments, &["--dissectors", &named, BACKUP]].concat());
        harmless("names", &run.out);
        harmless("names", &run.err);
        assert!(run.code == Some(0) && run.out.contains("RED"), "{}{}", run.out, run.err);
    }
    // What cannot be read is quoted, and the quotation is harmless too.
    let broken = folder("hostile-idl", "interface \u{1b}]0;title\u{7} { }", "");
    let run = vshark(&["calls", "--dissectors", &broken, BACKUP]);
    harmless("a broken IDL", &run.err);
    assert!(run.refusal(2).contains("x.idl:1:11: "), "{}", run.err);
    let run = vshark(&["calls", "no\u{1b}[2J\nvshark: such\u{202e}file"]);
    harmless("a name of a file", &run.err);
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);
}

/// The screens of the README are what the program prints, as far as they go; `…` on a line of its own
/// stands for lines that are left out.
#[test]
fn the_screens_of_the_readme_are_real() {
    let readme = String::from_utf8(capture("README.md")).expect("README is UTF-8");
    let mut screens = 0;
    for block in readme.split("```text\n").skip(1) {
        let (screen, _) = block.split_once("```").expect("the block ends");
        let (command, shown) = screen.split_once('\n').expect("a command and what it prints");
        // What stands in quotes is one argument.
        let mut arguments: Vec<&str> = Vec::new();
        for (n, part) in command.split('\'').enumerate() {
            match n % 2 {
                0 => arguments.extend(part.split_whitespace()),
                _ => arguments.push(part),
            }
        }
        let list = vshark(&arguments[2..]);
        let mut parts = shown.split("…\n");
        let rest = list.out.strip_prefix(parts.next().expect("it shows something"));
        let mut rest = rest.unwrap_or_else(|| panic!("{command}\n{}", list.out));
        for part in parts {
            let (_, behind) = rest
                .split_once(&format!("\n{part}"))
                .unwrap_or_else(|| panic!("{command} does not print\n{part}\n{}", list.out));
            rest = behind;
        }
        screens += 1;
    }
    assert_ne!(screens, 0, "the README shows no screen");
}

#[test]
fn a_filter_chooses_what_is_listed() {
    let refused = ["-Y", "status != 0"];
    let list = vshark(&[&["calls", BACKUP], &refused[..]].concat()).ok();
    assert_eq!(column(&rows(&list), 0), ["3!", "13!"]);
    // Before the command, without one, and in every other form too.
    assert_eq!(vshark(&[&refused[..], &["calls", BACKUP]].concat()).ok(), list);
    assert_eq!(vshark(&["--filter", "status != 0", BACKUP]).ok(), list);
    let numbers = |text: &str| -> Vec<u64> {
        let records = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        records.filter_map(|record: serde_json::Value| record["n"].as_u64()).collect()
    };
    assert_eq!(
        numbers(&vshark(&[&["calls", "--json", BACKUP], &refused[..]].concat()).ok()),
        [3, 13]
    );
    let export = vshark(&[&["export", BACKUP], &refused[..]].concat()).ok();
    assert_eq!(numbers(&export), [3, 13]);
    // What is not shown is counted all the same.
    let summary: serde_json::Value =
        serde_json::from_str(export.lines().last().expect("a summary")).expect("JSON");
    let outcomes = &summary["calls"][0]["outcomes"];
    assert_eq!(outcomes[0], serde_json::json!({ "what": "ok", "count": 14 }));
    // Two inputs, and the file a frame is from.
    let both = ["calls", BACKUP, LATER, "-e", "files,n", "-Y"];
    let later = vshark(&[&both[..], &["files contains a5 && method == SetContext"]].concat()).ok();
    assert_eq!(later.lines().count(), 1);
    assert!(later.starts_with(&format!("{LATER}\t")), "{later}");
}

#[test]
fn show_shows_what_a_filter_chooses() {
    let eight = vshark(&["show", BACKUP, "--call", "8"]).ok();
    assert_eq!(vshark(&["show", BACKUP, "-Y", "fsrvp.AddToShadowCopySet"]).ok(), eight);
    let nine = vshark(&["show", BACKUP, "--call", "9"]).ok();
    assert_eq!(vshark(&["show", BACKUP, "-Y", "n in {8..9}"]).ok(), format!("{eight}\n{nine}"));
    let refusal =
        |arguments: &[&str]| vshark(&[&["show", BACKUP], arguments].concat()).refusal(2).to_owned();
    assert_eq!(refusal(&["--call", "8", "-Y", "n == 9"]), "call 8 is not what the filter asks for");
    assert_eq!(refusal(&["-Y", "mgmt"]), "no call is what the filter asks for, of 16 in all");
    assert_eq!(
        refusal(&[]),
        "say what to show: --call N, --frame N, or -Y with what the calls have in common"
    );
}

#[test]
fn fields_are_columns() {
    let columns = ["calls", BACKUP, "-e", "n", "-e", "method,status.name", "-e", "frame.number"];
    let text = vshark(&[&columns[..], &["--header", "-Y", "n < 4"]].concat()).ok();
    let expect = "n\tmethod\tstatus.name\tframe.number\n1\tIsPathSupported\tZERO\t27,29\n\
                  2\tGetSupportedVersion\tZERO\t37,39\n\
                  3\tIsPathShadowCopied\tFSRVP_E_NOT_SUPPORTED\t47,49\n";
    assert_eq!(text, expect);
    assert_eq!(vshark(&[BACKUP, "--format", "fields", "-e", "n", "-Y", "n==5"]).ok(), "5\n");
    let refused = |arguments: &[&str], expect: &str| {
        assert_eq!(vshark(&[&["calls", BACKUP], arguments].concat()).refusal(2), expect);
    };
    refused(
        &["--format", "fields"],
        "name the fields to write: -e FIELD (`vshark names` lists them)",
    );
    refused(&["--json", "-e", "n"], "-e writes fields: leave --format out, or --format fields");
    refused(&["--header"], "--header is for fields: name them with -e");
    let elsewhere = vshark(&["-e", "n", "export", BACKUP]);
    let expect = "-e, -w, --header and --format belong to `vshark calls`";
    assert_eq!(elsewhere.refusal(2), expect);
    // A tab or a line end in a value does not make a column or a line.
    let share = utf16("fsrvp_share");
    let bad = utf16("fs\tp\n\u{1b}share");
    let file = made("tabs.pcap", &replaced(&capture(BACKUP), &share, &bad));
    let text = vshark(&["calls", &file, "-e", "n", "-e", "fsrvp.ShareName", "-Y", "n == 8"]).ok();
    assert_eq!(text, "8\t\\\\fss1\\fs\\u{9}p\\u{a}\\u{1b}share\\\n");
}

#[test]
fn a_mistake_in_a_filter_is_pointed_at() {
    for command in ["calls", "show", "export"] {
        let run = vshark(&[command, BACKUP, "-Y", "fsrvp && stauts != 0"]);
        assert_eq!((run.code, &*run.out), (Some(2), ""));
        let expect = "vshark: filter: column 10: there is no field `stauts`; did you mean \
                      `status`?\n  fsrvp && stauts != 0\n           ^^^^^^\n";
        assert_eq!(run.err, expect);
    }
    let run = vshark(&["calls", BACKUP, "-e", "n", "-e", "methot"]);
    let expect = "vshark: -e: column 1: there is no field `methot`; did you mean `method`?\n  \
                  methot\n  ^^^^^^\n";
    assert_eq!((run.code, &*run.err), (Some(2), expect));
    // That nothing was chosen is no health, and no error either.
    let run = vshark(&["calls", BACKUP, "-Y", "fault"]);
    assert_eq!((run.code, &*run.out), (Some(0), ""));
    assert_eq!(run.sentences(), ["none of the 16 calls is what the filter asks for"]);
}

#[test]
fn fields_and_filters_are_explained() {
    let all = vshark(&["names"]).ok();
    assert!(all.lines().all(|line| line.split('\t').count() == 3), "{all}");
    let row = "fsrvp.CreationTimestamp\ta time\tCreationTimestamp in FileServerVssAgent (also \
               fsrvp.tstamp)";
    assert!(all.lines().any(|line| line == row), "{all}");
    let some = vshark(&["names", "SHARENAME"]).ok();
    assert!(some.lines().count() >= 3 && some.lines().all(|line| all.contains(line)), "{some}");
    let own = vshark(&["names", "note", "--dissectors", &dissectors("adding")]).ok();
    assert!(own.lines().any(|line| line.starts_with("BackupNotes.AppendToNote\t")), "{own}");
    assert_eq!(
        vshark(&["names", "nonsense"]).refusal(2),
        "no field has `nonsense` in its name or explanation"
    );
    // Every example of the explanation is one.
    let filters = vshark(&["names", "--filters"]).ok();
    let (examples, _) = filters.split_once("TESTS").expect("a part with the tests");
    let examples: Vec<&str> =
        examples.lines().filter_map(|line| line.strip_prefix("  ")?.split("   ").next()).collect();
    assert!(examples.len() >= 8, "{examples:?}");
    for example in examples {
        assert_eq!(vshark(&["calls", BACKUP, "-Y", example]).code, Some(0), "{example}");
    }
}

#[test]
fn completions_and_the_manual_page_know_everything() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = vshark(&["completions", shell]).ok();
        // Not every shell is told which values an option takes.
        let names = ["fsrvp.ShareName", "frame.number"].iter().filter(|_| shell.len() < 5);
        for word in names.chain(&["calls", "--filter", "completions"]) {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let page = vshark(&["man"]).ok();
    for part in [".TH VSHARK", ".SS vshark calls", ".SS vshark export", "FILTERS AND FIELDS"] {
        assert!(page.contains(part), "{part}");
    }
    // Text is never taken for a request of roff's.
    let requests =
        ["ie", "el", "ds", "TH", "SH", "SS", "TP", "PP", "RS", "RE", "nf", "fi", "br", "IP", "sp"];
    for line in page.lines().filter(|line| line.starts_with(['.', '\''])) {
        let word = line[1..].split(' ').next().expect("a word");
        assert!(requests.contains(&word), "{line}");
    }
}

/// What was read up to the interruption is listed and told, though the writer goes on.
#[cfg(unix)]
#[test]
fn an_interrupted_read_tells_what_there_was() {
    use std::io::{BufRead, BufReader, Read};
    let mut command = command(&["calls", "-", "-e", "n"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("vshark runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let capture = capture(BACKUP);
    // The last record stays unfinished.
    stdin.write_all(&capture[..capture.len() - 10]).expect("vshark reads");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    for n in 1..=16 {
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        assert_eq!(line, format!("{n}\n"));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("kill runs").success());
    let (mut rest, mut said) = (String::new(), String::new());
    out.read_to_string(&mut rest).expect("UTF-8");
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
    let code = child.wait().expect("vshark ends").code();
    drop(stdin);
    let expect = "vshark: interrupted after 116 frames with 16 calls (14 ok, 2 failed)\n";
    assert_eq!((code, &*rest, &*said), (Some(0), "", expect));
}

#[test]
fn a_scenario_is_never_written_over() {
    let file = made("own.txt", b"A:0()=0->1,1");
    let run = vshark(&["scenario", &file, "-o", &file]);
    assert!(run.refusal(2).contains("is being read: name another file to write"), "{}", run.err);
    assert_eq!(fs::read(&file).expect("it is there"), b"A:0()=0->1,1");
}
