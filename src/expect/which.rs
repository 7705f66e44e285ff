//! [`Which`]: whether a call is meant.

use std::net::IpAddr;

use super::shares::Shares;
use crate::call::{Call, Outcome, Party, Readable};
use crate::filter::{Filter, Subject};
use crate::protocol::fsrvp;

/// Which calls are meant.
#[derive(Debug)]
pub(super) struct Which {
    /// Those of MS-FSRVP.
    pub(super) ours: bool,
    /// Those of this operation of it.
    pub(super) opnum: Option<u16>,
    /// To this server, by name or address.
    pub(super) server: Option<String>,
    /// From this client.
    pub(super) client: Option<String>,
    /// About this share, or a set that it was added to.
    pub(super) share: Option<String>,
    /// Of which this is true.
    pub(super) filter: Option<Filter>,
}

impl Which {
    /// Whether a call is meant; `None` if that cannot be told.
    pub(super) fn is(&self, subject: &Subject<'_>, shares: &Shares) -> Option<bool> {
        let call = subject.call;
        let ours = call.rpc.interface.map(|syntax| syntax.uuid == fsrvp::UUID);
        let tests = [
            self.ours.then_some(ours),
            self.opnum.map(|opnum| call.rpc.opnum.map(|of| of == opnum)),
            self.server.as_deref().map(|server| is_host(&call.server, server)),
            self.client.as_deref().map(|client| is_host(&call.client, client)),
            self.share.as_deref().map(|share| shares.is_about(call, share)),
            self.filter.as_ref().map(|filter| filter.answer(subject)),
        ];
        let mut known = true;
        for test in tests.into_iter().flatten() {
            match test {
                Some(true) => {}
                Some(false) => return Some(false),
                None => known = false,
            }
        }
        known.then_some(true)
    }

    /// What is meant, in words.
    pub(super) fn said(&self) -> String {
        let method = self.opnum.map(|opnum| {
            let name = fsrvp::OPERATIONS.iter().find(|(of, _)| *of == opnum);
            name.map_or_else(|| format!("opnum {opnum}"), |(_, name)| (*name).to_owned())
        });
        let mut said: Vec<String> = Vec::new();
        match method {
            Some(method) => said.push(format!("of {method}")),
            None if self.filter.is_none() => said.push("of MS-FSRVP".to_owned()),
            None => {}
        }
        let parts = [("to", &self.server), ("from", &self.client), ("about", &self.share)];
        for (word, value) in parts {
            said.extend(value.as_ref().map(|value| format!("{word} {value}")));
        }
        said.extend(self.filter.as_ref().map(|filter| format!("where {filter}")));
        said.join(" ")
    }
}

/// Whether a machine has this name or address; `None` if its name is not known.
pub(super) fn is_host(party: &Party, typed: &str) -> Option<bool> {
    match typed.parse::<IpAddr>() {
        Ok(ip) => Some(party.addr.ip() == ip),
        Err(_) => party.name.as_deref().map(|name| name.eq_ignore_ascii_case(typed)),
    }
}

/// Why it cannot be told what a call is, or what it says.
pub(super) fn doubt(call: &Call) -> String {
    let n = call.rpc.n;
    let is = |readable| [call.request.readable, call.response.readable].contains(&readable);
    match () {
        () if call.rpc.interface.is_none() => format!("the bind of call {n} was not seen"),
        () if is(Readable::Sealed) => format!("call {n} is sealed"),
        () if is(Readable::Truncated) => format!("call {n} is cut off"),
        () if is(Readable::Lost) => format!("call {n} is not all in the capture"),
        () => match call.outcome {
            Outcome::NoResponse => format!("the answer to call {n} is not in the capture"),
            Outcome::NoRequest => format!("the request of call {n} is not in the capture"),
            _ if is(Readable::Malformed) => format!("call {n} is malformed"),
            _ => format!("the capture does not tell enough of call {n}"),
        },
    }
}
