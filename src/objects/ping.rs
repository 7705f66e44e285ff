//! [`PingSet`]: the objects that a client keeps alive by pings (\[MS-DCOM\] 3.1.2.5.1).

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::bytes::Time;

/// Objects of one set.
pub(super) const MAX_OIDS: usize = 4096;

/// A set of objects that is pinged as one.
#[derive(Clone, Debug)]
pub struct PingSet {
    /// Whose it is.
    pub client: IpAddr,
    /// The objects, by OID. Added and removed by `ComplexPing`, no more than `MAX_OIDS`.
    pub oids: BTreeSet<u64>,
    /// When it was last pinged.
    pub last: Time,
    /// Whether all of it is known: it was seen from its beginning.
    pub sure: bool,
}

impl PingSet {
    pub(super) fn new(client: IpAddr, last: Time, sure: bool) -> Self {
        Self { client, oids: BTreeSet::new(), last, sure }
    }

    pub(super) fn change(&mut self, add: &[u64], del: &[u64]) {
        for oid in add {
            if self.oids.len() < MAX_OIDS {
                self.oids.insert(*oid);
            } else {
                self.sure = false;
            }
        }
        for oid in del {
            self.oids.remove(oid);
        }
    }
}
