//! Objects of DCOM: who has which, under what name, and what its references say.
//!
//! ```text
//!  activate: how a client comes to its first ─┐
//!  calls: of methods, and what they return  ──┼─► Objects ─► STDOBJREF, bindings
//!  refs: releases, queries, pings           ──┘      elements: what enumerators give
//! ```
//!
//! Identifiers are computed from numbers, like everything here that is drawn at random.

mod activate;
mod calls;
mod elements;
mod exporter;
mod heads;
mod refs;
pub(super) mod scmp;

pub(super) use calls::Callee;
pub(super) use elements::counts;
pub(super) use heads::port_of;

use std::net::IpAddr;

use rustc_hash::{FxHashMap, FxHashSet};

use super::play;
use super::resolve::Resolver;
use super::settings::Settings;
use super::syntax::Word;
use super::wire::octets::chance;
use crate::bytes::Guid;
use crate::dcom::write::{Bindings, Objref, Standard};

/// Port of the object exporter and of activations.
pub(super) const EXPORTER: u16 = 135;
/// Port of objects where none is said, a dynamic one of Windows.
pub(super) const DYNAMIC: u16 = 49_667;
/// Public references that come with a reference, as Windows gives them.
const REFS: u32 = 5;
/// `ncacn_ip_tcp` (\[C706\] appendix I).
const TCP: u16 = 7;
/// \[MS-RPCE\] 2.2.1.1.7: SPNEGO, NTLM and Kerberos, as Windows offers them.
const SERVICES: [u16; 3] = [9, 10, 16];
/// `COM_C_AUTHZ_NONE`
const NO_AUTHORIZATION: u16 = 0xffff;

/// A reference to an object that a client has.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// Number of its server.
    pub(super) server: usize,
    /// The interface it is a reference for.
    pub(super) interface: Guid,
    pub(super) standard: Standard,
    /// Public references that were not released yet.
    pub(super) held: u32,
    pub(super) origin: Origin,
    /// Name of the volume that was asked about where it comes from.
    pub(super) volume: Option<String>,
}

/// What an enumerator lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nothing that is known.
    #[default]
    Other,
    /// `QueryVolumesSupportedForSnapshots`
    Volumes,
    /// `QueryVolumesSupportedForDiffAreas`
    DiffVolumes,
    /// `QueryDiffAreasForVolume` and `QueryDiffAreasOnVolume`
    DiffAreas,
    /// `QuerySnapshotsByVolume`
    Snapshots,
}

/// Objects by their names, the last of each. Statements add; nobody removes, and there are as many
/// statements as a scenario has steps.
#[derive(Default)]
pub(super) struct Objects {
    /// By client and name.
    own: FxHashMap<(usize, String), Object>,
    /// Who gave a name last.
    last: FxHashMap<String, usize>,
    /// Sets of pings by client and name, with the number of their last ping.
    sets: FxHashMap<(usize, String), (u64, u16)>,
    /// Identifiers given out so far.
    issued: u64,
    /// How often each server was started anew.
    epochs: FxHashMap<usize, u64>,
    /// Clients that have activated something on a server.
    activated: FxHashSet<(usize, usize)>,
}

impl Objects {
    /// A client's object of this name, or another's if it has none.
    pub(super) fn get(&self, client: usize, name: &str) -> Option<&Object> {
        let name = name.to_lowercase();
        let own = self.own.get(&(client, name.clone()));
        own.or_else(|| self.own.get(&(*self.last.get(&name)?, name)))
    }

    fn get_mut(&mut self, client: usize, name: &str) -> Option<&mut Object> {
        let name = name.to_lowercase();
        let client = if self.own.contains_key(&(client, name.clone())) {
            client
        } else {
            *self.last.get(&name)?
        };
        self.own.get_mut(&(client, name))
    }

    /// A client gives an object a name.
    fn name(&mut self, client: usize, name: &str, object: Object) {
        let name = name.to_lowercase();
        self.last.insert(name.clone(), client);
        self.own.insert((client, name), object);
    }

    /// A server starts anew, and has another object exporter.
    pub(super) fn restart(&mut self, server: usize) {
        let epoch = self.epochs.entry(server).or_default();
        *epoch = epoch.saturating_add(1);
    }

    /// Whether a client knows where the objects of a server are.
    pub(super) fn is_activated(&self, client: usize, server: usize) -> bool {
        self.activated.contains(&(client, server))
    }

    /// A number that nothing has yet.
    fn number(&mut self) -> u64 {
        self.issued = self.issued.saturating_add(1);
        self.issued
    }

