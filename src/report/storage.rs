//! What `check` says in the end of the storage of shadow copies, and the terminal UI among objects: which
//! volumes there are, what is stored where, how full that is, and who changed what.

use std::net::IpAddr;

use super::finding::Scene;
use super::prose::wrapped;
use super::size::{out_of, size};
use crate::bytes::printable;
use crate::check::{AreaReport, ChangeReport, Report, StorageReport, VolumeReport};
use crate::ndr::filetime;

/// Between two columns.
const GAP: usize = 2;
/// What the Windows SDK has for no limit.
const UNLIMITED: i64 = -1;
/// Columns that are left of a column where there is little room.
const NARROWEST: usize = 8;

/// A table.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The server that it is about.
    pub server: IpAddr,
    /// Its heading.
    pub head: String,
    /// The names of its columns.
    pub columns: &'static [&'static str],
    /// Its rows; there is one at least.
    pub rows: Vec<SheetRow>,
}

/// A row of a table.
#[derive(Clone, Debug)]
pub struct SheetRow {
    /// A text for each column.
    pub cells: Vec<String>,
    /// The call that says so.
    pub call: u64,
}

/// The tables of a report.
pub(super) fn sheets(report: &Report, scene: &Scene<'_>) -> Vec<Sheet> {
    let mut sheets = Vec::new();
    for of in &report.storage {
        let server = scene.host(of.server);
        sheets.extend([volumes(of, &server), areas(of, &server), changes(of, &server, scene)]);
    }
    sheets.retain(|sheet| !sheet.rows.is_empty());
    sheets
}

impl Sheet {
    /// The names of the columns, and below each row, cells under each other: a line for each. The widest
    /// columns are cut where there is no room for all of them.
    pub fn lines(&self, room: usize) -> Vec<String> {
        let mut widths = self.widths();
        while taken(&widths) > room {
            let Some(widest) = widths.iter_mut().max().filter(|widest| **widest > NARROWEST) else {
                break;
            };
            *widest -= 1;
        }
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<String> =
                cells.zip(&widths).map(|(cell, width)| fitted(cell, *width)).collect();
            cells.join(&" ".repeat(GAP)).trim_end().to_owned()
        };
        let names = line(&mut self.columns.iter().copied());
        let rows = self.rows.iter().map(|row| line(&mut row.cells.iter().map(String::as_str)));
        std::iter::once(names).chain(rows).collect()
    }

    /// The same in full. Where that is wider than `width`, each row is told for itself instead.
    pub(super) fn told(&self, width: usize) -> Vec<String> {
        if taken(&self.widths()) <= width {
            return self.lines(width);
        }
        let mut lines = Vec::new();
        for row in &self.rows {
            let cells = self.columns.iter().zip(&row.cells);
            let cells = cells.filter(|(_, cell)| !cell.is_empty() && *cell != "-");
            let cells: Vec<String> =
                cells.map(|(column, cell)| format!("{column} {cell}").trim().to_owned()).collect();
            lines.extend(wrapped("", "    ", &cells.join(", "), width));
        }
        lines
    }

    fn widths(&self) -> Vec<usize> {
        let width = |(at, name): (usize, &&str)| {
            let cells = self.rows.iter().filter_map(|row| row.cells.get(at));
            let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or_default();
            widest.max(name.chars().count())
        };
        self.columns.iter().enumerate().map(width).collect()
    }
}

/// Columns that cells of these widths take.
fn taken(widths: &[usize]) -> usize {
    widths.iter().map(|width| width + GAP).sum::<usize>().saturating_sub(GAP)
}

/// A text in so many columns.
fn fitted(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return format!("{text:<width$}");
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

fn volumes(of: &StorageReport, server: &str) -> Sheet {
    let row = |volume: &VolumeReport| {
        let space = match (volume.free, volume.total) {
            (Some(free), Some(total)) => format!("{} free", out_of(free, total)),
            _ => "-".to_owned(),
        };
        let latest = volume.latest.and_then(filetime);
        let latest = latest.map_or_else(|| "-".to_owned(), |time| time.chars().take(19).collect());
        let cells = vec![
            printable(&volume.name),
            if volume.shadowed { "yes" } else { "-" }.to_owned(),
            volume.copies.to_string(),
            latest,
            space,
        ];
        SheetRow { cells, call: volume.call }
    };
    Sheet {
        server: of.server,
        head: format!("volumes of {server}"),
        columns: &["volume", "can be shadowed", "copies", "the latest (UTC)", "space"],
        rows: of.volumes.iter().map(row).collect(),
    }
}

fn areas(of: &StorageReport, server: &str) -> Sheet {
    let octets = |size_of: Option<i64>| match size_of {
        Some(UNLIMITED) => "no limit".to_owned(),
        Some(octets) => size(octets),
        None => "-".to_owned(),
    };
    let row = |area: &AreaReport| {
        let full = match (area.used, area.max) {
            (Some(used), Some(max)) if max > 0 => {
                format!("{} %", (i128::from(used) * 100).div_euclid(max.into()))
            }
            _ => "-".to_owned(),
        };
        let (storage, max) = if area.there {
            (printable(&area.storage), octets(area.max))
        } else {
            (format!("{} (not any more)", printable(&area.storage)), "-".to_owned())
        };
        let (used, allocated) = (octets(area.used), octets(area.allocated));
        let cells = vec![printable(&area.volume), storage, used, allocated, max, full];
        SheetRow { cells, call: area.call }
    };
    Sheet {
        server: of.server,
        head: format!("storage at {server}"),
        columns: &["copies of", "are stored on", "used", "allocated", "at most", "full"],
        rows: of.areas.iter().map(row).collect(),
    }
}

fn changes(of: &StorageReport, server: &str, scene: &Scene<'_>) -> Sheet {
    let row = |change: &ChangeReport| {
        let who = match &change.user {
            Some(user) => format!("{} from {}", printable(user), scene.host(change.client)),
            None => scene.host(change.client),
        };
        let said = match change.status {
            Some(0) => "done".to_owned(),
            Some(status) => scene.status(status),
            None => "not known".to_owned(),
        };
        let name = |name: &Option<String>| name.as_deref().map_or("NULL".into(), printable);
        let pair = format!("{} on {}", name(&change.volume), name(&change.storage));
        let what = match (change.is_new, change.maximum) {
            (false, 0) => format!("no storage of {pair} any more"),
            (true, max) => format!("new storage of {pair}, {}", limit(max)),
            (false, max) => format!("storage of {pair}, {}", limit(max)),
        };
        let when = scene.moment(change.time);
        let cells = vec![when, format!("call {}", change.call), who, what, said];
        SheetRow { cells, call: change.call }
    };
    Sheet {
        server: of.server,
        head: format!("changes of storage at {server}"),
        columns: &["", "", "by", "wanted", "answer"],
        rows: of.changes.iter().map(row).collect(),
    }
}

/// How large storage may become.
fn limit(octets: i64) -> String {
    match octets {
        UNLIMITED => "no limit".to_owned(),
        octets => format!("at most {}", size(octets)),
    }
}
