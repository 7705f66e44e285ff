//! Names of volumes: the forms they have, and which are of one volume.

use std::collections::BTreeMap;

/// Names of volumes of one server that are remembered.
const MAX_NAMES: usize = 4096;

/// The form of a name: 3.1.1.4.3 and its like allow three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `C:\`
    Drive,
    /// `C:\mnt\data\`
    MountPoint,
    /// `\\?\Volume{…}\`
    MountName,
    /// None of them.
    Other,
}

/// The form of a name, and whether it ends in a backslash.
pub(super) fn form(name: &str) -> (Form, bool) {
    let ends = name.ends_with('\\');
    let mut chars = name.chars();
    let drive = chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':');
    let rest = chars.as_str();
    let form = if is_mount_name(name) {
        Form::MountName
    } else if drive && matches!(rest, "" | "\\") {
        Form::Drive
    } else if drive && rest.starts_with('\\') {
        Form::MountPoint
    } else {
        Form::Other
    };
    (form, ends)
}

/// `\\?\Volume{GUID}`, with or without a backslash behind it.
fn is_mount_name(name: &str) -> bool {
    /// Characters before the GUID.
    const PREFIX: &str = r"\\?\volume{";
    let lower = name.to_ascii_lowercase();
    let inner = lower.strip_prefix(PREFIX).map(|rest| rest.strip_suffix('\\').unwrap_or(rest));
    let guid = inner.and_then(|rest| rest.strip_suffix('}'));
    guid.is_some_and(|guid| guid.len() == 36 && guid.parse::<crate::bytes::Guid>().is_ok())
}

/// A name as it is compared: upper and lower case are alike, and a backslash at the end does not matter.
pub(super) fn key(name: &str) -> String {
    name.strip_suffix('\\').unwrap_or(name).to_lowercase()
}

/// Whether two names that things are kept by may be of one volume: only names of the form
/// `\\?\Volume{…}\` that differ are of two.
pub(super) fn may_be(one: &str, other: &str) -> bool {
    one == other || !is_mount_name(one) || !is_mount_name(other)
}

/// Whether a list has a volume that is kept by this name; none where it may have it by another.
pub(super) fn has(list: &[String], name: &str) -> Option<bool> {
    let has = list.iter().any(|of| of == name);
    (has || !list.iter().any(|of| may_be(of, name))).then_some(has)
}

/// The names of the volumes of a server.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    /// Other names by the name of the volume. Added by elements that have both, no more than
    /// [`MAX_NAMES`]; one that is told of two volumes is of none.
    aliases: BTreeMap<String, Option<String>>,
    /// How a volume is shown: its display name as it was told.
    shown: BTreeMap<String, String>,
}

impl Volumes {
    /// A volume has this display name.
    pub(super) fn learn(&mut self, name: &str, display: &str) {
        let (volume, alias) = (key(name), key(display));
        if volume == alias || self.aliases.len() >= MAX_NAMES {
            return;
        }
        self.shown.insert(volume.clone(), display.to_owned());
        let known = self.aliases.entry(alias).or_insert_with(|| Some(volume.clone()));
        if known.as_ref() != Some(&volume) {
            *known = None;
        }
    }

    /// The volume that a name is of, if that is known: a name of the form `\\?\Volume{…}\` says it itself.
    pub(super) fn of(&self, name: &str) -> Option<String> {
        let key = key(name);
        if form(name).0 == Form::MountName {
            return Some(key);
        }
        self.aliases.get(&key).cloned().flatten()
    }

    /// The name to keep things by: that of the volume where it is known, or else what was said.
    pub(super) fn place(&self, name: &str) -> String {
        self.of(name).unwrap_or_else(|| key(name))
    }

    /// Whether two names are of one volume; none where that is not known.
    pub(super) fn same(&self, one: &str, other: &str) -> Option<bool> {
        if key(one) == key(other) {
            return Some(true);
        }
        Some(self.of(one)? == self.of(other)?)
    }

    /// How people call a volume.
    pub(super) fn called(&self, name: &str) -> String {
        let volume = self.place(name);
        self.shown.get(&volume).cloned().unwrap_or_else(|| name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_of_three_forms() {
        let guid = "11111111-aaaa-4b01-8c01-000000000001";
        for (name, expected) in [
            (r"C:\", (Form::Drive, true)),
            ("c:", (Form::Drive, false)),
            (r"C:\mnt\data\", (Form::MountPoint, true)),
            (r"C:\mnt", (Form::MountPoint, false)),
            (&*format!(r"\\?\Volume{{{guid}}}\"), (Form::MountName, true)),
            (&*format!(r"\\?\VOLUME{{{guid}}}"), (Form::MountName, false)),
            (&*format!(r"\\?\Volume{{{guid}"), (Form::Other, false)),
            (r"\\?\Volume{nonsense}\", (Form::Other, true)),
            (r"\\srv\share", (Form::Other, false)),
            ("C", (Form::Other, false)),
            ("", (Form::Other, false)),
        ] {
            assert_eq!(form(name), expected, "{name}");
        }
    }

    #[test]
    fn a_display_name_is_of_the_volume_that_has_it() {
        let a = r"\\?\Volume{11111111-aaaa-4b01-8c01-000000000001}\";
        let b = r"\\?\Volume{22222222-bbbb-4b02-8c02-000000000002}\";
        let mut volumes = Volumes::default();
        assert_eq!(volumes.same(r"D:\", a), None);
        volumes.learn(a, r"D:\");
        assert_eq!(volumes.same("d:", a), Some(true));
        assert_eq!(volumes.same(r"D:\", b), Some(false));
        assert_eq!(volumes.called(a), r"D:\");
        volumes.learn(b, r"D:\");
        assert_eq!(volumes.same(r"D:\", b), None, "it was told of both");
    }
}
