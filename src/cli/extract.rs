//! `-w`: the frames of the calls selected, into a capture of their own.
//!
//! Which frames those are is known when a call is complete, so the input is read twice: once to
//! find them, once to copy them. What is copied is read on the way: of the calls that secrets have
//! opened, those that nothing would open again are told.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use vshark::bytes::FrameNo;
use vshark::call::{Call, Transport};
use vshark::capture::Writer;
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::Registry;
use vshark::rpc::{ChannelId, Message, StubState};
use vshark::security::keys::Keyring;

use super::input::{Inputs, is_stdin};

/// The frames to be written.
#[derive(Default)]
pub(super) struct Wanted {
    calls: u64,
    /// Added by each call selected.
    frames: BTreeSet<FrameNo>,
    /// How many of [`Call::keystream`] were taken, which only grows. Added by calls that NTLM sealed.
    keystreams: HashMap<ChannelId, usize>,
    /// The calls that secrets have opened, and how much of them can be read.
    opened: BTreeMap<Place, Shown>,
}

/// Where a call is: the last frame of its request, or else of its answer, and its `call_id`. Numbers and
/// channels are not the same where less is read.
type Place = (Option<FrameNo>, u32);

/// How much can be read of a request and its answer.
type Shown = [Option<StubState>; 2];

impl Wanted {
    /// Adds the frames that carried a call, and those it cannot be read without.
    pub(super) fn add(&mut self, call: &Call) {
        self.calls += 1;
        let messages = call.rpc.request.iter().chain(&call.rpc.response);
        self.frames.extend(messages.flat_map(|message| &message.frames));
        self.frames.extend(&call.setup);
        if let Some(keystream) = call.keystream.as_deref() {
            let taken = self.keystreams.entry(call.rpc.channel).or_default();
            self.frames.extend(keystream.get(*taken..).unwrap_or(keystream));
            *taken = keystream.len();
        }
        if is_opened(call) {
            self.opened.insert(place(call), shown(call));
        }
    }
}

/// Whether it took a secret to read any of a call.
fn is_opened(call: &Call) -> bool {
    let mut messages = call.rpc.request.iter().chain(&call.rpc.response);
    let encrypted = matches!(&call.transport, Transport::NamedPipe(pipe) if pipe.encrypted);
    encrypted || messages.any(|message| message.unsealed)
}

fn place(call: &Call) -> Place {
    let first = call.rpc.request.as_ref().or(call.rpc.response.as_ref());
    (first.and_then(|message| message.frames.last().copied()), call.rpc.call_id)
}

fn shown(call: &Call) -> Shown {
    [&call.rpc.request, &call.rpc.response].map(|side| side.as_ref().map(Message::stub_state))
}

/// Whether all that could be read of a call before can be read now.
fn lacks_nothing(before: Shown, call: &Call) -> bool {
    let readable =
        |state: &Option<StubState>| matches!(state, Some(StubState::Clear | StubState::Unsealed));
    before.iter().zip(shown(call)).all(|(before, now)| !readable(before) || *before == now)
}

/// Reads what is copied, with nothing but that and the secrets that were given.
struct Check<'r> {
    pipeline: Pipeline<'r>,
    events: Vec<Event>,
    /// The calls that are not opened yet. Removed as they are.
    left: BTreeMap<Place, Shown>,
}

impl<'r> Check<'r> {
    /// `None` where no secret has opened anything.
    fn new(wanted: &Wanted, secrets: &Secrets<'r>) -> Option<Self> {
        if wanted.opened.is_empty() {
            return None;
        }
        // What the first read has learned of tickets is not in this ring.
        let keys = secrets.keys.with(Keyring::default());
        let pipeline = Pipeline::new(secrets.registry).with_keys(Arc::new(keys));
        Some(Self { pipeline, events: Vec::new(), left: wanted.opened.clone() })
    }

    fn take(&mut self) {
        for event in self.events.drain(..) {
            if let Event::Call(call) = event
                && self.left.get(&place(&call)).is_some_and(|before| lacks_nothing(*before, &call))
            {
                self.left.remove(&place(&call));
            }
        }
    }

    /// How many calls stay closed.
    fn finish(mut self) -> usize {
        self.pipeline.finish(&mut self.events);
        self.take();
        self.left.len()
    }
}

/// What opens calls, and decodes them.
pub(super) struct Secrets<'r> {
    pub(super) keys: Arc<Keyring>,
    pub(super) registry: &'r Registry,
}

