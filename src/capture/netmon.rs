//! Microsoft Network Monitor 2: a header, frames, and a table that says where each frame is.
//!
//! ```text
//!  header ── frame ── frame ── … ── comments ── frame table ── …         little-endian throughout
//!
//!  0         8         12        16
//!  ┌─────────┬─────────┬─────────┬── ── ── ──┬───────┬─────────┬──────────┬──────┐
//!  │ µs from │ length  │ octets  │ packet    │ media │ process │ FILETIME │ zone │
//!  │ start   │         │ kept    │           │ 2.1+  │ 2.2+    │ 2.3      │ 2.3  │
//!  └─────────┴─────────┴─────────┴── ── ── ──┴───────┴─────────┴──────────┴──────┘
//! ```
//!
//! The table usually stands behind the frames, need not list them in the order in which they lie,
//! and there may be holes between them: so the frames are read where it says, which takes an input
//! with places. A pipe, or what a decompressor gives, is copied to a temporary file first. A file
//! that was cut off has no table: then the frames are found as those of a damaged pcap file are.
//! What is known of the format: [Network Monitor's header file] and its help, "Capture File Format".
//!
//! [Network Monitor's header file]: https://learn.microsoft.com/en-us/windows/win32/netmon2/capturefile-header-values

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustc_hash::FxHashMap;

use super::Record;
use super::fields::{u16_at, u32_at, u64_at};
use super::open::{LONGEST_PLAIN, unreadable};
use super::report::{Report, Skip, comment};
use super::resync::{Start, resync};
use super::window::Window;
use crate::bytes::{LinkType, Order, Time, index};

/// What is read of the file header; the whole of it has 72 bytes or 128.
const HEADER: usize = 64;

/// Length of what stands before a packet.
const BEFORE: usize = 16;

/// Bytes of the frame table read at a time.
const TABLE_STEP: u64 = 16 << 10;

/// Bytes of comments that are looked at.
const MAX_COMMENTS: u32 = 4 << 20;

/// Bytes of frames that may be read beyond the length of the file, for lengths that lie.
const SLACK: u64 = 64 << 10;

/// Frames in a row that are proof enough where the table is missing.
const CHAIN: u32 = 4;

/// A second, a millisecond and a unit of FILETIME, in nanoseconds.
const SECOND: i128 = 1_000_000_000;
const MILLISECOND: i32 = 1_000_000;
const FILETIME: i128 = 100;

/// 1970-01-01 as a FILETIME.
const EPOCH: i128 = 116_444_736_000_000_000;

/// How far the time of a frame by UTC may be from that by the local clock: the widest zones, and
/// some drift.
const ZONES: i128 = 26 * 3600 * SECOND;

/// The longest capture whose frames are believed without a table.
const YEAR: i128 = 366 * 24 * 3600 * SECOND;

/// A file behind its header.
pub(super) struct NetMon {
    /// Minor version, 0 to 3.
    minor: u8,
    /// Media type of all frames where they have none of their own.
    media: u16,
    /// When the capture began, by the local clock of the machine that captured.
    start: i128,
    table: Option<Table>,
    /// Bytes that frames may still claim: they do not overlap.
    left: u64,
    /// Titles of comments by the place of their frame; added at the beginning, never removed.
    comments: FxHashMap<u32, String>,
    /// Frames since the last packet that Wireshark numbers too.
    unseen: u64,
    told_local: bool,
}

/// Where the frames are.
struct Table {
    /// Place of the entries not yet read, and how many bytes of them there are.
    at: u64,
    left: u64,
    /// Entries read, last first.
    step: Vec<u32>,
}

/// A frame that is whole.
struct Framed {
    /// Captured octets.
    len: u32,
    wire_len: u32,
    media: u16,
    time: Option<Time>,
    /// Length of the frame with what stands before and behind the packet.
    whole: usize,
}

impl NetMon {
    /// Reads the file header; `Err` is the sentence.
    pub(super) fn open(window: &mut Window, report: &mut Report<'_>) -> Result<Self, String> {
        const LE: Order = Order::Little;
        let size = window.make_places().map_err(|e| unreadable(&e, None))?;
        let Some(head) = window.get(HEADER) else {
            return Err(format!(
                "the input ends after {size} of the {HEADER} bytes of a Network Monitor header"
            ));
        };
        let byte = |at| head.get(at).copied().unwrap_or_default();
        let half = |at| u16_at(LE, head, at).unwrap_or_default();
        let word = |at| u32_at(LE, head, at).unwrap_or_default();
        let (minor, major) = (byte(4), byte(5));
        if major != 2 || minor > 3 {
            return Err(format!(
                "expected version 2.0 to 2.3 of Network Monitor's format, found {major}.{minor}"
            ));
        }
        // SYSTEMTIME: year, month, day of the week, day, hour, minute, second, millisecond.
        let start = [8, 10, 14, 16, 18, 20, 22].map(|at| i16::try_from(half(at)).unwrap_or(-1));
        let table = Table { at: word(24).into(), left: word(28).into(), step: Vec::new() };
        // Before 2.2 nobody sets where comments are.
        let comments = (word(40), if minor < 2 { 0 } else { word(44) });
        let mut netmon = Self {
            minor,
            media: half(6),
            start: local(start).unwrap_or_default(),
            table: None,
            left: size.saturating_add(SLACK),
            comments: FxHashMap::default(),
            unseen: 0,
            told_local: false,
        };
        let ends = table.at.saturating_add(table.left);
        if table.left > 0 && ends <= size {
            netmon.table = Some(table);
            netmon.read_comments(window, comments);
            return Ok(netmon);
        }
        let message = format!(
            "expected the frame table at offset {} with {} bytes, found a file of {size} bytes; \
             frames are looked for without it",
            table.at, table.left
        );
        report.problem(Some(24), message, false);
        window.consume(HEADER);
        netmon.search(window, report);
        Ok(netmon)
    }

