//! Clients in one time with a server: conversations that break no rule, as texts of a scenario.

use std::fmt::Write as _;

use crate::dice::Dice;
use crate::faults::Fault;
use crate::world::{Act, Kind, NOWHERE, Object, Query, Server, letter, volume};

const GB: i64 = 1 << 30;

/// A conversation.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    pub(crate) head: String,
    /// Addresses of the clients.
    pub(crate) clients: Vec<String>,
    pub(crate) lines: Vec<String>,
    /// The fault in it: where it begins, and the rules of which any is named.
    pub(crate) seeded: Option<Seeded>,
}

/// Where a fault was made.
#[derive(Clone, Debug)]
pub(crate) struct Seeded {
    pub(crate) line: usize,
    pub(crate) rules: Vec<String>,
}

impl Talk {
    pub(crate) fn text(&self) -> String {
        format!("{}{}\n", self.head, self.lines.join("\n"))
    }

    /// The same with all of it sealed.
    pub(crate) fn sealed(mut self) -> Self {
        for level in ["integrity", "packet"] {
            self.head = self.head.replace(&format!(" {level}"), " privacy");
        }
        self
    }
}

/// A thread of a client, with connections of its own.
#[derive(Debug)]
struct Agent {
    client: usize,
    /// `A#1`, `A#2`
    who: String,
    denied: bool,
    /// A call that is under way.
    busy: Option<Pending>,
    /// The set that it pings.
    set: Option<String>,
    /// Whether it has done what it came for.
    done: bool,
    /// Whether a call of it is never answered: the language would take it for the next such call.
    lost: bool,
}

#[derive(Debug)]
struct Pending {
    head: String,
    /// What is answered, where that is settled already.
    answer: Option<String>,
    object: usize,
    act: Act,
    turns: usize,
}

/// A conversation that is going on.
pub(crate) struct Scene {
    pub(crate) dice: Dice,
    pub(crate) server: Server,
    agents: Vec<Agent>,
    pub(crate) lines: Vec<String>,
    calls: usize,
    sets: u32,
    /// The rules that a fault breaks, and where it begins.
    pub(crate) seeded: Option<Seeded>,
    /// The client that has to leave properly, for what it leaves behind to show.
    pub(crate) leaves: Option<usize>,
    /// Whether calls may overlap.
    overlaps: bool,
    /// Whether the server may be started again: what that hides makes many a fault undecidable.
    restarts: bool,
    /// Whether volumes are called by their mount names only: what a letter stands for shows late.
    plain: bool,
}

/// A random conversation; with a fault, if that found a place.
pub(crate) fn talk(seed: u64, fault: Option<&Fault>) -> Option<Talk> {
    conversation(seed, fault, true)
}

/// One in which nobody asks before the last answer is there, so that each line has one connection to
/// the objects.
pub(crate) fn one_by_one(seed: u64) -> Option<Talk> {
    conversation(seed, None, false)
}

fn conversation(seed: u64, fault: Option<&Fault>, overlaps: bool) -> Option<Talk> {
    let mut dice = Dice::new(seed);
    let clients = dice.weighed(&[(45, 1), (35, 2), (20, 3)]);
    let (head, addresses) = head(&mut dice, clients);
    let server = Server::new(&mut dice);
    let mut agents = Vec::new();
    for client in 0..clients {
        let denied = dice.percent(3);
        for line in 0..=usize::from(dice.percent(30)) {
            let who = format!("{}{}", letter(client), ["#1", "#2"][line]);
            agents.push(Agent {
                client,
                who,
                denied,
                busy: None,
                set: None,
                done: false,
                lost: false,
            });
        }
    }
    let mut scene = Scene {
        dice,
        server,
        agents,
        lines: Vec::new(),
        calls: 0,
        sets: 0,
        seeded: None,
        leaves: None,
        overlaps,
        restarts: fault.is_none(),
        plain: false,
    };
    let calls = 10 + scene.dice.below(51);
    let place = 1 + scene.dice.below(calls - 6);
    while scene.calls < calls && scene.agents.iter().any(|agent| !agent.done) {
        if let Some(fault) = fault.filter(|_| scene.calls >= place && scene.seeded.is_none()) {
            scene.seed(fault);
        }
        scene.turn();
    }
    if let Some(fault) = fault.filter(|_| scene.seeded.is_none()) {
        scene.seed(fault);
        scene.seeded.as_ref()?;
    }
    scene.end();
    let Scene { lines, seeded, .. } = scene;
    Some(Talk { head, clients: addresses, lines, seeded })
}