/// What was written.
pub(super) struct Copied {
    pub(super) frames: u64,
    /// Calls that were opened, and are not where only these frames are read.
    closed: usize,
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
    pub(super) fn write(
        self,
        wanted: &Wanted,
        inputs: &Inputs,
        secrets: &Secrets<'_>,
    ) -> anyhow::Result<String> {
        let name = self.name;
        let out: Box<dyn Write> = match self.file {
            Some(Made { file, .. }) => {
                // Of a pipe or a device there is nothing to remove.
                let _ = file.set_len(0);
                Box::new(BufWriter::new(file))
            }
            None => Box::new(io::stdout().lock()),
        };
        let copied = match copy(out, wanted, inputs, secrets, &|| false) {
            // Whoever reads what we write has seen enough; the caller knows.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(error.into()),
            copied => copied.with_context(|| format!("{name}: could not be written"))?,
        };
        Ok(written(&name, &copied, wanted))
    }

    /// Nothing is written: a file that was made for it goes.
    pub(super) fn give_up(self) {
        if let Some(Made { path, fresh: true, .. }) = self.file {
            let _ = fs::remove_file(&path);
        }
    }
}

/// What was written, in a sentence.
pub(super) fn written(name: &str, copied: &Copied, wanted: &Wanted) -> String {
    let count = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let frames = count(copied.frames, "frame");
    let closed = match copied.closed {
        0 => String::new(),
        n => format!(
            ", of which {n} cannot be opened again, with the same secrets either: not all that it \
             takes is among these frames"
        ),
    };
    format!("{name}: {frames} of {}{closed}", count(wanted.calls, "call"))
}

/// Reads the inputs again and writes what is wanted; gives what that was. Once `stops` says so, it is
/// interrupted.
pub(super) fn copy(
    out: Box<dyn Write + '_>,
    wanted: &Wanted,
    inputs: &Inputs,
    secrets: &Secrets<'_>,
    stops: &dyn Fn() -> bool,
) -> io::Result<Copied> {
    let mut writer = Writer::new(out, None)?;
    let mut left = wanted.frames.iter().copied().peekable();
    let mut capture = inputs.again();
    let mut frames = 0;
    let mut check = Check::new(wanted, secrets);
    while left.peek().is_some() && capture.advance() {
        if stops() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let frame = capture.frame();
        while left.next_if(|no| *no < frame.no).is_some() {}
        if left.next_if_eq(&frame.no).is_some() {
            writer.frame(frame.link, frame.time, frame.wire_len, frame.data)?;
            frames += 1;
            if let Some(check) = &mut check {
                check.pipeline.frame(&frame, &mut check.events);
                check.take();
            }
        }
    }
    writer.flush()?;
    Ok(Copied { frames, closed: check.map_or(0, Check::finish) })
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

#[cfg(test)]
mod tests {
    use super::*;
    use vshark::security::keys::file;

    /// What NTLM has sealed does not open without what it had sealed before.
    #[test]
    fn what_does_not_open_again_is_told() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
        let registry = Registry::embedded().unwrap();
        let text = "[[password]]\nuser = \"backupop\"\npassword = \"Sh4dow!Copy\"\n";
        let keys = Arc::new(file::parse("a test", text).unwrap().ring);
        let inputs = Inputs::new(&[folder.join("scmp/large-privacy.pcap")], true).unwrap();
        let mut pipeline = Pipeline::keeping_setup(&registry).with_keys(Arc::clone(&keys));
        let (mut capture, mut events) = (inputs.again(), Vec::new());
        while capture.advance() {
            pipeline.frame(&capture.frame(), &mut events);
        }
        pipeline.finish(&mut events);
        let eighth = events.into_iter().find_map(|event| match event {
            Event::Call(call) if call.rpc.n == 8 => Some(*call),
            _ => None,
        });
        let mut call = eighth.unwrap();
        for (keystream, said) in [
            (call.keystream.take(), "x.pcapng: 32 frames of 1 call"),
            (
                None,
                "x.pcapng: 19 frames of 1 call, of which 1 cannot be opened again, with the same \
                 secrets either: not all that it takes is among these frames",
            ),
        ] {
            call.keystream = keystream;
            let mut wanted = Wanted::default();
            wanted.add(&call);
            let secrets = Secrets { keys: Arc::clone(&keys), registry: &registry };
            let copied = copy(Box::new(Vec::new()), &wanted, &inputs, &secrets, &|| false);
            assert_eq!(written("x.pcapng", &copied.unwrap(), &wanted), said);
        }
    }
}
