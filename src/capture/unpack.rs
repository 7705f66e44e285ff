//! Compressed captures: gzip, zstd and lz4, each read as a stream, several members one after
//! another included.

use std::io::{self, ErrorKind, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::window::Window;

const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const LZ4: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
const LZ4_LEGACY: [u8; 4] = [0x02, 0x21, 0x4c, 0x18];

/// Recognises a compressed input by its start; gives the name of the compression and what is in it.
///
/// A skippable frame may stand before either format: the frame behind it decides.
pub(super) fn unpacked(mut window: Window) -> (Option<&'static str>, Window) {
    let mut at = 0;
    while let Some(len) = skippable(&mut window, at) {
        at = len.saturating_add(at);
        if at > MAX_SKIPPED {
            return (None, window);
        }
    }
    let Some(magic) = magic(&mut window, at) else { return (None, window) };
    match magic {
        [0x1f, 0x8b, ..] if at == 0 => {
            (Some("gzip"), Window::new(Box::new(MultiGzDecoder::new(window))))
        }
        ZSTD => (Some("zstd"), Window::new(Box::new(Zstd::new(window)))),
        LZ4 | LZ4_LEGACY => (Some("lz4"), Window::new(Box::new(Lz4::new(window)))),
        _ => (None, window),
    }
}

/// Bytes of skippable frames that may stand before the first frame of data.
const MAX_SKIPPED: usize = 1 << 20;

/// The four bytes at `at`.
fn magic(window: &mut Window, at: usize) -> Option<[u8; 4]> {
    window.get(at + 4)?.get(at..)?.first_chunk().copied()
}

/// Length of the skippable frame at `at`, if one is there: a magic of 0x184D2A50 to 0x184D2A5F, and
/// how much follows.
fn skippable(window: &mut Window, at: usize) -> Option<usize> {
    let [0x50..=0x5f, 0x2a, 0x4d, 0x18] = magic(window, at)? else { return None };
    let len = magic(window, at + 4).map(u32::from_le_bytes)?;
    usize::try_from(len).ok()?.checked_add(8)
}

/// Passes over a skippable frame, of any length, without holding it in memory.
fn skip(window: &mut Window, mut len: usize) -> io::Result<()> {
    while len > 0 {
        if !window.fill(1) {
            return Err(window.take_error().unwrap_or_else(|| ErrorKind::UnexpectedEof.into()));
        }
        let n = len.min(window.held().len());
        window.consume(n);
        len -= n;
    }
    Ok(())
}

fn damaged(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

/// Moves to the next frame; false at the end of the input.
fn next_frame(window: &mut Window, is_frame: impl Fn([u8; 4]) -> bool) -> io::Result<bool> {
    while let Some(len) = skippable(window, 0) {
        skip(window, len)?;
    }
    match magic(window, 0) {
        Some(magic) if is_frame(magic) => Ok(true),
        Some(_) => Err(damaged("what follows the compressed data is none")),
        None => match window.take_error() {
            Some(e) => Err(e),
            None if window.held().is_empty() => Ok(false),
            None => Err(ErrorKind::UnexpectedEof.into()),
        },
    }
}

/// [RFC 8878] Zstandard. The decoder refuses a window beyond 128 MiB, which is what it may hold.
///
/// [RFC 8878]: https://www.rfc-editor.org/rfc/rfc8878
struct Zstd {
    window: Window,
    decoder: FrameDecoder,
    /// Whether a frame was begun and not ended.
    inside: bool,
}

impl Zstd {
    fn new(window: Window) -> Self {
        Self { window, decoder: FrameDecoder::new(), inside: false }
    }

    fn end_frame(&mut self) -> io::Result<()> {
        self.inside = false;
        match (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum()) {
            (Some(said), Some(is)) if said != is => Err(damaged("the checksum does not match")),
            _ => Ok(()),
        }
    }
}

impl Read for Zstd {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if self.inside && self.decoder.can_collect() > 0 {
                return self.decoder.read(out);
            }
            if self.inside && self.decoder.is_finished() {
                self.end_frame()?;
            } else if self.inside {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder
                    .decode_blocks(&mut self.window, one)
                    .map_err(|e| damaged(e.to_string()))?;
            } else if next_frame(&mut self.window, |magic| magic == ZSTD)? {
                self.decoder.reset(&mut self.window).map_err(|e| damaged(e.to_string()))?;
                self.inside = true;
            } else {
                return Ok(0);
            }
        }
    }
}

/// The LZ4 frame format.
struct Lz4 {
    decoder: lz4_flex::frame::FrameDecoder<Watched>,
    frame: Option<Lz4Frame>,
}

/// A frame that was begun and not ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lz4Frame {
    Ordinary,
    /// The older format has no end mark: it ends with the input.
    Legacy,
}

/// Knows whether more was wanted than there is: the decoder takes an input that ends between two
/// blocks for a whole one.
struct Watched {
    window: Window,
    starved: bool,
}

impl Read for Watched {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.window.read(out)?;
        self.starved |= n == 0 && !out.is_empty();
        Ok(n)
    }
}

impl Lz4 {
    fn new(window: Window) -> Self {
        let watched = Watched { window, starved: false };
        Self { decoder: lz4_flex::frame::FrameDecoder::new(watched), frame: None }
    }

    fn begin_frame(&mut self) -> io::Result<Option<Lz4Frame>> {
        let window = &mut self.decoder.get_mut().window;
        if !next_frame(window, |magic| magic == LZ4 || magic == LZ4_LEGACY)? {
            return Ok(None);
        }
        let legacy = magic(window, 0) == Some(LZ4_LEGACY);
        Ok(Some(if legacy { Lz4Frame::Legacy } else { Lz4Frame::Ordinary }))
    }
}

impl Read for Lz4 {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if self.frame.is_none() {
                self.frame = self.begin_frame()?;
            }
            let Some(frame) = self.frame else { return Ok(0) };
            match self.decoder.read(out)? {
                0 if self.decoder.get_ref().starved && frame == Lz4Frame::Ordinary => {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                0 => self.frame = None,
                n => return Ok(n),
            }
        }
    }
}