    /// The object exporter of a server.
    fn oxid(&self, server: usize) -> u64 {
        let epoch = self.epochs.get(&server).copied().unwrap_or_default();
        chance(0x4f58_4944 << 32 ^ u64::try_from(server).unwrap_or_default() << 16 ^ epoch)
    }

    /// `ipidRemUnknown` of an object exporter.
    fn unknown(oxid: u64) -> Guid {
        ipid(0, oxid)
    }

    /// A new object of a server.
    fn issue(&mut self, server: usize, interface: Guid) -> Object {
        let number = self.number();
        let oxid = self.oxid(server);
        let oid = chance(oxid ^ number);
        let first = u32::try_from(number & 0x3f_ffff).unwrap_or_default();
        // As Windows counts them; the zeroth is the remote unknown.
        let ipid = ipid(first << 10 | 2, oxid ^ oid);
        let standard = Standard { flags: 0, public_refs: REFS, oxid, oid, ipid };
        let origin = Origin::default();
        Object { server, interface, standard, held: REFS, origin, volume: None }
    }
}

/// An IPID: its number, process and thread as Windows has them in it, and chance.
fn ipid(first: u32, seed: u64) -> Guid {
    let rest = chance(seed).to_le_bytes();
    Guid::from_fields(first, 0x0f54, 0x1a2c, &rest)
}

impl Resolver<'_> {
    fn address(&self, server: usize, v6: bool) -> IpAddr {
        let said = self.servers.get(server).and_then(|server| server.address);
        said.unwrap_or_else(|| play::address(v6, 1, server))
    }

    /// Where a server is reached, at a port or by asking it for one.
    fn bindings(&self, server: usize, settings: &Settings, port: Option<u16>) -> Bindings {
        let name = self.server_name(server).to_lowercase();
        let address = self.address(server, settings.v6).to_string();
        let port = port.map(|port| format!("[{port}]")).unwrap_or_default();
        let strings = [name, address].map(|name| (TCP, format!("{name}{port}")));
        Bindings {
            strings: strings.into(),
            security: SERVICES.map(|of| (of, NO_AUTHORIZATION, String::new())).into(),
        }
    }

    /// The octets of a reference to an object.
    fn reference(&self, object: &Object, settings: &Settings) -> Vec<u8> {
        let bindings = self.bindings(object.server, settings, None);
        Objref::Standard(object.standard, bindings).octets(object.interface)
    }

    /// `object e9 IVssEnumMgmtObject [from=QVSD] [volume=VA] [refs=1] [ipid=GUID]`: one that nobody saw
    /// issued.
    pub(super) fn declare(
        &mut self,
        line: super::steps::Line,
        words: &mut super::direct::Words<'_>,
    ) -> Result<(), super::grammar::Fail> {
        use super::grammar::Fail;
        let name = words.need("the name of an object")?.clone();
        let word = words.need("the name of an interface")?;
        let Some(interface) = super::values::named_guid(&word.text, Some(self.registry)) else {
            let message = format!("there is no interface `{}`", word.text);
            return Err(Fail::at(word, message));
        };
        let mut object = self.objects.issue(line.server, interface);
        object.origin = scmp::origin_of(interface);
        while let Some(word) = words.next() {
            let known = match word.text.split_once('=') {
                Some(("from", method)) => scmp::origin(method).map(|origin| object.origin = origin),
                Some(("volume", name)) => {
                    object.volume = Some(scmp::volume(name).unwrap_or_else(|| name.to_owned()));
                    Some(())
                }
                Some(("refs", refs)) => {
                    let refs = super::words::number(refs).and_then(|n| u32::try_from(n).ok());
                    refs.map(|refs| (object.held, object.standard.public_refs) = (refs, refs))
                }
                Some(("ipid", ipid)) => {
                    super::values::guid(ipid).map(|ipid| object.standard.ipid = ipid)
                }
                _ => None,
            };
            if known.is_none() {
                let known = "from=QVSS, volume=VA, refs=5 or ipid=GUID";
                let message = format!("expected {known}, found `{}`", word.text);
                return Err(Fail::at(word, message));
            }
        }
        self.objects.name(line.client, &name.text, object);
        Ok(())
    }

    /// The object of this name, which has to be there.
    fn object(&self, client: usize, name: &Word) -> Result<Object, super::grammar::Fail> {
        self.objects.get(client, &name.text).cloned().ok_or_else(|| {
            let message = format!("there is no object `{}`", name.text);
            super::grammar::Fail::at(name, message)
        })
    }
}
