//! What the [`Chart`] keeps of sets and shares, and what it says of them.

use std::net::IpAddr;

use super::abroad::{Outcome, Question};
use super::circumstance::{Circumstance, Circumstances};
use super::symptom::{Code, Slot, Stage, Symptom};
use super::{Chart, SymptomNo};
use crate::bytes::{Guid, Time};
use crate::check::act::{Act, host_of};
use crate::check::say;
use crate::pipeline::{Around, What};
use crate::protocol::fsrvp::{Response, Status};

/// What is known of a call when it is over, and before it is entered.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) circumstances: Circumstances,
    pub(super) values: Vec<(Slot, String)>,
    /// The set that its client has under way.
    under_way: Option<Guid>,
    /// Whether there is a share in the set.
    filled: bool,
}

impl Chart {
    /// Calls may have been missed.
    pub(in crate::check) fn forget(&mut self) {
        self.ledger.forget();
        self.course.forget();
    }

    /// What is known around a call, and enters it.
    pub(super) fn enter(&mut self, act: &Act, user: Option<&str>) -> Known {
        let mut known = Known::default();
        if !act.answer.is_success() || says_no(act) {
            known.circumstances = self.ledger.circumstances(act, user);
            known.circumstances.set(Circumstance::SaysNo, says_no(act));
            known.values = self.ledger.values(act);
            known.under_way = self.ledger.under_way(act.client);
            known.filled = act.set().is_some_and(|set| self.ledger.has_share(set));
        }
        if let Some(share) = self.ledger.answered(act, user) {
            let mut left = self.silent(act, user, Stage::Stop, Code::None);
            left.circumstances.set(Circumstance::LeftBehind, true);
            left.share = Some(share);
            self.add(left);
        }
        known
    }

    /// A call that did what it is for, as what it may yet show.
    fn silent(&self, act: &Act, user: Option<&str>, stage: Stage, code: Code) -> Symptom {
        let time = act.answered.unwrap_or(act.asked);
        let said = format!("{} (call {}) was answered", say::method(act.opnum), act.n);
        let mut symptom = Symptom::new(stage, code, time, said);
        symptom.opnum = Some(act.opnum);
        symptom.call = Some(act.n);
        symptom.client = Some(act.client);
        symptom.user = user.map(str::to_owned);
        symptom.set = act.set();
        symptom.share = act.share().map(str::to_owned);
        symptom.values = self.ledger.values(act);
        symptom
    }

    /// A call has failed with a set.
    pub(super) fn troubled(
        &mut self,
        set: Option<Guid>,
        act: &Act,
        symptom: SymptomNo,
        known: &Known,
    ) {
        let Some(set) = set else { return };
        // What another machine is refused stops nobody else's set.
        let owner = self.ledger.client_of(set).map(|client| self.machine(client));
        if owner.is_none_or(|owner| owner == self.machine(act.client)) {
            self.troubles.add(set, act, symptom, known.filled);
        }
    }

    /// A call has failed beside a set.
    pub(super) fn strayed(&mut self, act: &Act, symptom: SymptomNo, known: &Known) {
        let strange = known.circumstances.has(Circumstance::StrangeSet)
            || known.circumstances.has(Circumstance::ClientsId);
        let beside = act.opnum == 8 || strange && !matches!(act.opnum, 7 | 11);
        if let Some(own) = known.under_way.filter(|_| beside) {
            self.troubles.stray(act.client, own, symptom);
        }
    }

    /// The first call since then that was refused as this one was, because the client has no access.
    pub(in crate::check) fn denied(&self, like: &Symptom, since: Time) -> Option<&Symptom> {
        const DENIED: u32 = Status::E_ACCESSDENIED.0;
        let denied = |of: &&Symptom| of.code == Code::Return(DENIED) && of.stage == Stage::Call;
        let mut all = self.symptoms.iter().filter(|of| denied(of) && of.client == like.client);
        all.find(|of| of.time >= since && of.time <= like.time).filter(|_| denied(&like))
    }

    /// Whether this client was refused a call in some time, and did not get it after all.
    pub(in crate::check) fn denied_in(
        &self,
        client: IpAddr,
        times: std::ops::RangeInclusive<Time>,
    ) -> bool {
        let lasts = |of: &Symptom| of.set.is_none_or(|set| self.troubles.of(set).is_some());
        self.refusals(client, times).any(lasts)
    }

    /// The last call that this client was refused in some time.
    pub(super) fn refused_in(
        &self,
        client: IpAddr,
        times: std::ops::RangeInclusive<Time>,
    ) -> Option<&Symptom> {
        self.refusals(client, times).last()
    }

