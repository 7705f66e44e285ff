//! [`Object`]: one interface pointer that a server handed out, or that somebody calls.

use std::net::IpAddr;

use crate::bytes::{Guid, Time};

/// How an interface pointer came into the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An activation handed it out.
    Activation {
        /// Number of the call.
        call: u64,
        /// `CLSID` of what was activated.
        class: Option<Guid>,
    },
    /// A method of another object handed it out.
    Method {
        /// Number of the call.
        call: u64,
        /// The interface and the object that was called.
        interface: Guid,
        /// See above.
        opnum: u16,
        /// See above.
        of: Option<Guid>,
    },
    /// `RemQueryInterface` of another interface of the same object.
    Query {
        /// Number of the call.
        call: u64,
        /// The interface pointer that was asked.
        of: Guid,
    },
    /// Somebody called it, and who handed it out was not seen.
    Adopted {
        /// Number of the first call.
        call: u64,
    },
}

impl Origin {
    /// The call by which it is known.
    pub fn call(self) -> u64 {
        match self {
            Self::Activation { call, .. }
            | Self::Method { call, .. }
            | Self::Query { call, .. }
            | Self::Adopted { call } => call,
        }
    }

    /// Whether it was seen to be handed out.
    pub fn is_seen(self) -> bool {
        !matches!(self, Self::Adopted { .. })
    }
}

/// What has become of an interface pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Somebody holds it, for all that is known.
    Live,
    /// All references that were seen to be handed out were released.
    Released {
        /// The call that released the last.
        call: u64,
        /// When that was answered.
        time: Time,
    },
    /// The server no longer has it: it was started again.
    Gone,
}

/// The references that one client holds of an interface pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The client.
    pub client: IpAddr,
    /// `cPublicRefs` received and added, less those released.
    pub public: i64,
    /// The same of `cPrivateRefs`.
    pub private: i64,
    /// Whether that is all: nothing of it can have been missed.
    pub sure: bool,
    /// The call by which it got its first reference.
    pub got: u64,
    /// The call that released its last, and when that was answered.
    pub released: Option<(u64, Time)>,
}

impl Holder {
    /// Whether it holds a reference, for all that is known.
    pub fn holds(&self) -> bool {
        self.public > 0 || self.private > 0
    }
}

/// An interface pointer.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its `IPID`.
    pub ipid: Guid,
    /// The interface, by the reference, or by the presentation context of the calls on it.
    pub iid: Option<Guid>,
    /// The object it belongs to.
    pub oid: Option<u64>,
    /// The exporter that has it.
    pub oxid: Option<u64>,
    /// How it came.
    pub origin: Origin,
    /// When: that call was answered.
    pub since: Time,
    /// Whether nobody needs to ping it (`SORF_NOPING`).
    pub unpinged: bool,
    /// Who holds it. Added by references, no more than `MAX_HOLDERS`; never removed.
    pub holders: Vec<Holder>,
    /// What has become of it.
    pub phase: Phase,
    /// Calls on it.
    pub calls: u64,
    /// The last of them, and when its request was complete.
    pub last: Option<(u64, Time)>,
}

/// Clients that hold one interface pointer.
pub(super) const MAX_HOLDERS: usize = 64;

impl Object {
    /// The ledger of a client, if it has one.
    pub fn holder(&self, client: IpAddr) -> Option<&Holder> {
        self.holders.iter().find(|holder| holder.client == client)
    }

    /// The same to be changed; none where there are too many.
    pub(super) fn ledger(&mut self, client: IpAddr, call: u64, sure: bool) -> Option<&mut Holder> {
        if let Some(at) = self.holders.iter().position(|holder| holder.client == client) {
            return self.holders.get_mut(at);
        }
        if self.holders.len() >= MAX_HOLDERS {
            return None;
        }
        let (public, private, released) = (0, 0, None);
        self.holders.push(Holder { client, public, private, sure, got: call, released });
        self.holders.last_mut()
    }

    /// Whether any client holds it, for all that is known.
    pub fn is_held(&self) -> bool {
        self.holders.iter().any(Holder::holds)
    }
}
