//! Capture files: any number of them, read once, forwards, as one sequence of frames.
//!
//! Takes paths or readers, gives [`Frame`]s in time order, and says what could not be read. Knows
//! how captures are stored and nothing of what is in the frames.
//!
//! ```text
//!  path, `-`, reader ─► Window ──► (unpack ─► Window) ─► Format: pcap, pcapng, … ─► Record ┐
//!  path, `-`, reader ─► Window ──► …                                             ─► Record ┼─► Frame
//! ```
//!
//! A `Window` holds one growing buffer; a frame is borrowed from it until the next
//! [`Capture::advance`]. Every format reads forwards but Network Monitor's, which says itself where
//! its frames are: a `Window` can be given places for that. Behind damage `resync` finds the next
//! records that can be trusted. To read another format, add a file beside `pcap.rs` and a variant to
//! `Format`; another compression is an arm in `unpack.rs`.

mod fields;
mod framing;
mod interface;
mod netmon;
mod open;
mod origins;
mod pcap;
mod pcapng;
mod places;
mod report;
mod resync;
mod spool;
mod unpack;
mod window;
mod write;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::bytes::{FrameNo, LinkType, Time, clamp};
use open::Format;
use report::{Found, Report};
use spool::Input as Bytes;
use window::Window;

pub use origins::Origins;
pub use places::{Again, Kept, read_at};
pub use report::{
    BlockKind, CaptureFile, MAX_KINDS, MAX_PROBLEMS, Problem, SecretsKind, Skip, Skipped,
};
pub use spool::temporary;
pub use window::MAX_BLOCK;
pub use write::Writer;

/// Files held open at the same time. Of a longer list (a ring buffer's set) each is opened to learn
/// the time of its first frame, closed, and opened again when its turn comes.
const MAX_OPEN: usize = 32;

/// One frame, as it was captured.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its number over all inputs as merged.
    pub no: FrameNo,
    /// When it was captured. A frame without a time stamp has that of the frame before it.
    pub time: Time,
    /// What its bytes start with.
    pub link: LinkType,
    /// What was captured of it.
    pub data: &'a [u8],
    /// Where `data` begins in the input, once that is unpacked.
    pub offset: u64,
    /// Its length on the wire, without a frame check sequence that the capture says it has.
    pub wire_len: u32,
    /// What somebody wrote beside it, one comment a line.
    pub comment: Option<&'a str>,
    /// Which of [`Capture::files`] it is from.
    pub file: usize,
    /// Its number in that file, 1-based, as Wireshark numbers it.
    pub no_in_file: u64,
}

/// Where the next packet lies in its window.
struct Record {
    time: Time,
    /// Whether `time` is the record's own.
    stamped: bool,
    link: LinkType,
    wire_len: u32,
    /// Where the packet's bytes start, from the start of the record.
    at: usize,
    /// Number of captured bytes.
    len: usize,
    /// Length of the record.
    whole: usize,
    /// Records before it that have a number but no packet.
    unseen: u64,
    comment: Option<String>,
}

/// An input that is open.
struct Source {
    window: Window,
    format: Format,
}

struct Input {
    /// `None` for a reader, which cannot be opened again.
    path: Option<PathBuf>,
    /// `None` when it has been read to its end or waits, closed, for its turn.
    source: Option<Source>,
    /// Its next packet, in the window of its source.
    next: Option<Record>,
    /// Whether it was closed after a look at its first packet.
    parked: bool,
    /// Number of the last frame given out.
    no: u64,
    /// Nanoseconds added to the time of each of its frames.
    shift: i64,
    /// What it was unpacked to, where that is kept.
    unpacked: Option<File>,
}

/// All inputs, and the current frame.
///
/// INVARIANT: `files` and `inputs` go together, one each per input; `waiting` has an entry for every
/// input that has a `next` or is parked, except the current one.
pub struct Capture {
    files: Vec<CaptureFile>,
    inputs: Vec<Input>,
    found: Found,
    /// Inputs by the time of their next frame; equal times go by the order of the inputs.
    waiting: BinaryHeap<Reverse<(Time, usize)>>,
    started: bool,
    current: Option<usize>,
    no: u64,
    /// Whether what compressed inputs are unpacked to is kept.
    keeps: bool,
}

impl Capture {
    /// Opens every path, `-` being standard input. What cannot be read is a [`Problem`], and the
    /// others are still read.
    pub fn open(paths: &[PathBuf]) -> Self {
        Self::open_with(paths, &mut |_| None)
    }

