//! [`Owners`]: what a server is called, and whom it names as the owners of shares (3.1.4.9).

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::bytes::Time;
use crate::check::act::{Act, host_of, is_address, label, share_key};
use crate::check::recognise::name_in_guid;
use crate::check::tri::Tri;
use crate::pipeline::{Around, What};
use crate::protocol::fsrvp::Response;

/// Names of a server.
const MAX_NAMES: usize = 16;
/// Clients that were told owners.
const MAX_CLIENTS: usize = 256;
/// Owners that one client was told.
const MAX_TOLD: usize = 64;

/// That a share has an owner.
#[derive(Clone, Debug)]
pub(in crate::check) struct Told {
    /// The share as it was asked for, and by what two spellings of it are compared.
    pub(in crate::check) share: String,
    key: String,
    /// `OwnerMachineName`.
    pub(in crate::check) owner: String,
    /// The call that told, and when.
    pub(in crate::check) call: u64,
    pub(in crate::check) time: Time,
    /// Whether the client has added the share to a set here.
    pub(in crate::check) added_here: bool,
}

/// Names and owners of one server.
#[derive(Debug, Default)]
pub(in crate::check) struct Owners {
    /// First labels of what it calls itself, and of what it is called, in lower case. Added by what is
    /// told, no more than [`MAX_NAMES`] each; nothing is removed.
    own: Vec<String>,
    called: Vec<String>,
    /// How it first called itself, or was called.
    name: Option<String>,
    /// What each client was told last of each share. Added by answers up to the caps; what is told
    /// again replaces what was told.
    told: BTreeMap<IpAddr, Vec<Told>>,
}

impl Owners {
    /// Something beside the calls.
    pub(super) fn around(&mut self, around: &Around) {
        match &around.what {
            What::Challenged(told) => {
                for name in [&told.computer, &told.dns_computer].into_iter().flatten() {
                    add(&mut self.own, name);
                    self.name.get_or_insert_with(|| name.clone());
                }
            }
            What::Negotiated(told) => {
                if let Some(name) = told.server_guid.and_then(name_in_guid) {
                    add(&mut self.own, &name);
                }
            }
            What::TreeConnected { path }
            | What::TreeRefused { path, .. }
            | What::PipeOpened { tree_path: Some(path), .. } => {
                if let Some(host) = host_of(path) {
                    add(&mut self.called, &host);
                    if !is_address(&host) {
                        self.name.get_or_insert(host);
                    }
                }
            }
            _ => {}
        }
    }

    /// A call was answered with success.
    pub(super) fn done(&mut self, act: &Act) {
        let Some(share) = act.share() else { return };
        let key = share_key(share);
        match &act.response {
            Some(Response::AddToShadowCopySet(_)) => {
                let told = self.told.get_mut(&act.client).into_iter().flatten();
                told.filter(|told| told.key == key).for_each(|told| told.added_here = true);
            }
            Some(Response::IsPathSupported(of)) => {
                let supported = of.supported_by_this_provider.is_true();
                let owner = of.owner_machine_name.as_ref().filter(|_| supported);
                let Some(owner) = owner else { return };
                let room = self.told.len() < MAX_CLIENTS || self.told.contains_key(&act.client);
                let Some(told) = room.then(|| self.told.entry(act.client).or_default()) else {
                    return;
                };
                told.retain(|told| told.key != key);
                if told.len() < MAX_TOLD {
                    told.push(Told {
                        share: share.to_owned(),
                        key,
                        owner: owner.clone(),
                        call: act.n,
                        time: act.answered.unwrap_or(act.asked),
                        added_here: false,
                    });
                }
            }
            _ => {}
        }
    }

    /// What each client was told of its shares.
    pub(in crate::check) fn told(&self) -> impl Iterator<Item = (IpAddr, &Told)> {
        self.told.iter().flat_map(|(client, told)| told.iter().map(|told| (*client, told)))
    }

    /// The other server that a call should have gone to: the owner of its share, or of any share that
    /// the client has asked for where it names none.
    pub(super) fn elsewhere(&self, act: &Act, addresses: &[IpAddr]) -> Option<&Told> {
        let key = act.share().map(share_key);
        let mut told = self.told.get(&act.client)?.iter().rev();
        told.find(|told| {
            key.as_ref().is_none_or(|key| *key == told.key)
                && self.is_other(&told.owner, addresses) == Tri::Yes
        })
    }

    /// Whether a name is that of another server.
    pub(in crate::check) fn is_other(&self, name: &str, addresses: &[IpAddr]) -> Tri {
        if name.is_empty() || self.is_called(name) {
            return Tri::No;
        }
        if is_address(name) {
            let ip: Option<IpAddr> = name.parse().ok();
            return if ip.is_some_and(|ip| addresses.contains(&ip)) { Tri::No } else { Tri::Maybe };
        }
        if self.own.is_empty() { Tri::Maybe } else { Tri::Yes }
    }

    /// Whether this is one of its names.
    pub(in crate::check) fn is_called(&self, name: &str) -> bool {
        let name = label(name).to_lowercase();
        self.own.iter().chain(&self.called).any(|known| *known == name)
    }

    /// What to call it.
    pub(in crate::check) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether no name of it is known.
    pub(in crate::check) fn is_nameless(&self) -> bool {
        self.own.is_empty() && self.called.is_empty()
    }
}

fn add(names: &mut Vec<String>, name: &str) {
    if is_address(name) {
        return;
    }
    let name = label(name).to_lowercase();
    if !name.is_empty() && names.len() < MAX_NAMES && !names.contains(&name) {
        names.push(name);
    }
}
