//! How the terminal UI is opened.

use clap::ValueEnum;

/// How the terminal UI is opened.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Screen {
    /// Colours of the terminal UI: for a dark background, for a light one, or none
    #[arg(long, value_enum)]
    pub(crate) theme: Option<ThemeName>,
    /// Press these keys in the terminal UI, print its screen and end: names with spaces between, such
    /// as `2 j j Enter`; `text:…` types what follows the colon
    #[arg(long, value_name = "KEYS", allow_hyphen_values = true)]
    pub(crate) press: Option<String>,
    /// Columns and rows of the screen that --press prints
    #[arg(long, value_name = "COLUMNSxROWS", default_value = "80x24", requires = "press")]
    pub(crate) size: String,
}

/// A theme, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ThemeName {
    Dark,
    Light,
    Mono,
}