    /// The same, where `reader` may give the bytes of an input instead of the path.
    pub fn open_with(
        paths: &[PathBuf],
        reader: &mut dyn FnMut(&Path) -> Option<Box<dyn Read + Send>>,
    ) -> Self {
        Self::empty().with(paths, reader)
    }

    /// The same; what compressed inputs are unpacked to is kept, so that each frame can be read
    /// again at its `offset` in [`Capture::unpacked`].
    pub fn open_keeping(
        paths: &[PathBuf],
        reader: &mut dyn FnMut(&Path) -> Option<Box<dyn Read + Send>>,
    ) -> Self {
        Self { keeps: true, ..Self::empty() }.with(paths, reader)
    }

    fn with(
        mut self,
        paths: &[PathBuf],
        reader: &mut dyn FnMut(&Path) -> Option<Box<dyn Read + Send>>,
    ) -> Self {
        for path in paths {
            let park = paths.len() > MAX_OPEN && path.is_file();
            let name = path.to_string_lossy().into_owned();
            let bytes = match reader(path) {
                Some(reader) => Ok(Bytes::Stream(reader)),
                None => open::path(path),
            };
            // Of a mere look nothing is kept.
            let file = self.add(name, bytes, Some(path.clone()), self.keeps && !park);
            if park {
                self.park(file);
            }
        }
        self
    }

    /// What a compressed input is unpacked to, as far as it has been read, where it is kept. Of a long
    /// list of inputs it is known once the first frame of this one is there.
    pub fn unpacked(&self, file: usize) -> Option<&File> {
        self.inputs.get(file)?.unpacked.as_ref()
    }

    /// One input that is already open, as tests and programs that capture for themselves have it.
    pub fn from_reader(name: impl Into<String>, reader: Box<dyn Read + Send>) -> Self {
        Self::from_readers([(name.into(), reader)])
    }

    /// Several inputs that are already open.
    pub fn from_readers(readers: impl IntoIterator<Item = (String, Box<dyn Read + Send>)>) -> Self {
        let mut capture = Self::empty();
        for (name, reader) in readers {
            capture.add(name, Ok(Bytes::Stream(reader)), None, false);
        }
        capture
    }

    /// Moves to the next frame in time order over all inputs; false when there is none.
    ///
    /// The frames of one input stay in their order even where its time goes back.
    pub fn advance(&mut self) -> bool {
        if !self.started {
            self.started = true;
            for file in 0..self.inputs.len() {
                self.read(file);
            }
        }
        if let Some(file) = self.current.take() {
            self.read(file);
        }
        while let Some(Reverse((_, file))) = self.waiting.pop() {
            if self.inputs.get(file).is_some_and(|input| input.parked) {
                self.unpark(file);
                continue;
            }
            self.give(file);
            return true;
        }
        false
    }

