//! A capture of any size from small ones: their conversations again and again, each time between
//! other addresses and ports, some of them at once, and later.
//!
//! Only IPv4 over Ethernet is rewritten, and the `ServerGuid` of SMB, so that each repetition has a
//! server of its own; checksums are kept right. Nothing else in a frame changes, so N repetitions
//! hold N times the calls.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::PathBuf;

use vshark::bytes::{LinkType, Time};
use vshark::capture::{Capture, Writer};

/// Conversations that are under way at the same time.
const AT_ONCE: usize = 8;
/// From one frame to the next, in nanoseconds.
const STEP: i128 = 5_000;
/// 2026-01-01T00:00:00Z
const START: i128 = 1_767_225_600 * 1_000_000_000;

/// The frames of a small capture.
pub(crate) struct Template {
    frames: Vec<(u32, Vec<u8>)>,
}

impl Template {
    /// Reads a capture of Ethernet frames.
    pub(crate) fn read(path: &PathBuf) -> Self {
        let mut capture = Capture::open(std::slice::from_ref(path));
        let mut frames = Vec::new();
        while capture.advance() {
            let frame = capture.frame();
            assert_eq!(frame.link, LinkType(1), "{} is not of Ethernet", path.display());
            frames.push((frame.wire_len, frame.data.to_vec()));
        }
        assert!(!frames.is_empty(), "{} cannot be read", path.display());
        Self { frames }
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grown {
    pub(crate) repetitions: u64,
    pub(crate) frames: u64,
    /// Octets of frames, without what the file has around them.
    pub(crate) bytes: u64,
}

/// Writes repetitions of the templates, taken in turn, as pcapng. None is begun once there is
/// `enough`.
pub(crate) fn grow<W: Write>(
    templates: &[Template],
    enough: impl Fn(&Grown) -> bool,
    out: W,
) -> io::Result<Grown> {
    let mut writer = Writer::new(out, Some("made by repetition of small captures"))?;
    let mut grown = Grown::default();
    // Repetitions under way, with the frames they have left.
    let mut open = VecDeque::<(u64, &[(u32, Vec<u8>)])>::new();
    let mut turn = templates.iter().cycle();
    loop {
        if open.len() < AT_ONCE && !enough(&grown) {
            let template = turn.next().expect("there is a template");
            open.push_back((grown.repetitions, &template.frames));
            grown.repetitions += 1;
        }
        let Some((n, frames)) = open.pop_front() else { break };
        let Some(((wire_len, data), left)) = frames.split_first() else { continue };
        let mut data = data.clone();
        readdress(&mut data, n);
        let time = Time::from_nanos(START + i128::from(grown.frames) * STEP);
        writer.frame(LinkType(1), time, *wire_len, &data)?;
        grown.frames += 1;
        grown.bytes += u64::try_from(data.len()).expect("a frame is small");
        open.push_back((n, left));
    }
    writer.flush()?;
    Ok(grown)
}

/// Gives the frame the addresses and the client's port of the `n`th repetition.
fn readdress(frame: &mut [u8], n: u64) {
    const ETHERNET: usize = 14;
    const TCP: u8 = 6;
    let ipv4 = frame.get(12..ETHERNET) == Some(&[8, 0]) && frame.len() >= ETHERNET + 20;
    if !ipv4 {
        return;
    }
    let ip = ETHERNET;
    let transport = ip + usize::from(frame[ip] & 0xf) * 4;
    let tcp = frame[ip + 9] == TCP && frame.len() >= transport + 20;
    let [.., high, middle, low] = n.to_be_bytes();
    let mut sum = 0;
    for address in [ip + 12, ip + 16] {
        let host = frame[address + 3];
        let new = [10, middle, low, host];
        sum = replace(frame, address, [new[0], new[1]], sum);
        sum = replace(frame, address + 2, [new[2], new[3]], sum);
    }
    adjust(frame, ip + 10, sum);
    if tcp {
        // The larger port is the client's.
        let port = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
        let client = if port(transport) > port(transport + 2) { transport } else { transport + 2 };
        let new = 1024 + (u32::from(port(client)) + u32::from(high) * 251) % 64_000;
        let new = u16::try_from(new).expect("below 65024").to_be_bytes();
        sum = replace(frame, client, new, sum);
        if let Some(guid) = server_guid(frame, transport) {
            for (at, [a, b]) in [(guid, [0, high]), (guid + 2, [middle, low])] {
                let new = [frame[at] ^ a, frame[at + 1] ^ b];
                sum = replace(frame, at, new, sum);
            }
        }
        adjust(frame, transport + 16, sum);
    }
}

/// Where a NEGOTIATE response ([MS-SMB2] 2.2.4) has its `ServerGuid`.
fn server_guid(frame: &[u8], tcp: usize) -> Option<usize> {
    const NETBIOS: usize = 4;
    const HEADER: usize = 64;
    let smb = tcp + usize::from(frame[tcp + 12] >> 4) * 4 + NETBIOS;
    let header = frame.get(smb..smb + HEADER)?;
    let response =
        header.starts_with(b"\xfeSMB") && header[12..14] == [0, 0] && header[16] & 1 != 0;
    let guid = smb + HEADER + 8;
    (response && frame.len() >= guid + 16).then_some(guid)
}

/// Puts two octets in the place of two others, and adds the difference to a sum of 16-bit words.
fn replace(frame: &mut [u8], at: usize, new: [u8; 2], sum: u32) -> u32 {
    let old = u16::from_be_bytes([frame[at], frame[at + 1]]);
    frame[at..at + 2].copy_from_slice(&new);
    sum + u32::from(!old) + u32::from(u16::from_be_bytes(new))
}

/// Brings a checksum up to date (RFC 1624).
fn adjust(frame: &mut [u8], at: usize, sum: u32) {
    let old = u16::from_be_bytes([frame[at], frame[at + 1]]);
    let mut sum = sum + u32::from(!old);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let new = !u16::try_from(sum).expect("it was folded");
    frame[at..at + 2].copy_from_slice(&new.to_be_bytes());
}
