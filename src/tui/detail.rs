//! [`Detail`]: the fields and bytes of one call or frame, and one selection in both.
//!
//! ```text
//!  request stub, 20 bytes                 0000  84 a2 45 59 68 f3 29 49  b1 61 …
//!    ShadowCopySetId     5945a284-…  ◄──► 0010 [20 bf 02 00]
//!  ▸ TimeOutInMilliseconds  180000             └── the same bytes in frame 57
//! ```
//!
//! What is selected is a row; the byte that the cursor is on belongs to it. Moving among the rows puts
//! the cursor on the first byte that is the row's own, moving among the bytes selects the row whose
//! own the byte is: the innermost field that was read from it.

use std::collections::BTreeSet;

use super::list::List;
use crate::bytes::{Buffer, FrameNo, Piece, Span, index};
use crate::report::pages::Page;

/// What the fields are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// A call, by number.
    Call(u64),
    /// A frame, by number.
    Frame(u64),
}

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// Its page; none for what is of the whole.
    pub(super) page: Option<usize>,
    pub(super) depth: usize,
    pub(super) name: String,
    pub(super) value: String,
    /// Its bytes in the page.
    pub(super) span: Span,
    /// Whether rows belong to it.
    pub(super) group: bool,
    /// What it is remembered by when it is closed.
    path: String,
}

/// The bytes of a frame, or why they are not there.
pub(super) type FrameBytes = Result<Buffer, String>;

/// The fields and bytes of one call or frame.
#[derive(Debug, Default)]
pub(super) struct Detail {
    pub(super) subject: Option<Subject>,
    /// The first line.
    pub(super) title: String,
    pub(super) pages: Vec<Page>,
    pub(super) fields: Vec<Field>,
    /// The rows that are not inside a closed group, as places in `fields`.
    pub(super) visible: Vec<usize>,
    /// Where in `visible`.
    pub(super) list: List,
    /// Why there is nothing.
    pub(super) error: Option<String>,
    /// Whose bytes are shown: the page's, or those of one of its frames.
    pub(super) tab: usize,
    /// The byte that the cursor is on, in what is shown.
    pub(super) cursor: u32,
    /// The first line of bytes on the screen.
    pub(super) top: usize,
    /// The frames of the page whose bytes are shown.
    pub(super) frames: Vec<FrameNo>,
    /// The bytes of the frame that is shown.
    pub(super) frame: Option<(FrameNo, FrameBytes)>,
}

