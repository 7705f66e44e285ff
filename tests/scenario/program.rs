//! `vshark scenario` as it is typed.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::read::calls;

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vshark"))
        .arg("scenario")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("vshark runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("it is read");
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

#[test]
fn from_standard_input_to_standard_output() {
    let output = run(&["-", "-o", "-"], "A:1(ctx=0)=0; A:7(S1)=MISMATCH");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &[][..]));
    let opnums: Vec<_> = calls(output.stdout).iter().map(|call| call.rpc.opnum).collect();
    assert_eq!(opnums, [Some(1), Some(7)]);
}

#[test]
fn from_a_file_to_a_file() {
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scenario-backup.pcapng");
    let output = run(&["tests/scenarios/backup.txt", "-o", made.to_str().unwrap()], "");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &[][..]));
    assert_eq!(calls(std::fs::read(&made).unwrap()).len(), 12);
}

#[test]
fn what_is_wrong_is_one_sentence() {
    let said = |arguments: &[&str], input: &str| {
        let output = run(arguments, input);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &[][..]));
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(
        said(&["-", "-o", "-"], "A:0()=0\nA:1(ctx=0)=WRONG"),
        "vshark: standard input:2:12: there is no status `WRONG`\n"
    );
    let gone = said(&["tests/scenarios/gone.txt", "-o", "-"], "");
    assert!(gone.starts_with("vshark: tests/scenarios/gone.txt: cannot be read: "), "{gone}");
    let folder = said(&["-", "-o", "tests"], "A:0()=0");
    assert!(folder.starts_with("vshark: tests: cannot be written: "), "{folder}");
}
