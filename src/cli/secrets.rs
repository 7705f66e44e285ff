//! The secrets that open what is sealed: where they come from, and the one ring they go into.
//!
//! INVARIANT: no secret is in an error, a warning, or what [`Debug`](std::fmt::Debug) shows.

use std::convert::Infallible;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, bail};
use vshark::security::Secret;
use vshark::security::keys::{
    Account, AccountSecret, Keyring, SmbKey, SmbSecret, file, keytab, nt_hash, session_id, smb_key,
};
use zeroize::Zeroizing;

use super::say;

/// Octets of a file of secrets.
const MAX_FILE: u64 = 16 << 20;
/// Passwords of a file.
const MAX_PASSWORDS: usize = 1 << 16;
/// Names a file of keys that is used, too.
const VARIABLE: &str = "VSHARK_KEYS";
/// What the octets of a text in UTF-16 begin with; Windows' shells write such files.
const UTF16: [([u8; 2], Unit); 2] =
    [([0xff, 0xfe], u16::from_le_bytes), ([0xfe, 0xff], u16::from_be_bytes)];

/// A unit of such a text of its two octets.
type Unit = fn([u8; 2]) -> u16;

/// Secrets that open what is sealed.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Secrets {
    /// File of secrets (TOML): `[[password]]`, `[[keytab]]`, `[[kerberos_key]]`, `[[smb_session]]`;
    /// or lines of Wireshark's `smb2_seskey_list`, or of impacket's secretsdump. The file that the
    /// variable `VSHARK_KEYS` names is taken, too. Like the options below it may be repeated
    #[arg(long, value_name = "FILE", global = true, help_heading = HEADING)]
    keys: Vec<PathBuf>,
    /// Keytab with the Kerberos keys of the file server's account, or of users
    #[arg(long, value_name = "FILE", global = true, help_heading = HEADING)]
    keytab: Vec<PathBuf>,
    /// File of passwords: each line is one, to its end, and is tried for everyone
    #[arg(long, value_name = "FILE", global = true, help_heading = HEADING)]
    password_file: Vec<PathBuf>,
    /// Password of a user, such as `FSLAB\fsadmin%secret`; of everyone: `%secret`. While vshark runs,
    /// other users of the machine can see it, as with the two options below
    #[arg(
        long,
        value_name = "[DOMAIN\\]USER%PASSWORD",
        global = true,
        allow_hyphen_values = true,
        help_heading = HEADING
    )]
    password: Vec<Hidden>,
    /// NT hash of a user's password, 32 hexadecimal digits; without a user it is tried for everyone
    #[arg(
        long,
        value_name = "[[DOMAIN\\]USER:]HEX",
        global = true,
        allow_hyphen_values = true,
        help_heading = HEADING
    )]
    nt_hash: Vec<Hidden>,
    /// Key of an SMB session, 32 or 64 hexadecimal digits, behind the session's id: `0x…` as vshark
    /// shows it, or 16 digits in the order of the wire
    #[arg(
        long,
        value_name = "SID=HEX",
        global = true,
        allow_hyphen_values = true,
        help_heading = HEADING
    )]
    smb_key: Vec<Hidden>,
}

const HEADING: &str = "Secrets, which open what is sealed";

/// What was typed, with a secret in it.
#[derive(Clone)]
struct Hidden(Zeroizing<String>);

impl FromStr for Hidden {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

/// What was found in files.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The secrets.
    pub(super) ring: Keyring,
    /// What of them could not be read, in sentences.
    pub(super) damaged: Vec<String>,
}

/// All secrets that were given; says what people should know of that.
pub(super) fn keyring(given: &Secrets) -> anyhow::Result<Arc<Keyring>> {
    let mut found = Found::default();
    if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        found.add(Path::new(&path)).context(VARIABLE)?;
    }
    for path in &given.keys {
        found.add(path).context("--keys")?;
    }
    for path in &given.keytab {
        found.add_keytab(path).context("--keytab")?;
    }
    for path in &given.password_file {
        found.add_passwords(path).context("--password-file")?;
    }
    let Found { mut ring, damaged } = found;
    for sentence in damaged {
        say(&sentence);
    }
    typed("--password", &given.password, account, &mut ring)?;
    typed("--nt-hash", &given.nt_hash, hash, &mut ring)?;
    typed("--smb-key", &given.smb_key, session, &mut ring)?;
    let visible = [
        ("--password", &given.password),
        ("--nt-hash", &given.nt_hash),
        ("--smb-key", &given.smb_key),
    ];
    let visible: Vec<_> =
        visible.into_iter().filter(|(_, of)| !of.is_empty()).map(|(name, _)| name).collect();
    if !visible.is_empty() {
        say(&format!(
            "{}: while vshark runs, other users of this machine can see what is on its command line; \
             --keys takes the same from a file",
            visible.join(", ")
        ));
    }
    Ok(Arc::new(ring))
}

/// What one option gave, each time it was typed.
fn typed(
    option: &'static str,
    all: &[Hidden],
    add: fn(&str, &mut Keyring) -> anyhow::Result<()>,
    ring: &mut Keyring,
) -> anyhow::Result<()> {
    all.iter().try_for_each(|one| add(&one.0, ring).context(option))
}

/// `[DOMAIN\]USER%PASSWORD`
fn account(text: &str, ring: &mut Keyring) -> anyhow::Result<()> {
    let given = text.split_once('%').filter(|(_, password)| !password.is_empty());
    let Some((user, password)) = given else {
        bail!("expected [DOMAIN\\]USER%PASSWORD, or %PASSWORD for everyone");
    };
    let secret = AccountSecret::Password(Secret::from(password.as_bytes()));
    ring.add_account(named(user, secret, "--password"));
    Ok(())
}

