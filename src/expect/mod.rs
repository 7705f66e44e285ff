//! What somebody expects of a capture: which calls, with what result, in what order, how fast, which
//! findings, and how what was wanted ended.
//!
//! Takes a file of expectations, then what happens in a capture as it happens, and gives an
//! [`Expectation`] for each in the end: met, broken, or unchecked. What could not be seen is never
//! met: where a sealed or missing call could make the difference, it is unchecked, and why is said.
//! It judges nothing by itself, and holds nothing but numbers and a few calls of each expectation.
//!
//! ```toml
//! [operation]                        # how what the clients wanted ended
//! outcome = "completed"              # completed, failed, unfinished, none; or a list of them
//! sets = 1                           # shadow copy sets: a number, or { min = 1, max = 2 }
//! cause = "FS-20"                    # what stopped it, by `vshark check`; or a list
//!
//! [[call]]
//! name = "commit is quick"           # what it is called in reports; needed where two are alike
//! method = "CommitShadowCopySet"     # which calls are meant: of this method, or `opnum = 4`
//! server = "FSS1"                    # by name or address; so is `client`
//! share = 'vol1'                     # about this share, or a set that it was added to
//! where = 'smb.user == r"LAB\backup"' # of which this is true, in the language of -Y
//! status = "ZERO"                    # what each of them returns: a name, a number, or a list
//! within = "60s"                     # how long each answer takes at most
//! count = 1                          # how many there are; at least one where nothing is said
//! after = "prepare"                  # each comes after one of the calls of that name;
//! before = "expose"                  # is followed by one of those
//! severity = "warning"               # how much it matters if it is broken; error otherwise
//!
//! [[order]]                          # one client asks one server for these, in this order
//! methods = ["SetContext", "StartShadowCopySet", "AddToShadowCopySet"]
//! strict = true                      # with no other call of it between them
//!
//! [[finding]]
//! rule = "FSRVP-3.2.3-05"            # a rule or a section; also `severity`, `party`
//! count = 0                          # must not be there; at least one where nothing is said
//! ```
//!
//! Without `where`, calls of MS-FSRVP are meant; with nothing but `where`, calls of any interface.
//! `status`, `within`, `after` and `before` are asked of every call that is meant, and `count` of all
//! of them together. So "no Commit fails with `E_FAIL`" is `where = 'status == E_FAIL'` with
//! `count = 0`.
//!
//! | file | what it is for |
//! |---|---|
//! | `table.rs` | a table of the file, with the place of everything in it |
//! | `load.rs`, `words.rs` | the file, read: what is misspelled is told with its line |
//! | `which.rs`, `shares.rs` | whether a call is meant: yes, no, or it cannot be told |
//! | `clients.rs` | which client of which server it is of |
//! | `calls.rs`, `order.rs`, `end.rs` | what is kept of each kind of expectation, and what comes of it |
//! | `unseen.rs` | at which servers something was missed |

mod calls;
mod clients;
mod end;
mod load;
mod order;
mod shares;
mod table;
mod unseen;
mod which;
mod words;

use std::sync::Arc;

use crate::bytes::Time;
use crate::check::{Finding, Report, Severity};
use crate::filter::Subject;
use crate::gate::{About, Expectation, PREFIX, Ruling};
use crate::pipeline::Event;
use calls::{Calls, Shown};
use end::{Findings, Outcome};
use order::Order;
use shares::Shares;
use unseen::Unseen;

/// Expectations of one file.
const MAX_EXPECTATIONS: usize = 4096;
/// Octets of a name: ids and fingerprints are made of it.
const MAX_NAME: usize = 200;

/// What is expected, and what was seen of it so far.
#[derive(Debug)]
pub struct Expectations {
    /// In the order of the file; no more than [`MAX_EXPECTATIONS`].
    all: Vec<(Head, Kind)>,
    shares: Shares,
    unseen: Unseen,
    latest: Time,
}

/// What every expectation has.
#[derive(Clone, Debug)]
struct Head {
    name: String,
    id: Arc<str>,
    severity: Severity,
    line: u32,
}

#[derive(Debug)]
enum Kind {
    Operation(Outcome),
    Calls(Box<Calls>),
    Order(Box<Order>),
    Findings(Findings),
}

/// What came of an expectation, before it has its name.
#[derive(Clone, Debug)]
struct Result {
    ruling: Ruling,
    /// What is so, and what was expected; nothing where it is met.
    why: String,
    /// Why it cannot be told.
    doubts: Vec<String>,
    /// The calls that show it.
    shown: Shown,
    /// The keys of the file that are broken.
    parts: Vec<&'static str>,
}

impl Result {
    fn met() -> Self {
        Self {
            ruling: Ruling::Met,
            why: String::new(),
            doubts: Vec::new(),
            shown: Shown::default(),
            parts: Vec::new(),
        }
    }

