//! What comes next in a conversation: whose turn it is, what he asks, and how it ends.

use super::{Agent, GB, Pending, Scene};
use crate::world::{Act, Kind, NOWHERE, Object, Query};

impl Scene {
    /// What happens next.
    pub(super) fn turn(&mut self) {
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
    pub(super) fn end(&mut self) {
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