/// How all talk, and who they are.
fn head(dice: &mut Dice, clients: usize) -> (String, Vec<String>) {
    let mut head = format!(
        "{}; auth {} {}\n",
        dice.pick(&["dcom", "dcom", "dcom 50001"]),
        dice.pick(&["ntlm", "spnego ntlm", "kerberos", "spnego kerberos"]),
        dice.pick(&["integrity", "integrity", "integrity", "packet"])
    );
    for (cases, setting) in [
        (50, "ndr64"),
        (8, "big-endian"),
        (30, "trailer on"),
        (6, "fragment 256"),
        (6, "segment 200"),
    ] {
        if dice.percent(cases) {
            let _ = writeln!(head, "{setting}");
        }
    }
    let six = dice.percent(20);
    if six {
        head += "ipv6\n";
    }
    let mut addresses = Vec::new();
    for who in 0..clients {
        let address =
            if six { format!("fd00::{}", who + 11) } else { format!("10.0.0.{}", who + 11) };
        let _ = writeln!(head, "client {} address {address}", letter(who));
        addresses.push(address);
    }
    (head, addresses)
}

impl Scene {
    fn seed(&mut self, fault: &Fault) {
        if self.agents.iter().any(|agent| agent.busy.is_some()) {
            return;
        }
        let free: Vec<_> = (0..self.agents.len()).filter(|who| !self.agents[*who].denied).collect();
        if free.is_empty() {
            return;
        }
        let (who, line) = (self.dice.one(&free), self.lines.len());
        self.plain = true;
        if let Some(rules) = (fault.make)(self, who) {
            self.seeded = Some(Seeded { line, rules });
            self.leaves = self.leaves.map(|who| self.agents[who].client);
        }
        self.plain = false;
    }

    /// What an agent says.
    pub(crate) fn say(&mut self, who: usize, text: &str) {
        self.lines.push(format!("{}{text}", self.agents[who].who));
        self.calls += 1;
    }

    /// Whether an agent has called an object whose name begins so.
    pub(crate) fn has_said(&self, who: usize, letter: char) -> bool {
        let begins = format!("{}:{letter}", self.agents[who].who);
        self.lines.iter().any(|line| line.starts_with(&begins))
    }

    /// The objects that an agent holds.
    pub(crate) fn held(&self, who: usize, of: impl Fn(&Object) -> bool) -> Vec<usize> {
        let objects = self.server.objects.iter().enumerate();
        let held = objects.filter(|(_, object)| object.agent == who && object.is_held());
        held.filter(|(_, object)| of(object)).map(|(at, _)| at).collect()
    }

    pub(crate) fn some(&mut self, who: usize, of: impl Fn(&Object) -> bool) -> Option<usize> {
        let held = self.held(who, of);
        (!held.is_empty()).then(|| self.dice.one(&held))
    }

    /// The name of a volume as an argument: also in its other forms.
    pub(crate) fn named(&mut self, of: usize) -> String {
        if self.plain {
            return volume(of);
        }
        if self.server.path == Some(of) {
            return if self.dice.percent(20) { r"'A:\mnt\data\'".to_owned() } else { volume(of) };
        }
        match self.dice.range(0, 20) {
            0..2 => format!(r"'{}:\'", letter(of)),
            2 => format!(r"'{}:\'", letter(of).to_ascii_lowercase()),
            _ => volume(of),
        }
    }

    /// A call as it is written, up to the answer.
    pub(crate) fn asks(&mut self, object: usize, act: Act) -> (String, String) {
        let (method, arguments) = match act {
            Act::Interface => ("GPMI", "P,Diff".to_owned()),
            Act::Query(Query::Volumes, _) => {
                ("QVSS", format!("P,{}", self.dice.pick(&["0x1D", "0", "0x10", "0x19", "0x09"])))
            }
            Act::Query(Query::Copies, of) => ("QSBV", format!("{},P", self.named(of))),
            Act::Query(query, of) => (query.method(), self.named(of)),
            Act::Add(of, on, size) => {
                ("ADD", format!("{},{},{size}", self.named(of), self.named(on)))
            }
            Act::Change(of, on, size) => {
                ("CHG", format!("{},{},{size}", self.named(of), self.named(on)))
            }
            Act::Next(celt) => ("Next", celt.to_string()),
            Act::Skip(celt) => ("Skip", celt.to_string()),
            Act::Reset => ("Reset", String::new()),
            Act::Clone => ("Clone", String::new()),
        };
        (format!(":{}.{method}", self.server.objects[object].name), format!("({arguments})"))
    }

