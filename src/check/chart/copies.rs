//! [`Copies`]: the shares of shadow copies, and whether clients get into them.

use rustc_hash::{FxHashMap, FxHashSet};

use super::SymptomNo;
use crate::bytes::Guid;
use crate::check::act::Act;
use crate::check::rules::ExposedName;

/// Shadow copies of one server, and sets, that are known.
const MAX_COPIES: usize = 4096;

/// The shadow copies of one server that are to be read.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// The set of each copy. Added by `AddToShadowCopySet`, no more than [`MAX_COPIES`]; removed by
    /// `DeleteShareMapping`.
    set_of: FxHashMap<Guid, Guid>,
    /// Sets whose copies have shares. Added by `ExposeShadowCopySet`, no more than [`MAX_COPIES`].
    exposed: FxHashSet<Guid>,
    /// Copies that somebody got into. Added when their shares are connected; removed with the copy.
    entered: FxHashSet<Guid>,
    /// Copies that nobody got into: their sets, and how the first was refused. Removed when somebody
    /// gets in.
    barred: FxHashMap<Guid, (Guid, SymptomNo)>,
}

impl Copies {
    /// A call was answered with success.
    pub(super) fn done(&mut self, act: &Act) {
        let room = self.set_of.len() < MAX_COPIES;
        match (act.opnum, act.set()) {
            (3, Some(set)) if room => {
                self.set_of.extend(act.added().map(|copy| (copy, set)));
            }
            (5, Some(set)) if self.exposed.len() < MAX_COPIES => {
                self.exposed.insert(set);
            }
            (11, _) => {
                if let Some(copy) = act.copy() {
                    self.set_of.remove(&copy);
                    self.entered.remove(&copy);
                }
            }
            _ => {}
        }
    }

    /// The share of a copy, known by its path: the copy and its set.
    pub(super) fn of(&self, path: &str) -> Option<(Guid, Guid)> {
        let copy = ExposedName::parse(path)?.id;
        let set = *self.set_of.get(&copy)?;
        self.exposed.contains(&set).then_some((copy, set))
    }

    /// A share was connected.
    pub(super) fn connected(&mut self, path: &str) {
        if let Some((copy, _)) = self.of(path) {
            self.barred.remove(&copy);
            self.entered.insert(copy);
        }
    }

    /// The share of a copy was not connected.
    pub(super) fn refused(&mut self, (copy, set): (Guid, Guid), symptom: SymptomNo) {
        if !self.entered.contains(&copy) {
            self.barred.entry(copy).or_insert((set, symptom));
        }
    }

    /// How the share of a copy of a set was refused, if nobody got into it.
    pub(super) fn barred(&self, set: Guid) -> Option<SymptomNo> {
        self.barred.values().filter(|(of, _)| *of == set).map(|(_, no)| *no).min()
    }
}
