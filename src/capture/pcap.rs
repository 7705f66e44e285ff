//! The pcap format: a header for the file, then a header and the bytes for each packet.
//!
//! ```text
//!  0         4         8         12        16        20          24
//!  ┌─────────┬─────────┬─────────┬─────────┬─────────┬───────────┐
//!  │ seconds │ µs, ns  │ caplen  │ len       modified: interface, …│ packet …
//!  └─────────┴─────────┴─────────┴─────────┴─────────┴───────────┘
//! ```
//!
//! Microseconds or nanoseconds, either byte order, versions 2.0 to 2.4, and the modified form with
//! longer packet headers. Specification: [draft-ietf-opsawg-pcap]; what it does not say of old
//! versions is as libpcap has it.
//!
//! [draft-ietf-opsawg-pcap]: https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/

use super::fields::{u16_at, u32_at};
use super::open::LONGEST_PLAIN;
use super::report::{Report, Skip};
use super::resync::{Start, resync};
use super::window::{MAX_BLOCK, Window};
use super::{Record, low_u16};
use crate::bytes::{LinkType, Order, Time, index};

/// Length of the file header.
const HEADER: usize = 24;

/// Length of a packet record's header, and of that of the modified format, which adds the interface,
/// the protocol and the direction.
const RECORD: usize = 16;
const MODIFIED_RECORD: usize = 24;

/// Longest packet that is believed where there is doubt about its header.
const LONGEST_BELIEVED: u32 = 256 << 10;

/// Records in a row that are proof enough behind damage.
const CHAIN: u32 = 4;

/// Seconds between two records of such a row, and from the record before the damage to it.
const NEAR: u32 = 24 * 3600;
const AFTER_DAMAGE: u32 = 30 * NEAR;

/// A pcap file behind its header.
pub(super) struct Pcap {
    order: Order,
    link: LinkType,
    /// Nanoseconds in the unit of a time stamp's second half.
    unit: u32,
    /// Length of a record's header.
    header: usize,
    lengths: Lengths,
    /// Octets of the frame check sequence that every packet ends in.
    fcs: u32,
    /// A record that claims more captured bytes is damage.
    longest: u32,
    /// Seconds of the last record whose time was near that of another, and of a later one alone
    /// with its time: the clock was set, or damage is in it.
    last: Option<u32>,
    alone: Option<u32>,
}

/// In which order a record has its two lengths.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lengths {
    /// The captured length first.
    Straight,
    /// Before version 2.3, and DG/UX.
    Swapped,
    /// Version 2.3: some writers changed the number and not the order. The greater one is the
    /// packet's.
    ByValue,
}

/// The header of a record.
#[derive(Clone, Copy)]
struct Head {
    seconds: u32,
    /// Micro- or nanoseconds.
    part: u32,
    caplen: u32,
    len: u32,
}

impl Pcap {
    /// Whether a file that starts with these four bytes is one.
    pub(super) fn recognises(magic: &[u8]) -> bool {
        form(magic).is_some()
    }

    /// Reads the file header; `Err` is the sentence.
    pub(super) fn open(window: &mut Window, report: &mut Report<'_>) -> Result<Self, String> {
        let Some(head) = window.get(HEADER) else {
            let have = window.held().len();
            return Err(format!(
                "the input ends after {have} of the {HEADER} bytes of a pcap header"
            ));
        };
        let (order, unit, header) = form(head).ok_or("expected the header of a pcap file")?;
        let version = (
            u16_at(order, head, 4).unwrap_or_default(),
            u16_at(order, head, 6).unwrap_or_default(),
        );
        let lengths = match version {
            (2, 0..=2) | (543, 0) => Lengths::Swapped,
            (2, 3) => Lengths::ByValue,
            (2, 4) => Lengths::Straight,
            (major, minor) => {
                return Err(format!(
                    "expected version 2.0 to 2.4 of the pcap format, found {major}.{minor}"
                ));
            }
        };
        let snaplen = u32_at(order, head, 16).unwrap_or_default();
        let network = u32_at(order, head, 20).unwrap_or_default();
        window.consume(HEADER);
        report.file.snaplen = snaplen;
        Ok(Self {
            order,
            link: LinkType(low_u16(network)),
            unit,
            header,
            lengths,
            fcs: fcs(network),
            longest: snaplen.clamp(LONGEST_PLAIN, MAX_BLOCK),
            last: None,
            alone: None,
        })
    }

