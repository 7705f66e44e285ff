//! `DUALSTRINGARRAY`: where an object is reached, and how it is to be spoken to.
//!
//! ```text
//!  wNumEntries wSecurityOffset │ tower id, address, 0 … 0 │ service, authz, name, 0 … 0
//!                              └ units of 16 bits ────────┴ from wSecurityOffset on
//! ```

use std::sync::{Arc, LazyLock};

use super::Read;
use super::members::{enumeration, wide};
use crate::bytes::{Span, Stop, clamp, index};
use crate::idl::Format;
use crate::ndr::{Counts, Data, List, Number, Record, Value};
use crate::protocol::dcom::PROTSEQS;

/// \[MS-DCOM\] 2.2.19.3
static PROTSEQ: LazyLock<Format> = LazyLock::new(|| enumeration("wTowerId", &PROTSEQS));

/// \[MS-RPCE\] 2.2.1.1.7
static AUTHN_SVC: LazyLock<Format> = LazyLock::new(|| {
    enumeration(
        "wAuthnSvc",
        &[
            (0x00, "RPC_C_AUTHN_NONE"),
            (0x09, "RPC_C_AUTHN_GSS_NEGOTIATE"),
            (0x0a, "RPC_C_AUTHN_WINNT"),
            (0x0e, "RPC_C_AUTHN_GSS_SCHANNEL"),
            (0x10, "RPC_C_AUTHN_GSS_KERBEROS"),
            (0x44, "RPC_C_AUTHN_NETLOGON"),
            (0xffff, "RPC_C_AUTHN_DEFAULT"),
        ],
    )
});

/// \[MS-RPCE\] 2.2.1.1.7, of which only `RPC_C_AUTHZ_NONE` (0) and 0xffff are seen
static AUTHZ_SVC: LazyLock<Format> = LazyLock::new(|| Format::Hex);

/// Reads the units of an array of `declared`, of which the first is at offset `at` of what they came
/// in. Whoever has fewer of them knows why, and those that are there are read.
///
/// The members are those of the two kinds of bindings: \[MS-DCOM\] 2.2.19.3 and 2.2.19.4.
pub(super) fn read(units: &[u16], declared: u64, security_offset: u32, at: u32) -> Read<Record> {
    let mut record = Record { name: "DUALSTRINGARRAY".into(), fields: Vec::new() };
    if declared == 0 && security_offset == 0 {
        // Whoever knows them already is not told again.
        put(&mut record, "bindings", Vec::new(), at);
        put(&mut record, "security", Vec::new(), at);
        return (record, None);
    }
    let (strings, security) =
        units.split_at_checked(index(security_offset)).unwrap_or((units, &[]));
    let mut walk = Walk { units: strings, pos: 0, at };
    let (items, stop) = walk.all(&STRING_BINDING);
    put(&mut record, "bindings", items, at);
    if u64::from(security_offset) > declared {
        let what = format!("wSecurityOffset {security_offset} of {declared} entries");
        return (record, Some(Stop::malformed(at, what)));
    }
    let at = at.saturating_add(clamp(strings.len()).saturating_mul(2));
    let mut walk = Walk { units: security, pos: 0, at };
    let (items, other) = walk.all(&SECURITY_BINDING);
    put(&mut record, "security", items, at);
    let whole = u64::from(clamp(units.len())) >= declared;
    (record, stop.or(other).filter(|_| whole))
}

fn put(record: &mut Record, name: &str, items: Vec<Value>, at: u32) {
    let end = items.last().map_or(at, |item| item.span.end);
    let start = items.first().map_or(at, |item| item.span.start);
    let list = List { items, counts: Counts::default() };
    let value = Value { data: Data::List(Box::new(list)), span: Span::new(start, end) };
    record.fields.push((Arc::from(name), value));
}

/// One of the two kinds of bindings: numbers, then a text.
struct Kind {
    name: &'static str,
    numbers: &'static [(&'static str, &'static LazyLock<Format>)],
    text: &'static str,
}

/// 2.2.19.3
static STRING_BINDING: Kind =
    Kind { name: "STRINGBINDING", numbers: &[("wTowerId", &PROTSEQ)], text: "aNetworkAddr" };

/// 2.2.19.4
static SECURITY_BINDING: Kind = Kind {
    name: "SECURITYBINDING",
    numbers: &[("wAuthnSvc", &AUTHN_SVC), ("wAuthzSvc", &AUTHZ_SVC)],
    text: "aPrincName",
};

/// Goes through the units of one kind of bindings.
struct Walk<'u> {
    units: &'u [u16],
    pos: usize,
    /// Offset of the first unit.
    at: u32,
}

impl Walk<'_> {
    /// Bindings up to the unit of zero that ends them; of the last, what is there.
    fn all(&mut self, of: &Kind) -> Read<Vec<Value>> {
        let mut items = Vec::new();
        loop {
            match self.units.get(self.pos) {
                Some(0) => return (items, None),
                Some(_) if self.one(of, &mut items) => {}
                _ => break,
            }
        }
        (items, Some(Stop::malformed(self.offset(self.pos), "bindings without an end")))
    }

    /// Adds one binding; whether it is whole.
    fn one(&mut self, of: &Kind, items: &mut Vec<Value>) -> bool {
        let from = self.pos;
        let mut fields: Vec<(Arc<str>, Value)> = Vec::new();
        for (name, format) in of.numbers {
            fields.extend(self.number(format).map(|value| (Arc::from(*name), value)));
        }
        let text = self.text();
        let whole = text.is_some();
        fields.extend(text.map(|value| (Arc::from(of.text), value)));
        let span = Span::new(self.offset(from), self.offset(self.pos));
        let record = Record { name: of.name.into(), fields };
        items.push(Value { data: Data::Record(Box::new(record)), span });
        whole
    }

    fn offset(&self, unit: usize) -> u32 {
        self.at.saturating_add(clamp(unit).saturating_mul(2))
    }

    fn number(&mut self, format: &Format) -> Option<Value> {
        let n = *self.units.get(self.pos)?;
        let span = Span::new(self.offset(self.pos), self.offset(self.pos + 1));
        self.pos += 1;
        let number = Number { bits: n.into(), width: 2, signed: false, format: format.clone() };
        Some(Value { data: Data::Number(number), span })
    }

    /// Units up to a zero, which is among them.
    fn text(&mut self) -> Option<Value> {
        let rest = self.units.get(self.pos..)?;
        let end = rest.iter().position(|unit| *unit == 0)?;
        let units = rest.get(..=end)?;
        let span = Span::new(self.offset(self.pos), self.offset(self.pos + units.len()));
        self.pos += units.len();
        Some(wide(units.into(), span))
    }
}
