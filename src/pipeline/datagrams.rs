//! Connectionless RPC, in numbers: which interfaces it is spoken for.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::Pdus;
use crate::protocol::Registry;
use crate::rpc::datagram::{Datagram, DatagramType};

/// Interfaces and their operations that are counted by themselves; what comes beyond is counted
/// together.
const MAX_OPERATIONS: usize = 1024;

/// Datagrams of connectionless RPC. Added to by datagrams; nothing is removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Datagrams {
    /// By type.
    pub types: BTreeMap<DatagramType, u64>,
    /// By UUID and major version of the interface; `None` where there are too many.
    pub interfaces: BTreeMap<Option<(Uuid, u16)>, OfInterface>,
    operations: usize,
}

/// Datagrams of one interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfInterface {
    /// Name of the interface, where it is known.
    pub name: Option<String>,
    /// Datagrams of all types.
    pub datagrams: u64,
    /// Requests, responses and faults by opnum; none where there are too many.
    pub operations: BTreeMap<u16, Pdus>,
}

impl Datagrams {
    pub(super) fn see(&mut self, datagram: Datagram, registry: &Registry) {
        let Datagram { ptype, interface, major, opnum } = datagram;
        *self.types.entry(ptype).or_default() += 1;
        let key = Some((interface, major));
        let known = self.interfaces.get(&key);
        let new = !known.is_some_and(|of| of.operations.contains_key(&opnum));
        let full = new && self.operations >= MAX_OPERATIONS;
        let of = self.interfaces.entry(if full { None } else { key }).or_insert_with(|| {
            let known = registry.interface(interface, major).filter(|_| !full);
            OfInterface { name: known.map(|known| known.name.to_string()), ..Default::default() }
        });
        of.datagrams += 1;
        if full {
            return;
        }
        self.operations += usize::from(new);
        let pdus = of.operations.entry(opnum).or_default();
        match ptype {
            DatagramType::REQUEST => pdus.requests += 1,
            DatagramType::RESPONSE => pdus.responses += 1,
            DatagramType::FAULT => pdus.faults += 1,
            _ => {}
        }
    }

    /// Datagrams of all types.
    pub fn total(&self) -> u64 {
        self.types.values().sum()
    }
}
