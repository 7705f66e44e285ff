//! What the methods of the two management interfaces are asked, and what each must give.

use super::areas::Areas;
use super::calls::{E_ACCESSDENIED, E_INVALIDARG};
use super::message::{
    Ask, DIFF, LATER_DIFF, Name, PROVIDER, Pointer, Query, Tell, Text, interface_name,
};
use super::volume::{Form, Volumes, form};
use super::{Case, calls};
use crate::bytes::{Guid, Side};
use crate::check::bench::{Bench, Topic};
use crate::check::finding::{Certainty, Severity};

/// `VSS_E_PROVIDER_NOT_REGISTERED`
const NOT_REGISTERED: u32 = 0x8004_2304;
/// `E_NOINTERFACE`
const E_NOINTERFACE: u32 = 0x8000_4002;
/// What says that there is nothing of the kind.
const NOT_FOUND: [u32; 2] = [0x8004_2308, 0x8007_0490];
/// The bits of `lContext` (3.1.1.4.2).
const CONTEXT: u32 = 0x1d;

/// Looks at a call of a management interface, or at what `Clone` gives.
pub(super) fn check(case: &Case<'_>, volumes: &Volumes, areas: &Areas, bench: &mut Bench<'_>) {
    let Some(ask) = &case.ask else { return };
    match ask {
        Ask::Interface { provider, iid } => {
            provider_asked(case, "SCMP-3.1.1.4.1-01", *provider, bench);
            interface_asked(case, *iid, bench);
            if case.status.is_some() {
                provider_answered(case, "3.1.1.4.1", *provider, bench);
                interface_answered(case, *provider, *iid, bench);
            }
        }
        Ask::Query { query, provider, volume, context } => {
            let named = volume.as_ref().map(|Name(name)| name);
            query_asked(case, *query, (*provider, named, *context), bench);
            if case.status.is_some() {
                query_answered(case, *query, (*provider, named), (volumes, areas), bench);
            }
        }
        Ask::Size { change, volume, storage, .. } => {
            let section = if *change { "SCMP-3.1.4.4.3-01" } else { "SCMP-3.1.4.4.2-01" };
            name_asked(case, section, "the volume", volume.as_ref(), bench);
            let storage_rule = if *change { section } else { "SCMP-3.1.4.4.2-02" };
            name_asked(case, storage_rule, "the volume for storage", storage.as_ref(), bench);
        }
        Ask::Clone { given } => {
            let rule = format!("SCMP-{}.4-08", calls::enumerator_section(case));
            bench.expect(
                !given,
                Topic::Value("ppenum"),
                &rule,
                &case.place,
                || "Clone was given a reference, which means nothing there".to_owned(),
                |_| {},
            );
        }
        _ => {}
    }
    if let (Some(Tell::Pointer(pointer)), Some(_)) = (&case.tell, case.status) {
        pointer_told(case, pointer, bench);
    }
}

fn provider_asked(case: &Case<'_>, rule: &str, provider: Guid, bench: &mut Bench<'_>) {
    bench.expect(
        provider == PROVIDER,
        Topic::Value("ProviderId"),
        rule,
        &case.place,
        || {
            format!(
                "{} was asked of the provider {provider}; the only one is {PROVIDER}",
                case.method()
            )
        },
        |finding| {
            finding.with_rules(["SCMP-1.9-02"]);
            finding.with_octets(case.call, Side::Client, "ProviderId", "another provider");
        },
    );
}

/// Providers that are none: the nil one is a bad argument, any other is not registered.
fn provider_answered(case: &Case<'_>, section: &str, provider: Guid, bench: &mut Bench<'_>) {
    let Some(status) = case.status else { return };
    let (nil, unknown) = match section {
        "3.1.1.4.1" => (None, "SCMP-3.1.1.4.1-04".to_owned()),
        "3.1.1.4.2" => (Some("SCMP-3.1.1.4.2-04"), "SCMP-3.1.1.4.2-05".to_owned()),
        _ => (Some("SCMP-3.1.1.4.3-04"), "SCMP-3.1.1.4.3-05".to_owned()),
    };
    if let Some(rule) = nil.filter(|_| provider.is_nil()) {
        return invalid(case, rule, "the nil provider", status, &[NOT_REGISTERED], bench);
    }
    let kept = if provider == PROVIDER { status != NOT_REGISTERED } else { !case.succeeded() };
    bench.expect(
        kept,
        Topic::State,
        &unknown,
        &case.place,
        || {
            if provider == PROVIDER {
                format!(
                    "the provider of shadow copies is not registered at the server, by {}",
                    case.method()
                )
            } else {
                format!("{} succeeded for the unknown provider {provider}", case.method())
            }
        },
        |finding| {
            finding.with_octets(case.call, Side::Client, "ProviderId", "the provider");
            finding.with_octets(case.call, Side::Server, "return", "the answer");
        },
    );
}