    fn broken(part: &'static str, why: impl Into<String>, shown: Shown) -> Self {
        let parts = vec![part];
        Self { ruling: Ruling::Broken, why: why.into(), shown, parts, ..Self::met() }
    }

    fn unchecked(why: impl Into<String>, doubt: impl Into<String>) -> Self {
        let doubts = vec![doubt.into()];
        Self { ruling: Ruling::Unchecked, why: why.into(), doubts, ..Self::met() }
    }

    /// Both: what is broken is told; if nothing is, what cannot be told.
    fn and(mut self, other: Self) -> Self {
        if other.ruling != self.ruling {
            return if other.ruling > self.ruling { other } else { self };
        }
        if !other.why.is_empty() {
            self.why = format!("{}; {}", self.why, other.why);
        }
        for doubt in other.doubts {
            if !self.doubts.contains(&doubt) {
                self.doubts.push(doubt);
            }
        }
        self.parts.extend(other.parts);
        if self.shown.is_empty() {
            self.shown = other.shown;
        }
        self
    }

    /// All of it in a sentence about `name`.
    fn said(&self, name: &str) -> String {
        match self.ruling {
            Ruling::Met => String::new(),
            Ruling::Broken => format!("{name}: {}", self.why),
            Ruling::Unchecked => {
                let doubts = self.doubts.join(", and ");
                format!("{name}: {}; it cannot be told, since {doubts}", self.why)
            }
        }
    }
}

impl Expectations {
    /// The ids of all of them.
    pub fn ids(&self) -> Vec<Arc<str>> {
        self.all.iter().map(|(head, _)| head.id.clone()).collect()
    }

    /// Takes what happens next; `subject` gives what the fields of a call are read with.
    pub fn event<'a>(
        &mut self,
        event: &'a Event,
        subject: impl Fn(&'a crate::call::Call) -> Subject<'a>,
    ) {
        match event {
            Event::Call(call) => {
                self.latest = self.latest.max(call.time);
                let subject = subject(call);
                self.shares.answered(call);
                self.unseen.call(call);
                for (_, kind) in &mut self.all {
                    if let Kind::Calls(calls) = kind {
                        calls.call(&subject, &self.shares);
                    }
                }
            }
            Event::Asked(call) => {
                self.shares.asked(call);
                for (_, kind) in &mut self.all {
                    if let Kind::Order(order) = kind {
                        order.asked(call);
                    }
                }
            }
            Event::Around(around) => self.unseen.around(around),
            Event::Unit(_) => {}
        }
    }

    /// Takes a finding of the judge.
    pub fn finding(&mut self, finding: &Finding) {
        for (_, kind) in &mut self.all {
            if let Kind::Findings(findings) = kind {
                findings.finding(finding);
            }
        }
    }

    /// What came of each. `cut` says that not all of the input could be read, and why.
    pub fn finish(&self, report: &Report, cut: Option<&str>) -> Vec<Expectation> {
        let calls: Vec<&Calls> = self
            .all
            .iter()
            .filter_map(|(_, kind)| match kind {
                Kind::Calls(calls) => Some(&**calls),
                _ => None,
            })
            .collect();
        let end = end::End { report, unseen: self.unseen.at(report, cut) };
        let ends = self.all.iter().map(|(head, kind)| {
            let (about, result) = match kind {
                Kind::Operation(of) => (About::Operation, of.result(&end)),
                Kind::Calls(of) => (About::Call, of.result(&calls, &end)),
                Kind::Order(of) => (About::Order, of.result(&end)),
                Kind::Findings(of) => (About::Finding, of.result(&end)),
            };
            self.expectation(head, about, result, report)
        });
        ends.collect()
    }

    fn expectation(
        &self,
        head: &Head,
        about: About,
        result: Result,
        report: &Report,
    ) -> Expectation {
        let why = result.said(&head.name);
        let Result { ruling, shown, parts, .. } = result;
        let first = shown.first;
        // Where there is one server it is that one's.
        let only = match &*report.servers {
            [server] => server.addresses.first().copied(),
            _ => None,
        };
        Expectation {
            name: head.name.clone(),
            id: head.id.clone(),
            about,
            severity: head.severity,
            line: head.line,
            ruling,
            why,
            parts,
            call: first.as_ref().map(|call| call.n),
            opnum: first.as_ref().and_then(|call| call.opnum),
            method: first.as_ref().and_then(|call| call.method.clone()),
            time: first.as_ref().map_or(self.latest, |call| call.time),
            server: first.as_ref().map(|call| call.server).or(only),
            client: first.as_ref().map(|call| call.client),
            frames: first.map(|call| call.frames).unwrap_or_default(),
            related: shown.others,
        }
    }
}

/// The id of an expectation of this name: letters and digits, with a hyphen between words.
fn id(name: &str) -> Arc<str> {
    let mut id = PREFIX.to_owned();
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    id.push_str(&words.join("-"));
    id.into()
}

#[cfg(test)]
mod tests;
