//! What is said of shares, by this interface and by SMB around it (3.1.4.4, 3.1.4.9, 3.1.4.10).

use super::Case;
use crate::bytes::Time;
use crate::check::bench::Bench;
use crate::pipeline::Around;

/// What has to be remembered.
#[derive(Debug, Default)]
pub(super) struct Rules {}

impl Rules {
    pub(super) fn asked(&mut self, _case: &Case<'_, '_>, _bench: &mut Bench<'_>) {}

    pub(super) fn answered(&mut self, _case: &Case<'_, '_>, _bench: &mut Bench<'_>) {}

    pub(super) fn around(&mut self, _around: &Around, _bench: &mut Bench<'_>) {}

    pub(super) fn finish(&mut self, _now: Time, _bench: &mut Bench<'_>) {}
}
