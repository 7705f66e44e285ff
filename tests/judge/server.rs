//! [`Server`]: the server of \[MS-FSRVP\] 3.1 as a program: its abstract data model, what it may
//! answer, and what follows.
//!
//! It is read from the specification alone and shares nothing with the judge.

use std::collections::BTreeSet;

use crate::talk::{Ask, Id, Mapping, Out, Reply};

pub(crate) const OK: u32 = 0;
pub(crate) const WAIT_TIMEOUT: u32 = 0x102;
pub(crate) const WAIT_FAILED: u32 = 0xFFFF_FFFF;
pub(crate) const BAD_STATE: u32 = 0x8004_2301;
pub(crate) const NOT_FOUND: u32 = 0x8004_2308;
pub(crate) const NOT_SUPPORTED: u32 = 0x8004_230C;
pub(crate) const ALREADY_EXISTS: u32 = 0x8004_230D;
pub(crate) const IN_PROGRESS: u32 = 0x8004_2316;
pub(crate) const UNSUPPORTED_CONTEXT: u32 = 0x8004_231B;
pub(crate) const FSSAGENT_TIMEOUT: u32 = 0x8004_2500;
pub(crate) const MISMATCH: u32 = 0x8004_2501;
pub(crate) const E_ACCESSDENIED: u32 = 0x8007_0005;
pub(crate) const E_INVALIDARG: u32 = 0x8007_0057;
/// What Windows Server 2012 says of a set that is not exposed.
pub(crate) const BAD_STATE_2012: u32 = 0x8004_2311;

/// Errors of the shadow copy utility that are passed through.
pub(crate) const PASSED: [u32; 4] = [0x8004_230F, 0x8004_2313, 0x8004_2314, 0x8004_2315];

pub(crate) const SHORT: u64 = 180_000;
pub(crate) const LONG: u64 = 1_800_000;
const HALF_HOUR: u64 = 1_800_000;
const RETRIES: u32 = 5;

/// `ATTR_NO_AUTO_RELEASE`
const NO_AUTO_RELEASE: u32 = 0x8;

/// The legal contexts of 2.2.2.2.
pub(crate) const CONTEXTS: [u32; 12] =
    [0, 2, 0x9, 0xB, 0x10, 0x12, 0x19, 0x1B, 0x40_0000, 0x40_0009, 0x40_0010, 0x40_0019];

/// Whose habits a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Spec,
    Windows,
    Windows2012,
    Samba,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    Started,
    Added,
    Creating,
    Committed,
    Exposed,
    Recovered,
}

#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) id: Id,
    /// As it was given.
    pub(crate) share: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Set {
    pub(crate) id: Id,
    pub(crate) context: u32,
    pub(crate) status: Status,
    pub(crate) copies: Vec<Copy>,
}

impl Set {
    fn copy(&self, id: Id, share: &str) -> Option<usize> {
        let same = |copy: &Copy| copy.id == id && folded(&copy.share) == folded(share);
        self.copies.iter().position(same)
    }

    /// Whether its copies are there until somebody deletes them.
    pub(crate) fn stays(&self) -> bool {
        self.context & NO_AUTO_RELEASE != 0
    }
}

/// A share name as shares are compared.
fn folded(share: &str) -> String {
    share.trim_end_matches('\\').to_lowercase()
}

/// The share of a UNC name.
pub(crate) fn component(share: &str) -> &str {
    share.trim_end_matches('\\').rsplit('\\').next().unwrap_or_default()
}

/// How a server says exposed names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Naming {
    pub(crate) unc: bool,
    pub(crate) lower: bool,
    /// What a share that ends in `$` is given: `$@…$`, `$…$`, or `$@…`.
    pub(crate) hidden: u8,
}

