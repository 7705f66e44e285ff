//! [`Settings`]: how conversations travel.

use std::sync::Arc;

use super::wire::auth::Secrets;
use super::wire::smb::Dialect;
use crate::bytes::Order;
use crate::idl::Syntax;
use crate::protocol::Interface;
use crate::security::keys::{Account, AccountSecret, KerberosKey, Keyring};

/// How a client talks to its servers. A connection keeps the settings it was opened with, an
/// association those it was bound with.
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the language, on or off")]
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) dialect: Dialect,
    /// RPC directly over TCP, to this port.
    pub(super) tcp: Option<u16>,
    /// RPC directly over TCP, and objects are on this port.
    pub(super) dcom: Option<u16>,
    pub(super) syntax: Syntax,
    pub(super) order: Order,
    pub(super) auth: Option<Auth>,
    /// How first requests end.
    pub(super) trailer: Trailer,
    /// Whether requests carry the interface's UUID as object UUID.
    pub(super) object: bool,
    /// TCP connections of an SMB session.
    pub(super) channels: u8,
    pub(super) v6: bool,
    /// Octets of an RPC PDU at most.
    pub(super) fragment: u16,
    /// Octets of a TCP segment's payload at most.
    pub(super) segment: u16,
    /// Pipes are written and read, instead of `FSCTL_PIPE_TRANSCEIVE`.
    pub(super) write_read: bool,
    pub(super) signing: bool,
    pub(super) domain: String,
    /// Empty for the anonymous user.
    pub(super) user: String,
    /// What the user proves itself by; without it, nothing can be verified.
    pub(super) secrets: Secrets,
    /// Name of the pipe, where it is not that of the interface.
    pub(super) pipe: Option<String>,
    /// The interface of calls that name none.
    pub(super) interface: Arc<Interface>,
    /// Version that a bind asks for, where it is not the interface's.
    pub(super) version: Option<(u16, u16)>,
}

/// How an association is authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Auth {
    /// Negotiated by SPNEGO.
    pub(super) spnego: bool,
    /// Kerberos instead of NTLM.
    pub(super) kerberos: bool,
    /// \[MS-RPCE\] 2.2.1.1.8
    pub(super) level: u8,
}

impl Auth {
    /// `RPC_C_AUTHN_LEVEL_PKT_INTEGRITY`
    pub(super) const INTEGRITY: u8 = 5;
    /// `RPC_C_AUTHN_LEVEL_CONNECT`, at which nothing is signed.
    pub(super) const CONNECT: u8 = 2;
    /// `RPC_C_AUTHN_LEVEL_PKT_PRIVACY`
    pub(super) const PRIVACY: u8 = 6;

    /// \[MS-RPCE\] 2.2.1.1.7
    pub(super) fn provider(self) -> u8 {
        match (self.spnego, self.kerberos) {
            (true, _) => 9,
            (false, true) => 16,
            (false, false) => 10,
        }
    }
}

/// \[MS-RPCE\] 2.2.2.13: whether requests end in a verification trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trailer {
    Off,
    On,
    /// It has another version of the interface than the bind.
    Wrong,
}

/// Words for authentication levels (\[MS-RPCE\] 2.2.1.1.8).
pub(super) const LEVELS: &[(u32, &str)] =
    &[(2, "connect"), (3, "call"), (4, "packet"), (5, "integrity"), (6, "privacy")];

impl Settings {
    /// What Windows Server does, with nothing protected.
    pub(super) fn new(interface: Arc<Interface>) -> Self {
        Self {
            dialect: Dialect::V3_1_1,
            tcp: None,
            dcom: None,
            syntax: Syntax::Ndr,
            order: Order::Little,
            auth: None,
            trailer: Trailer::Off,
            object: false,
            channels: 1,
            v6: false,
            fragment: 4280,
            segment: 1460,
            write_read: false,
            signing: true,
            domain: "LAB".to_owned(),
            user: "backup".to_owned(),
            secrets: Secrets::default(),
            pipe: None,
            interface,
            version: None,
        }
    }

    /// Name of the pipe on which an interface is reached.
    pub(super) fn pipe_of(&self, interface: &Interface) -> String {
        match &self.pipe {
            Some(name) => name.clone(),
            None if &*interface.name == "FileServerVssAgent" || &*interface.name == "mgmt" => {
                "FssagentRpc".to_owned()
            }
            None => interface.name.to_string(),
        }
    }

    /// Whether RPC is carried by TCP alone.
    pub(super) fn direct(&self) -> bool {
        self.tcp.is_some() || self.dcom.is_some()
    }

    /// Whether somebody with these settings may go on where somebody with those bound.
    pub(super) fn same_user(&self, other: &Self) -> bool {
        self.auth == other.auth
            && self.domain == other.domain
            && self.user == other.user
            && self.secrets == other.secrets
    }

    /// Whether signatures protect calls, of RPC or of SMB.
    pub(super) fn signs(&self) -> bool {
        self.auth.is_some_and(|auth| auth.level > Auth::CONNECT)
            || self.signing && !self.direct() && !self.user.is_empty()
    }

    /// What opens what is protected with NTLM, or with Kerberos; nothing, if that was not told.
    pub(super) fn keyring(&self, kerberos: bool) -> Option<Keyring> {
        let from = "the scenario".to_owned();
        let mut keys = Keyring::default();
        if kerberos {
            let key = self.secrets.key.as_ref()?;
            let (etype, key) = (key.etype().0, key.secret().clone());
            keys.add_kerberos(KerberosKey { principal: None, etype, kvno: None, key, from });
        } else {
            let secret = AccountSecret::Password(self.secrets.password.clone()?);
            let user = Some(self.user.clone()).filter(|user| !user.is_empty())?;
            let (domain, user) = (Some(self.domain.clone()), Some(user));
            keys.add_account(Account { domain, user, secret, from });
        }
        Some(keys)
    }

    /// Octets of a segment's payload at most, in the IP version there is.
    pub(super) fn mss(&self) -> u16 {
        if self.v6 { self.segment.min(1440) } else { self.segment }
    }
}
