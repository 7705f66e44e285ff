//! `causes.toml`, embedded or on disk.
//!
//! ```toml
//! protocol = "fsrvp"              # scmp; for the whole file, and may be left out
//!
//! [cause.FS-20]
//! title = "the account may not make shadow copies"
//! party = "server"                # client, server, both, transport
//! confidence = "certain"          # likely, possible
//! stage = ["call"]                # the words of `Stage`
//! methods = ["SetContext"]        # any, if left out
//! status = ["0x80070005", "0x800423F*", "STATUS_ACCESS_DENIED", "fault 0x00000005", "nak 4",
//!           "refused 2/1", "KRB_AP_ERR_SKEW"]   # any, if left out
//! when = ["computer-account"]     # the words of `Circumstance`
//! unless = ["weak-auth"]
//! found = ["FSRVP-3.1.5-01"]      # one of these was found at the call
//! over = ["FS-99"]                # where both fit, this is meant
//! fallback = true                 # only where nothing else fits
//! beside = true                   # worth telling though it stops nothing
//! why = "What happened: {user}, {client}, {server}, {share}, {call}, {method}, {status}, …"
//! remedy = "What to do."
//! retry = "after-remedy"          # later, now
//! retry_note = "When, or why not."
//! tell_apart = "Either … or …: look at …"
//! windows_event = 1009
//! profile = "samba"               # what servers of its examples are held against; without it, auto
//! example = "A:4(S1)=0"           # in the scenario language
//! near_miss = "A:4(S1)=BAD_STATE"
//! captures = ["e-py-denied-bob.pcap"]
//! source = "Where it is known from."
//! left_out = "Why no capture shows it, if none does."
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::words::slots;
use super::{Cause, Causes, Pattern, Retry, Signs};
use crate::check::chart::{Circumstance, Circumstances, Code, Protocol, Slot, Stage};
use crate::check::finding::{Blame, Certainty};
use crate::check::load::Source;
use crate::check::say;
use crate::idl::Error;
use crate::pipeline::ErrorCode;
use crate::protocol::{self, CAUSES, LoadError};
use crate::smb::Status;

/// The files that come with the program.
const EMBEDDED: [(&str, &str); 2] = [
    ("ms-fsrvp/causes.toml", include_str!("../../../dissectors/ms-fsrvp/causes.toml")),
    ("ms-scmp/causes.toml", include_str!("../../../dissectors/ms-scmp/causes.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    protocol: Option<Spanned<String>>,
    #[serde(default)]
    cause: BTreeMap<Spanned<String>, Raw>,
}

type Words = Vec<Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    title: Spanned<String>,
    party: Spanned<String>,
    confidence: Option<Spanned<String>>,
    #[serde(default)]
    stage: Words,
    #[serde(default)]
    methods: Words,
    #[serde(default)]
    status: Words,
    #[serde(default)]
    when: Words,
    #[serde(default)]
    unless: Words,
    #[serde(default)]
    found: Words,
    #[serde(default)]
    over: Words,
    #[serde(default)]
    fallback: bool,
    #[serde(default)]
    beside: bool,
    why: Spanned<String>,
    remedy: Spanned<String>,
    retry: Spanned<String>,
    retry_note: Option<Spanned<String>>,
    tell_apart: Option<Spanned<String>>,
    windows_event: Option<u32>,
    profile: Option<String>,
    example: Option<String>,
    near_miss: Option<String>,
    #[serde(default)]
    captures: Vec<String>,
    source: Spanned<String>,
    left_out: Option<String>,
}

impl Causes {
    /// The causes that come with the program, and those of `causes.toml` in each directory, or in its
    /// folders, which replace what has the same id.
    pub fn load(dirs: &[PathBuf]) -> Result<Self, LoadError> {
        let mut causes = Self::default();
        for (file, text) in EMBEDDED {
            causes.add(file, text)?;
        }
        for dir in dirs {
            for path in protocol::entries(dir)? {
                if path.is_dir() {
                    for path in protocol::entries(&path)?.iter().filter(|path| is_ours(path)) {
                        causes.add(&path.display().to_string(), &protocol::read(path)?)?;
                    }
                } else if is_ours(&path) {
                    causes.add(&path.display().to_string(), &protocol::read(&path)?)?;
                }
            }
        }
        Ok(causes)
    }

    /// Adds what a file says; `file` names it in errors.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), Error> {
        let source = Source { file, text };
        let parsed: File = toml::from_str(text).map_err(|e| protocol::in_toml(file, text, &e))?;
        let protocols: Vec<_> = Protocol::ALL.iter().map(|of| (of.word(), *of)).collect();
        let protocol = match &parsed.protocol {
            Some(word) => source.one_of(word, &protocols)?,
            None => Protocol::Fsrvp,
        };
        for (id, raw) in parsed.cause {
            let cause = source.cause(&id, raw, protocol)?;
            self.all.insert(cause.id.clone(), cause);
        }
        Ok(())
    }
}

