//! [`Trace`]: an index of everything in a capture, for those who go back and forth in it.
//!
//! A [`Recorder`] takes frames and events as the pipeline gives them and makes [`Batch`]es; a
//! [`Trace`] takes these, in another thread if need be, and gives back any frame, any message and any
//! call. It keeps where bytes lie, not the bytes: they are read again from the inputs when somebody
//! looks. What is read again is decoded again, by the code that did it first.
//!
//! ```text
//!  Frame, Event ─► Recorder ─Batch─► Trace ◄── frame 57? call 7? which messages are in frame 61?
//!                                      │
//!                                      └─ Place of the bytes ─► Store (file, temporary file)
//! ```
//!
//! # What it costs
//!
//! A frame takes 24 bytes. A message and a call take a record in a log, of about 15 and 100 bytes, and
//! a call twelve more for its place. What many calls have in common (who carried them, how they were
//! protected) is kept once. So this is the exception to what `src/lib.rs` says of memory: it follows
//! what has passed, for it is the index of that. A stretch of the log knows the lowest frame that its records travelled
//! in, and the frame in which the last of them was complete: those of a frame are found by that.
//!
//! INVARIANT: bytes that were made, by decompression, are in no input, and so they are in the log.

mod frames;
mod log;
mod place;
mod record;
mod recorder;
mod store;

use std::collections::BTreeMap;

use crate::bytes::{Buffer, Ends, FrameNo, LinkType, Piece, Time, View, index};
use crate::call::{Call, Carrier, PipeUse, Transport};
use crate::capture::Origins;
use crate::pipeline::{Unit, UnitKind};
use crate::protocol::Registry;
use crate::rpc::{Auth, SyntaxId};
use frames::Frames;
use log::{Log, Spot};
use record::Entry;

pub use frames::About;
pub use recorder::{Batch, Recorder};
pub use store::{Store, Unreadable};

use store::Stores;

/// Octets of comments kept.
const MAX_COMMENTS: usize = 4 << 20;

/// What many records have in common, by the number that these have of it.
#[derive(Clone, Debug, Default)]
struct Commons {
    carriers: Vec<Carrier>,
    auths: Vec<Auth>,
    syntaxes: Vec<SyntaxId>,
    ends: Vec<Ends>,
    kinds: Vec<UnitKind>,
}

/// The index of a capture, as far as it has been read.
#[derive(Debug, Default)]
pub struct Trace {
    frames: Frames,
    log: Log,
    commons: Commons,
    /// Where each call is, by its number less one; `None` for one that is not complete.
    calls: Vec<Option<Spot>>,
    /// Calls that are complete.
    complete: u64,
    stores: Stores,
    /// By frame. Added by batches up to [`MAX_COMMENTS`]; nothing is removed.
    comments: BTreeMap<u64, String>,
    commented: usize,
    origins: Origins,
}

/// A frame, read again.
#[derive(Clone, Debug)]
pub struct StoredFrame {
    /// What its bytes start with.
    pub link: LinkType,
    /// When it was captured, and how long it is.
    pub about: About,
    /// Its bytes.
    pub bytes: Buffer,
}

impl Commons {
    /// Bytes that it takes, about.
    fn weight(&self) -> usize {
        let carried = |carrier: &Carrier| {
            let pipe = match &carrier.transport {
                Transport::NamedPipe(_) => size_of::<PipeUse>(),
                Transport::Tcp => 0,
            };
            size_of::<Carrier>() + pipe
        };
        self.carriers.iter().map(carried).sum::<usize>()
            + size_of_val(self.auths.as_slice())
            + size_of_val(self.syntaxes.as_slice())
            + size_of_val(self.ends.as_slice())
            + size_of_val(self.kinds.as_slice())
    }
}

impl Trace {
    /// Takes what was recorded next.
    pub fn take(&mut self, batch: Batch) {
        let Batch { frames, links, numbers, records, stretches, calls, commons, stores, comments } =
            batch;
        self.frames.know(links);
        for (at, packed) in frames.iter().enumerate() {
            let before = self.frames.len();
            self.frames.push(*packed);
            if let Some(no) = numbers.get(at).copied()
                && let Some(about) = self.frames.about(FrameNo(before + 1))
                && no > 0
            {
                self.origins.note(FrameNo(before + 1), about.file, no);
            }
        }
        let segment = self.log.push(records, stretches);
        for (n, at) in calls {
            let Some(place) = n.checked_sub(1).and_then(|n| usize::try_from(n).ok()) else {
                continue;
            };
            if place >= self.calls.len() {
                self.calls.resize(place + 1, None);
            }
            if let Some(slot) = self.calls.get_mut(place) {
                self.complete += u64::from(slot.is_none());
                *slot = Some(Spot { segment, at });
            }
        }
        self.commons.carriers.extend(commons.carriers);
        self.commons.auths.extend(commons.auths);
        self.commons.syntaxes.extend(commons.syntaxes);
        self.commons.ends.extend(commons.ends);
        self.commons.kinds.extend(commons.kinds);
        for (file, store) in stores {
            self.stores.add(file, store);
        }
        for (frame, comment) in comments {
            if self.commented < MAX_COMMENTS {
                self.commented += comment.len();
                self.comments.insert(frame.0, comment);
            }
        }
    }

