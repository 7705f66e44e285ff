//! What an element of an enumeration must be: 2.2.2 and 2.2.3.

use super::Case;
use super::cursor::{Cursors, Source};
use super::message::{Arm, ENUM_OBJECT, Element, Query, Snapshot, Tell, Text};
use super::volume::{Form, Volumes, form};
use crate::bytes::Side;
use crate::check::bench::{Bench, Topic};
use crate::check::finding::{Certainty, Severity};

/// `VSS_SS_CREATED`
const CREATED: u32 = 0x0c;
/// The attributes of 2.2.2.3.
const ATTRIBUTES: u32 = 0x1f;
/// Those of the Windows SDK beside them (vss.h).
const SDK_ATTRIBUTES: u32 = 0x07ff_00e0;
/// 2000-01-01T00:00:00Z as a FILETIME.
const YEAR_2000: i64 = 125_911_584_000_000_000;
/// Intervals of 100 ns in a day, and from 1601 to 1970.
const DAY: i64 = 864_000_000_000;
/// See above.
const EPOCH: i64 = 116_444_736_000_000_000;

/// Looks at the elements that `Next` gave, and learns the names of volumes.
pub(super) fn check(
    case: &Case<'_>,
    cursors: &Cursors,
    volumes: &mut Volumes,
    bench: &mut Bench<'_>,
) {
    let Some(Tell::Elements(told)) = &case.tell else { return };
    if case.failed() {
        return;
    }
    let source = case.call.rpc.object.and_then(|ipid| cursors.source(ipid));
    for (at, element) in told.list.iter().enumerate() {
        let spot = Spot { case, at, element };
        if kind(&spot, source, bench) {
            content(&spot, source, volumes, bench);
        }
        if let Arm::Volume { name: Some(name), display: Some(display) }
        | Arm::DiffVolume { name: Some(name), display: Some(display), .. } = &element.arm
        {
            volumes.learn(&name.text, &display.text);
        }
    }
    mixed(case, &told.list, bench);
}

/// An element, and where it is.
struct Spot<'a, 'c> {
    case: &'a Case<'c>,
    at: usize,
    element: &'a Element,
}

impl Spot<'_, '_> {
    fn expect(&self, kept: bool, rule: &str, bench: &mut Bench<'_>, what: impl FnOnce() -> String) {
        self.grade(kept, rule, bench, what, None);
    }

    /// The same, no graver than this.
    fn grade(
        &self,
        kept: bool,
        rule: &str,
        bench: &mut Bench<'_>,
        what: impl FnOnce() -> String,
        most: Option<Severity>,
    ) {
        let (at, case) = (self.at, self.case);
        bench.expect(
            kept,
            Topic::Value("rgelt"),
            rule,
            &case.place,
            || format!("element {at} of {}: {}", case.method(), what()),
            |finding| {
                if let Some(most) = most {
                    finding.at_most(most, Certainty::Certain);
                }
                finding.with_octets(case.call, Side::Server, "rgelt", "the elements");
            },
        );
    }
}

