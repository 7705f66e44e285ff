//! A file of keys, in TOML: the passwords, keytabs and keys that somebody has of a lab.
//!
//! ```toml
//! [[password]]
//! domain = "FSLAB"              # may be left out, and `user` too: then it is tried for everyone
//! user = "fsadmin"
//! password = "…"                # or nt_hash = "32 hexadecimal digits"
//! [[keytab]]
//! file = "lab.keytab"           # from the folder of this file
//! [[kerberos_key]]
//! principal = "cifs/fs1.lab"    # may be left out; `kvno` too
//! etype = 18
//! key = "64 hexadecimal digits"
//! [[smb_session]]
//! id = "0x0000000048c1f2a3"     # as it is shown here; without 0x in the order of the wire
//! key = "32 or 64 hexadecimal digits" # or client_to_server, server_to_client, or both
//! ```
//!
//! In its place may stand lines of SMB session keys, as Wireshark's table `smb2_seskey_list` has them, or
//! what `secretsdump.py` of impacket writes.
//!
//! INVARIANT: an error shows nothing of the text but names that are known here. What stands where it
//! should not may be a secret, names of keys included.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{
    Account, AccountSecret, KerberosKey, Keyring, KeysError, MAX_SECRETS, SmbKey, SmbSecret,
    TOO_MANY, dump, key_len, lines, nt_hash, octets, session_id, smb_key,
};
use crate::security::Secret;

/// What is in a file of keys.
#[derive(Debug, Default)]
pub struct Keys {
    /// The secrets.
    pub ring: Keyring,
    /// The keytabs that belong to it.
    pub keytabs: Vec<KeytabFile>,
}

/// A keytab that a file of keys names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeytabFile {
    /// Its path, as it is written: from the folder of the file of keys.
    pub path: String,
    /// The line on which it is named, 1-based.
    pub line: usize,
}

/// Reads a file of keys; `name` says which it is in errors, and where its secrets are from.
pub fn parse(name: &str, text: &str) -> Result<Keys, KeysError> {
    let text = text.trim_start_matches('\u{feff}');
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    let source = Source { name, ends: &ends };
    let mut keys = Keys::default();
    if lines::are_these(text) {
        let found = lines::parse(name, text)
            .map_err(|(line, what)| KeysError(format!("{name}, line {line}: {what}")))?;
        for key in found {
            keys.ring.add_smb(key);
        }
        return Ok(keys);
    }
    if dump::are_these(text) {
        let found = dump::parse(name, text)
            .map_err(|(line, what)| KeysError(format!("{name}, line {line}: {what}")))?;
        found.kerberos.into_iter().for_each(|key| keys.ring.add_kerberos(key));
        found.accounts.into_iter().for_each(|account| keys.ring.add_account(account));
        return Ok(keys);
    }
    // What the parser says of an error quotes the line.
    let document = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        source.error(
            at,
            "expected TOML: [[password]], [[keytab]], [[kerberos_key]] or [[smb_session]] on a \
             line of its own, and below it lines such as user = \"fsadmin\", texts in quotes (in \
             single quotes where there is a backslash in it)",
        )
    })?;
    let mut tables = Vec::new();
    for (key, value) in document.get_ref() {
        let Some(kind) = KINDS.iter().find(|kind| kind.name == &**key.get_ref()) else {
            return Err(source.error(
                key.span().start,
                "expected [[password]], [[keytab]], [[kerberos_key]] or [[smb_session]]",
            ));
        };
        let DeValue::Array(all) = value.get_ref() else {
            let what = format!("expected [[{}]], in two brackets", kind.name);
            return Err(source.error(value.span().start, &what));
        };
        for one in all {
            let table = Table::new(source, kind, one)?;
            if tables.len() == MAX_SECRETS {
                return Err(source.error(table.at, TOO_MANY));
            }
            tables.push(table);
        }
    }
    // Those that are given first are tried first, whatever they are.
    tables.sort_by_key(|table| table.at);
    for table in &tables {
        (table.kind.read)(table, &mut keys)?;
    }
    if tables.is_empty() {
        return Err(source.error(
            0,
            "there is no secret in it: expected [[password]], [[keytab]], [[kerberos_key]] or \
             [[smb_session]]",
        ));
    }
    Ok(keys)
}

