//! [`Attempt`]s, what became of each, and the [`Diagnosis`] of what stopped them.

use std::net::IpAddr;
use std::sync::Arc;

use super::act::share_key;
use super::cause::{Cause, Retry, clause, filled};
use super::chart::{Circumstance, Code, Slot, Stage, Symptom, SymptomNo};
use super::dock::Dock;
use super::finding::{Blame, Certainty};
use super::judge::Judge;
use super::onward::Ending;
use super::report::{Operation, Report};
use super::say;
use super::set_report::SetReport;
use crate::bytes::{FrameNo, Guid, Time};

/// Diagnoses told; alike ones are one.
const MAX_DIAGNOSES: usize = 256;
/// Calls that show one.
const MAX_EVIDENCE: usize = 64;

/// Something a client wanted: a shadow copy set, or what never became one.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// Of which server; `None` where no more than its name is known.
    pub server: Option<IpAddr>,
    /// What that is called, if it is known.
    pub server_name: Option<String>,
    /// Who.
    pub client: Option<IpAddr>,
    /// By which account, where that was told in clear.
    pub user: Option<String>,
    /// The set, if there is one.
    pub set: Option<Guid>,
    /// The shares it is about.
    pub shares: Vec<String>,
    /// What it is, in words, where it is not a shadow copy of shares.
    pub task: Option<String>,
    /// The context it asked for, where that is known.
    pub context: Option<u32>,
    /// When it began.
    pub began: Option<Time>,
    /// How far it got: the last operation that did what it is for.
    pub reached: Option<&'static str>,
    /// What stopped it.
    pub stopped: Option<Stop>,
    /// What became of it.
    pub outcome: Operation,
    /// Whether it goes on: what is read may tell its end later.
    pub goes_on: bool,
    /// The place of its diagnosis in [`Report::diagnoses`].
    pub diagnosis: Option<usize>,
    /// The place in [`Report::attempts`] of the one that made it good.
    pub retried: Option<usize>,
    /// The set that its client started next, where this never became one.
    pub next: Option<Guid>,
}

/// What stopped an attempt.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Number of the call, if it was one.
    pub call: Option<u64>,
    /// The frame that showed it, where it was no call.
    pub frame: Option<FrameNo>,
    /// When.
    pub time: Time,
    /// In a sentence, for who knows the protocol.
    pub said: String,
}

/// Why something failed, or is worth a look.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// The id of the cause, such as `FS-20`.
    pub cause: Arc<str>,
    /// In a clause.
    pub title: String,
    /// How sure it is.
    pub confidence: Certainty,
    /// On whose side something must be done.
    pub party: Blame,
    /// What happened, with names.
    pub explanation: String,
    /// What to do.
    pub remedy: String,
    /// Whether it helps to run the job again.
    pub retry: Retry,
    /// When, or why not.
    pub retry_note: Option<String>,
    /// What else it may be, and how to tell.
    pub tell_apart: Option<String>,
    /// Other causes that fit as well: id and title.
    pub alternatives: Vec<(Arc<str>, String)>,
    /// Event that a Windows client logs for it.
    pub windows_event: Option<u32>,
    /// The calls that show it.
    pub evidence: Vec<u64>,
    /// The frames that show it, where no call does.
    pub frames: Vec<FrameNo>,
    /// When it first showed.
    pub time: Time,
    /// Where; `None` where the server has no address so far.
    pub server: Option<IpAddr>,
    /// Whom it stopped first.
    pub client: Option<IpAddr>,
    /// The account.
    pub user: Option<String>,
    /// The first share.
    pub share: Option<String>,
    /// The first set.
    pub set: Option<Guid>,
    /// Attempts that it stopped; none where it is only worth telling.
    pub attempts: u64,
    /// Stable from run to run: no ids, addresses, times or names of shares in it. What stopped two
    /// clients in the same way has it twice.
    pub fingerprint: String,
    /// What was said.
    pub code: Code,
    /// The shares it is about, as they are compared: what is alike in both is one.
    pub about: Vec<String>,
}

