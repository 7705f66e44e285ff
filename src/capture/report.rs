//! What is known of an input and what was wrong with it: [`CaptureFile`], [`Skipped`], [`Problem`].

use std::fmt;
use std::net::IpAddr;

use crate::bytes::{LinkType, Time, printable};

/// Problems kept of one input between two calls of [`Capture::problems`](super::Capture::problems);
/// one more says that the rest is only counted.
pub const MAX_PROBLEMS: usize = 100;

/// Kinds of [`Skipped`] and of blocks told apart in one input; a file of noise could name 2^32 block types.
pub const MAX_KINDS: usize = 64;

/// Link types told apart in one input.
const MAX_LINKS: usize = 64;

/// Comments kept of one input.
const MAX_COMMENTS: usize = 64;

/// Bytes kept of a comment.
pub(super) const MAX_COMMENT: usize = 4096;

/// Octets kept of a name; no name of the domain name system is longer.
const MAX_NAME: usize = 255;

/// Names of hosts kept of all inputs between two calls of [`Capture::names`](super::Capture::names).
const MAX_NAMES: usize = 4096;

/// What is known of one input so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureFile {
    /// The path as given; `-` is standard input.
    pub name: String,
    /// `"pcap"`, `"pcapng"` or `"netmon"`; `None` when the input could not be read at all.
    pub format: Option<&'static str>,
    /// `"gzip"`, `"zstd"` or `"lz4"`; `None` when the input is not compressed.
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
    /// pcapng: how many blocks of each type there were, in order of appearance; the damaged ones
    /// that are whole included. Types beyond the first [`MAX_KINDS`] are not listed.
    pub blocks: Vec<(BlockKind, u64)>,
    /// What its sections and interfaces say of themselves in comments.
    pub comments: Vec<String>,
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
    Block(BlockKind),
    /// A pcapng block with secrets of this type, none of which opens what is read here.
    Secrets(SecretsKind),
    /// A frame of Network Monitor that is no packet, or none that can be read, by its media type.
    Media(u16),
    /// A block or a packet that contradicts itself.
    Damaged,
    /// Any further kind, when too many were told apart.
    Other,
}

/// `[pcapng]` 11.1 Standardized Block Type Codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockKind(pub u32);

/// The standardized block types, and those in wide use.
const BLOCKS: &[(u32, &str)] = &[
    (1, "interface description"),
    (2, "obsolete packet"),
    (3, "simple packet"),
    (4, "name resolution"),
    (5, "interface statistics"),
    (6, "enhanced packet"),
    (7, "IRIG time stamp"),
    (8, "ARINC 429"),
    (9, "systemd journal"),
    (10, "decryption secrets"),
    (0x0201, "Sysdig machine information"),
    (0x0202, "Sysdig process information"),
    (0x0203, "Sysdig file descriptor list"),
    (0x0204, "Sysdig event"),
    (0x0208, "Sysdig event with flags"),
    (0x0216, "Sysdig event, version 2"),
    (0x0221, "Sysdig event, version 2, large"),
    (0x0BAD, "custom"),
    (0x4000_0BAD, "custom (not to be copied)"),
    (0x8000_0001, "process information"),
    (0x0A0D_0D0A, "section header"),
];

impl fmt::Display for BlockKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match BLOCKS.iter().find(|(n, _)| *n == self.0) {
            Some((_, name)) => write!(f, "{name} block"),
            None => write!(f, "block of type {:#010x}", self.0),
        }
    }
}

/// `[pcapng]` 4.7 Decryption Secrets Block: the type of the secrets in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretsKind(pub u32);

/// The types that pcapng and Wireshark know. Not one is of NTLM, Kerberos or SMB.
const SECRETS: &[(u32, &str)] = &[
    (0x4553_5053, "ESP keys"),
    (0x5353_484B, "SSH key log"),
    (0x544C_534B, "TLS key log"),
    (0x5541_4B4C, "OPC UA key log"),
    (0x5747_4B4C, "WireGuard key log"),
    (0x5A41_5053, "ZigBee APS key"),
    (0x5A4E_574B, "ZigBee network key"),
];

