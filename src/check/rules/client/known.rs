//! [`Known`]: a shadow copy set, as far as the answers to the clients in the capture tell of it.

use std::net::IpAddr;

use crate::bytes::{Guid, Time};
use crate::check::act::{Act, host_of, share_key};
use crate::check::bench::Place;
use crate::check::say;
use crate::protocol::fsrvp::{Request, Status};

/// Shares kept of one set, and shares that were refused.
const MAX_SHARES: usize = 512;

/// A call that failed: its number and its status.
pub(super) type Failed = (u64, u32);

/// A set. Its client is the one that started it; who does the rest does not matter here.
#[derive(Debug)]
pub(super) struct Known {
    /// Who started it, if that was seen.
    pub(super) client: Option<IpAddr>,
    /// `ClientShadowCopySetId`
    pub(super) client_id: Option<Guid>,
    /// The call that started it.
    pub(super) start: Option<u64>,
    /// Whether all that was asked about it is known, and how it was answered.
    pub(super) whole: bool,
    /// Added by Add; nothing is removed, beyond the cap the set is no longer whole.
    pub(super) shares: Vec<Share>,
    /// Shares that were refused, by what they are compared by. Added by Add that failed, removed
    /// when the share is added after all.
    pub(super) refused: Vec<(String, Failed)>,
    /// The last failure of Prepare, Commit and Expose, while no success followed.
    pub(super) prepare_failed: Option<Failed>,
    pub(super) commit_failed: Option<Failed>,
    pub(super) expose_failed: Option<Failed>,
    pub(super) abort_failed: Option<Failed>,
    /// The call that succeeded in it; Prepare since the last Add.
    pub(super) prepared: Option<u64>,
    pub(super) committed: Option<u64>,
    pub(super) exposed: Option<u64>,
    pub(super) recovered: Option<u64>,
    /// The Abort that succeeded, and whose it was.
    pub(super) aborted: Option<(u64, IpAddr)>,
    /// Whether it may be gone without an Abort: by its client's next `SetContext`, or call by call.
    pub(super) dropped: bool,
    /// When it was last spoken of, and where.
    pub(super) touched: Time,
    pub(super) place: Place,
    /// Where `IsPathSupported` should have come first, while no share shows whether it did.
    pub(super) unasked: Option<Place>,
    /// Whether a spelling of the host was noted.
    pub(super) told_host: bool,
}

/// A share that was added.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) id: Guid,
    pub(super) client_id: Guid,
    /// As it was added, and as it is compared.
    pub(super) name: String,
    pub(super) key: String,
    /// The call that added it.
    pub(super) call: u64,
    /// Whether `GetShareMapping` was asked for it.
    pub(super) asked: bool,
    /// The last failure of that, while no success followed.
    pub(super) mapping_failed: Option<Failed>,
    /// The call that deleted it, and whose it was.
    pub(super) deleted: Option<(u64, IpAddr)>,
}

impl Known {
    pub(super) fn new(place: &Place, now: Time) -> Self {
        Self {
            client: None,
            client_id: None,
            start: None,
            whole: false,
            shares: Vec::new(),
            refused: Vec::new(),
            prepare_failed: None,
            commit_failed: None,
            expose_failed: None,
            abort_failed: None,
            prepared: None,
            committed: None,
            exposed: None,
            recovered: None,
            aborted: None,
            dropped: false,
            touched: now,
            place: place.clone(),
            unasked: None,
            told_host: false,
        }
    }

    pub(super) fn share(&self, id: Guid) -> Option<&Share> {
        self.shares.iter().find(|share| share.id == id)
    }

    /// Whether its client still has something to do with it.
    pub(super) fn is_unfinished(&self) -> bool {
        self.recovered.is_none()
            && self.aborted.is_none()
            && !self.dropped
            && (self.shares.is_empty() || self.shares.iter().any(|share| share.deleted.is_none()))
    }

    /// Something may have been missed: what failed may have succeeded since.
    pub(super) fn doubt(&mut self) {
        self.whole = false;
        self.prepare_failed = None;
        self.commit_failed = None;
        self.expose_failed = None;
        self.abort_failed = None;
        self.unasked = None;
        self.refused.clear();
        for share in &mut self.shares {
            share.mapping_failed = None;
        }
    }

    /// An answer that can be read.
    pub(super) fn answered(&mut self, act: &Act, status: u32) {
        let failed = (status != 0).then_some((act.n, status));
        let done = (status == 0).then_some(act.n);
        // The client has been told that there is nothing left to finish, in Samba's way perhaps.
        let unknown = say::is_unknown_set(act.opnum, status) || status == Status::E_INVALIDARG.0;
        self.dropped |= act.opnum != 11 && unknown;
        match &act.request {
            Some(Request::AddToShadowCopySet(of)) => {
                self.added(act, of.client_shadow_copy_id, &of.share_name, failed);
            }
            Some(Request::PrepareShadowCopySet(_)) => {
                self.prepared = done.or(self.prepared);
                self.prepare_failed = failed;
            }
            Some(Request::CommitShadowCopySet(_)) => {
                self.committed = self.committed.or(done);
                self.commit_failed = failed;
            }
            Some(Request::ExposeShadowCopySet(_)) => {
                self.exposed = self.exposed.or(done);
                self.expose_failed = failed;
            }
            Some(Request::RecoveryCompleteShadowCopySet(_)) => {
                self.recovered = self.recovered.or(done);
            }
            Some(Request::AbortShadowCopySet(_)) => {
                self.aborted = self.aborted.or(done.map(|n| (n, act.client)));
                self.abort_failed = failed;
            }
            Some(Request::GetShareMapping(of)) => {
                for share in self.shares.iter_mut().filter(|share| share.id == of.shadow_copy_id) {
                    share.mapping_failed = failed;
                }
            }
            Some(Request::DeleteShareMapping(of)) => {
                for share in self.shares.iter_mut().filter(|share| share.id == of.shadow_copy_id) {
                    share.deleted = share.deleted.or(done.map(|n| (n, act.client)));
                }
            }
            _ => {}
        }
    }

    fn added(&mut self, act: &Act, client_id: Guid, name: &str, failed: Option<Failed>) {
        let key = share_key(name);
        if let Some(failed) = failed {
            let there = failed.1 == Status::FSRVP_E_OBJECT_ALREADY_EXISTS.0 || self.has(name);
            if self.refused.len() < MAX_SHARES && !there {
                self.refused.push((key, failed));
            }
            return;
        }
        self.refused.retain(|(other, _)| *other != key);
        self.prepared = None;
        self.prepare_failed = None;
        match act.added() {
            Some(id) if self.shares.len() < MAX_SHARES => self.shares.push(Share {
                id,
                client_id,
                name: name.to_owned(),
                key,
                call: act.n,
                asked: false,
                mapping_failed: None,
                deleted: None,
            }),
            _ => self.whole = false,
        }
    }

    /// Whether it has this share, by whatever spelling.
    pub(super) fn has(&self, name: &str) -> bool {
        self.twin(name).is_some()
    }

    /// The share that this is by another spelling. Shares of one name on two hosts are two, unless
    /// the hosts are spellings of one.
    pub(super) fn twin(&self, name: &str) -> Option<&Share> {
        let key = share_key(name);
        let label = |name: &str| host_of(name).map(|host| super::target::label(&host).to_owned());
        self.shares.iter().find(|share| share.key == key && label(&share.name) == label(name))
    }
}
