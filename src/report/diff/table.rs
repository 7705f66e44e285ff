//! A table of three columns, whose cells are broken where they are too long.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::Style;

use super::super::prose::wrapped;
use super::{BOLD, DIM};
use crate::bytes::printable;

/// Columns that the first column has at most.
const MOST_FIRST: usize = 40;
/// Columns between the cells.
const GAP: usize = 2;
/// Columns before the first.
const INDENT: usize = 2;

/// A cell.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) style: Style,
}

impl Cell {
    /// Without colour.
    pub(super) fn plain(text: String) -> Self {
        Self { text, style: Style::new() }
    }
}

/// Rows with the same columns.
#[derive(Debug)]
pub(super) struct Table {
    heads: [String; 3],
    rows: Vec<[Cell; 3]>,
}

impl Table {
    pub(super) fn new(heads: [String; 3]) -> Self {
        Self { heads, rows: Vec::new() }
    }

    pub(super) fn row(&mut self, row: [Cell; 3]) {
        self.rows.push(row);
    }

    /// Writes it below a blank line, its `title` in place of the first head; nothing if it is empty.
    pub(super) fn write(
        mut self,
        title: &str,
        width: usize,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        for cell in self.rows.iter_mut().flatten() {
            cell.text = printable(&cell.text);
        }
        let widest = |column: usize| {
            let cells = self.rows.iter().filter_map(move |row| row.get(column));
            let cells = cells.map(|cell| cell.text.chars().count());
            cells.chain(self.heads.get(column).map(|head| head.chars().count())).max().unwrap_or(0)
        };
        let first = widest(0).min(MOST_FIRST);
        let room = width.saturating_sub(INDENT + first + 2 * GAP);
        let (good, bad) = (widest(1), widest(2));
        // Who needs less than half gives the rest to the other.
        let good = good.min(room.saturating_sub(bad.min(room / 2)));
        let bad = bad.min(room.saturating_sub(good));
        let widths = [first, good, bad];
        let indent = " ".repeat(INDENT);
        let [_, heads @ ..] = &self.heads;
        writeln!(out, "\n{DIM}{title}{DIM:#}")?;
        let [head_good, head_bad] = heads;
        writeln!(out, "{indent}{:first$}  {BOLD}{head_good:good$}  {head_bad}{BOLD:#}", "")?;
        for row in &self.rows {
            let cells: Vec<(Vec<String>, Style)> = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| (broken(&cell.text, width), cell.style))
                .collect();
            let lines = cells.iter().map(|(lines, _)| lines.len()).max().unwrap_or_default();
            for n in 0..lines {
                let mut line = indent.clone();
                let mut pad = 0;
                for ((lines, style), width) in cells.iter().zip(widths) {
                    let text = lines.get(n).map(String::as_str).unwrap_or_default();
                    if !text.is_empty() {
                        line.push_str(&" ".repeat(pad));
                        pad = 0;
                        let _ = write!(line, "{style}{text}{style:#}");
                    }
                    pad += width.saturating_sub(text.chars().count()) + GAP;
                }
                writeln!(out, "{}", line.trim_end())?;
            }
        }
        Ok(())
    }
}

/// `text` in lines of `width` columns, broken between words, and in them where they are longer.
fn broken(text: &str, width: usize) -> Vec<String> {
    if text.chars().count() <= width {
        return vec![text.to_owned()];
    }
    let width = width.max(1);
    let mut lines = Vec::new();
    for line in wrapped("", "", text, width) {
        let chars: Vec<char> = line.chars().collect();
        lines.extend(chars.chunks(width).map(|part| part.iter().collect::<String>()));
    }
    lines
}