    /// The next packet; its bytes stay in `window` until the caller consumes them.
    pub(super) fn next(&mut self, window: &mut Window, report: &mut Report<'_>) -> Option<Record> {
        loop {
            let Some(head) = window.get(self.header).and_then(|bytes| self.head(bytes)) else {
                cut_off(window, self.header, report);
                return None;
            };
            if self.is_record(head, window) {
                let whole = self.header + index(head.caplen);
                if window.fill(whole) {
                    return Some(self.record(head));
                }
                cut_off(window, whole, report);
                return None;
            }
            self.recover(head, window, report)?;
        }
    }

    fn head(&self, bytes: &[u8]) -> Option<Head> {
        let [seconds, part, first, second] = [
            u32_at(self.order, bytes, 0)?,
            u32_at(self.order, bytes, 4)?,
            u32_at(self.order, bytes, 8)?,
            u32_at(self.order, bytes, 12)?,
        ];
        let swapped = match self.lengths {
            Lengths::Straight => false,
            Lengths::Swapped => true,
            Lengths::ByValue => first > second,
        };
        let (caplen, len) = if swapped { (second, first) } else { (first, second) };
        Some(Head { seconds, part, caplen, len })
    }

    fn record(&mut self, head: Head) -> Record {
        self.see(head.seconds);
        let nanos = i128::from(head.seconds) * 1_000_000_000
            + i128::from(head.part) * i128::from(self.unit);
        // The check sequence is the end of the packet, whether or not it was captured.
        let wire_len = head.len.max(head.caplen).saturating_sub(self.fcs);
        Record {
            time: Time::from_nanos(nanos),
            stamped: true,
            link: self.link,
            wire_len,
            at: self.header,
            len: index(head.caplen.min(wire_len)),
            whole: self.header + index(head.caplen),
            unseen: 0,
            comment: None,
        }
    }

    /// Remembers when a record was captured.
    fn see(&mut self, seconds: u32) {
        if self.last.is_none() || self.knows(seconds) {
            (self.last, self.alone) = (Some(seconds), None);
        } else {
            self.alone = Some(seconds);
        }
    }

    /// Whether a time is near those seen lately.
    fn knows(&self, seconds: u32) -> bool {
        let mut times = self.last.into_iter().chain(self.alone);
        times.any(|time| time.abs_diff(seconds) <= AFTER_DAMAGE)
    }

    /// Whether this is the header of a record. Where its lengths are odd, which some writers do, or
    /// its time is, because a clock was set, but not both, the record is believed if another one, or
    /// the end of the input, is where it ends.
    fn is_record(&self, head: Head, window: &mut Window) -> bool {
        let Head { seconds, part, caplen, len } = head;
        // A hole in a file is full of zeros, and is no row of packets without octets.
        if caplen > self.longest || (seconds, part, caplen, len) == (0, 0, 0, 0) {
            return false;
        }
        let in_time = self.last.is_none() || self.knows(seconds);
        match (self.is_plain(head), in_time) {
            (true, true) => return true,
            (false, false) => return false,
            _ => {}
        }
        let whole = self.header + index(caplen);
        let ended = !window.fill(whole.saturating_add(self.header));
        let Some(behind) = window.held().get(whole..) else { return false };
        match self.head(behind) {
            Some(next) => {
                let near = next.seconds.abs_diff(seconds) <= AFTER_DAMAGE;
                let possible = self.is_plain(next) || in_time && next.caplen <= self.longest;
                possible && (near || self.knows(next.seconds))
            }
            None => ended,
        }
    }

