//! Answers to questions for the address of a name: DNS (RFC 1035 4.1), LLMNR (RFC 4795 2.1) and the
//! name service of NetBIOS (RFC 1002 4.2), which share one form.
//!
//! ```text
//!  ID(2) flags(2) QDCOUNT(2) ANCOUNT(2) NSCOUNT(2) ARCOUNT(2)
//!  question:  name, type(2), class(2)                              as asked
//!  records:   name, type(2), class(2), TTL(4), RDLENGTH(2), RDATA  answers first
//! ```
//! Big-endian. A negative answer of NetBIOS has no question; the record's name is what was asked.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Octets of a name (RFC 1035 2.3.4).
const NAME_MAX: usize = 255;
/// Addresses of one answer that are kept.
const ADDRESSES_MAX: usize = 16;
/// Letters of an encoded NetBIOS name (RFC 1001 14.1).
const NETBIOS_LETTERS: usize = 32;
/// What has a NetBIOS name that is looked for to connect to it: a machine, and its file server. Other
/// suffixes are of domains, users and browsers.
const MACHINES: [u8; 2] = [0x00, 0x20];

const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;
/// RFC 1002 4.2.1.3: of a record that says there is nothing.
const TYPE_NULL: u16 = 10;
/// RFC 1002 4.2.1.3: addresses of a NetBIOS name.
const TYPE_NB: u16 = 32;

/// A kind of resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolver {
    /// DNS, UDP port 53.
    Dns,
    /// Link-Local Multicast Name Resolution, UDP port 5355.
    Llmnr,
    /// The NetBIOS name service, UDP port 137.
    NetBios,
}

impl Resolver {
    /// Which one answers from this UDP port.
    pub fn of(port: u16) -> Option<Self> {
        match port {
            53 => Some(Self::Dns),
            5355 => Some(Self::Llmnr),
            137 => Some(Self::NetBios),
            _ => None,
        }
    }
}

impl fmt::Display for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "DNS",
            Self::Llmnr => "LLMNR",
            Self::NetBios => "NetBIOS name service",
        })
    }
}

/// `RCODE`: RFC 1035 4.1.1, RFC 1002 4.2.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rcode(pub u8);

impl Rcode {
    /// No error.
    pub const NO_ERROR: Self = Self(0);
    /// `SERVFAIL`: the server cannot tell.
    pub const SERVER_FAILURE: Self = Self(2);
    /// `NXDOMAIN`, `NAM_ERR`: there is no such name.
    pub const NAME_ERROR: Self = Self(3);
    /// `REFUSED`: the server does not want to tell.
    pub const REFUSED: Self = Self(5);

    /// Its name, which DNS and NetBIOS do not share.
    pub fn name(self, by: Resolver) -> Option<&'static str> {
        let names: &[_] = if by == Resolver::NetBios {
            &[(1, "FMT_ERR"), (2, "SRV_ERR"), (3, "NAM_ERR"), (4, "IMP_ERR"), (5, "RFS_ERR")]
        } else {
            &[(1, "FORMERR"), (2, "SERVFAIL"), (3, "NXDOMAIN"), (4, "NOTIMP"), (5, "REFUSED")]
        };
        names.iter().find(|(code, _)| *code == self.0).map(|(_, name)| *name)
    }
}

/// What a resolver says of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The name that was asked for: without its last dot; of NetBIOS, without padding, suffix and
    /// scope. A dot or backslash that is within a label has a backslash before it.
    pub name: String,
    /// Whether there is an error, and which.
    pub code: Rcode,
    /// The addresses among the answers, the first sixteen.
    pub addresses: Vec<IpAddr>,
}

