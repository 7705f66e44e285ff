//! [`Reach`]: connects to servers of SMB and RPC that come to nothing.
//!
//! ```text
//!  SYN ──► Attempt ──SYN, ACK──► forgotten
//!            │  └──────RST─────► told
//!            └──the client is silent for longer than before its last SYN, or tries anew──► told, if
//!                 only SYNs were seen of the connection, and it is seen what is sent to the client
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use rustc_hash::FxHashSet;

use super::Unreached;
use crate::bytes::{Ends, FrameNo, Time};
use crate::net::Undelivered;
use crate::tcp::{Flows, Segment};

/// Ports whose servers matter anyway: SMB, SMB over NetBIOS, the endpoint mapper.
const PORTS: [u16; 3] = [445, 139, 135];
/// Attempts followed at the same time; beyond it others are not.
const MAX_ATTEMPTS: usize = 4096;
/// Attempts of one client at one server among them; where so many have not been told, others are not
/// followed. Each SYN looks at all of them.
const MAX_BESIDE: usize = 16;
/// Addresses of which it is known that packets to them, or from them, are in the capture.
const MAX_HEARD: usize = 1 << 16;
/// A SYN so soon after the one before it is a copy: no client repeats one in less, in nanoseconds.
const COPY: i64 = 200_000_000;
/// Time that an answer is given at least, in nanoseconds.
const CLEAR: i64 = 3_000_000_000;
/// The same where the capture ends, in nanoseconds.
const CLEAR_AT_END: i64 = 1_000_000_000;
/// How much later than expected the next SYN may be, in nanoseconds.
const LATE: i64 = 500_000_000;
/// Time after a SYN in which an answer may come at most, in nanoseconds.
const LONGEST: i64 = 9_000_000_000;
/// A SYN is repeated sooner than this, in nanoseconds, or never.
const SINGLE: i64 = 10_000_000_000;
/// What was told is remembered for so long after the last SYN, in nanoseconds: clients that double
/// the time before each SYN wait little longer than a minute.
const REMEMBERED: i64 = 150_000_000_000;

/// The connection that was tried: the client, the server, and the client's port.
type Key = (IpAddr, SocketAddr, u16);

/// The key of a connection of `client`.
fn key(client: SocketAddr, server: SocketAddr) -> Key {
    (client.ip(), server, client.port())
}

/// The ends of a connection.
fn ends((client, server, port): Key) -> Ends {
    Ends { client: SocketAddr::new(client, port), server }
}

/// A connect that has failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) ends: Ends,
    pub(super) how: Unreached,
    pub(super) syns: u32,
    pub(super) since: Time,
    /// The answer, or the last SYN.
    pub(super) frame: FrameNo,
}

/// A SYN, and those that repeat it.
#[derive(Debug)]
struct Attempt {
    /// Sequence number of the SYN.
    number: u32,
    /// Identification of the last of their packets: a packet recorded twice is one.
    identification: Option<u16>,
    syns: u32,
    first: Time,
    last: Time,
    /// Nanoseconds between the last two.
    gap: i64,
    frame: FrameNo,
    icmp: Option<(Unreached, FrameNo)>,
    told: bool,
    /// When it is looked at again.
    due: Time,
}

/// All attempts, and what is known of who can be heard.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// Added by the first SYN; removed by the answer, when it is settled and no longer remembered, or
    /// when it was told and there are [`MAX_BESIDE`] of that client and server. No more than
    /// [`MAX_ATTEMPTS`].
    attempts: BTreeMap<Key, Attempt>,
    /// When each of them is due. Added and removed with it.
    due: BTreeSet<(Time, Key)>,
    /// Who is sent something, and who sends something. Added by the first packet of each direction
    /// of a flow, and by datagrams, up to [`MAX_HEARD`] each; never removed.
    receivers: FxHashSet<IpAddr>,
    senders: FxHashSet<IpAddr>,
    /// Where else servers matter: ports of objects, as activations told them. Added by those, up to
    /// [`MAX_HEARD`]; never removed.
    told: FxHashSet<SocketAddr>,
    now: Time,
    /// Added when an attempt has failed; removed by [`Reach::take`].
    failed: Vec<Failure>,
}

