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

/// Reads the units of an array, of which the first is at offset `at` of what they came in.
///
/// The members are those of the two kinds of bindings: \[MS-DCOM\] 2.2.19.3 and 2.2.19.4.
pub(super) fn read(units: &[u16], security_offset: u32, at: u32) -> Read<Record> {
    let mut record = Record { name: "DUALSTRINGARRAY".into(), fields: Vec::new() };
    let offset = index(security_offset);
    if units.is_empty() && offset == 0 {
        // Whoever knows them already is not told again.
        put(&mut record, "bindings", Vec::new(), at);
        put(&mut record, "security", Vec::new(), at);
        return (record, None);
    }
    let (Some(strings), Some(security)) = (units.get(..offset), units.get(offset..)) else {
        let what = format!("wSecurityOffset {security_offset} of {} entries", units.len());
        return (record, Some(Stop::malformed(at, what)));
    };
    let mut walk = Walk { units: strings, pos: 0, at };
    let (items, stop) = walk.all(string_binding);
    put(&mut record, "bindings", items, at);
    let at = at.saturating_add(security_offset.saturating_mul(2));
    let mut walk = Walk { units: security, pos: 0, at };
    let (items, other) = walk.all(security_binding);
    put(&mut record, "security", items, at);
    (record, stop.or(other))
}

fn put(record: &mut Record, name: &str, items: Vec<Value>, at: u32) {
    let end = items.last().map_or(at, |item| item.span.end);
    let start = items.first().map_or(at, |item| item.span.start);
    let list = List { items, counts: Counts::default() };
    let value = Value { data: Data::List(Box::new(list)), span: Span::new(start, end) };
    record.fields.push((Arc::from(name), value));
}

/// Goes through the units of one kind of bindings.
struct Walk<'u> {
    units: &'u [u16],
    pos: usize,
    /// Offset of the first unit.
    at: u32,
}

impl Walk<'_> {
    /// Bindings up to the unit of zero that ends them.
    fn all(&mut self, one: fn(&mut Self) -> Option<Value>) -> Read<Vec<Value>> {
        let mut items = Vec::new();
        loop {
            match self.units.get(self.pos) {
                Some(0) => return (items, None),
                None => break,
                Some(_) => {}
            }
            match one(self) {
                Some(value) => items.push(value),
                None => break,
            }
        }
        (items, Some(Stop::malformed(self.offset(self.pos), "bindings without an end")))
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

    fn record(&self, name: &str, from: usize, fields: Vec<(&str, Value)>) -> Value {
        let fields = fields.into_iter().map(|(name, value)| (Arc::from(name), value)).collect();
        let record = Record { name: name.into(), fields };
        let span = Span::new(self.offset(from), self.offset(self.pos));
        Value { data: Data::Record(Box::new(record)), span }
    }
}

fn string_binding(walk: &mut Walk<'_>) -> Option<Value> {
    let from = walk.pos;
    let fields = vec![("wTowerId", walk.number(&PROTSEQ)?), ("aNetworkAddr", walk.text()?)];
    Some(walk.record("STRINGBINDING", from, fields))
}

fn security_binding(walk: &mut Walk<'_>) -> Option<Value> {
    let from = walk.pos;
    let fields = vec![
        ("wAuthnSvc", walk.number(&AUTHN_SVC)?),
        ("wAuthzSvc", walk.number(&Format::Hex)?),
        ("aPrincName", walk.text()?),
    ];
    Some(walk.record("SECURITYBINDING", from, fields))
}
