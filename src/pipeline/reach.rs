//! [`Reach`]: connects to servers of SMB and RPC that come to nothing.
//!
//! ```text
//!  SYN ──► Attempt ──SYN, ACK──► forgotten
//!            │  └──────RST─────► told
//!            └──client is silent for longer than before its last SYN ──► told, if
//!                 only SYNs were seen of the connection, and it is seen what is sent to the client
//! ```

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use rustc_hash::{FxHashMap, FxHashSet};

use super::Unreached;
use crate::bytes::{Ends, FrameNo, Time};
use crate::net::Undelivered;
use crate::tcp::{Flows, Segment};

/// Ports whose servers matter: SMB, SMB over NetBIOS, the endpoint mapper.
const PORTS: [u16; 3] = [445, 139, 135];
/// Attempts followed at the same time; beyond it the one that would be settled next is given up.
const MAX_ATTEMPTS: usize = 4096;
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
/// What was told, and a SYN that was never repeated, is remembered for so long, in nanoseconds.
/// Clients that double the time before each SYN wait little longer than a minute.
const REMEMBERED: i64 = 150_000_000_000;

/// The ends of the connection that was tried: client, server.
type Key = (SocketAddr, SocketAddr);

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
    /// Added by the first SYN; removed by the answer, or when it is settled and no longer remembered,
    /// or by the cap.
    attempts: FxHashMap<Key, Attempt>,
    /// When each of them is due. Added and removed with it.
    due: BTreeSet<(Time, Key)>,
    /// Who is sent something, and who sends something. Added by the first packet of each direction
    /// of a flow, and by datagrams, up to [`MAX_HEARD`] each; never removed.
    receivers: FxHashSet<IpAddr>,
    senders: FxHashSet<IpAddr>,
    now: Time,
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

    /// Takes a segment with SYN or RST, before `flows` do.
    pub(super) fn segment(&mut self, segment: &Segment<'_>, flows: &Flows) -> Option<Failure> {
        self.now = self.now.max(segment.time);
        let header = &segment.header;
        match (header.syn, header.ack) {
            (true, None) if PORTS.contains(&header.dst.port()) => self.asks(segment, flows),
            (true, Some(_)) => {
                self.remove((header.dst, header.src));
                None
            }
            (false, Some(ack)) if header.rst => self.refuses(segment, ack, flows),
            _ => None,
        }
    }

    fn asks(&mut self, segment: &Segment<'_>, flows: &Flows) -> Option<Failure> {
        let header = &segment.header;
        let key = (header.src, header.dst);
        let mut over = None;
        if let Some(attempt) = self.attempts.get_mut(&key) {
            if attempt.number == header.seq {
                let gap = segment.time.since(attempt.last);
                let number = header.identification.filter(|number| *number != 0);
                let copy = gap < COPY || number.is_some() && number == attempt.identification;
                if !copy {
                    attempt.identification = header.identification;
                    attempt.syns = attempt.syns.saturating_add(1);
                    (attempt.gap, attempt.last, attempt.frame) = (gap, segment.time, segment.frame);
                    self.schedule(key);
                }
                return None;
            }
            // The client has given up, and uses its port again.
            over = self.settle(key, CLEAR_AT_END, flows);
            self.remove(key);
        }
        if self.attempts.len() >= MAX_ATTEMPTS
            && let Some((_, key)) = self.due.first().copied()
        {
            self.remove(key);
        }
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
        over
    }

    fn refuses(&mut self, segment: &Segment<'_>, ack: u32, flows: &Flows) -> Option<Failure> {
        /// Octets that a SYN may carry, and itself.
        const MOST: u32 = 1 << 16;
        let key = (segment.header.dst, segment.header.src);
        let attempt = self.attempts.get_mut(&key)?;
        // A client takes no other for an answer (RFC 9293 3.10.7.3).
        let answers = (1..=MOST).contains(&ack.wrapping_sub(attempt.number));
        if attempt.told || !answers || !flows.has_only_syns(key.0, key.1) {
            return None;
        }
        attempt.told = true;
        let failure = attempt.failure(key, Unreached::Reset, segment.frame);
        self.schedule(key);
        Some(failure)
    }

    /// Somebody says that a segment was not delivered.
    pub(super) fn undelivered(&mut self, told: &Undelivered, frame: FrameNo) {
        let Undelivered { by, code, src, dst, seq } = *told;
        let key = (src, dst);
        if let Some(attempt) = self.attempts.get_mut(&key)
            && attempt.number == seq
            && !code.is_about_size()
        {
            attempt.icmp = Some((Unreached::Icmp { by, code }, frame));
            self.schedule(key);
        }
    }

    /// Gives an attempt that has failed by `now`; asked until there is none.
    pub(super) fn expire(&mut self, now: Time, flows: &Flows) -> Option<Failure> {
        self.now = self.now.max(now);
        while let Some((due, key)) = self.due.first().copied()
            && due <= self.now
        {
            let failure = self.settle(key, CLEAR, flows);
            if failure.is_some() {
                self.schedule(key);
                return failure;
            }
            self.remove(key);
        }
        None
    }

    /// The capture ends: all that have failed so far, in the order of their first SYNs.
    pub(super) fn finish(&mut self, flows: &Flows) -> Vec<Failure> {
        let mut keys: Vec<_> =
            self.attempts.iter().map(|(key, attempt)| (attempt.first, *key)).collect();
        keys.sort_unstable();
        keys.into_iter().filter_map(|(_, key)| self.settle(key, CLEAR_AT_END, flows)).collect()
    }

    /// The failure of an attempt that had `clear` nanoseconds, if it can be told and was not.
    fn settle(&mut self, key: Key, clear: i64, flows: &Flows) -> Option<Failure> {
        let attempt = self.attempts.get_mut(&key)?;
        if attempt.told
            || self.now.since(attempt.first) < clear
            || !flows.has_only_syns(key.0, key.1)
        {
            return None;
        }
        let audible = self.receivers.contains(&key.0.ip()) || self.senders.contains(&key.1.ip());
        let silence = (Unreached::Silence, attempt.frame);
        let (how, frame) =
            attempt.icmp.or_else(|| (audible && attempt.syns > 1).then_some(silence))?;
        attempt.told = true;
        Some(attempt.failure(key, how, frame))
    }

    /// Says when an attempt is looked at again.
    fn schedule(&mut self, key: Key) {
        let Some(attempt) = self.attempts.get_mut(&key) else { return };
        self.due.remove(&(attempt.due, key));
        attempt.due = match attempt {
            Attempt { told: false, syns: 2.., first, last, gap, .. } => {
                first.plus(CLEAR).max(last.plus(gap.saturating_mul(2).saturating_add(LATE)))
            }
            Attempt { told: false, icmp: Some(_), first, .. } => first.plus(CLEAR),
            _ => self.now.plus(REMEMBERED),
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
    fn failure(&self, (client, server): Key, how: Unreached, frame: FrameNo) -> Failure {
        let ends = Ends { client, server };
        Failure { ends, how, syns: self.syns, since: self.first, frame }
    }
}