/// A kind of secret: the name of its tables, their keys, and what reads one.
struct Kind {
    name: &'static str,
    keys: &'static [&'static str],
    read: fn(&Table<'_>, &mut Keys) -> Result<(), KeysError>,
}

const KINDS: [Kind; 4] = [
    Kind { name: "password", keys: &["domain", "user", "password", "nt_hash"], read: password },
    Kind { name: "keytab", keys: &["file"], read: keytab },
    Kind { name: "kerberos_key", keys: &["principal", "etype", "kvno", "key"], read: kerberos },
    Kind {
        name: "smb_session",
        keys: &["id", "key", "client_to_server", "server_to_client"],
        read: smb,
    },
];

fn password(table: &Table<'_>, keys: &mut Keys) -> Result<(), KeysError> {
    let name = |key| match table.text(key)? {
        // In double quotes `FSLAB\fsadmin` has a form feed, and is nobody.
        Some((name, at)) if name.contains(char::is_control) => {
            let what = format!("expected a name for {key}; one with a backslash in single quotes");
            Err(table.source.error(at, &what))
        }
        found => Ok(found.map(|(name, _)| name.to_owned())),
    };
    let (domain, user) = (name("domain")?, name("user")?);
    let secret = match (table.text("password")?, table.text("nt_hash")?) {
        (Some((password, _)), None) => AccountSecret::Password(Secret::from(password.as_bytes())),
        (None, Some((digits, at))) => {
            let hash = nt_hash(digits).ok_or_else(|| {
                table.source.error(at, "expected an nt_hash of 32 hexadecimal digits")
            })?;
            AccountSecret::NtHash(hash)
        }
        (None, None) => return Err(table.error("expected password or nt_hash")),
        (Some(_), Some(_)) => {
            return Err(table.error("expected password or nt_hash, found both"));
        }
    };
    keys.ring.add_account(Account { domain, user, secret, from: table.from() });
    Ok(())
}

fn keytab(table: &Table<'_>, keys: &mut Keys) -> Result<(), KeysError> {
    let (path, at) = table.text("file")?.ok_or_else(|| table.error("expected file = \"…\""))?;
    keys.keytabs.push(KeytabFile { path: path.to_owned(), line: table.source.line(at) });
    Ok(())
}

fn kerberos(table: &Table<'_>, keys: &mut Keys) -> Result<(), KeysError> {
    let principal = table.text("principal")?.map(|(name, _)| name.to_owned());
    let etype =
        table.number("etype")?.and_then(|(number, at)| Some((i32::try_from(number).ok()?, at)));
    let (etype, _) = etype.ok_or_else(|| {
        table.error("expected etype, such as 18 (AES-256), 17 (AES-128) or 23 (RC4)")
    })?;
    let kvno = table.number("kvno")?.map(|(number, at)| {
        u32::try_from(number).map_err(|_| table.source.error(at, "expected a key version"))
    });
    let (digits, at) = table.text("key")?.ok_or_else(|| table.error("expected key = \"…\""))?;
    let key = octets(digits).filter(|key| match key_len(etype) {
        Some(len) => key.octets().len() == len,
        None => !key.octets().is_empty(),
    });
    let key = key.ok_or_else(|| {
        let what = match key_len(etype) {
            Some(len) => format!(
                "expected a key of {} hexadecimal digits, as etype {etype} has it",
                len.saturating_mul(2)
            ),
            None => "expected a key in hexadecimal digits".to_owned(),
        };
        table.source.error(at, &what)
    })?;
    let kvno = kvno.transpose()?;
    keys.ring.add_kerberos(KerberosKey { principal, etype, kvno, key, from: table.from() });
    Ok(())
}

