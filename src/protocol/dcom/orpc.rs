//! What comes before the parameters of an object call (2.2.13), and the text of an error (2.2.21.2).

use super::ComVersion;
use super::view::{each, slots, u32_of, version, wide};
use crate::bytes::Guid;
use crate::ndr::Value;

/// 2.2.13.3 `ORPCTHIS`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrpcThis {
    /// The client's version of the protocol.
    pub version: Option<ComVersion>,
    /// `flags`
    pub flags: Option<u32>,
    /// `reserved1`, which is zero.
    pub reserved1: Option<u32>,
    /// Causality: what the call is a consequence of.
    pub cid: Option<Guid>,
    /// What each extension is; `None` where there is no array of them.
    pub extensions: Option<Vec<Guid>>,
}

/// 2.2.13.4 `ORPCTHAT`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrpcThat {
    /// `flags`
    pub flags: Option<u32>,
    /// What each extension is; `None` where there is no array of them.
    pub extensions: Option<Vec<Guid>>,
    /// The text of an error.
    pub error: Option<ErrorText>,
}

/// 2.2.21.2: what went wrong in the words of the object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorText {
    /// Who tells.
    pub source: Option<String>,
    /// What went wrong.
    pub description: Option<String>,
    /// Where there is more.
    pub help_file: Option<String>,
}

impl OrpcThis {
    /// From the value that [`dcom::orpc`](crate::dcom::orpc) has read.
    pub fn of(value: &Value) -> Self {
        Self {
            version: value.field("version").and_then(version),
            flags: u32_of(value, "flags"),
            reserved1: u32_of(value, "reserved1"),
            cid: value.field("cid").and_then(Value::as_guid),
            extensions: extensions(value),
        }
    }
}

impl OrpcThat {
    /// From the value that [`dcom::orpc`](crate::dcom::orpc) has read.
    pub fn of(value: &Value) -> Self {
        let array = value.field("extensions").and_then(|array| array.field("extent"));
        let error = array.into_iter().flat_map(slots).find_map(|extent| {
            let object = extent.field("data")?.field("data")?;
            let error = ErrorText {
                source: wide(object, "Source"),
                description: wide(object, "Description"),
                help_file: wide(object, "HelpFile"),
            };
            (error != ErrorText::default()).then_some(error)
        });
        Self { flags: u32_of(value, "flags"), extensions: extensions(value), error }
    }
}

fn extensions(value: &Value) -> Option<Vec<Guid>> {
    let array = value.field("extensions")?.field("extent")?;
    Some(each(array, |extent| extent.field("id")?.as_guid()))
}
