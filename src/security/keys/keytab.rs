//! Keytabs: keys of Kerberos in a file, as MIT and Heimdal, Samba and `ktpass` write them.
//!
//! ```text
//!  ┌────────┬──────┬───────┬──────┬───────┬── ── ──
//!  │ 05 0v  │ size │ entry │ size │ entry │            v: version 1 or 2
//!  └────────┴──────┴───────┴──────┴───────┴── ── ──   size: 32 bits, signed
//!
//!  entry: components (16 bits), realm, component…, [name type (32)], time stamp (32), kvno (8),
//!         etype (16), key, [kvno (32)]              a text and a key: length (16), octets
//! ```
//!
//! Version 2 is big-endian. Version 1 has the byte order of the machine that wrote it, counts the
//! realm among the components, and has no name type. A negative size is a hole of so many octets,
//! where an entry was deleted; zero is the end. The second kvno is there where the size leaves room
//! for it, and, unless it is 0, the first is its lowest octet.
//! Specification: MIT Kerberos, *The Kerberos keytab binary file format*.

use super::{KerberosKey, KeysError, Secret, key_len};
use crate::bytes::Order;

/// What a keytab begins with, before its version.
const MAGIC: u8 = 5;
/// Keys kept of a keytab. One of a domain with 10,000 accounts has about 40,000.
pub const MAX_KEYS: usize = 1 << 16;
/// Damaged entries that are told.
const MAX_DAMAGED: usize = 16;
/// Components of a name; `cifs/fs1.lab` has two.
const MAX_COMPONENTS: u16 = 16;
/// Octets of a key of an encryption type that is not known here.
const MAX_KEY: usize = 256;

/// What is in a keytab.
#[derive(Debug, Default)]
pub struct Keytab {
    /// Its keys, in their order.
    pub keys: Vec<KerberosKey>,
    /// What could not be read, in sentences that name offset and what was expected.
    pub damaged: Vec<KeysError>,
}

/// Whether this is a keytab by its first octets.
pub fn is_keytab(octets: &[u8]) -> bool {
    matches!(octets, [MAGIC, 1 | 2, ..])
}

/// Reads a keytab; `name` says whose it is in errors, and where its keys are from.
///
/// Fails where no key is in it.
pub fn read(name: &str, octets: &[u8]) -> Result<Keytab, KeysError> {
    let wrong = |what: &str| Err(KeysError(format!("{name}: {what}")));
    let (version, body) = match octets {
        [MAGIC, version @ (1 | 2), body @ ..] => (*version, body),
        [MAGIC, version, ..] => {
            return wrong(&format!("expected a keytab of version 1 or 2, found version {version}"));
        }
        [] => return wrong("expected a keytab, found nothing: the file is empty"),
        _ => return wrong("expected a keytab, which begins with the octets 05 02 (or 05 01)"),
    };
    let order = match (version, body.first_chunk()) {
        // Read in the wrong order, the size of the first entry is above 64 KiB, and in the right one
        // below: the longest name takes less.
        (1, Some(size)) => {
            let little = i32::from_le_bytes(*size).unsigned_abs();
            let big = i32::from_be_bytes(*size).unsigned_abs();
            if little < big { Order::Little } else { Order::Big }
        }
        _ => Order::Big,
    };
    let mut found = entries(name, body, version, order);
    if found.keys.is_empty() {
        return match found.damaged.drain(..).next() {
            Some(damaged) => Err(damaged),
            None => wrong("there is no key in this keytab"),
        };
    }
    Ok(found)
}

