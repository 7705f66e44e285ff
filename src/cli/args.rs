//! What can be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use vshark::report::text::TimeStyle;

/// Shows Windows shadow-copy traffic (MS-FSRVP) in packet captures, call by call.
#[derive(Debug, Parser)]
#[command(
    version,
    subcommand_precedence_over_arg = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        vshark backup.pcapng                    the calls, one a line\n  \
        vshark show backup.pcapng --call 7      everything about call 7, with its bytes\n  \
        vshark calls --json backup.pcapng | jq -c 'select(.outcome != \"ok\")'\n  \
        tcpdump -U -w - port 445 | vshark -     calls as they happen\n\n\
        A terminal cuts long lines; `vshark FILE | cat` does not.\n\
        Exit codes: 0, or 2 when an input, or the rest of one, could not be read."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) calls: Calls,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the calls, one a line
    #[command(after_help = "Examples:\n  \
        vshark calls backup.pcapng\n  \
        vshark calls --time relative client-side.pcapng server-side.pcapng\n  \
        vshark calls --json backup.pcapng | jq -r '[.n, .method, .outcome] | @tsv'")]
    Calls(Calls),
    /// Show every field and byte of one call or frame
    #[command(after_help = "Examples:\n  \
        vshark show backup.pcapng --call 7\n  \
        vshark show backup.pcapng --frame 112")]
    Show(Show),
    /// Write everything as JSON, one record a line: capture, calls, summary
    #[command(after_help = "Examples:\n  \
        vshark export backup.pcapng > backup.ndjson\n  \
        vshark export --schema > vshark.schema.json")]
    Export(Export),
}

/// Options that every command takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Shared {
    /// Folder (not a file) with IDL and rules that add to the built-in interfaces or replace them
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) dissectors: Vec<PathBuf>,
    /// How times are written in text
    #[arg(long, value_enum, default_value_t = Time::Utc, global = true)]
    pub(crate) time: Time,
    /// When to use colours; `NO_COLOR` is honoured
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true)]
    pub(crate) color: Color,
}

/// What is read.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Input {
    /// Captures: pcap, pcapng or Network Monitor, also gzip, zstd, lz4; `-` is standard input.
    /// Several are merged by time
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The same as FILE, where other tools' users type it
    #[arg(short = 'r', value_name = "FILE")]
    read: Vec<PathBuf>,
}

impl Input {
    /// All inputs, in the order they are taken.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.read.iter().chain(&self.files).cloned().collect()
    }
}

/// `vshark calls`
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Calls {
    #[command(flatten)]
    pub(crate) input: Input,
    /// How calls are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
}

impl Calls {
    /// Whether records are wanted.
    pub(crate) fn is_json(&self) -> bool {
        self.json || self.format == Format::Json
    }
}

/// `vshark show`
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Number of a call, as `vshark calls` has it
    #[arg(long, value_name = "N", group = "what")]
    pub(crate) call: Option<u64>,
    /// Number of a frame, as Wireshark has it; of several inputs, as merged by time
    #[arg(long, value_name = "N", group = "what")]
    pub(crate) frame: Option<u64>,
}

/// `vshark export`
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Write the JSON Schema of the records instead
    #[arg(long)]
    pub(crate) schema: bool,
}

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Time {
    /// Time of day, UTC
    Utc,
    /// Time of day here
    Local,
    /// Seconds since the first frame
    Relative,
    /// Seconds since the call before
    Delta,
}

impl From<Time> for TimeStyle {
    fn from(time: Time) -> Self {
        match time {
            Time::Utc => Self::Utc,
            Time::Local => Self::Local,
            Time::Relative => Self::Relative,
            Time::Delta => Self::Delta,
        }
    }
}
