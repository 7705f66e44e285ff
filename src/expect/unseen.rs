//! [`Unseen`]: at which servers something was missed, so that calls may be missing.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::call::{Call, Outcome, Party};
use crate::check::Report;
use crate::pipeline::{Around, What};

/// Servers of which it is known; of others it is known only that there are some.
const MAX_SERVERS: usize = 4096;

/// Servers at which something was missed.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    /// By address, what. Added as it shows, no more than [`MAX_SERVERS`].
    at: FxHashMap<IpAddr, Gap>,
    beyond: bool,
}

/// What was missed at a server.
#[derive(Debug)]
struct Gap {
    what: &'static str,
    /// What the server is called, where that is known.
    name: Option<String>,
}

/// What was missed, when all is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missed<'a> {
    unseen: &'a Unseen,
    report: &'a Report,
    cut: Option<&'a str>,
}

impl Unseen {
    /// Takes something beside the calls.
    pub(super) fn around(&mut self, around: &Around) {
        let what = match around.what {
            What::Lost => "packets are missing, and calls with them perhaps",
            What::Sealed => "SMB is encrypted, and there may be calls in it",
            _ => return,
        };
        self.add(around.server.ip(), around.server_name.as_deref(), what);
    }

    /// Takes a call.
    pub(super) fn call(&mut self, call: &Call) {
        if call.outcome == Outcome::NoRequest {
            let Party { addr, name } = &call.server;
            self.add(addr.ip(), name.as_deref(), "requests are missing");
        }
    }

    fn add(&mut self, server: IpAddr, name: Option<&str>, what: &'static str) {
        if self.at.len() < MAX_SERVERS || self.at.contains_key(&server) {
            let gap = self.at.entry(server).or_insert(Gap { what, name: None });
            gap.name = gap.name.take().or_else(|| name.map(str::to_owned));
        } else {
            self.beyond = true;
        }
    }

    /// What was missed of all.
    pub(super) fn at<'a>(&'a self, report: &'a Report, cut: Option<&'a str>) -> Missed<'a> {
        Missed { unseen: self, report, cut }
    }
}

impl Missed<'_> {
    /// Why calls may have been missed: at `server`, if one is named; otherwise at the servers that are
    /// judged, if `ours`, or where none is, at any.
    pub(super) fn why(&self, ours: bool, server: Option<&str>) -> Option<String> {
        if let Some(cut) = self.cut {
            return Some(cut.to_owned());
        }
        if self.unseen.beyond {
            return Some(format!("something was missed at more than {MAX_SERVERS} servers"));
        }
        let all = &self.report.servers;
        let matters = |ip: &IpAddr, gap: &Gap| {
            let judged = all.iter().find(|of| of.addresses.contains(ip));
            let Some(server) = server else { return !ours || judged.is_some() || all.is_empty() };
            // One of which nothing could be read is not judged, and may be the one.
            match (server.parse::<IpAddr>(), judged) {
                (Ok(server), Some(of)) => of.addresses.contains(&server),
                (Ok(server), None) => server == *ip,
                (Err(_), _) => {
                    let is = |name: &String| name.eq_ignore_ascii_case(server);
                    let name = judged.and_then(|of| of.name.as_ref()).or(gap.name.as_ref());
                    let others = || all.iter().filter_map(|of| of.name.as_ref()).any(is);
                    // A name that is not known may be its name.
                    name.map_or_else(|| judged.is_some() || !others(), is)
                }
            }
        };
        let gaps = self.unseen.at.iter().filter(|(ip, gap)| matters(ip, gap));
        let (ip, gap) = gaps.min_by_key(|(ip, _)| **ip)?;
        Some(format!("at {ip} {}", gap.what))
    }
}
