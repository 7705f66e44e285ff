//! Statements that are no calls: settings, time, and what is looked up for events.

use std::net::IpAddr;
use std::rc::Rc;

use super::events::EVENTS;
use super::grammar::Fail;
use super::lexer;
use super::object::DYNAMIC;
use super::resolve::Resolver;
use super::settings::{Auth, LEVELS, Settings, Trailer};
use super::steps::{Line, Step};
use super::syntax::{Place, Word};
use super::values;
use super::wire::smb::Dialect;
use super::words::{self, hint};
use crate::bytes::{Order, Time};
use crate::idl::Syntax;
use crate::security::krb::crypto::{Etype, Key};
use crate::security::{Secret, keys};
use crate::spelling::nearest;

/// What a statement that is neither a call nor an event may begin with, after the name of a client.
const SETTINGS: &[&str] = &[
    "smb",
    "tcp",
    "dcom",
    "pipe",
    "io",
    "ndr",
    "ndr64",
    "little-endian",
    "big-endian",
    "auth",
    "trailer",
    "object",
    "channels",
    "ipv4",
    "ipv6",
    "fragment",
    "segment",
    "signing",
    "user",
    "password",
    "key",
    "interface",
    "wait",
    "after",
    "at",
    "start",
    "nothing",
    "server",
    "client",
    "capture",
    "mid-capture",
    "known-idle",
    "restart",
];

/// What a statement that is no call may begin with.
pub(super) fn keywords() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().chain(EVENTS).copied()
}

/// The words of a statement, from the front.
pub(super) struct Words<'w> {
    words: &'w [Word],
    /// Where the statement ends, for errors.
    last: Word,
}

impl<'w> Words<'w> {
    pub(super) fn new(words: &'w [Word]) -> Self {
        let last = words.last().cloned().unwrap_or_default();
        Self { words, last }
    }

    pub(super) fn peek(&self) -> Option<&'w Word> {
        self.words.first()
    }

    pub(super) fn next(&mut self) -> Option<&'w Word> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    /// Takes the next word if it is this.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.peek().is_some_and(|word| word.text.eq_ignore_ascii_case(text));
        if found {
            self.next();
        }
        found
    }

    /// Whether they begin with `object` that is no setting.
    fn declares(&self) -> bool {
        match self.words {
            [object, then, ..] if object.text.eq_ignore_ascii_case("object") => {
                !["on", "off"].iter().any(|word| then.text.eq_ignore_ascii_case(word))
            }
            _ => false,
        }
    }

    /// The next word, which has to be there.
    pub(super) fn need(&mut self, what: &str) -> Result<&'w Word, Fail> {
        let last = Fail::at(&self.last, format!("expected {what} after `{}`", self.last.text));
        self.next().ok_or(last)
    }

    /// There must be no more.
    pub(super) fn end(&self) -> Result<(), Fail> {
        match self.peek() {
            None => Ok(()),
            Some(word) => Err(Fail::at(
                word,
                format!("expected the end of the statement, found `{}`", word.text),
            )),
        }
    }

    /// All that is left, as one text.
    fn rest(&mut self) -> (Word, String) {
        let first = self.peek().cloned().unwrap_or_else(|| self.last.clone());
        let words = std::mem::take(&mut self.words);
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        (first, texts.join(" "))
    }
}

