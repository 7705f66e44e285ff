//! A server and its clients in one time: conversations that break no rule.

use std::collections::BTreeMap;

use crate::client::{Agent, Fresh, Turn};
use crate::dice::Dice;
use crate::server::{
    FSSAGENT_TIMEOUT, NOT_SUPPORTED, Naming, OK, Profile, Server, Share, Status, WAIT_FAILED,
    WAIT_TIMEOUT, runs,
};
use crate::table::{self, Before, Label, label};
use crate::talk::{Ask, Call, Client, Reply, Step, Talk};

/// The time after which a client gives a call up: 3.2.2.
const GIVES_UP: u64 = 180_000;

/// How long a call takes of which nothing is said.
const QUICK: u64 = 2;

/// What is wanted of a conversation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) profile: Profile,
    pub(crate) clients: usize,
    /// Whether the server may be started again while a set is unfinished.
    pub(crate) restarts: bool,
}

impl Wish {
    /// One client in one of two conversations, up to four in the others.
    pub(crate) fn any(seed: u64, profile: Profile) -> Self {
        let mut dice = Dice::new(seed ^ 0x5EED);
        let clients = dice.weighed(&[(50, 1), (30, 2), (15, 3), (5, 4)]);
        Self { profile, clients, restarts: dice.percent(15) }
    }
}

/// What the clients of a conversation did to the table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// How often each row came up.
    pub(crate) rows: BTreeMap<usize, u32>,
    pub(crate) fired: BTreeMap<(Label, bool), u32>,
    pub(crate) restarted: BTreeMap<(Label, bool), u32>,
    /// What the server did that its table forbids.
    pub(crate) wrong: Vec<String>,
}

/// What will happen without anybody's asking.
#[derive(Clone, Copy, Debug)]
enum Due {
    Answer(usize),
    /// The client gives up.
    Close(usize),
    /// The server is done with what nobody waits for any more; whether it did it at all.
    Late(usize, bool),
}

struct World {
    dice: Dice,
    now: u64,
    server: Server,
    agents: Vec<Agent>,
    wakes: Vec<u64>,
    due: Vec<(u64, Due)>,
    fresh: Fresh,
    talk: Talk,
    told: Told,
    profile: Profile,
}

/// The conversation of a seed.
pub(crate) fn talk(seed: u64, wish: Wish) -> (Talk, Told) {
    let mut dice = Dice::new(seed);
    let naming = Naming {
        unc: wish.profile != Profile::Samba && dice.percent(50),
        lower: wish.profile == Profile::Samba || dice.percent(30),
        hidden: if wish.profile == Profile::Samba {
            0
        } else {
            u8::try_from(dice.range(0, 3)).unwrap()
        },
    };
    let share = |name: &str, volume, refused| Share { name: name.to_owned(), volume, refused };
    let shares = vec![
        share("d", 1, None),
        share("data", 2, None),
        share("users$", 3, None),
        share("web site", 4, None),
        share("d2", 1, None),
        share("old", 5, Some(NOT_SUPPORTED)),
    ];
    let mut server = Server::new(wish.profile, naming, shares);
    if dice.percent(4) {
        server.denied.insert(dice.below(wish.clients));
    }
    let (settings, clients) = settings(&mut dice, wish.clients);
    let agents: Vec<_> = (0..wish.clients).map(|who| Agent::new(who, &mut dice)).collect();
    let mut world = World {
        now: 0,
        wakes: agents.iter().map(|_| dice.range(0, 20_000)).collect(),
        server,
        agents,
        due: Vec::new(),
        fresh: Fresh::default(),
        talk: Talk { settings, clients, calls: Vec::new(), steps: Vec::new(), restarted: false },
        told: Told::default(),
        profile: wish.profile,
        dice,
    };
    world.run(wish.restarts);
    (world.talk, world.told)
}

impl World {
    fn run(&mut self, restarts: bool) {
        let calls = usize::try_from(self.dice.range(5, 61)).unwrap();
        while self.talk.calls.len() < calls {
            let who = (0..self.agents.len()).min_by_key(|who| self.wakes[*who]);
            let who = who.expect("there are clients");
            let due = (0..self.due.len()).min_by_key(|at| self.due[*at].0);
            let (time, due) = match due {
                Some(at) if self.due[at].0 <= self.wakes[who] => (self.due[at].0, Some(at)),
                _ => (self.wakes[who], None),
            };
            if time == u64::MAX {
                break;
            }
            self.pass(time);
            match due {
                Some(at) => {
                    let (_, due) = self.due.remove(at);
                    self.happen(due);
                }
                None if self.is_restarted(restarts) => self.restart(),
                None => self.turn(who),
            }
        }
    }

