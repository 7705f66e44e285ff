//! `vshark names`, `vshark completions`, `vshark man`: what the program says of itself.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use vshark::filter::{self, FieldName, REFERENCE};
use vshark::protocol::Registry;

use super::args::{Args, Completions, Names};

/// Lists the fields, or explains the language.
pub(super) fn names(
    args: &Names,
    registry: &Registry,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    if args.filters {
        out.write_all(REFERENCE.as_bytes())?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let pattern = args.pattern.as_deref().unwrap_or_default().to_lowercase();
    let has = |text: &String| text.to_lowercase().contains(&pattern);
    let shown =
        |field: &FieldName| has(&field.name) || field.also.iter().any(has) || has(&field.what);
    let fields: Vec<FieldName> = filter::names(registry).into_iter().filter(shown).collect();
    if fields.is_empty() {
        anyhow::bail!("no field has `{pattern}` in its name or explanation");
    }
    for field in fields {
        let kinds: Vec<&str> = field.kinds.iter().map(|kind| kind.words()).collect();
        let also = match &*field.also {
            [] => String::new(),
            also => format!(" (also {})", also.join(", ")),
        };
        let row = format!("{}\t{}\t{}{also}", field.name, kinds.join(" or "), field.what);
        let row: Vec<String> = row.split('\t').map(vshark::bytes::printable).collect();
        writeln!(out, "{}", row.join("\t"))?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the completions for a shell, which know the fields for `-e` too.
pub(super) fn completions(
    args: &Completions,
    registry: &Registry,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let names = filter::names(registry);
    let names: Vec<&'static str> = names
        .into_iter()
        .flat_map(|field| field.also.into_iter().chain([field.name]))
        // The program ends with this, and clap wants names that live as long.
        .map(|name| &*name.leak())
        .collect();
    let known = |command: Command| {
        command.mut_arg("fields", |arg| {
            arg.value_parser(PossibleValuesParser::new(names.iter().copied()))
        })
    };
    let mut command = known(Args::command()).mut_subcommand("calls", known);
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, "vshark", &mut text);
    out.write_all(&text)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the manual page: the program, its commands, the filter language.
pub(super) fn man(out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mut command = Args::command();
    command.build();
    let page = Man::new(command.clone()).title("VSHARK").manual("User commands");
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    writeln!(out, ".SH COMMANDS")?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        subcommand(sub, out)?;
    }
    writeln!(out, ".SH FILTERS AND FIELDS")?;
    preformatted(REFERENCE, out)?;
    writeln!(out, ".SH EXAMPLES AND EXIT CODES")?;
    if let Some(after) = command.get_after_help() {
        preformatted(&after.to_string(), out)?;
    }
    page.render_version_section(out)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// A command, with the options that are its own.
fn subcommand(command: &Command, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, ".SS vshark {}", escaped(command.get_name()))?;
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    writeln!(out, "{}.", escaped(&about))?;
    let own = |arg: &&clap::Arg| !arg.is_global_set() && arg.get_id() != "help";
    for arg in command.get_arguments().filter(own) {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        writeln!(out, ".TP\n\\fB{}\\fR\n{}", escaped(&arg.to_string()), escaped(&help))?;
    }
    match command.get_after_help() {
        Some(after) => preformatted(&after.to_string(), out),
        None => Ok(()),
    }
}

/// Text that keeps its lines.
fn preformatted(text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, ".PP\n.nf")?;
    text.lines().try_for_each(|line| writeln!(out, "{}", escaped(line)))?;
    writeln!(out, ".fi")
}

/// Text that roff takes as text.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
