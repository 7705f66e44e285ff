//! A server with volumes, storage and shadow copies: what it answers, and what its objects are.
//!
//! It keeps to \[MS-SCMP\] as one reads it there, and shares nothing with the judge: a list is what
//! there was when it was asked for, a clone goes on from where its original stood, and storage is what
//! the last change that succeeded has made of it.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::dice::Dice;

/// What an enumerator came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    Volumes,
    Copies,
    DiffVolumes,
    AreasFor,
    AreasOn,
}

impl Query {
    pub(crate) const ALL: [Self; 5] =
        [Self::Volumes, Self::Copies, Self::DiffVolumes, Self::AreasFor, Self::AreasOn];

    /// The section of the method that makes such a list.
    pub(crate) fn section(self) -> &'static str {
        match self {
            Self::Volumes => "3.1.1.4.2",
            Self::Copies => "3.1.1.4.3",
            Self::DiffVolumes => "3.1.4.4.4",
            Self::AreasFor => "3.1.4.4.5",
            Self::AreasOn => "3.1.4.4.6",
        }
    }

    /// The section of its enumerator.
    pub(crate) fn enumerator(self) -> &'static str {
        if self == Self::Copies { "3.1.2" } else { "3.1.3" }
    }

    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Volumes => "QVSS",
            Self::Copies => "QSBV",
            Self::DiffVolumes => "QVSD",
            Self::AreasFor => "QDAF",
            Self::AreasOn => "QDAO",
        }
    }

    /// The kind of object that has the method.
    pub(crate) fn asked_of(self) -> Kind {
        if matches!(self, Self::Volumes | Self::Copies) { Kind::Mgmt } else { Kind::Diff }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Mgmt,
    Diff,
    Enum,
}

/// Storage of a volume on another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    pub(crate) max: i64,
    pub(crate) alloc: i64,
    pub(crate) used: i64,
}

/// A shadow copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) volume: usize,
    pub(crate) n: u32,
    pub(crate) set: u32,
    pub(crate) count: u32,
}

/// An element of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
    Volume(usize),
    DiffVolume { volume: usize, free: i64, total: i64 },
    Area { volume: usize, storage: usize, area: Area },
    Copy(Copy),
}

impl Item {
    /// As it is written in a scenario.
    pub(crate) fn text(&self, path: Option<usize>) -> String {
        let display = |of: usize| match path {
            Some(path) if path == of => r", display='A:\mnt\data\'",
            _ => "",
        };
        match *self {
            Self::Volume(of) => format!("{{{}{}}}", volume(of), display(of)),
            Self::DiffVolume { volume: of, free, total } => {
                format!("{{{}, free={free}, total={total}{}}}", volume(of), display(of))
            }
            Self::Area { volume: of, storage, area: Area { max, alloc, used } } => {
                let (of, storage) = (volume(of), volume(storage));
                format!("{{{of}, {storage}, max={max}, alloc={alloc}, used={used}}}")
            }
            Self::Copy(Copy { volume: of, n, set, count }) => {
                format!("{{S{n}, set=X{set}, count={count}, vol={}}}", volume(of))
            }
        }
    }
}

/// The mount name of a volume.
pub(crate) fn volume(of: usize) -> String {
    format!("V{}", letter(of))
}

pub(crate) fn letter(of: usize) -> char {
    char::from(b'A' + u8::try_from(of).expect("there are few volumes"))
}

/// A volume that no server has.
pub(crate) const NOWHERE: usize = 25;

/// An enumerator.
#[derive(Clone, Debug)]
pub(crate) struct List {
    pub(crate) query: Query,
    pub(crate) items: Rc<[Item]>,
    pub(crate) place: usize,
    /// Whether calls on it have overlapped, so that who watches does not know its place.
    pub(crate) tangled: bool,
}

/// An interface pointer that somebody holds.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Who has it.
    pub(crate) agent: usize,
    pub(crate) public: u32,
    pub(crate) private: u32,
    pub(crate) list: Option<List>,
    /// Whether it is released no more: a fault.
    pub(crate) kept: bool,
}

impl Object {
    pub(crate) fn is_held(&self) -> bool {
        self.public > 0 || self.private > 0
    }
}

/// A call on an object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Interface,
    Query(Query, usize),
    Add(usize, usize, i64),
    Change(usize, usize, i64),
    Next(u32),
    Skip(u32),
    Reset,
    Clone,
}

const GB: i64 = 1 << 30;

/// A size up to another.
fn some(most: i64, dice: &mut Dice) -> i64 {
    let most = u64::try_from(most).expect("sizes are positive");
    i64::try_from(dice.range(0, most + 1)).expect("it is no more")
}

