//! `CreationTimestamp` (2.2.1.1, 3.1.4.4).

use super::mapping::date;
use crate::bytes::{Side, Time};
use crate::check::bench::{Bench, Topic};
use crate::check::finding::{Certainty, Finding, Severity};
use crate::check::rules::Case;
use crate::check::say;
use crate::check::sets::{Copy, Set};
use crate::check::tracker::SECOND;
use crate::pipeline::{Around, What};
use crate::protocol::fsrvp::FileTime;

const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;
/// By how much the clocks of a server and of a capture may differ unnoticed.
const CLOCKS: i64 = 10 * MINUTE;
/// By how much a difference may miss the offset of a time zone.
const NEAR: i64 = 30 * SECOND;
/// Time zones are apart by this, and by no more of it than this.
const ZONE: i64 = 15 * MINUTE;
const ZONES: i64 = 14 * 4;
/// The longest time from Add to Commit after which an offset can still be told.
const SHORT: i64 = 5 * MINUTE;
/// No server with this protocol is older.
const FIRST: Time = Time::from_secs(1_325_376_000);

/// The server's clock.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// By how much it is ahead of the capture's, if the server has told its time.
    ahead: Option<i64>,
}

impl Clock {
    pub(super) fn around(&mut self, around: &Around) {
        if let What::Negotiated(told) = &around.what
            && let Some(now) = told.now
        {
            self.ahead = Some(now.since(around.time));
        }
    }

    pub(super) fn check(
        &self,
        case: &Case<'_, '_>,
        told: FileTime,
        set: Option<&Set>,
        copy: Option<&Copy>,
        bench: &mut Bench<'_>,
    ) {
        let time = u64::try_from(told.0).ok().and_then(Time::from_filetime);
        if !self.plausible(case, told, time, bench) {
            return;
        }
        let committed = set.and_then(|set| set.committed);
        let Some(((time, copy), committed)) = time.zip(copy).zip(committed) else {
            let why = "the Add or the Commit of the copy is not in the capture";
            bench.unseen("FSRVP-2.2.1.1-05", why);
            return bench.unseen("FSRVP-3.1.4.4-18", why);
        };
        let (time, from, to) =
            (time.plus(self.ahead.unwrap_or_default().saturating_neg()), copy.asked, committed);
        if time >= from.plus(-CLOCKS) && time <= to.plus(CLOCKS) {
            bench.pass("FSRVP-2.2.1.1-05");
            return bench.pass("FSRVP-3.1.4.4-18");
        }
        let topic = Topic::Value("CreationTimestamp");
        let refine = |finding: &mut Finding| {
            finding.with_call(copy.call, "AddToShadowCopySet made the copy");
            spot(case, finding, told);
        };
        let off = if time < from { time.since(from) } else { time.since(to) };
        let quarters = off.saturating_add(off.signum() * ZONE / 2) / ZONE;
        let shifted = time.plus(quarters.saturating_mul(ZONE).saturating_neg());
        let near = shifted >= from.plus(-NEAR) && shifted <= to.plus(NEAR);
        if near && to.since(from) <= SHORT && quarters.abs() <= ZONES {
            let message = format!(
                "CreationTimestamp of copy {} is {}, {} minutes off the time from Add to Commit: it looks like local time",
                say::short(copy.id),
                date(told),
                quarters * (ZONE / MINUTE),
            );
            bench.fail(topic, "FSRVP-2.2.1.1-05", case.place, message, |finding| {
                refine(finding);
                finding.certainty = Certainty::Possible;
            });
        } else {
            bench.unseen("FSRVP-2.2.1.1-05", "the difference may be that of the clocks");
        }
        let message = format!(
            "CreationTimestamp of copy {} is {}, more than {} minutes away from the time from Add to Commit",
            say::short(copy.id),
            date(told),
            CLOCKS / MINUTE,
        );
        bench.fail(topic, "FSRVP-3.1.4.4-18", case.place, message, |finding| {
            refine(finding);
            if self.ahead.is_none() {
                finding.certainty = finding.certainty.min(Certainty::Likely);
            }
        });
    }

    /// 2.2.1.1-04: whether it can be a count of 100 ns since 1601.
    fn plausible(
        &self,
        case: &Case<'_, '_>,
        told: FileTime,
        time: Option<Time>,
        bench: &mut Bench<'_>,
    ) -> bool {
        let rule = "FSRVP-2.2.1.1-04";
        let now = case.act.answered.unwrap_or(case.act.asked).plus(self.ahead.unwrap_or_default());
        if now < FIRST {
            bench.unseen(rule, "the clock of the capture is older than the protocol");
            return true;
        }
        let late = time.is_some_and(|time| time > now.plus(DAY));
        let kept = time.is_some_and(|time| time >= FIRST) && !late;
        let unix = since_1970(told, now);
        bench.expect(
            kept,
            Topic::Value("CreationTimestamp"),
            rule,
            case.place,
            || {
                let hint = unix.map(|unit| format!("; it makes sense as {unit} since 1970")).unwrap_or_default();
                format!(
                    "CreationTimestamp is {}, which as 100 ns since 1601 is {}: not between 2012 and the time of the capture{hint}",
                    told.0,
                    if time.is_some() { date(told) } else { "no time".to_owned() },
                )
            },
            |finding| {
                spot(case, finding, told);
                if late && unix.is_none() {
                    // One of the clocks may be wrong.
                    finding.at_most(Severity::Warning, Certainty::Possible);
                }
            },
        );
        kept
    }
}

/// The unit by which a value is a time since 1970 close to `now`.
fn since_1970(told: FileTime, now: Time) -> Option<&'static str> {
    let value = i128::from(told.0);
    let units = [
        ("seconds", 1_000_000_000),
        ("milliseconds", 1_000_000),
        ("microseconds", 1000),
        ("100 ns", 100),
        ("nanoseconds", 1),
    ];
    let close = |nanos: i128| Time::from_nanos(nanos).since(now).saturating_abs() < 3 * 365 * DAY;
    units.into_iter().find(|(_, nanos)| close(value * nanos)).map(|(name, _)| name)
}

fn spot(case: &Case<'_, '_>, finding: &mut Finding, told: FileTime) {
    let path = "ShareMapping.ShareMapping1.CreationTimestamp";
    finding.with_octets(case.call, Side::Server, path, &date(told));
}
