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

use std::net::IpAddr;

use pcap_parser::{
    Block, DSB_MAGIC, EPB_MAGIC, IDB_MAGIC, NRB_MAGIC, SHB_MAGIC, SPB_MAGIC, SimplePacketBlock,
    parse_block_be, parse_block_le,
};

use super::Record;
use super::fields::{options, u16_at, u32_at};
use super::framing::{Broken, Head, PB_MAGIC, head, next_block};
use super::interface::Interface;
use super::report::{BlockKind, MAX_COMMENT, Report, SecretsKind, Skip, comment};
use super::window::Window;
use crate::bytes::{Order, Time, clamp, index};

/// Interfaces kept of one section; added by each Interface Description Block, removed by the next
/// section.
const MAX_INTERFACES: usize = 1 << 16;

/// Where the packet bytes start in an Enhanced Packet Block and in the obsolete Packet Block.
const EPB_DATA: usize = 28;

/// Where the packet bytes start in a Simple Packet Block.
const SPB_DATA: usize = 12;

/// Where the type of the secrets is in a Decryption Secrets Block.
const DSB_TYPE: usize = 8;

/// Where the options start in a Section Header Block and in an Interface Description Block.
const SHB_OPTIONS: usize = 24;
const IDB_OPTIONS: usize = 16;

/// `opt_comment`, in every block.
const COMMENT: u16 = 1;

