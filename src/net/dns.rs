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

/// Octets of a name (RFC 1035 2.3.4).
const NAME_MAX: usize = 255;
/// Letters of an encoded NetBIOS name (RFC 1001 14.1).
const NETBIOS_LETTERS: usize = 32;

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
    /// Whether an address is among the answers.
    pub found: bool,
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
    let is_address = |kind: u16| matches!(kind, TYPE_A | TYPE_AAAA | TYPE_NB);
    let found = code == Rcode::NO_ERROR
        && (0..answers)
            .map_while(|_| r.record())
            .any(|(kind, data)| is_address(kind) && !data.is_empty());
    wanted.then_some(Answer { name, code, found })
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
    /// The last octet says what has the name; spaces fill up the others.
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
        octets.pop();
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
