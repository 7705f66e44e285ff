//! Faults: each a way to break a rule in the middle of a conversation that breaks none, at whatever
//! place and with whatever objects it finds there.
//!
//! A fault says what is wrong itself; the server of the conversation goes on as it was. Places at which
//! nobody could know are not used: lists on which calls have overlapped are put back to their beginning,
//! volumes are called by their mount names, and lists are as long as they have to be.

mod answers;
mod calls;
mod lists;
mod objects;
mod storage;

use crate::talk::Scene;
use crate::world::{Act, Item, Kind, List, Query};

/// Breaks a rule: any of these is to be named; none where there is no place for it.
type Make = dyn Fn(&mut Scene, usize) -> Option<Vec<String>>;

/// A way to break a rule.
pub(crate) struct Fault {
    pub(crate) name: String,
    pub(crate) make: Box<Make>,
}

impl Fault {
    fn new(
        name: impl Into<String>,
        make: impl Fn(&mut Scene, usize) -> Option<Vec<String>> + 'static,
    ) -> Self {
        Self { name: name.into(), make: Box::new(make) }
    }

    /// One that is always of the same rules.
    fn of(
        name: impl Into<String>,
        rules: &[&str],
        make: impl Fn(&mut Scene, usize) -> Option<()> + 'static,
    ) -> Self {
        let rules: Vec<_> = rules.iter().map(|rule| format!("SCMP-{rule}")).collect();
        Self::new(name, move |scene, who| make(scene, who).map(|()| rules.clone()))
    }
}

/// All of them.
pub(crate) fn all() -> Vec<Fault> {
    let mut all = Vec::new();
    lists::add(&mut all);
    answers::add(&mut all);
    objects::add(&mut all);
    calls::add(&mut all);
    storage::add(&mut all);
    all
}

impl Scene {
    fn name(&self, object: usize) -> String {
        self.server.objects[object].name.clone()
    }

    fn list_of(&self, object: usize) -> &List {
        self.server.objects[object].list.as_ref().expect("it is an enumerator")
    }

    /// How an element of a list is written.
    fn item(&self, object: usize, at: usize) -> String {
        self.list_of(object).items[at].text(self.server.path)
    }

    fn items(&self, object: usize, from: usize, to: usize) -> String {
        let items: Vec<_> = (from..to).map(|at| self.item(object, at)).collect();
        items.join(",")
    }

    /// An enumerator at its beginning with so many elements: one that there is, or a new one.
    fn fresh(&mut self, who: usize, query: Query, least: usize) -> Option<usize> {
        let fits = |list: &List| list.query == query && list.items.len() >= least;
        let held = self.some(who, |object| !object.kept && object.list.as_ref().is_some_and(fits));
        let new = self.dice.percent(50);
        if let Some(object) = held.filter(|_| !new) {
            if self.list_of(object).place != 0 || self.list_of(object).tangled {
                self.call(who, object, Act::Reset);
            }
            return Some(object);
        }
        let first = self.dice.below(self.server.volumes);
        let all = (0..self.server.volumes).map(|at| (first + at) % self.server.volumes);
        let about = all.into_iter().find(|of| self.server.items(query, *of).len() >= least)?;
        Some(self.list(who, query, about))
    }

    /// The same of any query.
    fn any(&mut self, who: usize, least: usize) -> Option<usize> {
        let query = self.dice.one(&Query::ALL);
        self.fresh(who, query, least)
    }

    /// The same, of which some elements have been read; not more than the list has without `over`.
    fn read(&mut self, who: usize, least: usize, celt: usize) -> Option<usize> {
        let object = self.any(who, least)?;
        self.next(who, object, celt);
        Some(object)
    }

    fn next(&mut self, who: usize, object: usize, celt: usize) {
        self.call(who, object, Act::Next(u32::try_from(celt).expect("it is small")));
    }

    /// A call on an object, as it is written.
    fn on(&mut self, who: usize, object: usize, text: &str) {
        let name = self.name(object);
        self.say(who, &format!(":{name}.{text}"));
    }

    /// The rule of an enumerator.
    fn moves(&self, object: usize, of: &str) -> String {
        format!("SCMP-{}.{of}", self.list_of(object).query.enumerator())
    }

    fn interface(&self, object: usize) -> &'static str {
        match (self.server.objects[object].kind, &self.server.objects[object].list) {
            (Kind::Mgmt, _) => "IVssSnapshotMgmt",
            (Kind::Diff, _) => "IVssDifferentialSoftwareSnapshotMgmt",
            (_, Some(list)) if list.query == Query::Copies => "IVssEnumObject",
            _ => "IVssEnumMgmtObject",
        }
    }

    /// A list that is read to its end, of what there is.
    fn whole(&mut self, who: usize, query: Query, about: usize) -> usize {
        let object = self.list(who, query, about);
        let len = self.list_of(object).items.len();
        self.next(who, object, len + 1);
        object
    }

    /// A list that is read to its end, of what there is not.
    fn made_up(&mut self, who: usize, query: Query, about: usize, items: &[Item]) {
        let object = self.list(who, query, about);
        self.server.objects[object].list.as_mut().expect("it is an enumerator").items =
            items.into();
        self.next(who, object, items.len() + 1);
    }

    /// The object that a list is asked of, and the call up to its answer.
    fn query(&mut self, who: usize, query: Query) -> (usize, String) {
        let object = self.have(who, query.asked_of());
        let about = self.dice.below(self.server.volumes);
        let (_, arguments) = self.asks(object, Act::Query(query, about));
        (object, format!("{}{arguments}", query.method()))
    }

    /// A name for an object that the server of the conversation does not know.
    fn stray(&self) -> String {
        format!("x{}", self.lines.len())
    }
}