    /// A call, answered at once; what the answer names is the last of the objects then.
    pub(crate) fn call(&mut self, who: usize, object: usize, act: Act) -> String {
        let (head, arguments) = self.asks(object, act);
        let denied = self.agents[who].denied;
        let answer = self.server.answer(object, act, denied, &mut self.dice);
        let delay = match self.dice.range(0, 100) {
            0..4 => " after 700 ms ",
            4 => " after 3 s ",
            _ => "",
        };
        let more = match self.dice.range(0, 100) {
            0..3 => " this={version=5.6, cid=U1}",
            3..5 => " that={flags=2}",
            _ => "",
        };
        self.say(who, &format!("{head}{arguments}{delay}{answer}{more}"));
        answer
    }

    /// An object that was issued last.
    pub(crate) fn newest(&self) -> usize {
        self.server.objects.len() - 1
    }

    pub(crate) fn activate(&mut self, who: usize) -> usize {
        let text = self.server.issue(who, Kind::Mgmt, None, &mut self.dice);
        let object = self.newest();
        let name = text.split('{').next().expect("there is a first part").to_owned();
        self.server.objects[object].public = 5;
        let how = self.dice.weighed(&[
            (70, format!(" activates ->{name}")),
            (10, format!(" activates {{via=IActivation}} ->{name}")),
            (10, format!(" activates {{iids=[IUnknown]}} ->u{name}")),
        ]);
        self.say(who, &how);
        if how.contains("IUnknown") {
            self.say(who, &format!(":qi(u{name},Mgmt)=0->{name}"));
            self.say(who, &format!(":release(u{name} x5)"));
        }
        object
    }

    /// An object of this kind: one that there is, or a new one.
    pub(crate) fn have(&mut self, who: usize, kind: Kind) -> usize {
        let held = self.some(who, |object| object.kind == kind && !object.kept);
        match (held, kind) {
            (Some(object), _) => object,
            (None, Kind::Diff) => {
                let mgmt = self.have(who, Kind::Mgmt);
                self.call(who, mgmt, Act::Interface);
                self.newest()
            }
            (None, _) => self.activate(who),
        }
    }

    /// A new list.
    pub(crate) fn list(&mut self, who: usize, query: Query, about: usize) -> usize {
        let object = self.have(who, query.asked_of());
        self.call(who, object, Act::Query(query, about));
        self.newest()
    }

    /// Gives some or all references of objects back.
    pub(crate) fn release(&mut self, who: usize, objects: &[usize]) {
        let mut each = Vec::new();
        for at in objects {
            let Object { name, public, private, .. } = self.server.objects[*at].clone();
            each.push(match private {
                0 => format!("{name} x{public}"),
                _ => format!("{{{name},public={public},private={private}}}"),
            });
            self.server.released(*at, public, private);
        }
        if !each.is_empty() {
            self.say(who, &format!(":release({})", each.join(",")));
        }
    }

