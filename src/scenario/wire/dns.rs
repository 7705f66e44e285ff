//! Questions for the address of a name, and their answers: DNS (RFC 1035 4.1), NetBIOS (RFC 1002 4.2).

use std::net::IpAddr;

use super::octets::Octets;
use crate::bytes::Order;

const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;
const TYPE_NULL: u16 = 10;
const TYPE_NB: u16 = 32;
const CLASS_IN: u16 = 1;
/// Seconds for which an answer is good.
const GOOD_FOR: u32 = 1200;

/// A question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'t> {
    /// What it is known by.
    pub(crate) id: u16,
    pub(crate) name: &'t str,
    /// NetBIOS instead of DNS.
    pub(crate) netbios: bool,
    /// An IPv6 address is wanted; NetBIOS knows none.
    pub(crate) v6: bool,
}

/// What the answer is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    Address(IpAddr),
    /// `RCODE`
    Error(u8),
}

impl Question<'_> {
    fn kind(&self) -> u16 {
        match (self.netbios, self.v6) {
            (true, _) => TYPE_NB,
            (false, true) => TYPE_AAAA,
            (false, false) => TYPE_A,
        }
    }

    /// The name: its labels, or the one that NetBIOS makes of it.
    fn encoded(&self) -> Vec<u8> {
        if !self.netbios {
            let labels = self.name.split('.').filter(|label| !label.is_empty());
            let mut octets: Vec<u8> = labels.flat_map(|label| labelled(label.as_bytes())).collect();
            octets.push(0);
            return octets;
        }
        // RFC 1001 14.1: fifteen octets with blanks at the end, then what a file server is.
        let name = self.name.to_uppercase();
        let padded = name.bytes().chain(std::iter::repeat(b' ')).take(15).chain([0x20]);
        let letters: Vec<u8> =
            padded.flat_map(|octet| [octet >> 4, octet & 15]).map(|half| half + b'A').collect();
        [labelled(&letters), vec![0]].concat()
    }

    fn header(&self, flags: u16, questions: u16, answers: u16) -> Octets {
        let octets = Octets::in_order(Order::Big).u16(self.id).u16(flags);
        octets.u16(questions).u16(answers).u16(0).u16(0)
    }

    /// The question as it is sent.
    pub(crate) fn ask(&self) -> Vec<u8> {
        // Recursion is desired.
        let header = self.header(0x0100, 1, 0);
        header.bytes(&self.encoded()).u16(self.kind()).u16(CLASS_IN).done()
    }

    /// The answer of a server that is the authority.
    pub(crate) fn answer(&self, verdict: Verdict) -> Vec<u8> {
        let (error, address) = match verdict {
            Verdict::Error(error) => (u16::from(error), None),
            // NAM_ERR: NetBIOS knows no address of IPv6.
            Verdict::Address(IpAddr::V6(_)) if self.netbios => (3, None),
            Verdict::Address(address) => (0, Some(address)),
        };
        let answers = u16::from(address.is_some());
        let header = self.header(0x8580 | error, u16::from(!self.netbios), answers);
        let name = self.encoded();
        if !self.netbios {
            let octets = header.bytes(&name).u16(self.kind()).u16(CLASS_IN);
            let Some(address) = address else { return octets.done() };
            // The name is that of the question.
            let octets = octets.u16(0xc00c).u16(self.kind()).u16(CLASS_IN).u32(GOOD_FOR);
            return match address {
                IpAddr::V4(ip) => octets.u16(4).bytes(&ip.octets()).done(),
                IpAddr::V6(ip) => octets.u16(16).bytes(&ip.octets()).done(),
            };
        }
        match address {
            // Of a unique name, broadcast node.
            Some(IpAddr::V4(ip)) => {
                let octets = header.bytes(&name).u16(TYPE_NB).u16(CLASS_IN).u32(GOOD_FOR);
                octets.u16(6).u16(0).bytes(&ip.octets()).done()
            }
            _ => header.bytes(&name).u16(TYPE_NULL).u16(CLASS_IN).u32(0).u16(0).done(),
        }
    }
}

/// A label and its length, at most 63 octets of it.
fn labelled(label: &[u8]) -> Vec<u8> {
    const MOST: usize = 63;
    let label = label.get(..MOST).unwrap_or(label);
    let mut octets = vec![u8::try_from(label.len()).unwrap_or_default()];
    octets.extend_from_slice(label);
    octets
}