/// A share as the server has it.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    /// The last component, in lower case.
    pub(crate) name: String,
    /// Shares of one volume have one number.
    pub(crate) volume: u32,
    /// What is said of it if it cannot be copied.
    pub(crate) refused: Option<u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) profile: Profile,
    pub(crate) naming: Naming,
    pub(crate) shares: Vec<Share>,
    /// `ContextSet`
    pub(crate) open: bool,
    /// `ShadowCopyClientAddress`
    pub(crate) owner: Option<usize>,
    /// `RetryCount`
    pub(crate) retries: u32,
    /// `CurrentContext`
    pub(crate) context: u32,
    pub(crate) sets: Vec<Set>,
    /// When the timer fires.
    pub(crate) deadline: Option<u64>,
    /// When a set was aborted for which note 6 refuses the next one.
    pub(crate) aborted: Option<u64>,
    /// The set of which a commit, a prepare or an expose is running.
    pub(crate) running: Option<Id>,
    /// Clients that may not do anything but ask.
    pub(crate) denied: BTreeSet<usize>,
    sets_made: u32,
    copies_made: u32,
}

impl Server {
    pub(crate) fn new(profile: Profile, naming: Naming, shares: Vec<Share>) -> Self {
        Self {
            profile,
            naming,
            shares,
            open: false,
            owner: None,
            retries: 0,
            context: 0,
            sets: Vec::new(),
            deadline: None,
            aborted: None,
            running: None,
            denied: BTreeSet::new(),
            sets_made: 0,
            copies_made: 0,
        }
    }

    pub(crate) fn set(&self, id: Id) -> Option<&Set> {
        self.sets.iter().find(|set| set.id == id)
    }

    fn set_mut(&mut self, id: Id) -> Option<&mut Set> {
        self.sets.iter_mut().find(|set| set.id == id)
    }

    pub(crate) fn unfinished(&self) -> Option<&Set> {
        self.sets.iter().find(|set| set.status != Status::Recovered)
    }

    pub(crate) fn share(&self, unc: &str) -> Option<&Share> {
        let name = component(unc).to_lowercase();
        if !unc.starts_with(r"\\") {
            return None;
        }
        self.shares.iter().find(|share| share.name == name)
    }

    fn drop_unfinished(&mut self) {
        self.sets.retain(|set| set.status == Status::Recovered);
    }

    fn close_context(&mut self) {
        self.open = false;
        self.owner = None;
    }

    /// Lets the timer fire, if it is time. A set that is worked on does not expire, even if a
    /// `SetContext` has started the timer meanwhile.
    pub(crate) fn tick(&mut self, now: u64) -> bool {
        if self.running.is_some() || self.deadline.is_none_or(|deadline| deadline > now) {
            return false;
        }
        self.deadline = None;
        let samba = self.profile == Profile::Samba;
        self.sets.retain(|set| {
            set.status == Status::Recovered || samba && set.status == Status::Exposed
        });
        self.close_context();
        true
    }

    /// The service ends and begins again.
    pub(crate) fn restart(&mut self) {
        self.close_context();
        self.retries = 0;
        self.deadline = None;
        self.running = None;
        self.aborted = None;
    }

    /// Whether note 6 refuses a set now.
    pub(crate) fn is_blocked(&self, now: u64) -> bool {
        self.aborted.is_some_and(|aborted| now < aborted + HALF_HOUR)
    }

    pub(crate) fn is_over_limit(&self) -> bool {
        self.retries + 1 > RETRIES && self.profile != Profile::Windows2012
    }

