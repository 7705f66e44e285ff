//! Members of structures that are not NDR, read one after the other into a [`Record`].

use std::sync::Arc;

use crate::bytes::{Guid, Reader, Span, Stop, View};
use crate::idl::{Format, Names, NamesKind};
use crate::ndr::{Bytes, Counts, Data, Number, Record, Text, Units, Value};

/// Little-endian members of one structure; spans count from the beginning of its octets.
pub(super) struct Members<'v, 's> {
    pub(super) r: Reader<'v, 's, ()>,
    pub(super) record: Record,
    start: u32,
}

impl<'v, 's> Members<'v, 's> {
    pub(super) fn new(octets: &'v [u8], none: &'s mut (), name: &str) -> Self {
        let r = Reader::new(View::new(octets, &[], &[]), none);
        Self { r, record: Record { name: name.into(), fields: Vec::new() }, start: 0 }
    }

    /// What was read as a value.
    pub(super) fn value(self) -> Value {
        let span = Span::new(self.start, self.r.pos());
        Value { data: Data::Record(Box::new(self.record)), span }
    }

    pub(super) fn put(&mut self, name: &str, value: Value) {
        self.record.fields.push((Arc::from(name), value));
    }

    fn number(&mut self, name: &str, at: u32, bits: u64, width: u8, format: &Format) {
        let number = Number { bits, width, signed: false, format: format.clone() };
        let span = Span::new(at, self.r.pos());
        self.put(name, Value { data: Data::Number(number), span });
    }

    pub(super) fn u16(&mut self, name: &str, format: &Format) -> Result<u16, Stop> {
        let at = self.r.pos();
        let n = self.r.raw_u16()?;
        self.number(name, at, n.into(), 2, format);
        Ok(n)
    }

    pub(super) fn u32(&mut self, name: &str, format: &Format) -> Result<u32, Stop> {
        let at = self.r.pos();
        let n = self.r.raw_u32()?;
        self.number(name, at, n.into(), 4, format);
        Ok(n)
    }

    pub(super) fn u64(&mut self, name: &str, format: &Format) -> Result<u64, Stop> {
        let at = self.r.pos();
        let n = self.r.raw_u64()?;
        self.number(name, at, n, 8, format);
        Ok(n)
    }

    pub(super) fn guid(&mut self, name: &str) -> Result<Guid, Stop> {
        let at = self.r.pos();
        let guid = self.r.raw_guid()?;
        self.put(name, Value { data: Data::Guid(guid), span: Span::new(at, self.r.pos()) });
        Ok(guid)
    }

    /// One of the counts of a text.
    pub(super) fn count(&mut self, count: &mut Option<(u64, Span)>) -> Result<u32, Stop> {
        let at = self.r.pos();
        let n = self.r.raw_u32()?;
        *count = Some((n.into(), Span::new(at, self.r.pos())));
        Ok(n)
    }

    /// All that is left.
    pub(super) fn rest(&mut self, name: &str) -> Result<(), Stop> {
        let at = self.r.pos();
        let octets = self.r.take(self.r.left())?;
        let data = Data::Bytes(Box::new(Bytes { bytes: octets.into(), counts: Counts::default() }));
        self.put(name, Value { data, span: Span::new(at, self.r.pos()) });
        Ok(())
    }
}

/// Units of 16 bits, little-endian.
pub(super) fn units(octets: &[u8]) -> Box<[u16]> {
    let pairs = octets.chunks_exact(2);
    pairs.map(|pair| u16::from_le_bytes(pair.try_into().unwrap_or_default())).collect()
}

/// A string of UTF-16.
pub(super) fn wide(units: Box<[u16]>, span: Span) -> Value {
    let text = Text { units: Units::Wide(units), counts: Counts::default() };
    Value { data: Data::Text(Box::new(text)), span }
}

/// An enumeration with names for some of its values.
pub(super) fn enumeration(name: &str, values: &[(i64, &str)]) -> Format {
    Format::Names(Arc::new(Names {
        name: name.into(),
        kind: NamesKind::Enumeration,
        values: values.iter().map(|(value, name)| (*value, Arc::from(*name))).collect(),
        ..Names::default()
    }))
}
