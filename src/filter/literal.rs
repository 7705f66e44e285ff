//! What a value that was written can mean, by the kinds of the field it is compared with.

use std::net::IpAddr;

use jiff::tz::TimeZone;

use super::item::{Item, Kind};
use super::syntax::Literal;
use crate::bytes::Guid;

/// A value in every meaning it has for a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Want {
    /// The number, or all that have the name.
    pub(super) numbers: Vec<i128>,
    pub(super) text: Option<String>,
    pub(super) guid: Option<Guid>,
    /// An address and how many of its bits count.
    pub(super) net: Option<(IpAddr, u8)>,
    /// Nanoseconds since 1970.
    pub(super) time: Option<i128>,
    /// Nanoseconds.
    pub(super) length: Option<i128>,
    pub(super) boolean: Option<bool>,
    pub(super) bytes: Option<Vec<u8>>,
}

impl Want {
    /// What `literal` means to a field of these kinds; `None` if it means nothing to any of them.
    pub(super) fn new(
        literal: &Literal,
        kinds: &[Kind],
        named: &dyn Fn(&str) -> Vec<i128>,
    ) -> Option<Self> {
        let text = &*literal.text;
        let mut want = Self::default();
        let mut means = false;
        for kind in kinds {
            means |= match kind {
                Kind::Number => {
                    want.numbers = match number(text) {
                        Some(n) => vec![n],
                        None => named(text),
                    };
                    !want.numbers.is_empty()
                }
                Kind::Text => put(&mut want.text, Some(text.to_owned())),
                Kind::Guid => put(&mut want.guid, guid(text)),
                Kind::Address => put(&mut want.net, net(text)),
                Kind::Time => put(&mut want.time, time(text)),
                Kind::Seconds => put(&mut want.length, length(text, 1_000_000_000)),
                Kind::Milliseconds => put(&mut want.length, length(text, 1_000_000)),
                Kind::Boolean => put(&mut want.boolean, boolean(text)),
                Kind::Bytes if literal.quoted => {
                    put(&mut want.bytes, Some(text.as_bytes().to_vec()))
                }
                Kind::Bytes => put(&mut want.bytes, bytes(text)),
                Kind::Presence => false,
            };
        }
        means.then_some(want)
    }
}

fn put<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    *slot = value;
    slot.is_some()
}

/// What is expected of a value, for people.
pub(super) fn expectation(kinds: &[Kind]) -> String {
    let one = |kind: &Kind| match kind {
        Kind::Number => "a number",
        Kind::Text => "text",
        Kind::Guid => "a GUID",
        Kind::Address => "an IP address or network such as 10.0.0.0/8",
        Kind::Time => "a time such as 2026-11-22T18:13:24Z",
        Kind::Seconds => "a length of time such as 1.5s or 20ms",
        Kind::Milliseconds => "a number of milliseconds, or a length of time such as 1.5s",
        Kind::Boolean => "true or false",
        Kind::Bytes => "octets such as 0a:0b, or text in quotes",
        Kind::Presence => "nothing to compare with",
    };
    kinds.iter().map(one).collect::<Vec<_>>().join(" or ")
}

/// Decimal, hexadecimal or binary.
pub(super) fn number(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let radix = |prefix: [&str; 2]| prefix.iter().find_map(|prefix| digits.strip_prefix(prefix));
    let (digits, radix) = match (radix(["0x", "0X"]), radix(["0b", "0B"])) {
        (Some(hex), _) => (hex, 16),
        (_, Some(binary)) => (binary, 2),
        _ => (digits, 10),
    };
    let plain = digits.chars().all(|c| c.is_digit(radix));
    let n = i128::from_str_radix(digits, radix).ok().filter(|_| plain)?;
    Some(if negative { -n } else { n })
}

fn boolean(text: &str) -> Option<bool> {
    match number(text) {
        Some(n) => Some(n != 0),
        None if text.eq_ignore_ascii_case("true") => Some(true),
        None if text.eq_ignore_ascii_case("false") => Some(false),
        None => None,
    }
}

fn guid(text: &str) -> Option<Guid> {
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    Guid::try_parse(bare).ok().filter(|_| bare.len() == 36)
}

fn net(text: &str) -> Option<(IpAddr, u8)> {
    let (ip, bits) = match text.split_once('/') {
        Some((ip, bits)) => (ip, Some(bits)),
        None => (text, None),
    };
    let ip: IpAddr = ip.parse().ok()?;
    let all = if ip.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(all), |bits| bits.parse().ok())?;
    (bits <= all).then_some((ip, bits))
}

/// RFC 3339, with a space for the `T`, or the beginning of it; UTC where no zone is written.
fn time(text: &str) -> Option<i128> {
    let text = text.trim();
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_nanosecond());
    }
    let text = text.strip_suffix("UTC").map_or(text, str::trim);
    let local = |time: jiff::civil::DateTime| time.to_zoned(TimeZone::UTC).ok();
    if let Ok(time) = text.parse::<jiff::civil::DateTime>() {
        return Some(local(time)?.timestamp().as_nanosecond());
    }
    // As other tools print it: `Nov 22, 2026 18:13:24.123456789`.
    let time = jiff::civil::DateTime::strptime("%b %d, %Y %H:%M:%S%.f", text).ok()?;
    Some(local(time)?.timestamp().as_nanosecond())
}