    /// The next packet; its bytes stay in `window` until the caller consumes them.
    pub(super) fn next(&mut self, window: &mut Window, report: &mut Report<'_>) -> Option<Record> {
        loop {
            let listed = match &mut self.table {
                Some(table) => Some(table.next(window)?),
                None if window.fill(1) => None,
                None => return None,
            };
            if listed.is_some_and(|at| !window.go_to(at.into())) {
                return None;
            }
            let at = window.offset();
            let Some(frame) = self.framed(window) else {
                self.unseen += 1;
                report.skip(Skip::Damaged);
                self.damaged(at, window, report)?;
                continue;
            };
            let link = match link(frame.media) {
                Ok(link) => link,
                Err(numbered) => {
                    self.unseen += u64::from(numbered);
                    report.skip(Skip::Media(frame.media));
                    window.consume(frame.whole);
                    continue;
                }
            };
            if frame.time.is_none() && !self.told_local {
                self.told_local = true;
                let message = "expected times in UTC, found the local times of a machine whose \
                               time zone is not in the file: they are taken as UTC";
                report.problem(Some(at), message.to_owned(), false);
            }
            return Some(Record {
                time: frame.time.unwrap_or_else(|| self.local_time(window.held())),
                stamped: true,
                link,
                wire_len: frame.wire_len,
                at: BEFORE,
                len: index(frame.len),
                whole: frame.whole,
                unseen: std::mem::take(&mut self.unseen),
                comment: listed.and_then(|at| self.comments.get(&at).cloned()),
            });
        }
    }

    /// The frame at the current place, with the whole of it in memory.
    fn framed(&mut self, window: &mut Window) -> Option<Framed> {
        let whole = self.whole(window.get(BEFORE)?)?;
        if !self.takes(whole) {
            return None;
        }
        let bytes = window.get(whole)?;
        let frame = self.frame(bytes)?;
        (self.table.is_some() || self.trusted(&frame, bytes)).then_some(frame)
    }

    /// How long the frame is of which the first bytes are given.
    fn whole(&self, bytes: &[u8]) -> Option<usize> {
        let len = u32_at(Order::Little, bytes, 12).filter(|len| *len <= LONGEST_PLAIN)?;
        let behind = match self.minor {
            0 => 0,
            1 => 2,
            2 => 6,
            _ => 15,
        };
        Some(BEFORE + index(len) + behind)
    }

    /// Reads a frame that is whole.
    fn frame(&self, bytes: &[u8]) -> Option<Framed> {
        const LE: Order = Order::Little;
        let whole = self.whole(bytes).filter(|whole| *whole <= bytes.len())?;
        let len = u32_at(LE, bytes, 12)?;
        let behind = bytes.get(BEFORE + index(len)..)?;
        let utc = if self.minor < 3 { 0 } else { u64_at(LE, behind, 6)? };
        Some(Framed {
            len,
            wire_len: u32_at(LE, bytes, 8)?,
            media: if self.minor == 0 { self.media } else { u16_at(LE, behind, 0)? },
            time: (utc != 0).then(|| Time::from_nanos((i128::from(utc) - EPOCH) * FILETIME)),
            whole,
        })
    }

    /// The time of a frame by the clock of the file's header. Microseconds become units of 100 ns
    /// modulo 2^64, and these are signed: a frame may be older than the start.
    fn local_time(&self, bytes: &[u8]) -> Time {
        let micros = u64_at(Order::Little, bytes, 0).unwrap_or_default();
        let units = micros.wrapping_mul(10).cast_signed();
        Time::from_nanos(self.start + i128::from(units) * FILETIME)
    }

