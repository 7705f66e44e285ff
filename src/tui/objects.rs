//! Which rows the view of objects has: the tables of the storage of shadow copies, as `check` has them, and
//! below those of each server its objects, one a row.

use std::net::IpAddr;

use super::model::Model;
use super::msg::{Digest, View};
use crate::check::{ObjectReport, StorageReport};
use crate::report::check::SheetRow;

/// Columns before the rows of tables.
pub(super) const INDENT: usize = 3;

/// A row.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// Nothing, between tables.
    Blank,
    /// The heading of a table.
    Head(String),
    /// The names of its columns.
    Columns(String),
    /// A row of a table of the storage, by the places of both, as it is drawn.
    Cells(usize, usize, String),
    /// The names of what is told of objects.
    OfObjects,
    /// An object, by its place in the report.
    Object(usize),
}

/// All rows, of what is known so far, in so many columns.
fn items(digest: &Digest, width: usize) -> Vec<Item> {
    let mut items = Vec::new();
    for of in &digest.report.storage {
        let sheets = digest.sheets.iter().enumerate();
        for (sheet, table) in sheets.filter(|(_, sheet)| sheet.server == of.server) {
            let room = width.saturating_sub(INDENT);
            let mut lines = table.lines(room).into_iter();
            begin(&mut items, table.head.clone());
            items.extend(lines.next().map(Item::Columns));
            items.extend(lines.enumerate().map(|(row, text)| Item::Cells(sheet, row, text)));
        }
        let objects = digest.report.objects.iter().enumerate();
        let mut objects = objects.filter(|(_, object)| object.server == of.server).peekable();
        if objects.peek().is_some() {
            begin(&mut items, format!("objects of {}", name(digest, of)));
            items.push(Item::OfObjects);
            items.extend(objects.map(|(at, _)| Item::Object(at)));
        }
    }
    items
}

fn begin(items: &mut Vec<Item>, head: String) {
    if !items.is_empty() {
        items.push(Item::Blank);
    }
    items.push(Item::Head(head));
}

/// A server by its name and address.
pub(super) fn name(digest: &Digest, of: &StorageReport) -> String {
    let servers = &digest.report.servers;
    let known = servers.iter().find(|server| server.addresses.contains(&of.server));
    match known.and_then(|server| server.name.as_deref()) {
        Some(name) => format!("{} ({})", crate::bytes::printable(name), of.server),
        None => of.server.to_string(),
    }
}

impl Model<'_> {
    /// Makes the rows anew; who reads about an object goes on reading about it.
    pub(super) fn list_objects(&mut self) {
        let list = self.lists.get(&View::Objects).copied().unwrap_or_default();
        let read = self.object_at(list.at).map(|object| (object.server, object.ipid));
        let first = self.items.is_empty();
        self.items = items(&self.digest, usize::from(self.size.0));
        let is_read =
            |row: &usize| self.object_at(*row).map(|object| (object.server, object.ipid)) == read;
        let mut rows = 0..self.items.len();
        let at = match read {
            Some(_) => rows.find(is_read),
            None if first => rows.find(|row| self.item_call(*row).is_some()),
            None => None,
        };
        if let Some(at) = at {
            self.lists.entry(View::Objects).or_default().at = at;
        }
    }

    /// The object in a row.
    pub(super) fn object_at(&self, row: usize) -> Option<&ObjectReport> {
        match self.items.get(row)? {
            Item::Object(at) => self.digest.report.objects.get(*at),
            _ => None,
        }
    }

    /// The row of a table of the storage.
    pub(super) fn cells_at(&self, row: usize) -> Option<&SheetRow> {
        match self.items.get(row)? {
            Item::Cells(sheet, row, _) => self.digest.sheets.get(*sheet)?.rows.get(*row),
            _ => None,
        }
    }

    /// The call that a row comes from: of an object, the one that handed it out.
    pub(super) fn item_call(&self, row: usize) -> Option<u64> {
        let object = self.object_at(row).map(|object| object.call);
        object.or_else(|| self.cells_at(row).map(|cells| cells.call)).filter(|call| *call > 0)
    }

    /// What shows the calls on the object of the selected row, or else on that of a call, with those that
    /// handed it out and took it back.
    pub(super) fn calls_of_object(&self, call: Option<u64>) -> Option<String> {
        let of_row = match self.view {
            View::Objects => self.object_at(self.list().at).map(|object| object.ipid),
            _ => None,
        };
        let called = |n| self.trace.call(n, false, self.registry).ok()??.rpc.object;
        let ipid = of_row.or_else(|| called(call?))?;
        let known = self.digest.report.objects.iter().find(|object| object.ipid == ipid);
        let calls = known.into_iter().flat_map(|object| [Some(object.call), object.released]);
        let calls = calls.flatten().map(|n| format!("n == {n}"));
        let all: Vec<String> = std::iter::once(format!("object == {ipid}")).chain(calls).collect();
        Some(all.join(" || "))
    }

    /// The row that has most to do with a call: what it handed out or changed, or else the object that it
    /// was made on.
    pub(super) fn item_of(&self, call: u64) -> Option<usize> {
        let all = 0..self.items.len();
        if let Some(row) = all.clone().find(|row| self.item_call(*row) == Some(call)) {
            return Some(row);
        }
        let of = self.trace.call(call, false, self.registry).ok()??.rpc.object?;
        all.clone().find(|row| self.object_at(*row).is_some_and(|object| object.ipid == of))
    }

    /// The first row of a server that leads somewhere.
    pub(super) fn first_item_of(&self, server: IpAddr) -> Option<usize> {
        let is_of = |item: &Item| match item {
            Item::Cells(sheet, ..) => {
                self.digest.sheets.get(*sheet).is_some_and(|sheet| sheet.server == server)
            }
            Item::Object(at) => {
                self.digest.report.objects.get(*at).is_some_and(|of| of.server == server)
            }
            _ => false,
        };
        self.items.iter().position(is_of)
    }
}
