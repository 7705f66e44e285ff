//! Finds out what an input is: one of the formats read here, compressed or not, or one of those
//! that are recognised only to say what to do about them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::pcap::Pcap;
use super::pcapng::PcapNg;
use super::report::Report;
use super::window::Window;
use super::{Record, Source};

/// Bytes looked at to say what an unknown input is.
const LOOK: usize = 512;

/// A file format, positioned between two packets.
pub(super) enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl Format {
    /// The next packet; its bytes stay in `window` until the caller consumes them.
    pub(super) fn next(&mut self, window: &mut Window, report: &mut Report<'_>) -> Option<Record> {
        match self {
            Self::Pcap(pcap) => pcap.next(window, report),
            Self::PcapNg(pcapng) => pcapng.next(window, report),
        }
    }
}

/// Opens a path, `-` being standard input; `Err` is the sentence.
pub(super) fn path(path: &Path) -> Result<Box<dyn Read + Send>, String> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    if path.is_dir() {
        return Err("expected a capture file, found a directory: name the files in it".to_owned());
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(e) => Err(format!("expected a capture file, could not open it: {e}")),
    }
}

/// Recognises the input behind `reader` and reads up to its first packet. What cannot be read is
/// reported as a problem.
pub(super) fn input(reader: Box<dyn Read + Send>, report: &mut Report<'_>) -> Option<Source> {
    let mut window = Window::new(reader);
    if matches!(window.get(4), Some([0x1f, 0x8b, ..])) {
        report.file.compression = Some("gzip");
        window = Window::new(Box::new(MultiGzDecoder::new(window)));
    }
    let format = match window.get(4) {
        Some([0x0a, 0x0d, 0x0d, 0x0a]) => {
            report.file.format = Some("pcapng");
            Ok(Format::PcapNg(PcapNg::new()))
        }
        Some(
            [0xa1, 0xb2, 0xc3, 0xd4]
            | [0xd4, 0xc3, 0xb2, 0xa1]
            | [0xa1, 0xb2, 0x3c, 0x4d]
            | [0x4d, 0x3c, 0xb2, 0xa1],
        ) => {
            report.file.format = Some("pcap");
            Pcap::open(&mut window, report).map(Format::Pcap)
        }
        _ => {
            window.fill(LOOK);
            Err(match window.take_error() {
                Some(e) => unreadable(&e),
                None => refusal(window.held(), &report.file.name),
            })
        }
    };
    match format {
        Ok(format) => Some(Source { window, format }),
        Err(message) => {
            report.file.bytes = window.offset();
            report.problem(Some(window.offset()), message, true);
            None
        }
    }
}

/// What is said when the system, or the decompressor, gives an error in the middle of an input.
pub(super) fn unreadable(error: &io::Error) -> String {
    format!("expected more of the input, reading it failed: {error}")
}

/// What begins like this and cannot be read, and what its owner can do.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"GMBU", "a Network Monitor 2 capture: convert it with `editcap -F pcapng IN OUT.pcapng`"),
    (b"RTSS", "a Network Monitor 1 capture: convert it with `editcap -F pcapng IN OUT.pcapng`"),
    (
        b"\xa1\xb2\xcd\x34",
        "a modified pcap file: convert it with `editcap -F pcapng IN OUT.pcapng`",
    ),
    (
        b"\x34\xcd\xb2\xa1",
        "a modified pcap file: convert it with `editcap -F pcapng IN OUT.pcapng`",
    ),
    (b"snoop\0\0\0", "a Solaris snoop capture: convert it with `editcap -F pcapng IN OUT.pcapng`"),
    (b"\x28\xb5\x2f\xfd", "zstd compressed data: unpack it first with `zstd -d`"),
    (b"\x04\x22\x4d\x18", "lz4 compressed data: unpack it first with `lz4 -d`"),
    (b"\xfd7zXZ\0", "xz compressed data: unpack it first with `xz -d`"),
    (b"BZh", "bzip2 compressed data: unpack it first with `bzip2 -d`"),
    (
        b"PK\x03\x04",
        "a zip archive: unpack it first, or, when it is a Message Analyzer trace (.matp), export it \
         as .cap in Message Analyzer and convert that with `editcap -F pcapng IN OUT.pcapng`",
    ),
];

/// Why an input that starts with `head` is not read, and what to do about it.
fn refusal(head: &[u8], name: &str) -> String {
    const EXPECTED: &str = "expected a pcap or pcapng capture";
    let extension = Path::new(name).extension().unwrap_or_default();
    if let Some((_, what)) = FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)) {
        return format!("{EXPECTED}, found {what}");
    }
    if extension.eq_ignore_ascii_case("etl") && !head.is_empty() || is_etl(head) {
        return format!(
            "{EXPECTED}, found a Windows event trace: convert it with \
             `etl2pcapng in.etl out.pcapng`"
        );
    }
    match head {
        [] => format!("{EXPECTED}, found an empty file"),
        [_] | [_, _] | [_, _, _] => format!("{EXPECTED}, found a file of {} bytes", head.len()),
        _ if is_text(head) => format!("{EXPECTED}, found text"),
        _ => {
            let magic = head.first_chunk().map_or(0, |b| u32::from_be_bytes(*b));
            format!("{EXPECTED}, found data that starts with {magic:#010x}")
        }
    }
}

/// A trace of Event Tracing for Windows has no magic. It is a sequence of buffers of the same size,
/// and the first event in the first of them is the log file header: a system header of version 1 or
/// 2, 32 or 64 bit, with the flags 0xC0 of a traced system event.
fn is_etl(head: &[u8]) -> bool {
    const FIRST_EVENT: usize = 0x48;
    let size = head.first_chunk().map_or(0, |b| u32::from_le_bytes(*b));
    let event = head.get(FIRST_EVENT..).unwrap_or_default();
    size.is_multiple_of(1024)
        && (1024..=1 << 24).contains(&size)
        && matches!(event, [1 | 2, 0, 1 | 2, 0xC0, ..])
}

/// Whether all of it is printable, in UTF-8 or UTF-16 as Windows writes it.
fn is_text(head: &[u8]) -> bool {
    let plain = |b: &u8| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    match head {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        _ => {
            head.iter().all(plain)
                && str::from_utf8(head).map_or_else(|e| e.error_len().is_none(), |_| true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_named_with_what_to_do() {
        let mut etl = vec![0; 0x60];
        etl[..4].copy_from_slice(&0x0001_0000u32.to_le_bytes());
        etl[0x48..0x4c].copy_from_slice(&[2, 0, 2, 0xC0]);
        for (head, name, expected) in [
            (&b""[..], "x", "an empty file"),
            (b"hello, world\n", "x", "text"),
            (b"\xff\xfeh\0i\0", "x", "text"),
            (b"GMBU\x01\x02", "x.cap", "Network Monitor 2"),
            (b"\x34\xcd\xb2\xa1\x02\0", "x", "modified pcap"),
            (b"\x28\xb5\x2f\xfd\0", "x.zst", "`zstd -d`"),
            (b"\x04\x22\x4d\x18\0", "x.lz4", "`lz4 -d`"),
            (b"PK\x03\x04\0", "x.matp", "Message Analyzer"),
            (b"\0\x01\0\0zzzz", "x.ETL", "`etl2pcapng in.etl out.pcapng`"),
            (&etl, "-", "`etl2pcapng in.etl out.pcapng`"),
            (b"\0\x01\x02\x03\x04", "x", "starts with 0x00010203"),
        ] {
            let message = refusal(head, name);
            assert!(message.contains(expected), "{message}");
        }
    }
}
