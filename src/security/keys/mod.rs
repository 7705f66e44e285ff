//! [`Keyring`]: what somebody has given to open what is sealed, and what that has opened on the way.
//!
//! It says which secrets fit a user, a service or a session; whether one really does, only a checksum
//! tells. Secrets come in files: of keys ([`mod@file`]), and keytabs ([`keytab`]). Both are read from their
//! octets; who opens files is elsewhere.

mod dump;
pub mod file;
pub mod keytab;
mod lines;
mod recent;
#[cfg(test)]
#[path = "tests/ring.rs"]
mod tests;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

use super::Secret;
pub(crate) use recent::Recent;

/// Secrets of a file of keys.
const MAX_SECRETS: usize = 1 << 16;
/// What is said of a file with more.
const TOO_MANY: &str = "expected at most 65536 secrets";
/// Tickets that are remembered, of each kind; the oldest makes room.
const TICKETS_MAX: usize = 4096;
/// Keys made of passwords that are remembered; the oldest makes room, and is made again.
const DERIVED_MAX: usize = 1024;
/// Rounds of PBKDF2 that all keys made of passwords may take, some tens of seconds: what asks for them
/// is a capture, and nobody has proved it. Ordinary logons take eight thousand each.
pub(crate) const ROUNDS_MAX: u64 = 1 << 26;

/// The digest of the sealed part of a ticket.
pub type TicketId = [u8; 32];

/// All secrets there are.
#[derive(Debug, Default)]
pub struct Keyring {
    accounts: Vec<Account>,
    kerberos: Vec<KerberosKey>,
    /// By `SessionId`.
    smb: FxHashMap<u64, Vec<SmbKey>>,
    /// Session keys of tickets that a KDC was seen to give. Added by [`Keyring::learn`].
    learned: Mutex<Recent<TicketId, (i32, Secret), TICKETS_MAX>>,
    /// Tickets that a KDC was seen to give. Added by [`Keyring::see_given`].
    given: Mutex<Recent<TicketId, Given, TICKETS_MAX>>,
    /// Tickets that the secrets here were tried on. Added by [`Keyring::see_sought`]; forgotten where
    /// secrets are added.
    sought: Mutex<Recent<TicketId, Sought, TICKETS_MAX>>,
    /// What passwords were made into, which takes long. Added by [`Keyring::see_derived`].
    derived: Mutex<Recent<DerivedFrom, Secret, DERIVED_MAX>>,
    /// Rounds that were taken of [`ROUNDS_MAX`].
    spent: AtomicU64,
}

/// A ticket that a KDC was seen to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// To whom: `user@REALM`, where that is told.
    pub client: Option<String>,
    /// Why the KDC's answer does not give its session key, as half a sentence.
    pub closed: Option<String>,
}

/// What came of trying all secrets on a ticket.
#[derive(Clone, Debug)]
pub enum Sought {
    /// It is opened.
    Opened {
        /// Encryption type of its session key.
        etype: i32,
        /// Its session key.
        key: Secret,
        /// Whom it is of: `user@REALM`.
        client: String,
    },
    /// It is not; what was tried, as half sentences.
    Closed(Vec<String>),
}

/// What makes a key of a password.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DerivedFrom {
    /// Place in [`Keyring::all_accounts`].
    pub account: usize,
    /// Encryption type.
    pub etype: i32,
    /// Salt.
    pub salt: Vec<u8>,
    /// Rounds of PBKDF2.
    pub rounds: u32,
}

/// The secret of a user.
#[derive(Clone, Debug)]
pub struct Account {
    /// Domain or realm; `None` is any.
    pub domain: Option<String>,
    /// User; `None` is any.
    pub user: Option<String>,
    /// What is known.
    pub secret: AccountSecret,
    /// Who gave it, such as `--password-file pw.txt` or `lab.toml, line 2`.
    pub from: String,
}

/// What is known of a user.
#[derive(Clone, Debug)]
pub enum AccountSecret {
    /// The password, in UTF-8.
    Password(Secret),
    /// The NT hash, 16 octets: MD4 of the password in UTF-16, little-endian.
    NtHash(Secret),
}

/// A long-term key of Kerberos, of a service or a user.
#[derive(Clone, Debug)]
pub struct KerberosKey {
    /// `cifs/fs1.lab` or `user`, with `@REALM` where that is known; `None` is any.
    pub principal: Option<String>,
    /// Encryption type (RFC 3961).
    pub etype: i32,
    /// Key version; `None` is any.
    pub kvno: Option<u32>,
    /// The key.
    pub key: Secret,
    /// Who gave it.
    pub from: String,
}

