//! What is read, and with what: once when the UI opens, and again when there are more secrets.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use vshark::bytes::printable;
use vshark::check::Knowledge;
use vshark::protocol::Registry;
use vshark::security::keys::Keyring;
use vshark::tui::{Loaded, Msg};

use super::super::args::Judging;
use super::super::input::Inputs;
use super::super::secrets::Found;
use super::Happens;
use super::loader::{self, Credit, Judged};

/// What is read, and with what.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) inputs: Arc<Inputs>,
    pub(super) registry: &'static Registry,
    pub(super) knowledge: &'static Knowledge,
    pub(super) judging: Judging,
    pub(super) keys: Arc<Keyring>,
}

impl Source {
    /// A judge who has seen nothing.
    pub(super) fn trial(&self) -> anyhow::Result<Judged> {
        loader::trial(&self.judging, self.knowledge)
    }

    /// Begins to read, from the beginning.
    pub(super) fn start(&self, judged: Judged, to: &Sender<Happens>) -> Credit {
        loader::start(judged, self.inputs.clone(), self.registry, self.keys.clone(), to)
    }

    /// Reads everything.
    pub(super) fn read(&self, take: &mut (dyn FnMut(Loaded) -> bool + Send)) -> anyhow::Result<()> {
        loader::read(self.trial()?, &self.inputs, self.registry, self.keys.clone(), take)
    }

    /// Adds the secrets of a file; gives what to tell the model. With [`Msg::Anew`], everything is to
    /// be read again.
    pub(super) fn take_keys(&mut self, path: &Path) -> Msg {
        let path = &from_home(path, std::env::home_dir());
        let mut found = Found::default();
        if let Err(error) = found.add(path) {
            return Msg::Done(Err(printable(&format!("{error:#}"))));
        }
        let secrets = match found.ring.len() {
            1 => "1 secret".to_owned(),
            n => format!("{n} secrets"),
        };
        self.keys = Arc::new(self.keys.with(found.ring));
        // The last line of the screen is short.
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        Msg::Anew(format!("{name}, {secrets}"), found.damaged)
    }
}

/// A path that begins with `~/` as a shell would take it.
fn from_home(path: &Path, home: Option<PathBuf>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_of_the_user() {
        let home = || Some(PathBuf::from("ann"));
        let of = |path: &str| from_home(Path::new(path), home());
        assert_eq!(of("~/keys/lab.toml"), Path::new("ann/keys/lab.toml"));
        for path in ["lab.toml", "y/~/x", "~bob/x", "x/~"] {
            assert_eq!(of(path), Path::new(path));
        }
        assert_eq!(from_home(Path::new("~/x"), None), Path::new("~/x"));
    }
}