/// Reads the answer of a resolver to a question for an IPv4 or IPv6 address; `None` if `bytes` are
/// anything else. Of records that are cut off nothing is told.
pub fn answer(by: Resolver, bytes: &[u8]) -> Option<Answer> {
    let mut r = Rest(bytes);
    let _id = r.u16()?;
    let flags = r.u16()?;
    let (questions, answers) = (r.u16()?, r.u16()?);
    let _authorities_and_more: [u8; 4] = r.array()?;
    let (response, operation) = (flags & 0x8000 != 0, flags >> 11 & 0xf);
    let code = Rcode(u8::try_from(flags & 0xf).ok()?);
    if !response || operation != 0 {
        return None;
    }
    let (name, asked) = match (by, questions) {
        // The record stands where the question would.
        (Resolver::NetBios, 0) => {
            let mut ahead = Rest(r.0);
            (ahead.netbios_name()?, ahead.question()?)
        }
        (Resolver::NetBios, 1) => (r.netbios_name()?, r.question()?),
        (_, 1) => (r.name()?, r.question()?),
        _ => return None,
    };
    let wanted = match by {
        Resolver::NetBios => matches!(asked, TYPE_NB | TYPE_NULL),
        Resolver::Dns | Resolver::Llmnr => matches!(asked, TYPE_A | TYPE_AAAA),
    };
    let answers = if code == Rcode::NO_ERROR { answers } else { 0 };
    let records = (0..answers).map_while(|_| r.record());
    let addresses = records.filter_map(|(kind, data)| address(kind, data));
    let addresses = if wanted { addresses.take(ADDRESSES_MAX).collect() } else { Vec::new() };
    wanted.then_some(Answer { name, code, addresses })
}

/// The address in a record: of a NetBIOS name the first, behind its flags.
fn address(kind: u16, data: &[u8]) -> Option<IpAddr> {
    match kind {
        TYPE_A => data.try_into().ok().map(|ip: [u8; 4]| Ipv4Addr::from(ip).into()),
        TYPE_AAAA => data.try_into().ok().map(|ip: [u8; 16]| Ipv6Addr::from(ip).into()),
        TYPE_NB => {
            let (_flags, rest) = data.split_first_chunk::<2>()?;
            rest.first_chunk::<4>().map(|ip| Ipv4Addr::from(*ip).into())
        }
        _ => None,
    }
}