/// Type, discriminant, and which of them the enumerator must have. Whether its content is worth a look.
fn kind(spot: &Spot<'_, '_>, source: Option<&Source>, bench: &mut Bench<'_>) -> bool {
    let Spot { case, element, .. } = spot;
    let (kind, tag) = (element.kind, element.tag);
    let objects = case.interface == ENUM_OBJECT;
    let same = if objects { "SCMP-2.2.3.2-01" } else { "SCMP-2.2.3.6-01" };
    spot.expect(kind == tag, same, bench, || format!("Type is {kind}, and the union says {tag}"));
    if kind != tag {
        return false;
    }
    let known = if objects { kind == 3 } else { (1..=3).contains(&kind) };
    let own = source.map(|source| (source, source.query.element()));
    let rule = match (objects, kind) {
        (true, 1) => "SCMP-2.2.2.1-01",
        (true, 4) => "SCMP-2.2.2.1-03",
        (true, 5..) => "SCMP-2.2.2.1-05",
        (true, _) => "SCMP-2.2.3.1-01",
        (false, _) => "SCMP-2.2.2.2-01",
    };
    let (at, place) = (spot.at, &case.place);
    bench.expect(
        known,
        Topic::Value("rgelt"),
        rule,
        place,
        || format!("element {at} of {} has the type {kind}, which is none", case.method()),
        |finding| {
            if let Some((source, _)) = own {
                let own = format!("SCMP-{}-11", source.query.section());
                finding.with_rules([own.as_str()]);
            }
            finding.with_rules([if objects { "SCMP-2.2.3.1-01" } else { "SCMP-2.2.3.5-01" }]);
            finding.with_octets(case.call, Side::Server, "rgelt", "the elements");
        },
    );
    if known && let Some((source, (expected, name))) = own {
        let rule = format!("SCMP-{}-11", source.query.section());
        bench.expect(
            kind == expected,
            Topic::Value("rgelt"),
            &rule,
            place,
            || {
                format!(
                    "element {at} of {} has the type {kind}; what {} made lists {name}, which is \
                     {expected}",
                    case.method(),
                    source.query.method()
                )
            },
            |finding| {
                if source.query.section().starts_with("3.1.4") {
                    finding.with_rules(["SCMP-3.1.4.4.1-01"]);
                }
                finding.with_call(source.call, "the enumerator was made here");
                finding.with_octets(case.call, Side::Server, "rgelt", "the elements");
            },
        );
    }
    known
}

/// 3.1.4.4.1: one enumerator has elements of one kind.
fn mixed(case: &Case<'_>, elements: &[Element], bench: &mut Bench<'_>) {
    if case.interface == ENUM_OBJECT || elements.len() < 2 {
        return;
    }
    let known = |element: &&Element| (1..=3).contains(&element.kind);
    let mut kinds: Vec<u32> = elements.iter().filter(known).map(|of| of.kind).collect();
    kinds.dedup();
    bench.expect(
        kinds.len() <= 1,
        Topic::Value("rgelt"),
        "SCMP-3.1.4.4.1-01",
        &case.place,
        || format!("{} gave elements of several types: {kinds:?}", case.method()),
        |_| {},
    );
}

fn content(spot: &Spot<'_, '_>, source: Option<&Source>, volumes: &Volumes, bench: &mut Bench<'_>) {
    texts(spot, bench);
    match &spot.element.arm {
        Arm::Volume { name, display } => {
            volume(
                spot,
                ("SCMP-2.2.3.7-01", "SCMP-2.2.3.7-02"),
                name.as_ref(),
                display.as_ref(),
                bench,
            );
        }
        Arm::DiffVolume { name, display, free, total } => {
            volume(
                spot,
                ("SCMP-2.2.3.8-01", "SCMP-2.2.3.8-01"),
                name.as_ref(),
                display.as_ref(),
                bench,
            );
            let fits = *free >= 0 && *total > 0 && free <= total;
            spot.expect(fits, "SCMP-2.2.3.8-02", bench, || {
                format!("{free} bytes are free of a volume of {total}")
            });
        }
        Arm::Area { volume, storage, max, allocated, used } => {
            for (what, name) in [("the volume", volume), ("the volume for storage", storage)] {
                mount_name(spot, "SCMP-2.2.3.9-01", what, name.as_ref(), bench);
            }
            area(spot, (*max, *allocated, *used), bench);
            if let Some(source) = source {
                concerns(spot, source, (volume, storage), volumes, bench);
            }
        }
        Arm::Snapshot(of) => {
            snapshot(spot, of, bench);
            if let Some(source) = source {
                belongs(spot, source, of, volumes, bench);
            }
        }
        Arm::None | Arm::Provider => {}
    }
}

