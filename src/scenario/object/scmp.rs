//! What the notation calls things of \[MS-SCMP\], and what it leaves out of its calls.

use super::Origin;
use crate::bytes::Guid;
use crate::ndr::Arg;
use crate::protocol::{Interface, Registry};
use crate::scenario::values;
use crate::scenario::wire::octets::random_guid;

/// `IVssSnapshotMgmt`
pub(in crate::scenario) const MGMT: Guid = Guid::from_u128(0xfa7df749_66e7_4986_a27f_e2f04ae53772);
/// `IVssDifferentialSoftwareSnapshotMgmt`
pub(in crate::scenario) const DIFF: Guid = Guid::from_u128(0x214a0f28_b737_4026_b847_4f9e37d79529);
/// `IVssEnumObject`
pub(in crate::scenario) const ENUM_OBJECT: Guid =
    Guid::from_u128(0xae1c7110_2f60_11d3_8a39_00c04f72d8e3);
/// `IVssEnumMgmtObject`
pub(in crate::scenario) const ENUM_MGMT: Guid =
    Guid::from_u128(0x01954e6b_9254_4e6e_808c_c9e05d007696);
/// 1.9: the provider of shadow copies.
pub(in crate::scenario) const PROVIDER: Guid =
    Guid::from_u128(0xb5946137_7b9f_4925_af80_51abd60b20d5);
/// `CLSID_VssSnapshotMgmt` (vsmgmt.h, Windows SDK).
pub(in crate::scenario) const CLASS: Guid = Guid::from_u128(0x0b5a2c52_3eb9_470a_96e2_6c6d4570e40f);

/// Short names of interfaces.
const INTERFACES: [(&str, Guid); 4] =
    [("Mgmt", MGMT), ("Diff", DIFF), ("EnumM", ENUM_MGMT), ("EnumO", ENUM_OBJECT)];

/// Short names of methods.
const METHODS: [(&str, &str); 8] = [
    ("GPMI", "GetProviderMgmtInterface"),
    ("QVSS", "QueryVolumesSupportedForSnapshots"),
    ("QSBV", "QuerySnapshotsByVolume"),
    ("ADD", "AddDiffArea"),
    ("CHG", "ChangeDiffAreaMaximumSize"),
    ("QVSD", "QueryVolumesSupportedForDiffAreas"),
    ("QDAF", "QueryDiffAreasForVolume"),
    ("QDAO", "QueryDiffAreasOnVolume"),
];

/// Short names of parameters.
pub(in crate::scenario) const SHORT: &[(&str, &str)] = &[
    ("provider", "ProviderId"),
    ("iid", "InterfaceId"),
    ("ctx", "lContext"),
    ("vol", "pwszVolumeName"),
    ("vol", "pwszOriginalVolumeName"),
    ("diff", "pwszDiffAreaVolumeName"),
    ("size", "llMaximumDiffSpace"),
];

/// Whether an interface is one of the four.
pub(in crate::scenario) fn is_one(interface: &Interface) -> bool {
    INTERFACES.iter().any(|(_, uuid)| *uuid == interface.uuid)
}

/// The interface that a name beginning with this letter is for, of an object nobody saw issued.
pub(super) fn interface_of(letter: char) -> Option<Guid> {
    Some(match letter.to_ascii_lowercase() {
        'm' => MGMT,
        'd' => DIFF,
        'e' => ENUM_MGMT,
        's' => ENUM_OBJECT,
        _ => return None,
    })
}

/// The method that goes by a short name, or the name itself.
pub(super) fn method(name: &str) -> &str {
    let known = METHODS.iter().find(|(short, _)| short.eq_ignore_ascii_case(name));
    known.map_or(name, |(_, long)| *long)
}

