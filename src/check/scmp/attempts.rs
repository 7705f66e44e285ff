//! What clients came to manage, and what stopped them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::message::{Ask, Name, PROVIDER, Query};
use super::volume::Volumes;
use super::{Case, Manager, interface_name};
use crate::bytes::{Guid, Time};
use crate::call::{Call, Outcome, Readable};
use crate::check::chart::{Circumstance, Code, Protocol, Slot, Stage, Symptom, is_weak};
use crate::check::diagnosis::Attempt;
use crate::check::dock::Dock;
use crate::check::judge::Judge;
use crate::check::report::{Operation, Report};
use crate::check::say;
use crate::objects::Said;
use crate::pipeline::{Around, BindAnswer, Unreached, What};
use crate::protocol::dcom;
use crate::rpc::names::{FAULTS, named};

/// Clients of one server whose story is told, and failures of one client.
const MAX_CLIENTS: usize = 256;
const MAX_FAILURES: usize = 64;

/// What is called, by numbers that are this program's own: an opnum alone does not tell the method.
pub(in crate::check) const METHODS: [(u16, &str); 15] = [
    (ACTIVATION, "Activation"),
    (1, "GetProviderMgmtInterface"),
    (2, "QueryVolumesSupportedForSnapshots"),
    (3, "QuerySnapshotsByVolume"),
    (4, "AddDiffArea"),
    (5, "ChangeDiffAreaMaximumSize"),
    (6, "QueryVolumesSupportedForDiffAreas"),
    (7, "QueryDiffAreasForVolume"),
    (8, "QueryDiffAreasOnVolume"),
    (9, "Next"),
    (10, "Skip"),
    (11, "Reset"),
    (12, "Clone"),
    (13, "Opnum08NotUsedOnWire"),
    (ALIVE, "ServerAlive2"),
];
const ACTIVATION: u16 = 0;
/// What clients ask first, before anything else.
const ALIVE: u16 = 14;

/// What is not made good where a client is not let in at all.
const DOOR: &str = "door";

fn number_of(method: &str) -> Option<u16> {
    METHODS.iter().find(|(_, name)| *name == method).map(|(n, _)| *n)
}

/// One client.
#[derive(Debug, Default)]
struct Visit {
    began: Option<Time>,
    user: Option<String>,
    /// Whether it came for the protocol.
    ours: bool,
    /// Calls that did what they are for, and the last of them.
    done: u64,
    /// Calls that are sealed.
    sealed: u64,
    /// What failed and was not made good, by what it was and what was said.
    failures: BTreeMap<(String, Option<u32>), Symptom>,
}

/// All clients of one server.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// By client. Added by calls, no more than [`MAX_CLIENTS`].
    visits: BTreeMap<IpAddr, Visit>,
}

impl Attempts {
    fn visit(&mut self, client: IpAddr, now: Time) -> Option<&mut Visit> {
        if self.visits.len() >= MAX_CLIENTS && !self.visits.contains_key(&client) {
            return None;
        }
        let visit = self.visits.entry(client).or_default();
        visit.began = visit.began.or(Some(now));
        Some(visit)
    }

    /// A call is over.
    pub(super) fn answered(&mut self, case: &Case<'_>, volumes: &Volumes) {
        let call = case.call;
        let ours = interface_name(case.interface).is_some();
        let activates = matches!(case.interface, dcom::IREMOTESCMACTIVATOR | dcom::IACTIVATION);
        let Some(visit) = self.visit(case.client, call.time) else { return };
        if visit.user.is_none() {
            visit.user.clone_from(&call.rpc.auth.principal);
        }
        let denied = call.fault() == Some(5) && case.interface == dcom::IOBJECTEXPORTER;
        if activates {
            return visit.activated(call);
        }
        if denied {
            let symptom = symptom(call, ALIVE, "the first call");
            return visit.fails(DOOR, symptom);
        }
        if !ours {
            return;
        }
        visit.ours = true;
        visit.succeeds("reach");
        let (goal, values) = goal(case, volumes);
        let sealed = call.response.readable == Readable::Sealed;
        visit.sealed += u64::from(sealed);
        match call.outcome {
            Outcome::Ok => {
                visit.done += 1;
                visit.succeeds(&goal);
                visit.succeeds(DOOR);
            }
            Outcome::Failed | Outcome::Fault | Outcome::NoResponse => {
                let method = call.method().and_then(number_of);
                let mut symptom = symptom(call, method.unwrap_or(u16::MAX), &case.method());
                symptom.opnum = method;
                symptom.values = values;
                visit.fails(&goal, symptom);
            }
            _ => {}
        }
    }