/// Reads the entries behind the version.
fn entries(name: &str, body: &[u8], version: u8, order: Order) -> Keytab {
    let mut found = Keytab::default();
    let mut rest = Cursor { order, at: 2, rest: body };
    while !rest.rest.is_empty() {
        let begins = rest.at;
        let mut damaged = |what: String| {
            if found.damaged.len() < MAX_DAMAGED {
                let error = KeysError(format!("{name}, offset {begins}: {what}"));
                found.damaged.push(error);
            }
        };
        let Some(size) = rest.u32() else {
            damaged(format!(
                "expected the size of an entry, 4 octets, found the last {} of the file",
                rest.rest.len()
            ));
            break;
        };
        let size = i32::from_ne_bytes(size.to_ne_bytes());
        if size == 0 {
            break;
        }
        let len = usize::try_from(size.unsigned_abs()).unwrap_or(usize::MAX);
        let left = rest.rest.len();
        let at = rest.at;
        let Some(octets) = rest.take(len) else {
            let what = if size < 0 { "a deleted entry" } else { "an entry" };
            damaged(format!(
                "expected {what} of {len} octets, found {left} to the end of the file"
            ));
            break;
        };
        if size < 0 {
            continue;
        }
        if found.keys.len() == MAX_KEYS {
            damaged(format!("expected at most {MAX_KEYS} keys; what follows is not read"));
            break;
        }
        match entry(Cursor { order, at, rest: octets }, version) {
            Ok(entry) => found.keys.push(KerberosKey { from: name.to_owned(), ..entry }),
            Err(what) => damaged(what),
        }
    }
    found
}

/// Reads one entry.
fn entry(mut octets: Cursor<'_>, version: u8) -> Result<KerberosKey, String> {
    let whole = octets.rest.len();
    let short = |at: usize, what: &str| {
        format!("expected {what} at offset {at}, found the end of an entry of {whole} octets")
    };
    let at = octets.at;
    let count = octets.u16().ok_or_else(|| short(at, "the number of components"))?;
    let count = if version == 1 { count.checked_sub(1) } else { Some(count) };
    let count = count.filter(|count| (1..=MAX_COMPONENTS).contains(count)).ok_or_else(|| {
        format!("expected a name of 1 to {MAX_COMPONENTS} components at offset {at}")
    })?;
    let at = octets.at;
    let realm = octets.text().ok_or_else(|| short(at, "a realm"))?;
    let mut principal = String::new();
    for n in 0..count {
        let at = octets.at;
        let component = octets.text().ok_or_else(|| short(at, "a component of the name"))?;
        if n > 0 {
            principal.push('/');
        }
        principal.push_str(&component);
    }
    if !realm.is_empty() {
        principal.push('@');
        principal.push_str(&realm);
    }
    let at = octets.at;
    if version != 1 {
        octets.u32().ok_or_else(|| short(at, "the type of the name"))?;
    }
    let at = octets.at;
    let fixed = octets.u32().and_then(|_| Some((octets.u8()?, octets.u16()?)));
    let (kvno, etype) =
        fixed.ok_or_else(|| short(at, "time stamp, key version and encryption type"))?;
    // Types of one's own are negative.
    let etype = i32::from(i16::from_ne_bytes(etype.to_ne_bytes()));
    let at = octets.at;
    let key = octets.counted().ok_or_else(|| short(at, "a key"))?;
    match key_len(etype) {
        Some(len) if key.len() != len => {
            return Err(format!(
                "expected a key of {len} octets for encryption type {etype} at offset {at}, found \
                 {}",
                key.len()
            ));
        }
        None if key.is_empty() || key.len() > MAX_KEY => {
            return Err(format!(
                "expected a key of 1 to {MAX_KEY} octets at offset {at}, found {}",
                key.len()
            ));
        }
        _ => {}
    }
    let long = octets.u32().filter(|kvno| *kvno != 0);
    let kvno = Some(long.unwrap_or_else(|| kvno.into()));
    let key = Secret::from(key);
    Ok(KerberosKey { principal: Some(principal), etype, kvno, key, from: String::new() })
}

/// What is left of some octets, and where that is in the file.
struct Cursor<'a> {
    order: Order,
    at: usize,
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        self.at = self.at.saturating_add(len);
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut octets: [u8; N] = self.take(N)?.try_into().ok()?;
        if self.order == Order::Little {
            octets.reverse();
        }
        Some(octets)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Octets behind their number.
    fn counted(&mut self) -> Option<&'a [u8]> {
        let len = self.u16()?;
        self.take(len.into())
    }

    /// A text behind its length.
    fn text(&mut self) -> Option<String> {
        self.counted().map(|octets| String::from_utf8_lossy(octets).into_owned())
    }
}

#[cfg(test)]
#[path = "tests/keytab.rs"]
mod tests;