/// The key of an SMB session.
#[derive(Clone, Debug)]
pub struct SmbKey {
    /// `SessionId`.
    pub session_id: u64,
    /// What is known.
    pub secret: SmbSecret,
    /// Who gave it.
    pub from: String,
}

/// What is known of an SMB session.
#[derive(Clone, Debug)]
pub enum SmbSecret {
    /// The session key: \[MS-SMB2\] 3.3.1.8 `Session.FullSessionKey`, 16 or 32 octets.
    Session(Secret),
    /// The keys that encrypt, 16 or 32 octets each; one may be missing, if it is given elsewhere.
    Directions {
        /// What the client sends.
        client_to_server: Option<Secret>,
        /// What the server sends.
        server_to_client: Option<Secret>,
    },
}

impl Keyring {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.kerberos.is_empty() && self.smb.is_empty()
    }

    /// How many secrets are in it.
    pub fn len(&self) -> usize {
        [self.accounts.len(), self.kerberos.len()]
            .into_iter()
            .chain(self.smb.values().map(Vec::len))
            .fold(0, usize::saturating_add)
    }

    /// Adds all that is in another.
    pub fn add_all(&mut self, other: Self) {
        self.seek_anew();
        self.accounts.extend(other.accounts);
        self.kerberos.extend(other.kerberos);
        for (session, keys) in other.smb {
            self.smb.entry(session).or_default().extend(keys);
        }
    }

    /// A ring with the secrets of both. What was learned on the way is left out: whoever reads a
    /// capture again learns it again.
    #[must_use]
    pub fn with(&self, more: Self) -> Self {
        let mut both = Self {
            accounts: self.accounts.clone(),
            kerberos: self.kerberos.clone(),
            smb: self.smb.clone(),
            ..Self::default()
        };
        both.add_all(more);
        both
    }

    /// Adds the secret of a user; one that is called `DOMAIN\user` or `user@REALM` is `user` of that
    /// domain.
    pub fn add_account(&mut self, mut account: Account) {
        let some = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
        if let (None, Some(whole)) = (&account.domain, &account.user) {
            if let Some((domain, user)) = whole.split_once('\\') {
                (account.domain, account.user) = (some(domain), some(user));
            } else if let Some((user, realm)) = split(whole) {
                (account.domain, account.user) = (some(realm), some(user));
            }
        }
        self.seek_anew();
        self.accounts.push(account);
    }

    /// Adds a key of Kerberos.
    pub fn add_kerberos(&mut self, key: KerberosKey) {
        self.seek_anew();
        self.kerberos.push(key);
    }

    /// What was tried in vain may be opened by what is added.
    fn seek_anew(&mut self) {
        if let Ok(sought) = self.sought.get_mut() {
            sought.clear();
        }
    }

    /// Adds the key of an SMB session.
    pub fn add_smb(&mut self, key: SmbKey) {
        self.smb.entry(key.session_id).or_default().push(key);
    }

    /// The accounts that may be `user` of `domain`, those that name it first; without a domain, the
    /// user may be `user@REALM`.
    pub fn accounts(&self, domain: &str, user: &str) -> Vec<&Account> {
        let whole = user;
        let upn = if domain.is_empty() { split(user) } else { None };
        let (user, domain) = upn.unwrap_or((user, domain));
        // A user is known by NetBIOS name or realm; one of them is not always told.
        let of_domain =
            |account: &Account| account.domain.as_deref().is_none_or(|given| same(given, domain));
        // The accounts of that user whose domain is called otherwise are taken, too: a realm has two
        // names.
        let mut found: Vec<_> = self
            .accounts
            .iter()
            .filter(|account| match account.user.as_deref() {
                Some(given) => same(given, user) || same(given, whole),
                None => of_domain(account),
            })
            .collect();
        found.sort_by_key(|account| {
            (account.user.is_none(), account.domain.is_none(), !of_domain(account))
        });
        found
    }

    /// All accounts.
    pub fn all_accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// All keys of Kerberos.
    pub fn kerberos(&self) -> &[KerberosKey] {
        &self.kerberos
    }

    /// The keys given for an SMB session.
    pub fn smb(&self, session_id: u64) -> impl Iterator<Item = &SmbKey> {
        self.smb.get(&session_id).into_iter().flatten()
    }

    /// The SMB session that a key was given for, the lowest number if there are several.
    pub fn smb_session(&self) -> Option<u64> {
        self.smb.keys().min().copied()
    }

    /// Remembers the session key of a ticket, by the octets of its sealed part.
    pub fn learn(&self, ticket: &[u8], etype: i32, key: Secret) {
        if let Ok(mut learned) = self.learned.lock() {
            learned.remember(id(ticket), (etype, key));
        }
    }

    /// The session key of a ticket, if a KDC was seen to give it.
    pub fn learned(&self, ticket: &[u8]) -> Option<(i32, Secret)> {
        self.learned.lock().ok()?.get(&id(ticket)).cloned()
    }

    /// Remembers to whom a KDC gave a ticket.
    pub fn see_given(&self, ticket: &[u8], given: Given) {
        if let Ok(mut all) = self.given.lock() {
            all.remember(id(ticket), given);
        }
    }

    /// To whom a KDC was seen to give a ticket.
    pub fn given(&self, ticket: &[u8]) -> Option<Given> {
        self.given.lock().ok()?.get(&id(ticket)).cloned()
    }

    /// Remembers what came of a ticket, by all of it that was looked at.
    pub fn see_sought(&self, ticket: &[&[u8]], sought: Sought) {
        if let Ok(mut all) = self.sought.lock() {
            all.remember(id_of(ticket), sought);
        }
    }

    /// What came of a ticket.
    pub fn sought(&self, ticket: &[&[u8]]) -> Option<Sought> {
        self.sought.lock().ok()?.get(&id_of(ticket)).cloned()
    }

    /// What the password of the account at this place of [`Keyring::all_accounts`] was made into, with
    /// this encryption type, salt and number of rounds.
    pub fn derived(&self, from: &DerivedFrom) -> Option<Secret> {
        self.derived.lock().ok()?.get(from).cloned()
    }

    /// Remembers it, so that it is made once.
    pub fn see_derived(&self, from: DerivedFrom, made: Secret) {
        if let Ok(mut derived) = self.derived.lock() {
            derived.remember(from, made);
        }
    }

    /// Takes so many rounds of what all may cost; `false` if they are not left. What the capture asked for
    /// (`told`) has no more than half of it, so that nothing in it keeps from trying what is usual.
    pub fn spend(&self, rounds: u64, told: bool) -> bool {
        let most = if told { ROUNDS_MAX / 2 } else { ROUNDS_MAX };
        let more = |spent: u64| spent.checked_add(rounds).filter(|spent| *spent <= most);
        self.spent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }
}

