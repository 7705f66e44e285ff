//! [`Setup`]: a logon on its way, and the keys at its end (3.2.5.3, 3.3.5.5).

use super::super::model::{SessionKey, Unit};
use super::super::{ConnectionId, LogonKind, Smb};
use super::{Protection, SIGNERS_MAX, Sealer, Signer, derivation, revision};
use crate::bytes::{Both, Side, Span};
use crate::security::keys::SmbSecret;
use crate::security::smb::{Cipher, Derivation, Preauth, Signing};
use crate::security::{Context, Need, Secret};

/// What names a logon on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in super::super) enum SetupId {
    /// The `MessageId` of the request, until the server has given a `SessionId`.
    Asked(u64),
    /// The `SessionId`; `UID` of SMB1.
    Of(u64),
}

/// A logon on its way.
#[derive(Debug, Default)]
pub(in super::super) struct Setup {
    context: Context,
    /// Over all messages so far; `None` if one of them was not seen whole, or the dialect has none.
    preauth: Option<Preauth>,
    /// Whether a connection joins the session.
    binding: bool,
    /// Whether its first message was seen.
    begun: bool,
}

/// One message of a logon.
#[derive(Clone, Copy)]
pub(in super::super) struct Step<'v> {
    pub(in super::super) unit: Unit<'v>,
    /// Where its security token lies.
    pub(in super::super) token: Span,
    /// The message, if all of it is here.
    pub(in super::super) message: Option<&'v [u8]>,
}

impl Smb {
    /// A request to log on; `session` is 0 in the first one of a session.
    pub(in super::super) fn setup_asked(
        &mut self,
        step: Step<'_>,
        message_id: u64,
        session: u64,
        binding: bool,
    ) {
        let connection = step.unit.connection;
        let known = self.setups.remove(&(connection, SetupId::Of(session)));
        let known = known.filter(|_| session != 0);
        let mut setup = known.unwrap_or_else(|| {
            let agreed = self.connections.peek(&connection).map(|of| &of.agreed);
            Setup {
                preauth: agreed.and_then(|agreed| agreed.preauth.clone()),
                begun: session == 0 || binding,
                binding,
                ..Setup::default()
            }
        });
        setup.step(Side::Client, step, &self.keys);
        setup.hash(step.message);
        let id = if session == 0 { SetupId::Asked(message_id) } else { SetupId::Of(session) };
        self.setups.insert((connection, id), setup);
    }

    /// The answer: gives the logon back if it is at its end.
    pub(in super::super) fn setup_answered(
        &mut self,
        step: Step<'_>,
        message_id: u64,
        session: u64,
        goes_on: bool,
    ) -> Option<Setup> {
        let connection = step.unit.connection;
        let asked = self.setups.remove(&(connection, SetupId::Asked(message_id)));
        let known = || self.setups.remove(&(connection, SetupId::Of(session)));
        let mut setup = asked.or_else(known)?;
        setup.step(Side::Server, step, &self.keys);
        if !goes_on {
            return Some(setup);
        }
        setup.hash(step.message);
        self.setups.insert((connection, SetupId::Of(session)), setup);
        None
    }

    /// A logon has succeeded: its keys, those that `answer`, which is signed with them, does not
    /// deny.
    pub(in super::super) fn keyed(
        &mut self,
        unit: Unit<'_>,
        key: SessionKey,
        setup: Option<Setup>,
        how: LogonKind,
        answer: Option<&[u8]>,
    ) {
        let Some(setup) = setup.filter(|setup| setup.begun) else {
            return;
        };
        let Some(connection) = self.connections.peek(&unit.connection) else {
            return;
        };
        let (dialect, agreed) = (revision(connection.dialect), connection.agreed.clone());
        let Some(session) = self.sessions.get(&key) else {
            return;
        };
        if session.user.is_none() {
            session.user = setup.context.client();
        }
        let protection = &mut session.protection;
        if protection.signers.contains_key(&unit.connection) {
            // Who logs on again keeps the keys (3.3.5.5.2).
            return;
        }
        let mut sources = Vec::new();
        if !setup.binding {
            for given in self.keys.smb(key.id) {
                if let SmbSecret::Session(secret) = &given.secret {
                    let what = format!("the session key given for it ({})", given.from);
                    sources.push((secret, what));
                }
            }
        }
        if how == LogonKind::User
            && let Some(secret) = setup.context.session_key()
        {
            let who = session.user.as_deref().unwrap_or("the user");
            sources.push((secret, format!("the session key of the logon of {who}")));
        }
        let how_derived = dialect.and_then(|of| derivation(of, setup.preauth.as_ref()));
        let signing = agreed.signing.unwrap_or(Signing::AesCmac);
        let signers: Vec<Signer> = how_derived.map_or_else(Vec::new, |how| {
            let of = |(secret, what): &(&Secret, String)| Signer {
                signing,
                key: how.signing_key(secret),
                proven: false,
                what: what.clone(),
            };
            sources.iter().take(SIGNERS_MAX).map(of).collect()
        });
        if !setup.binding {
            *protection = Protection { settled: true, ..Protection::default() };
            protection.need = match how {
                LogonKind::User if setup.context.session_key().is_some() => {
                    Need::of("another secret of the user, or the keys of the session")
                }
                LogonKind::User => setup.context.need(),
                LogonKind::Guest => Need::of("a key, which the session of a guest does not have"),
                LogonKind::Anonymous => {
                    Need::of("a key, which the session of nobody in particular does not have")
                }
            };
            if protection.need.needs.is_empty() {
                protection.need = Need::of("the keys of the session");
            }
            for (secret, what) in &sources {
                match (dialect, how_derived, agreed.cipher) {
                    (_, Some(how), Some(cipher)) => protection.derive(how, secret, cipher, what),
                    // Those of 3.0 need nothing else.
                    (None, ..) => {
                        protection.derive(Derivation::Fixed, secret, Cipher::Aes128Ccm, what);
                    }
                    (_, None, _) => protection.tried(format!(
                        "{what} is not enough: messages of the logon, or before it, are missing"
                    )),
                    (_, _, None) => {
                        protection.tried("no cipher that is known was agreed on".to_owned());
                    }
                }
            }
            protection.take_directions(&self.keys, key.id, agreed.cipher);
        }
        protection.join(unit.connection, signers, answer);
    }