    /// Everything the server may say to this now. Errors of the shadow copy utility come in as
    /// many as there are in `PASSED`.
    pub(crate) fn replies(&self, now: u64, who: usize, ask: &Ask) -> Vec<(u64, Reply)> {
        let one = |status| vec![(1, Reply::of(status))];
        let samba = self.profile == Profile::Samba;
        if matches!(ask, Ask::Beyond(_)) {
            return vec![(1, Reply { status: 0x1C01_0002, out: Out::Fault })];
        }
        if self.denied.contains(&who) && !matches!(ask, Ask::Version | Ask::Supported(_)) {
            return one(E_ACCESSDENIED);
        }
        let unknown = if samba { E_INVALIDARG } else { MISMATCH };
        let Some(id) = ask.set() else { return self.without_set(now, who, ask) };
        if id == Id::NIL {
            return one(E_INVALIDARG);
        }
        match ask {
            Ask::Add { share, .. } => match self.share(share).map(|share| share.refused) {
                None => return one(if samba { E_INVALIDARG } else { NOT_FOUND }),
                Some(Some(refused)) => return one(refused),
                Some(None) => {}
            },
            Ask::Mapping { level, .. } if *level != 1 => return one(E_INVALIDARG),
            _ => {}
        }
        let Some(set) = self.set(id) else {
            return one(if matches!(ask, Ask::Delete { .. }) { NOT_FOUND } else { unknown });
        };
        let status = set.status;
        let refuse = one(BAD_STATE);
        match ask {
            Ask::Add { share, .. } => {
                if !matches!(status, Status::Started | Status::Added) {
                    return refuse;
                }
                let volume = self.share(share).map(|share| share.volume);
                let same = |copy: &Copy| self.share(&copy.share).map(|s| s.volume) == volume;
                if set.copies.iter().any(same) {
                    return one(ALREADY_EXISTS);
                }
                vec![(1, Reply::with(Out::Id(Id('C', self.copies_made + 1))))]
            }
            Ask::Prepare { timeout, .. } if status == Status::Added => long(*timeout, WAIT_TIMEOUT),
            Ask::Commit { timeout, .. }
                if status == Status::Added || status == Status::Creating && !samba =>
            {
                long(*timeout, FSSAGENT_TIMEOUT)
            }
            Ask::Expose { timeout, .. } if status == Status::Committed => {
                long(*timeout, WAIT_TIMEOUT)
            }
            Ask::Recovery(_) if status == Status::Exposed => one(OK),
            Ask::Abort(_) => {
                let mut replies = vec![(30, Reply::of(OK))];
                if status == Status::Creating && samba {
                    return refuse;
                }
                if !samba {
                    replies.extend(PASSED.map(|code| (1, Reply::of(code))));
                }
                replies
            }
            Ask::Mapping { copy, share, .. } => {
                let answered = status == Status::Exposed || status == Status::Recovered && samba;
                if !answered {
                    let early = status < Status::Exposed
                        && matches!(self.profile, Profile::Windows2012 | Profile::Samba);
                    return one(if early { BAD_STATE_2012 } else { BAD_STATE });
                }
                let Some(copy) = set.copy(*copy, share) else { return one(E_INVALIDARG) };
                let exposed = Some(self.exposed_name(&set.copies[copy]));
                vec![(1, Reply::with(Out::Mapping(Mapping { exposed, ..Mapping::default() })))]
            }
            Ask::Delete { copy, share, .. } => {
                if status < Status::Exposed {
                    return refuse;
                }
                one(if set.copy(*copy, share).is_some() { OK } else { NOT_FOUND })
            }
            _ => refuse,
        }
    }