    /// Something beside the calls.
    pub(super) fn around(&mut self, around: &Around) {
        let client = around.client.ip();
        match &around.what {
            What::Bound(bound) => {
                let Some(syntax) = bound.interface else { return };
                let Some(name) = interface_name(syntax.uuid) else { return };
                let Some(visit) = self.visit(client, around.time) else { return };
                visit.ours = true;
                visit.succeeds("reach");
                let goal = format!("bind {name}");
                let (code, said) = match bound.answer {
                    BindAnswer::Accepted => {
                        return visit.succeeds(&goal);
                    }
                    BindAnswer::Refused(result, reason) => {
                        (Code::Refused(result, reason), "was not taken")
                    }
                    BindAnswer::Nak(reason) => (Code::Nak(reason), "was refused"),
                    BindAnswer::Fault(status) => (Code::Fault(status), "ended in a fault"),
                };
                let said = format!("the bind to {name} {said}");
                visit.fails(&goal, beside(Stage::Bind, code, around, said));
            }
            What::Unreachable { how, syns, .. } => {
                let Some(visit) = self.visit(client, around.time) else { return };
                visit.ours = true;
                let port = around.server.port();
                let said = format!("port {port} was not reached ({how}), {syns} times");
                let mut symptom = beside(Stage::Connect, Code::None, around, said);
                let is = |of: Circumstance, is: bool, s: &mut Symptom| s.circumstances.set(of, is);
                is(Circumstance::Reset, *how == Unreached::Reset, &mut symptom);
                is(Circumstance::Icmp, matches!(how, Unreached::Icmp { .. }), &mut symptom);
                visit.fails("reach", symptom);
            }
            _ => {}
        }
    }
}

impl Visit {
    fn fails(&mut self, goal: &str, symptom: Symptom) {
        let said = match symptom.code {
            Code::Return(status) | Code::Fault(status) => Some(status),
            _ => None,
        };
        if self.failures.len() < MAX_FAILURES {
            self.failures.entry((goal.to_owned(), said)).or_insert(symptom);
        }
    }

    /// What it failed at before has come to pass.
    fn succeeds(&mut self, goal: &str) {
        self.failures.retain(|(of, _), _| of != goal);
    }

    fn is_kept_out(&self) -> bool {
        self.failures.keys().any(|(goal, _)| goal == DOOR)
    }

    fn activated(&mut self, call: &Call) {
        let Some(Said::Activated(activation)) = Said::of(call) else { return };
        if !activation.wanted.iter().any(|iid| interface_name(*iid).is_some()) {
            return;
        }
        self.ours = true;
        let failed = activation.status.is_some_and(|status| status & 0x8000_0000 != 0);
        match call.outcome {
            Outcome::Fault | Outcome::NoResponse => {}
            _ if failed => {}
            _ => {
                self.succeeds("activation");
                return self.succeeds(DOOR);
            }
        }
        let mut symptom = symptom(call, ACTIVATION, "the activation");
        if let (true, Some(status)) = (failed, activation.status) {
            symptom.code = Code::Return(status);
        }
        self.fails("activation", symptom);
    }

    /// What became of what it came for.
    fn outcome(&self) -> Operation {
        if !self.failures.is_empty() {
            Operation::Failed
        } else if self.done > 0 {
            Operation::Completed
        } else if self.sealed > 0 {
            Operation::Unknown
        } else {
            Operation::Unfinished
        }
    }
}

/// A failure that a call shows.
fn symptom(call: &Call, method: u16, what: &str) -> Symptom {
    let answered = call.rpc.response.as_ref().map_or(call.time, |response| response.time);
    let n = call.rpc.n;
    let (stage, code, said) = match (call.fault(), call.status) {
        (Some(status), _) => {
            let text = named(FAULTS, status.into());
            (Stage::Call, Code::Fault(status), format!("{what} (call {n}) ended in fault {text}"))
        }
        (None, Some(status)) => {
            let text = say::code(status);
            (Stage::Call, Code::Return(status), format!("{what} (call {n}) returned {text}"))
        }
        (None, None) => (Stage::Silence, Code::None, format!("{what} (call {n}) was not answered")),
    };
    let mut symptom = Symptom::new(stage, code, answered, said);
    symptom.protocol = Protocol::Scmp;
    symptom.opnum = Some(method);
    symptom.call = Some(n);
    symptom.client = Some(call.client.addr.ip());
    symptom.user.clone_from(&call.rpc.auth.principal);
    symptom.circumstances.set(Circumstance::WeakAuth, is_weak(&call.rpc.auth));
    symptom.circumstances.set(Circumstance::NearLoss, call.rpc.near_loss);
    symptom
}