/// The server.
pub(crate) struct Server {
    pub(crate) volumes: usize,
    /// Volumes of which there can be shadow copies, and those that can hold storage.
    pub(crate) shadowed: Vec<bool>,
    pub(crate) holds: Vec<bool>,
    /// The volume that is mounted in a directory.
    pub(crate) path: Option<usize>,
    pub(crate) areas: BTreeMap<(usize, usize), Area>,
    pub(crate) copies: Vec<Copy>,
    /// Associations of a volume, at most.
    limit: usize,
    next_copy: u32,
    next_set: u32,
    pub(crate) objects: Vec<Object>,
    names: u32,
    /// Enumerators whose references are all given back, and whose IPID may come again.
    dead: Vec<(String, Query)>,
}

impl Server {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        let volumes = 2 + dice.below(5);
        let mut some = |cases| (0..volumes).map(|_| dice.percent(cases)).collect::<Vec<_>>();
        let (shadowed, holds) = (some(85), some(80));
        let path = dice.percent(30).then(|| dice.below(volumes));
        let mut server = Self {
            volumes,
            shadowed,
            holds,
            path,
            areas: BTreeMap::new(),
            copies: Vec::new(),
            limit: 1 + dice.below(3),
            next_copy: 1,
            next_set: 1,
            objects: Vec::new(),
            names: 0,
            dead: Vec::new(),
        };
        for _ in 0..dice.below(5) {
            let (of, on) = (dice.below(volumes), dice.below(volumes));
            server.add(of, on, 10 * GB, dice);
        }
        for _ in 0..dice.below(6) {
            server.copied(dice);
        }
        server
    }

    /// Somebody at the server makes shadow copies.
    fn copied(&mut self, dice: &mut Dice) {
        let first = dice.below(self.volumes);
        let count = 1 + dice.below(2).min(self.volumes - 1);
        let of = (0..count).map(|at| (first + at) % self.volumes);
        for volume in of.collect::<Vec<_>>() {
            let (n, set) = (self.next_copy, self.next_set);
            self.next_copy += 1;
            let count = u32::try_from(count).expect("they are few");
            self.copies.push(Copy { volume, n, set, count });
        }
        self.next_set += 1;
    }

    /// What happens at the server by itself: copies come and go, and storage fills.
    pub(crate) fn tick(&mut self, dice: &mut Dice) {
        if dice.percent(4) && self.copies.len() < 24 {
            self.copied(dice);
        }
        if dice.percent(4) && !self.copies.is_empty() {
            self.copies.remove(0);
        }
        for area in self.areas.values_mut() {
            if dice.percent(10) {
                let most = if area.max < 0 { 20 * GB } else { area.max };
                area.alloc = some(most, dice);
                area.used = some(area.alloc, dice);
            }
        }
    }

    fn is_there(&self, of: usize) -> bool {
        of < self.volumes
    }

    fn add(&mut self, of: usize, on: usize, size: i64, dice: &mut Dice) -> &'static str {
        let fit = |list: &[bool], at: usize| list.get(at).copied().unwrap_or_default();
        if size == 0 || size < -1 {
            return "E_INVALIDARG";
        }
        if !fit(&self.shadowed, of) || !fit(&self.holds, on) {
            return "VSS_E_VOLUME_NOT_SUPPORTED";
        }
        if self.areas.contains_key(&(of, on)) {
            return "VSS_E_OBJECT_ALREADY_EXISTS";
        }
        if self.areas.keys().filter(|(volume, _)| *volume == of).count() >= self.limit {
            return "VSS_E_MAXIMUM_DIFFAREA_ASSOCIATIONS_REACHED";
        }
        if dice.percent(5) {
            return "VSS_E_PROVIDER_VETO";
        }
        self.areas.insert((of, on), Area { max: size, alloc: 0, used: 0 });
        "0"
    }

    fn change(&mut self, of: usize, on: usize, size: i64, dice: &mut Dice) -> &'static str {
        let Some(area) = self.areas.get_mut(&(of, on)) else { return "VSS_E_OBJECT_NOT_FOUND" };
        if size < -1 {
            return "E_INVALIDARG";
        }
        if size == 0 {
            let full = area.used > 0 && self.copies.iter().any(|copy| copy.volume == of);
            if full && dice.percent(50) {
                return "VSS_E_VOLUME_IN_USE";
            }
            // 3.1.4.4.3: nothing forbids that the copies go first.
            self.copies.retain(|copy| copy.volume != of || !full);
            self.areas.remove(&(of, on));
            return "0";
        }
        if size > 0 && size < area.used || dice.percent(5) {
            return "VSS_E_INSUFFICIENT_STORAGE";
        }
        area.max = size;
        if size > 0 {
            area.alloc = area.alloc.min(size);
        }
        "0"
    }

    /// What a query lists now.
    pub(crate) fn items(&self, query: Query, about: usize) -> Vec<Item> {
        let fit = |list: &[bool]| (0..self.volumes).filter(|of| list[*of]).collect::<Vec<_>>();
        let areas = |matches: &dyn Fn(usize, usize) -> bool| {
            let fits = self.areas.iter().filter(|((of, on), _)| matches(*of, *on));
            fits.map(|((of, on), area)| Item::Area { volume: *of, storage: *on, area: *area })
                .collect()
        };
        match query {
            Query::Volumes => fit(&self.shadowed).into_iter().map(Item::Volume).collect(),
            Query::DiffVolumes => {
                let item = |volume: usize| {
                    let size = i64::try_from(volume).expect("they are few");
                    Item::DiffVolume { volume, free: size * GB, total: 100 * GB }
                };
                fit(&self.holds).into_iter().map(item).collect()
            }
            Query::Copies => {
                let of = self.copies.iter().filter(|copy| copy.volume == about);
                of.copied().map(Item::Copy).collect()
            }
            Query::AreasFor => areas(&|of, _| of == about),
            Query::AreasOn => areas(&|_, on| on == about),
        }
    }

    /// A new object, and how an answer names it.
    pub(crate) fn issue(
        &mut self,
        agent: usize,
        kind: Kind,
        list: Option<List>,
        dice: &mut Dice,
    ) -> String {
        self.names += 1;
        let letter = match (kind, list.as_ref().map(|list| list.query)) {
            (Kind::Mgmt, _) => 'm',
            (Kind::Diff, _) => 'd',
            (Kind::Enum, Some(Query::Copies)) => 's',
            (Kind::Enum, _) => 'e',
        };
        let name = format!("{letter}{}", self.names);
        let mut public = 5;
        let mut said = Vec::new();
        if dice.percent(6) {
            public = 1 + u32::try_from(dice.below(3)).expect("it is small");
            said.push(format!("refs={public}"));
        }
        if dice.percent(4) {
            said.push("flags=0x1000".to_owned());
        }
        // An IPID comes again, once nobody holds what had it.
        let query = list.as_ref().map(|list| list.query);
        let again = self.dead.iter().position(|(_, of)| Some(*of) == query);
        if let Some(at) = again.filter(|_| dice.percent(4)) {
            said.push(format!("ipid={}", self.dead.remove(at).0));
        }
        let text = match &*said {
            [] => name.clone(),
            said => format!("{name}{{{}}}", said.join(", ")),
        };
        let kept = false;
        self.objects.push(Object { name, kind, agent, public, private: 0, list, kept });
        text
    }

    /// References are given back.
    pub(crate) fn released(&mut self, at: usize, public: u32, private: u32) {
        let object = &mut self.objects[at];
        object.public -= public;
        object.private -= private;
        if let Some(list) = object.list.as_ref().filter(|_| !object.is_held()) {
            self.dead.push((object.name.clone(), list.query));
        }
    }

    /// What the server answers to a call on an object.
    pub(crate) fn answer(&mut self, at: usize, act: Act, denied: bool, dice: &mut Dice) -> String {
        let agent = self.objects[at].agent;
        let place = |list: &List| (list.place, list.items.len());
        match act {
            Act::Interface | Act::Query(..) if denied => "=E_ACCESSDENIED->null".to_owned(),
            Act::Add(..) | Act::Change(..) if denied => "=E_ACCESSDENIED".to_owned(),
            Act::Interface => {
                format!("=0->{}", self.issue(agent, Kind::Diff, None, dice))
            }
            Act::Query(query, about) => {
                if query != Query::Volumes && !self.is_there(about) {
                    let how = ["VSS_E_OBJECT_NOT_FOUND", "VSS_E_VOLUME_NOT_SUPPORTED"];
                    return format!("={}->null", dice.pick(&how));
                }
                let items = self.items(query, about).into();
                let list = List { query, items, place: 0, tangled: false };
                format!("=0->{}", self.issue(agent, Kind::Enum, Some(list), dice))
            }
            Act::Add(of, on, size) => format!("={}", self.add(of, on, size, dice)),
            Act::Change(of, on, size) => format!("={}", self.change(of, on, size, dice)),
            Act::Clone => {
                let list = self.objects[at].list.clone();
                format!("=0->{}", self.issue(agent, Kind::Enum, list, dice))
            }
            Act::Reset => {
                let list = self.objects[at].list.as_mut().expect("it is an enumerator");
                (list.place, list.tangled) = (0, false);
                "=0".to_owned()
            }
            Act::Next(0) => "=E_INVALIDARG->[]".to_owned(),
            Act::Skip(0) => "=E_INVALIDARG".to_owned(),
            Act::Next(celt) | Act::Skip(celt) => {
                let path = self.path;
                let list = self.objects[at].list.as_mut().expect("it is an enumerator");
                let (from, len) = place(list);
                let want = usize::try_from(celt).expect("it is small");
                list.place = (from + want).min(len);
                let status = if from + want > len { "S_FALSE" } else { "0" };
                if matches!(act, Act::Skip(_)) {
                    return format!("={status}");
                }
                let given = &list.items[from..list.place];
                let given: Vec<_> = given.iter().map(|item| item.text(path)).collect();
                format!("={status}->[{}]", given.join(","))
            }
        }
    }
}
