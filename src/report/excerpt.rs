//! The octets of a stub that a finding is about, with carets under them and what they say.
//!
//! ```text
//!      | in the request
//! 0010 | 40 77 1b 00 .. .. .. .. 01
//!      | ^^^^^^^^^^^             ^^ Flag: 1
//!      | TimeOutInMilliseconds: 1800000
//! ```

use super::prose::wrapped;
use crate::bytes::{Side, printable};
use crate::check::Spot;

/// Octets of a line.
const OCTETS: u32 = 16;
/// Columns before what a line shows.
const GUTTER: usize = 7;

/// A line of an excerpt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// What stands on the left: an offset, or nothing.
    pub(super) left: String,
    /// What is shown.
    pub(super) text: String,
    /// Whether it points at the line above and says what that is.
    pub(super) points: bool,
}

/// The lines of an excerpt, in `width` columns; none if there are no spots.
pub(super) fn rows(spots: &[Spot], width: usize) -> Vec<Row> {
    let room = width.saturating_sub(GUTTER);
    let mut rows = Vec::new();
    for (side, name) in [(Side::Client, "in the request"), (Side::Server, "in the response")] {
        let mut spots: Vec<&Spot> = spots.iter().filter(|spot| spot.side == side).collect();
        if spots.is_empty() {
            continue;
        }
        spots.sort_by_key(|spot| spot.at);
        rows.push(Row { left: String::new(), text: name.to_owned(), points: false });
        let mut rest = &*spots;
        while let Some(first) = rest.first() {
            let (line, others) = rest.split_at(fitting(rest, first.at));
            draw(line, first.at, room, &mut rows);
            rest = others;
        }
    }
    rows
}

/// How many of the spots stand on a line that begins with the first: those that are wholly on it
/// and do not overlap, at least one.
fn fitting(spots: &[&Spot], start: u32) -> usize {
    let mut end = start;
    let fits = |spot: &&&Spot| {
        let next = spot.at.saturating_add(len(spot));
        let fits = spot.at >= end && next <= start.saturating_add(OCTETS) && len(spot) > 0;
        end = next;
        fits
    };
    spots.iter().take_while(fits).count().max(1)
}

/// Octets of a spot, as far as they are there.
fn len(spot: &Spot) -> u32 {
    u32::try_from(spot.octets.len()).unwrap_or(u32::MAX)
}

fn draw(spots: &[&Spot], start: u32, room: usize, rows: &mut Vec<Row>) {
    let (mut octets, mut carets) = (Vec::new(), String::new());
    // Labels with the column they begin in.
    let mut labels: Vec<(usize, String)> = Vec::new();
    for spot in spots {
        let before = usize::try_from(spot.at.saturating_sub(start)).unwrap_or_default();
        octets.resize_with(before, || "..".to_owned());
        let column = before * 3;
        let shown = spot.octets.iter().take(usize::try_from(OCTETS).unwrap_or(usize::MAX));
        octets.extend(shown.map(|octet| format!("{octet:02x}")));
        let width = (octets.len().saturating_sub(before) * 3).saturating_sub(1).max(1);
        carets = format!("{carets:<column$}{}", "^".repeat(width));
        labels.push((column, label(spot)));
    }
    let cut = spots.iter().any(|spot| len(spot) > OCTETS);
    let text = format!("{}{}", octets.join(" "), if cut { " …" } else { "" });
    rows.push(Row { left: format!("{start:04x}"), text, points: false });
    let mut point = |text: String| rows.push(Row { left: String::new(), text, points: true });
    // What stands farthest to the right has its label beside it, the others below.
    if let Some((_, last)) = labels.last() {
        let beside = format!("{carets} {last}");
        if beside.chars().count() <= room {
            labels.pop();
            point(beside);
        } else {
            point(carets);
        }
    }
    while let Some((column, label)) = labels.pop() {
        let bars = labels.iter().fold(String::new(), |bars, (at, _)| format!("{bars:<at$}|"));
        // A long one begins farther to the left, where the bars of others allow it.
        let least = bars.chars().count() + usize::from(!bars.is_empty());
        let column = column.min(room.saturating_sub(label.chars().count())).max(least);
        let first = format!("{bars:<column$}");
        for line in wrapped(&first, &first, &label, room) {
            point(line);
        }
    }
}

fn label(spot: &Spot) -> String {
    let (field, text) = (printable(&spot.field), printable(&spot.text));
    if text.is_empty() { field } else { format!("{field}: {text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(side: Side, at: u32, octets: &[u8], field: &str, text: &str) -> Spot {
        Spot { side, field: field.into(), at, octets: octets.to_vec(), text: text.into() }
    }

    #[track_caller]
    fn check(spots: &[Spot], width: usize, expect: &str) {
        let mut drawn = String::new();
        for row in rows(spots, width) {
            assert!(row.text.chars().count() + GUTTER <= width, "{}", row.text);
            drawn.push_str(format!("{:>4} | {}", row.left, row.text).trim_end());
            drawn.push('\n');
        }
        assert_eq!(drawn, expect, "\n{drawn}");
    }

    #[test]
    fn one_spot_has_its_label_beside_it() {
        let timeout = spot(Side::Client, 16, &[0x40, 0x77, 0x1b, 0], "TimeOut", "1800000");
        check(
            &[timeout],
            80,
            "     | in the request
0010 | 40 77 1b 00
     | ^^^^^^^^^^^ TimeOut: 1800000
",
        );
    }

    #[test]
    fn spots_share_a_line_where_they_fit() {
        let spots = [
            spot(Side::Client, 4, &[1, 2, 3, 4], "First", "one"),
            spot(Side::Client, 8, &[5, 6], "Second", ""),
            spot(Side::Client, 13, &[7], "Third", "three"),
            spot(Side::Client, 20, &[8], "Fourth", "on the next line"),
        ];
        check(
            &spots,
            80,
            "     | in the request
0004 | 01 02 03 04 05 06 .. .. .. 07
     | ^^^^^^^^^^^ ^^^^^          ^^ Third: three
     | |           Second
     | First: one
0014 | 08
     | ^^ Fourth: on the next line
",
        );
    }

    #[test]
    fn both_sides_are_shown_and_long_ones_cut() {
        let name: Vec<u8> = "a long name".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let spots = [
            spot(Side::Server, 0, &[1, 0x23, 4, 0x80], "return", "0x80042301 FSRVP_E_BAD_STATE"),
            spot(Side::Client, 24, &name, "ShareName", "a long name\u{1b}[31m that goes on and on"),
            spot(Side::Client, 30, &[], "Nothing", "which is not there"),
        ];
        check(
            &spots,
            80,
            "     | in the request
0018 | 61 00 20 00 6c 00 6f 00 6e 00 67 00 20 00 6e 00 …
     | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     | ShareName: a long name\\u{1b}[31m that goes on and on
001e |
     | ^ Nothing: which is not there
     | in the response
0000 | 01 23 04 80
     | ^^^^^^^^^^^ return: 0x80042301 FSRVP_E_BAD_STATE
",
        );
    }
}
