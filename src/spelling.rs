//! [`nearest`]: what somebody probably meant to write.
//!
//! Takes a word that is not known and those that are; knows no language.

/// Characters of the longest word for which something near is looked for.
const MAX_WORD: usize = 200;

/// The names that differ least from `word`, if they differ little: at most three, in order.
///
/// Upper and lower case are one. What stands behind a `_` of a name is near, too: `BAD_STAT` is
/// meant for `FSRVP_E_BAD_STATE`, if no whole name is as near.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    const MOST_NAMES: usize = 3;
    if word.len() > MAX_WORD {
        return Vec::new();
    }
    let word: Vec<char> = word.to_lowercase().chars().collect();
    let most = (word.len() / 4).clamp(1, 4);
    let near = |name: &str| -> Option<(usize, bool)> {
        let name: Vec<char> = name.to_lowercase().chars().collect();
        let ends = name.iter().enumerate().filter(|(_, c)| **c == '_').map(|(at, _)| at + 1);
        let ends = std::iter::once(0).chain(ends).filter_map(|at| Some((name.get(at..)?, at > 0)));
        let near = ends.filter(|(end, _)| end.len().abs_diff(word.len()) <= most);
        let near = near.map(|(end, is_end)| (distance(&word, end), is_end));
        near.filter(|(distance, _)| *distance <= most).min()
    };
    let mut found: Vec<_> =
        names.into_iter().filter_map(|name| Some((near(name)?, name))).collect();
    found.sort_unstable();
    found.dedup();
    let least = found.first().map(|(how, _)| *how);
    let best = found.into_iter().filter(|(how, _)| Some(*how) == least);
    best.take(MOST_NAMES).map(|(_, name)| name.to_owned()).collect()
}

/// Characters to insert, remove, replace or exchange with their neighbour to make `b` of `a`.
fn distance(a: &[char], b: &[char]) -> usize {
    // The last rows of the usual table: `before` belongs to all but the last character of `a`,
    // `earlier` to one fewer.
    let mut earlier: Vec<usize> = Vec::new();
    let mut before: Vec<usize> = (0..=b.len()).collect();
    for (at, from) in a.iter().enumerate() {
        let mut row = vec![at + 1];
        for (column, to) in b.iter().enumerate() {
            let get = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let replaced = get(&before, column).saturating_add(usize::from(from != to));
            let inserted = get(&row, column).saturating_add(1);
            let removed = get(&before, column + 1).saturating_add(1);
            let mut least = replaced.min(inserted).min(removed);
            if let (Some(last_at), Some(last)) = (at.checked_sub(1), column.checked_sub(1))
                && a.get(last_at) == Some(to)
                && b.get(last) == Some(from)
            {
                least = least.min(get(&earlier, last).saturating_add(1));
            }
            row.push(least);
        }
        earlier = std::mem::replace(&mut before, row);
    }
    before.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let check = |a: &str, b: &str, expect| {
            let [a, b] = [a, b].map(|text| text.chars().collect::<Vec<_>>());
            assert_eq!(distance(&a, &b), expect, "{a:?} {b:?}");
            assert_eq!(distance(&b, &a), expect, "{b:?} {a:?}");
        };
        check("", "", 0);
        check("", "abc", 3);
        check("opnum", "opnum", 0);
        check("opnum", "opunm", 1);
        check("status", "statsu", 1);
        check("status", "stats", 1);
        check("outcome", "income", 3);
    }

    #[test]
    fn what_is_near_is_found_and_nothing_else() {
        let names =
            ["dcerpc.cn_status", "status", "opnum", "outcome", "FSRVP_E_BAD_STATE", "E_FAIL"];
        let cases: [(&str, &[&str]); 8] = [
            ("staus", &["status"]),
            ("stauts", &["status"]),
            ("OPNUN", &["opnum"]),
            ("sttaus", &["status"]),
            ("BAD_STAT", &["FSRVP_E_BAD_STATE"]),
            ("fial", &["E_FAIL"]),
            ("frequency", &[]),
            ("income", &[]),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, names), expected, "{word}");
        }
        assert!(nearest(&"x".repeat(10_000), names).is_empty());
        assert_eq!(nearest("s0", ["s1", "s4", "s3", "s2", "s1"]), ["s1", "s2", "s3"]);
    }
}
