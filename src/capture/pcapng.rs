//! The pcapng format: sections of blocks, each block with its length at both ends.
//!
//! Specification: [draft-ietf-opsawg-pcapng]. The framing is ours and the decoding of one block is
//! `pcap-parser`'s, so that one damaged block costs one block.
//!
//! ```text
//!  0        4        8                          len-4     len
//!  ┌────────┬────────┬── ── ── ── ── ── ── ── ──┬────────┐
//!  │ type   │ length │ body, options             │ length │
//!  └────────┴────────┴── ── ── ── ── ── ── ── ──┴────────┘
//! ```
//!
//! [draft-ietf-opsawg-pcapng]: https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/

use pcap_parser::{
    Block, EPB_MAGIC, EnhancedPacketBlock, IDB_MAGIC, InterfaceDescriptionBlock, SHB_MAGIC,
    SPB_MAGIC, SimplePacketBlock, parse_block_be, parse_block_le,
};

use super::Record;
use super::framing::{Broken, Head, head, resync};
use super::interface::Interface;
use super::report::{Report, Skip};
use super::window::Window;
use crate::bytes::{Order, Time, clamp, index};

/// Interfaces kept of one section; added by each Interface Description Block, removed by the next
/// section.
const MAX_INTERFACES: usize = 1 << 16;

/// Where the packet bytes start in an Enhanced Packet Block.
const EPB_DATA: usize = 28;

/// Where the packet bytes start in a Simple Packet Block.
const SPB_DATA: usize = 12;

/// Block types that Wireshark numbers as frames although no packet is in them, or none that is
/// read here. They count, so that a frame has the same number in both.
const NUMBERED: &[u32] = &[
    2,           // Packet Block (obsolete)
    9,           // systemd Journal Export Block
    0x0204,      // Sysdig Event Block
    0x0208,      // Sysdig Event Block with flags
    0x0216,      // Sysdig Event Block, version 2
    0x0221,      // Sysdig Event Block, version 2, large
    0x0BAD,      // Custom Block
    0x4000_0BAD, // Custom Block not to be copied
];

/// A pcapng file behind the start of its first section.
pub(super) struct PcapNg {
    order: Order,
    interfaces: Vec<Interface>,
    /// Time of the last packet that had one: a Simple Packet Block takes its place in the file.
    last: Time,
    /// Numbered blocks since the last packet.
    unseen: u64,
}

impl PcapNg {
    pub(super) fn new() -> Self {
        Self { order: Order::Little, interfaces: Vec::new(), last: Time::default(), unseen: 0 }
    }

    /// The next packet; its bytes stay in `window` until the caller consumes them.
    pub(super) fn next(&mut self, window: &mut Window, report: &mut Report<'_>) -> Option<Record> {
        loop {
            match head(self.order, window) {
                Ok(head) => {
                    if let Some(record) = self.block(head, window, report) {
                        return Some(record);
                    }
                    window.consume(head.len);
                }
                Err(Broken::End) => return None,
                Err(broken) => self.recover(&broken, window, report)?,
            }
        }
    }

    /// Reads one whole block; `None` when there is no packet in it.
    fn block(&mut self, head: Head, window: &Window, report: &mut Report<'_>) -> Option<Record> {
        let at = window.offset();
        let bytes = window.held().get(..head.len).unwrap_or_default();
        if !matches!(head.kind, SHB_MAGIC | IDB_MAGIC | EPB_MAGIC | SPB_MAGIC) {
            report.skip(Skip::Block(head.kind));
            self.unseen += u64::from(NUMBERED.contains(&head.kind));
            return None;
        }
        let parsed = match head.order {
            Order::Little => parse_block_le(bytes),
            Order::Big => parse_block_be(bytes),
        };
        let found = match parsed {
            Ok((_, Block::SectionHeader(section))) => {
                self.order = head.order;
                self.interfaces.clear();
                match section.major_version {
                    1 => return None,
                    n => Err(format!("expected a section of version 1, found version {n}")),
                }
            }
            Ok((_, Block::InterfaceDescription(block))) => match self.interface(&block, report) {
                Ok(()) => return None,
                Err(message) => Err(message),
            },
            Ok((_, Block::EnhancedPacket(packet))) => self.enhanced(&packet, head.len),
            Ok((_, Block::SimplePacket(packet))) => self.simple(&packet, head.len),
            _ => Err(format!(
                "expected {} bytes of block type {}, found lengths in it that lead outside",
                head.len, head.kind
            )),
        };
        match found {
            Ok(record) => {
                self.unseen = 0;
                Some(record)
            }
            Err(message) => {
                self.unseen += u64::from(matches!(head.kind, EPB_MAGIC | SPB_MAGIC));
                report.skip(Skip::Damaged);
                report.problem(Some(at), message, false);
                None
            }
        }
    }

