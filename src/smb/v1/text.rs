//! 2.2.1.1 Character Sequences: text that ends with a null character.

use super::block::Place;
use crate::bytes::{Field, Reader, Sink, Stop, clamp, index};

/// Text in the encoding of the message, aligned if it is UTF-16.
pub(super) fn string<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    place: Place,
    field: &'static Field,
) -> Result<String, Stop> {
    if !place.unicode {
        return oem(r, field);
    }
    if r.pos().saturating_sub(place.base) % 2 == 1 && r.left() > 0 {
        r.u8(dec!("Pad"))?;
    }
    let rest = ahead(r);
    let units = rest.chunks_exact(2).position(|unit| unit == [0, 0]);
    let text = r.utf16(field, clamp(units.map_or(rest.len() & !1, |units| units * 2)))?;
    r.take(r.left().min(2))?;
    Ok(text)
}

/// Text of an OEM code page, whatever the message says.
pub(super) fn oem<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    field: &'static Field,
) -> Result<String, Stop> {
    let rest = ahead(r);
    let len = rest.iter().position(|octet| *octet == 0);
    let text = r.oem(field, clamp(len.unwrap_or(rest.len())))?;
    r.take(r.left().min(1))?;
    Ok(text)
}

/// What is left up to the innermost limit. Bytes that are missing look like the end of a text;
/// taking that end is what stops at them.
fn ahead<'v, S: Sink>(r: &Reader<'v, '_, S>) -> &'v [u8] {
    r.view().bytes().get(index(r.pos())..index(r.end())).unwrap_or_default()
}
