//! `Next`, `Skip`, `Reset` and `Clone`: 3.1.2 and 3.1.3, which differ in their elements only.

use super::Case;
use super::calls::{E_INVALIDARG, S_FALSE, enumerator_section};
use super::cursor::{Cursor, Cursors, End, Family, Identity, Since, Source};
use super::message::{Ask, Elements, Tell};
use crate::bytes::{Guid, Side, index};
use crate::check::bench::{Bench, Topic};
use crate::check::finding::{Certainty, Finding, Severity};
use crate::objects::Moved;

/// Looks at a call that makes, moves or ends an enumerator.
pub(super) fn check(case: &Case<'_>, cursors: &mut Cursors, bench: &mut Bench<'_>) {
    made(case, cursors, bench);
    let Some(ipid) = case.call.rpc.object else { return };
    let section = enumerator_section(case);
    let on = On { case, ipid, section };
    match &case.ask {
        Some(Ask::Next { celt }) => {
            let Some(Tell::Elements(told)) = &case.tell else { return };
            on.next_alone(*celt, told, bench);
            cursors.adopt(ipid);
            if case.succeeded() {
                cursors.gave(ipid, index(told.given()));
            }
            on.next(*celt, told, cursors, bench);
        }
        Some(Ask::Skip { celt }) => {
            cursors.adopt(ipid);
            on.skip(*celt, cursors, bench);
        }
        Some(Ask::Reset) => {
            cursors.adopt(ipid);
            on.reset(cursors, bench);
        }
        Some(Ask::Clone { .. }) => on.cloned(cursors, bench),
        _ => {}
    }
}

/// Enumerators that a query made, and those that are gone.
fn made(case: &Case<'_>, cursors: &mut Cursors, bench: &mut Bench<'_>) {
    for moved in &case.moved {
        match moved {
            Moved::Released { count, last: true, .. } => cursors.remove(count.ipid),
            Moved::Issued { reference, again, sure } => {
                let Some(Ask::Query { query, provider, volume, .. }) = &case.ask else { continue };
                let rule = format!("SCMP-{}-16", query.section());
                bench.expect(
                    !(*again && *sure),
                    Topic::Value("ppEnum"),
                    &rule,
                    &case.place,
                    || {
                        format!(
                            "{} gave an enumerator that a client holds already: who reads it moves \
                             the other",
                            case.method()
                        )
                    },
                    |_| {},
                );
                let answered = case.answered.unwrap_or(case.call.time);
                let volume = volume.as_ref().and_then(|name| name.0.as_ref());
                let source = Source {
                    query: *query,
                    call: case.call.rpc.n,
                    channel: case.call.rpc.channel,
                    asked: case.call.time,
                    answered,
                    volume: volume.map(|text| text.text.clone()),
                    provider: *provider,
                };
                cursors.made(reference.ipid, source);
                if *again && let Some((cursor, _)) = cursors.of(reference.ipid) {
                    cursor.lose();
                }
            }
            _ => {}
        }
    }
}

/// A call on an enumerator.
struct On<'a, 'c> {
    case: &'a Case<'c>,
    ipid: Guid,
    section: &'static str,
}

impl On<'_, '_> {
    fn rule(&self, of: &str) -> String {
        format!("SCMP-{}.{of}", self.section)
    }

    fn expect(
        &self,
        kept: bool,
        rule: &str,
        bench: &mut Bench<'_>,
        what: impl FnOnce() -> String,
        refine: impl FnOnce(&mut Finding),
    ) {
        let (rule, method) = (self.rule(rule), self.case.method());
        let what = || format!("{method}{}", what());
        self.case.expect_of_answer((kept, Topic::Value("rgelt"), &rule), bench, what, refine);
    }

