//! Who carried a call: the connection or the pipe, and the names of both machines.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::call::{Carrier, PipeUse, Transport};
use crate::rpc;
use crate::smb::Pipe;

/// Machines whose names are remembered.
const MAX_NAMES: usize = 4096;

/// Names of machines.
#[derive(Debug, Default)]
pub(super) struct Machines {
    /// As their own traffic told them. Added by calls; never removed.
    names: FxHashMap<IpAddr, String>,
    /// As the capturing program resolved them. Added by [`Machines::name`]; never removed.
    resolved: FxHashMap<IpAddr, String>,
}

impl Machines {
    /// Who carried a call, which `pipe` is if one did.
    pub(super) fn carrier(&mut self, call: &rpc::Call, pipe: Option<&Pipe>) -> Carrier {
        let ends = call.request.as_ref().or(call.response.as_ref()).map(|message| message.ends);
        if let Some((pipe, ends)) = pipe.zip(ends) {
            self.learn(ends.client.ip(), pipe.client_name.as_deref());
            self.learn(ends.server.ip(), pipe.server_name.as_deref());
        }
        let transport = pipe.map_or(Transport::Tcp, |pipe| {
            Transport::NamedPipe(Box::new(PipeUse {
                name: pipe.name.clone(),
                dialect: pipe.dialect.clone(),
                session_id: pipe.session_id,
                tree_id: pipe.tree_id,
                file_id: pipe.file_id.map(|id| id.to_string()),
                encrypted: pipe.encrypted,
                signed: pipe.signed,
                user: pipe.user.clone(),
            }))
        });
        let name = |ip: Option<IpAddr>| ip.and_then(|ip| self.of(ip));
        Carrier {
            transport,
            client_name: name(ends.map(|ends| ends.client.ip())),
            server_name: name(ends.map(|ends| ends.server.ip())),
        }
    }

    /// The name of a machine.
    pub(super) fn of(&self, ip: IpAddr) -> Option<String> {
        self.names.get(&ip).or_else(|| self.resolved.get(&ip)).cloned()
    }

    /// What the capture calls a machine; the first name stays. What the machine's own traffic tells
    /// goes before it.
    pub(super) fn name(&mut self, ip: IpAddr, name: String) {
        if self.resolved.len() < MAX_NAMES {
            self.resolved.entry(ip).or_insert(name);
        }
    }

    fn learn(&mut self, ip: IpAddr, name: Option<&str>) {
        if let Some(name) = name
            && self.names.len() < MAX_NAMES
            && self.names.get(&ip).is_none_or(|known| known != name)
        {
            self.names.insert(ip, name.to_owned());
        }
    }
}
