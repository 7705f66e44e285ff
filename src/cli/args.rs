//! What can be typed.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use vshark::report::text::TimeStyle;

use super::secrets::Secrets;
#[cfg(feature = "tui")]
use super::tui::Screen;

/// Says from a packet capture why a backup of file shares (MS-FSRVP) failed, and shows it call by call.
#[derive(Debug, Parser)]
#[command(
    version,
    subcommand_precedence_over_arg = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        vshark backup.pcapng                    opens it in the terminal: ? shows the keys\n  \
        vshark backup.pcapng | cat              the calls, one a line\n  \
        vshark show backup.pcapng --call 7      everything about call 7, with its bytes\n  \
        vshark calls --json backup.pcapng | jq -c 'select(.outcome != \"ok\")'\n  \
        vshark check backup.pcapng              why the backup failed, and what to do\n  \
        tcpdump -U -w - port 445 | vshark -     calls as they happen\n  \
        vshark -f growing.pcapng                the same of a file that grows\n  \
        vshark --keys lab.toml sealed.pcapng    opens what is sealed: README has what a file of keys is\n  \
        vshark --keytab fs1.keytab sealed.pcapng\n\n\
        A terminal cuts long lines; `vshark FILE | cat` does not.\n\
        Exit codes: 0, or 2 when an input, or the rest of one, could not be read; `vshark check` has \
        more."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) calls: Calls,
    #[command(flatten)]
    pub(crate) shared: Shared,
    #[command(flatten)]
    pub(crate) judging: Judging,
    #[cfg(feature = "tui")]
    #[command(flatten)]
    pub(crate) screen: Screen,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the calls, one a line
    #[command(after_help = "Examples:\n  \
        vshark calls backup.pcapng\n  \
        vshark calls --time relative client-side.pcapng server-side.pcapng\n  \
        vshark calls --json backup.pcapng | jq -r '[.n, .method, .outcome] | @tsv'\n  \
        vshark calls backup.pcapng -e n -e method -e status.name\n  \
        vshark calls backup.pcapng -Y 'outcome != \"ok\"' -w failed.pcapng")]
    Calls(Calls),
    /// Show every field and byte of one call or frame
    #[command(after_help = "Examples:\n  \
        vshark show backup.pcapng --call 7\n  \
        vshark show backup.pcapng --frame 112\n  \
        vshark show backup.pcapng -Y 'fsrvp.opnum == CommitShadowCopySet'")]
    Show(Show),
    /// Say why a backup failed, on whose side, and what to do; and who broke which rule
    #[command(after_help = "Examples:\n  \
        vshark check backup.pcapng                    the findings, and a summary\n  \
        vshark check --profile samba backup.pcapng    its known deviations are no errors\n  \
        vshark check --profile lab.toml lab.pcapng    [[profile]] server = \"fs1\", base = \"samba\", …\n  \
        vshark check --keys lab.toml sealed.pcapng    with what opens it: [[password]], [[keytab]], …\n  \
        vshark check --matrix backup.pcapng           every rule, and what became of it\n  \
        vshark check --json backup.pcapng | jq -c 'select(.type == \"finding\")'\n  \
        vshark check --fail-on error,warning lab.pcapng || echo broken\n  \
        vshark check --format junit lab.pcapng > junit.xml\n  \
        vshark check --allow 3.2.3,FS-20 lab.pcapng   all rules of a section, and a cause, let pass\n  \
        vshark check --baseline known.json lab.pcapng only what an earlier run did not find\n  \
        vshark check --expect expect.toml lab.pcapng  [[call]] method = \"CommitShadowCopySet\", …\n  \
        tcpdump -U -w - port 445 | vshark check -     findings as they happen\n\n\
        Exit codes:\n  \
        0  nothing happened that --fail-on names\n  \
        1  something did\n  \
        2  could not run, or an input, or the rest of one, could not be read: what could be is judged\n     \
           and told all the same, but 1 and 3 would say more than is known\n  \
        3  nothing to judge: no call, no attempt at one, or all of them sealed")]
    Check(Check),
    /// Compare two captures: where their conversations part, and what else differs
    #[command(
        override_usage = "vshark diff [OPTIONS] GOOD BAD",
        after_help = "Examples:\n  \
        vshark diff monday.pcapng tuesday.pcapng           the backup that went well comes first\n  \
        vshark diff --time local good.pcapng bad.pcapng    when they began, by the clock on the wall\n  \
        vshark diff --json good.pcapng bad.pcapng | jq -c 'select(.type == \"diff\") | .parting'\n  \
        tcpdump -U -w - port 445 | vshark diff good.pcapng -\n\n\
        Exit codes:\n  \
        0  the same was asked and answered; names, time-outs, dialect, authentication and delays\n     \
           may differ, and are told\n  \
        1  they part, or one has a conversation that the other lacks\n  \
        2  could not run, or an input, or the rest of one, could not be read\n  \
        3  not known: there is nothing to compare in one of them, or what could be compared is\n     \
           alike, and not all could be: sealed, encrypted or lost"
    )]
    Diff(Diff),
    /// Write everything as JSON, one record a line: capture, calls, findings, summary
    #[command(after_help = "Examples:\n  \
        vshark export backup.pcapng > backup.ndjson\n  \
        vshark export --schema > vshark.schema.json")]
    Export(Export),
    /// Make a capture from a conversation written as text
    #[command(after_help = vshark::scenario::HELP)]
    Scenario(Scenario),
    /// List the fields that -Y and -e know
    #[command(after_help = "Examples:\n  \
        vshark names                all of them: name, kind, what it says\n  \
        vshark names share          those with `share` in them\n  \
        vshark names --filters      what can be written with them")]
    Names(Names),
    /// List the rules that conversations are held against, or show the page of one
    #[command(after_help = "Examples:\n  \
        vshark rules                     all of them: id, severity, whose duty it is, what it asks\n  \
        vshark rules FSRVP-3.1.4.5-03    the page of this one; 3.1.4.5-3 will do\n  \
        vshark rules SCMP-3.1.2.1-04     one of another document, which has to be named\n  \
        vshark rules 3.1.4.5             those of a section\n  \
        vshark rules timer               those that speak of timers\n  \
        vshark rules --causes            why backups fail: id, how sure, whose side, what\n  \
        vshark rules FS-20               the page of a cause, and what to do\n  \
        vshark rules --machine           the states of a server, as Mermaid\n  \
        vshark rules --json | jq -r 'select(.checked | not) | [.id, .left_out] | @tsv'")]
    Rules(Rules),
    /// Write the completions for a shell
    #[command(after_help = "Examples:\n  \
        vshark completions bash > ~/.local/share/bash-completion/completions/vshark")]
    Completions(Completions),
    /// Write the manual page
    #[command(after_help = "Examples:\n  vshark man | man -l -")]
    Man,
}

