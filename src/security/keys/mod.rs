//! [`Keyring`]: what somebody has given to open what is sealed, and what that has opened on the way.
//!
//! It says which secrets fit a user, a service or a session; whether one really does, only a checksum
//! tells. Secrets come in files: of keys ([`file`]), and keytabs ([`keytab`]). Both are read from their
//! octets; who opens files is elsewhere.

pub mod file;
pub mod keytab;
mod lines;

use std::sync::Mutex;

use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

use super::Secret;

/// Secrets of a file of keys.
const MAX_SECRETS: usize = 1 << 16;
/// What is said of a file with more.
const TOO_MANY: &str = "expected at most 65536 secrets";
/// Tickets whose session keys are remembered; beyond it no more are learned.
const TICKETS_MAX: usize = 4096;
/// Keys made of passwords that are remembered; beyond it they are made again.
const DERIVED_MAX: usize = 1024;
/// Octets of a salt; one that is longer is nobody's.
const SALT_MAX: usize = 1024;

/// The digest of the sealed part of a ticket.
type TicketId = [u8; 32];
/// Place of the account, encryption type, salt, rounds.
type DerivedFrom = (usize, i32, Vec<u8>, Option<u32>);

/// All secrets there are.
#[derive(Debug, Default)]
pub struct Keyring {
    accounts: Vec<Account>,
    kerberos: Vec<KerberosKey>,
    /// By `SessionId`.
    smb: FxHashMap<u64, Vec<SmbKey>>,
    /// Session keys of tickets that a KDC was seen to give. Added by [`Keyring::learn`] up to
    /// [`TICKETS_MAX`]; never removed.
    learned: Mutex<FxHashMap<TicketId, (i32, Secret)>>,
    /// Tickets that a KDC was seen to give. Added by [`Keyring::see_given`] up to [`TICKETS_MAX`];
    /// never removed.
    given: Mutex<FxHashMap<TicketId, Given>>,
    /// What passwords were made into, which takes long. Added by [`Keyring::derived`] up to
    /// [`DERIVED_MAX`]; never removed.
    derived: Mutex<FxHashMap<DerivedFrom, Option<Secret>>>,
}

/// A ticket that a KDC was seen to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// To whom: `user@REALM`, where that is told.
    pub client: Option<String>,
    /// Why the KDC's answer does not give its session key, as half a sentence.
    pub closed: Option<String>,
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
    /// Who gave it, such as `--password-file pw.txt` or `lab.toml, password 2`.
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
    /// The keys that encrypt, 16 or 32 octets each; one may be missing.
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

    /// Adds the secret of a user.
    pub fn add_account(&mut self, account: Account) {
        self.accounts.push(account);
    }

    /// Adds a key of Kerberos.
    pub fn add_kerberos(&mut self, key: KerberosKey) {
        self.kerberos.push(key);
    }

    /// Adds the key of an SMB session.
    pub fn add_smb(&mut self, key: SmbKey) {
        self.smb.entry(key.session_id).or_default().push(key);
    }

    /// The accounts that may be `user` of `domain`, those that name it first.
    pub fn accounts(&self, domain: &str, user: &str) -> Vec<&Account> {
        // A user is known by NetBIOS name or realm; one of them is not always told.
        let fits = |given: &Option<String>, told: &str| {
            given.as_deref().is_none_or(|given| same(given, told))
        };
        let mut found: Vec<_> = self
            .accounts
            .iter()
            .filter(|account| fits(&account.user, user) && fits(&account.domain, domain))
            .collect();
        // Next the accounts of that user whose domain is called otherwise: a realm has two names.
        found.extend(self.accounts.iter().filter(|account| {
            account.user.as_deref().is_some_and(|given| same(given, user))
                && !fits(&account.domain, domain)
        }));
        found.sort_by_key(|account| (account.user.is_none(), account.domain.is_none()));
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

    /// Remembers the session key of a ticket, by the octets of its sealed part.
    pub fn learn(&self, ticket: &[u8], etype: i32, key: Secret) {
        let Ok(mut learned) = self.learned.lock() else { return };
        if learned.len() < TICKETS_MAX {
            learned.insert(id(ticket), (etype, key));
        }
    }

    /// The session key of a ticket, if a KDC was seen to give it.
    pub fn learned(&self, ticket: &[u8]) -> Option<(i32, Secret)> {
        self.learned.lock().ok()?.get(&id(ticket)).cloned()
    }

    /// Remembers to whom a KDC gave a ticket.
    pub fn see_given(&self, ticket: &[u8], given: Given) {
        let Ok(mut all) = self.given.lock() else { return };
        if all.len() < TICKETS_MAX {
            all.insert(id(ticket), given);
        }
    }

    /// To whom a KDC was seen to give a ticket.
    pub fn given(&self, ticket: &[u8]) -> Option<Given> {
        self.given.lock().ok()?.get(&id(ticket)).cloned()
    }

    /// What `make` makes of the password of the account at this place of [`Keyring::all_accounts`],
    /// made once for an encryption type, a salt and a number of rounds.
    pub fn derived(
        &self,
        account: usize,
        etype: i32,
        salt: &[u8],
        rounds: Option<u32>,
        make: impl FnOnce() -> Option<Secret>,
    ) -> Option<Secret> {
        if salt.len() > SALT_MAX {
            return None;
        }
        let from = (account, etype, salt.to_vec(), rounds);
        let known = self.derived.lock().ok()?.get(&from).cloned();
        if let Some(known) = known {
            return known;
        }
        let made = make();
        let mut derived = self.derived.lock().ok()?;
        if derived.len() < DERIVED_MAX {
            derived.insert(from, made.clone());
        }
        made
    }
}

fn id(ticket: &[u8]) -> TicketId {
    Sha256::digest(ticket).into()
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
pub(super) fn octets(digits: &str) -> Option<Secret> {
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
fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}
