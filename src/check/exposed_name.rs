//! [`ExposedName`]: the name of a share that exposes a shadow copy (3.1.4.6).

use crate::bytes::Guid;

/// `share@{id}`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExposedName {
    /// What stands before the `@`, in lower case.
    pub(super) share: String,
    /// The shadow copy.
    pub(super) id: Guid,
    /// Whether a `$` hides it.
    pub(super) hidden: bool,
}

impl ExposedName {
    /// Takes a name apart, with or without its host: the id with braces or without, in either case,
    /// and `share${id}$` as well as `share$@{id}$`.
    pub(super) fn parse(name: &str) -> Option<Self> {
        /// Characters of an id.
        const ID: usize = 36;
        let name = name.strip_suffix('\\').unwrap_or(name);
        let name = name.rsplit('\\').next()?;
        let (name, hidden) = match name.strip_suffix('$') {
            Some(rest) => (rest, true),
            None => (name, false),
        };
        let (name, braces) = match name.strip_suffix('}') {
            Some(rest) => (rest, true),
            None => (name, false),
        };
        let (share, id) = name.split_at_checked(name.len().checked_sub(ID)?)?;
        let id = id.parse().ok()?;
        let share = if braces { share.strip_suffix('{')? } else { share };
        let share = match share.strip_suffix('@') {
            Some(share) => share,
            None if hidden && share.ends_with('$') => share,
            None => return None,
        };
        Some(Self { share: share.to_lowercase(), id, hidden })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "a8e0653c-2744-4389-a61d-7373df8b2292";

    fn parsed(name: &str) -> Option<(String, bool)> {
        let found = ExposedName::parse(name)?;
        assert_eq!(found.id, Guid::try_parse(ID).unwrap());
        Some((found.share, found.hidden))
    }

    #[test]
    fn takes_all_spellings_that_are_in_use() {
        let upper = ID.to_uppercase();
        let d = Some(("d".to_owned(), false));
        assert_eq!(parsed(&format!(r"\\fs\d@{{{ID}}}")), d);
        assert_eq!(parsed(&format!(r"D@{{{upper}}}")), d);
        assert_eq!(parsed(&format!(r"\\fs\d@{ID}\")), d);
        let hidden = Some(("d$".to_owned(), true));
        assert_eq!(parsed(&format!(r"\\fs\d$@{{{ID}}}$")), hidden);
        assert_eq!(parsed(&format!("d${{{ID}}}$")), hidden);
        assert_eq!(parsed(&format!("@{{{ID}}}")), Some((String::new(), false)));
        assert_eq!(parsed(&format!("ä@b@{{{ID}}}")), Some(("ä@b".to_owned(), false)));
    }

    #[test]
    fn takes_nothing_else() {
        for name in ["", "d", "d@", "d@{}", "é@{1}", r"\\fs\d\"] {
            assert_eq!(ExposedName::parse(name), None, "{name}");
        }
        assert_eq!(ExposedName::parse(&format!("d{{{ID}}}")), None);
        assert_eq!(ExposedName::parse(&format!("d@{ID}}}")), None);
        assert_eq!(ExposedName::parse(&format!("d@{{{ID}")), None);
    }
}
