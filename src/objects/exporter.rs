//! [`Exporter`]: a process that has objects, by its OXID.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::bytes::Guid;

/// Ports and addresses of one exporter.
pub(super) const MAX_BINDINGS: usize = 64;

/// An object exporter: where its objects are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exporter {
    /// `IPID` of its `IRemUnknown`.
    pub rem_unknown: Option<Guid>,
    /// Ports of TCP that it told.
    pub ports: BTreeSet<u16>,
    /// Addresses that it told; names are not among them.
    pub addresses: BTreeSet<IpAddr>,
    /// The call that told it first.
    pub call: u64,
}

impl Exporter {
    /// Takes string bindings of TCP, such as `10.0.0.1[49667]`.
    pub(super) fn told(&mut self, bindings: &[String]) {
        for binding in bindings {
            let (host, port) = match binding.split_once('[') {
                Some((host, rest)) => (host, rest.strip_suffix(']')),
                None => (binding.as_str(), None),
            };
            if let Some(port) = port.and_then(|port| port.parse().ok())
                && self.ports.len() < MAX_BINDINGS
            {
                self.ports.insert(port);
            }
            if let Ok(address) = host.parse()
                && self.addresses.len() < MAX_BINDINGS
            {
                self.addresses.insert(address);
            }
        }
    }
}