/// Characters of an id.
const MAX_ID: usize = 64;

fn is_ours(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == CAUSES) && path.is_file()
}

impl Source<'_> {
    fn cause(self, id: &Spanned<String>, raw: Raw, protocol: Protocol) -> Result<Cause, Error> {
        let name = id.get_ref();
        let good = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
        let begins = name.starts_with(|c: char| c.is_ascii_uppercase());
        if !name.chars().all(good) || !name.contains('-') || !begins || name.len() > MAX_ID {
            let found: String = name.chars().take(MAX_ID).collect();
            let message = format!(
                "expected an id such as FS-20, of at most {MAX_ID} characters, found `{found}`"
            );
            return self.fail(id, message);
        }
        let signs = match (&raw.left_out, raw.stage.is_empty()) {
            (None, true) => {
                return self.fail(id, format!("{name} lacks `stage`, or a reason in `left_out`"));
            }
            (Some(_), true) => None,
            (Some(_), false) => {
                return self.fail(id, format!("{name} has a `stage`, and is `left_out`"));
            }
            (None, false) => Some(self.signs(&raw, protocol)?),
        };
        let party = [Blame::Client, Blame::Server, Blame::Both, Blame::Transport];
        let certainty = [Certainty::Certain, Certainty::Likely, Certainty::Possible];
        let confidence = match &raw.confidence {
            Some(word) => self.one_of(word, &certainty.map(|of| (of.word(), of)))?,
            None if signs.is_some() => {
                return self.fail(id, format!("{name} lacks `confidence`"));
            }
            None => Certainty::Possible,
        };
        let optional = |text: Option<&Spanned<String>>| text.map(|t| self.sentence(t)).transpose();
        Ok(Cause {
            id: Arc::from(name.as_str()),
            protocol,
            title: self.sentence(&raw.title)?,
            party: self.one_of(&raw.party, &party.map(|of| (of.word(), of)))?,
            confidence,
            signs,
            over: raw.over.iter().map(|id| id.get_ref().clone()).collect(),
            fallback: raw.fallback,
            beside: raw.beside,
            why: self.sentence(&raw.why)?,
            remedy: self.sentence(&raw.remedy)?,
            retry: self.one_of(&raw.retry, &Retry::ALL.map(|of| (of.word(), of)))?,
            retry_note: optional(raw.retry_note.as_ref())?,
            tell_apart: optional(raw.tell_apart.as_ref())?,
            windows_event: raw.windows_event,
            profile: raw.profile,
            example: raw.example,
            near_miss: raw.near_miss,
            captures: raw.captures,
            source: self.sentence(&raw.source)?,
            left_out: raw.left_out,
        })
    }

    fn signs(self, raw: &Raw, protocol: Protocol) -> Result<Signs, Error> {
        let stages: Vec<_> = Stage::ALL.iter().map(|of| (of.word(), *of)).collect();
        let circumstances: Vec<_> = Circumstance::ALL.iter().map(|of| (of.word(), *of)).collect();
        let methods: Vec<_> = protocol.methods().iter().map(|(n, name)| (*name, *n)).collect();
        let known = |words: &Words| -> Result<Circumstances, Error> {
            words.iter().map(|word| self.one_of(word, &circumstances)).collect()
        };
        Ok(Signs {
            stages: raw
                .stage
                .iter()
                .map(|of| self.one_of(of, &stages))
                .collect::<Result<_, _>>()?,
            opnums: raw
                .methods
                .iter()
                .map(|of| self.one_of(of, &methods))
                .collect::<Result<_, _>>()?,
            codes: raw.status.iter().map(|of| self.pattern(of)).collect::<Result<_, _>>()?,
            when: known(&raw.when)?,
            unless: known(&raw.unless)?,
            found: raw.found.iter().map(|of| of.get_ref().clone()).collect(),
        })
    }

    /// A text that says something, all of whose words in braces are known.
    fn sentence(self, text: &Spanned<String>) -> Result<String, Error> {
        let said = text.get_ref().trim();
        if said.is_empty() {
            return self.fail(text, "expected a text that says something");
        }
        for (_, word) in slots(said) {
            self.known(text, word, &Slot::ALL.map(|(_, word, _)| word))?;
        }
        Ok(said.to_owned())
    }

    fn one_of<T: Copy>(self, at: &Spanned<String>, words: &[(&str, T)]) -> Result<T, Error> {
        let found = at.get_ref();
        if let Some((_, of)) = words.iter().find(|(word, _)| word == found) {
            return Ok(*of);
        }
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.known(at, found, &words)?;
        self.fail(at, format!("`{found}` is not known"))
    }

    /// A code, or codes that differ in digits written as `*`.
    fn pattern(self, at: &Spanned<String>) -> Result<Pattern, Error> {
        let expected = "expected a status such as 0x80070005, 0x800423F*, STATUS_ACCESS_DENIED, \
                        FSRVP_E_BAD_STATE, KRB_AP_ERR_SKEW, `fault 0x00000005`, `nak 4` or \
                        `refused 2/1`";
        let text = at.get_ref().as_str();
        let exactly = |kind| Some(Pattern { kind, value: 0, mask: 0 });
        let found = if let Some(reason) = text.strip_prefix("nak ") {
            reason.parse().ok().and_then(|reason| exactly(Code::Nak(reason)))
        } else if let Some(pair) = text.strip_prefix("refused ") {
            let pair = pair.split_once('/');
            let pair = pair.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
            pair.and_then(|(result, reason)| exactly(Code::Refused(result, reason)))
        } else if let Some(digits) = text.strip_prefix("fault ") {
            number(digits).map(|(value, mask)| Pattern { kind: Code::Fault(0), value, mask })
        } else if let Some((code, _)) = ErrorCode::named().find(|(_, name)| *name == text) {
            exactly(Code::Ticket(code.0))
        } else {
            let named = say::named_status(text)
                .or_else(|| Status::named().find(|(_, name)| *name == text).map(|(of, _)| of.0));
            let found = named.map(|value| (value, u32::MAX)).or_else(|| number(text));
            found.map(|(value, mask)| Pattern { kind: Code::Return(0), value, mask })
        };
        match found {
            Some(pattern) => Ok(pattern),
            None => self.fail(at, format!("{expected}; found `{text}`")),
        }
    }
}

/// A hexadecimal number of eight digits, and which of its bits are given.
fn number(text: &str) -> Option<(u32, u32)> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 8)?;
    let plus = |(value, mask): (u32, u32), digit: char| match digit {
        '*' => Some((value << 4, mask << 4)),
        digit => Some((value << 4 | digit.to_digit(16)?, mask << 4 | 0xf)),
    };
    digits.chars().try_fold((0, 0), plus)
}