    /// Number of the last frame.
    pub fn frames(&self) -> u64 {
        self.frames.len()
    }

    /// Highest number of a call that is complete; those before it may still be open.
    pub fn calls(&self) -> u64 {
        u64::try_from(self.calls.len()).unwrap_or(u64::MAX)
    }

    /// Calls that are complete.
    pub fn complete(&self) -> u64 {
        self.complete
    }

    /// Whether a call is complete.
    pub fn has_call(&self, n: u64) -> bool {
        self.spot(n).is_some()
    }

    fn spot(&self, n: u64) -> Option<Spot> {
        let place = usize::try_from(n.checked_sub(1)?).ok()?;
        self.calls.get(place).copied().flatten()
    }

    /// When a frame was captured, and how long it is; `None` too for a number under which the capture
    /// has no packet.
    pub fn about(&self, frame: FrameNo) -> Option<About> {
        self.frames.about(frame)
    }

    /// When the last packet before this number was captured.
    pub fn time_before(&self, frame: FrameNo) -> Option<Time> {
        self.frames.time_before(frame)
    }

    /// When the first frame was captured.
    pub fn began(&self) -> Option<Time> {
        self.frames.first_time()
    }

    /// What somebody noted beside a frame in the capture.
    pub fn comment(&self, frame: FrameNo) -> Option<&str> {
        self.comments.get(&frame.0).map(String::as_str)
    }

    /// Where frames came from, if there are several inputs.
    pub fn origins(&self) -> &Origins {
        &self.origins
    }

    /// Bytes that the index takes in memory.
    pub fn weight(&self) -> usize {
        self.frames.weight()
            + self.log.weight()
            + self.commons.weight()
            + self.calls.capacity() * size_of::<Option<Spot>>()
            + self.commented
    }

    /// Reads a frame again; `None` if there is no such frame, or no packet under this number.
    pub fn frame(&self, frame: FrameNo) -> Result<Option<StoredFrame>, Unreadable> {
        let Some(about) = self.frames.about(frame) else { return Ok(None) };
        let bytes = self.bytes_of(&about, frame)?;
        Ok(Some(StoredFrame { link: about.link, about, bytes }))
    }

    fn bytes_of(&self, about: &About, frame: FrameNo) -> Result<Buffer, Unreadable> {
        let mut data = vec![0; index(about.len)];
        self.stores.read(about.file, about.offset, &mut data).map_err(|e| e.of(frame))?;
        let piece =
            Piece { at: 0, len: about.len, frame, offset: 0, time: about.time, made: false };
        let mut bytes = Buffer::default();
        bytes.push(View::new(&data, &[piece], &[]));
        Ok(bytes)
    }

    /// The messages of which a frame carried a part, in the order in which they were complete.
    pub fn units(&self, frame: FrameNo) -> Result<Vec<Unit>, Unreadable> {
        let mut units = Vec::new();
        for entry in self.log.around(frame.0) {
            let Entry::Unit(unit) = entry else { continue };
            if !unit.bytes.is_in(frame) {
                continue;
            }
            let Some(kind) = at(&self.commons.kinds, unit.kind) else { continue };
            units.push(Unit { kind: *kind, bytes: self.restore(&unit.bytes)? });
        }
        Ok(units)
    }

    /// The calls of which a frame carried a part, ascending.
    pub fn calls_in(&self, frame: FrameNo) -> Vec<u64> {
        let entries = self.log.around(frame.0).filter_map(|entry| match entry {
            Entry::Call(call) if call.is_in(frame) => Some(call.n),
            _ => None,
        });
        let mut calls: Vec<u64> = entries.collect();
        calls.sort_unstable();
        calls
    }

    /// Who was at the ends of a call, without reading it.
    pub fn ends(&self, n: u64) -> Option<Ends> {
        let Some(Entry::Call(record)) = self.spot(n).and_then(|spot| self.log.entry(spot)) else {
            return None;
        };
        let half = record.request.as_ref().or(record.response.as_ref())?;
        at(&self.commons.ends, half.ends).copied()
    }

    /// Reads a call again, with its PDUs if they are wanted; `None` if there is no such call, or it is
    /// not complete.
    pub fn call(
        &self,
        n: u64,
        pdus: bool,
        registry: &Registry,
    ) -> Result<Option<Call>, Unreadable> {
        let Some(Entry::Call(record)) = self.spot(n).and_then(|spot| self.log.entry(spot)) else {
            return Ok(None);
        };
        self.rebuild(&record, pdus, registry)
    }
}

/// The thing of this number.
fn at<T>(things: &[T], number: u32) -> Option<&T> {
    things.get(usize::try_from(number).ok()?)
}

#[cfg(test)]
mod tests;
