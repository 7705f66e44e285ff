//! Which keys may open what is sealed for somebody: those of a keytab, and those that passwords make.
//!
//! They are only tried here: whether one fits, its checksum says.

use super::crypto::{self, Etype, Key};
use super::message::{Salt, Sealed};
use crate::security::Secret;
use crate::security::keys::{AccountSecret, KerberosKey, Keyring, same};

/// Keys that are tried on one message. Added by [`Tries::one`].
const TRIES_MAX: usize = 1024;
/// Keys that are made of passwords for one message, each of which takes a thousand times as long.
const PASSWORDS_MAX: usize = 64;

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
}

/// Tries all there is on `sealed`, the likely first; `open` gives something where the key is right.
pub(super) fn search<T>(
    keys: &Keyring,
    owner: &Owner<'_>,
    sealed: &Sealed<'_>,
    mut open: impl FnMut(&Key) -> Option<T>,
) -> Found<T> {
    let mut tries = Tries { left: TRIES_MAX, open: &mut open };
    let opened =
        tries.kerberos(keys, owner, sealed).or_else(|| tries.accounts(keys, owner, sealed));
    let tried = if opened.is_some() { Vec::new() } else { tried(keys, owner, sealed) };
    Found { opened, tried }
}

struct Tries<'o, T> {
    left: usize,
    open: &'o mut dyn FnMut(&Key) -> Option<T>,
}

impl<T> Tries<'_, T> {
    fn one(&mut self, etype: Etype, secret: &Secret) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        (self.open)(&Key::new(etype, secret.clone())?)
    }

    fn kerberos(&mut self, keys: &Keyring, owner: &Owner<'_>, sealed: &Sealed<'_>) -> Option<T> {
        let mut fit: Vec<&KerberosKey> =
            keys.kerberos().iter().filter(|key| key.etype == sealed.etype.0).collect();
        fit.sort_by_key(|key| {
            let version = key.kvno.is_some() && key.kvno == sealed.kvno;
            (!owner.is(key.principal.as_deref()), !version)
        });
        fit.into_iter().find_map(|key| self.one(sealed.etype, &key.key))
    }

    fn accounts(&mut self, keys: &Keyring, owner: &Owner<'_>, sealed: &Sealed<'_>) -> Option<T> {
        let mut passwords = PASSWORDS_MAX;
        for (place, account) in keys.all_accounts().iter().enumerate() {
            let user = account.user.as_deref();
            let its = user.is_none_or(|user| same(user, owner.name));
            if !its && !owner.any_account {
                continue;
            }
            let etype = sealed.etype;
            match &account.secret {
                AccountSecret::NtHash(hash) if etype == Etype::RC4 => {
                    if let Some(opened) = self.one(etype, hash) {
                        return Some(opened);
                    }
                }
                AccountSecret::NtHash(_) => {}
                AccountSecret::Password(password) => {
                    let told = owner.salts.iter().filter(|salt| its && salt.etype == etype);
                    let told = told.filter_map(|salt| Some((salt.octets.clone()?, salt.rounds)));
                    let usual = owner.usual_salts(user).into_iter().map(|salt| (salt, None));
                    for (salt, rounds) in told.chain(usual) {
                        passwords = passwords.checked_sub(1)?;
                        let key = keys.derived(place, etype.0, &salt, rounds, || {
                            let key =
                                crypto::string_to_key(etype, password.octets(), &salt, rounds)?;
                            Some(key.secret().clone())
                        });
                        if let Some(opened) = key.and_then(|key| self.one(etype, &key)) {
                            return Some(opened);
                        }
                        if etype == Etype::RC4 {
                            break;
                        }
                    }
                }
            }
        }
        None
    }
}

impl Owner<'_> {
    /// Whether this principal is the owner; one that is not told may be.
    fn is(&self, principal: Option<&str>) -> bool {
        principal.is_none_or(|principal| match principal.rsplit_once('@') {
            Some((name, realm)) => same(name, self.name) && same(realm, self.realm),
            None => same(principal, self.name),
        })
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

/// What was tried in vain.
fn tried(keys: &Keyring, owner: &Owner<'_>, sealed: &Sealed<'_>) -> Vec<String> {
    let mut tried = Vec::new();
    let of_type = keys.kerberos().iter().filter(|key| key.etype == sealed.etype.0);
    let count = of_type.clone().take(TRIES_MAX).count();
    let named = |key: &&KerberosKey| key.principal.is_some() && owner.is(key.principal.as_deref());
    let mut versions = of_type.clone().filter(named).filter_map(|key| Some((key.kvno?, key)));
    let of_owner = keys.kerberos().iter().find(named);
    if let Some((kvno, key)) = versions.find(|(kvno, _)| Some(*kvno) != sealed.kvno) {
        tried.push(format!("{} has kvno {kvno}", key.from));
    } else if let Some(key) = of_owner.filter(|_| !of_type.clone().any(|key| named(&key))) {
        tried.push(format!("{} has no key of that encryption type for it", key.from));
    }
    if count == 0 && !keys.kerberos().is_empty() && tried.is_empty() {
        tried.push("no key that was given is of that encryption type".to_owned());
    } else if count == 1 {
        tried.push("the one key of that encryption type does not open it".to_owned());
    } else if count > 1 {
        tried.push(format!("none of the {count} keys of that encryption type opens it"));
    }
    let its = |user: &Option<String>| {
        owner.any_account || user.as_deref().is_none_or(|user| same(user, owner.name))
    };
    let accounts = keys.all_accounts().iter().filter(|account| its(&account.user)).count();
    if accounts > 0 {
        tried.push(match (accounts, owner.any_account) {
            (1, false) => "the secret that was given for it does not open it".to_owned(),
            (1, true) => "the one secret of an account does not open it".to_owned(),
            (n, _) => format!("none of the {n} secrets of accounts opens it"),
        });
    }
    tried
}
