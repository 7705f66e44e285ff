//! `-w`: the frames of the calls selected, into a capture of their own.
//!
//! Which frames those are is known when a call is complete, so the input is read twice: once to
//! find them, once to copy them.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use vshark::bytes::FrameNo;
use vshark::call::Call;
use vshark::capture::Writer;

use super::input::{Inputs, is_stdin};

/// The frames to be written.
#[derive(Default)]
pub(super) struct Wanted {
    calls: u64,
    /// Added by each call selected.
    frames: BTreeSet<FrameNo>,
}

impl Wanted {
    /// Adds the frames that carried a call, and those it cannot be read without.
    pub(super) fn add(&mut self, call: &Call) {
        self.calls += 1;
        let messages = call.rpc.request.iter().chain(&call.rpc.response);
        self.frames.extend(messages.flat_map(|message| &message.frames));
        self.frames.extend(&call.setup);
    }
}

/// A capture to be written.
pub(super) struct Extract {
    name: String,
    /// `None` for standard output.
    file: Option<Made>,
}

/// A file that is open for writing. What it had before is in it until something is written.
struct Made {
    file: File,
    path: PathBuf,
    /// Whether there was none.
    fresh: bool,
}

impl Extract {
    /// Makes the file, so that it is known before a long read whether it can be.
    pub(super) fn create(path: &Path, inputs: &[PathBuf]) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        if is_stdin(path) {
            return Ok(Self { name: "standard output".to_owned(), file: None });
        }
        if inputs.iter().any(|input| is_same(input, path)) {
            bail!("{name} is being read: name another file to write");
        }
        let fresh = !path.exists();
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.with_context(|| format!("{name}: could not be written"))?;
        Ok(Self { name, file: Some(Made { file, path: path.to_path_buf(), fresh }) })
    }

    /// Whether the frames go where a list would.
    pub(super) fn is_stdout(&self) -> bool {
        self.file.is_none()
    }

    /// Reads the inputs again and writes what is wanted; gives what was written, in a sentence.
    pub(super) fn write(self, wanted: &Wanted, inputs: &Inputs) -> anyhow::Result<String> {
        let name = self.name;
        let out: Box<dyn Write> = match self.file {
            Some(Made { file, .. }) => {
                // Of a pipe or a device there is nothing to remove.
                let _ = file.set_len(0);
                Box::new(BufWriter::new(file))
            }
            None => Box::new(io::stdout().lock()),
        };
        let frames = match copy(out, wanted, inputs, &|| false) {
            // Whoever reads what we write has seen enough; the caller knows.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(error.into()),
            frames => frames.with_context(|| format!("{name}: could not be written"))?,
        };
        Ok(written(&name, frames, wanted))
    }

    /// Nothing is written: a file that was made for it goes.
    pub(super) fn give_up(self) {
        if let Some(Made { path, fresh: true, .. }) = self.file {
            let _ = fs::remove_file(&path);
        }
    }
}

/// What was written, in a sentence.
pub(super) fn written(name: &str, frames: u64, wanted: &Wanted) -> String {
    let count = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    format!("{name}: {} of {}", count(frames, "frame"), count(wanted.calls, "call"))
}

/// Reads the inputs again and writes what is wanted; gives how many frames that were. Once `stops` says
/// so, it is interrupted.
pub(super) fn copy(
    out: Box<dyn Write + '_>,
    wanted: &Wanted,
    inputs: &Inputs,
    stops: &dyn Fn() -> bool,
) -> io::Result<u64> {
    let mut writer = Writer::new(out, None)?;
    let mut left = wanted.frames.iter().copied().peekable();
    let mut capture = inputs.again();
    let mut frames = 0;
    while left.peek().is_some() && capture.advance() {
        if stops() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let frame = capture.frame();
        while left.next_if(|no| *no < frame.no).is_some() {}
        if left.next_if_eq(&frame.no).is_some() {
            writer.frame(frame.link, frame.time, frame.wire_len, frame.data)?;
            frames += 1;
        }
    }
    writer.flush()?;
    Ok(frames)
}

/// Whether two paths lead to one file.
pub(super) fn is_same(a: &Path, b: &Path) -> bool {
    // What the shell has made standard input, where the system has a name for it.
    let a = if is_stdin(a) { Path::new("/dev/stdin") } else { a };
    let (Ok(a), Ok(b)) = (fs::canonicalize(a), fs::canonicalize(b)) else { return false };
    a == b || is_same_file(&a, &b)
}

/// Whether two names are links to one file.
#[cfg(unix)]
fn is_same_file(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let about = |path: &Path| path.metadata().map(|about| (about.dev(), about.ino())).ok();
    about(a).is_some_and(|a| Some(a) == about(b))
}

#[cfg(not(unix))]
fn is_same_file(_: &Path, _: &Path) -> bool {
    false
}
