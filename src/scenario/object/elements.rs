//! What enumerators give: elements of `Next`, in the short forms of the notation.

use super::{Object, Origin, scmp};
use crate::bytes::{Span, Time};
use crate::idl::{Field, Kind, Record, Types, Union};
use crate::ndr::{Arg, Arguments, Data, Value};
use crate::scenario::grammar::Fail;
use crate::scenario::resolve::Resolver;
use crate::scenario::results::is_called;
use crate::scenario::steps::{Call, Stub};
use crate::scenario::syntax::{AnswerText, CallText, ValueText, Word};
use crate::scenario::values::{self, Wanted};
use crate::scenario::wire::octets::filetime;
use crate::scenario::words;

/// Short names of members, by the arm they are in.
const SHORT: &[(&str, &str)] = &[
    ("name", "m_pwszVolumeName"),
    ("display", "m_pwszVolumeDisplayName"),
    ("free", "m_llVolumeFreeSpace"),
    ("total", "m_llVolumeTotalSpace"),
    ("diff", "m_pwszDiffAreaVolumeName"),
    ("max", "m_llMaximumDiffSpace"),
    ("alloc", "m_llAllocatedDiffSpace"),
    ("used", "m_llUsedDiffSpace"),
    ("id", "m_SnapshotId"),
    ("set", "m_SnapshotSetId"),
    ("count", "m_lSnapshotsCount"),
    ("device", "m_pwszSnapshotDeviceObject"),
    ("vol", "m_pwszOriginalVolumeName"),
    ("orig", "m_pwszOriginatingMachine"),
    ("svc", "m_pwszServiceMachine"),
    ("exposed", "m_pwszExposedName"),
    ("path", "m_pwszExposedPath"),
    ("provider", "m_ProviderId"),
    ("attr", "m_lSnapshotAttributes"),
    ("attributes", "m_lSnapshotAttributes"),
    ("ts", "m_tsCreationTimestamp"),
    ("status", "m_eStatus"),
];

/// A day, in nanoseconds.
const DAY: i64 = 86_400_000_000_000;

/// What an element is made from.
#[derive(Clone, Copy)]
struct From<'a> {
    types: &'a Types,
    origin: Origin,
    /// Name of the volume that the enumerator is about.
    volume: &'a str,
    server: &'a str,
    now: Time,
    start: Time,
    names: &'a crate::protocol::Registry,
}

impl Resolver<'_> {
    /// `rgelt` of a `Next`.
    pub(super) fn elements(&mut self, value: &ValueText, call: &Call) -> Result<Arg, Fail> {
        let items = match value {
            ValueText::List(items, _) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for item in items {
            self.room(item.left())?;
        }
        let types = &*call.interface.types;
        let mgmt = call.interface.uuid == scmp::ENUM_MGMT;
        let (name, union) = if mgmt {
            ("VSS_MGMT_OBJECT_PROP", "VSS_MGMT_OBJECT_UNION")
        } else {
            ("VSS_OBJECT_PROP", "VSS_OBJECT_UNION")
        };
        let called: Option<&Object> = call.dcom.as_ref().and_then(|dcom| dcom.called.as_deref());
        let said = called.map(|object| object.origin).unwrap_or_default();
        let origin = match (mgmt, said) {
            (false, _) => Origin::Snapshots,
            (true, Origin::Other | Origin::Snapshots) => Origin::Volumes,
            (true, said) => said,
        };
        let first = scmp::volume("VA").unwrap_or_default();
        let server = format!("{}.lab.test", self.server_name(call.line.server).to_lowercase());
        let from = From {
            types,
            origin,
            volume: called.and_then(|object| object.volume.as_deref()).unwrap_or(&first),
            server: &server,
            now: self.now,
            start: self.start,
            names: self.registry,
        };
        let found = |name: &str| types.named(name).map(|id| &types.get(id).kind);
        let (Some(Kind::Struct(_)), Some(Kind::Union(union))) = (found(name), found(union)) else {
            return Ok(Arg::List(Vec::new()));
        };
        items.iter().map(|item| element(item, union, from)).collect::<Result<_, _>>().map(Arg::List)
    }
}

