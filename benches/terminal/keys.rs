//! The keys that are typed, and how the screen shows that a key did what it is for.
//!
//! The program draws anew while it reads, whether or not a key was typed. So it is not enough that the
//! screen changed: another tab is lit, another row is selected, another pane has the thick rule.

use vshark::tui::View;
use vt100::Screen;

/// A pane of a view with fields and bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pane {
    List,
    Fields,
    Bytes,
}

/// What is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// The number of a tab.
    Show(View),
    /// `j`
    Down,
    PageDown,
    /// `G`
    Last,
    /// `g g`
    First,
    /// Tab, to this pane.
    Pane(Pane),
}

const IN_PANES: &[Key] = &[
    Key::Down,
    Key::PageDown,
    Key::Last,
    Key::First,
    Key::Pane(Pane::Fields),
    Key::Pane(Pane::Bytes),
    Key::Pane(Pane::List),
];

/// What is typed in each view. The order is such that each key changes the screen: there is a row
/// below where `j` is typed.
const ROUND: [(View, &[Key]); 7] = [
    (View::Calls, IN_PANES),
    (View::Packets, IN_PANES),
    (View::Sequence, &[Key::Down, Key::PageDown, Key::Last, Key::First]),
    (View::State, &[Key::Down, Key::Last, Key::First]),
    (View::Findings, &[Key::Last, Key::First, Key::Down, Key::PageDown]),
    (View::Statistics, &[Key::Last, Key::First, Key::Down]),
    (View::Overview, &[]),
];

/// The keys of a round, with the view that each is typed for.
pub(crate) fn round() -> Vec<(View, Key)> {
    let of = |(view, keys): (View, &'static [Key])| {
        std::iter::once(Key::Show(view)).chain(keys.iter().copied()).map(move |key| (view, key))
    };
    ROUND.into_iter().flat_map(of).collect()
}

impl Key {
    /// What a terminal sends.
    pub(crate) fn sent(self) -> String {
        match self {
            Self::Show(view) => (place(view) + 1).to_string(),
            Self::Down => "j".to_owned(),
            Self::PageDown => "\u{1b}[6~".to_owned(),
            Self::Last => "G".to_owned(),
            Self::First => "gg".to_owned(),
            Self::Pane(_) => "\t".to_owned(),
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> String {
        match self {
            Self::PageDown => "PageDown".to_owned(),
            Self::First => "g g".to_owned(),
            Self::Pane(_) => "Tab".to_owned(),
            key => key.sent(),
        }
    }

    /// Whether it did what it is for: what was seen before, and what is now.
    pub(crate) fn is_done(self, view: View, before: &Sight, now: &Sight) -> bool {
        if now.open != Some(view) {
            return false;
        }
        let moved = now.at != before.at && now.at.is_some();
        match (self, view) {
            (Self::Show(_), _) => true,
            (Self::Pane(pane), _) => now.pane == Some(pane),
            (_, View::Calls | View::Packets) => match (self, before.number, now.number) {
                (Self::First, _, Some(now)) => now == 1,
                (Self::Down, Some(before), Some(now)) => now == before + 1,
                (_, Some(before), Some(now)) => now > before,
                _ => false,
            },
            (_, View::State) => now.stand != before.stand && now.stand.is_some(),
            (_, View::Sequence) => moved,
            (Self::First, _) => moved && now.at.as_ref().is_some_and(|(row, _)| *row == TOP),
            (Self::Last, _) => moved && now.is_last,
            _ => moved,
        }
    }
}

fn place(view: View) -> usize {
    View::ALL.iter().position(|of| *of == view).expect("it is one of all")
}

/// The first row of a list, below the tabs and the title.
const TOP: usize = 2;
/// The columns that a row is known by: figures that are counted up stand behind them.
const KNOWN_BY: usize = 26;

/// What is selected, as the screen shows it.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    /// The view whose tab is lit.
    open: Option<View>,
    /// The call or frame whose fields are shown.
    number: Option<u64>,
    /// The row of the list that is selected, and how it begins.
    at: Option<(usize, String)>,
    /// Whether that is the last of the list.
    is_last: bool,
    /// The call in the view of the server's state.
    stand: Option<String>,
    /// The pane that takes the keys.
    pane: Option<Pane>,
}

impl Sight {
    pub(crate) fn of(screen: &Screen) -> Self {
        let (height, width) = screen.size();
        let rows: Vec<String> = screen.rows(0, width.get()).collect();
        let lit = |row: usize, column: usize| {
            let at = |n: usize| u16::try_from(n).expect("a screen is small");
            screen.cell(at(row), at(column)).is_some_and(vt100::Cell::inverse)
        };
        let bottom = usize::from(height.get()) - 1;
        let tabs = rows.first().map(String::as_str).unwrap_or_default();
        let open = View::ALL.into_iter().find(|view| {
            let tab = format!("{} {}", place(*view) + 1, view.title());
            tabs.find(&tab).is_some_and(|column| lit(0, column))
        });
        let text = |row: usize| -> String {
            let row = rows.get(row).map(String::as_str).unwrap_or_default();
            row.chars().take(KNOWN_BY).collect()
        };
        let at = (TOP..bottom).find(|row| lit(*row, 1)).map(|row| (row, text(row)));
        let is_last = at.as_ref().is_some_and(|(row, _)| {
            let next = row + 1;
            next == bottom || text(next).trim().is_empty()
        });
        let list = rows.get(1).is_some_and(|title| title.starts_with("━━"));
        let (number, fields) = rows.iter().skip(TOP).find_map(|row| of_fields(row)).unzip();
        let pane = match fields {
            Some(Pane::List) if list => Some(Pane::List),
            other => other.filter(|pane| *pane != Pane::List),
        };
        let stand = rows.get(TOP).and_then(|row| {
            let (_, text) = row.split_once("│ call ")?;
            text.split_whitespace().next().map(str::to_owned)
        });
        Self { open, number, at, is_last, stand, pane }
    }
}

/// The number of the call or frame in the title of its fields, and which of the panes from there on has
/// the thick rule; the list, if none of them has.
fn of_fields(row: &str) -> Option<(u64, Pane)> {
    let thick = row.starts_with("━━ ");
    let text = row.strip_prefix(if thick { "━━ " } else { "── " })?;
    let text = text.strip_prefix("call ").or_else(|| text.strip_prefix("frame "))?;
    let number = text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    let pane = match thick {
        true => Pane::Fields,
        false if text.contains("━━") => Pane::Bytes,
        false => Pane::List,
    };
    Some((number, pane))
}
