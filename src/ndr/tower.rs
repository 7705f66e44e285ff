//! Protocol towers: where an interface is served, and how it is spoken there.
//!
//! Takes the octets of a `twr_t` and gives its floors. [`Value`]s keep the octets;
//! who shows or counts them reads them here. It knows nothing of the endpoint mapper.
//!
//! ```text
//!  floor count │ lhs length │ protocol, …      │ rhs length │ …                \[C706\] appendix L
//!              │            │ 0d uuid version  │            │ minor version    the interface
//!              │            │ 0d uuid version  │            │ minor version    the transfer syntax
//!              │            │ 0b               │            │ minor version    RPC
//!              │            │ 07               │            │ port             TCP
//!              │            │ 09               │            │ address          IP
//! ```
//!
//! Integers are little-endian whatever the stub's byte order is, but ports and addresses are
//! big-endian.

use std::fmt;
use std::net::Ipv4Addr;

use super::value::{Bytes, Data, Record, Value};
use crate::bytes::{Guid, Order, Reader, Span, Stop, View, printable};

/// \[C706\] appendix I, single-octet protocol identifiers, and what Windows gives them for calls
/// within a machine.
const PROTOCOLS: &[(u8, &str)] = &[
    (TCP, "tcp"),
    (UDP, "udp"),
    (IP, "ip"),
    (CONNECTIONLESS, "ncadg"),
    (CONNECTION, "ncacn"),
    (LOCAL_RPC, "ncalrpc"),
    (UUID, "uuid"),
    (NAMED_PIPE, "smb"),
    (LOCAL, "lrpc"),
    (NETBIOS, "netbios"),
    (HTTP, "http"),
];
const TCP: u8 = 0x07;
const UDP: u8 = 0x08;
const IP: u8 = 0x09;
const CONNECTIONLESS: u8 = 0x0a;
const CONNECTION: u8 = 0x0b;
const LOCAL_RPC: u8 = 0x0c;
const UUID: u8 = 0x0d;
const NAMED_PIPE: u8 = 0x0f;
const LOCAL: u8 = 0x10;
const NETBIOS: u8 = 0x11;
const HTTP: u8 = 0x1f;

/// Floors of one tower; those of the protocol sequences known have five.
const MAX_FLOORS: u16 = 32;

/// A protocol tower, as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tower {
    /// From the top: interface, transfer syntax, RPC protocol, transport, network.
    pub floors: Vec<Floor>,
    /// Where and why reading stopped early.
    pub stop: Option<Stop>,
}

/// One floor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Protocol identifier.
    pub protocol: u8,
    /// What the floor says.
    pub says: Says,
    /// Its octets, from the beginning of the tower.
    pub span: Span,
}

/// What a floor says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// An interface or a transfer syntax.
    Syntax {
        /// Its UUID.
        uuid: Guid,
        /// Major version.
        major: u16,
        /// Minor version.
        minor: u16,
    },
    /// Minor version of the RPC protocol.
    Minor(u16),
    /// Port of TCP or UDP.
    Port(u16),
    /// Address of IP.
    Address(Ipv4Addr),
    /// Name of a pipe, of a local port, of a machine.
    Name(String),
    /// Octets of another protocol, on its left-hand and right-hand side.
    Octets(Box<[u8]>, Box<[u8]>),
}

impl Tower {
    /// The member of a `twr_t` that has the octets.
    pub const OCTETS: &str = "tower_octet_string";

    /// The tower in a `twr_t`, with the place of its octets; `None` for any other structure.
    pub fn of(record: &Record) -> Option<(Self, Span)> {
        let value = record.field(Self::OCTETS).filter(|_| &*record.name == "twr_t")?;
        let Data::Bytes(octets) = &value.data else { return None };
        let Bytes { bytes, .. } = &**octets;
        Some((Self::read(bytes), value.span))
    }

    /// All towers in `value`, to which pointers and arrays lead.
    pub fn all_in(value: &Value, found: &mut Vec<Self>) {
        match &value.data {
            Data::Pointer(pointer) => Self::all_in(&pointer.to, found),
            Data::List(list) => list.items.iter().for_each(|item| Self::all_in(item, found)),
            Data::Record(record) => match Self::of(record) {
                Some((tower, _)) => found.push(tower),
                None => record.fields.iter().for_each(|(_, value)| Self::all_in(value, found)),
            },
            _ => {}
        }
    }

    /// Reads the octets of a `twr_t`.
    pub fn read(octets: &[u8]) -> Self {
        let mut none = ();
        let mut reader = Reader::new(View::new(octets, &[], &[]), &mut none);
        reader.order = Order::Little;
        let mut tower = Self::default();
        tower.stop = tower.fill(&mut reader).err();
        tower
    }