/// What is left of a message.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(first)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next label; empty at the end of a name. A pointer is none.
    fn label(&mut self) -> Option<&'a [u8]> {
        let [len] = self.array()?;
        (len < 0x40).then(|| self.take(len.into()))?
    }

    /// The first name of a message. Nothing stands before it that it could point to.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let mut left = NAME_MAX;
        loop {
            let label = self.label()?;
            left = left.checked_sub(label.len().saturating_add(1))?;
            if label.is_empty() {
                return Some(name);
            }
            if !name.is_empty() {
                name.push('.');
            }
            for c in String::from_utf8_lossy(label).chars() {
                if matches!(c, '.' | '\\') {
                    name.push('\\');
                }
                name.push(c);
            }
        }
    }

    /// RFC 1001 14.1 First Level Encoding: 16 octets, each as two letters, and a scope behind them.
    /// The last octet says what has the name; spaces fill up the others. `None` if that is no machine.
    fn netbios_name(&mut self) -> Option<String> {
        let letters = self.label().filter(|letters| letters.len() == NETBIOS_LETTERS)?;
        let half = |letter: &u8| letter.checked_sub(b'A').filter(|half| *half < 16);
        let octets: Option<Vec<u8>> = letters
            .chunks_exact(2)
            .map(|pair| {
                pair.iter().try_fold(0, |octet: u8, letter| Some(octet << 4 | half(letter)?))
            })
            .collect();
        let mut octets = octets?;
        octets.pop().filter(|suffix| MACHINES.contains(suffix))?;
        let mut left = NAME_MAX - NETBIOS_LETTERS;
        loop {
            let scope = self.label()?;
            left = left.checked_sub(scope.len().saturating_add(1))?;
            if scope.is_empty() {
                return Some(String::from_utf8_lossy(&octets).trim_end().to_owned());
            }
        }
    }

    /// Passes over a name, which a pointer may end.
    fn skip_name(&mut self) -> Option<()> {
        loop {
            let [first] = self.array()?;
            match first {
                0 => return Some(()),
                1..0x40 => self.take(first.into()).map(drop)?,
                0xc0.. => return self.array::<1>().map(drop),
                _ => return None,
            }
        }
    }

    /// What follows the name of a question, if it is of class IN: the type.
    fn question(&mut self) -> Option<u16> {
        const IN: u16 = 1;
        let kind = self.u16()?;
        (self.u16()? == IN).then_some(kind)
    }

    /// Type and data of the next record.
    fn record(&mut self) -> Option<(u16, &'a [u8])> {
        self.skip_name()?;
        let kind = self.u16()?;
        let _class_and_ttl: [u8; 6] = self.array()?;
        let len = self.u16()?;
        Some((kind, self.take(len.into())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Header: ID 0x1234, flags, counts of questions and answers.
    fn header(flags: u16, questions: u16, answers: u16) -> Vec<u8> {
        [0x1234, flags, questions, answers, 0, 0].iter().flat_map(|n| n.to_be_bytes()).collect()
    }

    /// `fs1.lab`, and a question of this type.
    fn question(kind: u16) -> Vec<u8> {
        [b"\x03fs1\x03lab\0".as_slice(), &kind.to_be_bytes(), b"\0\x01"].concat()
    }

    /// A record whose name is that of the question: type, class IN, 60 seconds, data.
    fn record(kind: u16, data: &[u8]) -> Vec<u8> {
        let len = u16::try_from(data.len()).unwrap();
        let parts: [&[u8]; 5] =
            [b"\xc0\x0c", &kind.to_be_bytes(), b"\0\x01\0\0\0\x3c", &len.to_be_bytes(), data];
        parts.concat()
    }

    /// `FS1` of a file server, in 32 letters.
    const FS1: &[u8] = b"\x20EGFDDBCACACACACACACACACACACACACA\0";

    fn fs1(code: u8, addresses: &[IpAddr]) -> Answer {
        Answer { name: "fs1.lab".to_owned(), code: Rcode(code), addresses: addresses.to_vec() }
    }

    fn ip() -> IpAddr {
        Ipv4Addr::new(10, 0, 0, 1).into()
    }

    #[test]
    fn a_name_that_is_unknown() {
        for (code, kind) in [(3, TYPE_A), (2, TYPE_AAAA), (5, TYPE_A)] {
            let bytes = [header(0x8180 | code, 1, 0), question(kind)].concat();
            let expect = Some(fs1(u8::try_from(code).unwrap(), &[]));
            for by in [Resolver::Dns, Resolver::Llmnr] {
                assert_eq!(answer(by, &bytes), expect);
                for n in 0..bytes.len() {
                    assert_eq!(answer(by, &bytes[..n]), None, "{n} bytes");
                }
            }
            assert_eq!(answer(Resolver::NetBios, &bytes), None);
            // An authority that follows is not read.
            assert_eq!(answer(Resolver::Dns, &[bytes, record(6, b"soa")].concat()), expect);
        }
        assert_eq!(Rcode(3).name(Resolver::Dns), Some("NXDOMAIN"));
        assert_eq!(Rcode(3).name(Resolver::NetBios), Some("NAM_ERR"));
        assert_eq!(Rcode(15).name(Resolver::Llmnr), None);
    }

    #[test]
    fn a_name_that_has_an_address() {
        let alias = record(5, b"\x02fs\xc0\x10");
        let address = record(TYPE_A, &[10, 0, 0, 1]);
        let bytes = [header(0x8180, 1, 2), question(TYPE_A), alias.clone(), address].concat();
        assert_eq!(answer(Resolver::Dns, &bytes), Some(fs1(0, &[ip()])));
        let asked = 12 + question(TYPE_A).len();
        for n in 0..bytes.len() {
            let expect = if n < asked { None } else { Some(fs1(0, &[])) };
            assert_eq!(answer(Resolver::Dns, &bytes[..n]), expect, "{n} bytes");
        }
        // Of one that is too short, or too long, nothing is known; of very many the first are kept.
        for data in [b"\x0a\0\0".as_slice(), b"\x0a\0\0\x01\0"] {
            let bytes = [header(0x8180, 1, 1), question(TYPE_A), record(TYPE_A, data)].concat();
            assert_eq!(answer(Resolver::Dns, &bytes), Some(fs1(0, &[])));
        }
        let many = record(TYPE_AAAA, &[0xfd; 16]).repeat(40);
        let bytes = [header(0x8180, 1, 40), question(TYPE_AAAA), many].concat();
        assert_eq!(answer(Resolver::Dns, &bytes).unwrap().addresses.len(), ADDRESSES_MAX);
        // An alias alone is no address.
        let bytes = [header(0x8180, 1, 1), question(TYPE_AAAA), alias].concat();
        assert_eq!(answer(Resolver::Dns, &bytes), Some(fs1(0, &[])));
    }

    #[test]
    fn names_of_netbios() {
        let unknown = [header(0x8583, 0, 0).as_slice(), FS1, b"\0\x0a\0\x01\0\0\0\0\0\0"].concat();
        let name = "FS1".to_owned();
        let expect = Answer { name: name.clone(), code: Rcode::NAME_ERROR, addresses: vec![] };
        assert_eq!(answer(Resolver::NetBios, &unknown), Some(expect));
        for n in 0..unknown.len() - 6 {
            assert_eq!(answer(Resolver::NetBios, &unknown[..n]), None, "{n} bytes");
        }
        let known = [
            header(0x8580, 0, 1).as_slice(),
            FS1,
            b"\0\x20\0\x01\0\0\0\x3c\0\x06", // NB, IN, 60 seconds, six octets
            b"\0\0\x0a\0\0\x01",
        ]
        .concat();
        let expect = Answer { name, code: Rcode::NO_ERROR, addresses: vec![ip()] };
        assert_eq!(answer(Resolver::NetBios, &known), Some(expect));
        // A letter that is none, a label that is too short, a scope.
        for (at, octet) in [(13, b'Q'), (12, 0x1f)] {
            let mut bad = unknown.clone();
            bad[at] = octet;
            assert_eq!(answer(Resolver::NetBios, &bad), None);
        }
        // Domain controllers, and the browser that has the workgroup.
        for suffix in [b"BM", b"BN"] {
            let domain = [&FS1[..31], suffix, b"\0"].concat();
            let bytes = [header(0x8583, 0, 0), domain, b"\0\x0a\0\x01".to_vec()].concat();
            assert_eq!(answer(Resolver::NetBios, &bytes), None);
        }
        let machine = [&FS1[..31], b"AA\0"].concat();
        let bytes = [header(0x8583, 0, 0), machine, b"\0\x0a\0\x01".to_vec()].concat();
        assert_eq!(answer(Resolver::NetBios, &bytes).unwrap().name, "FS1");
        let scoped = [&FS1[..33], b"\x03lab\0"].concat();
        let scoped = [header(0x8583, 0, 0), scoped, b"\0\x0a\0\x01".to_vec()].concat();
        assert_eq!(answer(Resolver::NetBios, &scoped).unwrap().name, "FS1");
    }

    #[test]
    fn what_is_no_such_answer() {
        let good = [header(0x8183, 1, 0), question(TYPE_A)].concat();
        assert!(answer(Resolver::Dns, &good).is_some());
        let changes = [
            (2, 0x01),  // a question
            (2, 0xa9),  // operation 5, an update
            (5, 2),     // two questions
            (12, 0x40), // a label of a kind that there is not
            (12, 0xc0), // a pointer, to what stands nowhere
            (12, 63),   // a label past the end
            (22, 33),   // SRV
            (24, 3),    // class CHAOS
        ];
        for (at, octet) in changes {
            let mut bad = good.clone();
            bad[at] = octet;
            assert_eq!(answer(Resolver::Dns, &bad), None, "octet {at}");
        }
        // A name of more than 255 octets; one of as many is a name.
        let long = |labels: usize, last: usize| {
            let labels = [b"\x3f".as_slice(), &[b'a'; 63]].concat().repeat(labels);
            let last = [&[u8::try_from(last).unwrap()], vec![b'b'; last].as_slice()].concat();
            [header(0x8183, 1, 0), labels, last, b"\0\0\x01\0\x01".to_vec()].concat()
        };
        assert_eq!(answer(Resolver::Dns, &long(3, 61)).unwrap().name.len(), 253);
        assert_eq!(answer(Resolver::Dns, &long(3, 62)), None);
    }

    #[test]
    fn dots_within_labels_are_marked() {
        let name = b"\x04a.b\\\x01\xff\0\0\x01\0\x01";
        let bytes = [header(0x8183, 1, 0).as_slice(), name].concat();
        assert_eq!(answer(Resolver::Dns, &bytes).unwrap().name, "a\\.b\\\\.\u{fffd}");
    }
}