/// A decimal number with a unit, in nanoseconds; `unit` is that of a number without one.
fn length(text: &str, unit: i128) -> Option<i128> {
    const UNITS: [(&str, i128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("ms", 1_000_000),
        ("min", 60_000_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let named = UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)));
    let (digits, unit) = named.unwrap_or((text, unit));
    let (whole, fraction) = digits.trim_end().split_once('.').unwrap_or((digits.trim_end(), ""));
    let plain = |part: &str| part.len() <= 18 && part.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !plain(whole) || !plain(fraction) {
        return None;
    }
    let part = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse().ok() };
    let (whole, parts): (i128, i128) = (part(whole)?, part(fraction)?);
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let nanos = whole * unit + parts * unit / scale;
    Some(if negative { -nanos } else { nanos })
}

/// Hexadecimal digits, with `:`, `-` or `.` between octets or nothing.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let octets: Vec<&str> = if text.contains([':', '-', '.']) {
        text.split([':', '-', '.']).collect()
    } else {
        let pairs = text.as_bytes().chunks(2);
        pairs.map(|pair| std::str::from_utf8(pair).unwrap_or_default()).collect()
    };
    let octet = |digits: &str| {
        let plain = digits.len() == 2 && digits.chars().all(|c| c.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| plain)
    };
    octets.into_iter().map(octet).collect()
}

/// What a value is made comparable to.
pub(super) fn nanos(item: &Item<'_>) -> Option<i128> {
    /// From 1601 to 1970.
    const EPOCH: i128 = 11_644_473_600 * 1_000_000_000;
    match item {
        Item::Time(time) => Some(time.nanos().into()),
        Item::FileTime(intervals) => Some(i128::from(*intervals) * 100 - EPOCH),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let check = |text, expect| assert_eq!(number(text), expect, "{text}");
        check("12", Some(12));
        check("0x80042301", Some(0x8004_2301));
        check("0b101", Some(5));
        check("-1", Some(-1));
        check("18446744073709551615", Some(u64::MAX.into()));
        for bad in ["", "-", "0x", "--1", "+1", "1 2", "0x-1", "twelve", "１"] {
            check(bad, None);
        }
        check(&"9".repeat(60), None);
    }

    #[test]
    fn lengths_of_time() {
        let check = |text, expect| assert_eq!(length(text, 1_000_000_000), expect, "{text}");
        check("1", Some(1_000_000_000));
        check("1.5s", Some(1_500_000_000));
        check("20ms", Some(20_000_000));
        check("7us", Some(7_000));
        check("7µs", Some(7_000));
        check("90ns", Some(90));
        check("3m", Some(180_000_000_000));
        check("3min", Some(180_000_000_000));
        check("2h", Some(7_200_000_000_000));
        check("-0.25s", Some(-250_000_000));
        check(".5", Some(500_000_000));
        for bad in ["", "s", ".", "1.2.3s", "1x", "--1s", "1e3", "999999999999999999999s"] {
            check(bad, None);
        }
    }

    #[test]
    fn times() {
        let check = |text: &str, expect: Option<i128>| assert_eq!(time(text), expect, "{text}");
        // `date -u -d 2026-11-22T18:13:24Z +%s`
        let at = 1_795_371_204_000_000_000;
        check("2026-11-22T18:13:24Z", Some(at));
        check("2026-11-22 18:13:24", Some(at));
        check("2026-11-22T19:13:24+01:00", Some(at));
        check("2026-11-22 18:13:24.5 UTC", Some(at + 500_000_000));
        check("Nov 22, 2026 18:13:24.000000001", Some(at + 1));
        check("2026-11-22", Some(at - (18 * 3600 + 13 * 60 + 24) * 1_000_000_000));
        for bad in ["", "yesterday", "18:13", "2026-13-01", "2026-11-22T25:00:00Z"] {
            check(bad, None);
        }
    }

    #[test]
    fn networks_octets_and_guids() {
        assert_eq!(net("10.0.0.0/8"), Some(("10.0.0.0".parse().unwrap(), 8)));
        assert_eq!(net("fe80::1"), Some(("fe80::1".parse().unwrap(), 128)));
        for bad in ["10.0.0", "10.0.0.0/33", "10.0.0.0/", "fe80::/129", "fs1", "10.0.0.1/-1"] {
            assert_eq!(net(bad), None, "{bad}");
        }
        for good in ["0a:ff", "0a-ff", "0aff", "0A.FF"] {
            assert_eq!(bytes(good), Some(vec![10, 255]), "{good}");
        }
        for bad in ["a:ff", "0af", "0a:", "+a:ff", "xy", "éé"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
        let text = "a8e0653c-2744-4389-a61d-7373df8b2292";
        assert!(guid(text).is_some() && guid(&format!("{{{text}}}")).is_some());
        assert_eq!(guid("a8e0653c27444389a61d7373df8b2292"), None);
    }
}
