//! Arrays and strings: \[C706\] 14.3.3 and 14.3.4.

use super::decode::Decoder;
use super::value::{Bytes, Counts, Data, List, Text, Units, Value};
use crate::bytes::{Order, Span, Stop, Why};
use crate::idl::{Array, Format, Kind, Shape};

/// Elements that take no octets, of one array.
const EMPTY: u64 = 4096;

impl<'v> Decoder<'_, 'v, '_> {
    /// The array without its `max_count`, which `hoisted` is.
    pub(super) fn array(
        &mut self,
        array: &Array,
        hoisted: Option<(u64, Span)>,
        out: &mut Value,
    ) -> Result<(), Stop> {
        let counts = self.counts(array.shape.varying(), hoisted)?;
        if let (Some((max, _)), Some((offset, at)), Some((actual, end))) =
            (counts.max, counts.offset, counts.actual)
            && offset.saturating_add(actual) > max
        {
            let span = Span::new(at.start, end.end);
            self.note(
                span,
                format!("offset {offset} and actual_count {actual} exceed max_count {max}"),
            );
        }
        let count = match (array.shape, counts.actual, counts.max) {
            (Shape::Fixed(n), ..) => n.into(),
            (_, Some((actual, _)), _) => actual,
            (_, None, Some((max, _))) => max,
            _ => 0,
        };
        let ty = self.types.get(array.of);
        match ty.kind {
            Kind::WideChar | Kind::Integer { width: 2, .. } if array.string => {
                self.string(count, 2, counts, out)
            }
            Kind::Char | Kind::Byte | Kind::Integer { width: 1, .. } if array.string => {
                self.string(count, 1, counts, out)
            }
            Kind::Byte => self.octets(count, counts, out),
            _ => {
                let format = &ty.format;
                let least = ty.layout(self.syntax).least;
                self.elements(array, format, count, least, counts, out)
            }
        }
    }

    fn elements(
        &mut self,
        array: &Array,
        format: &Format,
        count: u64,
        least: u32,
        counts: Counts,
        out: &mut Value,
    ) -> Result<(), Stop> {
        let (start, left) = (self.r.pos(), self.r.left());
        out.span = Span::new(start, start);
        let room = match least {
            0 => EMPTY,
            n => u64::from(left / n),
        };
        // The elements there is room for are kept even if the count cannot be true.
        let fits = count.min(room);
        out.data = Data::List(Box::new(List {
            items: Vec::with_capacity(usize::try_from(fits.min(256)).unwrap_or_default()),
            counts,
        }));
        let Data::List(list) = &mut out.data else {
            return Ok(());
        };
        self.nested(|this| {
            for _ in 0..fits {
                list.items.push(Value::default());
                if let Some(item) = list.items.last_mut() {
                    let result = this.body(array.of, Some(format), None, item);
                    out.span = Span::new(start, this.r.pos());
                    result?;
                }
            }
            Ok(())
        })?;
        if let Some(item) = list.items.first() {
            out.span = Span::new(item.span.start, self.r.pos());
        }
        if fits < count {
            return Err(too_many(&counts, start, count, least.max(1), left));
        }
        Ok(())
    }

    fn octets(&mut self, count: u64, counts: Counts, out: &mut Value) -> Result<(), Stop> {
        let start = self.r.pos();
        let (bytes, result) = self.as_many(count, 1, &counts);
        out.span = Span::new(start, self.r.pos());
        out.data = Data::Bytes(Box::new(Bytes { bytes: bytes.into(), counts }));
        result
    }

    fn string(
        &mut self,
        count: u64,
        width: u32,
        counts: Counts,
        out: &mut Value,
    ) -> Result<(), Stop> {
        let start = self.r.pos();
        let count = self.counted_in_octets(count, width, &counts);
        let (bytes, result) = self.as_many(count, width, &counts);
        let span = Span::new(start, self.r.pos());
        let units = if width == 1 {
            Units::Narrow(bytes.into())
        } else {
            let unit = match self.r.order {
                Order::Little => u16::from_le_bytes,
                Order::Big => u16::from_be_bytes,
            };
            let pairs = bytes.chunks_exact(2);
            Units::Wide(pairs.map(|c| unit(c.try_into().unwrap_or_default())).collect())
        };
        let text = Text { units, counts };
        if result.is_ok() {
            if !text.terminated() {
                self.note(span, "the string has no terminator");
            }
            if let Some((offset @ 1.., at)) = counts.offset {
                self.note(at, format!("the string begins at offset {offset}, not 0"));
            }
        }
        out.span = span;
        out.data = Data::Text(Box::new(text));
        result
    }

    /// Some encoders count the octets of a string of UTF-16, which is then too long by half.
    fn counted_in_octets(&mut self, count: u64, width: u32, counts: &Counts) -> u64 {
        let left = u64::from(self.r.left());
        let Some((_, at)) = counts.actual else {
            return count;
        };
        if width != 2 || !count.is_multiple_of(2) || count == 0 || count > left || count * 2 <= left
        {
            return count;
        }
        let start = self.r.pos();
        let end = start.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        let view = self.r.view().slice(Span::new(start, end));
        if view.bytes().ends_with(&[0, 0]) && view.holes().next().is_none() {
            self.note(at, format!("actual_count {count} counts octets, not characters"));
            return count / 2;
        }
        count
    }

    /// `count` elements of `width` octets, or as many as are there.
    pub(super) fn as_many(
        &mut self,
        count: u64,
        width: u32,
        counts: &Counts,
    ) -> (&'v [u8], Result<(), Stop>) {
        let start = self.r.pos();
        let left = self.r.left();
        let fits = u32::try_from(count.saturating_mul(width.into())).ok().filter(|n| *n <= left);
        let (keep, stop) = match fits.map(|n| self.r.take(n)) {
            Some(Ok(bytes)) => return (bytes, Ok(())),
            Some(Err(stop)) => (stop.at.saturating_sub(start), stop),
            None => (left, too_many(counts, start, count, width, left)),
        };
        let kept = self.r.take(keep - keep % width).unwrap_or_default();
        (kept, Err(stop))
    }
}

/// The stop of an array that needs more octets than there are.
fn too_many(counts: &Counts, at: u32, count: u64, width: u32, left: u32) -> Stop {
    let at = match (counts.actual, counts.max) {
        (Some((_, span)), _) | (None, Some((_, span))) => span.start,
        (None, None) => at,
    };
    let need = u32::try_from(count.saturating_mul(width.into())).unwrap_or(u32::MAX);
    Stop { at, why: Why::Short { need, left, limit: "the stub" } }
}
