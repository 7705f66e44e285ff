//! The text that a server sends along with an error (\[MS-DCOM\] 2.2.21.2).
//!
//! ```text
//!  dwVersion dwHelpContext iid │ mark, text │ mark, text │ mark, text
//!                              └ Source     └ Description└ HelpFile
//! ```

use super::members::{Members, units};
use super::{Opener, Read};
use crate::bytes::{Span, Stop};
use crate::idl::Format;
use crate::ndr::{Counts, Data, Record, Text, Units, Value};

/// A text follows.
const PRESENT: u32 = 0xffff_ffff;

/// Reads `pObjectData` of an error object.
pub(super) fn read(octets: &[u8], _: &mut Opener<'_>) -> Read<Record> {
    let mut none = ();
    let mut members = Members::new(octets, &mut none, "ErrorObject");
    let stop = fill(&mut members).err();
    (members.record, stop)
}

fn fill(m: &mut Members<'_, '_>) -> Result<(), Stop> {
    m.u32("dwVersion", &Format::Decimal)?;
    m.u32("dwHelpContext", &Format::Decimal)?;
    m.guid("iid")?;
    for name in ["Source", "Description", "HelpFile"] {
        let at = m.r.pos();
        match m.u32(&format!("dw{name}Signature"), &Format::Hex)? {
            PRESENT => text(m, name)?,
            0 => {}
            other => {
                let what = format!("the mark before {name} is 0x{other:08x}");
                return Err(Stop::malformed(at, what));
            }
        }
    }
    Ok(())
}

/// 2.2.21.3 `ErrorInfoString`: its counts, and the units that are there.
fn text(m: &mut Members<'_, '_>, name: &str) -> Result<(), Stop> {
    let mut text = Text { units: Units::Wide(Box::default()), counts: Counts::default() };
    let mut span = Span::new(m.r.pos(), m.r.pos());
    let read = fill_text(m, &mut text, &mut span);
    m.put(name, Value { data: Data::Text(Box::new(text)), span });
    read
}

fn fill_text(m: &mut Members<'_, '_>, text: &mut Text, span: &mut Span) -> Result<(), Stop> {
    let Counts { max, offset, actual } = &mut text.counts;
    m.count(max)?;
    m.count(offset)?;
    let count = m.count(actual)?;
    *span = Span::new(m.r.pos(), m.r.pos());
    let octets = m.r.take(count.saturating_mul(2))?;
    span.end = m.r.pos();
    text.units = Units::Wide(units(octets));
    Ok(())
}