/// A name and the realm behind it.
pub(crate) fn split(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('@').filter(|(user, realm)| !user.is_empty() && !realm.is_empty())
}

pub(super) fn id(ticket: &[u8]) -> TicketId {
    Sha256::digest(ticket).into()
}

/// The digest of several parts, each with its length.
fn id_of(parts: &[&[u8]]) -> TicketId {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

/// Why secrets could not be taken, in a clause that names where they are and what was expected, and
/// shows none of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeysError(String);

/// Octets of a key of this encryption type, where it is known: RFC 3961, RFC 3962, RFC 4757, RFC 8009.
fn key_len(etype: i32) -> Option<usize> {
    Some(match etype {
        1..=3 => 8,
        16 => 24,
        17 | 19 | 23 | 24 => 16,
        18 | 20 => 32,
        _ => return None,
    })
}

/// The octets of hexadecimal digits.
pub fn octets(digits: &str) -> Option<Secret> {
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let mut found = Vec::with_capacity(digits.len() / 2);
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    for [high, low] in pairs {
        found.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(Secret::new(found))
}

/// An NT hash of 32 hexadecimal digits.
pub fn nt_hash(digits: &str) -> Option<Secret> {
    octets(digits).filter(|hash| hash.octets().len() == 16)
}

/// The key of an SMB session, or of one direction of it: 32 or 64 hexadecimal digits.
pub fn smb_key(digits: &str) -> Option<Secret> {
    octets(digits).filter(|key| matches!(key.octets().len(), 16 | 32))
}

/// A `SessionId`: behind `0x` the number, as it is shown here; else its eight octets in the order in
/// which they travel, as Samba logs them and Wireshark's table takes them.
pub fn session_id(digits: &str) -> Option<u64> {
    let number = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    if let Some(number) = number {
        let whole = matches!(number.len(), 1..=16);
        let number = Some(number).filter(|n| whole && n.bytes().all(|c| c.is_ascii_hexdigit()))?;
        return u64::from_str_radix(number, 16).ok();
    }
    let octets = octets(digits)?;
    Some(u64::from_le_bytes(octets.octets().try_into().ok()?))
}

/// Whether two names are the same: case does not matter.
pub(crate) fn same(a: &str, b: &str) -> bool {
    // No copy is made: it is asked for each of many keys.
    a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase))
}