    fn pass(&mut self, time: u64) {
        if time > self.now {
            match self.talk.steps.last_mut() {
                Some(Step::Wait(ms)) => *ms += time - self.now,
                _ => self.talk.steps.push(Step::Wait(time - self.now)),
            }
            self.now = time;
        }
        let before = label(&self.server);
        if self.server.tick(self.now) {
            *self.told.fired.entry(before).or_default() += 1;
        }
    }

    fn is_restarted(&mut self, restarts: bool) -> bool {
        let rare = if self.server.unfinished().is_some() { restarts } else { true };
        // The seldom case that somebody has a context and no set is left alone: the next Start
        // would be refused, and the client could not know.
        let starting = self.agents.iter().any(Agent::is_about_to_start);
        self.due.is_empty()
            && rare
            && !starting
            && !self.talk.calls.is_empty()
            && self.dice.percent(1)
    }

    fn restart(&mut self) {
        *self.told.restarted.entry(label(&self.server)).or_default() += 1;
        self.talk.restarted = true;
        self.talk.steps.push(Step::Restart);
        self.now += 1_000;
        self.server.restart();
        // What is not persistent may be gone.
        let (dice, sets) = (&mut self.dice, &mut self.server.sets);
        sets.retain(|set| set.status != Status::Recovered || set.stays() || dice.percent(50));
        for (agent, wake) in self.agents.iter_mut().zip(&mut self.wakes) {
            agent.reset();
            *wake = (*wake).max(self.now + 2_000);
        }
    }

    fn turn(&mut self, who: usize) {
        let agent = &mut self.agents[who];
        match agent.turn(&mut self.dice, &self.server, self.now, &mut self.fresh) {
            Turn::Sleep(time) => self.wakes[who] = self.now.saturating_add(time),
            Turn::Close(line) => self.talk.steps.push(Step::Close(who, line)),
            Turn::Leave => {
                for line in agent.lines() {
                    self.talk.steps.push(Step::Leave(who, line));
                }
                self.wakes[who] = u64::MAX;
            }
            Turn::Ask(ask, line) => self.ask(who, line, ask),
        }
    }

    fn ask(&mut self, who: usize, line: u32, ask: Ask) {
        let before = Before::of(&self.server, self.now, who, &ask);
        let reply = self.dice.weighed(&self.server.replies(self.now, who, &ask));
        let runs = runs(&ask, &reply);
        let takes = if runs { self.duration(&ask, &reply) } else { Some(0) };
        let takes = if !runs && line == 1 && self.may_be_lost(&ask) { None } else { takes };
        if runs {
            self.server.begin(&ask);
        }
        let n = self.talk.calls.len();
        let at = self.now;
        let call = Call {
            who,
            line,
            ask,
            reply: Some(reply),
            takes: takes.unwrap_or(0),
            at,
            before,
            after: None,
        };
        self.talk.calls.push(call);
        match takes {
            None => {
                self.talk.steps.push(Step::Ask(n));
                let gives_up = self.now + GIVES_UP + self.dice.range(0, 1_500);
                self.due.push((gives_up, Due::Close(n)));
                self.wakes[who] = u64::MAX;
            }
            Some(takes) if takes > 1_000 => {
                self.talk.steps.push(Step::Ask(n));
                self.due.push((self.now + takes, Due::Answer(n)));
                self.wakes[who] = u64::MAX;
            }
            Some(takes) => {
                self.talk.steps.push(Step::Call(n));
                self.now += if takes > 0 { takes } else { QUICK };
                self.answer(n);
            }
        }
    }

    /// How long a call runs; `None` if longer than anybody waits.
    fn duration(&mut self, ask: &Ask, reply: &Reply) -> Option<u64> {
        let timeout = match ask {
            Ask::Prepare { timeout, .. }
            | Ask::Commit { timeout, .. }
            | Ask::Expose { timeout, .. } => u64::from(*timeout),
            _ => unreachable!("no other call runs"),
        };
        let dice = &mut self.dice;
        let longest = timeout.min(170_000) - 1_000;
        match reply.status {
            WAIT_TIMEOUT | FSSAGENT_TIMEOUT => Some(timeout + dice.range(1, 1_500)),
            OK | WAIT_FAILED if timeout > 190_000 && dice.percent(5) => None,
            OK if dice.percent(75) => Some(dice.range(50, 3_000)),
            OK => Some(dice.range(3_000, longest)),
            _ => Some(dice.range(100, longest.min(40_000))),
        }
    }

