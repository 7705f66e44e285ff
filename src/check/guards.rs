//! Whether the `when` of a row is true.

use super::act::{Act, host_of, share_key};
use super::machine::{Guard, Row, View};
use super::sets::{Copy, Set};
use super::tracker::{SECOND, Tracker};
use super::tri::Tri;
use super::world::{SetNo, World};
use crate::protocol::fsrvp::{Request, ShareMapping};

/// How long a server may refuse to start a set after an Abort (note 6 of 3.1.4.3).
pub(super) const ABORT_BLOCK: i64 = 1800 * SECOND;

impl Tracker<'_> {
    /// Whether all conditions of a row hold.
    pub(super) fn holds(&self, row: &Row, world: &World, act: &Act, set: Option<SetNo>) -> Tri {
        let set = set.and_then(|no| self.sets.get(no));
        row.when.iter().map(|guard| self.guard(*guard, world, act, set)).fold(Tri::Yes, Tri::and)
    }

    fn guard(&self, guard: Guard, world: &World, act: &Act, set: Option<&Set>) -> Tri {
        match guard {
            Guard::NilId => of_request(act, |request| {
                let ids = ids(request);
                !ids.is_empty() && ids.iter().any(uuid::Uuid::is_nil)
            }),
            Guard::NilClientSet => of_request(
                act,
                |request| matches!(request, Request::StartShadowCopySet(of) if of.client_shadow_copy_set_id.is_nil()),
            ),
            Guard::LegalContext => {
                context(act, super::super::protocol::fsrvp::ContextValue::is_legal)
            }
            Guard::IllegalContext => {
                context(act, super::super::protocol::fsrvp::ContextValue::is_legal).not()
            }
            Guard::ZeroContext => context(act, |context| context.0 == 0),
            Guard::OtherLevel => of_request(
                act,
                |request| matches!(request, Request::GetShareMapping(of) if of.level != 1),
            ),
            Guard::Owner => self.owns(world, act),
            Guard::OtherClient => self.owns(world, act).not(),
            Guard::WithinLimit => self.within_limit(world),
            Guard::BeyondLimit => self.within_limit(world).not(),
            Guard::RecentAbort => self.aborted(act, true),
            Guard::OldAbort => self.aborted(act, false),
            Guard::ShareInSet => {
                let Some((set, share)) = set.zip(act.share()) else { return Tri::Maybe };
                let (key, host) = (share_key(share), host_of(share));
                let same = set.copies.iter().filter(|copy| copy.key == key).map(|copy| {
                    // One host may have several names, and several hosts a share of one name.
                    Tri::Yes.unless(host_of(&copy.share) != host)
                });
                same.fold(Tri::No, Tri::or).or(Tri::No.unless(!set.complete))
            }
            Guard::NoShareInSet => set.map_or(Tri::Maybe, |set| {
                Tri::from(set.copies.is_empty()).unless(set.copies.is_empty() && !set.complete)
            }),
            Guard::Prepared => set.map_or(Tri::Maybe, |set| {
                Tri::from(set.prepared).unless(!set.prepared && !set.complete)
            }),
            Guard::ExposedSet => {
                Tri::from(world.unfinished.as_ref().is_some_and(|u| u.view == View::Exposed))
            }
            Guard::CopyUnknown => self.copy_unknown(act, set),
            Guard::ShareUnmapped => Self::share_unmapped(act, set),
            Guard::Unmapped => {
                let deleted = self.deleted(act, set);
                self.copy_unknown(act, set).or(Self::share_unmapped(act, set)).or(deleted)
            }
            Guard::Mapped => self.mapped(act, set),
            Guard::Deleted => self.deleted(act, set),
            Guard::LastMapping => self.last_mapping(act, set),
        }
    }

    /// Whether the caller owns the context.
    fn owns(&self, world: &World, act: &Act) -> Tri {
        let Some(owner) = world.open.map(|open| open.owner) else { return Tri::No };
        match owner {
            None => Tri::Maybe,
            Some(owner) if owner == act.client => Tri::Yes,
            // One machine with several addresses: what the server compares is not seen for certain.
            Some(owner) => {
                let machine = |ip| self.machines.get(&ip);
                let same = machine(owner).is_some_and(|guid| machine(act.client) == Some(guid));
                Tri::No.unless(same || owner.is_ipv4() != act.client.is_ipv4())
            }
        }
    }

    fn within_limit(&self, world: &World) -> Tri {
        let Some((open, limit)) = world.open.zip(self.profile.retry_limit) else { return Tri::Yes };
        let (least, most) = open.retries;
        if most < limit {
            Tri::Yes
        } else if least >= limit {
            Tri::No
        } else {
            Tri::Maybe
        }
    }

    /// Whether a set that counts was aborted within the last 30 minutes, or before that.
    fn aborted(&self, act: &Act, recently: bool) -> Tri {
        let until = act.answered.unwrap_or(act.asked);
        let mut found = Tri::No;
        for abort in &self.aborts {
            let surely = until.since(abort.asked) <= ABORT_BLOCK;
            let maybe = act.asked.since(abort.answered) <= ABORT_BLOCK + self.slack;
            let recent = if surely { Tri::Yes } else { Tri::from(maybe).unless(maybe) };
            let fits = if recently { recent } else { recent.not() };
            found = found.or(fits.and(abort.counts));
        }
        let unseen = self.unseen_aborts.is_some_and(|at| act.asked.since(at) <= ABORT_BLOCK);
        found.or(Tri::No.unless(unseen && recently))
    }

    fn copy_unknown(&self, act: &Act, set: Option<&Set>) -> Tri {
        let Some((set, id)) = set.zip(act.copy()) else { return Tri::Maybe };
        match set.copy(id) {
            Some(copy) => self.is_deleted(copy, act),
            None => Tri::Yes.unless(!set.complete),
        }
    }

    fn share_unmapped(act: &Act, set: Option<&Set>) -> Tri {
        let Some((set, id)) = set.zip(act.copy()) else { return Tri::Maybe };
        let Some((copy, share)) = set.copy(id).zip(act.share()) else { return Tri::No };
        Tri::from(copy.key != share_key(share))
    }

    /// Set, copy and share as they were added, and still there.
    fn mapped(&self, act: &Act, set: Option<&Set>) -> Tri {
        let Some((set, id)) = set.zip(act.copy()) else { return Tri::Maybe };
        let Some((copy, share)) = set.copy(id).zip(act.share()) else {
            return Tri::No.unless(!set.complete);
        };
        let same_host = host_of(share) == host_of(&copy.share);
        Tri::from(copy.key == share_key(share))
            .unless(!same_host)
            .and(self.is_deleted(copy, act).not())
            .unless(self.others)
    }

    fn deleted(&self, act: &Act, set: Option<&Set>) -> Tri {
        let Some((set, id)) = set.zip(act.copy()) else { return Tri::Maybe };
        set.copy(id).map_or(Tri::No, |copy| self.is_deleted(copy, act))
    }

    fn is_deleted(&self, copy: &Copy, act: &Act) -> Tri {
        let until = act.answered.unwrap_or(act.asked);
        let in_flight = self.flying.iter().any(|flying| {
            flying.act.opnum == 11 && flying.act.copy().is_none_or(|id| id == copy.id)
        });
        let deleted = match copy.deleted {
            Some((_, answered, _)) if act.asked >= answered => Tri::Yes,
            Some((asked, ..)) if until >= asked => Tri::Maybe,
            _ => Tri::No,
        };
        deleted.or(Tri::No.unless(in_flight || copy.doubtful || self.others))
    }

    fn last_mapping(&self, act: &Act, set: Option<&Set>) -> Tri {
        let Some((set, id)) = set.zip(act.copy()) else { return Tri::Maybe };
        let others = set.copies.iter().filter(|copy| copy.id != id);
        let left = others.map(|copy| self.is_deleted(copy, act).not()).fold(Tri::No, Tri::or);
        left.not().unless(left == Tri::No && !set.complete)
    }
}

