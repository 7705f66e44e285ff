//! [`Profile`]: how a kind of server differs from the specification, and which servers have which.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::catalogue::Catalogue;
use super::machine::{Machine, Row};
use crate::idl::Error;
use crate::protocol::read_text;
use crate::spelling::nearest;

/// The quirk of a server that says `E_INVALIDARG` where the specification has codes of its own.
pub(super) const BAD_ARGUMENTS: &str = "bad arguments are E_INVALIDARG";

/// The quirk that no row has: a timer that runs out leaves Exposed sets alone.
pub(super) const KEEPS_EXPOSED: &str = "Exposed sets do not expire";

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
        row.quirk.as_ref().is_none_or(|quirk| self.quirks.contains(quirk))
    }
}

/// Profiles by name: those of this program.
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    all: BTreeMap<String, Arc<Profile>>,
}

/// A profile that somebody wrote, for a server or for all.
#[derive(Clone, Debug)]
pub struct Assigned {
    /// Address or name of the server; none is every server.
    pub server: Option<String>,
    /// What holds for it.
    pub profile: Arc<Profile>,
}

/// Which profile to judge by.
#[derive(Clone, Debug)]
pub enum Choice {
    /// What the server turns out to be.
    Auto,
    /// This one.
    Named(Arc<Profile>),
    /// By server; what is not named is found out.
    File(Vec<Assigned>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    title: Option<String>,
    retry_limit: Option<u8>,
    timer: Option<bool>,
    #[serde(default)]
    quirks: Vec<Spanned<String>>,
    #[serde(default)]
    excuses: Vec<Spanned<String>>,
    base: Option<Spanned<String>>,
    server: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    profile: Vec<Spanned<Raw>>,
}

/// The keys of a profile.
const KEYS: [&str; 7] = ["title", "retry_limit", "timer", "quirks", "excuses", "base", "server"];

struct Place<'t> {
    file: &'t str,
    text: &'t str,
    catalogue: &'t Catalogue,
    machine: &'t Machine,
}

impl Profiles {
    /// The profiles of this program.
    pub fn embedded(catalogue: &Catalogue, machine: &Machine) -> Result<Self, Error> {
        let text = include_str!("../../dissectors/ms-fsrvp/profiles.toml");
        let file = "ms-fsrvp/profiles.toml";
        let place = Place { file, text, catalogue, machine };
        let raw: BTreeMap<String, Raw> = toml::from_str(text).map_err(|e| place.syntax(&e))?;
        let mut all = BTreeMap::new();
        for (name, raw) in raw {
            let profile = place.profile(&name, &raw, &Profile::default())?;
            all.insert(name, Arc::new(profile));
        }
        Ok(Self { all })
    }

    /// The profile with this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Profile>> {
        self.all.get(name)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(String::as_str)
    }

    /// Reads profiles of somebody's own; `file` names them in errors.
    pub fn parse(
        &self,
        file: &str,
        text: &str,
        (catalogue, machine): (&Catalogue, &Machine),
    ) -> Result<Vec<Assigned>, Error> {
        let place = Place { file, text, catalogue, machine };
        let raw: RawFile = toml::from_str(text).map_err(|error| place.syntax(&error))?;
        if raw.profile.is_empty() {
            return Err(place.error(0, "expected a [[profile]], found none"));
        }
        let mut assigned = Vec::new();
        for raw in &raw.profile {
            let raw = raw.get_ref();
            let base = match &raw.base {
                None => self.all.get("spec"),
                Some(base) => Some(
                    self.all
                        .get(base.get_ref())
                        .ok_or_else(|| place.unknown(base, "profile", self.names()))?,
                ),
            };
            let mut base = base.map(|base| (**base).clone()).unwrap_or_default();
            if raw.base.is_none() {
                // What is written here is no longer the specification alone.
                raw.server.as_deref().unwrap_or(file).clone_into(&mut base.title);
            }
            let profile = Arc::new(place.profile(file, raw, &base)?);
            assigned.push(Assigned { server: raw.server.clone(), profile });
        }
        Ok(assigned)
    }

    /// What somebody typed: `auto`, a name, or the path of a file.
    pub fn choose(&self, typed: &str, rules: (&Catalogue, &Machine)) -> Result<Choice, String> {
        if typed == "auto" {
            return Ok(Choice::Auto);
        }
        if let Some(profile) = self.get(typed) {
            return Ok(Choice::Named(profile.clone()));
        }
        let looks_like_path = typed.contains(['/', '\\', '.']) || Path::new(typed).exists();
        if looks_like_path {
            let text = read_text(Path::new(typed))
                .map_err(|error| format!("{typed}: the profile could not be read: {error}"))?;
            return self
                .parse(typed, &text, rules)
                .map(Choice::File)
                .map_err(|error| error.to_string());
        }
        let names: Vec<&str> = std::iter::once("auto").chain(self.names()).collect();
        let near = nearest(typed, names.iter().copied());
        let hint = match near.as_slice() {
            [] => format!("known are {}, and the path of a file", names.join(", ")),
            near => format!("did you mean {}?", near.join(" or ")),
        };
        Err(format!("unknown profile `{typed}`: {hint}"))
    }
}