/// The strings of an element.
fn texts(spot: &Spot<'_, '_>, bench: &mut Bench<'_>) {
    let texts: Vec<&Text> = match &spot.element.arm {
        Arm::Volume { name, display } | Arm::DiffVolume { name, display, .. } => {
            [name, display].into_iter().flatten().collect()
        }
        Arm::Area { volume, storage, .. } => [volume, storage].into_iter().flatten().collect(),
        Arm::Snapshot(of) => {
            [&of.device, &of.volume, &of.origin, &of.service].into_iter().flatten().collect()
        }
        Arm::None | Arm::Provider => Vec::new(),
    };
    for text in texts {
        let fault = text.fault.as_deref().unwrap_or_default();
        let Spot { case, at, .. } = *spot;
        bench.expect(
            text.fault.is_none(),
            Topic::Value("name"),
            "SCMP-2.2.1.2-01",
            &case.place,
            || format!("element {at} of {} has an improper string: {fault}", case.method()),
            |finding| finding.party = crate::check::finding::Blame::Server,
        );
    }
}

fn mount_name(
    spot: &Spot<'_, '_>,
    rule: &str,
    what: &str,
    name: Option<&Text>,
    bench: &mut Bench<'_>,
) {
    match name {
        None => spot.expect(false, rule, bench, || format!("{what} is NULL")),
        Some(Text { text, .. }) => {
            let kept = form(text).0 == Form::MountName;
            let most = Some(Severity::Note).filter(|_| !text.is_empty());
            let what = || format!("{what} is `{text}`, not of the form \\\\?\\Volume{{…}}\\");
            spot.grade(kept, rule, bench, what, most);
        }
    }
}

fn volume(
    spot: &Spot<'_, '_>,
    (rule, display_rule): (&str, &str),
    name: Option<&Text>,
    display: Option<&Text>,
    bench: &mut Bench<'_>,
) {
    mount_name(spot, rule, "the volume", name, bench);
    let shown = display.map(|text| text.text.as_str());
    let itself = name.map(|text| text.text.as_str());
    let path = shown.is_some_and(|shown| matches!(form(shown).0, Form::Drive | Form::MountPoint));
    let kept = path || shown.is_some() && shown == itself && shown != Some("");
    spot.expect(kept, display_rule, bench, || match shown {
        None => "the display name is NULL".to_owned(),
        Some(shown) => {
            format!("the display name is `{shown}`: neither a path nor the name of the volume")
        }
    });
}

fn area(spot: &Spot<'_, '_>, (max, allocated, used): (i64, i64, i64), bench: &mut Bench<'_>) {
    /// What the Windows SDK has for no limit.
    const UNLIMITED: i64 = -1;
    if max != UNLIMITED {
        spot.expect(allocated <= max, "SCMP-2.2.3.9-02", bench, || {
            format!("{allocated} bytes are allocated, and {max} is the maximum")
        });
    }
    spot.expect(used <= allocated, "SCMP-2.2.3.9-03", bench, || {
        format!("{used} bytes are used, and {allocated} are allocated")
    });
    let sizes = allocated >= 0 && used >= 0 && (max > 0 || max == UNLIMITED);
    spot.expect(sizes, "SCMP-2.2.3.9-04", bench, || {
        format!("sizes that cannot be: at most {max}, allocated {allocated}, used {used}")
    });
}

/// 3.1.4.4.5 and 3.1.4.4.6: what is listed is of the volume that was asked for.
fn concerns(
    spot: &Spot<'_, '_>,
    source: &Source,
    (volume, storage): (&Option<Text>, &Option<Text>),
    volumes: &Volumes,
    bench: &mut Bench<'_>,
) {
    let (rule, told, what) = match source.query {
        Query::AreasFor => ("SCMP-3.1.4.4.5-17", volume, "volume"),
        Query::AreasOn => ("SCMP-3.1.4.4.6-17", storage, "volume for storage"),
        _ => return,
    };
    let (Some(asked), Some(told)) = (source.volume.as_deref(), told.as_ref()) else { return };
    let Some(same) = volumes.same(asked, &told.text) else { return };
    spot.expect(same, rule, bench, || {
        format!("its {what} is `{}`; {} asked for `{asked}`", told.text, source.query.method())
    });
}