fn of_request(act: &Act, is: impl Fn(&Request) -> bool) -> Tri {
    act.request.as_ref().map_or(Tri::Maybe, |request| Tri::from(is(request)))
}

fn context(act: &Act, is: impl Fn(crate::protocol::fsrvp::ContextValue) -> bool) -> Tri {
    match &act.request {
        Some(Request::SetContext(of)) => Tri::from(is(of.context)),
        _ => Tri::Maybe,
    }
}

/// The ids of sets and copies that a request names.
pub(super) fn ids(request: &Request) -> Vec<crate::bytes::Guid> {
    match request {
        Request::AddToShadowCopySet(of) => vec![of.shadow_copy_set_id],
        Request::CommitShadowCopySet(of) => vec![of.shadow_copy_set_id],
        Request::ExposeShadowCopySet(of) => vec![of.shadow_copy_set_id],
        Request::RecoveryCompleteShadowCopySet(of) => vec![of.shadow_copy_set_id],
        Request::AbortShadowCopySet(of) => vec![of.shadow_copy_set_id],
        Request::PrepareShadowCopySet(of) => vec![of.shadow_copy_set_id],
        Request::GetShareMapping(of) => vec![of.shadow_copy_set_id, of.shadow_copy_id],
        Request::DeleteShareMapping(of) => vec![of.shadow_copy_set_id, of.shadow_copy_id],
        _ => Vec::new(),
    }
}

/// The mapping that a successful `GetShareMapping` returned.
pub(super) fn mapping(act: &Act) -> Option<&crate::protocol::fsrvp::ShareMapping1> {
    match act.response.as_ref()? {
        crate::protocol::fsrvp::Response::GetShareMapping(of) => match &of.share_mapping {
            ShareMapping::ShareMapping1(mapping) => mapping.as_ref(),
            ShareMapping::Default => None,
        },
        _ => None,
    }
}
