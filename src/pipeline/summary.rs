//! [`Summary`]: what was read, and what could not be.

use std::collections::BTreeMap;

use super::{Datagrams, Endpoints, Loss};
use crate::bytes::{LinkType, Time};
use crate::call::{Call, Outcome, Readable};
use crate::capture::Frame;
use crate::net::{self, Other, Unseen};
use crate::rpc::{PacketType, SyntaxId};
use crate::{rpc, smb, tcp};

/// Interfaces counted by themselves; what comes beyond is counted together.
const MAX_INTERFACES: usize = 1024;
/// Operations counted by themselves, of all interfaces; what comes beyond is counted together.
const MAX_OPERATIONS: usize = 16384;

/// What was seen in a capture, in numbers.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Frames.
    pub frames: u64,
    /// Time of the first and of the last frame.
    pub times: Option<(Time, Time)>,
    /// Frames by link type.
    pub links: BTreeMap<LinkType, u64>,
    /// TCP segments.
    pub tcp_segments: u64,
    /// UDP datagrams of which nothing more is known.
    pub udp: u64,
    /// Other packets, by what they carry.
    pub other: BTreeMap<String, u64>,
    /// What may carry SMB and cannot be read: packets, of iWARP connections.
    pub unseen: BTreeMap<Unseen, u64>,
    /// What was met in putting IP datagrams together.
    pub fragments: net::FragmentCounters,
    /// What reassembly met.
    pub tcp: tcp::Counters,
    /// SMB requests and responses by command; a message of SMB 1 counts by its first.
    pub smb_messages: BTreeMap<String, u64>,
    /// SMB dialects negotiated.
    pub smb_dialects: Vec<String>,
    /// SMB messages that are encrypted.
    pub smb_sealed: u64,
    /// Octets of them.
    pub smb_sealed_bytes: u64,
    /// Those of them that were opened.
    pub smb_opened: u64,
    /// Those of them that could have been opened, but are longer than what pipes carry.
    pub smb_sealed_bulk: u64,
    /// Those of them that keys do not open which have opened others of their session.
    pub smb_sealed_bad: u64,
    /// Those of them that there are keys for, and of which bytes are missing.
    pub smb_sealed_torn: u64,
    /// Sessions of which encrypted messages stay closed.
    pub smb_closed: Vec<smb::Closed>,
    /// Signatures of SMB messages.
    pub smb_signatures: Signatures,
    /// SMB messages that are compressed.
    pub smb_compressed: u64,
    /// Those of them in which an algorithm occurs, by its name.
    pub smb_compressions: BTreeMap<String, u64>,
    /// Those of them that could not be decompressed.
    pub smb_compressed_unread: u64,
    /// SMB 1 messages.
    pub smb1: u64,
    /// SMB messages that break their own lengths.
    pub smb_malformed: u64,
    /// DCE/RPC.
    pub rpc: rpc::Counters,
    /// Connectionless RPC.
    pub datagrams: Datagrams,
    /// What is missing, and which calls that touches.
    pub loss: Loss,
    /// Connections on which neither SMB nor DCE/RPC was found.
    pub foreign_flows: u64,
    /// Calls by interface; `None` where it is not known.
    pub calls: BTreeMap<Option<InterfaceKey>, Outcomes>,
    /// What endpoint mappers told.
    pub endpoints: Endpoints,
    /// Servers that could not be reached, names and tickets that were not given, sessions, trees, pipes
    /// and binds refused, by what was said.
    pub refusals: BTreeMap<String, u64>,
    /// Operations in `calls`.
    operations: usize,
}

/// UUID, major version and name of an interface, to sort by.
pub type InterfaceKey = (uuid::Uuid, u16, Option<String>);

/// Calls of one interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// By how they went.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// By opnum: requests, responses and faults, as PDUs. `None` are answers whose request was not
    /// seen, and operations beyond the cap.
    pub pdus: BTreeMap<Option<u16>, Pdus>,
    /// Calls of which a stub is sealed.
    pub sealed: u64,
    /// Calls of which a stub was sealed, and was opened.
    pub unsealed: u64,
}

