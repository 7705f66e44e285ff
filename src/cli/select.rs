//! What `-Y` and `-e` ask for.

use std::path::PathBuf;

use anyhow::Context;
use vshark::call::Call;
use vshark::capture::Origins;
use vshark::filter::{Column, Filter, Subject};
use vshark::protocol::Registry;

/// Which calls are shown.
pub(super) struct Selection<'r> {
    pub(super) registry: &'r Registry,
    /// Names of the inputs.
    pub(super) files: Vec<String>,
    filter: Option<Filter>,
}

impl<'r> Selection<'r> {
    /// All calls, or those that `filter` says.
    pub(super) fn new(
        filter: Option<&str>,
        registry: &'r Registry,
        paths: &[PathBuf],
    ) -> anyhow::Result<Self> {
        let parse = |text| Filter::parse(text, registry).context("filter");
        let filter = filter.map(parse).transpose()?;
        let files = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        Ok(Self { registry, files, filter })
    }

    /// Whether a call is shown.
    pub(super) fn shows(&self, call: &Call, origins: &Origins) -> bool {
        let subject = self.subject(call, origins);
        self.filter.as_ref().is_none_or(|filter| filter.matches(&subject))
    }

    /// Whether calls are chosen at all.
    pub(super) fn chooses(&self) -> bool {
        self.filter.is_some()
    }

    /// A call with what its fields are read with.
    pub(super) fn subject<'a>(&'a self, call: &'a Call, origins: &'a Origins) -> Subject<'a> {
        Subject { call, registry: self.registry, origins, files: &self.files }
    }
}

/// The fields to be written.
pub(super) fn columns(names: &[String], registry: &Registry) -> anyhow::Result<Vec<Column>> {
    names.iter().map(|name| Column::parse(name, registry).context("-e")).collect()
}
