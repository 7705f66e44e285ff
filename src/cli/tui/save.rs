//! What is saved from the UI: new files, which go again where they do not become whole, and packets of
//! calls, written while the UI goes on.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::Registry;
use vshark::security::keys::Keyring;

use super::super::extract::{Secrets, Wanted, copy, written};
use super::super::input::{Inputs, is_stdin};

/// A file that was not there before. Unless it is kept it is gone when this is dropped.
pub(super) struct New {
    /// `None` once it is kept.
    file: Option<File>,
    path: PathBuf,
}

impl New {
    /// Makes it. What is there stays, and the terminal is no file.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        if is_stdin(path) {
            bail!("{name} would be the terminal: name a file");
        }
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(file) => Ok(Self { file: Some(file), path: path.to_path_buf() }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                bail!("{name} is there already: name another file")
            }
            Err(error) => Err(error).with_context(|| format!("{name}: could not be written")),
        }
    }

    /// Its name.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// It is whole.
    pub(super) fn keep(mut self) {
        self.file = None;
    }
}

impl Write for New {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Ok(bytes.len()), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

impl Drop for New {
    fn drop(&mut self) {
        // Where a file is open, not every system lets go of its name.
        if let Some(file) = self.file.take() {
            drop(file);
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Writes the frames of these calls, and those that they cannot be read without, to a new capture;
/// gives what was written, in a sentence. It stops, and nothing is left, once `stops` says so.
pub(super) fn packets(
    path: &Path,
    calls: &[u64],
    inputs: &Inputs,
    registry: &Registry,
    keys: Arc<Keyring>,
    stops: &dyn Fn() -> bool,
) -> anyhow::Result<String> {
    let mut file = New::create(path)?;
    let name = file.name();
    let mut left: BTreeSet<u64> = calls.iter().copied().collect();
    let mut wanted = Wanted::default();
    let mut pipeline = Pipeline::keeping_setup(registry).with_keys(Arc::clone(&keys));
    let mut events = Vec::new();
    let mut capture = inputs.again();
    let mut take = |events: &mut Vec<Event>| {
        for event in events.drain(..) {
            if let Event::Call(call) = event
                && left.remove(&call.rpc.n)
            {
                wanted.add(&call);
            }
        }
        left.is_empty()
    };
    let mut done = false;
    while !done && capture.advance() {
        if stops() {
            bail!("{name}: not saved, as the program was ended");
        }
        pipeline.frame(&capture.frame(), &mut events);
        done = take(&mut events);
    }
    if !done {
        pipeline.finish(&mut events);
        take(&mut events);
    }
    let secrets = Secrets { keys, registry };
    let out = Box::new(BufWriter::new(&mut file));
    let copied = match copy(out, &wanted, inputs, &secrets, stops) {
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            bail!("{name}: not saved, as the program was ended")
        }
        copied => copied.with_context(|| format!("{name}: could not be written"))?,
    };
    if copied.frames == 0 {
        bail!("{name}: not saved, as nothing of it could be read again");
    }
    file.keep();
    Ok(written(&name, &copied, &wanted))
}