impl Resolver<'_> {
    /// A statement that is no call.
    pub(super) fn words(&mut self, words: &[Word]) -> Result<(), Fail> {
        let mut words = Words::new(words);
        let Some(first) = words.peek() else { return Ok(()) };
        let known = |word: &Word| keywords().any(|k| k.eq_ignore_ascii_case(&word.text));
        let mut client = None;
        if !known(first) {
            let server = self.servers.iter().position(|s| s.name.eq_ignore_ascii_case(&first.text));
            let place = words.next().map(place_of).transpose()?;
            let Some(verb) = words.peek().filter(|verb| known(verb)) else {
                let at = words.peek().unwrap_or(first);
                let like = hint(&nearest(&at.text, keywords()));
                return Err(Fail::at(
                    at,
                    format!("expected a statement, found `{}`{like}", at.text),
                ));
            };
            if verb.text.eq_ignore_ascii_case("restart") {
                words.next();
                let server = match server {
                    Some(server) => server,
                    None => self.server(first)?,
                };
                self.restart(server);
                return words.end();
            }
            let place = place.unwrap_or_default();
            client = Some(self.line(&place)?);
        }
        if self.time(&mut words)? || self.parties(client, &mut words)? {
            return words.end();
        }
        let line = match client {
            Some(line) => line,
            None => self.last_line(),
        };
        if self.event(line, client.is_some(), &mut words)? {
            return words.end();
        }
        let mut settings = match client {
            Some(line) => (*self.settings_of(line)).clone(),
            None => (*self.settings).clone(),
        };
        while words.peek().is_some() {
            self.setting(&mut settings, &mut words)?;
        }
        self.set(client, settings);
        words.end()
    }

    /// Makes settings those of a client, or those of all.
    pub(super) fn set(&mut self, client: Option<Line>, settings: Settings) {
        let settings = Rc::new(settings);
        if let Some(line) = client {
            if let Some(client) = self.clients.get_mut(line.client) {
                client.settings = settings;
            }
            return;
        }
        for client in &mut self.clients {
            client.settings = settings.clone();
        }
        self.settings = settings;
    }

    /// The line of the client that did something last, or of the first there will be.
    fn last_line(&mut self) -> Line {
        let last = self.steps.iter().rev().find_map(|step| match step {
            Step::Call(call) | Step::Answer(call) => Some(call.line),
            Step::Event(event) => Some(event.line),
            _ => None,
        });
        last.unwrap_or_else(|| {
            let name = Word { text: "A".to_owned(), left: 0 };
            let place = Place { client: name, ..Place::default() };
            self.line(&place).unwrap_or(Line { client: 0, server: 0, number: 1, from: None })
        })
    }

    /// Statements about time and the capture; false if it is none.
    fn time(&mut self, words: &mut Words<'_>) -> Result<bool, Fail> {
        if words.eat("wait") || words.eat("after") {
            let nanos = duration(words)?;
            self.pause(nanos);
        } else if words.eat("nothing") {
            if words.eat("for") {
                let nanos = duration(words)?;
                self.pause(nanos);
            } else if !words.eat("more") {
                words.need("`for` or `more`")?;
            }
        } else if words.eat("at") {
            let time = self.clock(words)?;
            if time < self.now {
                let (at, _) = words.rest();
                return Err(Fail::at(&at, format!("it is later than that already: {}", self.now)));
            }
            self.now = time;
            self.step(Step::At(time));
        } else if words.eat("start") {
            let time = self.clock(words)?;
            (self.start, self.now) = (time, time);
        } else if words.eat("capture") {
            if !(words.eat("from") && words.eat("here")) {
                words.need("`from here`")?;
            }
            self.step(Step::CaptureFromHere);
        } else if words.eat("mid-capture") {
            words.eat("start");
            self.starts_idle = false;
        } else if words.eat("known-idle") {
            words.eat("start");
            self.starts_idle = true;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn pause(&mut self, nanos: u64) {
        self.wait(nanos);
        self.step(Step::Wait(nanos));
    }

    fn clock(&self, words: &mut Words<'_>) -> Result<Time, Fail> {
        let word = words.need("a time")?;
        values::time_of_day(&word.text, self.now).ok_or_else(|| {
            let message = format!(
                "expected a time such as 12:00:00 or 2026-01-31T12:00:00Z, found `{}`",
                word.text
            );
            Fail::at(word, message)
        })
    }

    fn restart(&mut self, server: usize) {
        self.objects.restart(server);
        self.step(Step::Restart(server));
    }

    /// `object e9 IVssEnumMgmtObject`, `server FS1 address 10.0.0.9`, `client A …`, `server restart`; false if it is none.
    fn parties(&mut self, client: Option<Line>, words: &mut Words<'_>) -> Result<bool, Fail> {
        if words.declares() {
            words.next();
            let line = client.unwrap_or_else(|| self.last_line());
            return self.declare(line, words).map(|()| true);
        }
        let server = words.eat("server");
        if words.eat("restart") {
            let line = self.last_line();
            self.restart(line.server);
        } else if server {
            let name = words.need("the name of a server")?;
            let server = self.server(name)?;
            let address = address(words)?;
            if let Some(server) = self.servers.get_mut(server) {
                server.address = address.or(server.address);
            }
        } else if words.eat("client") {
            let name = words.need("the name of a client")?;
            let client = self.client(name)?;
            let address = address(words)?;
            if let Some(client) = self.clients.get_mut(client) {
                client.party.address = address.or(client.party.address);
            }
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// One setting.
    pub(super) fn setting(
        &self,
        settings: &mut Settings,
        words: &mut Words<'_>,
    ) -> Result<(), Fail> {
        let word = words.need("a setting")?;
        match word.text.to_lowercase().as_str() {
            "smb" => {
                let dialect = words.need("a dialect")?;
                (settings.tcp, settings.dcom) = (None, None);
                settings.dialect = match dialect.text.as_str() {
                    "2" | "2.0" | "2.0.2" => Dialect::V2_0_2,
                    "2.1" => Dialect::V2_1,
                    "3" | "3.0" => Dialect::V3_0,
                    "3.0.2" => Dialect::V3_0_2,
                    "3.1.1" => Dialect::V3_1_1,
                    other => {
                        let known = "2.0.2, 2.1, 3.0, 3.0.2 or 3.1.1";
                        return Err(Fail::at(
                            dialect,
                            format!("expected {known}, found `{other}`"),
                        ));
                    }
                };
            }
            "tcp" => {
                settings.tcp = Some(bounded(words, "a port", 1, u16::MAX)?);
                settings.dcom = None;
            }
            "dcom" => {
                settings.tcp = None;
                settings.dcom = match words.peek() {
                    Some(word) if words::number(&word.text).is_some() => {
                        Some(bounded(words, "a port", 1, u16::MAX)?)
                    }
                    _ => Some(DYNAMIC),
                };
            }
            "pipe" => settings.pipe = Some(words.need("the name of a pipe")?.text.clone()),
            "io" => {
                settings.write_read = choose(words, &["transceive", "write-read"])? == 1;
            }
            "ndr" => settings.syntax = Syntax::Ndr,
            "ndr64" => settings.syntax = Syntax::Ndr64,
            "little-endian" => settings.order = Order::Little,
            "big-endian" => settings.order = Order::Big,
            "auth" => settings.auth = auth(words)?,
            "trailer" => {
                let all = [Trailer::Off, Trailer::On, Trailer::Wrong];
                let chosen = choose(words, &["off", "on", "wrong"])?;
                settings.trailer = all.get(chosen).copied().unwrap_or(Trailer::Off);
            }
            "object" => settings.object = choose(words, &["off", "on"])? == 1,
            "signing" => settings.signing = choose(words, &["off", "on"])? == 1,
            "channels" => {
                let channels = bounded(words, "a number of channels", 1, 16)?;
                settings.channels = u8::try_from(channels).unwrap_or(1);
            }
            "ipv4" => settings.v6 = false,
            "ipv6" => settings.v6 = true,
            "fragment" => settings.fragment = bounded(words, "a length", 192, 5840)?,
            "segment" => settings.segment = bounded(words, "a length", 16, 1460)?,
            "user" => {
                let name = words.need("DOMAIN\\name, or anonymous")?;
                let (domain, user) = name.text.split_once('\\').unwrap_or(("LAB", &name.text));
                domain.clone_into(&mut settings.domain);
                let nobody = user.eq_ignore_ascii_case("anonymous");
                settings.user = if nobody { String::new() } else { user.to_owned() };
            }
            "password" => {
                let password = words.need("a password")?.text.as_bytes();
                settings.secrets.password = Some(Secret::from(password));
            }
            "key" => settings.secrets.key = Some(key(words)?),
            "interface" => {
                let name = words.need("the name of an interface")?;
                settings.interface = self.interface(name, &name.text)?;
            }
            other => {
                let like = hint(&nearest(other, keywords()));
                return Err(Fail::at(word, format!("expected a setting, found `{other}`{like}")));
            }
        }
        Ok(())
    }
}

/// `A`, `A#2`, `A@10.0.0.1`, as one word.
fn place_of(word: &Word) -> Result<Place, Fail> {
    let text = format!("{}:", word.text);
    if let Ok(("", mut place)) = super::grammar::place(&text) {
        place.client.left = word.left;
        return Ok(place);
    }
    let like = hint(&nearest(&word.text, keywords()));
    Err(Fail::at(word, format!("expected a statement, found `{}`{like}", word.text)))
}

fn duration(words: &mut Words<'_>) -> Result<u64, Fail> {
    /// A year; conversations are shorter.
    const LONGEST: u64 = 366 * 24 * 3600 * 1_000_000_000;
    let (at, text) = words.rest();
    match lexer::duration(&text) {
        Ok(("", nanos)) if nanos <= LONGEST => Ok(nanos),
        _ => {
            let message = format!("expected a time such as 190s, 500 ms or 3 min, found `{text}`");
            Err(Fail::at(&at, message))
        }
    }
}

fn address(words: &mut Words<'_>) -> Result<Option<IpAddr>, Fail> {
    words.eat("address");
    let Some(word) = words.next() else { return Ok(None) };
    match word.text.trim_matches(['[', ']']).parse() {
        Ok(address) => Ok(Some(address)),
        Err(_) => Err(Fail::at(word, format!("expected an IP address, found `{}`", word.text))),
    }
}

/// A number between two others.
pub(super) fn bounded(
    words: &mut Words<'_>,
    what: &str,
    least: u16,
    most: u16,
) -> Result<u16, Fail> {
    let word = words.need(what)?;
    let number = words::number(&word.text).and_then(|n| u16::try_from(n).ok());
    number.filter(|n| (least..=most).contains(n)).ok_or_else(|| {
        Fail::at(word, format!("expected {what} from {least} to {most}, found `{}`", word.text))
    })
}

/// `17:001122…`: an encryption type of Kerberos, by number or name, and a key of it.
fn key(words: &mut Words<'_>) -> Result<Key, Fail> {
    let word = words.need("a key, such as 17: and 32 hexadecimal digits")?;
    let (etype, digits) = word.text.split_once(':').unwrap_or_default();
    let known = [17, 18, 19, 20, 23].map(Etype);
    let named = |of: &Etype| of.0.to_string() == etype || of.name() == Some(etype);
    let Some(etype) = known.into_iter().find(named) else {
        let message = "expected a key of type 17, 18, 19, 20 or 23, such as 17: and 32 digits";
        return Err(Fail::at(word, message.to_owned()));
    };
    let key = keys::octets(digits).and_then(|key| Key::new(etype, key));
    key.ok_or_else(|| {
        let digits = etype.key_len().unwrap_or_default().saturating_mul(2);
        Fail::at(word, format!("expected {digits} hexadecimal digits for a key of {etype}"))
    })
}

/// The number of the word that stands there.
fn choose(words: &mut Words<'_>, among: &[&str]) -> Result<usize, Fail> {
    let word = words.need(&among.join(" or "))?;
    let found = among.iter().position(|known| known.eq_ignore_ascii_case(&word.text));
    found.ok_or_else(|| {
        Fail::at(word, format!("expected {}, found `{}`", among.join(" or "), word.text))
    })
}

/// `none`, or `[spnego] [ntlm|kerberos] [connect|…|privacy]` in any order.
pub(super) fn auth(words: &mut Words<'_>) -> Result<Option<Auth>, Fail> {
    if words.eat("none") {
        return Ok(None);
    }
    let mut auth = Auth { spnego: false, kerberos: false, level: Auth::INTEGRITY };
    let mut found = false;
    while let Some(word) = words.peek() {
        let text = word.text.to_lowercase();
        match text.as_str() {
            "ntlm" => {}
            "spnego" => auth.spnego = true,
            "kerberos" => auth.kerberos = true,
            level => match LEVELS.iter().find(|(_, name)| *name == level) {
                Some((number, _)) => auth.level = u8::try_from(*number).unwrap_or_default(),
                None if found => break,
                None => {
                    let known = "none, ntlm, spnego, kerberos, connect, call, packet, integrity or \
                                 privacy";
                    let message = format!("expected {known}, found `{}`", word.text);
                    return Err(Fail::at(word, message));
                }
            },
        }
        found = true;
        words.next();
    }
    if !found {
        words.need("none, ntlm, spnego, kerberos, or a level")?;
    }
    Ok(Some(auth))
}
