//! Plays the steps: who is connected to whom, and what they say, into the capture.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;

use super::Scenario;
use super::association::{Association, Waiting};
use super::film::Film;
use super::object::EXPORTER;
use super::reach;
use super::session::{DELAYED_ACK, Peer, Session};
use super::settings::Settings;
use super::steps::{BindAnswer, Call, Event, EventKind, Line, Party, Step};
use super::wire::dns::Verdict as Found;
use super::wire::octets::random_guid;
use super::wire::rpc::{SyntaxId, Verdict};
use crate::bytes::{Both, Side, Time, clamp};

/// Nanoseconds after which SMB says that an answer takes time.
const LONG: u64 = 500_000_000;
/// What a call takes where nothing is said.
const SHORT: u64 = 700_000;

/// Writes the capture of a scenario.
pub(super) fn play(scenario: &Scenario, out: &mut dyn Write) -> io::Result<()> {
    let late = scenario.steps.iter().any(|step| matches!(step, Step::CaptureFromHere));
    let mut film = Film::new(out, scenario.start, !late)?;
    let mut world = World {
        scenario,
        sessions: Vec::new(),
        started: vec![scenario.start.plus(-259_200_000_000_000); scenario.servers.len().max(1)],
        opened: 0,
    };
    for step in &scenario.steps {
        world.step(&mut film, step)?;
    }
    let now = film.now;
    world.pass(&mut film, now.plus(DELAYED_ACK.saturating_mul(2)))?;
    film.flush()
}

struct World<'s> {
    scenario: &'s Scenario,
    /// Lines there are, and the calls that wait on each. Added by the first statement that needs
    /// one, removed when it ends.
    sessions: Vec<(Session, Vec<Waiting>)>,
    /// When each server was started.
    started: Vec<Time>,
    /// Lines opened so far.
    opened: u32,
}

