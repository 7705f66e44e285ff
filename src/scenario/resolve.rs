//! Statements to [`Step`]s: every word looked up, every argument built, what is left out filled in.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use super::fsrvp::Known;
use super::grammar::Fail;
use super::object::{Callee, Objects};
use super::settings::{Auth, Settings};
use super::steps::{Answer, Call, Line, Party, Step, Stub};
use super::syntax::{ArgsText, CallText, Kind, LineText, Place, Statement, Word};
use super::values;
use super::wire::octets::random_guid;
use super::words::{Unknown, hint};
use super::{MAX_PARTIES, MAX_STEPS, MAX_WRITTEN, START};
use crate::bytes::{Guid, Side, Time};
use crate::idl::Operation;
use crate::protocol::{Interface, Registry, fsrvp as protocol};
use crate::spelling::nearest;

/// What is known while statements are gone through.
pub(super) struct Resolver<'r> {
    pub(super) registry: &'r Registry,
    pub(super) clients: Vec<Client>,
    pub(super) servers: Vec<Party>,
    /// For clients that are not known yet.
    pub(super) settings: Rc<Settings>,
    pub(super) steps: Vec<Step>,
    pub(super) start: Time,
    /// About what time it is: pauses are counted, the time on the wire is not.
    pub(super) now: Time,
    pub(super) starts_idle: bool,
    pub(super) objects: Objects,
    /// When the copies were made. One entry a step at most.
    made: Vec<(Guid, Time)>,
    /// GUIDs given out.
    fresh: u64,
    /// Statements and repetitions so far.
    spent: usize,
    /// Octets of text of these statements.
    written: usize,
}

pub(super) struct Client {
    pub(super) party: Party,
    pub(super) settings: Rc<Settings>,
    /// The line a statement means that names none.
    pub(super) line: Line,
    /// The last line there is, by number.
    pub(super) last: u8,
    set: Guid,
    copy: Guid,
    /// Lines and opnums of calls that wait for their answers.
    pending: Vec<Rc<Call>>,
}

impl<'r> Resolver<'r> {
    pub(super) fn new(registry: &'r Registry, interface: Arc<Interface>) -> Self {
        Self {
            registry,
            clients: Vec::new(),
            servers: Vec::new(),
            settings: Rc::new(Settings::new(interface)),
            steps: Vec::new(),
            start: START,
            now: START,
            starts_idle: true,
            objects: Objects::default(),
            made: Vec::new(),
            fresh: 0,
            spent: 0,
            written: 0,
        }
    }

    /// Resolves statements behind which `rest` octets of text are left.
    pub(super) fn statements(&mut self, statements: &[Statement], rest: usize) -> Result<(), Fail> {
        let ends = statements.iter().skip(1).map(|next| next.left).chain([rest]);
        for (statement, end) in statements.iter().zip(ends) {
            if !matches!(statement.kind, Kind::Group { .. }) {
                self.written = self.written.saturating_add(statement.left.saturating_sub(end));
                if self.written > MAX_WRITTEN {
                    let most = MAX_WRITTEN >> 20;
                    let message = format!("more than {most} MiB of text, repetitions counted");
                    return Err(Fail { left: statement.left, message });
                }
            }
            match &statement.kind {
                Kind::Group { body, times } => {
                    for _ in 0..*times {
                        self.room(statement.left)?;
                        self.statements(body, end)?;
                    }
                }
                Kind::Call(call) => self.calls(call, body_is_sealed(call))?,
                Kind::Words(words) => {
                    self.room(statement.left)?;
                    self.words(words)?;
                }
            }
        }
        Ok(())
    }

    /// Counts a statement, a repetition, or a part of one that takes as much, of which there may be so many.
    pub(super) fn room(&mut self, left: usize) -> Result<(), Fail> {
        self.spent = self.spent.saturating_add(1);
        if self.spent > MAX_STEPS {
            return Err(Fail { left, message: format!("more than {MAX_STEPS} steps") });
        }
        Ok(())
    }