/// A defect of the arguments for which the method has `E_INVALIDARG`. Who may not ask is told so first,
/// and `others` are answers that other rules of the method give.
pub(super) fn invalid(
    case: &Case<'_>,
    rule: &str,
    what: &str,
    status: u32,
    others: &[u32],
    bench: &mut Bench<'_>,
) {
    let right = [E_INVALIDARG, E_ACCESSDENIED].contains(&status);
    bench.expect(
        right,
        Topic::State,
        rule,
        &case.place,
        || {
            format!(
                "{} was asked with {what} and returned 0x{status:08x}, not E_INVALIDARG",
                case.method()
            )
        },
        |finding| {
            finding.with_rules(["SCMP-3.1.1.4-07"]);
            if !case.succeeded() {
                finding.at_most(Severity::Warning, Certainty::Certain);
            }
            if others.contains(&status) {
                finding.at_most(Severity::Warning, Certainty::Likely);
            }
            finding.with_octets(case.call, Side::Server, "return", "the answer");
        },
    );
}

fn interface_asked(case: &Case<'_>, iid: Guid, bench: &mut Bench<'_>) {
    bench.expect(
        iid == DIFF,
        Topic::Value("InterfaceId"),
        "SCMP-3.1.1.4.1-02",
        &case.place,
        || {
            let name = interface_name(iid).map_or_else(|| iid.to_string(), str::to_owned);
            format!(
                "{} was asked for {name}: it gives IVssDifferentialSoftwareSnapshotMgmt",
                case.method()
            )
        },
        |finding| {
            if LATER_DIFF.contains(&iid) {
                finding.at_most(Severity::Note, Certainty::Certain);
            }
            finding.with_octets(case.call, Side::Client, "InterfaceId", "another interface");
        },
    );
}

fn interface_answered(case: &Case<'_>, provider: Guid, iid: Guid, bench: &mut Bench<'_>) {
    let Some(status) = case.status else { return };
    if iid == DIFF {
        return;
    }
    let right = [E_INVALIDARG, E_ACCESSDENIED].contains(&status)
        || provider != PROVIDER && status == NOT_REGISTERED;
    bench.expect(
        right,
        Topic::State,
        "SCMP-3.1.1.4.1-05",
        &case.place,
        || {
            format!(
                "{} was asked for an interface that it does not give and returned 0x{status:08x}, \
                 not E_INVALIDARG",
                case.method()
            )
        },
        |finding| {
            finding.with_rules(["SCMP-3.1.1.4-07"]);
            if LATER_DIFF.contains(&iid) {
                finding.at_most(Severity::Note, Certainty::Certain);
            } else if status == E_NOINTERFACE || !case.succeeded() {
                finding.at_most(Severity::Warning, Certainty::Certain);
            }
        },
    );
}

type Asked<'a> = (Option<Guid>, Option<&'a Option<Text>>, Option<u32>);

fn query_asked(
    case: &Case<'_>,
    query: Query,
    (provider, volume, context): Asked<'_>,
    bench: &mut Bench<'_>,
) {
    let section = query.section();
    if let Some(provider) = provider {
        let rule = match query {
            Query::Volumes => "SCMP-3.1.1.4.2-01",
            _ => "SCMP-3.1.1.4.3-02",
        };
        provider_asked(case, rule, provider, bench);
    }
    if let Some(volume) = volume {
        let rule = format!("SCMP-{section}-01");
        name_asked(case, &rule, "the volume", volume.as_ref(), bench);
    }
    let Some(context) = context else { return };
    let inside = context & !CONTEXT == 0;
    bench.expect(
        inside,
        Topic::Value("lContext"),
        "SCMP-3.1.1.4.2-02",
        &case.place,
        || {
            format!(
                "lContext is 0x{context:08x}, of which 0x{:08x} is none of PERSISTENT, \
                 CLIENT_ACCESSIBLE, NO_AUTO_RELEASE and NO_WRITERS",
                context & !CONTEXT
            )
        },
        |finding| {
            finding.with_octets(case.call, Side::Client, "lContext", "other bits");
        },
    );
    if inside {
        bench.expect(
            context == CONTEXT,
            Topic::Value("lContext"),
            "SCMP-3.1.1.4.2-03",
            &case.place,
            || {
                format!(
                    "lContext is 0x{context:02x}, not all four attributes: whether that is meant, \
                     the specification does not say"
                )
            },
            |_| {},
        );
    }
}

/// The three forms of a name; and whether it ends as Windows wants it to.
fn name_asked(case: &Case<'_>, rule: &str, what: &str, name: Option<&Text>, bench: &mut Bench<'_>) {
    let Some(Text { text, .. }) = name else {
        return bench.fail(
            Topic::Value("name"),
            rule,
            &case.place,
            format!("{what} in a request of {} is NULL", case.method()),
            |_| {},
        );
    };
    let (form, ends) = form(text);
    bench.expect(
        form != Form::Other,
        Topic::Value("name"),
        rule,
        &case.place,
        || {
            format!(
                "{what} in a request of {} is `{text}`: neither a drive, nor a mount point, nor the \
                 name of a volume",
                case.method()
            )
        },
        |_| {},
    );
    if form != Form::Other {
        bench.expect(
            ends,
            Topic::Value("name"),
            "SCMP-4.2-01",
            &case.place,
            || {
                format!(
                    "{what} `{text}` has no backslash at its end: Windows may not find such a volume"
                )
            },
            |_| {},
        );
    }
}