fn smb(table: &Table<'_>, keys: &mut Keys) -> Result<(), KeysError> {
    let (id, at) = table.text("id")?.ok_or_else(|| table.error("expected id = \"0x…\""))?;
    let session_id = session_id(id).ok_or_else(|| table.source.error(at, lines::SESSION_ID))?;
    let key = |name| match table.text(name)? {
        None => Ok(None),
        Some((digits, at)) => {
            smb_key(digits).map(Some).ok_or_else(|| table.source.error(at, lines::KEY))
        }
    };
    let (session, client_to_server, server_to_client) =
        (key("key")?, key("client_to_server")?, key("server_to_client")?);
    let directions = client_to_server.is_some() || server_to_client.is_some();
    if session.is_none() && !directions {
        return Err(table.error("expected key, or client_to_server and server_to_client"));
    }
    let session = session.map(SmbSecret::Session);
    let directions =
        directions.then_some(SmbSecret::Directions { client_to_server, server_to_client });
    for secret in session.into_iter().chain(directions) {
        keys.ring.add_smb(SmbKey { session_id, secret, from: table.from() });
    }
    Ok(())
}

/// Whether a text has tables of keys in it.
pub fn has_tables(text: &str) -> bool {
    fn name(line: &str) -> Option<&str> {
        line.trim().strip_prefix("[[")?.strip_suffix("]]")
    }
    text.lines().filter_map(name).any(|name| KINDS.iter().any(|kind| kind.name == name))
}

/// What places in the text are called.
#[derive(Clone, Copy)]
struct Source<'t> {
    name: &'t str,
    /// Where lines end, in order.
    ends: &'t [usize],
}

impl Source<'_> {
    /// The line of an offset, 1-based.
    fn line(self, at: usize) -> usize {
        self.ends.partition_point(|end| *end < at).saturating_add(1)
    }

    fn error(self, at: usize, what: &str) -> KeysError {
        KeysError(format!("{}, line {}: {what}", self.name, self.line(at)))
    }
}

/// A table and where it begins.
struct Table<'s> {
    source: Source<'s>,
    kind: &'static Kind,
    at: usize,
    entries: &'s DeTable<'s>,
}

impl<'s> Table<'s> {
    fn new(
        source: Source<'s>,
        kind: &'static Kind,
        value: &'s Spanned<DeValue<'s>>,
    ) -> Result<Self, KeysError> {
        let at = value.span().start;
        let DeValue::Table(entries) = value.get_ref() else {
            return Err(source.error(at, &format!("expected a [[{}]] table", kind.name)));
        };
        for (key, _) in entries {
            if !kind.keys.contains(&&**key.get_ref()) {
                let what =
                    format!("a [[{}]] has {}, and nothing else", kind.name, listed(kind.keys));
                return Err(source.error(key.span().start, &what));
            }
        }
        Ok(Self { source, kind, at, entries })
    }

    fn error(&self, what: &str) -> KeysError {
        self.source.error(self.at, &format!("[[{}]]: {what}", self.kind.name))
    }

    /// Where its secret is from.
    fn from(&self) -> String {
        format!("{}, line {}", self.source.name, self.source.line(self.at))
    }

    fn get(&self, key: &str) -> Option<&'s Spanned<DeValue<'s>>> {
        self.entries.iter().find(|(found, _)| found.get_ref() == key).map(|(_, value)| value)
    }

    /// A text, and where it begins.
    fn text(&self, key: &str) -> Result<Option<(&'s str, usize)>, KeysError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let at = value.span().start;
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => Ok(Some((text, at))),
            _ => Err(self.source.error(at, &format!("expected a text in quotes for {key}"))),
        }
    }

    /// A number, and where it begins.
    fn number(&self, key: &str) -> Result<Option<(i64, usize)>, KeysError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let at = value.span().start;
        let found = match value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        let wrong = || self.source.error(at, &format!("expected a number for {key}"));
        Ok(Some((found.ok_or_else(wrong)?, at)))
    }
}

/// `a, b and c`
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

#[cfg(test)]
#[path = "tests/file.rs"]
mod tests;