    /// The current frame; an empty one before the first and after the last.
    pub fn frame(&self) -> Frame<'_> {
        self.current.and_then(|file| self.frame_of(file)).unwrap_or(Frame {
            no: FrameNo(self.no),
            time: Time::default(),
            link: LinkType::NULL,
            data: &[],
            offset: 0,
            wire_len: 0,
            comment: None,
            file: 0,
            no_in_file: 0,
        })
    }

    fn frame_of(&self, file: usize) -> Option<Frame<'_>> {
        let input = self.inputs.get(file)?;
        let record = input.next.as_ref()?;
        let window = &input.source.as_ref()?.window;
        let held = window.held();
        let at = u64::try_from(record.at).unwrap_or_default();
        Some(Frame {
            no: FrameNo(self.no),
            time: record.time,
            link: record.link,
            data: held.get(record.at..record.at.saturating_add(record.len))?,
            offset: window.offset().saturating_add(at),
            wire_len: record.wire_len.max(clamp(record.len)),
            comment: record.comment.as_deref(),
            file,
            no_in_file: input.no,
        })
    }

    /// What is known of each input so far, in the order they were given.
    pub fn files(&self) -> &[CaptureFile] {
        &self.files
    }

    /// The problems found since this was asked last, in the order they were found.
    pub fn problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.found.problems)
    }

    /// The names that the captures themselves give to addresses, as far as they were read and not
    /// asked for yet; where an address has several, the first one counts.
    pub fn names(&mut self) -> Vec<(IpAddr, String)> {
        std::mem::take(&mut self.found.names)
    }

    /// Moves the clock of one of [`Capture::files`]: `nanos` are added to the time of each frame that
    /// is given out from now on, before the inputs are merged by time. Another shift replaces it.
    pub fn set_shift(&mut self, file: usize, nanos: i64) {
        let Some(input) = self.inputs.get_mut(file) else { return };
        let by = nanos.saturating_sub(input.shift);
        input.shift = nanos;
        if let Some(record) = input.next.as_mut().filter(|_| self.current != Some(file)) {
            record.time = record.time.plus(by);
        }
        self.waiting = std::mem::take(&mut self.waiting)
            .into_iter()
            .map(|Reverse((time, of))| Reverse((if of == file { time.plus(by) } else { time }, of)))
            .collect();
    }

    fn empty() -> Self {
        Self {
            files: Vec::new(),
            inputs: Vec::new(),
            found: Found::default(),
            waiting: BinaryHeap::new(),
            started: false,
            current: None,
            no: 0,
            keeps: false,
        }
    }

    /// Adds an input and recognises what it is; gives its place.
    fn add(
        &mut self,
        name: String,
        bytes: Result<Bytes, String>,
        path: Option<PathBuf>,
        keeps: bool,
    ) -> usize {
        let mut about = CaptureFile { name, ..CaptureFile::default() };
        let mut input = Input {
            path,
            source: None,
            next: None,
            parked: false,
            no: 0,
            shift: 0,
            unpacked: None,
        };
        input.begin(bytes, &mut about, &mut self.found, keeps);
        self.files.push(about);
        self.inputs.push(input);
        self.inputs.len() - 1
    }

    /// Reads the next packet of an input into memory and lets it wait for its turn.
    fn read(&mut self, file: usize) {
        let (Some(input), Some(about)) = (self.inputs.get_mut(file), self.files.get_mut(file))
        else {
            return;
        };
        let Some(Source { window, format }) = &mut input.source else {
            return;
        };
        if let Some(read) = input.next.take() {
            window.consume(read.whole);
        }
        let mut report = Report { file: about, found: &mut self.found };
        input.next = format.next(window, &mut report);
        report.file.bytes = report.file.bytes.max(window.offset());
        if let Some(record) = &mut input.next {
            record.time = record.time.plus(input.shift);
            self.waiting.push(Reverse((record.time, file)));
            return;
        }
        if let Some(e) = window.take_error() {
            let at = Some(window.offset());
            let message = open::unreadable(&e, report.file.compression);
            report.problem(at, message, true);
        }
        let left = u64::try_from(window.held().len()).unwrap_or_default();
        report.file.bytes = report.file.bytes.max(window.offset().saturating_add(left));
        input.source = None;
    }

    /// Makes the packet of `file` that is in memory the current frame.
    fn give(&mut self, file: usize) {
        let (Some(input), Some(about)) = (self.inputs.get_mut(file), self.files.get_mut(file))
        else {
            return;
        };
        if let Some(record) = &input.next {
            let step = record.unseen.saturating_add(1);
            input.no = input.no.saturating_add(step);
            self.no = self.no.saturating_add(step);
            self.current = Some(file);
            about.frame(record.link, Some(record.time).filter(|_| record.stamped));
        }
    }

    /// Learns when a file that was just opened starts, and closes it until then.
    fn park(&mut self, file: usize) {
        let noted = (self.found.problems.len(), self.found.names.len());
        self.read(file);
        let (Some(input), Some(about)) = (self.inputs.get_mut(file), self.files.get_mut(file))
        else {
            return;
        };
        if input.next.take().is_some() {
            input.source = None;
            input.parked = true;
            // All of it is found again when the file is read in earnest.
            self.found.problems.truncate(noted.0);
            self.found.names.truncate(noted.1);
            about.skipped.clear();
            about.blocks.clear();
            about.comments.clear();
            about.problems = 0;
        }
    }

    /// Opens a parked file again and reads its first packet.
    fn unpark(&mut self, file: usize) {
        let (Some(input), Some(about)) = (self.inputs.get_mut(file), self.files.get_mut(file))
        else {
            return;
        };
        input.parked = false;
        if let Some(bytes) = input.path.as_deref().map(open::path) {
            input.begin(bytes, about, &mut self.found, self.keeps);
        }
        self.read(file);
    }
}

impl Input {
    /// Recognises an input that was opened, or notes why it was not.
    fn begin(
        &mut self,
        bytes: Result<Bytes, String>,
        file: &mut CaptureFile,
        found: &mut Found,
        keeps: bool,
    ) {
        let mut report = Report { file, found };
        match bytes {
            Ok(bytes) => {
                let kept = keeps.then_some(&mut self.unpacked);
                self.source = open::input(bytes, &mut report, kept);
            }
            Err(message) => {
                report.problem(None, message, true);
                self.source = None;
            }
        }
    }
}

/// The low half of a number whose high half means something else.
fn low_u16(n: u32) -> u16 {
    u16::try_from(n & 0xffff).unwrap_or_default()
}