/// Facts: names and values.
pub(super) type Facts = Vec<(&'static str, String)>;

impl Detail {
    /// Shows something else. What is selected stays the same if it has a row like it.
    pub(super) fn set(
        &mut self,
        subject: Subject,
        title: String,
        facts: Facts,
        pages: Vec<Page>,
        closed: &BTreeSet<String>,
    ) {
        let before = self.selected().map(|field| (field.path.clone(), self.tab));
        self.fields = fields(subject, facts, &pages);
        (self.subject, self.title, self.pages, self.error) = (Some(subject), title, pages, None);
        (self.list, self.frame) = (List::default(), None);
        self.fold(closed);
        let same = before.and_then(|(path, tab)| {
            let like = |at: &usize| self.fields.get(*at).is_some_and(|field| field.path == path);
            self.visible.iter().position(like).map(|at| (at, tab))
        });
        let first = self.visible.iter().position(|at| {
            let field = self.fields.get(*at);
            field.is_some_and(|field| !field.group && !field.span.is_empty())
        });
        let (at, tab) = same.unwrap_or((first.unwrap_or(0), 0));
        self.tab = tab;
        self.select(at);
    }

    /// Shows why there is nothing.
    pub(super) fn fail(&mut self, subject: Subject, error: String) {
        *self = Self { subject: Some(subject), error: Some(error), ..Self::default() };
    }

    /// Which rows are inside closed groups.
    pub(super) fn fold(&mut self, closed: &BTreeSet<String>) {
        let selected = self.visible.get(self.list.at).copied().unwrap_or(0);
        self.visible.clear();
        let mut below: Option<usize> = None;
        for (at, field) in self.fields.iter().enumerate() {
            if below.is_some_and(|depth| field.depth > depth) {
                continue;
            }
            below = (field.group && closed.contains(&field.path)).then_some(field.depth);
            self.visible.push(at);
        }
        // What is inside a group that was closed is left for the group.
        self.list.at = self.visible.partition_point(|at| *at <= selected).saturating_sub(1);
    }

    /// The row that is selected.
    pub(super) fn selected(&self) -> Option<&Field> {
        self.fields.get(*self.visible.get(self.list.at)?)
    }

    /// Selects a row by its place on the screen's list; the cursor goes to its first own byte.
    pub(super) fn select(&mut self, at: usize) {
        self.list.at = at.min(self.visible.len().saturating_sub(1));
        let page = self.selected().and_then(|field| field.page);
        let before = self.frames.get(self.tab.wrapping_sub(1)).copied();
        self.frames = page
            .and_then(|page| self.pages.get(page))
            .map(|page| page.bytes.view().frames())
            .unwrap_or_default();
        // The page of a frame is the frame.
        if let (Some(Subject::Frame(_)), Some(0)) = (self.subject, page) {
            self.frames.clear();
        }
        let same = before.and_then(|frame| self.frames.iter().position(|of| *of == frame));
        self.tab = match same {
            Some(at) if self.tab > 0 => at + 1,
            _ => self.tab.min(self.frames.len()),
        };
        if self.tab > 0 && self.lit().is_empty() {
            self.tab = 0;
        }
        self.go_to_own();
    }

    /// Selects what a call was answered: what its method returned.
    pub(super) fn select_answer(&mut self) {
        let is = |at: &usize| {
            self.fields.get(*at).is_some_and(|field| field.path == "response stub/return")
        };
        if let Some(at) = self.visible.iter().position(is) {
            self.select(at);
        }
    }

    /// Puts the cursor on the first byte that is the selected row's own.
    fn go_to_own(&mut self) {
        if let Some(at) = self.first_own() {
            self.cursor = at;
        } else {
            self.cursor = self.lit().first().map_or(0, |span| span.start);
        }
    }

    /// The first byte on the screen that is the selected row's own.
    fn first_own(&self) -> Option<u32> {
        /// Bytes that are looked at.
        const MOST: u32 = 64;
        let row = *self.visible.get(self.list.at)?;
        if self.fields.get(row).is_none_or(|field| field.group) {
            return None;
        }
        let lit = self.lit();
        let mut places = lit.iter().flat_map(|span| span.start..span.end).take(index(MOST));
        places.find(|at| self.owner(*at) == Some(row))
    }

    /// The bytes that are shown, and what they are called.
    pub(super) fn shown(&self) -> Option<&Buffer> {
        if self.tab == 0 {
            let page = self.selected()?.page?;
            return self.pages.get(page).map(|page| &page.bytes);
        }
        match &self.frame {
            Some((_, Ok(bytes))) => Some(bytes),
            _ => None,
        }
    }

    /// The frame whose bytes are shown, if it is a frame's.
    pub(super) fn frame_shown(&self) -> Option<FrameNo> {
        self.frames.get(self.tab.checked_sub(1)?).copied()
    }

    /// Which of the bytes that are shown the selected row was read from.
    pub(super) fn lit(&self) -> Vec<Span> {
        let Some(field) = self.selected() else { return Vec::new() };
        if field.span.is_empty() {
            return Vec::new();
        }
        let Some(frame) = self.frame_shown() else { return vec![field.span] };
        let Some(page) = field.page.and_then(|page| self.pages.get(page)) else {
            return Vec::new();
        };
        let pieces = page.bytes.view().slice(field.span).pieces();
        let here = pieces.filter(|piece| piece.frame == frame && !piece.made);
        here.map(|piece| Span::new(piece.offset, piece.offset.saturating_add(piece.len))).collect()
    }

    /// The frame in whose bytes the cursor is, if it is in a frame's.
    fn frame_here(&self) -> Option<FrameNo> {
        match (self.subject, self.selected()?.page?) {
            (Some(Subject::Frame(no)), 0) => Some(FrameNo(no)),
            _ => self.frame_shown(),
        }
    }

    /// The row whose own a byte is that is shown. In a frame that is the innermost of all pages.
    pub(super) fn owner(&self, at: u32) -> Option<usize> {
        let current = self.selected()?.page?;
        let Some(frame) = self.frame_here() else { return self.innermost(current, at) };
        let of_frame = matches!(self.subject, Some(Subject::Frame(_)));
        let found = self.pages.iter().enumerate().filter_map(|(number, page)| {
            let has = |piece: &Piece| {
                piece.frame == frame
                    && !piece.made
                    && (piece.offset..piece.offset.saturating_add(piece.len)).contains(&at)
            };
            let piece = page.bytes.view().pieces().find(has)?;
            let row = self.innermost(number, piece.at.saturating_add(at - piece.offset))?;
            let field = self.fields.get(row)?;
            // The arguments come first of a call's pages, and last of a frame's.
            let place = if of_frame { self.pages.len() - number } else { number };
            Some(((field.group, field.span.len(), number != current, place), row))
        });
        found.min_by_key(|(key, _)| *key).map(|(_, row)| row)
    }

    /// The innermost row of a page that was read from a byte.
    fn innermost(&self, page: usize, at: u32) -> Option<usize> {
        let mut found: Option<(bool, u32, usize)> = None;
        for (place, field) in self.fields.iter().enumerate() {
            if field.page != Some(page) || !(field.span.start..field.span.end).contains(&at) {
                continue;
            }
            // A field goes before a group, the shorter before the longer, the later before the earlier.
            let key = (field.group, field.span.len());
            if found.is_none_or(|(group, len, _)| key <= (group, len)) {
                found = Some((key.0, key.1, place));
            }
        }
        found.map(|(_, _, place)| place)
    }

    /// Moves the cursor to a byte, and the selection to its row, whose groups are opened.
    pub(super) fn point(&mut self, at: u32, closed: &mut BTreeSet<String>) {
        let len = self.shown().map_or(0, Buffer::len);
        self.cursor = at.min(len.saturating_sub(1));
        let frame = self.frame_here();
        let Some(row) = self.owner(self.cursor) else { return };
        let bytes = self.shown().cloned();
        self.reveal(row, closed);
        let Some(frame) = frame else { return };
        // The bytes that are shown stay those of the frame.
        let page = self.selected().and_then(|field| field.page);
        let Some(of) = page.and_then(|page| self.pages.get(page)) else { return };
        if let (Some(Subject::Frame(_)), Some(0)) = (self.subject, page) {
            (self.frames, self.tab) = (Vec::new(), 0);
        } else {
            self.frames = of.bytes.view().frames();
            let place = self.frames.iter().position(|of| *of == frame);
            self.tab = place.map_or(0, |place| place + 1);
            self.frame = bytes.map(|bytes| (frame, Ok(bytes)));
        }
    }

    /// Selects a row of `fields`, and opens the groups around it.
    pub(super) fn reveal(&mut self, row: usize, closed: &mut BTreeSet<String>) {
        let Some(mut depth) = self.fields.get(row).map(|field| field.depth) else { return };
        for field in self.fields.get(..row).unwrap_or_default().iter().rev() {
            if field.depth < depth {
                depth = field.depth;
                closed.remove(&field.path);
            }
        }
        self.fold(closed);
        self.list.at = self.visible.iter().position(|at| *at == row).unwrap_or(self.list.at);
    }

    /// Opens or closes the group that is selected, or the one around it; `open` says which if it
    /// matters. False if there is nothing to do.
    pub(super) fn toggle(&mut self, open: Option<bool>, closed: &mut BTreeSet<String>) -> bool {
        let Some(field) = self.selected().filter(|field| field.group) else { return false };
        let path = field.path.clone();
        let is_closed = closed.contains(&path);
        let opens = open.unwrap_or(is_closed);
        if opens != is_closed {
            return false;
        }
        if opens {
            closed.remove(&path);
        } else {
            closed.insert(path);
        }
        self.fold(closed);
        true
    }

    /// Opens all groups, or closes them if all are open.
    pub(super) fn toggle_all(&mut self, closed: &mut BTreeSet<String>) {
        let groups: Vec<&Field> = self.fields.iter().filter(|field| field.group).collect();
        if groups.iter().any(|field| closed.contains(&field.path)) {
            for field in groups {
                closed.remove(&field.path);
            }
        } else {
            closed.extend(groups.iter().map(|field| field.path.clone()));
        }
        self.fold(closed);
    }

    /// Whether the group at a row is closed.
    pub(super) fn is_closed(&self, row: usize) -> bool {
        let next = self.visible.get(row + 1).copied();
        let at = self.visible.get(row).copied();
        at.is_some_and(|at| self.fields.get(at).is_some_and(|field| field.group))
            && at.map(|at| at + 1) != next
    }

    /// The row around the one that is selected.
    pub(super) fn parent(&self) -> Option<usize> {
        let depth = self.selected()?.depth;
        let before = self.visible.get(..self.list.at)?;
        let above = |at: &usize| self.fields.get(*at).is_some_and(|field| field.depth < depth);
        before.iter().rposition(above)
    }
}

/// Groups that are closed until somebody opens them.
pub(super) fn closed_at_first() -> BTreeSet<String> {
    ["call", "request PDU", "response PDU"].map(str::to_owned).into()
}

/// All rows.
fn fields(subject: Subject, facts: Facts, pages: &[Page]) -> Vec<Field> {
    let mut fields = Vec::new();
    if !facts.is_empty() {
        let about = match subject {
            Subject::Call(_) => "about the call",
            Subject::Frame(_) => "about the frame",
        };
        let plain = |depth, name: &str, value, group, path| Field {
            page: None,
            depth,
            name: name.to_owned(),
            value,
            span: Span::default(),
            group,
            path,
        };
        fields.push(plain(0, about, String::new(), true, "call".to_owned()));
        for (name, value) in facts {
            fields.push(plain(1, name, value, false, format!("call/{name}")));
        }
    }
    for (number, page) in pages.iter().enumerate() {
        let root = page.name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end().to_owned();
        let root =
            if matches!(subject, Subject::Frame(_)) && number == 0 { "frame".into() } else { root };
        let nodes = page.tree.nodes();
        fields.push(Field {
            page: Some(number),
            depth: 0,
            name: page.title.clone(),
            value: String::new(),
            span: Span::new(0, page.bytes.len()),
            group: !nodes.is_empty(),
            path: root.clone(),
        });
        // Names of the groups around a row.
        let mut around: Vec<String> = vec![root];
        for (at, node) in nodes.iter().enumerate() {
            let depth = usize::from(node.depth) + 1;
            let group = nodes.get(at + 1).is_some_and(|next| next.depth > node.depth);
            around.truncate(depth);
            let path = format!("{}/{}", around.last().map_or("", String::as_str), node.name);
            around.push(path.clone());
            fields.push(Field {
                page: Some(number),
                depth,
                name: node.name.to_string(),
                value: node.value.to_string(),
                span: node.span,
                group,
                path,
            });
        }
    }
    fields
}
