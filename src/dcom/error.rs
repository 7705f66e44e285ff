//! The text that a server sends along with an error (\[MS-DCOM\] 2.2.21.2).
//!
//! ```text
//!  dwVersion dwHelpContext iid │ mark, text │ mark, text │ mark, text
//!                              └ Source     └ Description└ HelpFile
//! ```

use super::members::Members;
use super::{Opener, Read};
use crate::bytes::Stop;
use crate::idl::Format;
use crate::ndr::Record;

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
    m.u32("dwMax", &Format::Decimal)?;
    m.u32("dwOffSet", &Format::Decimal)?;
    let actual = m.u32("dwActual", &Format::Decimal)?;
    m.text(name, actual)
}
