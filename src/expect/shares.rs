//! [`Shares`]: which shares a call is about.

use std::collections::{BTreeMap, VecDeque};

use crate::bytes::Guid;
use crate::call::{Call, Readable};
use crate::protocol::fsrvp::{self, Request};

/// Shadow copy sets whose shares are known; the earliest is forgotten when there are more.
const MAX_SETS: usize = 4096;
/// Shares of a set; others are not looked at.
const MAX_SHARES: usize = 64;

/// The shares that were added to each shadow copy set.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// By set. Added by [`see`](Shares::see), removed by it when there are too many.
    of: BTreeMap<Guid, Vec<String>>,
    /// The sets in the order in which they were first seen.
    order: VecDeque<Guid>,
}

impl Shares {
    /// Takes a call.
    pub(super) fn see(&mut self, call: &Call) {
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
        let shares = self.of.entry(set).or_default();
        if shares.len() < MAX_SHARES && !shares.contains(&add.share_name) {
            shares.push(add.share_name);
        }
    }

    /// Whether a call of MS-FSRVP is about a share: it names it, or a set that it was added to.
    pub(super) fn is_about(&self, call: &Call, share: &str) -> Option<bool> {
        let of_set = |set: Guid| Some(self.of.get(&set)?.iter().any(|other| same(other, share)));
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
    let decoded = decoded.filter(|_| call.request.readable == Readable::Clear)?;
    Request::bind(call.rpc.opnum?, decoded)?.ok()
}

/// Whether a share is meant: by all of `\\server\share`, or by its last part.
fn same(path: &str, meant: &str) -> bool {
    let path = path.trim_end_matches('\\');
    let last = path.rsplit('\\').next().unwrap_or(path);
    [path, last].iter().any(|name| name.eq_ignore_ascii_case(meant.trim_end_matches('\\')))
}
