//! Events: what happens around the calls, and how it is refused.

use std::rc::Rc;

use super::direct::Words;
use super::grammar::Fail;
use super::resolve::{Resolver, unknown};
use super::settings::{Auth, LEVELS, Settings};
use super::steps::{BindAnswer, Event, EventKind, Line, Step};
use super::syntax::Word;
use super::values::substitute;
use super::wire::rpc::{SyntaxId, Verdict};
use super::words::{self, number, numbered};
use crate::rpc::names::{PROVIDER_REASONS, REJECT_REASONS};

impl Resolver<'_> {
    /// An event of a client; false if the words are none.
    pub(super) fn event(
        &mut self,
        line: Line,
        named: bool,
        words: &mut Words<'_>,
    ) -> Result<bool, Fail> {
        let Some(first) = words.peek() else { return Ok(false) };
        let kind = match first.text.to_lowercase().as_str() {
            "connect" => EventKind::Connect,
            "logon" => EventKind::Logon,
            "create" => EventKind::Create,
            "close" | "closes" => EventKind::Close,
            "logoff" => EventKind::Logoff,
            "disconnect" | "disconnects" => EventKind::Disconnect,
            "tree" => EventKind::Tree(String::new()),
            "write" => EventKind::Write(String::new()),
            "bind" | "binds" | "rebinds" => {
                words.next();
                self.bind(line, named, words)?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        words.next();
        let kind = match kind {
            EventKind::Tree(_) => {
                let default = format!(r"\\{}\IPC$", self.server_name(line.server));
                let path = words.peek().filter(|word| word.text.starts_with('\\'));
                let path = path.map(|word| substitute(&word.text));
                if path.is_some() {
                    words.next();
                }
                EventKind::Tree(path.unwrap_or(default))
            }
            EventKind::Write(_) => {
                EventKind::Write(substitute(&words.need("the path of a share")?.text))
            }
            EventKind::Create => {
                let name = words.peek().filter(|word| !word.text.eq_ignore_ascii_case("refused"));
                if let Some(name) = name {
                    words.next();
                    let mut settings = (*self.settings_of(line)).clone();
                    settings.pipe = Some(name.text.clone());
                    self.set(Some(line), settings);
                }
                EventKind::Create
            }
            EventKind::Close => {
                // How people say it: closes the pipe, closes all connections.
                let all = words.eat("all");
                words.eat("the");
                if all && words.eat("connections") {
                    EventKind::Disconnect
                } else {
                    words.eat("pipe");
                    EventKind::Close
                }
            }
            kind => kind,
        };
        let refused = refused(&kind, words)?;
        let settings = self.settings_of(line);
        self.step(Step::Event(Rc::new(Event { line, settings, kind, refused })));
        Ok(true)
    }

    /// `bind [interface NAME] [v3.0] [pipe NAME] [auth …] [refused …|fault …]`
    fn bind(&mut self, line: Line, named: bool, words: &mut Words<'_>) -> Result<(), Fail> {
        let mut settings =
            if named { (*self.settings_of(line)).clone() } else { (*self.settings).clone() };
        let mut foreign = None;
        let mut answer = BindAnswer::Ack(Verdict::Accept(settings.syntax));
        settings.version = None;
        while let Some(word) = words.peek() {
            if let Some(version) = version(&word.text) {
                words.next();
                settings.version = Some(version);
            } else if words.eat("refused") {
                answer = refusal(words)?;
            } else if words.eat("fault") {
                let fault = words.need("a fault status")?;
                let status = words::fault(&fault.text).map_err(|e| unknown(fault, "fault", &e))?;
                answer = BindAnswer::Fault(status);
            } else if words.eat("accepted") || words.eat("with") || words.eat("on") {
            } else if words.eat("no") || words.eat("without") {
                if !words.eat("auth") {
                    words.need("`auth`")?;
                }
                words.eat("trailer");
                settings.auth = None;
            } else if words.eat("level") {
                let level = words.need("a level")?;
                set_level(&mut settings, level, &level.text)?;
            } else if let Some((name, value)) = word.text.split_once('=') {
                words.next();
                security(&mut settings, word, (name, value))?;
            } else if words.eat("fsrvp") {
                words.eat("uuid");
                let name = Word { text: "fsrvp".to_owned(), left: word.left };
                settings.interface = self.interface(&name, "fsrvp")?;
            } else if words.eat("abstract") {
                if !words.eat("syntax") {
                    words.need("`syntax`")?;
                }
                foreign = Some(uuid(words)?);
            } else {
                self.setting(&mut settings, words)?;
            }
        }
        let version = settings.version.unwrap_or(settings.interface.version);
        let uuid = foreign.unwrap_or(settings.interface.uuid);
        let syntax = SyntaxId(uuid, version.0, version.1);
        if let BindAnswer::Ack(Verdict::Accept(transfer)) = &mut answer {
            *transfer = settings.syntax;
        }
        self.set(named.then_some(line), settings);
        let settings = self.settings_of(line);
        let kind = EventKind::Bind(syntax, answer);
        self.step(Step::Event(Rc::new(Event { line, settings, kind, refused: None })));
        Ok(())
    }
}

/// `refused STATUS_ACCESS_DENIED`
fn refused(kind: &EventKind, words: &mut Words<'_>) -> Result<Option<u32>, Fail> {
    let Some(word) = words.peek() else { return Ok(None) };
    if !words.eat("refused") {
        return Ok(None);
    }
    match kind {
        EventKind::Connect => Ok(Some(0)),
        EventKind::Close | EventKind::Logoff | EventKind::Disconnect => {
            Err(Fail::at(word, "expected the end of the statement, found `refused`".to_owned()))
        }
        _ => {
            let status = words.need("an NTSTATUS")?;
            let code = words::ntstatus(&status.text).map_err(|e| unknown(status, "NTSTATUS", &e));
            code.map(Some)
        }
    }
}

fn uuid(words: &mut Words<'_>) -> Result<crate::bytes::Guid, Fail> {
    let word = words.need("a UUID")?;
    let parsed = crate::bytes::Guid::try_parse(&word.text);
    parsed.map_err(|_| Fail::at(word, format!("expected a UUID, found `{}`", word.text)))
}

/// `v3.0`
fn version(text: &str) -> Option<(u16, u16)> {
    let (major, minor) = text.strip_prefix('v')?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// `auth_type=9`, `auth_level=5`, `level=5`
fn security(settings: &mut Settings, word: &Word, (name, value): (&str, &str)) -> Result<(), Fail> {
    match name.to_lowercase().as_str() {
        "auth_type" => {
            let level = settings.auth.map_or(Auth::INTEGRITY, |auth| auth.level);
            let (spnego, kerberos) = match number(value) {
                Some(9) => (true, false),
                Some(10) => (false, false),
                Some(16) => (false, true),
                _ => {
                    let message = format!("expected 9, 10 or 16, found `{value}`");
                    return Err(Fail::at(word, message));
                }
            };
            settings.auth = Some(Auth { spnego, kerberos, level });
            Ok(())
        }
        "auth_level" | "level" => set_level(settings, word, value),
        _ => Err(Fail::at(word, format!("expected auth_type or auth_level, found `{name}`"))),
    }
}

fn set_level(settings: &mut Settings, at: &Word, level: &str) -> Result<(), Fail> {
    let found = numbered(LEVELS, level).ok().and_then(|level| u8::try_from(level).ok());
    let Some(level) = found.filter(|level| (2..=6).contains(level)) else {
        return Err(Fail::at(at, format!("expected a level from 2 to 6, found `{level}`")));
    };
    let auth = settings.auth.unwrap_or(Auth { spnego: false, kerberos: false, level });
    settings.auth = Some(Auth { level, ..auth });
    Ok(())
}

/// What a bind is refused with: a reason of `bind_nak`, or of the presentation contexts.
fn refusal(words: &mut Words<'_>) -> Result<BindAnswer, Fail> {
    let word = words.need("a reason")?;
    let narrow = |names: &'static [(u64, &'static str)]| -> Vec<(u32, &'static str)> {
        names.iter().filter_map(|(n, name)| Some((u32::try_from(*n).ok()?, *name))).collect()
    };
    let result = match word.text.to_lowercase().as_str() {
        "user_rejection" => Some(1),
        "provider_rejection" => Some(2),
        _ => None,
    };
    let found = match result {
        None => numbered(&narrow(REJECT_REASONS), &word.text),
        Some(_) => match words.next() {
            Some(reason) => numbered(&narrow(PROVIDER_REASONS), &reason.text),
            // abstract_syntax_not_supported
            None => Ok(1),
        },
    };
    let reason = found.map_err(|e| unknown(word, "reason", &e))?;
    let Ok(reason) = u16::try_from(reason) else {
        return Err(Fail::at(word, format!("expected a reason in 16 bits, found {reason}")));
    };
    Ok(match result {
        None => BindAnswer::Nak(reason),
        Some(result) => BindAnswer::Ack(Verdict::Reject(result, reason)),
    })
}
