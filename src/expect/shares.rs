//! [`Shares`]: which shares a call is about.

use std::collections::{BTreeMap, VecDeque};

use crate::bytes::Guid;
use crate::call::{Call, Outcome, Readable};
use crate::protocol::fsrvp::{self, Request};

/// Shadow copy sets whose shares are known; the earliest is forgotten when there are more.
const MAX_SETS: usize = 4096;
/// Shares of a set, with those that may have been added; of others it is known that there are some.
const MAX_SHARES: usize = 64;

/// The shares that were added to each shadow copy set.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// By set. Added with the first request, removed by the same when there are too many.
    of: BTreeMap<Guid, Added>,
    /// The sets in the order in which they were first seen.
    order: VecDeque<Guid>,
    /// A share was added and it is not known which, or to which set.
    unread: bool,
}

/// What was added to a set.
#[derive(Debug, Default)]
struct Added {
    shares: Vec<String>,
    /// What was asked for and has no answer that can be read, with the number of the call. Added by
    /// [`asked`](Shares::asked), removed with the answer.
    doubtful: Vec<(u64, String)>,
    /// There were more than [`MAX_SHARES`] of both.
    beyond: bool,
}

impl Shares {
    /// Takes a request: from now on the share may be in the set.
    pub(super) fn asked(&mut self, call: &Call) {
        let Some(Request::AddToShadowCopySet(add)) = request(call) else { return };
        let set = add.shadow_copy_set_id;
        if !self.of.contains_key(&set) {
            if self.order.len() >= MAX_SETS
                && let Some(earliest) = self.order.pop_front()
            {
                self.of.remove(&earliest);
            }
            self.order.push_back(set);
        }
        let of = self.of.entry(set).or_default();
        if of.shares.len() + of.doubtful.len() < MAX_SHARES {
            of.doubtful.push((call.rpc.n, add.share_name));
        } else {
            of.beyond = true;
        }
    }

    /// Takes a call that is over: the share is in the set, or it is not, or nobody knows.
    pub(super) fn answered(&mut self, call: &Call) {
        const ADD: u16 = 3;
        let Some(request) = request(call) else {
            let ours = call.rpc.interface.is_some_and(|syntax| syntax.uuid == fsrvp::UUID);
            let may = ours && call.rpc.opnum.is_none_or(|opnum| opnum == ADD);
            let refused = matches!(call.outcome, Outcome::Failed | Outcome::Fault);
            self.unread |= may && !refused && call.request.readable != Readable::Malformed;
            return;
        };
        let Request::AddToShadowCopySet(add) = request else { return };
        let Some(of) = self.of.get_mut(&add.shadow_copy_set_id) else { return };
        let known = |outcome| matches!(outcome, Outcome::Ok | Outcome::Failed | Outcome::Fault);
        let Some(at) = of.doubtful.iter().position(|(n, _)| *n == call.rpc.n) else { return };
        if known(call.outcome) {
            let (_, share) = of.doubtful.swap_remove(at);
            if call.outcome == Outcome::Ok && !of.shares.contains(&share) {
                of.shares.push(share);
            }
        }
    }

    /// Whether a set has a share.
    fn has(&self, set: Guid, share: &str) -> Option<bool> {
        let of = self.of.get(&set)?;
        let doubt =
            self.unread || of.beyond || of.doubtful.iter().any(|(_, other)| same(other, share));
        match of.shares.iter().any(|other| same(other, share)) {
            false if doubt => None,
            has => Some(has),
        }
    }

    /// Whether a call of MS-FSRVP is about a share: it names it, or a set that it was added to.
    pub(super) fn is_about(&self, call: &Call, share: &str) -> Option<bool> {
        let of_set = |set: Guid| self.has(set, share);
        // These name neither.
        if matches!(call.rpc.opnum, Some(0..=2)) {
            return Some(false);
        }
        match request(call)? {
            Request::GetSupportedVersion(_)
            | Request::SetContext(_)
            | Request::StartShadowCopySet(_) => Some(false),
            Request::AddToShadowCopySet(of) => Some(same(&of.share_name, share)),
            Request::IsPathSupported(of) => Some(same(&of.share_name, share)),
            Request::IsPathShadowCopied(of) => Some(same(&of.share_name, share)),
            Request::GetShareMapping(of) => Some(same(&of.share_name, share)),
            Request::DeleteShareMapping(of) => Some(same(&of.share_name, share)),
            Request::CommitShadowCopySet(of) => of_set(of.shadow_copy_set_id),
            Request::ExposeShadowCopySet(of) => of_set(of.shadow_copy_set_id),
            Request::RecoveryCompleteShadowCopySet(of) => of_set(of.shadow_copy_set_id),
            Request::AbortShadowCopySet(of) => of_set(of.shadow_copy_set_id),
            Request::PrepareShadowCopySet(of) => of_set(of.shadow_copy_set_id),
        }
    }
}

/// The request of a call of MS-FSRVP, if it can be read.
fn request(call: &Call) -> Option<Request> {
    call.rpc.interface.filter(|syntax| syntax.uuid == fsrvp::UUID)?;
    let decoded = call.request.decoded.as_ref();
    let decoded = decoded.filter(|_| call.request.readable.is_clear())?;
    Request::bind(call.rpc.opnum?, decoded)?.ok()
}

/// Whether a share is meant: by all of `\\server\share`, or by its last part.
fn same(path: &str, meant: &str) -> bool {
    let path = path.trim_end_matches('\\');
    let last = path.rsplit('\\').next().unwrap_or(path);
    [path, last].iter().any(|name| name.eq_ignore_ascii_case(meant.trim_end_matches('\\')))
}
