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
        self.pcap_of((2, 4), magic, network)
    }

    pub(crate) fn pcap_of(self, version: (usize, usize), magic: u32, network: u32) -> Vec<u8> {
        let version = [self.u16(version.0), self.u16(version.1)].concat();
        [self.words(&[magic]), version, self.words(&[0, 0, 65535, network])].concat()
    }

    /// A record of the modified format: interface, protocol, and direction follow the lengths.
    pub(crate) fn modified(self, seconds: u32, part: u32, len: u32, data: &[u8]) -> Vec<u8> {
        let caplen = u32::try_from(data.len()).unwrap();
        let head = self.words(&[seconds, part, caplen, len, 7]);
        [&head[..], &self.u16(0x0800), &[4, 0], data].concat()
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

    /// The obsolete Packet Block, with a count of drops beside its interface.
    pub(crate) fn obsolete(
        self,
        interface: usize,
        stamp: u64,
        len: u32,
        data: &[u8],
        options: &[u8],
    ) -> Vec<u8> {
        let high = u32::try_from(stamp >> 32).unwrap();
        let low = u32::try_from(stamp & 0xffff_ffff).unwrap();
        let words = self.words(&[high, low, u32::try_from(data.len()).unwrap(), len]);
        let padding = &[0; 3][..data.len().next_multiple_of(4) - data.len()];
        let ends = [&self.u16(interface)[..], &self.u16(99)].concat();
        self.block(2, &[&ends[..], &words, data, padding, options].concat())
    }

    /// An Enhanced Packet Block with options.
    pub(crate) fn noted(self, stamp: u64, len: u32, data: &[u8], options: &[u8]) -> Vec<u8> {
        let low = u32::try_from(stamp).unwrap();
        let words = self.words(&[0, 0, low, u32::try_from(data.len()).unwrap(), len]);
        let padding = &[0; 3][..data.len().next_multiple_of(4) - data.len()];
        self.block(6, &[&words[..], data, padding, options].concat())
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

/// How many samples [`small`] has; the first [`LIVE`] are not compressed and can be read as they
/// come.
pub(crate) const SAMPLES: usize = 13;
pub(crate) const LIVE: usize = 9;

/// Every format in every byte order, and every compression: each says [`SMALL`].
pub(crate) fn small(which: usize) -> Vec<u8> {
    let modified = |build: Build| {
        [
            build.pcap(0xA1B2_CD34, 1),
            build.modified(10, 1, 5, b"first"),
            build.modified(11, 2, 0, b""),
            build.modified(12, 3, 90, b"last"),
        ]
        .concat()
    };
    let obsolete = |build: Build| {
        [
            build.section(),
            build.interface(1, 0, &[]),
            build.obsolete(0, 10_000_001, 5, b"first", &build.option(1, b"a comment")),
            build.obsolete(0, 11_000_002, 0, b"", &[]),
            build.obsolete(0, 12_000_003, 90, b"last", &[]),
        ]
        .concat()
    };
    match which {
        0 => LITTLE.small_pcap(),
        1 => BIG.small_pcap(),
        2 => LITTLE.small_pcapng(),
        3 => BIG.small_pcapng(),
        4 => modified(LITTLE),
        5 => modified(BIG),
        6 => obsolete(LITTLE),
        7 => obsolete(BIG),
        // Before version 2.3 the lengths stand the other way round.
        8 => [
            BIG.pcap_of((2, 2), 0xA1B2_C3D4, 1),
            BIG.record(10, 1, 5, 5, b"first"),
            BIG.record(11, 2, 0, 0, b""),
            BIG.record(12, 3, 90, 4, b"last"),
        ]
        .concat(),
        9 => gzip(&LITTLE.small_pcapng()),
        10 => zstd(&BIG.small_pcap()),
        11 => lz4(&LITTLE.small_pcap()),
        _ => NetMon::small().build(),
    }
}

/// A Network Monitor file in the making.
pub(crate) struct NetMon {
    pub(crate) minor: u8,
    /// Media type of the file.
    pub(crate) media: u16,
    pub(crate) frames: Vec<NetMonFrame>,
    /// Comments by the frame they are on.
    pub(crate) comments: Vec<(usize, &'static str)>,
    /// Bytes of nothing before each frame.
    pub(crate) hole: usize,
    /// The order in which the table lists the frames, and how often; all in theirs when empty.
    pub(crate) order: Vec<usize>,
    /// Whether the table stands before the frames.
    pub(crate) table_first: bool,
}

/// A frame of it.
#[derive(Clone)]
pub(crate) struct NetMonFrame {
    /// Microseconds from the start, which is 1970-01-01 08:00 by the local clock.
    pub(crate) micros: i64,
    pub(crate) media: u16,
    /// By UTC, in units of 100 ns from the epoch; zero for none.
    pub(crate) utc: u64,
    pub(crate) len: u32,
    pub(crate) data: Vec<u8>,
}

impl NetMon {
    /// What [`SMALL`] says, by a machine whose clock is eight hours ahead of UTC.
    pub(crate) fn small() -> Self {
        let frame = |micros: i64, len, data: &[u8]| NetMonFrame {
            micros,
            media: 1,
            utc: micros.unsigned_abs() * 10,
            len,
            data: data.to_vec(),
        };
        let frames = vec![
            frame(10_000_001, 5, b"first"),
            frame(11_000_002, 0, b""),
            frame(12_000_003, 90, b"last"),
        ];
        Self {
            minor: 3,
            media: 1,
            frames,
            comments: Vec::new(),
            hole: 0,
            order: Vec::new(),
            table_first: false,
        }
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let le32 = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
        let mut order = self.order.clone();
        if order.is_empty() {
            order = (0..self.frames.len()).collect();
        }
        let table_len = 4 * order.len();
        let mut places = Vec::new();
        let mut frames = Vec::new();
        let first = 128 + if self.table_first { table_len } else { 0 };
        for frame in &self.frames {
            frames.resize(frames.len() + self.hole, 0xEE);
            places.push(first + frames.len());
            frames.extend(frame.micros.to_le_bytes());
            frames.extend(frame.len.to_le_bytes());
            frames.extend(le32(frame.data.len()));
            frames.extend(&frame.data);
            let utc = if frame.utc == 0 { 0 } else { frame.utc + 116_444_736_000_000_000 };
            let behind = [&frame.media.to_le_bytes()[..], &[0xff; 4], &utc.to_le_bytes(), &[0xff]];
            let behind = behind.concat();
            frames.extend(&behind[..[0, 2, 6, 15][usize::from(self.minor)]]);
        }
        let mut comments = Vec::new();
        for (frame, text) in &self.comments {
            let title: Vec<u8> =
                text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
            comments.extend([le32(1), le32(places[*frame]), le32(title.len())].concat());
            comments.extend(title);
            comments.extend([&le32(5)[..], b"{rtf}"].concat());
        }
        let table: Vec<u8> = order.iter().flat_map(|frame| le32(places[*frame])).collect();
        let comments_at = first + frames.len();
        let table_at = if self.table_first { 128 } else { comments_at + comments.len() };
        let mut file = [&b"GMBU"[..], &[self.minor, 2], &self.media.to_le_bytes()].concat();
        for part in [1970u16, 1, 4, 1, 8, 0, 0, 0] {
            file.extend(part.to_le_bytes());
        }
        for n in [table_at, table_len, 0, 0, comments_at, comments.len()] {
            file.extend(le32(n));
        }
        file.resize(128, 0);
        if self.table_first {
            file.extend(&table);
            file.extend(frames);
            file.extend(comments);
        } else {
            file.extend(frames);
            file.extend(comments);
            file.extend(&table);
        }
        file
    }
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

pub(crate) fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut out = lz4_flex::frame::FrameEncoder::new(Vec::new());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
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
