//! [`Troubles`]: what went wrong first with each shadow copy set, and was not made good.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::bytes::Guid;
use crate::check::act::{Act, share_key};
use crate::check::machine::Answer;
use crate::protocol::fsrvp::Status;

/// Sets of one server whose first failure is known.
const MAX_SETS: usize = 4096;
/// Clients of one server of whom it is known what they were refused beside their set.
const MAX_CLIENTS: usize = 256;

/// A failure, by its number.
pub(in crate::check) type SymptomNo = usize;

/// What went wrong with a set.
#[derive(Clone, Debug)]
struct Trouble {
    symptom: SymptomNo,
    opnum: u16,
    /// The share, where it was one that was not added.
    share: Option<String>,
    /// Whether it was only not the time for it.
    early: bool,
}

/// What went wrong with the sets of a server.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    /// The first failure of each set that was not made good. Added by failures, no more than
    /// [`MAX_SETS`]; removed when the same, or a later step, is done with success.
    sets: FxHashMap<Guid, Trouble>,
    /// What a client was refused that it did not ask of the set it had under way: a share that is not
    /// supported, another set in its place. Added by that, no more than [`MAX_CLIENTS`]; removed when it
    /// goes on with its set.
    strays: FxHashMap<IpAddr, (Guid, SymptomNo)>,
}

impl Troubles {
    /// What stopped a set.
    pub(super) fn of(&self, set: Guid) -> Option<SymptomNo> {
        let stray = || self.strays.values().find(|(of, _)| *of == set).map(|(_, symptom)| *symptom);
        self.sets.get(&set).map(|trouble| trouble.symptom).or_else(stray)
    }

    /// A call on a set has failed; `filled` says that there is a share in the set.
    pub(super) fn add(&mut self, set: Guid, act: &Act, symptom: SymptomNo, filled: bool) {
        // Questions do not stop a set, and nor does what is done behind it.
        if !act.names_set() || matches!(act.opnum, 7 | 11) {
            return;
        }
        let share = (act.opnum == 3).then(|| act.share().map(share_key)).flatten();
        let early = act.answer == Answer::Status(Status::FSRVP_E_BAD_STATE.0);
        let trouble = Trouble { symptom, opnum: act.opnum, share, early };
        // Who goes on with the other shares has not been stopped by one that was not added.
        let gone_on = matches!(act.opnum, 4 | 5 | 12) && filled;
        if let Some(known) = self.sets.get_mut(&set) {
            // Nor has who was only too early, where something fails that is not.
            let later = known.early && !trouble.early;
            if known.opnum == 3 && gone_on || later {
                *known = trouble;
            }
        } else if self.sets.len() < MAX_SETS {
            self.sets.insert(set, trouble);
        }
    }

    /// A client was refused something beside its set.
    pub(super) fn stray(&mut self, client: IpAddr, own: Guid, symptom: SymptomNo) {
        if self.strays.len() < MAX_CLIENTS || self.strays.contains_key(&client) {
            self.strays.entry(client).or_insert((own, symptom));
        }
    }

    /// A call on a set has done what it is for.
    pub(super) fn done(&mut self, set: Guid, act: &Act) {
        let Some(reached) = rank(act.opnum) else { return };
        self.strays.retain(|_, (own, _)| *own != set);
        let Some(trouble) = self.sets.get(&set) else { return };
        let good = match rank(trouble.opnum) {
            // Who was too early, and goes on, has not been stopped by that.
            _ if trouble.early => true,
            // Another share does not make good the one that was refused.
            Some(failed) if failed == reached && act.opnum == 3 => {
                act.share().map(share_key) == trouble.share
            }
            Some(failed) => failed <= reached,
            None => false,
        };
        if good {
            self.sets.remove(&set);
        }
    }
}

/// The place of an operation on the way of a set.
fn rank(opnum: u16) -> Option<u8> {
    [3, 12, 4, 5, 10, 6].iter().zip(0..).find(|(of, _)| **of == opnum).map(|(_, rank)| rank)
}
