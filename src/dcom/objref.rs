//! `OBJREF`: a reference to an object as it travels (\[MS-DCOM\] 2.2.18).
//!
//! ```text
//!  "MEOW" flags iid │ STDOBJREF  bindings                 OBJREF_STANDARD
//!                   │ STDOBJREF  clsid  bindings          OBJREF_HANDLER
//!                   │ clsid  cbExtension  size  octets    OBJREF_CUSTOM
//!                   │ STDOBJREF  "VYSN"  bindings  …      OBJREF_EXTENDED
//! ```
//!
//! The members are named as in the records of the JSON contract.

use std::sync::{Arc, LazyLock};

use super::members::{Members, enumeration, units};
use super::{Opener, Read, activation, bindings, error, limited};
use crate::bytes::{Span, Stop, index};
use crate::idl::{Format, Names, NamesKind};
use crate::ndr::{Data, Record, Value};
use crate::protocol::dcom::{
    CLSID_ACTIVATION_PROPERTIES_IN, CLSID_ACTIVATION_PROPERTIES_OUT, CLSID_ERROR_OBJECT,
};

/// `MEOW`
pub(super) const SIGNATURE: u32 = 0x574f_454d;
/// `VYSN`, of the extended kind
pub(super) const EXTENDED_SIGNATURE: u32 = 0x4e53_5956;
pub(super) const STANDARD: u32 = 1;
pub(super) const HANDLER: u32 = 2;
pub(super) const CUSTOM: u32 = 4;
pub(super) const EXTENDED: u32 = 8;

static KINDS: LazyLock<Format> = LazyLock::new(|| {
    enumeration(
        "OBJREF",
        &[
            (STANDARD.into(), "OBJREF_STANDARD"),
            (HANDLER.into(), "OBJREF_HANDLER"),
            (CUSTOM.into(), "OBJREF_CUSTOM"),
            (EXTENDED.into(), "OBJREF_EXTENDED"),
        ],
    )
});

/// 2.2.18.2
static SORF: LazyLock<Format> = LazyLock::new(|| {
    Format::Names(Arc::new(Names {
        name: "SORF".into(),
        kind: NamesKind::Flags,
        bits: vec![(0x1000, "SORF_NOPING".into())],
        ..Names::default()
    }))
});

/// Reads an `OBJREF`; spans count from its first octet.
pub(super) fn read(octets: &[u8], opener: &mut Opener<'_>) -> Read<Value> {
    let mut none = ();
    let mut members = Members::new(octets, &mut none, "OBJREF");
    let stop = fill(&mut members, opener).err();
    (members.value(), stop.map(|stop| limited(stop, "the message", "the OBJREF")))
}

fn fill(m: &mut Members<'_, '_>, opener: &mut Opener<'_>) -> Result<(), Stop> {
    let signature = m.u32("signature", &Format::Hex)?;
    if signature != SIGNATURE {
        return Err(Stop::malformed(0, format!("the signature is 0x{signature:08x}, not MEOW")));
    }
    let kind = m.u32("objref", &KINDS)?;
    m.guid("iid")?;
    match kind {
        STANDARD => {
            standard(m)?;
            dual_string_array(m)
        }
        HANDLER => {
            standard(m)?;
            m.guid("clsid")?;
            dual_string_array(m)
        }
        CUSTOM => custom(m, opener),
        EXTENDED => {
            standard(m)?;
            signed(m, "signature1")?;
            dual_string_array(m)?;
            m.u32("elements", &Format::Decimal)?;
            signed(m, "signature2")?;
            m.rest("context")
        }
        _ => Err(Stop::malformed(4, format!("there is no kind {kind} of OBJREF"))),
    }
}

/// 2.2.18.2 `STDOBJREF`
fn standard(m: &mut Members<'_, '_>) -> Result<(), Stop> {
    m.u32("flags", &SORF)?;
    m.u32("public_refs", &Format::Decimal)?;
    m.u64("oxid", &Format::Hex)?;
    m.u64("oid", &Format::Hex)?;
    m.guid("ipid")?;
    Ok(())
}

fn signed(m: &mut Members<'_, '_>, name: &str) -> Result<(), Stop> {
    let at = m.r.pos();
    match m.u32(name, &Format::Hex)? {
        EXTENDED_SIGNATURE => Ok(()),
        other => Err(Stop::malformed(at, format!("the signature is 0x{other:08x}, not VYSN"))),
    }
}

/// 2.2.19.1
fn dual_string_array(m: &mut Members<'_, '_>) -> Result<(), Stop> {
    let entries = m.u16("entries", &Format::Decimal)?;
    let security = m.u16("security_offset", &Format::Decimal)?;
    let at = m.r.pos();
    let wanted = u32::from(entries).saturating_mul(2);
    let there = wanted.min(m.r.left() & !1);
    let octets = m.r.take(there)?;
    let (read, stop) = bindings::read(&units(octets), entries.into(), security.into(), at);
    m.record.fields.extend(read.fields);
    m.r.take(wanted - there)?;
    stop.map_or(Ok(()), Err)
}

/// 2.2.18.6
fn custom(m: &mut Members<'_, '_>, opener: &mut Opener<'_>) -> Result<(), Stop> {
    let class = m.guid("clsid")?;
    m.u32("extension", &Format::Decimal)?;
    m.u32("reserved", &Format::Decimal)?;
    let read = match class {
        CLSID_ACTIVATION_PROPERTIES_IN | CLSID_ACTIVATION_PROPERTIES_OUT => activation::read,
        CLSID_ERROR_OBJECT => error::read,
        _ => return m.rest("data"),
    };
    let at = m.r.pos();
    let octets = m.r.view().bytes().get(index(at)..).unwrap_or_default();
    let (mut record, stop) = opener.within(at, |opener| read(octets, opener));
    m.r.seek(m.r.end(), "the end")?;
    for (_, value) in &mut record.fields {
        value.shift(at);
    }
    let span = Span::new(at, m.r.pos());
    m.put("data", value(record, span));
    stop.map_or(Ok(()), |stop| Err(Stop { at: stop.at.saturating_add(at), ..stop }))
}

fn value(record: Record, span: Span) -> Value {
    Value { data: Data::Record(Box::new(record)), span }
}
