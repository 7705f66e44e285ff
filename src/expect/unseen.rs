//! [`Unseen`]: at which servers something was missed, so that calls may be missing.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::call::{Call, Outcome};
use crate::check::Report;
use crate::pipeline::{Around, What};

/// Servers of which it is known; of others it is known only that there are some.
const MAX_SERVERS: usize = 4096;

/// Servers at which something was missed.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    /// By address, what. Added as it shows, no more than [`MAX_SERVERS`].
    at: FxHashMap<IpAddr, &'static str>,
    beyond: bool,
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
        self.add(around.server.ip(), what);
    }

    /// Takes a call.
    pub(super) fn call(&mut self, call: &Call) {
        if call.outcome == Outcome::NoRequest {
            self.add(call.server.addr.ip(), "requests are missing");
        }
    }

    fn add(&mut self, server: IpAddr, what: &'static str) {
        if self.at.len() < MAX_SERVERS || self.at.contains_key(&server) {
            self.at.entry(server).or_insert(what);
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
    /// Why calls may have been missed: at the servers that are judged, if `ours`, or where none is, at
    /// any; and only at `server`, if one is named.
    pub(super) fn why(&self, ours: bool, server: Option<&str>) -> Option<String> {
        if let Some(cut) = self.cut {
            return Some(cut.to_owned());
        }
        if self.unseen.beyond {
            return Some(format!("something was missed at more than {MAX_SERVERS} servers"));
        }
        let of = |ip: &IpAddr| self.report.servers.iter().find(|of| of.addresses.contains(ip));
        let matters = |ip: &IpAddr| {
            let judged = of(ip);
            let named = server.is_none_or(|server| match (server.parse::<IpAddr>(), judged) {
                (Ok(server), Some(of)) => of.addresses.contains(&server),
                (Ok(server), None) => server == *ip,
                // A name that is not known may be its name.
                (Err(_), of) => of
                    .and_then(|of| of.name.as_deref())
                    .is_none_or(|name| name.eq_ignore_ascii_case(server)),
            });
            named && (!ours || judged.is_some() || self.report.servers.is_empty())
        };
        let mut at: Vec<(&IpAddr, &&str)> =
            self.unseen.at.iter().filter(|(ip, _)| matters(ip)).collect();
        at.sort_unstable();
        at.first().map(|(ip, what)| format!("at {ip} {what}"))
    }
}
