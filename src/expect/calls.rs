//! [`Calls`]: calls that are expected.

use std::net::IpAddr;
use std::sync::Arc;

use super::Result;
use super::end::End;
use super::shares::Shares;
use super::table::{At, Count};
use super::which::{Which, doubt};
use super::words::Code;
use crate::bytes::{FrameNo, Time};
use crate::call::Call;
use crate::check::Related;
use crate::filter::Subject;
use crate::protocol::Registry;
use crate::rpc::names::{FAULTS, name};

/// Calls that are named beside the first.
const MAX_OTHERS: usize = 16;
/// Frames of a call that are named.
const MAX_FRAMES: usize = 64;

/// A call that shows something.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) n: u64,
    pub(super) opnum: Option<u16>,
    pub(super) method: Option<Arc<str>>,
    pub(super) frames: Vec<FrameNo>,
    pub(super) time: Time,
    pub(super) server: IpAddr,
    pub(super) client: IpAddr,
}

impl Place {
    pub(super) fn of(call: &Call) -> Self {
        let rpc = &call.rpc;
        let messages = rpc.request.iter().chain(&rpc.response);
        let frames = messages.flat_map(|message| &message.frames).copied().take(MAX_FRAMES);
        Self {
            n: rpc.n,
            opnum: rpc.opnum,
            method: call.method().map(Arc::from),
            frames: frames.collect(),
            time: rpc.response.as_ref().map_or(call.time, |response| response.time),
            server: call.server.addr.ip(),
            client: call.client.addr.ip(),
        }
    }
}

/// The calls that show something, the first of them in full.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    pub(super) first: Option<Place>,
    /// No more than [`MAX_OTHERS`].
    pub(super) others: Vec<Related>,
    all: u64,
    /// What the first shows.
    what: String,
}

impl Shown {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn add(&mut self, call: &Call, what: &str) {
        self.all += 1;
        if self.first.is_none() {
            self.first = Some(Place::of(call));
            what.clone_into(&mut self.what);
        } else if self.others.len() < MAX_OTHERS {
            self.others.push(Related { call: call.rpc.n, note: what.to_owned() });
        }
    }

    /// What they show, by the first of them.
    fn said(&self) -> String {
        let n = self.first.as_ref().map_or(0, |call| call.n);
        let more = match self.all {
            0 | 1 => String::new(),
            2 => ", and another".to_owned(),
            all => format!(", and {} others", all - 1),
        };
        format!("call {n} {}{more}", self.what)
    }
}

/// Other calls, before or after which these must come.
#[derive(Clone, Debug)]
pub(super) struct Beside {
    pub(super) name: String,
    /// Where in the file it is named.
    pub(super) at: usize,
    /// Its place among the expectations of calls.
    pub(super) place: usize,
    is_after: bool,
}

impl Beside {
    pub(super) fn new(name: At<&str>, is_after: bool) -> Self {
        Self { name: name.value.trim().to_owned(), at: name.at, place: 0, is_after }
    }
}

/// Numbers of the first and the last of some calls.
#[derive(Clone, Copy, Debug, Default)]
struct Range(Option<(u64, u64)>);

impl Range {
    fn add(&mut self, n: u64) {
        self.0 = Some(self.0.map_or((n, n), |(first, last)| (first.min(n), last.max(n))));
    }
}

/// Calls that are expected, and what was seen of them.
#[derive(Debug)]
pub(super) struct Calls {
    which: Which,
    count: Count,
    /// What each of them returns: words, and what they stand for.
    status: Option<Vec<(String, Vec<Code>)>>,
    /// Nanoseconds that each answer takes at most.
    within: Option<i64>,
    pub(super) beside: Vec<Beside>,
    /// Those that are meant.
    meant: Shown,
    /// How many may be meant, and why that cannot be told.
    doubtful: (u64, Option<String>),
    /// Where they are, and where they may be.
    sure: Range,
    possible: Range,
    /// Those that returned something else, and took longer.
    wrong: Shown,
    slow: Shown,
    /// How many may have, and why that cannot be told.
    status_untold: (u64, Option<String>),
    time_untold: (u64, Option<String>),
}

fn doubts((count, why): &mut (u64, Option<String>), call: &Call) {
    *count += 1;
    why.get_or_insert_with(|| doubt(call));
}

impl Calls {
    pub(super) fn new(
        which: Which,
        count: Count,
        status: Option<Vec<(String, Vec<Code>)>>,
        within: Option<i64>,
        beside: Vec<Beside>,
    ) -> Self {
        Self {
            which,
            count,
            status,
            within,
            beside,
            meant: Shown::default(),
            doubtful: (0, None),
            sure: Range::default(),
            possible: Range::default(),
            wrong: Shown::default(),
            slow: Shown::default(),
            status_untold: (0, None),
            time_untold: (0, None),
        }
    }

    /// Takes a call.
    pub(super) fn call(&mut self, subject: &Subject<'_>, shares: &Shares) {
        let call = subject.call;
        match self.which.is(subject, shares) {
            Some(false) => {}
            None => {
                doubts(&mut self.doubtful, call);
                self.possible.add(call.rpc.n);
            }
            Some(true) => {
                self.meant.add(call, "is another one");
                self.sure.add(call.rpc.n);
                self.possible.add(call.rpc.n);
                self.look(call, subject.registry);
            }
        }
    }