impl Judge<'_> {
    /// Adds the attempts at one server, and what stopped them.
    pub(super) fn diagnose(
        &self,
        dock: &Dock<'_>,
        profile: &str,
        endings: Vec<Ending>,
        report: &mut Report,
    ) {
        let server = dock.addresses.first().copied();
        let sets: Vec<SetReport> =
            report.sets.iter().filter(|set| Some(set.server) == server).cloned().collect();
        for set in &sets {
            let known = [dock.chart.of_set(set.id), dock.chart.barred(set.id)];
            let first = known.into_iter().flatten().min();
            let symptom = first.and_then(|no| dock.chart.symptom(no));
            let attempt = set.attempt(dock);
            self.attempt(dock, profile, attempt, symptom.cloned(), report);
        }
        // Whose a set is of which the beginning is missing, nobody knows.
        let has_set =
            |client| sets.iter().any(|set| set.client.is_none_or(|of| dock.machine(of) == client));
        for ending in endings {
            // What was only asked beside a set is no attempt of its own.
            if ending.operation == Operation::Completed && has_set(ending.client) {
                continue;
            }
            let attempt = ending.attempt(dock);
            self.attempt(dock, profile, attempt, ending.symptom, report);
        }
        let told: Vec<SymptomNo> = dock.chart.symptoms().map(|(no, _)| no).collect();
        for symptom in told.iter().filter_map(|no| dock.chart.symptom(*no)) {
            let about: Vec<String> = symptom.share.iter().map(|share| share_key(share)).collect();
            self.explain(dock, profile, (symptom, &about), true, report);
        }
    }

    /// An attempt at one server, and the diagnosis of what stopped it.
    pub(super) fn attempt(
        &self,
        dock: &Dock<'_>,
        profile: &str,
        mut attempt: Attempt,
        symptom: Option<Symptom>,
        report: &mut Report,
    ) {
        let stopped = attempt.outcome.came_to_nothing();
        // Of what was refused not everything may be remembered.
        let stopped_itself = stopped && !dock.chart.is_full();
        let symptom =
            symptom.or_else(|| stopped_itself.then(|| attempt.without_refusal(dock)).flatten());
        // Why something is unknown may be known.
        let unsure = attempt.outcome == Operation::Unknown && attempt.set.is_none();
        if let Some(mut symptom) = symptom.filter(|_| stopped || unsure) {
            let set = attempt.set.map(|set| dock.chart.in_set(set)).unwrap_or_default();
            let about = symptom.concern(if set.is_empty() { &attempt.shares } else { &set });
            let cut = matches!(symptom.stage, Stage::Stop | Stage::Silence)
                && symptom
                    .client
                    .is_some_and(|of| dock.chart.may_go_on(of, symptom.time, self.now));
            let cut = cut && attempt.outcome != Operation::Failed;
            if cut && !self.ended {
                attempt.goes_on = true;
                report.attempts.push(attempt);
                return;
            }
            attempt.stopped = Some(Stop {
                call: symptom.call,
                frame: symptom.frame,
                time: symptom.time,
                said: symptom.said.clone(),
            });
            attempt.diagnosis = self.explain(dock, profile, (&symptom, &about), false, report);
            if cut {
                report.is_cut();
            }
        }
        report.attempts.push(attempt);
    }

    /// What a client is called.
    fn called(&self, client: IpAddr) -> String {
        let name = self.servers.iter().find_map(|dock| dock.chart.name_of(client));
        name.map_or_else(|| client.to_string(), str::to_owned)
    }

    /// The place of the diagnosis of a symptom, with the shares it is about, among the others; `beside`
    /// says that it stopped nothing.
    fn explain(
        &self,
        dock: &Dock<'_>,
        profile: &str,
        (symptom, about): (&Symptom, &[String]),
        beside: bool,
        report: &mut Report,
    ) -> Option<usize> {
        let mut late = dock.chart.late(symptom, profile, self.now);
        if symptom.stage == Stage::Stop {
            late.set(Circumstance::FailedElsewhere, self.failed_elsewhere(dock, symptom));
        }
        let causes = self.knowledge.causes.of(symptom, late, beside);
        let (cause, others) = causes.split_first()?;
        let server = dock.addresses.first().copied();
        let same = |known: &Diagnosis| {
            known.cause == cause.id
                && (known.server, known.client, &known.user)
                    == (server, symptom.client, &symptom.user)
                && (known.code == symptom.code || !cause.tells(Slot::Status))
                && (known.about.is_empty()
                    || about.is_empty()
                    || known.about.iter().any(|share| about.contains(share)))
        };
        let place = report.diagnoses.iter().position(same);
        if beside && report.diagnoses.iter().any(|known| symptom.is_in(known)) {
            return None;
        }
        let place = match place {
            Some(place) => place,
            None if report.diagnoses.len() >= MAX_DIAGNOSES => return None,
            None => {
                let client = symptom.client.map(|client| self.called(client));
                let mut values = symptom.values(dock, client);
                values.extend(dock.chart.gap(symptom, self.now).map(|gap| (Slot::Gap, gap)));
                let mut diagnosis = diagnosis(cause, others, symptom, server, &values);
                diagnosis.fingerprint = fingerprint(cause, symptom);
                diagnosis.about = about.to_vec();
                report.diagnoses.push(diagnosis);
                report.diagnoses.len() - 1
            }
        };
        let known = report.diagnoses.get_mut(place)?;
        known.attempts += u64::from(!beside);
        for call in symptom.call.iter().chain(&symptom.related) {
            if !known.evidence.contains(call) && known.evidence.len() < MAX_EVIDENCE {
                known.evidence.push(*call);
            }
        }
        let frame = symptom.frame.filter(|frame| !known.frames.contains(frame));
        known.frames.extend(frame.filter(|_| known.frames.len() < MAX_EVIDENCE));
        Some(place)
    }
}