    pub(super) fn step(&mut self, step: Step) {
        self.steps.push(step);
    }

    pub(super) fn wait(&mut self, nanos: u64) {
        self.now = self.now.plus(i64::try_from(nanos).unwrap_or(i64::MAX));
    }

    /// The number of a client; a new name is a new client.
    pub(super) fn client(&mut self, name: &Word) -> Result<usize, Fail> {
        let same = |client: &Client| client.party.name.eq_ignore_ascii_case(&name.text);
        if let Some(at) = self.clients.iter().position(same) {
            return Ok(at);
        }
        let number = self.clients.len();
        if number >= MAX_PARTIES {
            return Err(Fail::at(name, format!("more than {MAX_PARTIES} clients")));
        }
        self.clients.push(Client {
            party: Party { name: name.text.clone(), address: None },
            settings: self.settings.clone(),
            line: Line { client: number, server: 0, number: 1, from: None },
            last: 1,
            set: values::symbol("S1").unwrap_or_default(),
            copy: values::symbol("C1").unwrap_or_default(),
            pending: Vec::new(),
        });
        Ok(number)
    }

    /// The number of a server; a new name is a new server.
    pub(super) fn server(&mut self, name: &Word) -> Result<usize, Fail> {
        let same = |server: &Party| server.name.eq_ignore_ascii_case(&name.text);
        if let Some(at) = self.servers.iter().position(same) {
            return Ok(at);
        }
        if self.servers.len() >= MAX_PARTIES {
            return Err(Fail::at(name, format!("more than {MAX_PARTIES} servers")));
        }
        self.servers.push(Party { name: name.text.to_uppercase(), address: None });
        Ok(self.servers.len().saturating_sub(1))
    }

    /// The line a statement is about.
    pub(super) fn line(&mut self, place: &Place) -> Result<Line, Fail> {
        let number = self.client(&place.client)?;
        let mut server = place.server.clone();
        let mut from = None;
        if let Some(at) = &place.at {
            match at.text.parse::<IpAddr>() {
                Ok(address) => from = Some(address),
                Err(_) => server = Some(at.clone()),
            }
        }
        let server = match server {
            Some(name) => Some(self.server(&name)?),
            None => None,
        };
        let Some(client) = self.clients.get_mut(number) else {
            return Err(Fail::at(&place.client, "there is no such client".to_owned()));
        };
        let mut line = client.line;
        line.from = from.or(line.from);
        line.server = server.unwrap_or(line.server);
        match place.line {
            Some(LineText::New) => {
                client.last = client.last.saturating_add(1);
                line.number = client.last;
            }
            Some(LineText::Number(number)) => {
                client.last = client.last.max(number);
                line.number = number;
            }
            None => {}
        }
        client.line = line;
        Ok(line)
    }

    /// The settings of a client.
    pub(super) fn settings_of(&self, line: Line) -> Rc<Settings> {
        let client = self.clients.get(line.client);
        client.map_or_else(|| self.settings.clone(), |client| client.settings.clone())
    }

    fn calls(&mut self, text: &CallText, sealed: bool) -> Result<(), Fail> {
        let line = self.line(&text.place)?;
        if sealed {
            self.seal(line);
        }
        for _ in 0..text.times {
            for method in &text.methods {
                self.room(text.place.client.left)?;
                self.call(text, method, line)?;
            }
        }
        Ok(())
    }

    /// A client whose stubs are not readable seals them.
    fn seal(&mut self, line: Line) {
        let Some(client) = self.clients.get_mut(line.client) else { return };
        if client.settings.auth.is_none_or(|auth| auth.level != Auth::PRIVACY) {
            let before = client.settings.auth;
            let auth = before.unwrap_or(Auth { spnego: false, kerberos: false, level: 0 });
            let settings = Rc::make_mut(&mut client.settings);
            settings.auth = Some(Auth { level: Auth::PRIVACY, ..auth });
        }
    }

