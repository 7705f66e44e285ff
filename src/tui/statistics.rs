//! [`Statistics`]: how many calls of each method, how they went, how long they took; who spoke to
//! whom.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hdrhistogram::Histogram;

use crate::bytes::Time;
use crate::call::{Call, Outcome, Readable};
use crate::report::brief;

/// Methods that are told apart; beyond it they are counted together.
const MAX_METHODS: usize = 1024;
/// Pairs of machines that are told apart.
const MAX_PAIRS: usize = 1024;
/// The longest response time that is told apart: an hour, in microseconds.
const LONGEST: u64 = 3_600_000_000;

/// A method.
#[derive(Clone, Debug)]
pub struct OfMethod {
    /// What shows its calls.
    pub filter: String,
    /// Calls.
    pub calls: u64,
    /// Those that failed: by an error, by a fault.
    pub failed: u64,
    /// Those without an answer, or without a question.
    pub incomplete: u64,
    /// Those of which nobody knows how they went.
    pub unknown: u64,
    /// Those of which something is sealed.
    pub sealed: u64,
    /// Response times, in microseconds.
    pub times: Option<Histogram<u32>>,
}

/// What two machines said to each other.
#[derive(Clone, Debug, Default)]
pub struct OfPair {
    /// Names, where known.
    pub client: Option<String>,
    /// See above.
    pub server: Option<String>,
    /// Calls.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// The first and the last.
    pub first: Time,
    /// See above.
    pub last: Time,
    /// How it was protected, in the call that came last.
    pub carried: String,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// By name of the method.
    pub methods: BTreeMap<String, OfMethod>,
    /// By address of client and server.
    pub pairs: BTreeMap<(IpAddr, IpAddr), OfPair>,
    /// Calls of which the method, or the pair, is not told apart.
    pub beyond: u64,
}

impl Statistics {
    /// Takes a call.
    pub fn see(&mut self, call: &Call) {
        let failed = matches!(call.outcome, Outcome::Failed | Outcome::Fault);
        self.see_pair(call, failed);
        let method = brief::method(call);
        if self.methods.len() >= MAX_METHODS && !self.methods.contains_key(&method) {
            self.beyond += 1;
            return;
        }
        let of = self.methods.entry(method).or_insert_with(|| OfMethod {
            filter: filter(call),
            calls: 0,
            failed: 0,
            incomplete: 0,
            unknown: 0,
            sealed: 0,
            times: Histogram::new_with_bounds(1, LONGEST, 2).ok(),
        });
        of.calls += 1;
        of.failed += u64::from(failed);
        let incomplete = matches!(call.outcome, Outcome::NoResponse | Outcome::NoRequest);
        of.incomplete += u64::from(incomplete);
        of.unknown += u64::from(call.outcome == Outcome::Unknown);
        let sealed = |readable| readable == Readable::Sealed;
        of.sealed += u64::from(sealed(call.request.readable) || sealed(call.response.readable));
        let nanos = call.elapsed.and_then(|nanos| u64::try_from(nanos).ok());
        if let (Some(times), Some(nanos)) = (&mut of.times, nanos) {
            times.saturating_record((nanos / 1000).clamp(1, LONGEST));
        }
    }

    fn see_pair(&mut self, call: &Call, failed: bool) {
        let pair = (call.client.addr.ip(), call.server.addr.ip());
        if self.pairs.len() >= MAX_PAIRS && !self.pairs.contains_key(&pair) {
            return;
        }
        let of = self.pairs.entry(pair).or_default();
        if of.calls == 0 {
            of.first = call.time;
        }
        of.calls += 1;
        of.failed += u64::from(failed);
        of.last = of.last.max(call.time);
        let names = [(&mut of.client, &call.client.name), (&mut of.server, &call.server.name)];
        for (of, name) in names {
            if of.is_none() {
                of.clone_from(name);
            }
        }
        of.carried = match call.pipe() {
            Some(pipe) => {
                let smb = pipe.dialect.as_deref().unwrap_or("?");
                let how = match (pipe.encrypted, pipe.signed) {
                    (true, _) => ", encrypted",
                    (false, true) => ", signed",
                    (false, false) => "",
                };
                format!("SMB {smb}{how}")
            }
            None => "TCP".to_owned(),
        };
    }
}

/// An expression that is true of the calls of the same method.
fn filter(call: &Call) -> String {
    match (call.rpc.interface, call.rpc.opnum) {
        (Some(interface), Some(opnum)) => {
            format!("interface.uuid == {} && opnum == {opnum}", interface.uuid)
        }
        (Some(interface), None) => format!("interface.uuid == {} && !opnum", interface.uuid),
        (None, Some(opnum)) => format!("!interface.uuid && opnum == {opnum}"),
        (None, None) => "!interface.uuid && !opnum".to_owned(),
    }
}
