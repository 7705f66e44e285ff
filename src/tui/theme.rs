//! What colours mean. Every meaning is also told without colour: by a word, a mark, or an attribute.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    /// Ordinary text.
    #[default]
    Plain,
    /// What is there to be passed over: titles of columns, hints.
    Dim,
    /// A heading.
    Head,
    /// Success.
    Good,
    /// Failure.
    Bad,
    /// What is missing or cannot be told.
    Doubt,
    /// What something is called: methods, states.
    Name,
    /// The row that is selected, in the pane that takes keys.
    Selected,
    /// The row that is selected, in another pane.
    Held,
    /// The bytes of the field that is selected.
    Lit,
    /// The byte that the cursor is on.
    Cursor,
    /// A row that somebody marked.
    Marked,
    /// The bars of tabs and of status.
    Bar,
    /// The tab that is open.
    Tab,
}

/// How meanings are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// For a dark background.
    #[default]
    Dark,
    /// For a light background.
    Light,
    /// Without colours.
    Mono,
}

impl Theme {
    /// The one after it.
    pub(super) fn next(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Mono,
            Self::Mono => Self::Dark,
        }
    }

    /// Its name.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Mono => "without colours",
        }
    }

    /// How a meaning is drawn.
    #[expect(
        clippy::match_same_arms,
        reason = "a table of themes, each with all that is drawn its own way"
    )]
    pub(super) fn style(self, role: Role) -> Style {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let turned = plain.add_modifier(Modifier::REVERSED);
        match (self, role) {
            (_, Role::Plain) => plain,
            (Self::Mono, Role::Dim | Role::Good) => plain,
            (Self::Mono, Role::Head | Role::Bad | Role::Name) => bold,
            (Self::Mono, Role::Doubt) => plain.add_modifier(Modifier::ITALIC),
            (Self::Mono, Role::Selected | Role::Cursor) => turned,
            (Self::Mono, Role::Tab) => turned.add_modifier(Modifier::BOLD),
            (Self::Mono, Role::Held | Role::Marked) => bold,
            (Self::Mono, Role::Lit) => bold.add_modifier(Modifier::UNDERLINED),
            (Self::Mono, Role::Bar) => plain.add_modifier(Modifier::UNDERLINED),
            (Self::Dark, Role::Dim) => plain.fg(Color::DarkGray),
            (Self::Light, Role::Dim) => plain.fg(Color::Gray).add_modifier(Modifier::DIM),
            (_, Role::Head) => bold,
            (_, Role::Good) => plain.fg(Color::Green),
            (_, Role::Bad) => plain.fg(Color::Red),
            (Self::Dark, Role::Doubt) => plain.fg(Color::Yellow),
            (Self::Light, Role::Doubt) => plain.fg(Color::Magenta),
            (Self::Dark, Role::Name) => plain.fg(Color::Cyan),
            (Self::Light, Role::Name) => plain.fg(Color::Blue),
            (_, Role::Selected) => turned,
            (Self::Dark, Role::Held) => plain.bg(Color::Indexed(238)),
            (Self::Light, Role::Held) => plain.bg(Color::Indexed(252)),
            (Self::Dark, Role::Lit) => plain.fg(Color::Black).bg(Color::Cyan),
            (Self::Light, Role::Lit) => plain.fg(Color::White).bg(Color::Blue),
            (_, Role::Cursor) => plain.fg(Color::Black).bg(Color::Yellow),
            (_, Role::Marked) => bold.fg(Color::Magenta),
            (Self::Dark, Role::Bar) => plain.bg(Color::Indexed(236)).fg(Color::Gray),
            (Self::Light, Role::Bar) => plain.bg(Color::Indexed(254)).fg(Color::Black),
            (_, Role::Tab) => turned.add_modifier(Modifier::BOLD),
        }
    }
}