impl Reach {
    /// A packet was seen.
    pub(super) fn hear(&mut self, from: SocketAddr, to: SocketAddr) {
        for (set, ip) in [(&mut self.receivers, to.ip()), (&mut self.senders, from.ip())] {
            if set.len() < MAX_HEARD {
                set.insert(ip);
            }
        }
    }

    /// A server has told that it has objects there.
    pub(super) fn learn(&mut self, server: SocketAddr) {
        if self.told.len() < MAX_HEARD {
            self.told.insert(server);
        }
    }

    /// Whether a server there matters.
    fn matters(&self, server: SocketAddr) -> bool {
        PORTS.contains(&server.port()) || self.told.contains(&server)
    }

    /// Takes what was found since the last time.
    pub(super) fn take(&mut self) -> Vec<Failure> {
        std::mem::take(&mut self.failed)
    }

    /// Takes a segment with SYN or RST, before `flows` do.
    pub(super) fn segment(&mut self, segment: &Segment<'_>, flows: &Flows) {
        self.now = self.now.max(segment.time);
        let header = &segment.header;
        match (header.syn, header.ack) {
            (true, None) if self.matters(header.dst) => self.asks(segment, flows),
            (true, Some(_)) => self.remove(key(header.dst, header.src)),
            (false, Some(ack)) if header.rst => self.refuses(segment, ack, flows),
            _ => {}
        }
    }

    fn asks(&mut self, segment: &Segment<'_>, flows: &Flows) {
        let header = &segment.header;
        let key = key(header.src, header.dst);
        if let Some(attempt) = self.attempts.get_mut(&key) {
            if attempt.number == header.seq {
                attempt.repeat(segment);
                return self.schedule(key);
            }
            // The client uses its port again: it has given up.
            self.settle(key, CLEAR_AT_END, flows);
            self.remove(key);
        }
        // Whoever tries anew does not wait for the answer any more, if it has waited long.
        let (client, server, _) = key;
        let earlier = self.attempts.range((client, server, 0)..=(client, server, u16::MAX));
        let waited = |attempt: &Attempt| self.now.since(attempt.last) >= CLEAR;
        let earlier: Vec<Key> =
            earlier.filter(|(_, attempt)| waited(attempt)).map(|(key, _)| *key).collect();
        for key in earlier {
            self.settle(key, CLEAR, flows);
        }
        if self.has_room(client, server) && self.attempts.len() < MAX_ATTEMPTS {
            let attempt = Attempt {
                number: header.seq,
                identification: header.identification,
                syns: 1,
                first: segment.time,
                last: segment.time,
                gap: 0,
                frame: segment.frame,
                icmp: None,
                told: false,
                due: segment.time,
            };
            self.attempts.insert(key, attempt);
            self.schedule(key);
        }
    }

    /// Whether one more attempt of a client at a server can be followed: where there are many, that
    /// takes the place of the one that was told and is longest over.
    fn has_room(&mut self, client: IpAddr, server: SocketAddr) -> bool {
        let beside = || self.attempts.range((client, server, 0)..=(client, server, u16::MAX));
        if beside().count() < MAX_BESIDE {
            return true;
        }
        let told = beside().filter(|(_, attempt)| attempt.told);
        let oldest = told.min_by_key(|(_, attempt)| attempt.last).map(|(key, _)| *key);
        oldest.map(|key| self.remove(key)).is_some()
    }

    fn refuses(&mut self, segment: &Segment<'_>, ack: u32, flows: &Flows) {
        /// Octets that a SYN may carry, and itself.
        const MOST: u32 = 1 << 16;
        let (client, server) = (segment.header.dst, segment.header.src);
        let key = key(client, server);
        let Some(attempt) = self.attempts.get_mut(&key) else { return };
        // A client takes no other for an answer (RFC 9293 3.10.7.3).
        let answers = (1..=MOST).contains(&ack.wrapping_sub(attempt.number));
        if !attempt.told && answers && flows.has_only_syns(client, server) {
            self.failed.push(attempt.fails(key, Unreached::Reset, segment.frame));
            self.schedule(key);
        }
    }