/// 3.1.1.4.3: so is a shadow copy.
fn belongs(
    spot: &Spot<'_, '_>,
    source: &Source,
    of: &Snapshot,
    volumes: &Volumes,
    bench: &mut Bench<'_>,
) {
    if let Some(provider) = source.provider {
        spot.expect(of.provider == provider, "SCMP-2.2.3.3-12", bench, || {
            format!("its provider is {}; {provider} was asked for", of.provider)
        });
    }
    let (Some(asked), Some(volume)) = (source.volume.as_deref(), &of.volume) else { return };
    let Some(same) = volumes.same(asked, &volume.text) else { return };
    spot.expect(same, "SCMP-2.2.3.3-06", bench, || {
        format!("it is a copy of `{}`; those of `{asked}` were asked for", volume.text)
    });
}

fn snapshot(spot: &Spot<'_, '_>, of: &Snapshot, bench: &mut Bench<'_>) {
    let ids = !of.id.is_nil() && !of.set.is_nil();
    spot.expect(ids, "SCMP-2.2.1.1-01", bench, || {
        "the id of the shadow copy, or of its set, is nil".to_owned()
    });
    spot.expect(of.status == CREATED, "SCMP-2.2.2.4-01", bench, || {
        format!("m_eStatus is {}, not VSS_SS_CREATED", of.status)
    });
    spot.expect(of.count >= 1, "SCMP-2.2.3.3-03", bench, || {
        format!("its set has {} shadow copies", of.count)
    });
    let unknown = of.attributes & !(ATTRIBUTES | SDK_ATTRIBUTES);
    spot.expect(unknown == 0, "SCMP-2.2.2.3-01", bench, || {
        format!("m_lSnapshotAttributes has 0x{unknown:08x}, which has no name")
    });
    created(spot, of.created, bench);
    let named = |text: &Option<Text>| text.as_ref().is_some_and(|text| !text.text.is_empty());
    spot.expect(named(&of.device), "SCMP-2.2.3.3-05", bench, || {
        "m_pwszSnapshotDeviceObject names no device".to_owned()
    });
    let machines = [
        ("SCMP-2.2.3.3-07", "m_pwszOriginatingMachine", &of.origin),
        ("SCMP-2.2.3.3-08", "m_pwszServiceMachine", &of.service),
    ];
    for (rule, member, machine) in machines {
        spot.expect(named(machine), rule, bench, || format!("{member} names no machine"));
    }
    if let (Some(origin), Some(service)) = (&of.origin, &of.service) {
        let same = origin.text.to_lowercase() == service.text.to_lowercase();
        spot.expect(same, "SCMP-2.2.3.3-09", bench, || {
            format!("it was made by `{}` and is served by `{}`", origin.text, service.text)
        });
    }
    let exposed = [
        ("SCMP-2.2.3.3-10", "m_pwszExposedName", &of.exposed_name),
        ("SCMP-2.2.3.3-11", "m_pwszExposedPath", &of.exposed_path),
    ];
    for (rule, member, text) in exposed {
        let most = Some(Severity::Warning)
            .filter(|_| text.as_ref().is_some_and(|text| text.text.is_empty()));
        let said = text.as_ref().map(|text| text.text.as_str()).unwrap_or_default();
        let what = || format!("{member} is `{said}`, not NULL");
        spot.grade(text.is_none(), rule, bench, what, most);
    }
}

/// 2.2.1.3: when it was made.
fn created(spot: &Spot<'_, '_>, filetime: i64, bench: &mut Bench<'_>) {
    let now = spot.case.call.time.nanos() / 100;
    let latest = now.checked_add(EPOCH + DAY);
    let kept = filetime > YEAR_2000 && latest.is_none_or(|latest| filetime <= latest);
    spot.expect(kept, "SCMP-2.2.1.3-01", bench, || {
        let when = crate::ndr::filetime(filetime).unwrap_or_else(|| filetime.to_string());
        format!("m_tsCreationTimestamp is {when}")
    });
}