    /// Whether that many bytes may be read beside those before them. A table that lists one frame
    /// over and over would otherwise make work without end.
    fn takes(&mut self, whole: usize) -> bool {
        let left = u64::try_from(whole).ok().and_then(|whole| self.left.checked_sub(whole));
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    /// Goes on after a frame that is none: to the next one of the table, or to the next that can be
    /// trusted.
    fn damaged(&self, at: u64, window: &mut Window, report: &mut Report<'_>) -> Option<()> {
        if self.table.is_none() {
            return self.search(window, report);
        }
        if !window.failed() {
            let head = window.get(BEFORE).and_then(|head| u32_at(Order::Little, head, 12));
            let message = match head {
                Some(len) => format!(
                    "expected a frame here, as the frame table says, found one that claims {len} \
                     octets"
                ),
                None => "expected a frame here, as the frame table says, found the end of the \
                         input"
                    .to_owned(),
            };
            report.problem(Some(at), message, false);
        }
        Some(())
    }

    /// Looks for frames that follow each other, where there is no table.
    fn search(&self, window: &mut Window, report: &mut Report<'_>) -> Option<()> {
        let at = window.offset();
        // The header is longer than what is read of it, so that the first place is never the right
        // one.
        let found = resync(window, |_, bytes, ended| self.chain(bytes, ended));
        if found.is_none() && !window.failed() {
            let left = window.offset().saturating_sub(at);
            let message = format!(
                "the input ends without another frame that can be trusted: {left} bytes are left \
                 over"
            );
            report.problem(Some(at), message, false);
        }
        found.map(drop)
    }

    /// Whether frames start here: several in a row, of known media and with times that agree.
    fn chain(&self, mut bytes: &[u8], ended: bool) -> Start {
        for links in 0..CHAIN {
            if bytes.is_empty() && ended && links > 0 {
                return Start::Yes;
            }
            let whole = self.whole(bytes);
            let Some(frame) = self.frame(bytes) else {
                return match whole {
                    None if bytes.len() >= BEFORE => Start::No,
                    // What was cut off is the last one.
                    _ if ended && links > 1 => Start::Yes,
                    _ if ended => Start::No,
                    _ => Start::More,
                };
            };
            if !self.trusted(&frame, bytes) {
                return Start::No;
            }
            bytes = bytes.get(frame.whole..).unwrap_or_default();
        }
        Start::Yes
    }

    /// Whether everything about a frame that no table lists is as it should be.
    fn trusted(&self, frame: &Framed, bytes: &[u8]) -> bool {
        let local = i128::from(self.local_time(bytes).nanos());
        let by_utc = frame.time.map_or(local, |time| time.nanos().into());
        frame.len > 0
            && frame.len <= frame.wire_len
            && frame.wire_len <= LONGEST_PLAIN
            && (by_utc - local).abs() < ZONES
            && (local - self.start).abs() < YEAR
            && (link(frame.media).is_ok() || frame.media >= 0xE000)
    }

    /// Keeps the titles of comments. Each has a number of frames (one), the place of its frame, and
    /// a title and a description, both with their length before them and the title in UTF-16.
    fn read_comments(&mut self, window: &mut Window, (at, len): (u32, u32)) {
        const LE: Order = Order::Little;
        if len == 0 || !window.go_to(at.into()) {
            return;
        }
        window.fill(index(len.min(MAX_COMMENTS)));
        let held = window.held();
        let mut rest = held.get(..index(len)).unwrap_or(held);
        let mut one = || {
            let place = u32_at(LE, rest, 4)?;
            let title = rest.get(12..)?.get(..index(u32_at(LE, rest, 8)?))?;
            let behind = rest.get(12 + title.len()..)?;
            rest = behind.get(4..)?.get(index(u32_at(LE, behind, 0)?)..)?;
            let units = title.chunks_exact(2).filter_map(|two| u16_at(LE, two, 0));
            let text: String = char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect();
            Some((place, comment(text.trim_end().trim_end_matches('\0').trim_end().as_bytes())))
        };
        while let Some((place, title)) = one() {
            self.comments.insert(place, title);
        }
    }
}

impl Table {
    /// Where the next frame is.
    fn next(&mut self, window: &mut Window) -> Option<u32> {
        if self.step.is_empty() && self.left >= 4 {
            let n = self.left.min(TABLE_STEP);
            if !window.go_to(self.at) {
                return None;
            }
            let bytes = window.get(usize::try_from(n).ok()?)?;
            self.step
                .extend(bytes.chunks_exact(4).rev().filter_map(|e| u32_at(Order::Little, e, 0)));
            self.at = self.at.saturating_add(n);
            self.left -= n;
        }
        self.step.pop()
    }
}

/// Nanoseconds since the epoch of a date and time without a zone.
fn local([year, month, day, hour, minute, second, milli]: [i16; 7]) -> Option<i128> {
    let small = |n: i16| i8::try_from(n).ok();
    let nanos = i32::from(milli).saturating_mul(MILLISECOND);
    let civil = DateTime::new(
        year,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
        nanos,
    );
    let zoned = civil.ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_nanosecond())
}

/// The link type of a media type; `Err` where there is none, and whether Wireshark numbers such a
/// frame.
fn link(media: u16) -> Result<LinkType, bool> {
    match media {
        // Frames of a VPN have no media type, and are Ethernet.
        0 | 1 => Ok(LinkType::ETHERNET),
        2 => Ok(LinkType(6)),
        3 => Ok(LinkType(10)),
        // Tunnels, wireless WAN, and what has no link layer.
        7..=9 => Ok(LinkType::RAW),
        // Reassembled payload, network information, DNS cache.
        0xFFFC..=0xFFFE => Err(false),
        0xE080..=0xE08A => Err(true),
        // Converted from pcap.
        0xE000..=0xEFFF => Ok(LinkType(media & 0x0FFF)),
        _ => Err(true),
    }
}
