//! Finding what a word means: statuses by the names people use, and what was nearly written.

use crate::protocol::{Interface, Registry};
use crate::rpc::names::FAULTS;
use crate::security::kerberos::ErrorCode;
use crate::smb::Status;
use crate::spelling::nearest;

/// What was looked for in vain.
#[derive(Debug)]
pub(super) struct Unknown {
    /// Known names that are like it, or that it may stand for.
    pub(super) like: Vec<String>,
}

/// A number, decimal or hexadecimal.
pub(super) fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// A status: a number, its name, or as much of the end of its name as tells it from others.
///
/// The interface's own names come before those all interfaces share, so `MISMATCH` is
/// `FSRVP_E_SHADOWCOPYSET_ID_MISMATCH`.
pub(super) fn status(
    registry: &Registry,
    interface: &Interface,
    text: &str,
) -> Result<u32, Unknown> {
    if let Some(number) = number(text) {
        return u32::try_from(number).map_err(|_| Unknown { like: Vec::new() });
    }
    let own: Vec<_> = registry.statuses_of(Some(interface)).collect();
    let common: Vec<_> = registry.statuses_of(None).collect();
    match pick(&own, text) {
        Err(unknown) if unknown.like.is_empty() => pick(&common, text).map_err(|unknown| {
            let near = |names: &[(u32, &str)]| nearest(text, names.iter().map(|(_, name)| *name));
            let like = [unknown.like, near(&own), near(&common)];
            Unknown { like: like.into_iter().find(|like| !like.is_empty()).unwrap_or_default() }
        }),
        found => found,
    }
}

/// The fault status of this name or number.
pub(super) fn fault(text: &str) -> Result<u32, Unknown> {
    let known: Vec<_> =
        FAULTS.iter().filter_map(|(n, name)| Some((u32::try_from(*n).ok()?, *name))).collect();
    numbered(&known, text)
}

/// The NTSTATUS of this name or number, with or without `STATUS_`.
pub(super) fn ntstatus(text: &str) -> Result<u32, Unknown> {
    let known: Vec<_> = Status::named().map(|(status, name)| (status.0, name)).collect();
    numbered(&known, text)
}

/// The error code of Kerberos of this name or number; those there are fit in seven bits.
pub(super) fn kerberos(text: &str) -> Result<u8, Unknown> {
    let known: Vec<_> = ErrorCode::named()
        .filter_map(|(code, name)| Some((u32::try_from(code.0).ok()?, name)))
        .collect();
    let code = numbered(&known, text)?;
    let code = u8::try_from(code).ok().filter(|code| *code < 0x80);
    code.ok_or(Unknown { like: Vec::new() })
}

/// A number, or what has this name or ends in it.
pub(super) fn numbered(known: &[(u32, &str)], text: &str) -> Result<u32, Unknown> {
    if let Some(number) = number(text) {
        return u32::try_from(number).map_err(|_| Unknown { like: Vec::new() });
    }
    pick(known, text).map_err(|unknown| {
        let names = known.iter().map(|(_, name)| *name);
        if unknown.like.is_empty() { Unknown { like: nearest(text, names) } } else { unknown }
    })
}

/// The one of this name, or the only one whose name ends in it, or of these the only one with a single
/// word before it. `_E_` may be left out.
fn pick(known: &[(u32, &str)], text: &str) -> Result<u32, Unknown> {
    let wanted = text.to_uppercase();
    let same = |name: &str| name.to_uppercase() == wanted;
    if let Some((code, _)) = known.iter().find(|(_, name)| same(name)) {
        return Ok(*code);
    }
    let ends = |name: &str| {
        let name = name.to_uppercase();
        [name.replacen("_E_", "_", 1), name].iter().any(|name| {
            let before = name.strip_suffix(&wanted);
            before.is_some_and(|before| before.is_empty() || before.ends_with('_'))
        })
    };
    let found: Vec<_> = known.iter().filter(|(_, name)| ends(name)).collect();
    let only = |of: &[&(u32, &str)]| {
        let (code, _) = **of.first()?;
        of.iter().all(|(other, _)| *other == code).then_some(code)
    };
    let short = |(_, name): &&&(u32, &str)| {
        let words = |text: &str| text.split('_').count();
        words(name) == words(text) + 1
    };
    let shortest: Vec<_> = found.iter().filter(short).copied().collect();
    only(&found)
        .or_else(|| only(&shortest))
        .ok_or_else(|| Unknown { like: found.iter().map(|(_, name)| (*name).to_owned()).collect() })
}

/// `, did you mean …?` for an error.
pub(super) fn hint(like: &[String]) -> String {
    match like {
        [] => String::new(),
        [one] => format!("; did you mean {one}?"),
        several => format!("; it may be {}", several.join(", ")),
    }
}
