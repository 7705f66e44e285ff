//! Sentences in lines of a bounded length, and numbers with their nouns.

/// Writes `text` in lines of `width` columns: the first begins with `first`, the others with
/// `rest`, which are not part of what is broken. A word that is longer than a line stays whole.
pub(super) fn wrapped(first: &str, rest: &str, text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    // Columns of the line so far.
    let mut column = first.chars().count();
    let mut empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let len = word.chars().count();
        if column + len + usize::from(!empty) > width && !empty {
            lines.push(std::mem::replace(&mut line, rest.to_owned()));
            column = rest.chars().count();
            empty = true;
        }
        if !empty {
            line.push(' ');
            column += 1;
        }
        line.push_str(word);
        column += len;
        empty = false;
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// A number with its noun.
pub(super) fn count(n: u64, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// A number of things in a list.
pub(super) fn len<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

/// `one` or `several`, a comma between them, no more than `most`, and how many there are beyond.
pub(super) fn list<T: ToString>(items: &[T], most: usize) -> String {
    let named: Vec<String> = items.iter().take(most).map(ToString::to_string).collect();
    match items.len().saturating_sub(most) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        let lines = wrapped("- ", "  ", "one two  three incomprehensibilities four", 12);
        assert_eq!(lines, ["- one two", "  three", "  incomprehensibilities", "  four"]);
        assert_eq!(wrapped("  = ", "", "", 12), ["  ="]);
        assert_eq!(wrapped("", "", "ein Wört", 8), ["ein Wört"]);
    }

    #[test]
    fn long_lists_end_in_a_number() {
        assert_eq!(list(&[1, 2, 3], 3), "1, 2, 3");
        assert_eq!(list(&[1, 2, 3, 4, 5], 3), "1, 2, 3 and 2 more");
    }
}
