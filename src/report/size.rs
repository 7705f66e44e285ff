//! Numbers of octets in words, exact to the octet.

/// Units, the largest first.
const UNITS: [(&str, u64); 4] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
/// A size is written with two decimals at most.
const PARTS: u64 = 100;

/// A size in the largest unit in which two decimals are enough to say it exactly.
pub(super) fn size(octets: i64) -> String {
    let (number, unit) = parts(octets);
    format!("{number} {unit}")
}

/// `of` one size out of another: `1.5 of 10 GiB`, `8000 MiB of 50 GiB`.
pub(super) fn out_of(part: i64, whole: i64) -> String {
    let ((part, one), (whole, other)) = (parts(part), parts(whole));
    if one == other || part == "0" {
        return format!("{part} of {whole} {other}");
    }
    format!("{part} {one} of {whole} {other}")
}

fn parts(octets: i64) -> (String, &'static str) {
    let sign = if octets < 0 { "-" } else { "" };
    let whole = octets.unsigned_abs();
    // 100 × 2^63 does not fit in 64 bits.
    let exact =
        |unit: u64| whole >= unit && u128::from(whole) * u128::from(PARTS) % u128::from(unit) == 0;
    let Some((name, unit)) = UNITS.iter().find(|(_, unit)| exact(*unit)) else {
        let name = if whole == 1 { "byte" } else { "bytes" };
        return (format!("{sign}{whole}"), name);
    };
    let (number, rest) = (whole / unit, whole % unit);
    let rest = u128::from(rest) * u128::from(PARTS) / u128::from(*unit);
    let text = format!("{sign}{number}.{rest:02}");
    (text.trim_end_matches('0').trim_end_matches('.').to_owned(), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_exact_in_the_largest_unit_that_can_say_it() {
        let gib = 1_i64 << 30;
        for (octets, expect) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (-1, "-1 byte"),
            (1023, "1023 bytes"),
            (1024, "1 KiB"),
            (10 * gib, "10 GiB"),
            (100 * gib, "100 GiB"),
            (gib + gib / 2, "1.5 GiB"),
            (gib + gib / 4, "1.25 GiB"),
            (gib + gib / 8, "1152 MiB"),
            (8_388_608_000, "8000 MiB"),
            (gib + 1, "1073741825 bytes"),
            (i64::MAX, "9223372036854775807 bytes"),
            (i64::MIN, "-8388608 TiB"),
        ] {
            assert_eq!(size(octets), expect);
        }
        assert_eq!(out_of(gib + gib / 2, 10 * gib), "1.5 of 10 GiB");
        assert_eq!(out_of(0, 10 * gib), "0 of 10 GiB");
        assert_eq!(out_of(8_388_608_000, 50 * gib), "8000 MiB of 50 GiB");
    }
}
