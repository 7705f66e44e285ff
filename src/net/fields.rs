//! Rows of fields that are narrower than an octet, and of addresses.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::bytes::{Reader, Sink, Span, Stop};

/// Rows for the fields from `at` to here, which together make `value`, each of them `bits` wide,
/// most significant first.
pub(super) fn packed<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    at: u32,
    value: u32,
    fields: &[(&str, u32)],
) {
    if !S::ROWS {
        return;
    }
    let span = Span::new(at, r.pos());
    let mut left = span.len() * 8;
    for (name, bits) in fields {
        left = left.saturating_sub(*bits);
        let field = value.checked_shr(left).unwrap_or(0) & ((1 << bits) - 1);
        r.sink().row(name, field.to_string(), span);
    }
}

/// A row of names for the bits set.
pub(super) fn flags<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    at: u32,
    value: u32,
    names: &[(u32, &str)],
) {
    if !S::ROWS {
        return;
    }
    let set: Vec<_> =
        names.iter().filter(|(bit, _)| value & bit != 0).map(|(_, name)| *name).collect();
    let span = Span::new(at, r.pos());
    let text = format!("{value:#x} ({})", set.join(" | "));
    r.sink().row("Flags", text, span);
}

/// A row for `len` bytes of a hardware address.
pub(super) fn hardware<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    name: &str,
    len: u32,
) -> Result<(), Stop> {
    let at = r.pos();
    let bytes = r.take(len)?;
    if S::ROWS {
        let mut text = String::new();
        for (i, byte) in bytes.iter().enumerate() {
            let colon = if i > 0 { ":" } else { "" };
            let _ = write!(text, "{colon}{byte:02x}");
        }
        let span = Span::new(at, r.pos());
        r.sink().row(name, text, span);
    }
    Ok(())
}

/// An IPv4 address.
pub(super) fn ipv4<S: Sink>(r: &mut Reader<'_, '_, S>, name: &str) -> Result<Ipv4Addr, Stop> {
    let at = r.pos();
    let address = Ipv4Addr::from(r.array::<4>()?);
    if S::ROWS {
        let span = Span::new(at, r.pos());
        r.sink().row(name, address.to_string(), span);
    }
    Ok(address)
}

/// An IPv6 address.
pub(super) fn ipv6<S: Sink>(r: &mut Reader<'_, '_, S>, name: &str) -> Result<Ipv6Addr, Stop> {
    let at = r.pos();
    let address = Ipv6Addr::from(r.array::<16>()?);
    if S::ROWS {
        let span = Span::new(at, r.pos());
        r.sink().row(name, address.to_string(), span);
    }
    Ok(address)
}

/// The next `N` bytes, which are read again afterwards; `None` where they are not all there.
pub(super) fn peek<const N: usize, S: Sink>(r: &mut Reader<'_, '_, S>) -> Option<[u8; N]> {
    let at = r.pos();
    let bytes = r.array().ok();
    // It was there a moment ago.
    let _ = r.seek(at, "header");
    bytes
}