    /// Whether nothing is odd about a record's header.
    fn is_plain(&self, head: Head) -> bool {
        head.caplen <= head.len.min(LONGEST_BELIEVED)
            && head.len <= LONGEST_PLAIN
            && u64::from(head.part) * u64::from(self.unit) < 1_000_000_000
    }

    /// Passes over what is no record.
    fn recover(&self, head: Head, window: &mut Window, report: &mut Report<'_>) -> Option<()> {
        let at = window.offset();
        let found = resync(window, |_, bytes, ended| self.chain(bytes, ended));
        report.skip(Skip::Damaged);
        let Head { seconds, caplen, len, .. } = head;
        let time = Time::from_nanos(i128::from(seconds) * 1_000_000_000);
        let claim = format!(
            "expected a packet record, found one that claims {caplen} captured bytes of {len} at \
             {time}"
        );
        let (message, fatal) = match found {
            Some(ahead) => (format!("{claim}; reading goes on {ahead} bytes further"), false),
            // A failure is told by whoever asks the window for it, once.
            None if window.failed() => return None,
            None => (
                format!(
                    "{claim}, and no record that can be trusted follows; reading of this file \
                         stops here"
                ),
                true,
            ),
        };
        report.problem(Some(at), message, fatal);
        found.map(drop)
    }

    /// Whether records start here: several in a row with nothing odd about them and with times near
    /// each other, or all there are if the last ends where the input does.
    fn chain(&self, mut bytes: &[u8], ended: bool) -> Start {
        let mut before: Option<u32> = None;
        for links in 0..CHAIN {
            let Some(head) = self.head(bytes) else {
                let whole = bytes.is_empty() && links > 0;
                return match ended {
                    true if whole || links > 1 => Start::Yes,
                    true => Start::No,
                    false => Start::More,
                };
            };
            let in_time = match before {
                Some(before) => head.seconds.abs_diff(before) <= NEAR,
                None => self.last.is_none() || self.knows(head.seconds),
            };
            if !in_time || !self.is_plain(head) || head.caplen == 0 {
                return Start::No;
            }
            before = Some(head.seconds);
            bytes = match bytes.get(self.header + index(head.caplen)..) {
                Some(behind) => behind,
                // The last record is cut off.
                None if ended && links > 1 => return Start::Yes,
                None if ended => return Start::No,
                None => return Start::More,
            };
        }
        Start::Yes
    }
}

/// Byte order, nanoseconds in a unit of time, and length of a record's header, by the magic.
fn form(magic: &[u8]) -> Option<(Order, u32, usize)> {
    [Order::Little, Order::Big].into_iter().find_map(|order| match u32_at(order, magic, 0)? {
        0xa1b2_c3d4 => Some((order, 1000, RECORD)),
        0xa1b2_3c4d => Some((order, 1, RECORD)),
        0xa1b2_cd34 => Some((order, 1000, MODIFIED_RECORD)),
        _ => None,
    })
}

/// Octets of the frame check sequence: the high bits of the link-type word count pairs of octets, if
/// the bit that says that they do is set.
fn fcs(network: u32) -> u32 {
    const PRESENT: u32 = 0x0400_0000;
    if network & PRESENT == 0 { 0 } else { (network >> 28) * 2 }
}

/// Notes that the input ended inside a record of `whole` bytes, unless it ended just before it.
fn cut_off(window: &Window, whole: usize, report: &mut Report<'_>) {
    let left = window.held().len();
    // A failure is told by whoever asks the window for it, once.
    if left > 0 && !window.failed() {
        let message = format!(
            "the input ends inside a packet record: {left} bytes are left over where {whole} were \
             expected"
        );
        report.problem(Some(window.offset()), message, false);
    }
}
