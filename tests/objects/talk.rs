//! Clients in one time with a server: conversations that break no rule, as texts of a scenario.

mod turns;

use std::fmt::Write as _;

use crate::dice::Dice;
use crate::faults::Fault;
use crate::world::{Act, Kind, Object, Query, Server, letter, volume};

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
#[expect(clippy::struct_excessive_bools, reason = "each is about another thing")]
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
    /// Whether octets mean what they do on most machines.
    pub(crate) little: bool,
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
        little: !head.contains("ndr64") && !head.contains("big-endian"),
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
}