    fn call(&mut self, text: &CallText, method: &Word, line: Line) -> Result<(), Fail> {
        if self.act(text, method, line)? {
            return Ok(());
        }
        let called = self.callee(method, line)?;
        let mut line = line;
        if let Some(object) = called.as_ref().and_then(|called| called.object.as_ref())
            && !text.place.names_server()
        {
            // A call goes to the server that the object is on.
            line.server = object.server;
        }
        let settings = self.settings_of(line);
        let (interface, opnum, object) = if let Some(Callee { interface, opnum, object }) = called {
            (interface, opnum, object)
        } else {
            let (interface, opnum) = self.method(method, &settings)?;
            (interface, opnum, None)
        };
        if text.args.is_none()
            && text.answer.is_some()
            && let Some(asked) = self.take_pending(line, &interface, opnum)
        {
            // The answer to a call that waits for one.
            let answer = self.answer(text, &asked)?;
            self.wait(text.delay.unwrap_or_default());
            let dcom = self.answered_way(text, &asked)?;
            let (delay, lost) = (text.delay, text.lost.clone());
            let tampered = tampered(text, &asked.settings)?;
            let call = Call { answer, delay, tampered, lost, dcom, ..(*asked).clone() };
            self.note(&call);
            self.step(Step::Answer(Rc::new(call)));
            return Ok(());
        }
        let request = self.request(text, &interface, opnum, line)?;
        let dcom = self.way(text, &settings, &interface, object, line)?;
        let tampered = tampered(text, &settings)?;
        let mut call = Call {
            line,
            settings,
            interface: interface.clone(),
            opnum,
            request,
            answer: None,
            delay: text.delay,
            sealed: text.sealed,
            tampered,
            lost: text.lost.clone(),
            dcom,
        };
        self.wait(text.delay.unwrap_or_default());
        call.answer = self.answer(text, &call)?;
        if text.sealed && text.answer.is_none() {
            // Something was answered; nobody can tell what.
            let zero = self.results(method, 0, text, &call)?;
            call.answer = Some(Answer::Response(zero));
        }
        self.note(&call);
        let call = Rc::new(call);
        self.pend(&call);
        self.step(Step::Call(call));
        Ok(())
    }

    /// Remembers a call that has no answer yet.
    pub(super) fn pend(&mut self, call: &Rc<Call>) {
        if call.answer.is_none()
            && let Some(client) = self.clients.get_mut(call.line.client)
        {
            client.pending.push(call.clone());
        }
    }

    fn take_pending(&mut self, line: Line, of: &Interface, opnum: u16) -> Option<Rc<Call>> {
        let pending = &mut self.clients.get_mut(line.client)?.pending;
        let same = |call: &Rc<Call>| {
            call.opnum == opnum
                && call.line.server == line.server
                && (!of.object || call.interface.uuid == of.uuid)
        };
        let at = pending.iter().position(same)?;
        Some(pending.remove(at))
    }

    /// Interface and opnum of `4`, `SetContext`, `mgmt.0`, `mgmt.inq_stats`.
    fn method(&self, word: &Word, settings: &Settings) -> Result<(Arc<Interface>, u16), Fail> {
        let (interface, method) = match word.text.rsplit_once('.') {
            Some((interface, method)) => (self.interface(word, interface)?, method),
            None => (settings.interface.clone(), word.text.as_str()),
        };
        if let Ok(opnum) = method.parse() {
            return Ok((interface, opnum));
        }
        let tail = format!("_{}", method.to_lowercase());
        let named = |op: &&Operation| {
            op.name.eq_ignore_ascii_case(method) || op.name.to_lowercase().ends_with(&tail)
        };
        if let Some(operation) = interface.operations.iter().find(named) {
            let opnum = operation.opnum;
            return Ok((interface, opnum));
        }
        let like = nearest(method, interface.operations.iter().map(|op| &*op.name));
        let message = format!("{} has no method `{method}`{}", interface.name, hint(&like));
        Err(Fail::at(word, message))
    }