    /// Whether the server may be silent on a call that takes no time.
    fn may_be_lost(&mut self, ask: &Ask) -> bool {
        let far = self.server.deadline.is_none_or(|at| at > self.now + 300_000);
        let begins = matches!(ask, Ask::Context(_) | Ask::Start(_));
        let timed = matches!(ask, Ask::Prepare { .. } | Ask::Commit { .. } | Ask::Expose { .. });
        (far || begins) && !timed && self.dice.percent(1)
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Answer(n) => {
                self.talk.steps.push(Step::Answer(n));
                self.answer(n);
            }
            Due::Close(n) => {
                let Call { who, line, ask, .. } = self.talk.calls[n].clone();
                self.talk.steps.push(Step::Close(who, line));
                self.agents[who].unheard(&ask, &mut self.dice);
                let runs = self.server.running.is_some() && self.server.running == ask.set();
                let done = runs || self.dice.percent(60);
                let late = self.now + self.dice.range(500, 20_000);
                self.due.push((late, Due::Late(n, done)));
                self.wakes[who] = late + self.dice.range(5_000, 40_000);
            }
            Due::Late(n, done) => {
                // A Start that comes so late that somebody else has the context is left out.
                let call = &self.talk.calls[n];
                let late = matches!(call.ask, Ask::Start(_)) && self.server.owner != Some(call.who);
                if done && !late {
                    self.end(n);
                }
                self.talk.calls[n].reply = None;
            }
        }
    }

    /// The call is answered, and its client hears it.
    fn answer(&mut self, n: usize) {
        self.end(n);
        let call = &mut self.talk.calls[n];
        call.after = Some(Box::new(self.server.clone()));
        let reply = call.reply.as_ref().expect("it is answered");
        self.agents[call.who].heard(&call.ask, reply, &mut self.dice);
        self.wakes[call.who] = self.now;
    }

    /// The server is done with a call, whether anybody hears it or not.
    fn end(&mut self, n: usize) {
        let call = self.talk.calls[n].clone();
        let mut reply = call.reply.expect("it has a reply");
        let heard = self.now < call.at + GIVES_UP;
        let mut before = call.before;
        if !runs(&call.ask, &reply) {
            // What was not answered at once meets another server now.
            before = Before::of(&self.server, self.now, call.who, &call.ask);
            if !heard {
                reply = self.dice.weighed(&self.server.replies(self.now, call.who, &call.ask));
                if runs(&call.ask, &reply) {
                    return;
                }
            }
        }
        self.server.end(self.now, call.who, &call.ask, &reply);
        if matches!(self.profile, Profile::Spec | Profile::Windows) {
            match table::check(&before, &call.ask, &reply, &self.server, self.now) {
                Ok(row) if heard => *self.told.rows.entry(row).or_default() += 1,
                Ok(_) => {}
                Err(wrong) => self.told.wrong.push(wrong),
            }
        }
    }
}

/// How the clients of a conversation talk.
fn settings(dice: &mut Dice, clients: usize) -> (Vec<String>, Vec<Client>) {
    let v6 = dice.percent(25);
    let mut settings = Vec::new();
    let mut say = |setting: String| settings.push(setting);
    say(format!("smb {}", dice.pick(&["2.0.2", "2.1", "3.0", "3.0.2", "3.1.1", "3.1.1", "3.1.1"])));
    if v6 {
        say("ipv6".to_owned());
    }
    let mut each = Vec::new();
    for who in 0..clients {
        let number = who + 11;
        let address = if v6 { format!("fd00::{number}") } else { format!("10.0.0.{number}") };
        let name = char::from(b'A' + u8::try_from(who).unwrap());
        let level = if dice.percent(8) { "privacy" } else { "integrity" };
        let provider = dice.pick(&["ntlm", "spnego ntlm", "spnego kerberos", "kerberos"]);
        let mut own = vec![format!("auth {provider} {level}")];
        let mut maybe = |cases, setting: String| {
            if dice.percent(cases) {
                own.push(setting);
            }
        };
        maybe(50, "ndr64".to_owned());
        maybe(10, "big-endian".to_owned());
        maybe(40, "trailer on".to_owned());
        maybe(30, "object on".to_owned());
        maybe(20, "io write-read".to_owned());
        maybe(20, "channels 3".to_owned());
        maybe(10, "fragment 1432".to_owned());
        maybe(4, "fragment 256".to_owned());
        maybe(4, "segment 200".to_owned());
        each.push(Client { name, address, settings: own, sealed: level == "privacy" });
    }
    (settings, each)
}
