//! Keys and hashes as `secretsdump.py` of impacket writes them, one a line.
//!
//! - a key of Kerberos: `FSLAB.TEST\FS1$:aes256-cts-hmac-sha1-96:…`, the domain or not before it;
//! - an NT hash: `user:1103:LM hash:NT hash:::`, where the LM hash has no use;
//! - headings, which begin with `[`.

use super::lines::meaningful;
use super::{Account, AccountSecret, KerberosKey, MAX_SECRETS, TOO_MANY, key_len, nt_hash, octets};

/// The encryption types it names that have a use here.
const ETYPES: [(&str, i32); 3] =
    [("aes128-cts-hmac-sha1-96", 17), ("aes256-cts-hmac-sha1-96", 18), ("rc4_hmac", 23)];
/// One that it names, and no more.
const DES: &str = "des-cbc-md5";

/// A line that says something.
enum Line<'t> {
    Heading,
    Key { user: &'t str, etype: Option<i32>, digits: &'t str },
    Hash { user: &'t str, digits: &'t str },
}

/// What is in such a text.
#[derive(Debug, Default)]
pub(super) struct Dump {
    pub(super) kerberos: Vec<KerberosKey>,
    pub(super) accounts: Vec<Account>,
}

/// Whether the first line that is no heading is one of these.
pub(super) fn are_these(text: &str) -> bool {
    let first = meaningful(text).find(|(_, line)| !matches!(split(line), Some(Line::Heading)));
    // A table of TOML is no heading.
    let toml = meaningful(text).any(|(_, line)| line.starts_with("[["));
    !toml && first.is_some_and(|(_, line)| split(line).is_some())
}

/// The secrets of a text, or the line that is wrong and what was expected there.
pub(super) fn parse(name: &str, text: &str) -> Result<Dump, (usize, &'static str)> {
    let mut dump = Dump::default();
    for (n, line) in meaningful(text) {
        let from = format!("{name}, line {n}");
        match split(line).ok_or((
            n,
            "expected lines of secretsdump: `user:aes256-cts-hmac-sha1-96:key`, or \
             `user:number:LM hash:NT hash:::`",
        ))? {
            Line::Heading | Line::Key { etype: None, .. } => {}
            Line::Key { user, etype: Some(etype), digits } => {
                let key = octets(digits).filter(|key| key_len(etype) == Some(key.octets().len()));
                let key = key.ok_or((n, "expected a key of the length of its encryption type"))?;
                let principal = match user.split_once('\\') {
                    // What has no dot in it is not the name of a realm.
                    Some((realm, user)) if realm.contains('.') => format!("{user}@{realm}"),
                    Some((_, user)) => user.to_owned(),
                    None => user.to_owned(),
                };
                let principal = Some(principal);
                dump.kerberos.push(KerberosKey { principal, etype, kvno: None, key, from });
            }
            Line::Hash { user, digits } => {
                let hash = nt_hash(digits).ok_or((n, "expected an NT hash of 32 digits"))?;
                let secret = AccountSecret::NtHash(hash);
                let user = Some(user.to_owned());
                dump.accounts.push(Account { domain: None, user, secret, from });
            }
        }
        if dump.kerberos.len().saturating_add(dump.accounts.len()) > MAX_SECRETS {
            return Err((n, TOO_MANY));
        }
    }
    Ok(dump)
}

fn split(line: &str) -> Option<Line<'_>> {
    if line.starts_with('[') {
        return Some(Line::Heading);
    }
    let mut parts = line.split(':');
    let (user, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if user.is_empty() {
        return None;
    }
    let etype = ETYPES.iter().find(|(name, _)| *name == second).map(|(_, etype)| *etype);
    if etype.is_some() || second == DES {
        return parts.next().is_none().then_some(Line::Key { user, etype, digits: third });
    }
    let digits = parts.next()?;
    second.parse::<u32>().ok()?;
    Some(Line::Hash { user, digits })
}

#[cfg(test)]
#[path = "tests/dump.rs"]
mod tests;