/// What an enumerator lists that a method gives.
pub(super) fn origin(name: &str) -> Option<Origin> {
    Some(match method(name) {
        "QueryVolumesSupportedForSnapshots" => Origin::Volumes,
        "QueryVolumesSupportedForDiffAreas" => Origin::DiffVolumes,
        "QueryDiffAreasForVolume" | "QueryDiffAreasOnVolume" => Origin::DiffAreas,
        "QuerySnapshotsByVolume" => Origin::Snapshots,
        _ => return None,
    })
}

/// What an enumerator lists of which only the interface is known.
pub(super) fn origin_of(interface: Guid) -> Origin {
    match interface {
        ENUM_MGMT => Origin::Volumes,
        ENUM_OBJECT => Origin::Snapshots,
        _ => Origin::Other,
    }
}

/// An interface by name, the provider, or a symbol without a number.
pub(in crate::scenario) fn guid(text: &str, registry: &Registry) -> Option<Guid> {
    if text == "P" {
        return Some(PROVIDER);
    }
    let known = INTERFACES.iter().find(|(short, _)| short.eq_ignore_ascii_case(text));
    let long = || {
        let mut all = registry.iter().filter(|of| of.name.eq_ignore_ascii_case(text));
        all.find(|of| of.object).map(|of| of.uuid)
    };
    let unnumbered = || (text.len() == 1).then(|| values::symbol(&format!("{text}0")))?;
    known.map(|(_, uuid)| *uuid).or_else(long).or_else(unnumbered)
}

/// The mount name of a volume that is written as `VA` to `VZ`.
pub(in crate::scenario) fn volume(text: &str) -> Option<String> {
    let letter = text.strip_prefix('V')?;
    let mut letters = letter.chars();
    let (letter, None) = (letters.next()?, letters.next()) else { return None };
    letter.is_ascii_uppercase().then(|| mount_name(letter))
}

fn mount_name(letter: char) -> String {
    let id = random_guid(0x564f_4c00_0000_0000 | u64::from(u32::from(letter)));
    format!(r"\\?\Volume{{{id}}}\")
}

/// What a volume is shown as: its drive, if its mount name is one of those here, or the name.
pub(super) fn display(name: &str) -> String {
    let drive = ('A'..='Z').find(|letter| mount_name(*letter) == name);
    drive.map_or_else(|| name.to_owned(), |letter| format!(r"{letter}:\"))
}

/// The mount name of the volume that somebody asked for by mount name or drive.
pub(super) fn asked_for(name: &str) -> Option<String> {
    if name.starts_with(r"\\?\Volume") {
        return Some(name.to_owned());
    }
    let letter = name.chars().next().filter(char::is_ascii_alphabetic)?;
    name.get(1..)?.starts_with(':').then(|| mount_name(letter.to_ascii_uppercase()))
}

/// A number of octets with its unit, or one that may be negative.
pub(in crate::scenario) fn size(text: &str) -> Option<i128> {
    const UNITS: [(&str, u32); 4] = [("KB", 10), ("MB", 20), ("GB", 30), ("TB", 40)];
    for (unit, shift) in UNITS {
        if let Some(number) = text.strip_suffix(unit) {
            let number: i128 = number.parse::<i64>().ok()?.into();
            return Some(number << shift);
        }
    }
    text.starts_with('-').then(|| text.parse::<i64>().ok().map(i128::from))?
}

/// The value of a request's parameter that is left out.
pub(in crate::scenario) fn request(method: &str, parameter: &str) -> Option<Arg> {
    let volume = || Arg::from(mount_name('A'));
    Some(match parameter {
        "ProviderId" => PROVIDER.into(),
        "InterfaceId" => DIFF.into(),
        // VSS_CTX_CLIENT_ACCESSIBLE
        "lContext" => 0x1du32.into(),
        "pwszVolumeName" | "pwszDiffAreaVolumeName" | "pwszOriginalVolumeName" => volume(),
        "llMaximumDiffSpace" => (10i64 << 30).into(),
        "celt" => 1u32.into(),
        "ppenum" if method == "Clone" => Arg::Null,
        _ => return None,
    })
}