    fn turn(&mut self) {
        self.server.tick(&mut self.dice);
        let waits =
            self.dice.weighed(&[(60, ""), (20, "1 s"), (12, "4 s"), (7, "20 s"), (1, "120 s")]);
        if !waits.is_empty() && self.dice.percent(50) {
            self.lines.push(format!("wait {waits}"));
        }
        if self.restarts && self.dice.percent(1) {
            return self.restart();
        }
        let who = self.dice.below(self.agents.len());
        if let Some(pending) = &mut self.agents[who].busy {
            pending.turns = pending.turns.saturating_sub(1);
            if pending.turns == 0 {
                self.answer(who);
            }
            return;
        }
        if self.agents[who].done {
            return;
        }
        let Some(mgmt) = self.some(who, |object| object.kind == Kind::Mgmt && !object.kept) else {
            if self.dice.percent(4) {
                let said = self.dice.pick(&[" activates =E_ACCESSDENIED", ":alive()=0"]);
                return self.say(who, said);
            }
            self.activate(who);
            return;
        };
        let lists = self.held(who, |object| object.list.is_some() && !object.kept);
        if lists.len() > 4 {
            return self.release(who, &lists[..2]);
        }
        if !lists.is_empty() && self.dice.percent(60) {
            let list = self.dice.one(&lists);
            return self.reads_on(who, list);
        }
        let of = self.dice.below(self.server.volumes);
        let of = if self.dice.percent(3) { NOWHERE } else { of };
        let diff = self.some(who, |object| object.kind == Kind::Diff && !object.kept);
        let (object, act) = match (self.dice.range(0, 100), diff) {
            (0..15, _) => (mgmt, Act::Query(Query::Volumes, 0)),
            (15..30, _) => (mgmt, Act::Query(Query::Copies, of)),
            (30..38, _) => return self.counts(who),
            (38..42, _) => return self.pings(who),
            (42..44, _) => return self.say(who, ":alive()=0"),
            (44..47, _) => return self.leave(who),
            (47..50, _) | (_, None) => (mgmt, Act::Interface),
            (50..58, Some(diff)) => (diff, Act::Query(Query::DiffVolumes, of)),
            (58..68, Some(diff)) => (diff, Act::Query(Query::AreasFor, of)),
            (68..76, Some(diff)) => (diff, Act::Query(Query::AreasOn, of)),
            (percent, Some(diff)) => (diff, self.sizes(percent < 88)),
        };
        self.asked(who, object, act);
    }

    /// A change of storage.
    fn sizes(&mut self, adds: bool) -> Act {
        let pairs: Vec<_> = self.server.areas.keys().copied().collect();
        let any = (self.dice.below(self.server.volumes), self.dice.below(self.server.volumes));
        let known = !pairs.is_empty() && self.dice.percent(if adds { 15 } else { 80 });
        let (of, on) = if known { self.dice.one(&pairs) } else { any };
        let size = self.dice.weighed(&[(60, 20 * GB), (20, 10 * GB), (8, -1), (10, 0), (2, -4096)]);
        if adds { Act::Add(of, on, size) } else { Act::Change(of, on, size) }
    }

    /// Whether no other call may wait: the language tells two of one client by method only.
    fn is_waiting(&self, who: usize) -> bool {
        if !self.overlaps {
            return true;
        }
        let client = self.agents[who].client;
        let waits = |agent: &Agent| agent.client == client && (agent.busy.is_some() || agent.lost);
        self.agents.iter().any(waits)
    }

    /// A call that may be under way for a while.
    fn asked(&mut self, who: usize, object: usize, act: Act) {
        if self.dice.percent(88) || self.is_waiting(who) {
            self.call(who, object, act);
            return;
        }
        let (head, arguments) = self.asks(object, act);
        let denied = self.agents[who].denied;
        // It is done before others are, or after.
        let at_once = self.dice.percent(50);
        let answer = at_once.then(|| self.server.answer(object, act, denied, &mut self.dice));
        self.say(who, &format!("{head}{arguments} unanswered"));
        let turns = 1 + self.dice.below(4);
        self.agents[who].busy = Some(Pending { head, answer, object, act, turns });
    }

    fn answer(&mut self, who: usize) {
        let Some(Pending { head, answer, object, act, .. }) = self.agents[who].busy.take() else {
            return;
        };
        let denied = self.agents[who].denied;
        let answer =
            answer.unwrap_or_else(|| self.server.answer(object, act, denied, &mut self.dice));
        self.lines.push(format!("{}{head}{answer}", self.agents[who].who));
    }

    /// Reads on in a list.
    fn reads_on(&mut self, who: usize, at: usize) {
        let celt = u32::try_from(self.dice.range(1, 9)).expect("it is small");
        match self.dice.range(0, 100) {
            0..55 => self.asked(who, at, Act::Next(celt)),
            55..60 if !self.is_waiting(who) => {
                // Two calls at once on one enumerator: who is first is the server's to say.
                let list = self.server.objects[at].list.as_mut().expect("it is an enumerator");
                list.tangled = true;
                let (head, arguments) = self.asks(at, Act::Next(1));
                self.say(who, &format!("{head}{arguments} unanswered"));
                let first = self.server.answer(at, Act::Next(1), false, &mut self.dice);
                let second = self.server.answer(at, Act::Next(1), false, &mut self.dice);
                let (one, other) =
                    if self.dice.percent(50) { (first, second) } else { (second, first) };
                self.say(who, &format!("{head}{arguments}{one}"));
                self.lines.push(format!("{}{head}{other}", self.agents[who].who));
            }
            60..64 => self.asked(who, at, Act::Next(0)),
            64..72 => self.asked(who, at, Act::Skip(celt.min(3))),
            72..74 => self.asked(who, at, Act::Skip(0)),
            74..84 => self.asked(who, at, Act::Reset),
            84..92 => self.asked(who, at, Act::Clone),
            _ => self.release(who, &[at]),
        }
    }