/// Signatures, by what they are worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signatures {
    /// They are right.
    pub verified: u64,
    /// They are wrong, by a key that has verified others.
    pub bad: u64,
    /// Nobody can tell: there is no key, or not all of the message.
    pub not_verifiable: u64,
}

/// PDUs of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pdus {
    /// `request`
    pub requests: u64,
    /// `response`
    pub responses: u64,
    /// `fault`
    pub faults: u64,
}

impl Summary {
    /// Number of calls.
    pub fn calls(&self) -> u64 {
        self.calls.values().flat_map(|of| of.outcomes.values()).sum()
    }

    /// Calls of which a stub is sealed.
    pub fn sealed_calls(&self) -> u64 {
        self.calls.values().map(|of| of.sealed).fold(0, u64::saturating_add)
    }

    /// Encrypted SMB messages that there is no key for.
    pub fn smb_without_keys(&self) -> u64 {
        let with_keys =
            [self.smb_opened, self.smb_sealed_bulk, self.smb_sealed_bad, self.smb_sealed_torn];
        self.smb_sealed.saturating_sub(with_keys.into_iter().fold(0, u64::saturating_add))
    }

    /// PDUs of all types.
    pub fn pdus(&self) -> u64 {
        self.rpc.pdus.values().sum()
    }

    /// PDUs of one type.
    pub fn pdus_of(&self, ptype: PacketType) -> u64 {
        self.rpc.pdus.get(&ptype).copied().unwrap_or_default()
    }

    pub(super) fn see_frame(&mut self, frame: &Frame<'_>) {
        self.frames += 1;
        let (first, last) = self.times.get_or_insert((frame.time, frame.time));
        *first = frame.time.min(*first);
        *last = frame.time.max(*last);
        *self.links.entry(frame.link).or_default() += 1;
    }

    pub(super) fn see_other(&mut self, other: Other) {
        match other {
            Other::Unseen(what) => self.see_unseen(what),
            other => count(&mut self.other, other.to_string()),
        }
    }

    pub(super) fn see_unseen(&mut self, what: Unseen) {
        *self.unseen.entry(what).or_default() += 1;
    }

    pub(super) fn see_refusal(&mut self, what: String) {
        count(&mut self.refusals, what);
    }

    pub(super) fn see_call(&mut self, call: &Call) {
        self.loss.see_call(call);
        let key = call.rpc.interface.map(|SyntaxId { uuid, major, .. }| {
            (uuid, major, call.interface_name().map(str::to_owned))
        });
        let full = self.calls.len() >= MAX_INTERFACES && !self.calls.contains_key(&key);
        let of = self.calls.entry(if full { None } else { key }).or_default();
        *of.outcomes.entry(call.outcome).or_default() += 1;
        let sealed = [&call.request, &call.response];
        of.sealed += u64::from(sealed.iter().any(|stub| stub.readable == Readable::Sealed));
        let mut sides = call.rpc.request.iter().chain(&call.rpc.response);
        of.unsealed += u64::from(sides.any(|side| side.unsealed));
        let new = !of.pdus.contains_key(&call.rpc.opnum);
        let full = new && self.operations >= MAX_OPERATIONS;
        self.operations += usize::from(new && !full);
        let pdus = of.pdus.entry(call.rpc.opnum.filter(|_| !full)).or_default();
        let fragments =
            |message: Option<&rpc::Message>| message.map_or(0, |m| u64::from(m.fragments));
        pdus.requests += fragments(call.rpc.request.as_ref());
        let answers = fragments(call.rpc.response.as_ref());
        let faults = u64::from(call.fault().is_some());
        pdus.faults += faults;
        pdus.responses += answers.saturating_sub(faults);
    }
}

/// Counts `what`; kinds beyond a bound are counted together.
fn count(table: &mut BTreeMap<String, u64>, what: String) {
    const MAX_KINDS: usize = 256;
    let full = table.len() >= MAX_KINDS && !table.contains_key(&what);
    *table.entry(if full { "others".to_owned() } else { what }).or_default() += 1;
}