    /// An interface by name or UUID.
    pub(super) fn interface(&self, word: &Word, name: &str) -> Result<Arc<Interface>, Fail> {
        let uuid = Guid::try_parse(name).ok();
        let fsrvp = name.eq_ignore_ascii_case("fsrvp");
        let same = |interface: &&Arc<Interface>| {
            interface.name.eq_ignore_ascii_case(name)
                || Some(interface.uuid) == uuid
                || (fsrvp && interface.uuid == protocol::UUID)
        };
        let mut found: Vec<_> = self.registry.iter().filter(same).collect();
        found.sort_by_key(|interface| std::cmp::Reverse(interface.version));
        if let Some(interface) = found.first() {
            return Ok((*interface).clone());
        }
        let like = nearest(name, self.registry.iter().map(|interface| &*interface.name));
        let message = format!("there is no interface `{name}`{}", hint(&like));
        Err(Fail::at(word, message))
    }

    /// What is known where something is left out.
    pub(super) fn known(&mut self, line: Line) -> Known {
        self.fresh = self.fresh.saturating_add(1);
        let client = self.clients.get(line.client);
        Known {
            set: client.map(|client| client.set).unwrap_or_default(),
            copy: client.map(|client| client.copy).unwrap_or_default(),
            server: self.server_name(line.server),
            fresh: random_guid(self.fresh | 1 << 48),
        }
    }

    pub(super) fn server_name(&self, server: usize) -> String {
        self.servers.get(server).map_or_else(|| "FS".to_owned(), |server| server.name.clone())
    }

    /// When a copy was made, or now.
    pub(super) fn made(&self, copy: Guid) -> Time {
        let made = self.made.iter().rev().find(|(id, _)| *id == copy);
        made.map_or(self.now, |(_, time)| *time)
    }

    /// Remembers what a call says for those that leave it out.
    fn note(&mut self, call: &Call) {
        if call.interface.uuid != protocol::UUID {
            return;
        }
        let guid = |stub: &Stub, name: &str| match stub {
            Stub::Arguments(arguments) => {
                let found = arguments.params.iter().find(|(of, _)| &**of == name);
                found.and_then(|(_, value)| value.as_guid()).filter(|guid| !guid.is_nil())
            }
            Stub::Octets(_) => None,
        };
        let (mut set, mut copy) =
            (guid(&call.request, "ShadowCopySetId"), guid(&call.request, "ShadowCopyId"));
        if let Some(Answer::Response(stub)) = &call.answer {
            set = guid(stub, "pShadowCopySetId").or(set);
            let made = guid(stub, "pShadowCopyId");
            self.made.extend(made.map(|made| (made, self.now)));
            copy = made.or(copy);
        }
        if let Some(client) = self.clients.get_mut(call.line.client) {
            client.set = set.unwrap_or(client.set);
            client.copy = copy.unwrap_or(client.copy);
        }
    }
}

/// Whose message of a call is changed on its way. Without a signature nobody could tell.
pub(super) fn tampered(text: &CallText, settings: &Settings) -> Result<Option<Side>, Fail> {
    if text.tampered.is_some() && !settings.signs() {
        let message = "nothing of this call is signed: say auth, or signing on".to_owned();
        return Err(Fail::at(&text.place.client, message));
    }
    Ok(text.tampered)
}

fn body_is_sealed(call: &CallText) -> bool {
    call.sealed || matches!(call.args, Some(ArgsText::Sealed))
}

pub(super) fn unknown(word: &Word, what: &str, unknown: &Unknown) -> Fail {
    let message = format!("there is no {what} `{}`{}", word.text, hint(&unknown.like));
    Fail::at(word, message)
}
