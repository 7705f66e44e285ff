//! [`Profile`]: how a kind of server differs from the specification.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::machine::Row;

/// What is let pass of a server of this kind, and what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: Arc<str>,
    /// What to call such a server.
    pub title: String,
    /// How often an owner may call `SetContext` again (3.1.4.2); none is as often as it likes.
    pub retry_limit: Option<u8>,
    /// Whether its Message Sequence Timer has the specification's durations.
    pub timer: bool,
    /// Its peculiarities, as the transition table names them.
    pub quirks: BTreeSet<Arc<str>>,
    /// Rules that it is known to break.
    pub excuses: BTreeSet<Arc<str>>,
}

impl Profile {
    /// Whether such a server has this row.
    pub(super) fn has(&self, row: &Row) -> bool {
        let with = row.quirk.as_ref().is_none_or(|quirk| self.quirks.contains(quirk));
        let without = row.without.as_ref().is_none_or(|quirk| !self.quirks.contains(quirk));
        with && without
    }
}
