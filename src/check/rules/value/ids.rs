//! The ids that a server makes (3.1.1.1, 3.1.4.3, 3.1.4.4).

use rustc_hash::FxHashMap;

use crate::bytes::{Guid, Side};
use crate::check::bench::{Bench, Topic};
use crate::check::rules::Case;
use crate::check::say;
use crate::protocol::fsrvp::{Request, Response};

/// Ids remembered of each kind.
const MAX_IDS: usize = 16_384;

/// What has to be remembered.
#[derive(Debug, Default)]
pub(super) struct Rules {
    sets: Issued,
    copies: Issued,
}

/// Ids that were issued, and by which call. Added by each success; when there are too many, all are
/// forgotten.
#[derive(Debug, Default)]
struct Issued(FxHashMap<Guid, u64>);

impl Issued {
    /// The call that has issued an id before.
    fn issue(&mut self, id: Guid, call: u64) -> Option<u64> {
        if self.0.len() >= MAX_IDS {
            self.0.clear();
        }
        self.0.insert(id, call)
    }
}

impl Rules {
    pub(super) fn answered(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        if !case.act.answer.is_success() {
            return;
        }
        match (&case.act.request, &case.act.response) {
            (Some(Request::StartShadowCopySet(of)), Some(Response::StartShadowCopySet(_))) => {
                self.started(case, of.client_shadow_copy_set_id, bench);
            }
            (Some(Request::AddToShadowCopySet(of)), Some(Response::AddToShadowCopySet(_))) => {
                self.added(case, of.client_shadow_copy_id, bench);
            }
            _ => {}
        }
    }

    fn started(&mut self, case: &Case<'_, '_>, client: Guid, bench: &mut Bench<'_>) {
        let Some(id) = case.act.started() else { return };
        let field = "pShadowCopySetId";
        let before = if id.is_nil() { None } else { self.sets.issue(id, case.act.n) };
        if before.is_none() && !id.is_nil() {
            bench.pass("FSRVP-3.1.1.1-03");
        }
        bench.expect(
            !id.is_nil() && before.is_none(),
            Topic::Value(field),
            "FSRVP-3.1.4.3-09",
            case.place,
            || match before {
                Some(_) => format!(
                    "StartShadowCopySet returned the id {id}, which the server has issued before"
                ),
                None => "StartShadowCopySet succeeded and returned the nil id".to_owned(),
            },
            |finding| {
                if let Some(call) = before {
                    finding.with_call(call, "StartShadowCopySet returned the same id");
                    finding.with_rules(["FSRVP-3.1.1.1-03"]);
                }
                finding.with_octets(case.call, Side::Server, field, "the id of the set");
            },
        );
        copied(case, (field, "ClientShadowCopySetId"), (id, client), "FSRVP-3.1.4.3-10", bench);
    }

    fn added(&mut self, case: &Case<'_, '_>, client: Guid, bench: &mut Bench<'_>) {
        let Some(id) = case.act.added() else { return };
        let field = "pShadowCopyId";
        let before = if id.is_nil() { None } else { self.copies.issue(id, case.act.n) };
        bench.expect(
            !id.is_nil() && before.is_none(),
            Topic::Value(field),
            "FSRVP-3.1.4.4-13",
            case.place,
            || match before {
                Some(_) => format!(
                    "AddToShadowCopySet returned the id {id}, which the server has issued before"
                ),
                None => "AddToShadowCopySet succeeded and returned the nil id".to_owned(),
            },
            |finding| {
                if let Some(call) = before {
                    finding.with_call(call, "AddToShadowCopySet returned the same id");
                }
                finding.with_octets(case.call, Side::Server, field, "the id of the copy");
            },
        );
        copied(case, (field, "ClientShadowCopyId"), (id, client), "FSRVP-3.1.4.4-20", bench);
    }
}

/// 3.1.4.3-10, 3.1.4.4-20: the id is the server's own.
fn copied(
    case: &Case<'_, '_>,
    (field, of): (&'static str, &'static str),
    (id, client): (Guid, Guid),
    rule: &str,
    bench: &mut Bench<'_>,
) {
    if id.is_nil() {
        return;
    }
    bench.expect(
        id != client,
        Topic::Value(field),
        rule,
        case.place,
        || {
            format!(
                "{} returned the {of} of the request, {id}, as {field}",
                say::method(case.act.opnum)
            )
        },
        |finding| {
            finding.with_octets(case.call, Side::Client, of, "the client's id");
            finding.with_octets(case.call, Side::Server, field, "the same");
        },
    );
}
