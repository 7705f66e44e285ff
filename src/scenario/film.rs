//! [`Film`]: the clock, and the frames that go into the capture.

use std::io::{self, Write};

use super::MAX_OCTETS;
use super::syntax::Lost;
use crate::bytes::{LinkType, Time, clamp};
use crate::capture::Writer;

/// What is being sent, for those who lose it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Neither of the two.
    #[default]
    Between,
    Request,
    Answer,
}

/// Writes frames as time passes.
pub(super) struct Film<'w> {
    out: Writer<&'w mut dyn Write>,
    pub(super) now: Time,
    /// Whether frames are written: the capture may begin later than the conversation.
    pub(super) recording: bool,
    pub(super) phase: Phase,
    /// What is lost of the call that goes on.
    lost: Vec<Lost>,
    /// Frames of the call that goes on.
    frames: u32,
    octets: u64,
    /// TCP connections opened so far.
    connections: u16,
}

impl<'w> Film<'w> {
    pub(super) fn new(out: &'w mut dyn Write, now: Time, recording: bool) -> io::Result<Self> {
        const COMMENT: &str = "made by vshark from a scenario: nobody sent these frames";
        let out = Writer::new(out, Some(COMMENT))?;
        let (phase, lost) = (Phase::Between, Vec::new());
        Ok(Self { out, now, recording, phase, lost, frames: 0, octets: 0, connections: 0 })
    }

    /// Some time passes: microseconds.
    pub(super) fn tick(&mut self, micros: u32) {
        self.now = self.now.plus(i64::from(micros).saturating_mul(1000));
    }

    /// The port a client opens its next connection from.
    pub(super) fn port(&mut self) -> u16 {
        /// Of the dynamic ports of Windows; who opens more goes round.
        const FIRST: u16 = 49_700;
        const COUNT: u16 = 15_000;
        let port = FIRST.saturating_add(self.connections);
        self.connections = self.connections.wrapping_add(1) % COUNT;
        port
    }

    /// A call begins, of which this is lost.
    pub(super) fn begin(&mut self, lost: &[Lost]) {
        self.frames = 0;
        self.lost = lost.to_vec();
    }

    /// It has ended.
    pub(super) fn end(&mut self) {
        self.lost.clear();
        self.phase = Phase::Between;
    }

    /// A frame is sent.
    pub(super) fn frame(&mut self, frame: &[u8]) -> io::Result<()> {
        self.tick(1);
        self.frames = self.frames.saturating_add(1);
        let number = self.frames;
        let lost = self.lost.iter().any(|lost| match lost {
            Lost::Request => self.phase == Phase::Request,
            Lost::Answer => self.phase == Phase::Answer,
            Lost::Frames(first, last) => (*first..=*last).contains(&number),
        });
        if lost || !self.recording {
            return Ok(());
        }
        let len = clamp(frame.len());
        self.octets = self.octets.saturating_add(u64::from(len)).saturating_add(32);
        if self.octets > MAX_OCTETS {
            let message = format!("the capture would be longer than {} MiB", MAX_OCTETS >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        self.out.frame(LinkType::ETHERNET, self.now, len, frame)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
