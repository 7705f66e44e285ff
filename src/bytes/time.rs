//! Points in time, in nanoseconds since the Unix epoch (UTC).

use std::fmt;

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, clamped to the years 1677 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// From whole seconds since the epoch, of this age of the world.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// From nanoseconds since the epoch; a value out of range is clamped.
    pub fn from_nanos(nanos: i128) -> Self {
        Self(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
    }

    /// From \[MS-DTYP\] 2.3.3 FILETIME, intervals of 100 ns since 1601; zero says that there is none.
    pub fn from_filetime(intervals: u64) -> Option<Self> {
        /// Nanoseconds from 1601-01-01 to 1970-01-01.
        const EPOCH: i128 = 11_644_473_600 * 1_000_000_000;
        (intervals != 0).then(|| Self::from_nanos(i128::from(intervals) * 100 - EPOCH))
    }

    /// Nanoseconds since the epoch.
    pub fn nanos(self) -> i64 {
        self.0
    }

    /// Nanoseconds from `earlier` to `self`; negative when the capture's clock went backwards.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// `nanos` nanoseconds later.
    #[must_use]
    pub fn plus(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// The instant as `jiff` has it, for time zones and calendars.
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default()
    }
}

/// A number of millionths as a decimal number: nanoseconds as milliseconds, microseconds as seconds.
pub fn millionths(n: i64) -> String {
    let sign = if n < 0 { "-" } else { "" };
    format!("{sign}{}.{:06}", n.unsigned_abs() / 1_000_000, n.unsigned_abs() % 1_000_000)
}

/// RFC 3339 in UTC with nine decimals.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.9}", self.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_nanoseconds_in_utc() {
        assert_eq!(Time::from_nanos(1).to_string(), "1970-01-01T00:00:00.000000001Z");
        assert_eq!(
            Time::from_nanos(1_795_369_758_123_456_000).to_string(),
            "2026-11-22T17:49:18.123456000Z"
        );
    }

    #[test]
    fn file_times_count_from_1601() {
        assert_eq!(Time::from_filetime(0), None);
        assert_eq!(Time::from_filetime(116_444_736_000_000_001), Some(Time::from_nanos(100)));
        assert!(Time::from_filetime(1).unwrap() < Time::default());
    }

    #[test]
    fn millionths_keep_their_sign() {
        assert_eq!(millionths(-400_000), "-0.400000");
        assert_eq!(millionths(13_933_001), "13.933001");
        assert!(millionths(i64::MIN).starts_with("-9223372036854."));
    }

    #[test]
    fn clamps_instead_of_wrapping() {
        assert_eq!(Time::from_nanos(i128::MAX).nanos(), i64::MAX);
        assert_eq!(Time::from_nanos(i128::MIN).since(Time::from_nanos(i128::MAX)), i64::MIN);
        assert!(!Time::from_nanos(i128::MIN).to_string().is_empty());
    }
}