    fn fill(&mut self, r: &mut Reader<'_, '_, ()>) -> Result<(), Stop> {
        let count = r.raw_u16()?;
        for _ in 0..count {
            if self.floors.len() >= usize::from(MAX_FLOORS) {
                return Err(Stop::malformed(0, format!("a tower of {count} floors")));
            }
            let start = r.pos();
            let left = half(r)?;
            let right = half(r)?;
            let (protocol, left) = match left {
                [protocol, rest @ ..] => (*protocol, rest),
                [] => return Err(Stop::malformed(start, "a floor names no protocol")),
            };
            let span = Span::new(start, r.pos());
            self.floors.push(Floor { protocol, says: says(protocol, left, right), span });
        }
        Ok(())
    }

    /// The interface and its major and minor version.
    pub fn interface(&self) -> Option<(Guid, u16, u16)> {
        match self.floors.first()?.says {
            Says::Syntax { uuid, major, minor } => Some((uuid, major, minor)),
            _ => None,
        }
    }

    /// Where, as a string binding (\[C706\] 3.1): `ncacn_ip_tcp:10.0.0.1[49664]`.
    pub fn binding(&self) -> Option<String> {
        let find = |protocol| self.floors.iter().find(|floor| floor.protocol == protocol);
        let text = |protocol| {
            let says = &find(protocol)?.says;
            let known = !matches!(says, Says::Octets(..));
            known.then(|| says.to_string())
        };
        let sequence = if find(TCP).is_some() {
            "ncacn_ip_tcp"
        } else if find(UDP).is_some() {
            "ncadg_ip_udp"
        } else if find(NAMED_PIPE).is_some() {
            "ncacn_np"
        } else if find(HTTP).is_some() {
            "ncacn_http"
        } else if find(LOCAL).is_some() {
            "ncalrpc"
        } else {
            return None;
        };
        let endpoint = [TCP, UDP, NAMED_PIPE, HTTP, LOCAL].into_iter().find_map(text)?;
        // An address of zeros leaves it to who asks: the machine that was asked.
        let host = match find(IP).map(|floor| &floor.says) {
            Some(Says::Address(address)) if !address.is_unspecified() => Some(address.to_string()),
            _ => text(NETBIOS),
        };
        Some(format!("{sequence}:{}[{endpoint}]", host.unwrap_or_default()))
    }
}

/// One half of a floor: its length, then its octets.
fn half<'v>(r: &mut Reader<'v, '_, ()>) -> Result<&'v [u8], Stop> {
    let length = r.raw_u16()?;
    r.take(length.into())
}

fn says(protocol: u8, left: &[u8], right: &[u8]) -> Says {
    let number = |order: fn([u8; 2]) -> u16| right.try_into().ok().map(order);
    let read = match protocol {
        UUID => syntax(left, right),
        CONNECTION | CONNECTIONLESS | LOCAL_RPC => number(u16::from_le_bytes).map(Says::Minor),
        TCP | UDP | HTTP => number(u16::from_be_bytes).map(Says::Port),
        IP => <[u8; 4]>::try_from(right).ok().map(|octets| Says::Address(octets.into())),
        NAMED_PIPE | LOCAL | NETBIOS => name(right),
        _ => None,
    };
    read.unwrap_or_else(|| Says::Octets(left.into(), right.into()))
}

fn syntax(left: &[u8], right: &[u8]) -> Option<Says> {
    let (uuid, major) = left.split_first_chunk::<16>()?;
    Some(Says::Syntax {
        uuid: Guid::from_bytes_le(*uuid),
        major: u16::from_le_bytes(major.try_into().ok()?),
        minor: u16::from_le_bytes(right.try_into().ok()?),
    })
}

/// A name with its terminator.
fn name(right: &[u8]) -> Option<Says> {
    let name = right.strip_suffix(&[0]).unwrap_or(right);
    Some(Says::Name(std::str::from_utf8(name).ok()?.to_owned()))
}

impl Floor {
    /// Name of the protocol.
    pub fn protocol_name(&self) -> Option<&'static str> {
        PROTOCOLS.iter().find(|(number, _)| *number == self.protocol).map(|(_, name)| *name)
    }
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { uuid, major, minor } => write!(f, "{uuid} v{major}.{minor}"),
            Self::Minor(minor) => write!(f, "minor version {minor}"),
            Self::Port(port) => write!(f, "{port}"),
            Self::Address(address) => write!(f, "{address}"),
            Self::Name(name) => f.write_str(&printable(name)),
            Self::Octets(left, right) => {
                write!(f, "{} {}", super::hex(left), super::hex(right))
            }
        }
    }
}

impl fmt::Display for Tower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.interface(), self.binding()) {
            (Some((uuid, major, minor)), Some(binding)) => {
                write!(f, "{uuid} v{major}.{minor} at {binding}")
            }
            _ => write!(f, "{} floors", self.floors.len()),
        }
    }
}
