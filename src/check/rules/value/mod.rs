//! What values may be, in requests and answers (2.2, 3.1.4.x, 6).

mod copied;
mod created;
mod ids;
mod mapping;
mod status;
mod stub;
mod told;

use super::Case;
use crate::check::bench::Bench;
use crate::pipeline::{Around, What};

/// What has to be remembered.
#[derive(Debug, Default)]
pub(super) struct Rules {
    copied: copied::Rules,
    ids: ids::Rules,
    mapping: mapping::Rules,
    told: told::Rules,
}

impl Rules {
    pub(super) fn answered(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        stub::answered(case, bench);
        status::answered(case, bench);
        self.told.answered(case, bench);
        self.ids.answered(case, bench);
        self.mapping.answered(case, bench);
        self.copied.answered(case, bench);
    }

    pub(super) fn around(&mut self, around: &Around) {
        self.mapping.clock.around(around);
        if matches!(around.what, What::Lost | What::Sealed) {
            self.forget();
        }
    }

    /// The server was started again, or calls may have been missed.
    pub(super) fn forget(&mut self) {
        self.told.forget();
        self.copied.forget();
    }
}