/// Options that every command takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Shared {
    /// Folder (not a file) with IDL and rules that add to the built-in interfaces or replace them
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) dissectors: Vec<PathBuf>,
    /// Show only the calls that this is true of, such as `fsrvp && status != 0`; all are still
    /// read and counted. `vshark names --filters` explains
    #[arg(short = 'Y', long, value_name = "EXPR", global = true, allow_hyphen_values = true)]
    pub(crate) filter: Option<String>,
    /// How times are written in text
    #[arg(long, value_enum, default_value_t = Time::Utc, global = true)]
    pub(crate) time: Time,
    /// When to use colours; `NO_COLOR` is honoured
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true)]
    pub(crate) color: Color,
    #[command(flatten)]
    pub(crate) secrets: Secrets,
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
    /// Read on when a file grows, until Ctrl-C is pressed, or the terminal UI is closed
    #[arg(short = 'f', long)]
    pub(crate) follow: bool,
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
    /// How calls are written [default: text, or fields with -e]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
    /// Write this field of each call, a tab between fields and a comma between the values of one;
    /// may be repeated. `vshark names` lists them
    #[arg(short = 'e', value_name = "FIELD", value_delimiter = ',')]
    pub(crate) fields: Vec<String>,
    /// Write the names of the fields first
    #[arg(long)]
    pub(crate) header: bool,
    /// Write the frames of the calls shown to this capture (pcapng; `-` is standard output), and
    /// with them what it takes to read them again: the start of their connections, the logon, the
    /// opening of the pipe, the bind, what gave a Kerberos ticket, what NTLM sealed before
    #[arg(short = 'w', value_name = "OUT")]
    pub(crate) write: Option<PathBuf>,
}

impl Calls {
    /// The form that is wanted.
    pub(crate) fn format(&self) -> anyhow::Result<Format> {
        let format = match (self.format, self.json) {
            (Some(format), _) => format,
            (None, true) => Format::Json,
            (None, false) if self.fields.is_empty() => Format::Text,
            (None, false) => Format::Fields,
        };
        match (format, self.fields.is_empty()) {
            (Format::Fields, true) => {
                bail!("name the fields to write: -e FIELD (`vshark names` lists them)")
            }
            (Format::Text | Format::Json, false) => {
                bail!("-e writes fields: leave --format out, or --format fields")
            }
            (format, _) if self.header && format != Format::Fields => {
                bail!("--header is for fields: name them with -e")
            }
            (format, _) => Ok(format),
        }
    }

    /// With what was typed before the command.
    pub(crate) fn with(&self, before: &Self) -> Self {
        Self {
            input: self.input.clone(),
            format: self.format.or(before.format),
            json: self.json || before.json,
            fields: before.fields.iter().chain(&self.fields).cloned().collect(),
            header: self.header || before.header,
            write: self.write.clone().or_else(|| before.write.clone()),
        }
    }

    /// Whether anything was typed that belongs to a list of calls.
    pub(crate) fn is_asked(&self) -> bool {
        !self.fields.is_empty() || self.header || self.write.is_some() || self.format.is_some()
    }
}