impl fmt::Display for SecretsKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SECRETS.iter().find(|(n, _)| *n == self.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "secrets of type {:#010x}", self.0),
        }
    }
}

/// What Network Monitor and Message Analyzer put beside packets, and the media whose frames have a
/// form of their own there.
const MEDIA: &[(u16, &str)] = &[
    (4, "WAN"),
    (5, "IEEE 1394"),
    (6, "IEEE 802.11"),
    (0xE080, "Message Analyzer WiFi"),
    (0xE081, "Message Analyzer NDIS WiFi channel"),
    (0xE082, "Message Analyzer Fiddler"),
    (0xE083, "Message Analyzer WFP IPv4"),
    (0xE084, "Message Analyzer WFP IPv6"),
    (0xE085, "Message Analyzer WFP IPv4, version 2"),
    (0xE086, "Message Analyzer WFP IPv6, version 2"),
    (0xE087, "Message Analyzer WFP IPv4 authentication"),
    (0xE088, "Message Analyzer WFP IPv6 authentication"),
    (0xE089, "Message Analyzer NDIS"),
    (0xE08A, "Message Analyzer NDIS WiFi metadata"),
    (0xFFE0, "event trace (ETW)"),
    (0xFFFB, "extended network information"),
    (0xFFFC, "reassembled payload"),
    (0xFFFD, "network information"),
    (0xFFFE, "DNS cache"),
    (0xFFFF, "filter"),
];

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(kind) => kind.fmt(f),
            Self::Secrets(kind) => write!(f, "decryption secrets block: {kind}, of no use here"),
            Self::Media(media) => match MEDIA.iter().find(|(n, _)| n == media) {
                Some((_, name)) => write!(f, "{name} frame"),
                None => write!(f, "frame of media type {media:#06x}"),
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

/// What was found in all inputs and not yet asked for.
#[derive(Default)]
pub(super) struct Found {
    pub(super) problems: Vec<Problem>,
    pub(super) names: Vec<(IpAddr, String)>,
}

/// Where the reader of one input notes what it finds.
pub(super) struct Report<'a> {
    pub(super) file: &'a mut CaptureFile,
    pub(super) found: &'a mut Found,
}

impl Report<'_> {
    /// Notes a problem, unless the input has had its share.
    pub(super) fn problem(&mut self, offset: Option<u64>, message: String, fatal: bool) {
        self.file.problems += 1;
        let kept = self.found.problems.iter().filter(|p| p.file == self.file.name);
        let message = match kept.count() {
            n if n < MAX_PROBLEMS || fatal => message,
            MAX_PROBLEMS => "more is wrong from here on, which is only counted".to_owned(),
            _ => return,
        };
        self.found.problems.push(Problem {
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

    /// Counts a pcapng block.
    pub(super) fn block(&mut self, kind: BlockKind) {
        let blocks = &mut self.file.blocks;
        if let Some((_, count)) = blocks.iter_mut().find(|(known, _)| *known == kind) {
            *count += 1;
        } else if blocks.len() < MAX_KINDS {
            blocks.push((kind, 1));
        }
    }

    /// Keeps what a section or an interface says of itself.
    pub(super) fn comment(&mut self, bytes: &[u8]) {
        if self.file.comments.len() < MAX_COMMENTS {
            self.file.comments.push(comment(bytes));
        }
    }

    /// Keeps the name that the capture gives an address.
    pub(super) fn name(&mut self, address: IpAddr, name: &[u8]) {
        if !name.is_empty() && self.found.names.len() < MAX_NAMES {
            let name = name.get(..MAX_NAME).unwrap_or(name);
            self.found.names.push((address, String::from_utf8_lossy(name).into_owned()));
        }
    }
}

/// The text of a comment, cut to what is kept of one.
pub(super) fn comment(bytes: &[u8]) -> String {
    let kept = bytes.get(..MAX_COMMENT).unwrap_or(bytes);
    String::from_utf8_lossy(kept).trim_end_matches('\0').to_owned()
}
