//! Writes small capture files, delivers them in pieces, and checks what was read.

use std::io::{self, ErrorKind, Read, Write};

use vshark::capture::Capture;

/// Writes capture files in either byte order.
#[derive(Clone, Copy)]
pub(crate) struct Build {
    big: bool,
}

pub(crate) const LITTLE: Build = Build { big: false };
pub(crate) const BIG: Build = Build { big: true };

impl Build {
    pub(crate) fn u16(self, n: usize) -> [u8; 2] {
        let n = u16::try_from(n).unwrap();
        if self.big { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    pub(crate) fn u32(self, n: u32) -> [u8; 4] {
        if self.big { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    pub(crate) fn u64(self, n: u64) -> [u8; 8] {
        if self.big { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    pub(crate) fn words(self, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|n| self.u32(*n)).collect()
    }

    pub(crate) fn pcap(self, magic: u32, network: u32) -> Vec<u8> {
        let version = [self.u16(2), self.u16(4)].concat();
        [self.words(&[magic]), version, self.words(&[0, 0, 65535, network])].concat()
    }

    pub(crate) fn record(
        self,
        seconds: u32,
        part: u32,
        caplen: u32,
        len: u32,
        data: &[u8],
    ) -> Vec<u8> {
        [&self.words(&[seconds, part, caplen, len])[..], data].concat()
    }

    pub(crate) fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padded = body.len().next_multiple_of(4);
        let len = u32::try_from(12 + padded).unwrap();
        let padding = &[0; 3][..padded - body.len()];
        [&self.words(&[kind, len])[..], body, padding, &self.u32(len)].concat()
    }

    pub(crate) fn section(self) -> Vec<u8> {
        let version = [self.u16(1), self.u16(0)].concat();
        let magic = self.words(&[0x1A2B_3C4D]);
        self.block(0x0A0D_0D0A, &[magic, version, vec![0xff; 8]].concat())
    }

    pub(crate) fn option(self, code: usize, value: &[u8]) -> Vec<u8> {
        let padding = &[0; 3][..value.len().next_multiple_of(4) - value.len()];
        [&self.u16(code)[..], &self.u16(value.len()), value, padding].concat()
    }

    pub(crate) fn interface(self, link: usize, snaplen: u32, options: &[u8]) -> Vec<u8> {
        let link = self.u16(link);
        self.block(1, &[&link[..], &[0; 2], &self.u32(snaplen), options].concat())
    }

    pub(crate) fn packet(
        self,
        interface: u32,
        stamp: u64,
        caplen: u32,
        len: u32,
        data: &[u8],
    ) -> Vec<u8> {
        let high = u32::try_from(stamp >> 32).unwrap();
        let low = u32::try_from(stamp & 0xffff_ffff).unwrap();
        let head = self.words(&[interface, high, low, caplen, len]);
        self.block(6, &[&head[..], data].concat())
    }

    pub(crate) fn simple(self, len: u32, data: &[u8]) -> Vec<u8> {
        self.block(3, &[&self.u32(len)[..], data].concat())
    }

    /// A pcap file of three packets, one of them empty and one cut by the snap length.
    pub(crate) fn small_pcap(self) -> Vec<u8> {
        [
            self.pcap(0xA1B2_C3D4, 1),
            self.record(10, 1, 5, 5, b"first"),
            self.record(11, 2, 0, 0, b""),
            self.record(12, 3, 4, 90, b"last"),
        ]
        .concat()
    }

    /// The same three packets as pcapng, with a block between them that is not read.
    pub(crate) fn small_pcapng(self) -> Vec<u8> {
        [
            self.section(),
            self.interface(1, 0, &[]),
            self.packet(0, 10_000_001, 5, 5, b"first"),
            self.block(5, &[0; 12]),
            self.packet(0, 11_000_002, 0, 0, b""),
            self.packet(0, 12_000_003, 4, 90, b"last"),
        ]
        .concat()
    }
}

/// What both of them say.
pub(crate) const SMALL: [&str; 3] = [
    "1 10000001000 Ethernet 5 first",
    "2 11000002000 Ethernet 0 ",
    "3 12000003000 Ethernet 90 last",
];

/// Both formats in both byte orders, and one of them compressed.
pub(crate) fn small(which: usize) -> Vec<u8> {
    match which {
        0 => LITTLE.small_pcap(),
        1 => BIG.small_pcap(),
        2 => LITTLE.small_pcapng(),
        3 => BIG.small_pcapng(),
        _ => gzip(&LITTLE.small_pcapng()),
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// Delivers `bytes` in reads of the given sizes, over and over, interrupted before each.
pub(crate) struct Pipe {
    bytes: Vec<u8>,
    at: usize,
    sizes: Vec<usize>,
    reads: usize,
}

impl Read for Pipe {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        if self.reads % 2 == 1 {
            return Err(ErrorKind::Interrupted.into());
        }
        let size = self.sizes[self.reads / 2 % self.sizes.len()];
        let n = size.min(out.len()).min(self.bytes.len() - self.at);
        out[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

pub(crate) fn pipe(bytes: &[u8], sizes: &[usize]) -> Box<dyn Read + Send> {
    Box::new(Pipe { bytes: bytes.to_vec(), at: 0, sizes: sizes.to_vec(), reads: 0 })
}

pub(crate) fn open(bytes: &[u8]) -> Capture {
    Capture::from_reader("t", pipe(bytes, &[usize::MAX]))
}

/// One line a frame: number, nanoseconds, link, length on the wire, bytes.
pub(crate) fn frames(capture: &mut Capture) -> Vec<String> {
    let mut out = Vec::new();
    while capture.advance() {
        let f = capture.frame();
        let (no, nanos, text) = (f.no_in_file, f.time.nanos(), f.data.escape_ascii());
        out.push(format!("{no} {nanos} {} {} {text}", f.link, f.wire_len));
    }
    out
}

pub(crate) fn problems(capture: &mut Capture) -> Vec<String> {
    capture.problems().iter().map(ToString::to_string).collect()
}

/// Reads `bytes` whole: the frames must be these, and the problems.
#[track_caller]
pub(crate) fn check(bytes: &[u8], want: &[&str], wrong: &[&str]) -> Capture {
    let mut capture = open(bytes);
    assert_eq!(frames(&mut capture), want);
    assert_eq!(problems(&mut capture), wrong);
    capture
}