/// How calls are judged.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Judging {
    /// What servers are held against: auto (what each is recognised by), spec, windows, windows2012,
    /// samba, or a file of `[[profile]]` tables, each with any of `server`, `base`, `title`,
    /// `quirks`, `excuses`, `retry_limit`, `timer`
    #[arg(long, value_name = "NAME|FILE", default_value = "auto")]
    pub(crate) profile: String,
    /// The capture has all clients of its servers: nobody else explains what a server does
    #[arg(long)]
    pub(crate) all_clients: bool,
    /// No server had anything going on when the capture began: nothing that happened before explains
    /// what it does
    #[arg(long)]
    pub(crate) idle_start: bool,
}

impl Judging {
    /// Whether any of it was typed.
    pub(crate) fn is_asked(&self) -> bool {
        self.profile != "auto" || self.all_clients || self.idle_start
    }
}

/// `vshark check`
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) input: Input,
    /// How findings are written
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    format: CheckFormat,
    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Write a sheet of all rules instead of the findings: how often each was kept and broken, and why
    /// one could not be told
    #[arg(long)]
    pub(crate) matrix: bool,
    #[command(flatten)]
    pub(crate) judging: Judging,
    /// What makes the exit code 1, a comma between; each names only itself
    #[arg(
        long,
        value_name = "LIST",
        value_enum,
        value_delimiter = ',',
        default_values_t = [FailOn::Error, FailOn::Operation]
    )]
    pub(crate) fail_on: Vec<FailOn>,
    /// Let findings of a rule pass: they do not count for --fail-on. A rule (`FSRVP-3.2.3-05`), a
    /// section for all rules of it and within it (`3.2.4`), or a cause (`FS-20`); a comma between, or
    /// repeated. Only the rule of a finding counts, not those it breaks besides. The verdicts stay
    /// as they are
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(crate) allow: Vec<String>,
    /// Let pass what is in this file: records of an earlier `vshark check --json` or `vshark export`,
    /// or a JSON array of findings or of fingerprints. The rest is new, and is all that is shown
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Check what this file expects of the capture (TOML): calls, results, order, times, findings,
    /// the outcome. What is not so is a finding
    #[arg(long, value_name = "FILE")]
    pub(crate) expect: Option<PathBuf>,
}

impl Check {
    /// The form that is wanted.
    pub(crate) fn format(&self) -> CheckFormat {
        if self.json { CheckFormat::Json } else { self.format }
    }
}

/// `vshark diff`
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Diff {
    /// The capture of a backup that went well, then the one of a backup that did not. One of them may
    /// be `-`, standard input
    #[arg(value_names = ["GOOD", "BAD"], num_args = 0..)]
    pub(crate) captures: Vec<PathBuf>,
    /// How the comparison is written
    #[arg(long, value_enum, default_value_t = DiffFormat::Text)]
    format: DiffFormat,
    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl Diff {
    /// The form that is wanted.
    pub(crate) fn format(&self) -> DiffFormat {
        if self.json { DiffFormat::Json } else { self.format }
    }
}

/// `vshark show`
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what"))]
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
    #[command(flatten)]
    pub(crate) judging: Judging,
    /// Write the JSON Schema of the records instead
    #[arg(long)]
    pub(crate) schema: bool,
}

/// `vshark scenario`
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Scenario {
    /// The conversation; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The capture to write, pcapng; `-` is standard output
    #[arg(short = 'o', long, value_name = "OUT.pcapng")]
    pub(crate) output: PathBuf,
}

/// `vshark names`
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Names {
    /// Only those with this in their name or explanation
    #[arg(value_name = "PATTERN")]
    pub(crate) pattern: Option<String>,
    /// Explain the filter language instead
    #[arg(long, conflicts_with = "pattern")]
    pub(crate) filters: bool,
}

/// `vshark rules`
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Rules {
    /// A rule or a cause to show, or a word: then those with it in their id or text are listed
    #[arg(value_name = "ID|WORD")]
    pub(crate) what: Option<String>,
    /// List the causes of failed backups in place of the rules
    #[arg(long)]
    pub(crate) causes: bool,
    /// Write one JSON object a rule, or cause
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the state machine that servers are held against, as Mermaid diagrams and a table
    #[arg(long, conflicts_with_all = ["what", "causes", "json"])]
    pub(crate) machine: bool,
}

/// `vshark completions`
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// One JSON object a line
    Json,
    /// The fields named with -e, a tab between them
    Fields,
}

/// How a comparison is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For a person
    Text,
    /// One JSON record a line
    Json,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
    /// `JUnit` XML: a case for each shadow copy set and for each rule that applied
    Junit,
    /// SARIF 2.1.0
    Sarif,
}

/// What makes a run fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// A finding that is an error
    Error,
    /// A finding that is a warning
    Warning,
    /// A finding that is a note
    Note,
    /// What the clients wanted failed, or was not finished
    Operation,
    /// Something that matters was sealed or lost, so that it could not be judged, or something
    /// expected could not be told
    Unchecked,
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
