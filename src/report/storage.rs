//! What `check` says in the end of the storage of shadow copies: which volumes there are, what is stored
//! where, how full that is, and who changed what.

use super::finding::Scene;
use super::prose::wrapped;
use super::size::{out_of, size};
use crate::bytes::printable;
use crate::check::{AreaReport, ChangeReport, Report, StorageReport, VolumeReport};
use crate::ndr::filetime;

/// Rows of one kind that are shown.
const MOST: usize = 20;
/// Between two columns.
const GAP: usize = 2;
/// What the Windows SDK has for no limit.
const UNLIMITED: i64 = -1;

/// A table: its heading, and rows of cells; the first of them is that of the columns.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    pub(super) head: String,
    rows: Vec<Vec<String>>,
}

/// The tables of a report.
pub(super) fn sheets(report: &Report, scene: &Scene<'_>) -> Vec<Sheet> {
    let mut sheets = Vec::new();
    for of in &report.storage {
        let server = scene.host(of.server);
        sheets.extend(volumes(of, &server));
        sheets.extend(areas(of, &server));
        sheets.extend(changes(of, &server, scene));
    }
    sheets
}

impl Sheet {
    fn new(head: String, columns: &[&str], rows: Vec<Vec<String>>) -> Option<Self> {
        let beyond = rows.len().saturating_sub(MOST);
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        if rows.is_empty() {
            return None;
        }
        let mut all = vec![columns];
        all.extend(rows.into_iter().take(MOST));
        if beyond > 0 {
            all.push(vec![format!("and {beyond} more (--json has all)")]);
        }
        Some(Self { head, rows: all })
    }

    /// The rows as lines, their columns under each other. Where that is wider than `width`, each row is
    /// told for itself instead.
    pub(super) fn lines(&self, width: usize) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let of_column = |column: usize| {
            let cells = self.rows.iter().filter(|row| row.len() > 1);
            let cells = cells.filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(of_column).collect();
        if widths.iter().map(|width| width + GAP).sum::<usize>() > width + GAP {
            return self.told(width);
        }
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths);
            let cells: Vec<String> =
                cells.map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
            cells.join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }

    /// Each row for itself: what it begins with, and what each column says of it.
    fn told(&self, width: usize) -> Vec<String> {
        let Some((columns, rows)) = self.rows.split_first() else { return Vec::new() };
        let mut lines = Vec::new();
        for row in rows {
            let cells =
                columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty() && *cell != "-");
            let cells: Vec<String> =
                cells.map(|(column, cell)| format!("{column} {cell}").trim().to_owned()).collect();
            lines.extend(wrapped("", "    ", &cells.join(", "), width));
        }
        lines
    }
}

fn volumes(of: &StorageReport, server: &str) -> Option<Sheet> {
    let row = |volume: &VolumeReport| {
        let space = match (volume.free, volume.total) {
            (Some(free), Some(total)) => format!("{} free", out_of(free, total)),
            _ => "-".to_owned(),
        };
        let latest = volume.latest.and_then(filetime);
        let latest = latest.map_or_else(|| "-".to_owned(), |time| time.chars().take(19).collect());
        vec![
            printable(&volume.name),
            if volume.shadowed { "yes" } else { "-" }.to_owned(),
            volume.copies.to_string(),
            latest,
            space,
        ]
    };
    let columns = ["volume", "can be shadowed", "copies", "the latest (UTC)", "space"];
    Sheet::new(format!("volumes of {server}"), &columns, of.volumes.iter().map(row).collect())
}

fn areas(of: &StorageReport, server: &str) -> Option<Sheet> {
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
        let (storage, max) = match area.there {
            true => (printable(&area.storage), octets(area.max)),
            false => (format!("{} (not any more)", printable(&area.storage)), "-".to_owned()),
        };
        vec![printable(&area.volume), storage, octets(area.used), octets(area.allocated), max, full]
    };
    let columns = ["copies of", "are stored on", "used", "allocated", "at most", "full"];
    Sheet::new(format!("storage at {server}"), &columns, of.areas.iter().map(row).collect())
}

fn changes(of: &StorageReport, server: &str, scene: &Scene<'_>) -> Option<Sheet> {
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
        vec![scene.moment(change.time), format!("call {}", change.call), who, what, said]
    };
    let columns = ["", "", "by", "wanted", "answer"];
    let head = format!("changes of storage at {server}");
    Sheet::new(head, &columns, of.changes.iter().map(row).collect())
}

/// How large storage may become.
fn limit(octets: i64) -> String {
    match octets {
        UNLIMITED => "no limit".to_owned(),
        octets => format!("at most {}", size(octets)),
    }
}