/// Counts of `rgelt`, and `pceltFetched`, where they are not what follows from the elements.
pub(in crate::scenario) fn counts(
    text: &CallText,
    call: &Call,
    results: &mut Arguments,
) -> Result<(), Fail> {
    let asked = match &call.request {
        Stub::Arguments(asked) => asked.params.iter().find(|(name, _)| &**name == "celt"),
        Stub::Octets(_) => None,
    };
    let asked = asked.and_then(|(_, value)| value.as_u32());
    let said = |wanted: &str| {
        let found = text.more.iter().find(|(name, _)| name.text == wanted);
        found.map(|(name, value)| number(name, value)).transpose()
    };
    let (max, offset, fetched) = (said("max")?, said("offset")?, said("fetched")?);
    for (name, value) in &mut results.params {
        match (&**name, &mut value.data) {
            ("rgelt", Data::List(list)) => {
                let some = |n: u32| Some((u64::from(n), Span::default()));
                list.counts.max = max.or(asked).map_or(list.counts.max, some);
                list.counts.offset = offset.map_or(list.counts.offset, some);
            }
            ("pceltFetched", Data::Number(number)) => {
                number.bits = fetched.map_or(number.bits, u64::from);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The number that is said of something.
pub(super) fn number(name: &Word, value: &ValueText) -> Result<u32, Fail> {
    let number = match value {
        ValueText::Bare(word) => words::number(&word.text),
        _ => None,
    };
    number.and_then(|n| u32::try_from(n).ok()).ok_or_else(|| Fail {
        left: value.left(),
        message: format!("expected a number for {}", name.text),
    })
}

type Members<'t> = Vec<(Option<&'t Word>, &'t ValueText)>;

/// The members of a value in brackets, or itself.
fn members(value: &ValueText) -> Members<'_> {
    match value {
        ValueText::Record(members, _) => {
            members.iter().map(|(name, value)| (Some(name), value)).collect()
        }
        ValueText::Mixed(members, _) => {
            members.iter().map(|(name, value)| (name.as_ref(), value)).collect()
        }
        one => vec![(None, one)],
    }
}

/// The arm of a union by its name in the IDL, with its number.
fn arm_named<'u>(union: &'u Union, name: &str) -> Option<(i64, &'u Field)> {
    let (_, label) = ARMS.iter().find(|(arm, _)| *arm == name)?;
    let field = union.arm((*label).into())?.field.as_ref()?;
    (&*field.name == name).then_some(((*label).into(), field))
}

/// The arms of both unions by their names, with their discriminants.
const ARMS: [(&str, u32); 5] =
    [("Vol", 1), ("DiffVol", 2), ("DiffArea", 3), ("Snap", 3), ("Prov", 4)];

/// Discriminants that are said of elements with an arm that another chooses: `{disc=2, Vol=VA}`.
pub(super) fn discriminants(text: &CallText) -> Vec<(usize, u32)> {
    let Some(AnswerText::Returns { results, .. }) = &text.answer else { return Vec::new() };
    let Some(ValueText::List(items, _)) = results.first() else { return Vec::new() };
    let mut found = Vec::new();
    for (n, item) in items.iter().enumerate() {
        let members = members(item);
        let named = |names: &[&str]| {
            let is = |name: &Word| names.contains(&name.text.as_str());
            members.iter().find(|(name, _)| name.is_some_and(is))
        };
        let arm = ARMS.iter().find(|(arm, _)| named(&[arm]).is_some());
        if let Some((_, label)) = arm
            && let Some((Some(name), value)) = named(&["disc", "discriminant"])
            && let Ok(disc) = number(name, value)
            && disc != *label
        {
            found.push((n, disc));
        }
    }
    found
}

/// One element: `VA`, `{S1, status=0}`, `{Type=2, DiffVol={VA, free=0}}`, `{Type=1, disc=3}`.
fn element(value: &ValueText, union: &Union, from: From<'_>) -> Result<Arg, Fail> {
    let members = members(value);
    let (mut ty, mut disc, mut arm) = (None, None, None);
    let mut explicit = false;
    for (name, value) in &members {
        let Some(name) = name else { continue };
        match name.text.as_str() {
            "Type" => ty = Some(ty_of(name, value)?),
            "disc" | "discriminant" => disc = Some(i64::from(number(name, value)?)),
            other => match arm_named(union, other) {
                Some((label, field)) => arm = Some((label, field, *value)),
                None => continue,
            },
        }
        explicit = true;
    }
    if !explicit {
        let name = match from.origin {
            Origin::Snapshots => "Snap",
            Origin::DiffVolumes => "DiffVol",
            Origin::DiffAreas => "DiffArea",
            Origin::Volumes | Origin::Other => "Vol",
        };
        let Some((label, field)) = arm_named(union, name) else { return Ok(Arg::Null) };
        return Ok(prop(label, label, Some((&field.name, content(field, &members, from)?))));
    }
    let label = arm.map(|(label, ..)| label);
    let disc = disc.or(label).or(ty).unwrap_or_default();
    let ty = ty.unwrap_or(disc);
    // One that does not choose the arm is written over it afterwards.
    let disc = label.unwrap_or(disc);
    let content = match (arm, union.arm(disc).and_then(|arm| arm.field.as_ref())) {
        (Some((_, field, value)), _) => {
            Some((&*field.name, content(field, &self::members(value), from)?))
        }
        (None, Some(field)) => Some((&*field.name, content(field, &Vec::new(), from)?)),
        (None, None) => None,
    };
    Ok(prop(ty, disc, content))
}

/// A `Type` by number or by its name in the IDL, which the encoder knows.
fn ty_of(name: &Word, value: &ValueText) -> Result<i64, Fail> {
    const NAMES: [(u32, &str); 9] = [
        (1, "VSS_MGMT_OBJECT_VOLUME"),
        (2, "VSS_MGMT_OBJECT_DIFF_VOLUME"),
        (3, "VSS_MGMT_OBJECT_DIFF_AREA"),
        (0, "VSS_OBJECT_UNKNOWN"),
        (1, "VSS_OBJECT_NONE"),
        (2, "VSS_OBJECT_SNAPSHOT_SET"),
        (3, "VSS_OBJECT_SNAPSHOT"),
        (4, "VSS_OBJECT_PROVIDER"),
        (5, "VSS_OBJECT_TYPE_COUNT"),
    ];
    if let ValueText::Bare(word) = value
        && let Some((number, _)) = NAMES.iter().find(|(_, name)| *name == word.text)
    {
        return Ok((*number).into());
    }
    number(name, value).map(i64::from)
}

/// An element around its arm.
fn prop(ty: i64, disc: i64, content: Option<(&str, Arg)>) -> Arg {
    let mut union = vec![("discriminant".to_owned(), Arg::from(disc))];
    union.extend(content.map(|(name, arg)| (name.to_owned(), arg)));
    Arg::Record(vec![("Type".to_owned(), ty.into()), ("Obj".to_owned(), Arg::Record(union))])
}

/// The content of an arm: members that are said, in their order or by name, and the others.
fn content(field: &Field, given: &Members<'_>, from: From<'_>) -> Result<Arg, Fail> {
    let ty = values::pointee(from.types, field.ty);
    let Kind::Struct(record) = &from.types.get(ty).kind else { return Ok(Arg::Null) };
    let mut args: Vec<(String, Arg)> = Vec::new();
    for (name, value) in given {
        let wanted = |of: &str| args.iter().all(|(taken, _)| taken != of);
        let found = match name {
            Some(name) => record.fields.iter().find(|field| called(name, &field.name, record)),
            None => record.fields.iter().find(|field| wanted(&field.name)),
        };
        let Some(found) = found else {
            let (left, what) = match name {
                Some(name) => (name.left, format!("`{}`", name.text)),
                None => (value.left(), "one more".to_owned()),
            };
            let message = format!("expected a member of {}, found {what}", field.name);
            return Err(Fail { left, message });
        };
        let wanted = Wanted {
            types: from.types,
            ty: found.ty,
            format: found.format.as_ref(),
            now: from.now,
            short: SHORT,
            names: Some(from.names),
        };
        args.push((found.name.to_string(), values::arg(value, wanted)?));
    }
    for field in &record.fields {
        if args.iter().all(|(taken, _)| **taken != *field.name) {
            let arg = left_out(&field.name, &args, given, from);
            args.extend(arg.map(|arg| (field.name.to_string(), arg)));
        }
    }
    Ok(Arg::Record(args))
}

/// Whether a member goes by this word; `vol` is the first volume of a storage area, too.
fn called(word: &Word, name: &str, record: &Record) -> bool {
    let has = |name: &str| record.fields.iter().any(|field| &*field.name == name);
    is_called(word, name, SHORT)
        || (word.text == "vol" && name == "m_pwszVolumeName" && !has("m_pwszOriginalVolumeName"))
}

/// A member that is not said.
fn left_out(
    name: &str,
    args: &[(String, Arg)],
    given: &Members<'_>,
    from: From<'_>,
) -> Option<Arg> {
    // The number of `S1`, which everything about a shadow copy follows from.
    let symbol = given.iter().find_map(|(name, value)| match value {
        ValueText::Bare(word) if name.is_none() => word.text.get(1..)?.parse::<u32>().ok(),
        _ => None,
    });
    let number = symbol.unwrap_or(1);
    Some(match name {
        "m_pwszVolumeName" | "m_pwszDiffAreaVolumeName" | "m_pwszOriginalVolumeName" => {
            from.volume.into()
        }
        "m_pwszVolumeDisplayName" => {
            match args.iter().find(|(name, _)| name == "m_pwszVolumeName") {
                Some((_, Arg::Text(name))) => scmp::display(name).into(),
                Some((_, Arg::Null)) => Arg::Null,
                _ => scmp::display(from.volume).into(),
            }
        }
        "m_llVolumeFreeSpace" => (40i64 << 30).into(),
        "m_llVolumeTotalSpace" => (100i64 << 30).into(),
        "m_llMaximumDiffSpace" => (10i64 << 30).into(),
        "m_llAllocatedDiffSpace" => (2i64 << 30).into(),
        "m_llUsedDiffSpace" => (1i64 << 30).into(),
        "m_SnapshotId" => values::symbol(&format!("S{number}")).unwrap_or_default().into(),
        "m_SnapshotSetId" => values::symbol(&format!("X{number}")).unwrap_or_default().into(),
        "m_lSnapshotsCount" => 1u32.into(),
        "m_pwszSnapshotDeviceObject" => {
            format!(r"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy{number}").into()
        }
        "m_pwszOriginatingMachine" | "m_pwszServiceMachine" => from.server.into(),
        "m_ProviderId" => scmp::PROVIDER.into(),
        // PERSISTENT, CLIENT_ACCESSIBLE, NO_AUTO_RELEASE, NO_WRITERS, DIFFERENTIAL
        "m_lSnapshotAttributes" => 0x2_001du32.into(),
        "m_tsCreationTimestamp" => {
            let ago = DAY.saturating_mul(i64::from(number % 1000));
            filetime(from.start.plus(ago.saturating_neg())).into()
        }
        // VSS_SS_CREATED
        "m_eStatus" => 12u32.into(),
        // Zero, or null.
        _ => return None,
    })
}

/// A string or number of a request that is read back.
pub(super) fn text_of(call: &Call, name: &str) -> Option<String> {
    let Stub::Arguments(asked) = &call.request else { return None };
    let found = asked.params.iter().find(|(of, _)| &**of == name);
    found.and_then(|(_, value): &(_, Value)| value.as_text()).map(ToString::to_string)
}