impl Judge<'_> {
    /// Whether another server refused the client something in the ten minutes before.
    fn failed_elsewhere(&self, dock: &Dock<'_>, symptom: &Symptom) -> bool {
        /// Nanoseconds.
        const BEFORE: i64 = 600_000_000_000;
        let Some(client) = symptom.client else { return false };
        let times = symptom.time.plus(-BEFORE)..=symptom.time;
        let others = self.servers.iter().filter(|other| !std::ptr::eq(*other, dock));
        others.into_iter().any(|other| other.chart.denied_in(client, times.clone()))
    }
}

impl Symptom {
    /// A failure that names no share is about all that were wanted. The shares, as they are compared.
    fn concern(&mut self, wanted: &[String]) -> Vec<String> {
        if let Some(share) = &self.share {
            return vec![share_key(share)];
        }
        match wanted {
            [] => {}
            [only] => self.share = Some(only.clone()),
            [first, second] => self.values.push((Slot::Share, format!("{first} and {second}"))),
            [first, others @ ..] => {
                self.values.push((Slot::Share, format!("{first} and {} others", others.len())));
            }
        }
        wanted.iter().map(|share| share_key(share)).collect()
    }

    /// Whether a diagnosis speaks of it already.
    fn is_in(&self, known: &Diagnosis) -> bool {
        self.call.is_some_and(|call| known.evidence.contains(&call))
            || self.frame.is_some_and(|frame| known.frames.contains(&frame))
    }

    /// What the sentences of a cause can name.
    fn values(&self, dock: &Dock<'_>, client: Option<String>) -> Vec<(Slot, String)> {
        let server = dock.name().or_else(|| Some(dock.addresses.first()?.to_string()));
        let told = [
            (Slot::User, self.user.clone()),
            (Slot::Client, client),
            (Slot::Server, server),
            (Slot::Share, self.share.clone()),
            (Slot::Call, self.call.map(|call| format!("call {call}"))),
            (Slot::Method, self.method().map(str::to_owned)),
            (Slot::Status, self.code.text()),
            (Slot::Set, self.set.map(|set| format!("set {}", say::short(set)))),
        ];
        // The first value of a word is what is written.
        let known = told.into_iter().filter_map(|(slot, value)| Some((slot, value?)));
        let all = self.values.iter().cloned().chain(known);
        all.map(|(slot, value)| (slot, shorter(value))).collect()
    }
}

/// A name that fits into a sentence.
fn shorter(name: String) -> String {
    /// Characters.
    const MOST: usize = 80;
    match name.char_indices().nth(MOST) {
        None => name,
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
    }
}

impl SetReport {
    /// What it was for.
    fn attempt(&self, dock: &Dock<'_>) -> Attempt {
        let user = dock.diary.user(self.id).map(str::to_owned);
        let last = self.states.iter().rfind(|(_, state, _)| *state != "gone");
        // What was refused is not in a snapshot that was made without it.
        let mut shares = match self.outcome {
            Operation::Completed => dock.chart.in_set(self.id),
            _ => dock.chart.wanted(self.id),
        };
        if shares.is_empty() {
            shares.clone_from(&self.shares);
        }
        Attempt {
            server: Some(self.server),
            server_name: dock.name(),
            client: self.client.map(|client| dock.machine(client)),
            user,
            set: Some(self.id),
            shares,
            context: self.context,
            began: self.states.first().map(|(time, ..)| *time),
            reached: last.map(|(_, state, _)| *state),
            outcome: self.outcome,
            ..Attempt::default()
        }
    }
}

