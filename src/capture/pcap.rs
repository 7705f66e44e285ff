//! The pcap format: a header for the file, then a header and the bytes for each packet.
//!
//! Microseconds or nanoseconds, either byte order.
//! Specification: [draft-ietf-opsawg-pcap].
//!
//! [draft-ietf-opsawg-pcap]: https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/

use pcap_parser::{parse_pcap_frame, parse_pcap_frame_be, parse_pcap_header};

use super::report::Report;
use super::window::{MAX_BLOCK, Window};
use super::{Record, low_u16};
use crate::bytes::{LinkType, Order, Time, index};

/// Length of the file header.
const HEADER: usize = 24;

/// Length of a packet record's header.
const RECORD: usize = 16;

/// A packet may be this long whatever the file's snap length says: writers are careless with it,
/// and segmentation offload makes frames of up to 512 KiB.
const LONGEST_PLAIN: u32 = 1 << 20;

/// A pcap file behind its header.
pub(super) struct Pcap {
    order: Order,
    link: LinkType,
    /// Nanoseconds in the unit of a time stamp's second half.
    unit: u32,
    /// A record that claims more captured bytes is damage.
    longest: u32,
}

impl Pcap {
    /// Reads the file header; `Err` is the sentence.
    pub(super) fn open(window: &mut Window, report: &mut Report<'_>) -> Result<Self, String> {
        let Some(head) = window.get(HEADER) else {
            let have = window.held().len();
            return Err(format!(
                "the input ends after {have} of the {HEADER} bytes of a pcap header"
            ));
        };
        let Ok((_, header)) = parse_pcap_header(head) else {
            return Err("expected the header of a pcap file".to_owned());
        };
        window.consume(HEADER);
        report.file.snaplen = header.snaplen;
        Ok(Self {
            order: if header.is_bigendian() { Order::Big } else { Order::Little },
            // The high bits say whether frames end in a check sequence, which IP's length cuts off.
            link: LinkType(low_u16(u32::from_ne_bytes(header.network.0.to_ne_bytes()))),
            unit: if header.is_nanosecond_precision() { 1 } else { 1000 },
            longest: header.snaplen.clamp(LONGEST_PLAIN, MAX_BLOCK),
        })
    }

    /// The next packet; its bytes stay in `window` until the caller consumes them.
    pub(super) fn next(&mut self, window: &mut Window, report: &mut Report<'_>) -> Option<Record> {
        let at = window.offset();
        let Some(head) = window.get(RECORD).and_then(<[u8]>::first_chunk::<RECORD>) else {
            cut_off(window, RECORD, report);
            return None;
        };
        let [.., a, b, c, d, _, _, _, _] = *head;
        let caplen = match self.order {
            Order::Little => u32::from_le_bytes([a, b, c, d]),
            Order::Big => u32::from_be_bytes([a, b, c, d]),
        };
        if caplen > self.longest {
            let message = format!(
                "expected a packet record, found one that claims {caplen} captured bytes where {} \
                 is the most; reading of this file stops here",
                self.longest
            );
            report.problem(Some(at), message, true);
            return None;
        }
        let whole = RECORD + index(caplen);
        let Some(bytes) = window.get(whole) else {
            cut_off(window, whole, report);
            return None;
        };
        let parsed = match self.order {
            Order::Little => parse_pcap_frame(bytes),
            Order::Big => parse_pcap_frame_be(bytes),
        };
        let (_, packet) = parsed.ok()?;
        let nanos = i64::from(packet.ts_sec) * 1_000_000_000
            + i64::from(packet.ts_usec) * i64::from(self.unit);
        Some(Record {
            time: Time::from_nanos(nanos.into()),
            stamped: true,
            link: self.link,
            wire_len: packet.origlen,
            at: RECORD,
            len: packet.data.len(),
            whole,
            unseen: 0,
        })
    }
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