/// Block types that Wireshark numbers as frames although no packet is in them, or none that is
/// read here. They count, so that a frame has the same number in both.
const NUMBERED: &[u32] = &[
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
    /// `None` for one whose description is damaged: those behind it keep their numbers.
    interfaces: Vec<Option<Interface>>,
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
                    report.block(BlockKind(head.kind));
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
        let bytes = window.held().get(..head.len).unwrap_or_default();
        let body = without_end(bytes);
        let found = match head.kind {
            EPB_MAGIC | PB_MAGIC => self.stamped(head, body),
            SHB_MAGIC | IDB_MAGIC | SPB_MAGIC => {
                match self.parsed(head, bytes, window.offset(), report) {
                    Ok(None) => return None,
                    Ok(Some(record)) => Ok(record),
                    Err(message) => Err(message),
                }
            }
            kind => {
                if kind == NRB_MAGIC {
                    names(head.order, body, report);
                }
                let secrets = (kind == DSB_MAGIC).then(|| u32_at(head.order, body, DSB_TYPE));
                report.skip(match secrets.flatten() {
                    Some(of) => Skip::Secrets(SecretsKind(of)),
                    None => Skip::Block(BlockKind(kind)),
                });
                self.unseen += u64::from(NUMBERED.contains(&kind));
                return None;
            }
        };
        match found {
            Ok(record) => {
                self.unseen = 0;
                Some(record)
            }
            Err(message) => {
                let packet = matches!(head.kind, EPB_MAGIC | PB_MAGIC | SPB_MAGIC);
                self.unseen += u64::from(packet);
                report.skip(Skip::Damaged);
                report.problem(Some(window.offset()), message, false);
                None
            }
        }
    }

    /// Blocks that `pcap-parser` decodes: the start of a section, an interface, and the packet that
    /// has little more than its bytes.
    fn parsed(
        &mut self,
        head: Head,
        bytes: &[u8],
        at: u64,
        report: &mut Report<'_>,
    ) -> Result<Option<Record>, String> {
        let body = without_end(bytes);
        match head.kind {
            SHB_MAGIC => {
                self.order = head.order;
                self.interfaces.clear();
            }
            IDB_MAGIC if self.interfaces.len() >= MAX_INTERFACES => {
                return Err(format!(
                    "expected at most {MAX_INTERFACES} interfaces in a section, found one more"
                ));
            }
            IDB_MAGIC => self.interfaces.push(None),
            _ => {}
        }
        let parsed = match head.order {
            Order::Little => parse_block_le(bytes),
            Order::Big => parse_block_be(bytes),
        };
        let comments = match parsed {
            Ok((_, Block::SectionHeader(section))) => match section.major_version {
                1 => body.get(SHB_OPTIONS..),
                n => return Err(format!("expected a section of version 1, found version {n}")),
            },
            Ok((_, Block::InterfaceDescription(block))) => {
                let rest = body.get(IDB_OPTIONS..);
                let interface = Interface::new(self.order, &block, rest.unwrap_or_default());
                report.file.snaplen = report.file.snaplen.max(block.snaplen);
                if let Some(last) = self.interfaces.last_mut() {
                    *last = Some(interface);
                }
                rest
            }
            Ok((_, Block::SimplePacket(packet))) => {
                return self.simple(&packet, head.len).map(Some);
            }
            _ => return Err(leads_outside(head)),
        };
        let mut list = options(self.order, comments.unwrap_or_default());
        for (_, text) in list.by_ref().filter(|(code, _)| *code == COMMENT) {
            report.comment(text);
        }
        if list.led_outside() {
            let kind = BlockKind(head.kind);
            let message = format!(
                "expected options within the {kind}, found one that leads outside: what follows it \
                 is not known, the resolution of time stamps if it is there"
            );
            report.problem(Some(at), message, false);
        }
        Ok(None)
    }

    fn described(&self, number: u32) -> Result<&Interface, String> {
        match self.interfaces.get(index(number)) {
            Some(Some(interface)) => Ok(interface),
            Some(None) => Err(format!(
                "expected a packet of an interface that is known, found interface {number}, whose \
                 description is damaged"
            )),
            None => Err(format!(
                "expected a packet of one of {} interfaces, found interface {number}",
                self.interfaces.len()
            )),
        }
    }

    /// `[pcapng]` 4.3 Enhanced Packet Block, and appendix A Packet Block, whose interface has half
    /// the bits and shares its place with a count of drops.
    fn stamped(&mut self, head: Head, body: &[u8]) -> Result<Record, String> {
        const FLAGS: u16 = 2;
        let outside = || leads_outside(head);
        let word = |at| u32_at(head.order, body, at).ok_or_else(outside);
        let number = match head.kind {
            PB_MAGIC => u16_at(head.order, body, 8).ok_or_else(outside)?.into(),
            _ => word(8)?,
        };
        let (caplen, origlen) = (word(20)?, word(24)?);
        let behind = body.get(EPB_DATA..).unwrap_or_default();
        if index(caplen) > behind.len() {
            return Err(outside());
        }
        let interface = self.described(number)?;
        let mut fcs = interface.fcs;
        let mut said = None::<String>;
        let rest = behind.get(index(caplen).next_multiple_of(4)..).unwrap_or_default();
        for (code, value) in options(head.order, rest) {
            match code {
                COMMENT => {
                    let said = said.get_or_insert_default();
                    if said.len() < MAX_COMMENT {
                        if !said.is_empty() {
                            said.push('\n');
                        }
                        said.push_str(&comment(value));
                    }
                }
                // Bits 5 to 8 are the octets of the check sequence, if they are known.
                FLAGS => match u32_at(head.order, value, 0).unwrap_or(0) >> 5 & 0xf {
                    0 => {}
                    octets => fcs = octets,
                },
                _ => {}
            }
        }
        let time = interface.time(word(12)?, word(16)?);
        let link = interface.link;
        self.last = time;
        let wire_len = origlen.max(caplen).saturating_sub(fcs);
        Ok(Record {
            time,
            stamped: true,
            link,
            wire_len,
            at: EPB_DATA,
            len: index(caplen.min(wire_len)),
            whole: head.len,
            unseen: self.unseen,
            comment: said,
        })
    }

    /// `[pcapng]` 4.4 Simple Packet Block: the first interface, no time stamp, and the captured
    /// length is the shortest of three.
    fn simple(&mut self, packet: &SimplePacketBlock<'_>, whole: usize) -> Result<Record, String> {
        let interface = self.described(0)?;
        let wire_len = packet.origlen.saturating_sub(interface.fcs);
        let captured =
            clamp(packet.data.len()).min(wire_len).min(interface.snaplen.unwrap_or(u32::MAX));
        Ok(Record {
            time: self.last,
            stamped: false,
            link: interface.link,
            wire_len,
            at: SPB_DATA,
            len: index(captured),
            whole,
            unseen: self.unseen,
            comment: None,
        })
    }

    /// Whether a block of so many bytes that was cut off is a packet whose own length agrees.
    fn is_packet(&self, whole: u32, held: &[u8]) -> bool {
        /// Bytes that options may fill.
        const OPTIONS: u32 = 1024;
        let word = |at| u32_at(self.order, held, at);
        let around = || {
            let padded = word(20)?.checked_next_multiple_of(4)?;
            whole.checked_sub(padded)?.checked_sub(clamp(EPB_DATA) + 4)
        };
        matches!(word(0), Some(EPB_MAGIC | PB_MAGIC)) && around().is_some_and(|n| n <= OPTIONS)
    }

    /// After a block that cannot be trusted: moves to the next one that can, or gives up.
    fn recover(
        &mut self,
        broken: &Broken,
        window: &mut Window,
        report: &mut Report<'_>,
    ) -> Option<()> {
        let at = window.offset();
        let left = window.held().len();
        let kind = u32_at(self.order, window.held(), 0);
        let section = kind == Some(SHB_MAGIC);
        let next = match broken {
            // What is in a packet that was cut off may itself be a capture.
            Broken::Cut(whole) if self.is_packet(*whole, window.held()) => None,
            _ => next_block(self.order, section, window),
        };
        match (broken, next) {
            // A failure is told by whoever asks the window for it, once.
            (Broken::Cut(_), None) if window.failed() => return None,
            (Broken::Cut(whole), None) => {
                let message = format!(
                    "the input ends inside a block: {left} bytes are left over where {whole} were \
                     expected"
                );
                report.problem(Some(at), message, false);
                return None;
            }
            (_, Some((ahead, order))) => {
                let message = format!("{broken}; reading goes on {ahead} bytes further");
                report.skip(Skip::Damaged);
                report.problem(Some(at), message, false);
                self.order = order;
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
        // What was lost here must not lend its place to another.
        match kind {
            Some(SHB_MAGIC) => self.interfaces.clear(),
            Some(IDB_MAGIC) => self.interfaces.push(None),
            Some(EPB_MAGIC | SPB_MAGIC | PB_MAGIC) => self.unseen += 1,
            _ => {}
        }
        Some(())
    }
}

/// A block without the length at its end.
fn without_end(bytes: &[u8]) -> &[u8] {
    bytes.get(..bytes.len().saturating_sub(4)).unwrap_or_default()
}

/// The sentence about a block that is whole but not what is in it.
fn leads_outside(head: Head) -> String {
    format!(
        "expected {} bytes of block type {}, found lengths in it that lead outside",
        head.len, head.kind
    )
}

/// `[pcapng]` 4.5 Name Resolution Block: an address and its names, of which the first is taken.
fn names(order: Order, body: &[u8], report: &mut Report<'_>) {
    const IPV4: u16 = 1;
    const IPV6: u16 = 2;
    let v4 = |ip: [u8; 4]| IpAddr::from(ip);
    let v6 = |ip: [u8; 16]| IpAddr::from(ip);
    for (kind, value) in options(order, body.get(8..).unwrap_or_default()) {
        let found = match kind {
            IPV4 => value.split_first_chunk().map(|(ip, names)| (v4(*ip), names)),
            IPV6 => value.split_first_chunk().map(|(ip, names)| (v6(*ip), names)),
            _ => None,
        };
        if let Some((address, names)) = found {
            report.name(address, names.split(|b| *b == 0).next().unwrap_or_default());
        }
    }
}