/// `[[DOMAIN\]USER:]HEX`; where the user would be may be an LM hash, which has never any use.
fn hash(text: &str, ring: &mut Keyring) -> anyhow::Result<()> {
    let (user, digits) = text.rsplit_once(':').unwrap_or(("", text));
    let Some(hash) = nt_hash(digits) else {
        bail!("expected an NT hash of 32 hexadecimal digits, or [DOMAIN\\]USER: before them");
    };
    let user = if nt_hash(user).is_some() { "" } else { user };
    ring.add_account(named(user, AccountSecret::NtHash(hash), "--nt-hash"));
    Ok(())
}

/// The account of a user who may have a domain before a slash of either kind.
fn named(user: &str, secret: AccountSecret, from: &str) -> Account {
    let (domain, user) = user.split_once(['\\', '/']).unwrap_or(("", user));
    let some = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
    Account { domain: some(domain), user: some(user), secret, from: from.to_owned() }
}

/// `SID=HEX`
fn session(text: &str, ring: &mut Keyring) -> anyhow::Result<()> {
    const SID: &str =
        "the session's id (0x0000000048c1f2a3, or 16 digits in the order of the wire)";
    const KEY: &str = "a key of 32 or 64 hexadecimal digits";
    let Some((id, key)) = text.split_once('=') else {
        bail!("expected SID=HEX: {SID}, and {KEY}");
    };
    let Some(session_id) = session_id(id) else { bail!("expected before the = {SID}") };
    let Some(key) = smb_key(key) else { bail!("expected behind the = {KEY}") };
    let secret = SmbSecret::Session(key);
    ring.add_smb(SmbKey { session_id, secret, from: "--smb-key".to_owned() });
    Ok(())
}

impl Found {
    /// Takes a file of keys, or a keytab.
    pub(super) fn add(&mut self, path: &Path) -> anyhow::Result<()> {
        let octets = read(path)?;
        let name = path.display().to_string();
        if keytab::is_keytab(&octets) {
            return self.take_keytab(&name, &octets);
        }
        let text =
            text(&octets).with_context(|| format!("{name}: no keytab and no file of keys"))?;
        let file::Keys { ring, keytabs } = file::parse(&name, &text)?;
        self.ring.add_all(ring);
        let folder = path.parent().unwrap_or(Path::new(""));
        for of in keytabs {
            let keytab = self.add_keytab(&folder.join(&of.path));
            keytab.with_context(|| format!("{name}, line {}", of.line))?;
        }
        Ok(())
    }

    fn add_keytab(&mut self, path: &Path) -> anyhow::Result<()> {
        self.take_keytab(&path.display().to_string(), &read(path)?)
    }

    fn take_keytab(&mut self, name: &str, octets: &[u8]) -> anyhow::Result<()> {
        let keytab::Keytab { keys, damaged } = keytab::read(name, octets)?;
        for key in keys {
            self.ring.add_kerberos(key);
        }
        self.damaged.extend(damaged.iter().map(ToString::to_string));
        Ok(())
    }

    /// Takes a file of passwords, one a line.
    fn add_passwords(&mut self, path: &Path) -> anyhow::Result<()> {
        let octets = read(path)?;
        let name = path.display().to_string();
        let text = text(&octets).with_context(|| name.clone())?;
        if file::has_tables(&text) {
            bail!(
                "{name}: expected passwords, one a line, found tables of keys: --keys takes them"
            );
        }
        let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty());
        let before = self.ring.len();
        for (n, line) in lines.take(MAX_PASSWORDS) {
            let secret = AccountSecret::Password(Secret::from(line.as_bytes()));
            let from = format!("{name}, line {}", n.saturating_add(1));
            self.ring.add_account(Account { domain: None, user: None, secret, from });
        }
        if self.ring.len() == before {
            bail!("{name}: expected a password on a line of its own, found none");
        }
        Ok(())
    }
}

/// The octets of a file of secrets.
fn read(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let mut octets = Zeroizing::new(Vec::new());
    let read = File::open(path).and_then(|file| {
        // Room for all of it: a vector that grows leaves its contents behind.
        let len = file.metadata()?.len().min(MAX_FILE);
        octets.reserve(usize::try_from(len).unwrap_or_default().saturating_add(1));
        file.take(MAX_FILE + 1).read_to_end(&mut octets)
    });
    let read = match read {
        Ok(read) => read,
        // Where there is no such file, somebody may have typed the secret itself.
        Err(_) if path.symlink_metadata().is_err() => {
            bail!("there is no such file; what was given is not shown, as it may be a secret")
        }
        Err(error) => {
            return Err(error).with_context(|| format!("{}: could not be read", path.display()));
        }
    };
    if u64::try_from(read).is_ok_and(|read| read > MAX_FILE) {
        bail!("{}: expected a file of at most 16 MiB", path.display());
    }
    Ok(octets)
}

/// The text of a file: UTF-8, or UTF-16 that says so.
fn text(octets: &[u8]) -> anyhow::Result<Zeroizing<String>> {
    for (mark, unit) in UTF16 {
        if let Some(units) = octets.strip_prefix(&mark) {
            let (units, rest) = units.as_chunks();
            let units = units.iter().map(|two| unit(*two));
            let text: Result<String, _> = char::decode_utf16(units).collect();
            return match text {
                Ok(text) if rest.is_empty() => Ok(Zeroizing::new(text)),
                _ => bail!("expected text, found UTF-16 that is none"),
            };
        }
    }
    match std::str::from_utf8(octets) {
        Ok(text) => Ok(Zeroizing::new(text.trim_start_matches('\u{feff}').to_owned())),
        Err(error) => {
            bail!("expected text in UTF-8, found what is none at offset {}", error.valid_up_to())
        }
    }
}
