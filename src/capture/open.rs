//! Finds out what an input is: one of the formats read here, compressed or not, or one of those
//! that are recognised only to say what to do about them.

use std::fs::File;
use std::io;
use std::path::Path;

use super::netmon::NetMon;
use super::pcap::Pcap;
use super::pcapng::PcapNg;
use super::places::Kept;
use super::report::Report;
use super::spool::{Input, temporary};
use super::unpack::unpacked;
use super::window::Window;
use super::{Record, Source};

/// Bytes looked at to say what an unknown input is.
const LOOK: usize = 512;

/// A packet may be this long whatever the file's snap length says: writers are careless with it,
/// and segmentation offload makes frames of up to 512 KiB.
pub(super) const LONGEST_PLAIN: u32 = 1 << 20;

/// A file format, positioned between two packets.
pub(super) enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
    NetMon(NetMon),
}

impl Format {
    /// The next packet; its bytes stay in `window` until the caller consumes them.
    pub(super) fn next(&mut self, window: &mut Window, report: &mut Report<'_>) -> Option<Record> {
        match self {
            Self::Pcap(pcap) => pcap.next(window, report),
            Self::PcapNg(pcapng) => pcapng.next(window, report),
            Self::NetMon(netmon) => netmon.next(window, report),
        }
    }
}

/// Opens a path, `-` being standard input; `Err` is the sentence.
pub(super) fn path(path: &Path) -> Result<Input, String> {
    if path == Path::new("-") {
        return Ok(Input::Stream(Box::new(io::stdin())));
    }
    if path.is_dir() {
        return Err("expected a capture file, found a directory: name the files in it".to_owned());
    }
    let file =
        File::open(path).map_err(|e| format!("expected a capture file, could not open it: {e}"))?;
    // A named pipe is a file that cannot be read in any order.
    Ok(match file.metadata() {
        Ok(about) if about.is_file() => Input::File(file),
        _ => Input::Stream(Box::new(file)),
    })
}

/// Recognises the input and reads up to its first packet. What cannot be read is reported as a
/// problem. What it is unpacked to, if it is, goes into `kept`, too.
pub(super) fn input(
    input: Input,
    report: &mut Report<'_>,
    kept: Option<&mut Option<File>>,
) -> Option<Source> {
    let (compression, mut window) = unpacked(Window::of(input));
    if let (Some(_), Some(kept)) = (compression, kept) {
        match temporary().and_then(|file| Ok((file.try_clone()?, file))) {
            Ok((file, copy)) => {
                window = Window::new(Box::new(Kept::new(window, file)));
                *kept = Some(copy);
            }
            Err(e) => {
                // Read on, its frames would be read again from the packed file: other bytes.
                report.problem(None, unkept(&e), true);
                return None;
            }
        }
    }
    report.file.compression = compression;
    let format = match window.get(4) {
        Some([0x0a, 0x0d, 0x0d, 0x0a]) => {
            report.file.format = Some("pcapng");
            Ok(Format::PcapNg(PcapNg::new()))
        }
        Some(magic) if Pcap::recognises(magic) => {
            report.file.format = Some("pcap");
            Pcap::open(&mut window, report).map(Format::Pcap)
        }
        Some(b"GMBU") => {
            report.file.format = Some("netmon");
            NetMon::open(&mut window, report).map(Format::NetMon)
        }
        _ => {
            window.fill(LOOK);
            Err(match window.take_error() {
                Some(e) => unreadable(&e, report.file.compression),
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

/// What is said where there is no place to keep what an input is unpacked to.
fn unkept(error: &io::Error) -> String {
    format!(
        "a temporary file to unpack it to could not be made: {error}; \
         name a directory that can be written to in TMPDIR, or unpack it first"
    )
}

/// What is said when the system, or the decompressor, gives an error in the middle of an input.
pub(super) fn unreadable(error: &io::Error, compression: Option<&str>) -> String {
    match compression {
        Some(name) => format!("expected more {name} compressed data, unpacking it failed: {error}"),
        None => format!("expected more of the input, reading it failed: {error}"),
    }
}

/// What begins like this and cannot be read, and what its owner can do.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"RTSS", "a Network Monitor 1 capture: convert it with `editcap -F pcapng IN OUT.pcapng`"),
    (b"snoop\0\0\0", "a Solaris snoop capture: convert it with `editcap -F pcapng IN OUT.pcapng`"),
    (b"TRSNIFF data", "a Sniffer capture: convert it with `editcap -F pcapng IN OUT.pcapng`"),
    (b"XCP\0", "a NetXRay capture: convert it with `editcap -F pcapng IN OUT.pcapng`"),
    (b"ObserverPktBuffe", "an Observer capture: convert it with `editcap -F pcapng IN OUT.pcapng`"),
    (b"\xfd7zXZ\0", "xz compressed data: unpack it first with `xz -d`"),
    (b"BZh", "bzip2 compressed data: unpack it first with `bzip2 -d`"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first with `7z x`"),
    (
        b"MSCF",
        "a cabinet, as `netsh trace` writes one beside its .etl: unpack it with `expand -F:* IN DIR`, \
         then convert what is in it with `etl2pcapng in.etl out.pcapng`",
    ),
    (
        b"PK\x03\x04",
        "a zip archive: unpack it first, or, if it is a Message Analyzer trace (.matp), export it \
         there as .cap",
    ),
];

/// Why an input that starts with `head` is not read, and what to do about it.
fn refusal(head: &[u8], name: &str) -> String {
    const EXPECTED: &str = "expected a pcap, pcapng or Network Monitor capture";
    let named = |ending| {
        let found = Path::new(name).extension().unwrap_or_default();
        found.eq_ignore_ascii_case(ending) && !head.is_empty()
    };
    // A trace of Message Analyzer is a zip archive, which its name alone tells from others.
    if named("matp") || named("matu") {
        return format!(
            "{EXPECTED}, found a Message Analyzer trace: export it there as .cap (Save As, Export), \
             which is read here"
        );
    }
    if let Some((_, what)) = FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)) {
        return format!("{EXPECTED}, found {what}");
    }
    if named("etl") || is_etl(head) {
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
            (b"RTSS\x01\x01", "x.cap", "Network Monitor 1"),
            (b"\xfd7zXZ\0", "x.xz", "`xz -d`"),
            (b"PK\x03\x04\0", "x.MATP", "Message Analyzer"),
            (b"PK\x03\x04\0", "x.zip", "a zip archive"),
            (b"MSCF\0", "x.cab", "`expand -F:* IN DIR`"),
            (b"\0\x01\0\0zzzz", "x.ETL", "`etl2pcapng in.etl out.pcapng`"),
            (&etl, "-", "`etl2pcapng in.etl out.pcapng`"),
            (b"\0\x01\x02\x03\x04", "x", "starts with 0x00010203"),
        ] {
            let message = refusal(head, name);
            assert!(message.contains(expected), "{message}");
        }
    }
}
