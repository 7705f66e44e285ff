//! Where interfaces are served, as the endpoint mappers in the capture told.
//!
//! Labels for people. RPC is recognised by its content, so nothing depends on them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::InterfaceKey;
use crate::call::Call;
use crate::protocol::Registry;

/// Endpoints that are kept; what comes beyond is only counted.
const MAX_ENDPOINTS: usize = 1024;

/// What endpoint mappers told. Added to by their answers; nothing is removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Interface, the machine that was asked, and the string binding.
    pub known: BTreeSet<(InterfaceKey, IpAddr, String)>,
    /// Answers that told of more than is kept.
    pub beyond: u64,
}

impl Endpoints {
    pub(super) fn see(&mut self, call: &Call, registry: &Registry) {
        for tower in call.response.towers() {
            let Some(((uuid, major, _), binding)) = tower.interface().zip(tower.binding()) else {
                continue;
            };
            let name = registry.interface(uuid, major).map(|known| known.name.to_string());
            let endpoint = ((uuid, major, name), call.server.addr.ip(), binding);
            if self.known.len() < MAX_ENDPOINTS {
                self.known.insert(endpoint);
            } else if !self.known.contains(&endpoint) {
                self.beyond += 1;
            }
        }
    }
}
