//! Which keys may open what is sealed for somebody: those of a keytab, and those that passwords make.
//!
//! They are only tried here: whether one fits, its checksum says.

use super::crypto::{self, Etype, Key};
use super::message::{Salt, Sealed};
use crate::security::Secret;
use crate::security::keys::{
    Account, AccountSecret, DerivedFrom, KerberosKey, Keyring, ROUNDS_MAX, same, split,
};

/// Keys that are tried on one message, of those that were given and of those that accounts have, each.
const TRIES_MAX: usize = 1024;
/// Keys that are made of passwords for one message, each of which takes a thousand times as long.
const PASSWORDS_MAX: usize = 64;
/// Octets of a salt; one that is longer is nobody's.
const SALT_MAX: usize = 1024;

/// Somebody a message is sealed for: a service or a user.
#[derive(Clone, Debug)]
pub(super) struct Owner<'a> {
    /// `cifs/fs1.lab.example`
    pub(super) name: &'a str,
    pub(super) realm: &'a str,
    /// Whether any account may be behind the name, as behind that of a service.
    pub(super) any_account: bool,
    /// What a KDC has said of salts.
    pub(super) salts: &'a [Salt],
}

/// What opened something, or what was tried.
#[derive(Debug)]
pub(super) struct Found<T> {
    pub(super) opened: Option<T>,
    /// As half sentences.
    pub(super) tried: Vec<String>,
    /// What was not tried, as a half sentence, if anything was not.
    pub(super) untried: Option<String>,
}

/// Tries all there is on `sealed`, the likely first; `open` gives something where the key is right.
pub(super) fn search<T>(
    keys: &Keyring,
    owner: &Owner<'_>,
    sealed: &Sealed<'_>,
    mut open: impl FnMut(&Key) -> Option<T>,
) -> Found<T> {
    let mut tries = Tries {
        keys,
        owner,
        etype: sealed.etype,
        counts: Counts::default(),
        first: None,
        left: TRIES_MAX,
        passwords: PASSWORDS_MAX,
        open: &mut open,
    };
    let opened = tries.kerberos(sealed.kvno).or_else(|| tries.accounts());
    let (counts, first) = (tries.counts, tries.first);
    if opened.is_some() {
        return Found { opened, tried: Vec::new(), untried: None };
    }
    let mut tried = of_owner(keys, owner, sealed);
    tried.extend(counts.keys(first));
    tried.extend(counts.accounts(owner.any_account));
    let untried = counts.untried();
    tried.extend(untried.clone());
    Found { opened, tried, untried }
}

struct Tries<'o, T> {
    keys: &'o Keyring,
    owner: &'o Owner<'o>,
    etype: Etype,
    counts: Counts,
    /// The key that was tried first.
    first: Option<&'o KerberosKey>,
    /// Keys of accounts that may still be tried.
    left: usize,
    /// Those that may still be made.
    passwords: usize,
    open: &'o mut dyn FnMut(&Key) -> Option<T>,
}

/// How many there are, and how many of them were tried.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    keys: usize,
    keys_tried: usize,
    /// Secrets of accounts that keys of this type are made of.
    accounts: usize,
    accounts_tried: usize,
    /// NT hashes, of which no key of this type is made.
    hashes: usize,
    /// Whether all rounds are spent that there are for passwords.
    spent: bool,
    /// Whether a KDC told more rounds than are made.
    too_many: bool,
    /// Whether it told salts that were not tried any more.
    told_untried: bool,
}