impl Ending {
    /// What it was for.
    fn attempt(&self, dock: &Dock<'_>) -> Attempt {
        let symptom = self.symptom.as_ref();
        let user = symptom.and_then(|symptom| symptom.user.clone());
        let share: Vec<_> = symptom.and_then(|symptom| symptom.share.clone()).into_iter().collect();
        Attempt {
            server: dock.addresses.first().copied(),
            server_name: dock.name(),
            client: Some(self.client),
            user: user.or_else(|| dock.chart.user(self.client).map(str::to_owned)),
            shares: if share.is_empty() { self.shares.clone() } else { share },
            context: self.context,
            began: self.began.or_else(|| symptom.map(|symptom| symptom.time)),
            reached: self.done.map(|done| say::method(done.opnum)),
            outcome: self.operation,
            next: self.next,
            ..Attempt::default()
        }
    }
}

impl Attempt {
    /// The symptom of an attempt that nobody refused: its client did not go on.
    fn without_refusal(&self, dock: &Dock<'_>) -> Option<Symptom> {
        let done = self.client.and_then(|client| dock.errands.done(client));
        let done = done.filter(|_| self.set.is_none());
        let time = done.map(|done| done.time).or(self.began)?;
        let reached = (done.map(|done| done.opnum), done.map(|done| done.call), time);
        let mut symptom = dock.chart.stop((self.client, self.user.clone()), self.set, reached);
        if let Some(set) = self.set {
            symptom.circumstances = symptom.circumstances.and(dock.chart.around_given_up(set));
        }
        symptom.circumstances.set(Circumstance::Over, self.outcome == Operation::Failed);
        Some(symptom)
    }
}

/// The fingerprint of what a cause explains: where the cause alone does not say what was wrong, with
/// the method and the code.
fn fingerprint(cause: &Cause, symptom: &Symptom) -> String {
    let (id, party) = (&cause.id, cause.party.word());
    if !cause.fallback && !cause.tells(Slot::Status) {
        return format!("{id}/{party}/1");
    }
    let code = match symptom.code {
        Code::None => "-".to_owned(),
        Code::Ticket(code) => format!("ticket-{code}"),
        Code::Nt(status) => format!("nt-0x{status:08x}"),
        Code::Return(status) => format!("0x{status:08x}"),
        Code::Fault(status) => format!("fault-0x{status:08x}"),
        Code::Refused(result, reason) => format!("refused-{result}-{reason}"),
        Code::Nak(reason) => format!("nak-{reason}"),
    };
    format!("{id}/{party}/{}/{code}/1", symptom.method().unwrap_or("-"))
}

/// A diagnosis of which nothing is known yet but its cause.
fn diagnosis(
    cause: &Cause,
    others: &[&Cause],
    symptom: &Symptom,
    server: Option<IpAddr>,
    values: &[(Slot, String)],
) -> Diagnosis {
    let protocol = cause.protocol;
    let text = |text: &str| filled(text, protocol, values);
    let most = if others.is_empty() { Certainty::Certain } else { Certainty::Likely };
    Diagnosis {
        cause: cause.id.clone(),
        title: clause(&cause.title, protocol, values),
        confidence: cause.confidence.min(most),
        party: cause.party,
        explanation: text(&cause.why),
        remedy: text(&cause.remedy),
        retry: cause.retry,
        retry_note: cause.retry_note.as_deref().map(text),
        tell_apart: cause.tell_apart.as_deref().map(text),
        alternatives: others
            .iter()
            .map(|of| (of.id.clone(), clause(&of.title, protocol, values)))
            .collect(),
        windows_event: cause.windows_event,
        evidence: Vec::new(),
        frames: Vec::new(),
        time: symptom.time,
        server,
        client: symptom.client,
        user: symptom.user.clone(),
        share: symptom.share.clone(),
        set: symptom.set,
        attempts: 0,
        fingerprint: String::new(),
        code: symptom.code,
        about: Vec::new(),
    }
}
