//! [`Recorder`]: writes down where everything is, as the pipeline tells it.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::Commons;
use super::frames::{About, Packed};
use super::log::{STRETCH, Stretch};
use super::place::Place;
use super::record::{CallRecord, End, Entry, FileId, Half, UnitRecord};
use super::store::Store;
use crate::bytes::{Ends, FrameNo, LinkType, clamp};
use crate::call::{Call, Carrier, Transport};
use crate::capture::Frame;
use crate::pipeline::{Event, Unit, UnitKind};
use crate::rpc::{Auth, Ending, Message, SyntaxId, Transfer};

/// What was recorded since the batch before.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) frames: Vec<Packed>,
    /// Link types that were not met before.
    pub(super) links: Vec<LinkType>,
    /// Numbers of the frames in their files, where there are several of these.
    pub(super) numbers: Vec<u64>,
    pub(super) records: Vec<u8>,
    pub(super) stretches: Vec<Stretch>,
    /// Numbers of the calls, and where each is in `records`.
    pub(super) calls: Vec<(u64, u32)>,
    pub(super) commons: Commons,
    pub(super) stores: Vec<(usize, Store)>,
    pub(super) comments: Vec<(FrameNo, String)>,
}

impl Batch {
    /// Bytes that it takes, about.
    pub fn weight(&self) -> usize {
        self.frames.len() * size_of::<Packed>() + self.records.len() + self.commons.weight()
    }
}

/// Gives things numbers, each once.
#[derive(Debug)]
struct Numbers<T> {
    known: FxHashMap<T, u32>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { known: FxHashMap::default() }
    }
}

impl<T: Clone + Eq + Hash> Numbers<T> {
    fn of(&mut self, thing: &T, new: &mut Vec<T>) -> u32 {
        if let Some(number) = self.known.get(thing) {
            return *number;
        }
        let number = clamp(self.known.len());
        self.known.insert(thing.clone(), number);
        new.push(thing.clone());
        number
    }
}

/// Writes down where everything is.
#[derive(Debug, Default)]
pub struct Recorder {
    batch: Batch,
    /// Whether there are several inputs.
    several: bool,
    /// The frame that was read last.
    now: u64,
    /// The stretch that goes on, and how many records it has.
    stretch: Option<(Stretch, usize)>,
    links: Numbers<LinkType>,
    carriers: Numbers<Carrier>,
    auths: Numbers<Auth>,
    syntaxes: Numbers<SyntaxId>,
    ends: Numbers<Ends>,
    kinds: Numbers<UnitKind>,
}

impl Recorder {
    /// Nothing is recorded yet; `several` says whether there is more than one input.
    pub fn new(several: bool) -> Self {
        Self { several, ..Self::default() }
    }

    /// Says where the bytes of an input are read again. To be said before the first of its frames.
    pub fn store(&mut self, file: usize, store: Store) {
        self.batch.stores.push((file, store));
    }

    /// Takes a frame, before what it completes.
    pub fn frame(&mut self, frame: &Frame<'_>) {
        let file = if self.several { frame.no_in_file } else { 0 };
        // Some numbers have no packet.
        while self.now + 1 < frame.no.0 {
            self.now += 1;
            self.batch.frames.push(Packed::UNSEEN);
            self.batch.numbers.extend(self.several.then_some(0));
        }
        self.now = frame.no.0;
        let about = About {
            time: frame.time,
            link: frame.link,
            len: clamp(frame.data.len()),
            wire_len: frame.wire_len,
            file: frame.file,
            offset: frame.offset,
        };
        let link = self.links.of(&frame.link, &mut self.batch.links);
        self.batch.frames.push(Packed::new(&about, link));
        self.batch.numbers.extend(self.several.then_some(file));
        if let Some(comment) = frame.comment {
            self.batch.comments.push((frame.no, comment.to_owned()));
        }
    }

    /// Takes what happened.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Call(call) => self.call(call),
            Event::Unit(unit) => self.unit(unit),
            Event::Asked(_) | Event::Around(_) => {}
        }
    }

    fn unit(&mut self, unit: &Unit) {
        let kind = self.kinds.of(&unit.kind, &mut self.batch.commons.kinds);
        let bytes = Place::of(unit.bytes.view());
        self.add(&Entry::Unit(UnitRecord { kind, bytes }));
    }

    fn call(&mut self, call: &Call) {
        let rpc = &call.rpc;
        // Each opening of a pipe has a number of its own, and most else in common with the others.
        let mut transport = call.transport.clone();
        let file = match &mut transport {
            Transport::NamedPipe(pipe) => pipe.file_id.take().map(|text| FileId::of(&text)),
            Transport::Tcp => None,
        };
        let carrier = Carrier {
            transport,
            client_name: call.client.name.clone(),
            server_name: call.server.name.clone(),
        };
        let commons = &mut self.batch.commons;
        let interface = rpc.interface.map(|id| self.syntaxes.of(&id, &mut commons.syntaxes));
        let carrier = self.carriers.of(&carrier, &mut commons.carriers);
        let auth = self.auths.of(&rpc.auth, &mut commons.auths);
        let mut half = |message: &Message| {
            let ends = self.ends.of(&message.ends, &mut commons.ends);
            Half::of(message, ends)
        };
        let record = CallRecord {
            n: rpc.n,
            channel: rpc.channel.0,
            call_id: rpc.call_id,
            context_id: rpc.context_id,
            interface,
            ndr64: rpc.transfer.map(|transfer| transfer == Transfer::Ndr64),
            opnum: rpc.opnum,
            object: rpc.object.map(|object| *object.as_bytes()),
            auth,
            carrier,
            file,
            header_sign: rpc.header_sign,
            near_loss: rpc.near_loss,
            ending: match rpc.ending {
                Ending::Response => End::Response,
                Ending::Fault(status) => End::Fault(status),
                Ending::NoAnswer => End::NoAnswer,
            },
            request: rpc.request.as_ref().map(&mut half),
            response: rpc.response.as_ref().map(&mut half),
        };
        let at = self.add(&Entry::Call(Box::new(record)));
        self.batch.calls.push((rpc.n, at));
    }

    /// Writes a record; gives its place.
    fn add(&mut self, entry: &Entry) -> u32 {
        let start = clamp(self.batch.records.len());
        entry.write(&mut self.batch.records);
        let end = clamp(self.batch.records.len());
        let low = entry.low().unwrap_or(u64::MAX);
        let fresh = Stretch { start, end, done: self.now, low };
        let (stretch, records) = self.stretch.get_or_insert((fresh, 0));
        stretch.end = end;
        stretch.done = self.now;
        stretch.low = stretch.low.min(low);
        *records += 1;
        if *records >= STRETCH {
            self.end_stretch();
        }
        start
    }

    fn end_stretch(&mut self) {
        self.batch.stretches.extend(self.stretch.take().map(|(stretch, _)| stretch));
    }

    /// Bytes that wait to be taken, about.
    pub fn weight(&self) -> usize {
        self.batch.weight()
    }

    /// What was recorded since the last time.
    pub fn take(&mut self) -> Batch {
        self.end_stretch();
        std::mem::take(&mut self.batch)
    }
}