    fn without_set(&self, now: u64, who: usize, ask: &Ask) -> Vec<(u64, Reply)> {
        let one = |status| vec![(1, Reply::of(status))];
        let samba = self.profile == Profile::Samba;
        match ask {
            Ask::Version => vec![(1, Reply::with(Out::Versions(1, 1)))],
            Ask::Context(context) if !CONTEXTS.contains(context) => {
                one(if samba { E_INVALIDARG } else { UNSUPPORTED_CONTEXT })
            }
            Ask::Context(context) if samba => one(if context & 2 != 0 { E_INVALIDARG } else { OK }),
            Ask::Context(_) if self.open && self.owner != Some(who) => one(IN_PROGRESS),
            Ask::Context(_) if self.open && self.is_over_limit() => one(IN_PROGRESS),
            Ask::Context(_) => one(OK),
            Ask::Start(id) => {
                let start = (1, Reply::with(Out::Id(Id('S', self.sets_made + 1))));
                let exposed = |set: &Set| set.status == Status::Exposed;
                if *id == Id::NIL && !samba {
                    one(E_INVALIDARG)
                } else if !self.open {
                    one(BAD_STATE)
                } else if self
                    .sets
                    .iter()
                    .any(|set| set.status != Status::Recovered && !(samba && exposed(set)))
                {
                    one(IN_PROGRESS)
                } else if self.is_blocked(now) && self.profile == Profile::Windows {
                    vec![start, (1, Reply::of(IN_PROGRESS))]
                } else {
                    vec![start]
                }
            }
            Ask::Supported(share) => match self.share(share).map(|share| share.refused) {
                None => one(if samba { E_INVALIDARG } else { NOT_FOUND }),
                Some(Some(refused)) => one(refused),
                Some(None) => vec![(1, Reply::with(Out::Owner(true, Some("FS".to_owned()))))],
            },
            Ask::Copied(_) if samba => one(NOT_SUPPORTED),
            Ask::Copied(share) => {
                let Some(volume) = self.share(share).map(|share| share.volume) else {
                    return one(NOT_FOUND);
                };
                let there = self.sets.iter().any(|set| {
                    let same =
                        |copy: &Copy| self.share(&copy.share).map(|s| s.volume) == Some(volume);
                    set.status >= Status::Committed && set.copies.iter().any(same)
                });
                let saying = |compat| (1, Reply::with(Out::Copied(there, compat)));
                if there { vec![saying(0), saying(1), saying(3)] } else { vec![saying(0)] }
            }
            _ => unreachable!("the others are about a set"),
        }
    }

    fn exposed_name(&self, copy: &Copy) -> String {
        let share = component(&copy.share);
        let id = copy.id.text();
        let id = format!("{{{}}}", if self.naming.lower { id.to_lowercase() } else { id });
        let name = match (share.ends_with('$'), self.naming.hidden) {
            (false, _) | (true, 2) => format!("{share}@{id}"),
            (true, 0) => format!("{share}@{id}$"),
            (true, _) => format!("{share}{id}$"),
        };
        if self.naming.unc { format!(r"\\fs\{name}") } else { name }
    }

    /// A call that takes time begins.
    pub(crate) fn begin(&mut self, ask: &Ask) {
        self.deadline = None;
        self.running = ask.set();
        if let (Ask::Commit { set, .. }, false) = (ask, self.profile == Profile::Samba)
            && let Some(set) = self.set_mut(*set)
        {
            set.status = Status::Creating;
        }
    }

