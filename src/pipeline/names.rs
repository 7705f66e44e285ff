//! [`Names`]: which names clients were told are unknown, and whether they were found after all; what
//! name an address was found under.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::bytes::Time;
use crate::net::dns::{Answer, Rcode, Resolver};

/// Names remembered; beyond it all are forgotten.
const MAX_NAMES: usize = 4096;
/// A client asks for both kinds of addresses at the same time. A resolver that has one and then says
/// that there is no such name, within so many nanoseconds, means that it has none of the other.
const TOGETHER: i64 = 5_000_000_000;

/// What an answer changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Unknown,
    Found,
}

/// What each client was told of names.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// By client and first label, since a client tries one suffix after another. Added by answers;
    /// all are removed at [`MAX_NAMES`].
    told: FxHashMap<(IpAddr, String), Told>,
    /// The name that an address was last found under. The same.
    found: FxHashMap<IpAddr, String>,
}

#[derive(Debug, Default)]
struct Told {
    /// Whether the last word is that the name is unknown.
    unknown: bool,
    /// When it was last found.
    found: Option<Time>,
}

impl Names {
    /// Takes an answer that was given to `client`.
    pub(super) fn answer(
        &mut self,
        client: IpAddr,
        by: Resolver,
        answer: &Answer,
        now: Time,
    ) -> Option<News> {
        let failed = match by {
            Resolver::NetBios => answer.code != Rcode::NO_ERROR,
            Resolver::Dns | Resolver::Llmnr => {
                [Rcode::SERVER_FAILURE, Rcode::NAME_ERROR, Rcode::REFUSED].contains(&answer.code)
            }
        };
        let found = !answer.addresses.is_empty();
        if !failed && !found {
            return None;
        }
        if self.found.len() >= MAX_NAMES {
            self.found.clear();
        }
        for address in &answer.addresses {
            self.found.insert(*address, answer.name.clone());
        }
        let label = answer.name.split('.').next().unwrap_or_default().to_lowercase();
        if self.told.len() >= MAX_NAMES {
            self.told.clear();
        }
        let told = self.told.entry((client, label)).or_default();
        if found {
            told.found = Some(now);
            return std::mem::take(&mut told.unknown).then_some(News::Found);
        }
        if told.found.is_some_and(|found| now.since(found) < TOGETHER) {
            return None;
        }
        told.unknown = true;
        Some(News::Unknown)
    }

    /// The name that an address was last found under.
    pub(super) fn of(&self, address: IpAddr) -> Option<String> {
        self.found.get(&address).cloned()
    }
}