impl<T> Tries<'_, T> {
    fn one(&mut self, secret: &Secret) -> Option<T> {
        (self.open)(&Key::new(self.etype, secret.clone())?)
    }

    fn kerberos(&mut self, kvno: Option<u32>) -> Option<T> {
        let all = self.keys.kerberos().iter();
        let mut fit: Vec<&KerberosKey> = all.filter(|key| key.etype == self.etype.0).collect();
        fit.sort_by_cached_key(|key| {
            let version = key.kvno.is_some() && key.kvno == kvno;
            (self.owner.rank(key.principal.as_deref()), !version)
        });
        self.counts.keys = fit.len();
        self.first = fit.first().copied();
        fit.into_iter().take(TRIES_MAX).find_map(|key| {
            self.counts.keys_tried = self.counts.keys_tried.saturating_add(1);
            self.one(&key.key)
        })
    }

    fn accounts(&mut self) -> Option<T> {
        let owner = self.owner;
        let all = self.keys.all_accounts().iter().enumerate();
        let mut fit: Vec<(usize, &Account)> = all
            .filter(|(_, account)| {
                owner.any_account || account.user.as_deref().is_none_or(|user| owner.is_user(user))
            })
            .collect();
        let hashes = |(_, account): &(usize, &Account)| {
            self.etype != Etype::RC4 && matches!(account.secret, AccountSecret::NtHash(_))
        };
        let before = fit.len();
        fit.retain(|account| !hashes(account));
        self.counts.accounts = fit.len();
        self.counts.hashes = before.saturating_sub(fit.len());
        fit.sort_by_cached_key(|(_, account)| owner.account_rank(account));
        fit.into_iter().find_map(|(place, account)| {
            let whole = self.counts.accounts_tried.saturating_add(1);
            let opened = match &account.secret {
                AccountSecret::NtHash(hash) => {
                    self.left = self.left.checked_sub(1)?;
                    self.one(hash)
                }
                AccountSecret::Password(password) if self.etype == Etype::RC4 => {
                    self.left = self.left.checked_sub(1)?;
                    let key = crypto::string_to_key(self.etype, password.octets(), &[], None);
                    key.and_then(|key| self.one(key.secret()))
                }
                AccountSecret::Password(password) => {
                    match self.password(place, account, password) {
                        (None, false) => return None,
                        (opened, _) => opened,
                    }
                }
            };
            self.counts.accounts_tried = whole;
            opened
        })
    }

    /// Tries the keys that a password makes with all salts it may have; and whether these were all.
    fn password(
        &mut self,
        place: usize,
        account: &Account,
        password: &Secret,
    ) -> (Option<T>, bool) {
        if self.left == 0 {
            return (None, false);
        }
        let (owner, etype) = (self.owner, self.etype);
        let user = account.user.as_deref();
        let its = user.is_none_or(|user| owner.is_user(user));
        let told = owner.salts.iter().filter(|salt| its && salt.etype == etype);
        let told = told.filter_map(|salt| Some((salt.octets.clone()?, salt.rounds, true)));
        let usual = owner.usual_salts(user).into_iter().map(|salt| (salt, None, false));
        let mut all = true;
        let all_salts = told.chain(usual).filter(|(salt, ..)| salt.len() <= SALT_MAX);
        for (salt, rounds, told) in all_salts {
            let Some(rounds) = crypto::rounds(etype, rounds) else {
                self.counts.too_many |= rounds.is_some();
                continue;
            };
            let from = DerivedFrom { account: place, etype: etype.0, salt, rounds };
            match self.derived(from, password, told) {
                Some(key) => {
                    if let Some(opened) = self.one(&key) {
                        return (Some(opened), true);
                    }
                }
                // What is usual may be tried, still.
                None if told => self.counts.told_untried = true,
                None => all = false,
            }
        }
        (None, all)
    }

    /// The key that a password makes, with what a KDC `told` or what is usual; `None` if it is not made
    /// any more.
    fn derived(&mut self, from: DerivedFrom, password: &Secret, told: bool) -> Option<Secret> {
        self.left = self.left.checked_sub(1)?;
        if let Some(known) = self.keys.derived(&from) {
            return Some(known);
        }
        let left = self.passwords.checked_sub(1)?;
        if !self.keys.spend(crypto::work(self.etype, from.rounds), told) {
            self.counts.spent = true;
            return None;
        }
        self.passwords = left;
        let rounds = Some(from.rounds);
        let key = crypto::string_to_key(self.etype, password.octets(), &from.salt, rounds)?;
        let key = key.secret().clone();
        self.keys.see_derived(from, key.clone());
        Some(key)
    }
}

impl Owner<'_> {
    /// Whether this principal is the owner.
    fn is(&self, principal: &str) -> bool {
        match split(principal) {
            Some((name, realm)) => same(name, self.name) && same(realm, self.realm),
            None => same(principal, self.name),
        }
    }

    /// Whether this user is the owner, who may be called as `user@realm`.
    fn is_user(&self, user: &str) -> bool {
        same(user, self.name) || split(self.name).is_some_and(|(name, _)| same(user, name))
    }

    /// Whether this is the account of the machine that a service is on: `FS1$` of `cifs/fs1.lab`.
    fn is_machine(&self, user: &str) -> bool {
        let host =
            self.name.split_once('/').and_then(|(_, host)| host.split(['/', ':', '.']).next());
        let machine = user.strip_suffix('$').filter(|machine| !machine.is_empty());
        machine.zip(host).is_some_and(|(machine, host)| same(machine, host))
    }

    /// How likely a key is the owner's, the likely first: its own, the machine's, anybody's.
    fn rank(&self, principal: Option<&str>) -> u8 {
        let Some(principal) = principal else { return 2 };
        let (name, realm) = split(principal).unwrap_or((principal, self.realm));
        if self.is(principal) {
            0
        } else if self.is_machine(name) && same(realm, self.realm) {
            1
        } else {
            3
        }
    }

    /// The same of an account.
    fn account_rank(&self, account: &Account) -> (u8, u8) {
        let name = match account.user.as_deref() {
            Some(user) if self.is_user(user) || self.is_machine(user) => 0,
            Some(_) => 1,
            None => 2,
        };
        let realm = match account.domain.as_deref() {
            Some(domain) if same(domain, self.realm) => 0,
            None => 1,
            Some(_) => 2,
        };
        (name, realm)
    }

    /// RFC 4120 4, \[MS-KILE\] 3.1.1.2: the salts of accounts that were given none of their own.
    fn usual_salts(&self, user: Option<&str>) -> Vec<Vec<u8>> {
        let Self { realm, .. } = self;
        let mut salts = Vec::new();
        let mut add = |salt: String| salts.push(salt.into_bytes());
        if let Some(machine) = user.and_then(|user| user.strip_suffix('$')) {
            let (machine, domain) = (machine.to_lowercase(), realm.to_lowercase());
            add(format!("{realm}host{machine}.{domain}"));
        }
        // A service runs on the machine that its name has, and often as that machine.
        if let Some((_, host)) = self.name.split_once('/')
            && user.is_none_or(|user| user.ends_with('$'))
        {
            let host = host.split(['/', ':']).next().unwrap_or_default();
            add(format!("{realm}host{}", host.to_lowercase()));
        }
        match user {
            Some(user) => {
                add(format!("{realm}{user}"));
                // The KDC's own spelling of the name makes the salt.
                if same(user, self.name) {
                    add(format!("{realm}{}", self.name));
                }
            }
            None => add(format!("{realm}{}", self.name.replace('/', ""))),
        }
        salts.dedup();
        salts
    }
}