/// A failure that something beside the calls shows.
fn beside(stage: Stage, code: Code, around: &Around, said: String) -> Symptom {
    let mut symptom = Symptom::new(stage, code, around.time, said);
    symptom.protocol = Protocol::Scmp;
    symptom.frame = around.frame;
    symptom.client = Some(around.client.ip());
    symptom
}

/// What a call is for: who asks for the same again has not given it up. And what sentences can name.
fn goal(case: &Case<'_>, volumes: &Volumes) -> (String, Vec<(Slot, String)>) {
    let called = |text: &Option<super::message::Text>| {
        text.as_ref().map_or_else(|| "NULL".to_owned(), |text| volumes.called(&text.text))
    };
    // Who asks another provider asks for something else.
    let other = |provider: &Option<Guid>| match provider {
        Some(provider) if *provider != PROVIDER => format!(" {provider}"),
        _ => String::new(),
    };
    let method = case.method();
    match &case.ask {
        Some(Ask::Size { volume, storage, .. }) => {
            let (volume, storage) = (called(volume), called(storage));
            let goal = format!("{method} {volume} {storage}");
            (goal, vec![(Slot::Volume, volume), (Slot::Storage, storage)])
        }
        Some(Ask::Query { query, provider, volume: Some(Name(volume)), .. }) => {
            let volume = called(volume);
            let slot = if *query == Query::AreasOn { Slot::Storage } else { Slot::Volume };
            (format!("{method} {volume}{}", other(provider)), vec![(slot, volume)])
        }
        Some(Ask::Query { provider, .. }) => (format!("{method}{}", other(provider)), Vec::new()),
        Some(Ask::Interface { provider, iid }) => {
            (format!("{method} {iid}{}", other(&Some(*provider))), Vec::new())
        }
        _ => (method, Vec::new()),
    }
}

impl Judge<'_> {
    /// Adds what clients came to manage at one server, and what stopped them.
    pub(in crate::check) fn tell_management(
        &self,
        dock: &Dock<'_>,
        manager: &Manager<'_>,
        report: &mut Report,
    ) {
        let told = |visit: &Visit| visit.ours || !manager.ours && visit.is_kept_out();
        for (client, visit) in manager.attempts.visits.iter().filter(|(_, visit)| told(visit)) {
            let attempt = Attempt {
                server: dock.addresses.first().copied(),
                server_name: dock.name(),
                client: Some(*client),
                user: visit.user.clone(),
                task: Some("management of shadow copies".to_owned()),
                began: visit.began,
                outcome: visit.outcome(),
                ..Attempt::default()
            };
            if visit.failures.is_empty() {
                report.attempts.push(attempt);
                continue;
            }
            let mut failures: Vec<&Symptom> = visit.failures.values().collect();
            failures.sort_by_key(|symptom| (symptom.time, symptom.call));
            for symptom in failures {
                let mut attempt = attempt.clone();
                attempt.task = Some(task(symptom));
                if symptom.stage == Stage::Silence {
                    attempt.outcome = Operation::Unfinished;
                }
                self.attempt(dock, "spec", attempt, Some(symptom.clone()), report);
            }
        }
    }
}

/// What was wanted, in words.
fn task(symptom: &Symptom) -> String {
    let value = |slot| symptom.values.iter().find(|(of, _)| *of == slot).map(|(_, text)| text);
    let volume = value(Slot::Volume).map_or("a volume", String::as_str);
    let storage = value(Slot::Storage).map_or("a volume", String::as_str);
    match symptom.method() {
        Some("GetProviderMgmtInterface") => "access to the storage of shadow copies".to_owned(),
        Some("QueryVolumesSupportedForSnapshots") => "the list of volumes".to_owned(),
        Some("QuerySnapshotsByVolume") => format!("the list of shadow copies of {volume}"),
        Some("AddDiffArea") => format!("storage of {volume} on {storage}"),
        Some("ChangeDiffAreaMaximumSize") => {
            format!("another size of the storage of {volume} on {storage}")
        }
        Some("QueryVolumesSupportedForDiffAreas") => {
            format!("the list of volumes that can hold storage of {volume}")
        }
        Some("QueryDiffAreasForVolume") => format!("the storage of {volume}"),
        Some("QueryDiffAreasOnVolume") => format!("the storage on {storage}"),
        Some("Next" | "Skip" | "Reset" | "Clone") => "the elements of a list".to_owned(),
        _ => "management of shadow copies".to_owned(),
    }
}