impl World<'_> {
    fn step(&mut self, film: &mut Film<'_>, step: &Step) -> io::Result<()> {
        match step {
            Step::Call(call) => self.call(film, call),
            Step::Answer(call) => self.late(film, call),
            Step::Event(event) => self.event(film, event),
            Step::Wait(nanos) => self.wait(film, *nanos),
            Step::At(time) => self.pass(film, *time),
            Step::CaptureFromHere => {
                film.recording = true;
                Ok(())
            }
            Step::Restart(server) => self.restart(film, *server),
        }
    }

    fn wait(&mut self, film: &mut Film<'_>, nanos: u64) -> io::Result<()> {
        let then = film.now.plus(i64::try_from(nanos).unwrap_or(i64::MAX));
        self.pass(film, then)
    }

    /// Time passes, and what is owed is acknowledged meanwhile.
    fn pass(&mut self, film: &mut Film<'_>, then: Time) -> io::Result<()> {
        if then.since(film.now) > DELAYED_ACK {
            let mut owed: Vec<_> =
                self.sessions.iter_mut().flat_map(|(session, _)| session.owed()).collect();
            owed.sort_by_key(|(time, _)| *time);
            for (time, frame) in owed {
                film.now = film.now.max(time);
                film.frame(&frame)?;
            }
        }
        film.now = film.now.max(then);
        Ok(())
    }

    /// The line, opened where it is not yet.
    fn session(&mut self, line: Line, settings: &Rc<Settings>) -> usize {
        let same = |session: &Session| {
            session.line == line && session.settings.dcom.is_some() == settings.dcom.is_some()
        };
        if let Some(at) = self.sessions.iter().position(|(session, _)| same(session)) {
            return at;
        }
        let session = self.unspoken(line, settings);
        self.opened = self.opened.saturating_add(1);
        self.sessions.push((session, Vec::new()));
        self.sessions.len().saturating_sub(1)
    }

    /// Address of a server.
    fn server(&self, number: usize, v6: bool) -> IpAddr {
        let server = self.scenario.servers.get(number);
        server.and_then(|server| server.address).unwrap_or(address(v6, 1, number))
    }

    /// A line that nothing was said on.
    fn unspoken(&self, line: Line, settings: &Rc<Settings>) -> Session {
        let settings = settings.clone();
        let nobody = Party { name: String::new(), address: None };
        let client = self.scenario.clients.get(line.client).unwrap_or(&nobody);
        let server = self.scenario.servers.get(line.server);
        let v6 = settings.v6;
        let from = line.from.or(client.address).unwrap_or(address(v6, 0, line.client));
        let to = self.server(line.server, v6);
        let name = server.map_or_else(|| "FS".to_owned(), |server| server.name.clone());
        let guid = |who: u64, number: usize| random_guid(who << 32 | u64::from(clamp(number)));
        let ends = Both {
            client: Peer {
                name: format!("CLIENT-{}", client.name.to_uppercase()),
                address: SocketAddr::new(from, 0),
                guid: guid(1, line.client),
            },
            server: Peer {
                name,
                address: SocketAddr::new(
                    to,
                    settings.tcp.or(settings.dcom.map(|_| EXPORTER)).unwrap_or(445),
                ),
                guid: guid(2, line.server),
            },
        };
        let id = 0x0000_3c00_0000_0001 + u64::from(self.opened) * 4;
        let started = self.started.get(line.server).copied().unwrap_or_default();
        Session::new(line, settings, ends, id, started)
    }

    /// An association of this line for the interface of a call that is free, bound where it is not.
    fn association(&mut self, film: &mut Film<'_>, call: &Call) -> io::Result<(usize, usize)> {
        let at = self.session(call.line, &call.settings);
        let Some((session, _)) = self.sessions.get_mut(at) else { return Ok((at, 0)) };
        let id = call.context();
        if let Some(dcom) = call.dcom.as_ref().filter(|_| call.settings.dcom.is_some()) {
            let number = reach::reach(session, film, (dcom.port, id), call)?;
            return Ok((at, number));
        }
        let interface = id.0;
        // What nobody can read is sealed by the association that carries it.
        let free = |a: &Association| {
            a.bound && !a.busy && a.interface == interface && (!call.sealed || a.seals())
        };
        if let Some(number) = session.associations.iter().rposition(free) {
            return Ok((at, number));
        }
        let settings = &call.settings;
        let pipe = settings.pipe_of(&call.interface);
        let unbound = |a: &Association| !a.bound && !a.busy && a.interface == interface;
        let unbound = session.associations.iter().rposition(unbound);
        let number = if let Some(number) = unbound {
            number
        } else {
            let opened = Association::open(session, film, settings, (interface, id), &pipe, None)?;
            session.associations.extend(opened);
            session.associations.len().saturating_sub(1)
        };
        let answer = BindAnswer::Ack(Verdict::Accept(settings.syntax));
        with(session, number, |association, session| {
            association.bind(session, film, &pipe, answer)
        })?;
        Ok((at, number))
    }

    fn call(&mut self, film: &mut Film<'_>, call: &Call) -> io::Result<()> {
        let (at, number) = self.association(film, call)?;
        film.begin(&call.lost);
        let delay = call.delay.unwrap_or(SHORT);
        let long = call.answer.is_none() || delay >= LONG;
        let Some((session, waiting)) = self.sessions.get_mut(at) else { return Ok(()) };
        let asked = with(session, number, |association, session| {
            association.request(session, film, call, number, long)
        })?;
        let Some(asked) = asked else { return Ok(()) };
        if call.answer.is_none() {
            waiting.push(asked);
            film.end();
            return self.wait(film, call.delay.unwrap_or(0));
        }
        self.wait(film, delay)?;
        self.respond(film, at, call, &asked)
    }

    fn respond(
        &mut self,
        film: &mut Film<'_>,
        at: usize,
        call: &Call,
        asked: &Waiting,
    ) -> io::Result<()> {
        let Some((session, _)) = self.sessions.get_mut(at) else { return Ok(()) };
        with(session, asked.association, |association, session| {
            association.respond(session, film, call, asked)
        })?;
        film.end();
        Ok(())
    }

    /// The answer to a call that waits for it; nothing if its connection has ended.
    fn late(&mut self, film: &mut Film<'_>, call: &Call) -> io::Result<()> {
        self.wait(film, call.delay.unwrap_or(SHORT))?;
        let same = |session: &Session| {
            session.line.client == call.line.client && session.line.server == call.line.server
        };
        let found = self.sessions.iter().enumerate().find_map(|(at, (session, waiting))| {
            let place = waiting.iter().position(|asked| asked.opnum == call.opnum)?;
            same(session).then_some((at, place))
        });
        let Some((at, place)) = found else { return Ok(()) };
        let Some((_, waiting)) = self.sessions.get_mut(at) else { return Ok(()) };
        let asked = waiting.remove(place);
        film.begin(&call.lost);
        self.respond(film, at, call, &asked)
    }

    fn restart(&mut self, film: &mut Film<'_>, server: usize) -> io::Result<()> {
        for (mut session, _) in
            self.sessions.extract_if(.., |(session, _)| session.line.server == server)
        {
            session.reset(film, Side::Server)?;
        }
        // A second to come up again; who wants more writes a `wait`.
        film.tick(1_000_000);
        if let Some(started) = self.started.get_mut(server) {
            *started = film.now;
        }
        Ok(())
    }

    /// What happens outside of any connection: true if that is all there is to the event.
    fn before(&self, film: &mut Film<'_>, event: &Event) -> io::Result<bool> {
        let v6 = event.settings.v6;
        let (resolver, router) = (address(v6, 2, 0), address(v6, 2, 1));
        let session = self.unspoken(event.line, &event.settings);
        match &event.kind {
            EventKind::Vain(how, port) => {
                session.connect_in_vain(film, (*how, *port), router)?;
            }
            EventKind::Name(name) => {
                let verdict = match name.answer {
                    Err(error) => Found::Error(error),
                    Ok(server) => Found::Address(self.server(server, v6)),
                };
                session.ask_name(film, name, resolver, verdict)?;
            }
            EventKind::Ticket(ticket) => session.ask_ticket(film, ticket, resolver)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn event(&mut self, film: &mut Film<'_>, event: &Event) -> io::Result<()> {
        let ends = matches!(
            event.kind,
            EventKind::Close | EventKind::Logoff | EventKind::Disconnect | EventKind::Reset
        );
        let dcom = event.settings.dcom.is_some();
        let same = |session: &Session| {
            session.line == event.line && session.settings.dcom.is_some() == dcom
        };
        if ends && !self.sessions.iter().any(|(session, _)| same(session)) {
            return Ok(());
        }
        if self.before(film, event)? {
            return Ok(());
        }
        let at = self.session(event.line, &event.settings);
        let Some((session, waiting)) = self.sessions.get_mut(at) else { return Ok(()) };
        let refused = event.refused;
        match &event.kind {
            EventKind::Vain(..) | EventKind::Name(_) | EventKind::Ticket(_) => {}
            EventKind::Connect => session.connect(film)?,
            EventKind::Logon(logon) => session.log_on_as(film, *logon, refused)?,
            EventKind::Referral(path) => {
                session.log_on(film)?;
                session.referral(film, path, refused)?;
            }
            EventKind::Tree(path) => {
                session.log_on(film)?;
                session.tree(film, path, refused)?;
            }
            EventKind::Write(path) => {
                session.log_on(film)?;
                let tree = session.tree(film, path, None)?.unwrap_or_default();
                if let Some(file) = session.create(film, tree, "data.bin", None)? {
                    let data = Association::file_data(session.seed());
                    session.write(film, tree, file, &data, refused)?;
                    session.close(film, tree, file)?;
                }
            }
            EventKind::Create => {
                open_pipe(session, film, event, refused)?;
            }
            EventKind::Bind(syntax, answer) => {
                let unbound = session.associations.iter().rposition(|a| !a.bound && !a.busy);
                let unbound = unbound.filter(|_| event.settings.tcp.is_none());
                let number = match unbound {
                    Some(number) => Some(number),
                    None => open_pipe(session, film, event, None)?,
                };
                let pipe = event.settings.pipe_of(&event.settings.interface);
                if let Some(number) = number {
                    with(session, number, |association, session| {
                        association.rename(*syntax, &event.settings);
                        association.bind(session, film, &pipe, *answer)
                    })?;
                }
            }
            EventKind::Present { syntax, answer, port, new } => {
                reach::present(session, film, event, (*syntax, *answer), (*port, *new))?;
            }
            EventKind::Reset => {
                session.reset(film, Side::Client)?;
                self.sessions.remove(at);
            }
            EventKind::Close => close_pipes(session, waiting, film)?,
            EventKind::Logoff => {
                close_pipes(session, waiting, film)?;
                session.log_off(film)?;
            }
            EventKind::Disconnect => {
                close_pipes(session, waiting, film)?;
                session.log_off(film)?;
                session.disconnect(film)?;
                self.sessions.remove(at);
            }
        }
        Ok(())
    }
}

/// The pipe of an event's interface is opened; gives the number of its association.
fn open_pipe(
    session: &mut Session,
    film: &mut Film<'_>,
    event: &Event,
    refused: Option<u32>,
) -> io::Result<Option<usize>> {
    let settings = &event.settings;
    let interface = &settings.interface;
    let id = SyntaxId(interface.uuid, interface.version.0, interface.version.1);
    let pipe = settings.pipe_of(interface);
    let of = (interface.uuid, id);
    let opened = Association::open(session, film, settings, of, &pipe, refused)?;
    Ok(opened.map(|association| {
        session.associations.push(association);
        session.associations.len().saturating_sub(1)
    }))
}

fn close_pipes(
    session: &mut Session,
    waiting: &mut Vec<Waiting>,
    film: &mut Film<'_>,
) -> io::Result<()> {
    let waiting = std::mem::take(waiting);
    for (number, association) in std::mem::take(&mut session.associations).iter().enumerate() {
        let asked = waiting.iter().find(|asked| asked.association == number);
        association.close(session, film, asked)?;
    }
    if session.settings.direct() {
        session.disconnect(film)?;
    }
    Ok(())
}

/// Runs `act` with an association and the session it belongs to.
pub(super) fn with<T>(
    session: &mut Session,
    number: usize,
    act: impl FnOnce(&mut Association, &mut Session) -> io::Result<T>,
) -> io::Result<Option<T>> {
    if number >= session.associations.len() {
        return Ok(None);
    }
    let mut association = session.associations.swap_remove(number);
    let done = act(&mut association, session);
    session.associations.push(association);
    let last = session.associations.len().saturating_sub(1);
    session.associations.swap(number, last);
    done.map(Some)
}

/// 10.0.0.1 is the first client, 10.0.1.1 the first server, 10.0.2.1 who knows names and gives tickets,
/// 10.0.2.2 a router.
pub(super) fn address(v6: bool, kind: u8, number: usize) -> IpAddr {
    let number = u8::try_from(number).unwrap_or(u8::MAX).saturating_add(1);
    if v6 {
        let (kind, number) = (u16::from(kind), u16::from(number));
        Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, kind, number).into()
    } else {
        Ipv4Addr::new(10, 0, kind, number).into()
    }
}