    /// What an answer to `Next` must be whatever came before.
    fn next_alone(&self, celt: u32, told: &Elements, bench: &mut Bench<'_>) {
        let Some(status) = self.case.status else { return };
        let fetched = told.given();
        self.expect(
            fetched <= celt,
            "1-01",
            bench,
            || format!(" was asked for {celt} elements, and pceltFetched is {fetched}"),
            |_| {},
        );
        if celt == 0 {
            self.expect(
                status == E_INVALIDARG,
                "1-04",
                bench,
                || format!("(celt=0) returned 0x{status:08x}, not E_INVALIDARG"),
                |finding| {
                    finding.with_rules(["SCMP-3.1.1.4-07"]);
                    if self.case.failed() {
                        finding.at_most(Severity::Warning, Certainty::Certain);
                    }
                    finding.with_octets(self.case.call, Side::Client, "celt", "no element");
                },
            );
        } else if self.case.failed() {
            self.expect(
                status != E_INVALIDARG,
                "1-11",
                bench,
                || format!("(celt={celt}) returned E_INVALIDARG, for which there is no reason"),
                |_| {},
            );
        } else {
            self.expect(
                !(status == 0 && fetched < celt),
                "1-02",
                bench,
                || format!("(celt={celt}) returned S_OK with {fetched} elements, not S_FALSE"),
                |_| {},
            );
            self.expect(
                !(status == S_FALSE && fetched == celt),
                "1-03",
                bench,
                || format!("(celt={celt}) returned S_FALSE with all {fetched} elements, not S_OK"),
                |_| {},
            );
        }
        self.counts(celt, told, bench);
    }

    /// 3.1.2.1-07: `size_is(celt)`, `length_is(*pceltFetched)`.
    fn counts(&self, celt: u32, told: &Elements, bench: &mut Bench<'_>) {
        let (Some(max), Some(actual)) = (told.max, told.actual) else { return };
        let empty = self.case.failed() && actual == 0;
        let given = told.given();
        let fits = (max == u64::from(celt) || empty && max == 0)
            && told.offset.is_none_or(|offset| offset == 0)
            && actual == u64::from(given)
            && u64::try_from(told.list.len()) == Ok(actual);
        self.expect(
            fits,
            "1-07",
            bench,
            || {
                format!(
                    "(celt={celt}) gave an array of max_count {max}, offset {} and actual_count \
                     {actual}, and pceltFetched {given}",
                    told.offset.unwrap_or_default()
                )
            },
            |_| {},
        );
    }

    /// Whether anything can be said of where an enumerator stands; it is lost where not.
    fn is_plain(&self, cursors: &mut Cursors) -> bool {
        let refused = self.case.status == Some(E_INVALIDARG);
        let plain = !self.case.overlapped
            && self.case.status.is_some()
            && (self.case.succeeded() || refused);
        if let Some((cursor, _)) = cursors.of(self.ipid).filter(|_| !plain) {
            cursor.lose();
        }
        plain
    }

    fn next(&self, celt: u32, told: &Elements, cursors: &mut Cursors, bench: &mut Bench<'_>) {
        if !self.is_plain(cursors) {
            return;
        }
        let n = self.case.call.rpc.n;
        let Some((cursor, family)) = cursors.of(self.ipid) else { return };
        if self.case.failed() {
            cursor.since = Since::Rejected(n);
            return;
        }
        if celt == 0 {
            return;
        }
        let given = index(told.given());
        let mut right = self.at_end(cursor, given, bench);
        if let Some(place) = cursor.place.filter(|_| right) {
            right = self.in_order(place, told, cursor, family, bench);
        }
        if !right {
            cursor.lose();
        }
        let short = self.case.status == Some(S_FALSE);
        let place = cursor.place;
        if let Some(place) = place {
            let now = place.saturating_add(given);
            cursor.place = Some(now);
            self.counted(now, short, family, bench);
        }
        cursor.end = if short { Some(End::Next(n)) } else { None };
        (cursor.since, cursor.moved, family.moved) = (Since::Next(n), n, Some((self.ipid, n)));
        if let Some(place) = place {
            for (at, element) in told.list.iter().enumerate() {
                cursors.keep(self.ipid, place.saturating_add(at), element);
            }
        }
    }

