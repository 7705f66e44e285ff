//! The program, run as somebody runs it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What came of a run.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Run {
    /// The output of a run that had nothing to complain about.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!((self.code, &*self.err), (Some(0), ""));
        self.out
    }

    /// The sentences on standard error, each on one line, without the name of the program.
    #[track_caller]
    pub(crate) fn sentences(&self) -> Vec<&str> {
        let sentence = |line| str::strip_prefix(line, "vshark: ");
        let lines = self.err.lines();
        lines.map(|line| sentence(line).unwrap_or_else(|| panic!("{line}"))).collect()
    }

    /// The one sentence of a run that ended with `code` and printed nothing else.
    #[track_caller]
    pub(crate) fn refusal(&self, code: i32) -> &str {
        assert_eq!((self.code, &*self.out), (Some(code), ""), "{}", self.err);
        let [sentence] = *self.sentences() else { panic!("not one sentence: {}", self.err) };
        sentence
    }
}

/// The program in the folder of the project, without the tester's wishes about colour and time.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vshark"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::null());
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TZ", "VSHARK_KEYS"] {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn vshark(arguments: &[&str]) -> Run {
    command(arguments).output().expect("vshark runs").into()
}

/// The program with `input` coming through a pipe.
pub(crate) fn piped(arguments: &[&str], input: &[u8]) -> Run {
    let mut command = command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("vshark runs");
    // The captures are small: nothing waits for the output to be taken before the input is read.
    child.stdin.take().expect("a pipe").write_all(input).expect("vshark reads");
    child.wait_with_output().expect("vshark ends").into()
}

/// A capture that comes with the project.
pub(crate) fn capture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("the capture is there")
}

/// A file made for one test; `name` is used by no other.
pub(crate) fn made(name: &str, bytes: &[u8]) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(&path, bytes).expect("the file can be written");
    path.to_str().expect("a plain path").to_owned()
}