    fn look(&mut self, call: &Call, registry: &Registry) {
        if let Some(wanted) = &self.status {
            let found = match (call.fault(), call.status) {
                (Some(fault), _) => Some(Code::Fault(fault)),
                (None, status) => status.map(Code::Status),
            };
            match found {
                None => doubts(&mut self.status_untold, call),
                Some(found) if wanted.iter().any(|(_, codes)| codes.contains(&found)) => {}
                Some(found) => {
                    let said = match found {
                        Code::Status(code) => {
                            let name = registry.status_name(call.interface.as_deref(), code);
                            let name = name.map(str::to_owned);
                            format!("returned {}", name.unwrap_or_else(|| format!("0x{code:08x}")))
                        }
                        Code::Fault(code) => match name(FAULTS, code) {
                            Some(name) => format!("ended in the fault {name}"),
                            None => format!("ended in the fault 0x{code:08x}"),
                        },
                    };
                    self.wrong.add(call, &said);
                }
            }
        }
        if let Some(within) = self.within {
            match call.elapsed {
                None => doubts(&mut self.time_untold, call),
                Some(elapsed) if elapsed <= within => {}
                Some(elapsed) => self.slow.add(call, &format!("took {}", seconds(elapsed))),
            }
        }
    }

    /// What came of it; `all` are the expectations of calls in their order.
    pub(super) fn result(&self, all: &[&Self], end: &End<'_>) -> Result {
        let missed = end.unseen.why(self.which.ours, self.which.server.as_deref());
        let missed = missed.as_deref();
        let mut result = Result::met();
        if let Some(wanted) = &self.status {
            let words: Vec<&str> = wanted.iter().map(|(word, _)| &**word).collect();
            let wanted = words.join(" or ");
            result = result.and(self.each(
                "status",
                &self.wrong,
                &self.status_untold,
                (&wanted, missed),
            ));
        }
        if let Some(within) = self.within {
            let wanted = format!("{} at most", seconds(within));
            result =
                result.and(self.each("within", &self.slow, &self.time_untold, (&wanted, missed)));
        }
        for beside in &self.beside {
            if let Some(other) = all.get(beside.place) {
                let theirs = end.unseen.why(other.which.ours, other.which.server.as_deref());
                result = result.and(self.stands(beside, other, missed, theirs.as_deref()));
            }
        }
        result.and(self.counted(missed))
    }

    /// Whether there are as many as there should be.
    fn counted(&self, missed: Option<&str>) -> Result {
        let sure = self.meant.all;
        let most = sure + self.doubtful.0;
        let number = if sure == 0 { "no".to_owned() } else { sure.to_string() };
        let calls = if sure == 1 { "call" } else { "calls" };
        let what =
            format!("{number} {calls} {}, expected {}", self.which.said(), self.count.said());
        if self.count.max.is_some_and(|max| sure > max) {
            return Result::broken("count", what, self.meant.clone());
        }
        let enough = sure >= self.count.min;
        let too_many = self.count.max.is_some_and(|max| missed.is_some() || most > max);
        let too_few = !enough && missed.is_none() && most < self.count.min;
        match (enough && !too_many, too_few) {
            (true, _) => Result::met(),
            (false, true) => Result::broken("count", what, self.meant.clone()),
            (false, false) => {
                let doubt = missed.or(self.doubtful.1.as_deref()).unwrap_or_default();
                Result::unchecked(what, doubt)
            }
        }
    }

    /// Whether each is as it should be.
    fn each(
        &self,
        part: &'static str,
        bad: &Shown,
        untold: &(u64, Option<String>),
        (wanted, missed): (&str, Option<&str>),
    ) -> Result {
        if !bad.is_empty() {
            return Result::broken(part, format!("{}, expected {wanted}", bad.said()), bad.clone());
        }
        let doubts = [untold.1.as_deref(), self.doubtful.1.as_deref(), missed];
        match doubts.into_iter().flatten().next() {
            Some(doubt) => Result::unchecked(format!("of each is expected {wanted}"), doubt),
            None => Result::met(),
        }
    }

    /// Whether each stands before or after one of the others; `missed` and `theirs` say why some of
    /// each may be missing.
    fn stands(
        &self,
        beside: &Beside,
        other: &Self,
        missed: Option<&str>,
        theirs: Option<&str>,
    ) -> Result {
        // The first must have one before it, the last one behind it; those between have the same.
        let end =
            |range: Range| range.0.map(|(first, last)| if beside.is_after { first } else { last });
        let beyond = |own: u64, other: u64| if beside.is_after { other < own } else { other > own };
        // All that may be meant stand beside one that surely is of the others.
        let sure = end(self.possible)
            .is_none_or(|own| end(other.sure).is_some_and(|other| beyond(own, other)));
        let own = end(self.sure);
        let possible = own.is_none_or(|own| {
            theirs.is_some() || end(other.possible).is_some_and(|other| beyond(own, other))
        });
        let way = if beside.is_after { "after" } else { "before" };
        match (sure && missed.is_none(), possible || missed.is_some(), own) {
            (true, ..) => Result::met(),
            (false, false, Some(own)) => {
                let what = format!("call {own} comes {way} no call of `{}`", beside.name);
                Result::broken(way, what, self.meant.only(own))
            }
            (false, ..) => {
                let doubts =
                    [missed, theirs, other.doubtful.1.as_deref(), self.doubtful.1.as_deref()];
                let doubt = doubts.into_iter().flatten().next().unwrap_or_default();
                let wanted = format!("each is expected {way} a call of `{}`", beside.name);
                Result::unchecked(wanted, doubt)
            }
        }
    }
}

impl Shown {
    /// The first of them, if it is this one.
    fn only(&self, n: u64) -> Self {
        let first = self.first.clone().filter(|call| call.n == n);
        Self { first, ..Self::default() }
    }
}

/// A length of time, without zeros at its end.
fn seconds(nanos: i64) -> String {
    let text = crate::bytes::millionths(nanos / 1000);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} s")
}
