//! What shares are, as calls and other traffic tell (3.1.4.4, 3.1.4.9, 3.1.4.10, 3.1.4.12).

mod exposed;
mod shares;

use super::Case;
use crate::check::bench::Bench;
use crate::pipeline::{Around, What};
use crate::smb::Status;

/// `STATUS_BAD_NETWORK_NAME`
const NO_SUCH_SHARE: Status = Status(0xc000_00cc);

/// What has to be remembered.
#[derive(Debug, Default)]
pub(super) struct Rules {
    exposed: exposed::Shares,
    shares: shares::Shares,
}

impl Rules {
    pub(super) fn asked(&mut self, case: &Case<'_, '_>) {
        self.exposed.asked(case);
    }

    pub(super) fn answered(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        self.shares.answered(case, bench);
        self.exposed.answered(case);
    }

    pub(super) fn around(&mut self, around: &Around, bench: &mut Bench<'_>) {
        match &around.what {
            What::TreeConnected { path } => {
                self.shares.connected(path, true, around.time);
                self.exposed.connected(around, path, true, bench);
            }
            What::TreeRefused { path, status } if *status == NO_SUCH_SHARE => {
                self.shares.connected(path, false, around.time);
                self.exposed.connected(around, path, false, bench);
            }
            What::Wrote { path, status } => self.exposed.wrote(around, path, *status, bench),
            What::Lost | What::Sealed => self.forget(),
            _ => {}
        }
    }

    /// Calls may have been missed, or the server started again.
    pub(super) fn forget(&mut self) {
        self.exposed.forget();
        self.shares.forget();
    }
}

/// The path of a share, by which two spellings of it are compared: without one trailing backslash,
/// in lower case.
pub(super) fn share_path(name: &str) -> String {
    name.strip_suffix('\\').unwrap_or(name).to_lowercase()
}
