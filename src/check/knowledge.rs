//! [`Knowledge`]: all that judging takes: the rules, the transition table, the profiles.

use std::path::PathBuf;

use super::catalogue::Catalogue;
use super::cause::Causes;
use super::machine::Machine;
use super::profile::{Choice, Profiles};
use crate::protocol::LoadError;

/// What is known of the protocol beside its messages.
#[derive(Clone, Debug)]
pub struct Knowledge {
    /// The rules.
    pub catalogue: Catalogue,
    /// The transition table of a server.
    pub machine: Machine,
    /// Why backups fail.
    pub causes: Causes,
    /// Kinds of servers.
    pub profiles: Profiles,
}

impl Knowledge {
    /// What the program knows, with what `dirs` add to it or replace.
    pub fn load(dirs: &[PathBuf]) -> Result<Self, LoadError> {
        let catalogue = Catalogue::load(dirs)?;
        let machine = Machine::embedded()?;
        let profiles = Profiles::embedded(&catalogue, &machine)?;
        let causes = Causes::load(dirs)?;
        Ok(Self { catalogue, machine, causes, profiles })
    }

    /// The profile that somebody typed: a name, or the path of a file.
    pub fn choose(&self, typed: &str) -> Result<Choice, String> {
        self.profiles.choose(typed, (&self.catalogue, &self.machine))
    }
}