fn query_answered(
    case: &Case<'_>,
    query: Query,
    (provider, volume): (Option<Guid>, Option<&Option<Text>>),
    (volumes, areas): (&Volumes, &Areas),
    bench: &mut Bench<'_>,
) {
    let Some(status) = case.status else { return };
    let section = query.section();
    if let Some(provider) = provider {
        provider_answered(case, section, provider, bench);
    }
    if let Some(volume) = volume {
        if volume.is_none() {
            let rule = format!("SCMP-{section}-03");
            return invalid(case, &rule, "no volume", status, &[NOT_REGISTERED], bench);
        }
        bench.pass(&format!("SCMP-{section}-03"));
    }
    // Nothing to return is an empty list.
    let name = volume.and_then(Option::as_ref).map(|text| text.text.as_str());
    let listed = name.is_none_or(|name| is_listed(name, case, (volumes, areas)));
    let good = provider.is_none_or(|provider| provider == PROVIDER)
        && name.is_none_or(|name| form(name).0 != Form::Other);
    let empty = status == calls::S_FALSE || NOT_FOUND.contains(&status) && listed;
    if good {
        bench.expect(
            !empty,
            Topic::State,
            &format!("SCMP-{section}-13"),
            &case.place,
            || {
                format!(
                    "{} returned 0x{status:08x}: where there is nothing to list it succeeds, with an \
                     empty list",
                    case.method()
                )
            },
            |finding| {
                if status != calls::S_FALSE {
                    case.weaken(finding, None);
                }
            },
        );
    }
}

/// Whether a volume is in a list that was read to its end.
fn is_listed(name: &str, case: &Case<'_>, (volumes, areas): (&Volumes, &Areas)) -> bool {
    let place = volumes.place(name);
    let list = areas.list(Query::Volumes, "", case.call.time);
    list.is_some_and(|list| list.volumes.contains(&place))
}

/// What an interface pointer must be, and that there is none with an error.
fn pointer_told(case: &Case<'_>, pointer: &Pointer, bench: &mut Bench<'_>) {
    let (rule, expected) = match &case.ask {
        Some(Ask::Interface { iid, .. }) => ("SCMP-3.1.1.4.1-08".to_owned(), *iid),
        Some(Ask::Query { query, .. }) => {
            (format!("SCMP-{}-10", query.section()), query.enumerator())
        }
        Some(Ask::Clone { .. }) => {
            (format!("SCMP-{}.4-01", calls::enumerator_section(case)), case.interface)
        }
        _ => return,
    };
    if case.failed() {
        return bench.expect(
            pointer.null,
            Topic::Value("ppEnum"),
            "SCMP-3.1.1.4.1-10",
            &case.place,
            || format!("{} failed, and gave an interface pointer", case.method()),
            |_| {},
        );
    }
    if pointer.null {
        return bench.fail(
            Topic::Value("ppEnum"),
            &rule,
            &case.place,
            format!("{} succeeded, and gave no interface pointer", case.method()),
            |finding| {
                finding.with_rules(["SCMP-3.2.4.1-02"]);
                if matches!(case.ask, Some(Ask::Clone { .. })) {
                    let own = format!("SCMP-{}.4-06", calls::enumerator_section(case));
                    finding.with_rules([own.as_str()]);
                }
            },
        );
    }
    marshaled(case, pointer, bench);
    let Some(reference) = &pointer.reference else { return };
    bench.expect(
        reference.iid == expected,
        Topic::Value("ppEnum"),
        &rule,
        &case.place,
        || {
            let name = |iid| interface_name(iid).map_or_else(|| iid.to_string(), str::to_owned);
            format!(
                "{} gave a reference to {}, not {}",
                case.method(),
                name(reference.iid),
                name(expected)
            )
        },
        |finding| {
            finding.with_rules(["SCMP-1.9-01"]);
            let unknown = reference.iid == crate::protocol::dcom::IUNKNOWN;
            if unknown && matches!(case.ask, Some(Ask::Interface { .. })) {
                finding.at_most(Severity::Warning, Certainty::Certain);
            }
        },
    );
    let whole = reference.oxid != 0 && reference.oid != 0 && !reference.ipid.is_nil();
    bench.expect(
        whole,
        Topic::Value("ppEnum"),
        "SCMP-3.2.4.1-02",
        &case.place,
        || format!("{} gave a reference whose OXID, OID or IPID is zero", case.method()),
        |_| {},
    );
}

/// How a reference is marshaled.
fn marshaled(case: &Case<'_>, pointer: &Pointer, bench: &mut Bench<'_>) {
    /// `OBJREF_STANDARD` and `OBJREF_EXTENDED`
    const PLAIN: [u32; 2] = [1, 8];
    let Some(kind) = pointer.kind else { return };
    bench.expect(
        PLAIN.contains(&kind),
        Topic::Value("ppEnum"),
        "SCMP-2.1-06",
        &case.place,
        || {
            let how = if kind == 4 { "custom marshaling" } else { "a handler" };
            format!("{} gave a reference with {how}", case.method())
        },
        |_| {},
    );
}