    /// Somebody says that a segment was not delivered.
    pub(super) fn undelivered(&mut self, told: &Undelivered, frame: FrameNo) {
        let Undelivered { by, code, src, dst, seq } = *told;
        let key = key(src, dst);
        if let Some(attempt) = self.attempts.get_mut(&key)
            && attempt.number == seq
            && !code.is_about_size()
        {
            attempt.icmp = Some((Unreached::Icmp { by, code }, frame));
            self.schedule(key);
        }
    }

    /// Looks for attempts that have failed by `now`.
    pub(super) fn expire(&mut self, now: Time, flows: &Flows) {
        self.now = self.now.max(now);
        while let Some((due, key)) = self.due.first().copied()
            && due <= self.now
        {
            if !self.settle(key, CLEAR, flows) {
                self.remove(key);
            }
        }
    }

    /// The capture ends: looks for those that have failed so far, in the order of their first SYNs.
    pub(super) fn finish(&mut self, flows: &Flows) {
        let mut keys: Vec<_> =
            self.attempts.iter().map(|(key, attempt)| (attempt.first, *key)).collect();
        keys.sort_unstable();
        for (_, key) in keys {
            self.settle(key, CLEAR_AT_END, flows);
        }
    }

    /// Tells of the failure of an attempt that had `clear` nanoseconds, if it can be told and was
    /// not; whether that is so.
    fn settle(&mut self, key: Key, clear: i64, flows: &Flows) -> bool {
        let Some(attempt) = self.attempts.get_mut(&key) else { return false };
        let Ends { client, server } = ends(key);
        let clear = self.now.since(attempt.first) >= clear;
        if attempt.told || !clear || !flows.has_only_syns(client, server) {
            return false;
        }
        let audible = self.receivers.contains(&client.ip()) || self.senders.contains(&server.ip());
        let silence = (Unreached::Silence, attempt.frame);
        let silence = (audible && attempt.syns > 1).then_some(silence);
        let Some((how, frame)) = attempt.icmp.or(silence) else { return false };
        self.failed.push(attempt.fails(key, how, frame));
        self.schedule(key);
        true
    }

    /// Says when an attempt is looked at again.
    fn schedule(&mut self, key: Key) {
        let Some(attempt) = self.attempts.get_mut(&key) else { return };
        self.due.remove(&(attempt.due, key));
        let Attempt { first, last, .. } = *attempt;
        attempt.due = match attempt {
            Attempt { told: true, .. } => last.plus(REMEMBERED),
            Attempt { syns: 2.., gap, .. } => {
                let wait = gap.saturating_mul(2).saturating_add(LATE).min(LONGEST);
                last.plus(wait).max(first.plus(CLEAR))
            }
            Attempt { icmp: Some(_), .. } => first.plus(CLEAR),
            _ => first.plus(SINGLE),
        };
        self.due.insert((attempt.due, key));
    }

    fn remove(&mut self, key: Key) {
        if let Some(attempt) = self.attempts.remove(&key) {
            self.due.remove(&(attempt.due, key));
        }
    }
}

impl Attempt {
    /// The same SYN is sent again, unless it is the same packet.
    fn repeat(&mut self, segment: &Segment<'_>) {
        let gap = segment.time.since(self.last);
        let number = segment.header.identification.filter(|number| *number != 0);
        if gap >= COPY && (number.is_none() || number != self.identification) {
            self.syns = self.syns.saturating_add(1);
            self.identification = segment.header.identification;
            (self.gap, self.last, self.frame) = (gap, segment.time, segment.frame);
        }
    }

    /// It has failed.
    fn fails(&mut self, key: Key, how: Unreached, frame: FrameNo) -> Failure {
        self.told = true;
        Failure { ends: ends(key), how, syns: self.syns, since: self.first, frame }
    }
}
