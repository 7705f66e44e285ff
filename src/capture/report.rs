//! What is known of an input and what was wrong with it: [`CaptureFile`], [`Skipped`], [`Problem`].

use std::fmt;

use crate::bytes::{LinkType, Time, printable};

/// Problems kept of one input between two calls of [`Capture::problems`](super::Capture::problems);
/// one more says that the rest is only counted.
pub const MAX_PROBLEMS: usize = 100;

/// Kinds of [`Skipped`] told apart in one input; a file of noise could name 2^32 block types.
const MAX_KINDS: usize = 64;

/// Link types told apart in one input.
const MAX_LINKS: usize = 64;

/// What is known of one input so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureFile {
    /// The path as given; `-` is standard input.
    pub name: String,
    /// `"pcap"` or `"pcapng"`; `None` when the input could not be read at all.
    pub format: Option<&'static str>,
    /// `"gzip"`; `None` when the input is not compressed.
    pub compression: Option<&'static str>,
    /// Link types of its frames, in order of appearance.
    pub links: Vec<LinkType>,
    /// Frames given out.
    pub frames: u64,
    /// Earliest and latest time stamp of these frames, as shifted by
    /// [`Capture::set_shift`](super::Capture::set_shift).
    pub times: Option<(Time, Time)>,
    /// Longest frame the capturing program kept: the largest of all interfaces. Zero, or the
    /// absence of a header that says so, means no limit.
    pub snaplen: u32,
    /// What was passed over.
    pub skipped: Vec<Skipped>,
    /// Bytes read of it, after decompression.
    pub bytes: u64,
    /// Problems found in it, those beyond [`MAX_PROBLEMS`] included.
    pub problems: u64,
}

impl CaptureFile {
    /// Counts a frame that was given out; `time` is `None` when its record has no time stamp.
    pub(super) fn frame(&mut self, link: LinkType, time: Option<Time>) {
        self.frames += 1;
        if let Some(time) = time {
            let (first, last) = self.times.unwrap_or((time, time));
            self.times = Some((first.min(time), last.max(time)));
        }
        if self.links.last() != Some(&link)
            && !self.links.contains(&link)
            && self.links.len() < MAX_LINKS
        {
            self.links.push(link);
        }
    }
}

/// A kind of block that was passed over, and how many there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What it was.
    pub what: Skip,
    /// How many.
    pub count: u64,
}

/// What may be passed over in a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// A pcapng block of this type, whole but of no use here.
    Block(u32),
    /// A pcapng block or a packet that contradicts itself.
    Damaged,
    /// Any further kind, when too many were told apart.
    Other,
}

/// `[pcapng]` 11.1 Standardized Block Type Codes, and those in wide use, which are passed over.
const BLOCKS: &[(u32, &str)] = &[
    (2, "obsolete packet"),
    (4, "name resolution"),
    (5, "interface statistics"),
    (9, "systemd journal"),
    (10, "decryption secrets"),
    (0x0BAD, "custom"),
    (0x4000_0BAD, "custom (not to be copied)"),
    (0x8000_0001, "process information"),
];

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(kind) => match BLOCKS.iter().find(|(n, _)| n == kind) {
                Some((_, name)) => write!(f, "{name} block"),
                None => write!(f, "block of type {kind:#010x}"),
            },
            Self::Damaged => f.write_str("damaged block"),
            Self::Other => f.write_str("block of another type"),
        }
    }
}

/// Something that kept an input, or a part of it, from being read. Its `Display` is the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Name of the input, as in [`CaptureFile::name`].
    pub file: String,
    /// Where in the input; `None` when it could not be opened.
    pub offset: Option<u64>,
    /// Whether `offset` counts the bytes after decompression.
    pub unpacked: bool,
    /// What was found and what was expected.
    pub message: String,
    /// Whether nothing more is read from this input although there may be more in it.
    pub fatal: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file.as_str() {
            "-" => f.write_str("standard input")?,
            file => f.write_str(&printable(file))?,
        }
        if let Some(offset) = self.offset {
            write!(f, ", offset {offset}")?;
            if self.unpacked {
                f.write_str(" after decompression")?;
            }
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Problem {}

/// Where the reader of one input notes what it finds.
pub(super) struct Report<'a> {
    pub(super) file: &'a mut CaptureFile,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl Report<'_> {
    /// Notes a problem, unless the input has had its share.
    pub(super) fn problem(&mut self, offset: Option<u64>, message: String, fatal: bool) {
        self.file.problems += 1;
        let kept = self.problems.iter().filter(|p| p.file == self.file.name);
        let message = match kept.count() {
            n if n < MAX_PROBLEMS || fatal => message,
            MAX_PROBLEMS => "more is wrong from here on, which is only counted".to_owned(),
            _ => return,
        };
        self.problems.push(Problem {
            file: self.file.name.clone(),
            offset,
            unpacked: self.file.compression.is_some(),
            message,
            fatal,
        });
    }

    /// Counts something that was passed over.
    pub(super) fn skip(&mut self, what: Skip) {
        let skipped = &mut self.file.skipped;
        let what = match skipped.len() {
            n if n < MAX_KINDS || skipped.iter().any(|s| s.what == what) => what,
            _ => Skip::Other,
        };
        match skipped.iter_mut().find(|s| s.what == what) {
            Some(found) => found.count += 1,
            None => skipped.push(Skipped { what, count: 1 }),
        }
    }
}