    /// Who said that nothing is left has nothing left.
    fn at_end(&self, cursor: &Cursor, given: usize, bench: &mut Bench<'_>) -> bool {
        let Some(end) = cursor.end else { return true };
        let (rule, call, what) = match end {
            End::Next(call) => ("1-09", call, "Next"),
            End::Skip(call) => ("2-05", call, "Skip"),
        };
        self.expect(
            given == 0,
            rule,
            bench,
            || format!(" gave {given} elements after {what} had returned S_FALSE (call {call})"),
            |finding| {
                finding.with_call(call, "nothing was left");
            },
        );
        given == 0
    }

    /// Whether the elements are those that are due at this place.
    fn in_order(
        &self,
        place: usize,
        told: &Elements,
        cursor: &Cursor,
        family: &Family,
        bench: &mut Bench<'_>,
    ) -> bool {
        // Somebody else has moved since: what is wrong is that it had to do with this one.
        let other = family.moved.filter(|(who, when)| *who != self.ipid && *when > cursor.moved);
        let (rule, why, call) = match (other, cursor.since) {
            (Some((_, when)), _) => ("4-04", "another enumerator of the list was moved", when),
            (_, Since::Clone(call)) => ("4-03", "it was cloned", call),
            (_, Since::Reset(call)) => ("3-02", "it was reset", call),
            (_, Since::Skip(call)) => ("2-03", "elements were skipped", call),
            (_, Since::Rejected(call)) => ("1-10", "a call was refused", call),
            (_, Since::Next(call)) => ("1-08", "it had given others", call),
            (_, Since::Fresh) => ("1-08", "it was made", cursor.moved),
        };
        let mut seen: Vec<Identity> = Vec::new();
        let mut wrong = None;
        for (at, element) in told.list.iter().enumerate() {
            let at = place.saturating_add(at);
            let Some(identity) = Identity::of(element) else { continue };
            if seen.contains(&identity) {
                self.repeated(&identity, family, bench);
                return false;
            }
            let due = family.items.get(&at).and_then(|(known, _)| known.as_ref());
            let before = family.place_of(&identity).filter(|before| *before < place);
            if due.is_some_and(|due| *due != identity) || due.is_none() && before.is_some() {
                wrong = Some((at, identity));
                break;
            }
            if seen.len() < 4096 {
                seen.push(identity);
            }
        }
        let kept = wrong.is_none();
        self.expect(
            kept,
            rule,
            bench,
            || {
                let place = wrong.as_ref().map_or(0, |(at, _)| *at);
                format!(
                    " gave an element that is not the one due at place {place} of the list, after \
                     {why} (call {call})"
                )
            },
            |finding| {
                finding.at_most(Severity::Error, Certainty::Likely);
                finding.with_call(call, why);
            },
        );
        kept
    }

    /// The same element twice in one answer.
    fn repeated(&self, identity: &Identity, family: &Family, bench: &mut Bench<'_>) {
        let rule = match (identity, &family.source) {
            (Identity::Snapshot(_), _) => "SCMP-2.2.3.3-02".to_owned(),
            (Identity::Area(..), Some(source)) => format!("SCMP-{}-18", source.query.section()),
            (_, Some(source)) => format!("SCMP-{}-17", source.query.section()),
            (_, None) => return,
        };
        bench.fail(
            Topic::Value("rgelt"),
            &rule,
            &self.case.place,
            format!("{} gave the same element twice", self.case.method()),
            |_| {},
        );
    }