    /// Looks for the keys of a session whose logon was not seen, once.
    pub(in super::super) fn settle(&mut self, connection: ConnectionId, key: SessionKey) {
        let Some(session) = self.sessions.get(&key) else {
            return;
        };
        let protection = &mut session.protection;
        if std::mem::replace(&mut protection.settled, true) {
            return;
        }
        protection.need =
            Need::of("the beginning of the session, which is not in the capture, or its keys");
        let connected = self.connections.peek(&connection);
        let dialect = connected.and_then(|of| revision(of.dialect));
        let agreed = connected.map(|of| of.agreed.clone()).unwrap_or_default();
        let how = match dialect {
            Some(dialect) => derivation(dialect, None),
            // That of 3.0 needs nothing else.
            None => Some(Derivation::Fixed),
        };
        let mut signers = Vec::new();
        for given in self.keys.smb(key.id) {
            let SmbSecret::Session(secret) = &given.secret else { continue };
            let what = format!("the session key given for it ({})", given.from);
            let Some(how) = how else {
                protection.tried(format!(
                    "{what} is not enough: the logon is not in the capture, on which keys of 3.1.1 \
                     depend"
                ));
                continue;
            };
            protection.derive(how, secret, Cipher::Aes128Ccm, &what);
            if let Some(signing) = agreed.signing
                && signers.len() < SIGNERS_MAX
            {
                signers.push(Signer { signing, key: how.signing_key(secret), proven: false, what });
            }
        }
        protection.take_directions(&self.keys, key.id, agreed.cipher);
        if !signers.is_empty() {
            protection.add_signers(connection, signers);
        }
    }
}

impl Setup {
    /// Takes the security token of a message.
    fn step(&mut self, side: Side, step: Step<'_>, keys: &crate::security::keys::Keyring) {
        let token = step.unit.view.slice(step.token);
        if !token.is_empty() && token.holes().next().is_none() {
            self.context.token(side, token.bytes(), keys);
        }
    }

    /// Takes a message into the hash.
    fn hash(&mut self, message: Option<&[u8]>) {
        match (&mut self.preauth, message) {
            (Some(hash), Some(message)) => hash.update(message),
            (preauth, None) => *preauth = None,
            (None, Some(_)) => {}
        }
    }

    /// The context, whose key signs in SMB1.
    pub(super) fn context(&self) -> &Context {
        &self.context
    }
}

impl Protection {
    /// Adds the keys that a session key gives.
    fn derive(&mut self, how: Derivation<'_>, secret: &Secret, cipher: Cipher, what: &str) {
        if let Some(keys) = how.cipher_keys(secret, cipher) {
            let Both { client, server } = keys;
            let keys = Both { client: Some(client), server: Some(server) };
            self.add_sealer(Sealer { cipher, keys, derived: true, what: what.to_owned() });
        }
    }

    /// Adds the keys of both directions that were given, with each cipher that has keys of their
    /// length.
    fn take_directions(
        &mut self,
        keyring: &crate::security::keys::Keyring,
        session: u64,
        agreed: Option<Cipher>,
    ) {
        if keyring.smb(session).next().is_none()
            && let Some(other) = keyring.smb_session()
        {
            let turned = session.swap_bytes();
            self.tried(if keyring.smb(turned).next().is_some() {
                format!(
                    "a key was given for 0x{turned:016x}, whose octets are this one's in the other \
                     order: the number that is shown here is written with 0x before it"
                )
            } else {
                format!(
                    "no SMB key that was given is for this session, the first is for 0x{other:016x}"
                )
            });
        }
        for given in keyring.smb(session) {
            let SmbSecret::Directions { client_to_server, server_to_client } = &given.secret else {
                continue;
            };
            let what = format!("the key given for it ({})", given.from);
            let keys = Both { client: client_to_server.clone(), server: server_to_client.clone() };
            let lens = || Side::BOTH.iter().filter_map(|side| keys[*side].as_ref());
            let fits = |cipher: &Cipher| lens().all(|key| key.octets().len() == cipher.key_len());
            let ciphers = Cipher::ALL.into_iter().filter(|of| agreed.is_none_or(|by| by == *of));
            let mut some = false;
            for cipher in ciphers.filter(fits) {
                some = true;
                let (keys, what) = (keys.clone(), what.clone());
                self.add_sealer(Sealer { cipher, keys, derived: false, what });
            }
            if !some {
                let of = agreed.map_or("any cipher", Cipher::name);
                self.tried(format!("{what} is not of the length that {of} takes"));
            }
        }
    }

    /// Takes the keys that may sign on a connection; those that do not verify the `answer`, which
    /// one of them signs, are wrong.
    fn join(&mut self, connection: ConnectionId, mut signers: Vec<Signer>, answer: Option<&[u8]>) {
        if let Some(answer) = answer {
            signers.retain_mut(|signer| {
                signer.proven = signer.verifies(answer);
                if !signer.proven {
                    self.tried(format!("{} does not verify the answer to the logon", signer.what));
                }
                signer.proven
            });
        }
        self.add_signers(connection, signers);
    }
}