    /// The call is over: what follows from its reply.
    pub(crate) fn end(&mut self, now: u64, who: usize, ask: &Ask, reply: &Reply) {
        let status = reply.status;
        if let Out::Id(id) = reply.out {
            match ask {
                Ask::Start(_) => self.sets_made = self.sets_made.max(id.1),
                _ => self.copies_made = self.copies_made.max(id.1),
            }
        }
        if runs(ask, reply) {
            self.running = None;
            let long = status == OK && matches!(ask, Ask::Prepare { .. });
            self.deadline = Some(now + if long { LONG } else { SHORT });
        }
        match ask {
            Ask::Context(context) => self.end_context(now, who, *context, status),
            Ask::Start(_) if status == OK => {
                let Out::Id(id) = reply.out else { return };
                let context = self.context;
                let copies = Vec::new();
                self.sets.push(Set { id, context, status: Status::Started, copies });
                self.deadline = Some(now + SHORT);
            }
            Ask::Add { set, share, .. } => match (status, &reply.out) {
                (OK, Out::Id(id)) => {
                    let copy = Copy { id: *id, share: share.clone() };
                    if let Some(set) = self.set_mut(*set) {
                        set.copies.push(copy);
                        set.status = Status::Added;
                    }
                    self.deadline = Some(now + LONG);
                }
                (ALREADY_EXISTS, _) => self.deadline = Some(now + SHORT),
                _ => {}
            },
            Ask::Commit { set, .. } if runs(ask, reply) => {
                let samba = self.profile == Profile::Samba;
                let next = match status {
                    OK => Status::Committed,
                    WAIT_FAILED => Status::Added,
                    _ if samba => Status::Added,
                    _ => Status::Creating,
                };
                if let Some(set) = self.set_mut(*set) {
                    set.status = next;
                }
            }
            Ask::Expose { set, .. } if status == OK => self.mark(*set, Status::Exposed),
            Ask::Recovery(set) if status == OK => {
                self.mark(*set, Status::Recovered);
                self.close_context();
                self.deadline = None;
            }
            Ask::Abort(set) if status == OK => self.end_abort(now, *set),
            Ask::Mapping { .. } if status == OK => self.deadline = Some(now + LONG),
            Ask::Mapping { set, level: 1, .. }
                if status == E_INVALIDARG
                    && self.set(*set).is_some_and(|set| set.status == Status::Exposed) =>
            {
                self.deadline = None;
            }
            Ask::Delete { set, copy, share } if status == OK => {
                if let Some(set) = self.set_mut(*set)
                    && let Some(at) = set.copy(*copy, share)
                {
                    set.copies.remove(at);
                }
                let id = *set;
                self.sets.retain(|set| set.id != id || !set.copies.is_empty());
            }
            _ => {}
        }
    }

    fn mark(&mut self, id: Id, status: Status) {
        if let Some(set) = self.set_mut(id) {
            set.status = status;
        }
    }

    fn end_context(&mut self, now: u64, who: usize, context: u32, status: u32) {
        let foreign = self.open && self.owner != Some(who) && self.profile != Profile::Samba;
        if !CONTEXTS.contains(&context) || status == E_ACCESSDENIED || foreign {
            return;
        }
        if self.profile == Profile::Samba {
            if status != OK {
                return;
            }
        } else if self.open {
            self.drop_unfinished();
            self.retries += 1;
            if status == IN_PROGRESS {
                self.close_context();
                return;
            }
        } else {
            self.retries = 0;
        }
        self.open = true;
        self.owner = Some(who);
        self.context = context;
        self.deadline = Some(now + SHORT);
    }

    fn end_abort(&mut self, now: u64, id: Id) {
        let Some(status) = self.set(id).map(|set| set.status) else { return };
        if self.profile == Profile::Samba {
            if status < Status::Creating {
                self.sets.retain(|set| set.id != id);
            }
            return;
        }
        if !matches!(status, Status::Started | Status::Recovered) {
            self.aborted = Some(now);
        }
        self.sets.retain(|set| set.id != id);
        self.close_context();
    }
}

/// Whether this goes past the checks of a call that takes time.
pub(crate) fn runs(ask: &Ask, reply: &Reply) -> bool {
    let past = !matches!(reply.status, MISMATCH | BAD_STATE | E_INVALIDARG | E_ACCESSDENIED);
    matches!(ask, Ask::Prepare { .. } | Ask::Commit { .. } | Ask::Expose { .. }) && past
}

/// What a call that takes time may come to.
fn long(timeout: u32, overrun: u32) -> Vec<(u64, Reply)> {
    let mut replies = vec![(60, Reply::of(OK)), (8, Reply::of(WAIT_FAILED))];
    replies.extend(PASSED.map(|code| (1, Reply::of(code))));
    // What takes longer than the client waits is not heard.
    if timeout <= 170_000 {
        let other = if overrun == WAIT_TIMEOUT { FSSAGENT_TIMEOUT } else { WAIT_TIMEOUT };
        replies.extend([(8, Reply::of(overrun)), (1, Reply::of(other))]);
    }
    replies
}