    /// How many there are, as far as that shows; and that it stays so.
    fn counted(&self, now: usize, short: bool, family: &mut Family, bench: &mut Bench<'_>) {
        let n = self.case.call.rpc.n;
        match family.len {
            Some((len, call)) if short || now > len => {
                self.expect(
                    now == len,
                    "3-04",
                    bench,
                    || {
                        format!(
                            " came to the end after {now} elements; there were {len} before (call \
                             {call})"
                        )
                    },
                    |_| {},
                );
            }
            None if short => family.len = Some((now, n)),
            _ => {}
        }
    }

    fn skip(&self, celt: u32, cursors: &mut Cursors, bench: &mut Bench<'_>) {
        let Some(status) = self.case.status else {
            self.is_plain(cursors);
            return;
        };
        if celt == 0 {
            self.expect(
                self.case.failed(),
                "2-02",
                bench,
                || format!("(celt=0) returned 0x{status:08x}: it must be more than zero"),
                |_| {},
            );
        }
        if !self.is_plain(cursors) || self.case.failed() || celt == 0 {
            return;
        }
        let n = self.case.call.rpc.n;
        let Some((cursor, family)) = cursors.of(self.ipid) else { return };
        let short = status == S_FALSE;
        if let (Some(place), Some((len, call))) = (cursor.place, family.len) {
            let left = len.saturating_sub(place);
            let due = index(celt) > left;
            self.expect(
                due == short,
                "2-01",
                bench,
                || {
                    format!(
                        "(celt={celt}) returned {} with {left} elements left",
                        if short { "S_FALSE" } else { "S_OK" }
                    )
                },
                |finding| {
                    finding.at_most(Severity::Error, Certainty::Likely);
                    finding.with_call(call, "how many there are");
                },
            );
        }
        cursor.place = match (cursor.place, short) {
            (Some(place), false) => Some(place.saturating_add(index(celt))),
            (Some(_), true) => family.len.map(|(len, _)| len),
            (None, _) => None,
        };
        cursor.end = if short { Some(End::Skip(n)) } else { None };
        (cursor.since, cursor.moved, family.moved) = (Since::Skip(n), n, Some((self.ipid, n)));
    }

    fn reset(&self, cursors: &mut Cursors, bench: &mut Bench<'_>) {
        let stub = &self.case.call.request;
        if let (Some(decoded), Some(request)) = (&stub.decoded, &self.case.call.rpc.request) {
            let len = stub.arguments(&request.stub).len();
            let extra = len.saturating_sub(decoded.used);
            self.expect(
                extra == 0,
                "3-03",
                bench,
                || format!(" was sent {extra} octets of parameters; it has none"),
                |_| {},
            );
        }
        if !self.is_plain(cursors) || self.case.status != Some(0) {
            if let Some((cursor, _)) = cursors.of(self.ipid) {
                cursor.lose();
            }
            return;
        }
        let n = self.case.call.rpc.n;
        if let Some((cursor, family)) = cursors.of(self.ipid) {
            (cursor.place, cursor.end) = (Some(0), None);
            (cursor.since, cursor.moved, family.moved) = (Since::Reset(n), n, Some((self.ipid, n)));
        }
    }

    fn cloned(&self, cursors: &mut Cursors, bench: &mut Bench<'_>) {
        let Some(Tell::Pointer(pointer)) = &self.case.tell else { return };
        let Some(reference) = pointer.reference.as_ref().filter(|_| self.case.succeeded()) else {
            return;
        };
        self.expect(
            reference.ipid != self.ipid,
            "4-02",
            bench,
            || " gave the enumerator itself, not a new one".to_owned(),
            |_| {},
        );
        if reference.ipid == self.ipid {
            return;
        }
        cursors.cloned(reference.ipid, self.ipid, self.case.call.rpc.n);
        if self.case.overlapped
            && let Some((cursor, _)) = cursors.of(reference.ipid)
        {
            cursor.lose();
        }
    }
}

impl Elements {
    /// How many elements were given.
    fn given(&self) -> u32 {
        self.fetched.unwrap_or_else(|| crate::bytes::clamp(self.list.len()))
    }
}
