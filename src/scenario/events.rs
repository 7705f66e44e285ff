//! Events: what happens around the calls, and how it is refused.

use std::rc::Rc;

use super::direct::Words;
use super::grammar::Fail;
use super::resolve::{Resolver, unknown};
use super::settings::{Auth, LEVELS, Settings};
use super::steps::{BindAnswer, Event, EventKind, Line, Logon, Lookup, Step, Ticket, Vain};
use super::syntax::Word;
use super::values::{named_guid, substitute};
use super::wire::rpc::{SyntaxId, Verdict};
use super::words::{self, number, numbered};
use crate::rpc::names::{PROVIDER_REASONS, REJECT_REASONS};

/// The words that events begin with.
pub(super) const EVENTS: &[&str] = &[
    "connect",
    "name",
    "ticket",
    "logon",
    "tree",
    "referral",
    "create",
    "bind",
    "binds",
    "rebinds",
    "write",
    "close",
    "closes",
    "logoff",
    "disconnect",
    "disconnects",
    "reset",
    "resets",
];

impl Resolver<'_> {
    /// An event of a client; false if the words are none.
    pub(super) fn event(
        &mut self,
        line: Line,
        named: bool,
        words: &mut Words<'_>,
    ) -> Result<bool, Fail> {
        let Some(first) = words.peek() else { return Ok(false) };
        let first = first.text.to_lowercase();
        if !EVENTS.contains(&first.as_str()) {
            return Ok(false);
        }
        words.next();
        let mut kind = match first.as_str() {
            "connect" => self.connect(line, words)?,
            "name" => EventKind::Name(self.name(words)?),
            "ticket" => EventKind::Ticket(ticket(words)?),
            "logon" if words.eat("guest") => EventKind::Logon(Logon::Guest),
            "logon" => EventKind::Logon(Logon::Usual),
            "tree" => {
                let default = format!(r"\\{}\IPC$", self.server_name(line.server));
                let path = words.peek().filter(|word| word.text.starts_with('\\'));
                let path = path.map(|word| substitute(&word.text));
                if path.is_some() {
                    words.next();
                }
                EventKind::Tree(path.unwrap_or(default))
            }
            "referral" => EventKind::Referral(words.need("a path of DFS")?.text.clone()),
            "write" => EventKind::Write(substitute(&words.need("the path of a share")?.text)),
            "create" => {
                let name = words.peek().filter(|word| !word.text.eq_ignore_ascii_case("refused"));
                if let Some(name) = name {
                    words.next();
                    let mut settings = (*self.settings_of(line)).clone();
                    settings.pipe = Some(name.text.clone());
                    self.set(Some(line), settings);
                }
                EventKind::Create
            }
            "close" | "closes" => {
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
            "logoff" => EventKind::Logoff,
            "disconnect" | "disconnects" => EventKind::Disconnect,
            "reset" | "resets" => EventKind::Reset,
            _ => {
                self.bind(line, named, words)?;
                return Ok(true);
            }
        };
        let refused = refused(&mut kind, words)?;
        let settings = self.settings_of(line);
        self.step(Step::Event(Rc::new(Event { line, settings, kind, refused })));
        Ok(true)
    }

    /// `connect [PORT] [unanswered|refused [RST|ICMP]]`
    fn connect(&self, line: Line, words: &mut Words<'_>) -> Result<EventKind, Fail> {
        let port = match words.peek() {
            Some(word) if number(&word.text).is_some() => {
                Some(super::direct::bounded(words, "a port", 1, u16::MAX)?)
            }
            _ => {
                // Who knows where the objects are goes there.
                let known = self.objects.is_activated(line.client, line.server);
                self.settings_of(line).dcom.filter(|_| known)
            }
        };
        Ok(if words.eat("unanswered") {
            EventKind::Vain(Vain::Silence, port)
        } else if !words.eat("refused") {
            EventKind::Connect
        } else if words.eat("icmp") {
            EventKind::Vain(Vain::Icmp, port)
        } else {
            words.eat("rst");
            EventKind::Vain(Vain::Reset, port)
        })
    }

    /// `name FS2 [unknown [NXDOMAIN|SERVFAIL|REFUSED]] [netbios]`
    fn name(&mut self, words: &mut Words<'_>) -> Result<Lookup, Fail> {
        const ERRORS: [(&str, u8); 3] = [("NXDOMAIN", 3), ("SERVFAIL", 2), ("REFUSED", 5)];
        let word = words.need("a name")?;
        let answer = if words.eat("unknown") {
            let error = ERRORS.iter().find(|(name, _)| words.eat(name));
            Err(error.map_or(3, |(_, code)| *code))
        } else {
            let host = word.text.split('.').next().unwrap_or_default().to_owned();
            Ok(self.server(&Word { text: host, left: word.left })?)
        };
        Ok(Lookup { name: word.text.clone(), netbios: words.eat("netbios"), answer })
    }

    /// `bind [interface NAME] [v3.0] [pipe NAME] [auth …] [refused …|fault …|unanswered]`
    fn bind(&mut self, line: Line, named: bool, words: &mut Words<'_>) -> Result<(), Fail> {
        let mut settings =
            if named { (*self.settings_of(line)).clone() } else { (*self.settings).clone() };
        let mut foreign = None;
        let mut new = false;
        let dcom = settings.dcom.is_some();
        let mut answer = BindAnswer::Ack(Verdict::Accept(settings.syntax));
        settings.version = None;
        while let Some(word) = words.peek() {
            if let Some(version) = version(&word.text) {
                words.next();
                settings.version = Some(version);
            } else if words.eat("refused") {
                answer = refusal(words)?;
            } else if words.eat("unanswered") {
                answer = BindAnswer::Nothing;
            } else if words.eat("fault") {
                let fault = words.need("a fault status")?;
                let status = words::fault(&fault.text).map_err(|e| unknown(fault, "fault", &e))?;
                answer = BindAnswer::Fault(status);
            } else if dcom && words.eat("new") {
                new = true;
            } else if dcom && let Some(uuid) = named_guid(&word.text, Some(self.registry)) {
                words.next();
                settings.interface = self.interface_of(uuid);
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
        let kind = if let Some(port) = settings.dcom {
            // A version is that of this bind, and the interface too: each call names its own.
            settings.version = None;
            settings.interface = self.settings_of(line).interface.clone();
            let port = super::object::port_of(uuid, port);
            EventKind::Present { syntax, answer, port, new }
        } else {
            EventKind::Bind(syntax, answer)
        };
        self.set(named.then_some(line), settings);
        let settings = self.settings_of(line);
        self.step(Step::Event(Rc::new(Event { line, settings, kind, refused: None })));
        Ok(())
    }
}

/// `ticket SERVICE refused KDC_ERR_S_PRINCIPAL_UNKNOWN [udp]`
fn ticket(words: &mut Words<'_>) -> Result<Ticket, Fail> {
    let service = words.need("a service such as cifs/fs1")?.text.clone();
    if !words.eat("refused") {
        words.need("`refused`")?;
    }
    let error = kerberos(words)?;
    Ok(Ticket { service, error, udp: words.eat("udp") })
}

fn kerberos(words: &mut Words<'_>) -> Result<u8, Fail> {
    let code = words.need("an error of Kerberos")?;
    words::kerberos(&code.text).map_err(|e| unknown(code, "error of Kerberos", &e))
}

/// `refused STATUS_ACCESS_DENIED`; a logon may be refused with an error of Kerberos.
fn refused(kind: &mut EventKind, words: &mut Words<'_>) -> Result<Option<u32>, Fail> {
    let refusable = match kind {
        EventKind::Logon(logon) => *logon == Logon::Usual,
        EventKind::Tree(_) | EventKind::Referral(_) | EventKind::Write(_) | EventKind::Create => {
            true
        }
        _ => false,
    };
    if !refusable || !words.eat("refused") {
        return Ok(None);
    }
    let is_kerberos = |word: &Word| {
        let name = word.text.to_uppercase();
        name.starts_with("KRB_") || name.starts_with("KDC_")
    };
    if let EventKind::Logon(logon) = kind
        && words.peek().is_some_and(is_kerberos)
    {
        *logon = Logon::Ticket(kerberos(words)?);
        return Ok(None);
    }
    let status = words.need("an NTSTATUS")?;
    let code = words::ntstatus(&status.text).map_err(|e| unknown(status, "NTSTATUS", &e))?;
    Ok(Some(code))
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

/// What a bind is refused with: a reason of `bind_nak`, or of the presentation contexts, or an
/// NTSTATUS of the pipe.
fn refusal(words: &mut Words<'_>) -> Result<BindAnswer, Fail> {
    let word = words.need("a reason")?;
    if word.text.to_uppercase().starts_with("STATUS_") {
        let status = words::ntstatus(&word.text).map_err(|e| unknown(word, "NTSTATUS", &e))?;
        return Ok(BindAnswer::Pipe(status));
    }
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
