//! [`Place`]: where the bytes of a message are, so that they can be read again with their provenance.

use serde::{Deserialize, Serialize};

use super::Trace;
use super::store::Unreadable;
use crate::bytes::{Buffer, FrameNo, Hole, Missing, Piece, Time, View, index};

/// Where the bytes of a message are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    /// In one piece of one frame.
    One { frame: u64, offset: u32, len: u32 },
    /// In several, or not all of it anywhere.
    Many(Box<Many>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Many {
    len: u32,
    /// The frame of the first piece, from which the others are counted.
    first: u64,
    pieces: Vec<Run>,
    holes: Vec<(u32, u32, Why)>,
    /// The bytes of those pieces that were made, one behind another.
    made: Vec<u8>,
}

/// A piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    at: u32,
    len: u32,
    /// Counted from the first.
    frame: i64,
    offset: u32,
    made: bool,
}

/// [`Missing`], as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Why {
    Snapped,
    Lost,
    Sealed,
    Capped,
}

impl From<Missing> for Why {
    fn from(why: Missing) -> Self {
        match why {
            Missing::Snapped => Self::Snapped,
            Missing::Lost => Self::Lost,
            Missing::Sealed => Self::Sealed,
            Missing::Capped => Self::Capped,
        }
    }
}

impl From<Why> for Missing {
    fn from(why: Why) -> Self {
        match why {
            Why::Snapped => Self::Snapped,
            Why::Lost => Self::Lost,
            Why::Sealed => Self::Sealed,
            Why::Capped => Self::Capped,
        }
    }
}

impl Place {
    /// Where the bytes of `view` are.
    pub(super) fn of(view: View<'_>) -> Self {
        let mut pieces = view.pieces();
        let first = pieces.next();
        if let (Some(piece), None) = (first, pieces.next())
            && !piece.made
            && (piece.at, piece.len) == (0, view.len())
        {
            return Self::One { frame: piece.frame.0, offset: piece.offset, len: piece.len };
        }
        let first = first.map_or(0, |piece| piece.frame.0);
        let mut made = Vec::new();
        let mut until = 0;
        for piece in view.pieces().filter(|piece| piece.made) {
            // Each frame that they were made from has a piece of the same extent.
            if piece.at >= until {
                until = piece.at.saturating_add(piece.len);
                let bytes = view.bytes().get(index(piece.at)..index(until));
                made.extend_from_slice(bytes.unwrap_or_default());
            }
        }
        Self::Many(Box::new(Many {
            len: view.len(),
            first,
            pieces: view
                .pieces()
                .map(|piece| Run {
                    at: piece.at,
                    len: piece.len,
                    frame: piece.frame.0.cast_signed().wrapping_sub(first.cast_signed()),
                    offset: piece.offset,
                    made: piece.made,
                })
                .collect(),
            holes: view.holes().map(|hole| (hole.at, hole.len, hole.why.into())).collect(),
            made,
        }))
    }

    /// The frames of its pieces, in their order.
    pub(super) fn frames(&self) -> impl Iterator<Item = u64> {
        let (one, many) = match self {
            Self::One { frame, .. } => (Some(*frame), None),
            Self::Many(many) => (None, Some(many)),
        };
        let of = |many: &Many| {
            let first = many.first;
            let frames = many.pieces.iter().map(move |run| first.wrapping_add_signed(run.frame));
            frames.collect::<Vec<_>>()
        };
        one.into_iter().chain(many.into_iter().flat_map(move |many| of(many)))
    }

    /// Whether the frame carried a part of it.
    pub(super) fn is_in(&self, frame: FrameNo) -> bool {
        self.frames().any(|of| of == frame.0)
    }
}

impl Trace {
    /// Reads the bytes of a message again.
    pub(super) fn restore(&self, place: &Place) -> Result<Buffer, Unreadable> {
        let piece = |at, len, frame: u64, offset, made| {
            let frame = FrameNo(frame);
            Piece { at, len, frame, offset, time: self.frames.time(frame), made }
        };
        let mut buffer = Buffer::default();
        let many = match place {
            Place::One { frame, offset, len } => {
                let mut bytes = vec![0; index(*len)];
                self.fetch(FrameNo(*frame), *offset, &mut bytes)?;
                let piece = piece(0, *len, *frame, *offset, false);
                buffer.push(View::new(&bytes, &[piece], &[]));
                return Ok(buffer);
            }
            Place::Many(many) => many,
        };
        let mut bytes = vec![0; index(many.len)];
        let mut made = many.made.as_slice();
        let mut pieces = Vec::with_capacity(many.pieces.len());
        let mut until = 0;
        for run in &many.pieces {
            let frame = many.first.wrapping_add_signed(run.frame);
            pieces.push(piece(run.at, run.len, frame, run.offset, run.made));
            if run.made && run.at < until {
                continue;
            }
            until = run.at.saturating_add(run.len);
            let Some(to) = bytes.get_mut(index(run.at)..index(until)) else { continue };
            if run.made {
                let (of, rest) = made.split_at_checked(to.len()).unwrap_or_default();
                if of.len() == to.len() {
                    to.copy_from_slice(of);
                }
                made = rest;
            } else {
                self.fetch(FrameNo(frame), run.offset, to)?;
            }
        }
        let hole =
            |(at, len, why): &(u32, u32, Why)| Hole { at: *at, len: *len, why: (*why).into() };
        let holes: Vec<Hole> = many.holes.iter().map(hole).collect();
        buffer.push(View::new(&bytes, &pieces, &holes));
        Ok(buffer)
    }

    /// Reads bytes of a frame again.
    fn fetch(&self, frame: FrameNo, offset: u32, to: &mut [u8]) -> Result<(), Unreadable> {
        let Some(about) = self.frames.about(frame) else { return Ok(()) };
        let from = about.offset.saturating_add(offset.into());
        self.stores.read(about.file, from, to).map_err(|e| e.of(frame))
    }

    /// When the last of the pieces of these places was captured.
    pub(super) fn latest<'p>(&self, places: impl Iterator<Item = &'p Place>) -> Time {
        let times = places.flat_map(Place::frames).map(|frame| self.frames.time(FrameNo(frame)));
        times.max().unwrap_or_default()
    }
}