    /// The calls that this client was refused in some time.
    fn refusals(
        &self,
        client: IpAddr,
        times: std::ops::RangeInclusive<Time>,
    ) -> impl Iterator<Item = &Symptom> {
        // Neither an early question nor what is done behind a set ends a job.
        let ends = |opnum: u16| !matches!(opnum, 7 | 9 | 11);
        self.symptoms.iter().filter(move |of| {
            matches!(of.stage, Stage::Call | Stage::Silence)
                && of.opnum.is_some_and(ends)
                && of.client == Some(client)
                && times.contains(&of.time)
        })
    }

    /// A share of another host was asked about.
    pub(super) fn asks(&mut self, act: &Act, user: Option<&str>, symptom: Option<SymptomNo>) {
        let Some(host) = act.share().and_then(host_of) else { return };
        if !matches!(act.opnum, 3 | 8 | 9) || self.ledger.is_itself(&host) == Some(true) {
            return;
        }
        let outcome = match symptom {
            Some(symptom) => Outcome::Failed(symptom),
            None if act.answer.is_success() => {
                Outcome::Answered(Box::new(self.silent(act, user, Stage::Call, Code::Return(0))))
            }
            None => return,
        };
        let question = Question { asked: act.asked, host, outcome };
        if let Some(question) = self.abroad.asked(question) {
            self.went(question);
        }
    }

    /// The server is heard as a client of another host.
    pub(in crate::check) fn goes_out(&mut self, around: &Around) {
        let to = around.server.ip();
        for question in self.abroad.goes(around.time, to, around.server_name.as_deref()) {
            self.went(question);
        }
    }

    fn went(&mut self, question: Question) {
        match question.outcome {
            Outcome::Failed(no) => {
                if let Some(symptom) = self.symptoms.get_mut(no) {
                    symptom.circumstances.set(Circumstance::ConnectsOut, true);
                }
            }
            Outcome::Answered(mut symptom) => {
                symptom.circumstances.set(Circumstance::ConnectsOut, true);
                self.add(*symptom);
            }
        }
    }

    /// What is known around something that happened beside the calls to the share of a copy: into its
    /// symptom.
    pub(super) fn about_copy(&self, what: &What, symptom: &mut Symptom) {
        let (What::TreeRefused { path, .. } | What::Wrote { path, .. }) = what else { return };
        if !path.contains('@') {
            return;
        }
        let (known, set, exposed) = self.ledger.around_copy(path);
        symptom.circumstances = symptom.circumstances.and(known);
        symptom.set = set;
        symptom.share = Some(path.clone());
        symptom.values.extend(exposed);
    }

    /// Something happened beside the calls; `symptom` if it is a failure.
    pub(super) fn notes(&mut self, around: &Around, symptom: Option<SymptomNo>) {
        match &around.what {
            What::Lost | What::Sealed => self.forget(),
            What::Challenged(told) => {
                self.ledger.named(told.computer.as_deref());
                self.ledger.named(told.dns_computer.as_deref());
            }
            What::TreeConnected { path } => self.ledger.connected(path),
            What::TreeRefused { path, .. } => {
                let machine = |client| self.course.machine(client);
                let client = machine(around.client.ip());
                if let Some(symptom) = symptom
                    && self.ledger.client_of_copy(path).is_none_or(|of| machine(of) == client)
                {
                    self.ledger.not_connected(path, symptom);
                }
            }
            _ => {}
        }
    }

    /// Why nobody could read what a set was made for.
    pub(in crate::check) fn barred(&self, set: Guid) -> Option<SymptomNo> {
        self.ledger.barred(set)
    }

    /// The shares that somebody wanted in a set, each once.
    pub(in crate::check) fn wanted(&self, set: Guid) -> Vec<String> {
        self.ledger.wanted(set)
    }

    /// The shares that are in a set.
    pub(in crate::check) fn in_set(&self, set: Guid) -> Vec<String> {
        self.ledger.in_set(set)
    }

    /// What is known around a set that its client has given up, or not gone on with.
    pub(in crate::check) fn around_given_up(&self, set: Guid) -> Circumstances {
        self.ledger.around_given_up(set)
    }

    /// What is known by now of the set and the share of a symptom.
    pub(super) fn lately(&self, symptom: &Symptom, known: &mut Circumstances) {
        let Some(set) = symptom.set else { return };
        known.set(Circumstance::Aborted, self.ledger.is_aborted(set));
        let deleted = match (symptom.opnum, symptom.share.as_deref()) {
            (Some(7), _) => self.ledger.is_all_deleted(set),
            (Some(11), Some(share)) => self.ledger.is_deleted(set, share),
            _ => false,
        };
        known.set(Circumstance::DeletedLater, deleted);
    }
}

/// Whether `IsPathSupported` succeeded and said no.
pub(super) fn says_no(act: &Act) -> bool {
    let Some(Response::IsPathSupported(of)) = &act.response else { return false };
    act.answer.is_success() && !of.supported_by_this_provider.is_true()
}
