//! `--press`: keys that are pressed one after another, and the screen that is there then, as text.

use std::io::{Write, stdout};
use std::process::ExitCode;

use anyhow::{Context, bail};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::KeyEvent;
use vshark::tui::{Effect, Loaded, Model, Msg, key_named, update, view};

use super::super::COULD_NOT_RUN;
use super::source::Source;

/// Columns and rows of a screen, at most.
const LARGEST: u16 = 1000;

/// Reads everything, presses the keys, prints the screen.
pub(super) fn run(
    mut model: Model<'_>,
    mut source: Source,
    keys: &str,
    size: &str,
) -> anyhow::Result<ExitCode> {
    let (width, height) = parse_size(size)?;
    let keys = parse_keys(keys)?;
    update(&mut model, Msg::Resize(width, height));
    load(&mut model, &source)?;
    for key in keys {
        match update(&mut model, Msg::Key(key)) {
            Some(Effect::Quit) => return Ok(ExitCode::SUCCESS),
            Some(Effect::TakeKeys(path)) => {
                let taken = source.take_keys(&path);
                let again = matches!(taken, Msg::Anew(..));
                update(&mut model, taken);
                if again {
                    load(&mut model, &source)?;
                }
            }
            _ => {}
        }
        work(&mut model);
    }
    let mut terminal = Terminal::new(TestBackend::new(width, height))?;
    terminal.draw(|frame| view(&model, frame))?;
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for row in buffer.content().chunks(usize::from(width)) {
        let mut line = String::new();
        let mut hidden = 0;
        for cell in row {
            // A wide character covers the cell behind it.
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            line.push_str(cell.symbol());
            hidden = ratatui::text::Span::raw(cell.symbol()).width().saturating_sub(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    stdout().lock().write_all(text.as_bytes())?;
    if model.has_failed() {
        model.failures().for_each(super::super::say);
        return Ok(ExitCode::from(COULD_NOT_RUN));
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads everything into the model.
fn load(model: &mut Model<'_>, source: &Source) -> anyhow::Result<()> {
    let (to, from) = std::sync::mpsc::channel::<Loaded>();
    source.read(&mut |loaded| to.send(loaded).is_ok())?;
    drop(to);
    for loaded in from {
        update(model, Msg::Loaded(Box::new(loaded)));
    }
    work(model);
    Ok(())
}

/// Does what takes long, to its end.
fn work(model: &mut Model<'_>) {
    while model.is_busy() {
        update(model, Msg::Work);
    }
}

fn parse_size(text: &str) -> anyhow::Result<(u16, u16)> {
    let parse = |text: &str| text.parse().ok().filter(|n| (1..=LARGEST).contains(n));
    let size =
        text.split_once('x').and_then(|(width, height)| Some((parse(width)?, parse(height)?)));
    size.with_context(|| format!("--size: {text}: expected columns and rows, such as 80x24"))
}

fn parse_keys(text: &str) -> anyhow::Result<Vec<KeyEvent>> {
    let mut keys = Vec::new();
    for name in text.split_whitespace() {
        if let Some(typed) = name.strip_prefix("text:") {
            for c in typed.chars() {
                keys.extend(key_named(c.encode_utf8(&mut [0; 4])));
            }
            continue;
        }
        match key_named(name) {
            Some(key) => keys.push(key),
            None => bail!("--press: {name} is no key: j, Enter, Ctrl-d, PageDown, text:…"),
        }
    }
    Ok(keys)
}