    /// `[pcapng]` 4.2 Interface Description Block.
    fn interface(
        &mut self,
        block: &InterfaceDescriptionBlock<'_>,
        report: &mut Report<'_>,
    ) -> Result<(), String> {
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(format!(
                "expected at most {MAX_INTERFACES} interfaces in a section, found one more"
            ));
        }
        report.file.snaplen = report.file.snaplen.max(block.snaplen);
        self.interfaces.push(Interface::new(self.order, block));
        Ok(())
    }

    fn described(&self, number: u32) -> Result<&Interface, String> {
        self.interfaces.get(index(number)).ok_or_else(|| {
            format!(
                "expected a packet of one of {} interfaces, found interface {number}",
                self.interfaces.len()
            )
        })
    }

    /// `[pcapng]` 4.3 Enhanced Packet Block.
    fn enhanced(
        &mut self,
        packet: &EnhancedPacketBlock<'_>,
        whole: usize,
    ) -> Result<Record, String> {
        let interface = self.described(packet.if_id)?;
        let time = interface.time(packet.ts_high, packet.ts_low);
        let link = interface.link;
        self.last = time;
        Ok(Record {
            time,
            stamped: true,
            link,
            wire_len: packet.origlen,
            at: EPB_DATA,
            len: index(packet.caplen).min(packet.data.len()),
            whole,
            unseen: self.unseen,
        })
    }

    /// `[pcapng]` 4.4 Simple Packet Block: the first interface, no time stamp, and the captured
    /// length is the shortest of three.
    fn simple(&mut self, packet: &SimplePacketBlock<'_>, whole: usize) -> Result<Record, String> {
        let interface = self.described(0)?;
        let captured =
            clamp(packet.data.len()).min(packet.origlen).min(interface.snaplen.unwrap_or(u32::MAX));
        Ok(Record {
            time: self.last,
            stamped: false,
            link: interface.link,
            wire_len: packet.origlen,
            at: SPB_DATA,
            len: index(captured),
            whole,
            unseen: self.unseen,
        })
    }

    /// After a block that cannot be trusted: moves to the next one that can, or gives up.
    fn recover(&self, broken: &Broken, window: &mut Window, report: &mut Report<'_>) -> Option<()> {
        let at = window.offset();
        let next = resync(self.order, window);
        match (broken, next) {
            // A failure is told by whoever asks the window for it, once.
            (Broken::Cut(_), None) if window.failed() => return None,
            (Broken::Cut(whole), None) => {
                let left = window.held().len();
                let message = format!(
                    "the input ends inside a block: {left} bytes are left over where {whole} were \
                     expected"
                );
                report.problem(Some(at), message, false);
                return None;
            }
            (_, Some(ahead)) => {
                let message = format!("{broken}; reading goes on {ahead} bytes further");
                report.skip(Skip::Damaged);
                report.problem(Some(at), message, false);
                window.consume(ahead);
            }
            (_, None) => {
                let message = format!(
                    "{broken}, and no block that can be trusted follows; reading of this file \
                     stops here"
                );
                report.problem(Some(at), message, true);
                return None;
            }
        }
        Some(())
    }
}