impl Place<'_> {
    fn error(&self, at: usize, message: impl Into<String>) -> Error {
        Error::at(self.file, self.text, at, message)
    }

    /// What is wrong with the form of the file, in the words of its writer.
    fn syntax(&self, error: &toml::de::Error) -> Error {
        let at = error.span().map_or(0, |span| span.start);
        let said = error.message();
        let Some(word) =
            said.strip_prefix("unknown field `").and_then(|said| said.split('`').next())
        else {
            let said = said.replace("expected u8", "expected a number from 0 to 255");
            let said =
                said.replace("map, expected a sequence", "expected [[profile]], in two brackets");
            return self.error(at, said);
        };
        let near = nearest(word, KEYS.iter().copied());
        let hint = match near.as_slice() {
            [] => format!("known are `{}`", KEYS.join("`, `")),
            near => format!("did you mean `{}`?", near.join("` or `")),
        };
        self.error(at, format!("unknown key `{word}`; {hint}"))
    }

    fn unknown<'n>(
        &self,
        word: &Spanned<String>,
        what: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> Error {
        let near = nearest(word.get_ref(), known);
        let hint = match near.as_slice() {
            [] => String::new(),
            near => format!("; did you mean `{}`?", near.join("` or `")),
        };
        self.error(word.span().start, format!("unknown {what} `{}`{hint}", word.get_ref()))
    }

    fn profile(&self, name: &str, raw: &Raw, base: &Profile) -> Result<Profile, Error> {
        let mut profile = Profile {
            name: name.into(),
            title: raw.title.clone().unwrap_or_else(|| {
                if base.title.is_empty() { name.to_owned() } else { base.title.clone() }
            }),
            retry_limit: raw.retry_limit.or(base.retry_limit),
            timer: raw.timer.unwrap_or(base.timer),
            ..base.clone()
        };
        for quirk in &raw.quirks {
            let rows = self.machine.methods.iter().flat_map(|method| &method.rows);
            let mut names = rows
                .filter_map(|row| row.quirk.as_ref())
                .map(|name| &**name)
                .chain([KEEPS_EXPOSED]);
            if !names.clone().any(|name| name == quirk.get_ref()) {
                return Err(self.unknown(quirk, "quirk", &mut names));
            }
            profile.quirks.insert(quirk.get_ref().as_str().into());
        }
        for rule in &raw.excuses {
            let Some(known) = self.catalogue.get(rule.get_ref()) else {
                let ids = self.catalogue.iter().map(|rule| &*rule.id);
                return Err(self.unknown(rule, "rule", ids));
            };
            profile.excuses.insert(known.id.clone());
        }
        Ok(profile)
    }
}

impl Choice {
    /// The profile that is chosen for a server, if one is.
    pub(super) fn of(&self, addresses: &[IpAddr], name: Option<&str>) -> Option<Arc<Profile>> {
        match self {
            Self::Auto => None,
            Self::Named(profile) => Some(profile.clone()),
            Self::File(all) => {
                let names = |server: &str| {
                    addresses.iter().any(|ip| ip.to_string() == server)
                        || name.is_some_and(|name| name.eq_ignore_ascii_case(server))
                };
                let own = all.iter().find(|one| one.server.as_deref().is_some_and(names));
                let own = own.or_else(|| all.iter().find(|one| one.server.is_none()));
                own.map(|one| one.profile.clone())
            }
        }
    }
}
