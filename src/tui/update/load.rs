//! Taking in what was read.

use super::super::model::Model;
use super::super::msg::{Loaded, View};
use crate::bytes::printable;

/// Sentences about what could not be read that are kept.
const MAX_TOLD: usize = 200;

impl Model<'_> {
    pub(super) fn load(&mut self, loaded: Loaded) {
        let Loaded { batch, findings, stands, anew, digest, told, read, ended, unreadable } =
            loaded;
        self.trace.take(batch);
        for finding in findings {
            if self.view == View::Findings {
                // Who reads one of them goes on reading it.
                let list = self.lists.entry(View::Findings).or_default();
                list.at = self.findings.moved(list.at, &finding);
            }
            self.findings.push(finding);
        }
        if anew {
            self.stands.clear();
        }
        for stand in stands {
            let of = self.stands.entry(stand.server).or_default();
            match of.binary_search_by_key(&stand.call, |known| known.call) {
                Ok(at) => {
                    if let Some(known) = of.get_mut(at) {
                        *known = stand;
                    }
                }
                Err(at) => of.insert(at, stand),
            }
        }
        if let Some(digest) = digest {
            self.digest = *digest;
            self.list_objects();
        }
        for sentence in told {
            if self.told.len() < MAX_TOLD {
                self.told.push(printable(&sentence));
            }
            self.complain(printable(&sentence));
        }
        self.read = read;
        self.ended |= ended;
        self.unreadable |= unreadable;
        if self.call == 0 && self.trace.calls() > 0 {
            self.call = 1;
        }
        if self.frame == 0 && self.trace.frames() > 0 {
            self.frame = 1;
        }
        if self.ended {
            self.end_anew();
        }
        self.go_along();
    }

    /// Selects what came in last, where the list goes along.
    pub(super) fn go_along(&mut self) {
        if !self.follows || self.ended {
            return;
        }
        match self.view {
            View::Calls | View::Sequence => {
                let last = self.calls_listed().checked_sub(1).and_then(|row| self.call_at(row));
                self.call = last.unwrap_or(self.call);
            }
            View::Packets => self.frame = self.trace.frames(),
            View::State => self.call = self.way().last().map_or(self.call, |stand| stand.call),
            View::Overview | View::Findings | View::Statistics | View::Objects => return,
        }
        self.sync();
    }
}