/// A key, without its secret.
fn shown(KerberosKey { principal, kvno, from, .. }: &KerberosKey) -> String {
    let of = principal.as_deref().unwrap_or("nobody in particular");
    let kvno = kvno.map_or_else(String::new, |kvno| format!(", kvno {kvno}"));
    format!("that of {of}{kvno} ({from})")
}

/// What is wrong with the keys that were given for the owner.
fn of_owner(keys: &Keyring, owner: &Owner<'_>, sealed: &Sealed<'_>) -> Vec<String> {
    let named = |key: &&KerberosKey| key.principal.as_deref().is_some_and(|name| owner.is(name));
    let its = || keys.kerberos().iter().filter(named);
    let mut of_type = its().filter(|key| key.etype == sealed.etype.0).peekable();
    if of_type.peek().is_none() {
        let fits = |key: &&KerberosKey| key.etype == sealed.etype.0;
        let told = match (its().next(), keys.kerberos().iter().find(fits)) {
            (Some(key), _) => {
                Some(format!("{} has no key of that encryption type for it", key.from))
            }
            (None, None) if !keys.kerberos().is_empty() => {
                Some("no key that was given is of that encryption type".to_owned())
            }
            _ => None,
        };
        return told.into_iter().collect();
    }
    let version =
        of_type.find_map(|key| Some((key.kvno.filter(|v| Some(*v) != sealed.kvno)?, key)));
    let version = version.map(|(kvno, key)| format!("{} has kvno {kvno}", key.from));
    version.into_iter().collect()
}

/// What was tried in vain, as half sentences.
impl Counts {
    fn keys(&self, first: Option<&KerberosKey>) -> Option<String> {
        let first = shown(first?);
        Some(match (self.keys_tried, self.keys) {
            (0, _) => return None,
            (1, 1) => format!("the one key of that encryption type does not open it: {first}"),
            (n, all) if n == all => {
                format!(
                    "none of the {n} keys of that encryption type opens it, the first is {first}"
                )
            }
            (n, all) => format!(
                "the first {n} of {all} keys of that encryption type do not open it, the first is \
                 {first}"
            ),
        })
    }

    fn accounts(&self, any_account: bool) -> Option<String> {
        Some(match (self.accounts_tried, self.accounts) {
            (0, 0) if self.hashes > 0 => "an NT hash is no key of that encryption type".to_owned(),
            (0, _) => return None,
            (1, 1) if any_account => "the one secret of an account does not open it".to_owned(),
            (1, 1) => "the secret that was given for it does not open it".to_owned(),
            (n, all) if n == all => format!("none of the {n} secrets of accounts opens it"),
            // [`Counts::untried`] says so.
            _ => return None,
        })
    }

    fn untried(&self) -> Option<String> {
        let Self { accounts: all, accounts_tried: tried, .. } = *self;
        if tried < all {
            let mut untried = format!("of {all} secrets of accounts the first {tried} were tried");
            if self.spent {
                let rounds =
                    format!(", and no further: all {ROUNDS_MAX} rounds of PBKDF2 are spent");
                untried.push_str(&rounds);
            }
            return Some(untried);
        }
        if self.told_untried {
            let half = ROUNDS_MAX / 2;
            return Some(format!(
                "not all salts that KDCs told were tried: {half} rounds of PBKDF2 are spent"
            ));
        }
        let told = "the KDC told more rounds of PBKDF2 than are made";
        self.too_many.then(|| told.to_owned())
    }
}