    /// References are added, asked for and given back in parts.
    fn counts(&mut self, who: usize) {
        let Some(at) = self.some(who, |object| !object.kept) else { return };
        let Object { name, public, kind, .. } = self.server.objects[at].clone();
        match self.dice.range(0, 4) {
            0 => {
                self.server.objects[at].public += 3;
                self.say(who, &format!(":addref({name},3)=0"));
            }
            1 => {
                self.server.objects[at].private += 1;
                self.say(who, &format!(":addref({{{name},private=1}})=0"));
            }
            2 if public > 1 => {
                self.say(who, &format!(":release({name} x1)"));
                self.server.released(at, 1, 0);
            }
            _ if kind == Kind::Mgmt => {
                self.say(who, &format!(":qi({name},Diff)=E_NOINTERFACE"));
                self.say(who, &format!(":qi({name},Mgmt)=0->q{name}"));
                self.say(who, &format!(":release(q{name} x5)"));
            }
            _ => {}
        }
    }

    fn pings(&mut self, who: usize) {
        if let Some(set) = self.agents[who].set.clone() {
            return self.say(who, &format!(":simpleping({set})=0"));
        }
        let Some(at) = self.some(who, |object| !object.kept) else { return };
        self.sets += 1;
        let set = format!("g{}", self.sets);
        let name = self.server.objects[at].name.clone();
        self.say(who, &format!(":ping(add=[{name}])=0->{set}"));
        self.agents[who].set = Some(set);
    }

    /// An agent gives back all it has; its client closes its connections if nobody else uses them.
    fn leave(&mut self, who: usize) {
        let client = self.agents[who].client;
        if self.leaves != Some(client) && self.dice.percent(8) {
            return self.crash(client);
        }
        let mut held = self.held(who, |object| !object.kept);
        if self.dice.percent(50) {
            held.reverse();
        }
        let split = self.dice.below(held.len() + 1);
        self.release(who, &held[..split]);
        self.release(who, &held[split..]);
        self.agents[who].done = self.dice.percent(70);
        let kept = self.leaves == Some(client);
        let own = || self.agents.iter().enumerate().filter(|(_, agent)| agent.client == client);
        let busy = own().any(|(_, agent)| agent.busy.is_some());
        let used = own().any(|(at, _)| !self.held(at, |_| true).is_empty());
        if !busy && (kept || !used) {
            let closes = if kept || self.dice.percent(70) { "disconnect" } else { "reset" };
            for at in 0..self.agents.len() {
                if self.agents[at].client == client
                    && self.dice.percent(if kept { 100 } else { 90 })
                {
                    self.lines.push(format!("{} {closes}", self.agents[at].who));
                }
            }
        }
    }

    /// A client breaks off, with all that it holds.
    fn crash(&mut self, client: usize) {
        for at in 0..self.agents.len() {
            if self.agents[at].client == client {
                self.lines.push(format!("{} reset", self.agents[at].who));
                for of in self.held(at, |_| true) {
                    let object = &mut self.server.objects[of];
                    (object.public, object.private) = (0, 0);
                }
                let agent = &mut self.agents[at];
                agent.lost |= agent.busy.is_some();
                (agent.busy, agent.set) = (None, None);
            }
        }
    }

    fn restart(&mut self) {
        self.lines.push("server restart".to_owned());
        for agent in &mut self.agents {
            agent.lost |= agent.busy.is_some();
            (agent.busy, agent.set) = (None, None);
        }
        for object in &mut self.server.objects {
            (object.public, object.private) = (0, 0);
        }
    }

    /// The capture ends: most clients have left by then, some are cut off.
    fn end(&mut self) {
        for who in 0..self.agents.len() {
            if !self.restarts || self.dice.percent(85) {
                self.answer(who);
            }
        }
        for who in 0..self.agents.len() {
            let client = self.agents[who].client;
            let must = self.leaves == Some(client);
            if must || self.agents[who].busy.is_none() && self.dice.percent(75) {
                self.leave(who);
            }
        }
    }
}
