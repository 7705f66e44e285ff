//! What the [`Ledger`] says of a failure: circumstances, and names for the sentences.

use std::net::IpAddr;

use super::Ledger;
use crate::bytes::Guid;
use crate::check::act::{Act, host_of, is_unc, share_key};
use crate::check::chart::circumstance::{Circumstance, Circumstances};
use crate::check::chart::symptom::Slot;
use crate::check::exposed_name::ExposedName;
use crate::check::say;
use crate::protocol::fsrvp::{ContextValue, Request, Status};

/// What Windows Server 2012 says of early questions, and its betas of unknown ids.
const OLD_CODES: [u32; 2] = [0x8004_2311, 0x8004_2302];

impl Ledger {
    /// What is known around a failed call, before it changes anything.
    pub(in crate::check::chart) fn circumstances(
        &self,
        act: &Act,
        user: Option<&str>,
    ) -> Circumstances {
        let mut known = Circumstances::default();
        let patron = self.patrons.get(&act.client);
        let passed = act
            .answer
            .status()
            .is_some_and(|status| !Status(status).is_listed() && !OLD_CODES.contains(&status));
        known.set(Circumstance::PassedOn, passed);
        let served = patron.and_then(|patron| patron.served.as_deref());
        known.set(Circumstance::ServedBefore, served.is_some() && served == user);
        if let Some(name) = act.share() {
            known.set(Circumstance::NoShareName, !is_unc(name));
            let host = host_of(name).filter(|_| is_unc(name));
            let itself = host.as_deref().and_then(|host| self.is_itself(host));
            known.set(Circumstance::OtherName, itself == Some(false));
            let hosts = patron.iter().flat_map(|patron| &patron.hosts);
            let mixed = host.is_some_and(|host| hosts.clone().any(|of| is_mixed(of, &host)));
            known.set(Circumstance::MixedNames, mixed);
        }
        if let Some(Request::SetContext(of)) = &act.request {
            known.set(Circumstance::IllegalContext, !of.context.is_legal());
            let never = of.context.contains(ContextValue::ATTR_NO_AUTO_RECOVERY);
            known.set(Circumstance::NoAutoRecovery, never);
        }
        let shown = act.share().is_some_and(|share| self.shown.contains(&share_key(share)));
        known.set(Circumstance::KnownShare, shown);
        let before = match act.set() {
            Some(set) => self.sets.get(&set).and_then(|record| record.channel),
            None if act.opnum == 2 => patron.and_then(|patron| patron.channel),
            None => None,
        };
        known.set(Circumstance::OtherPipe, before.is_some_and(|before| before != act.channel));
        if let Some(set) = act.set() {
            self.around_set(act, set, &mut known);
        }
        known
    }

    fn around_set(&self, act: &Act, set: Guid, known: &mut Circumstances) {
        let issued = self.sets.get(&set).filter(|record| record.issued);
        let other = self.under_way(act.client);
        let strange = issued.is_none() && other.is_some_and(|other| other != set) && !self.missed;
        known.set(Circumstance::StrangeSet, strange);
        known.set(Circumstance::StrangeCopy, strange && act.copy().is_some());
        let own = other.and_then(|other| self.sets.get(&other)).and_then(|own| own.client_id);
        known.set(Circumstance::ClientsId, issued.is_none() && own == Some(set));
        let Some(record) = issued else { return };
        let sure = !record.doubtful;
        known.set(Circumstance::EmptySet, sure && record.added().next().is_none());
        if let Some(copy) = act.copy() {
            let strange = sure && record.shares.iter().all(|share| share.copy != Some(copy));
            known.set(Circumstance::StrangeCopy, strange);
            let share = record.shares.iter().find(|share| share.copy == Some(copy));
            known.set(Circumstance::Deleted, share.is_some_and(|share| share.deleted));
        }
        if let Some(Request::AddToShadowCopySet(of)) = &act.request {
            let key = share_key(&of.share_name);
            known.set(Circumstance::ShareInSet, record.added().any(|share| share.key == key));
            known.set(Circumstance::OtherShareInSet, record.added().any(|share| share.key != key));
        }
    }

    /// What the sentences about a failed call may name.
    pub(in crate::check::chart) fn values(&self, act: &Act) -> Vec<(Slot, String)> {
        let mut values = Vec::new();
        if let Some(host) = act.share().and_then(host_of) {
            values.push((Slot::Host, host));
        }
        if let Some(Request::SetContext(of)) = &act.request {
            values.push((Slot::Context, format!("0x{:x}", of.context.0)));
        }
        let record = act.set().and_then(|set| self.sets.get(&set));
        match (&act.request, record, self.under_way(act.client)) {
            (Some(Request::AddToShadowCopySet(_)), Some(record), _) => {
                values.extend(record.added().next().map(|of| (Slot::Earlier, of.name.clone())));
            }
            (_, None, Some(set)) => {
                values.push((Slot::Earlier, format!("set {}", say::short(set))));
            }
            _ => {}
        }
        values
    }

    /// What is known around a tree connect or a write to the share of a copy, with its set, and the
    /// name of its share as the server told it.
    pub(in crate::check::chart) fn around_copy(
        &self,
        path: &str,
    ) -> (Circumstances, Option<Guid>, Option<(Slot, String)>) {
        let mut known = Circumstances::default();
        let Some(name) = ExposedName::parse(path) else { return (known, None, None) };
        known.set(Circumstance::ShadowShare, true);
        let Some((set, record, share)) = self.known(name.id) else { return (known, None, None) };
        let last = path.rsplit('\\').next().unwrap_or(path);
        let told = share.exposed.as_deref().map(|told| told.rsplit('\\').next().unwrap_or(told));
        known.set(
            Circumstance::OtherExposedName,
            told.is_some_and(|told| !told.eq_ignore_ascii_case(last)),
        );
        known.set(Circumstance::Deleted, share.deleted);
        let sure = !record.doubtful && !self.missed;
        known.set(Circumstance::Recovered, sure && record.recovered);
        let never = record
            .context
            .is_some_and(|context| !context.contains(ContextValue::ATTR_AUTO_RECOVERY));
        known.set(Circumstance::ReadOnlyContext, sure && never);
        (known, Some(set), told.map(|told| (Slot::Exposed, told.to_owned())))
    }

    /// What is known around a set that its client has not brought to its end.
    pub(in crate::check::chart) fn around_given_up(&self, set: Guid) -> Circumstances {
        let mut known = Circumstances::default();
        let Some(record) = self.sets.get(&set).filter(|record| record.issued) else { return known };
        let sure = !record.doubtful;
        known.set(Circumstance::EmptySet, sure && record.added().next().is_none());
        let patron = record.client.and_then(|client| self.patrons.get(&client));
        let hosts = || patron.iter().flat_map(|patron| &patron.hosts);
        let mixed = hosts().any(|a| hosts().any(|b| is_mixed(a, b)));
        known.set(Circumstance::MixedNames, mixed);
        known
    }
}

/// Whether two names are of one host: equal, or one with its domain and the other without.
pub(in crate::check::chart) fn is_same_host(a: &str, b: &str) -> bool {
    let label = |name: &str| name.split('.').next().map(str::to_lowercase);
    a.eq_ignore_ascii_case(b) || (a.contains('.') != b.contains('.') && label(a) == label(b))
}

/// Whether one host is named with its domain and without.
fn is_mixed(a: &str, b: &str) -> bool {
    let named = |name: &str| name.parse::<IpAddr>().is_err();
    named(a) && named(b) && a.contains('.') != b.contains('.') && is_same_host(a, b)
}
