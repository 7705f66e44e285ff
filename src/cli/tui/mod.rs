//! `vshark FILE` on a terminal: reads in one thread, takes keys in another, and draws in this one.

mod args;
mod loader;
mod press;
mod save;
mod source;
mod terminal;

use std::collections::VecDeque;
use std::io::{IsTerminal, Write, stdout};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use ratatui::crossterm::event::{Event, KeyEventKind, MouseButton, MouseEventKind};
use vshark::bytes::printable;
use vshark::check::Knowledge;
use vshark::protocol::Registry;
use vshark::tui::{Effect, Model, Msg, Options, Theme, update, view};

use super::COULD_NOT_RUN;
use super::args::{Args, Color};
use super::input::Inputs;
use super::judging::knowledge;
use super::secrets::keyring;
pub(super) use args::Screen;
use args::ThemeName;
use source::Source;
use terminal::Terminal;

/// Rows that a turn of the wheel moves.
const WHEEL: i64 = 3;
/// How long what takes long is worked on before keys are looked at again.
const SLICE: Duration = Duration::from_millis(8);
/// While more is read the screen is drawn this often at most; a key is drawn at once.
const FRAME: Duration = Duration::from_millis(60);

/// What happens.
enum Happens {
    /// Something at the terminal.
    Terminal(Event),
    /// More of the capture.
    Msg(Msg),
    /// Packets were saved, or why they were not.
    Saved(Result<String, String>),
    /// Somebody ends the program, by this signal.
    #[cfg_attr(not(unix), expect(dead_code, reason = "signals are those of Unix"))]
    Ended(i32),
}

/// Whether the terminal UI is meant.
pub(super) fn is_wanted(args: &Args) -> bool {
    let listed = args.calls.is_asked() || args.calls.input.paths().is_empty();
    args.screen.press.is_some() || (!listed && stdout().is_terminal())
}

/// Opens the captures in the terminal UI.
pub(super) fn run(args: &Args, registry: &Registry) -> anyhow::Result<ExitCode> {
    let paths = args.calls.input.paths();
    // The threads that read go on until the program ends.
    let registry: &'static Registry = Box::leak(Box::new(registry.clone()));
    let knowledge: &'static Knowledge = Box::leak(Box::new(knowledge(&args.shared)?));
    let inputs = Inputs::new(&paths, true)?.following(args.calls.input.follow).traced();
    let options = Options {
        files: paths.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
        time: args.shared.time.into(),
        theme: theme(args),
        live: inputs.is_live(),
    };
    let mut model = Model::new(registry, knowledge, options);
    if let Some(filter) = &args.shared.filter {
        vshark::filter::Filter::parse(filter, registry).context("filter")?;
        model.filter_first(filter);
    }
    let keys = keyring(&args.shared.secrets)?;
    let judging = args.judging.clone();
    let source = Source { inputs: Arc::new(inputs), registry, knowledge, judging, keys };
    // What is wrong with how it is to be judged is told before there is a screen.
    let trial = source.trial()?;
    if let Some(keys) = &args.screen.press {
        return press::run(model, source, keys, &args.screen.size);
    }
    let (to, from) = channel();
    terminal::guard();
    terminal::listen(&to);
    let mut screen = Terminal::open()?;
    let credit = source.start(trial, &to);
    let mut program = Program {
        source,
        credit,
        to,
        waiting: VecDeque::new(),
        file: None,
        saving: 0,
        stops: Arc::default(),
    };
    let ended = program.go(&mut model, &mut screen, &from);
    drop(screen);
    match program.wind_up(ended?, &from) {
        Some(signal) => Ok(ExitCode::from(u8::try_from(128 + signal).unwrap_or(COULD_NOT_RUN))),
        None if model.has_failed() => {
            for sentence in model.failures() {
                super::say(sentence);
            }
            Ok(ExitCode::from(COULD_NOT_RUN))
        }
        None => Ok(ExitCode::SUCCESS),
    }
}

fn theme(args: &Args) -> Theme {
    let colours = match args.shared.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    match args.screen.theme {
        Some(ThemeName::Dark) => Theme::Dark,
        Some(ThemeName::Light) => Theme::Light,
        None if colours => Theme::Dark,
        Some(ThemeName::Mono) | None => Theme::Mono,
    }
}

/// What carries out effects.
struct Program {
    source: Source,
    /// Lets the reading go on.
    credit: loader::Credit,
    to: Sender<Happens>,
    /// What happened and was not looked at yet.
    waiting: VecDeque<Happens>,
    /// The file that is being written.
    file: Option<save::New>,
    /// How many captures are being saved, each by a thread of its own.
    saving: usize,
    /// Whether these stop.
    stops: Arc<AtomicBool>,
}

impl Program {
    /// Until the user, or a signal, ends it.
    fn go(
        &mut self,
        model: &mut Model<'_>,
        screen: &mut Terminal,
        from: &Receiver<Happens>,
    ) -> anyhow::Result<Option<i32>> {
        let (width, height) = screen.size()?;
        update(model, Msg::Resize(width, height));
        let mut drawn: Option<Instant> = None;
        let mut urgent = true;
        let mut stale = true;
        loop {
            let due = urgent || drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME);
            if stale && due {
                screen.draw(|frame| view(model, frame))?;
                (drawn, stale, urgent) = (Some(Instant::now()), false, false);
            }
            if self.waiting.is_empty() {
                let patience = match (model.is_busy(), stale) {
                    (true, _) => Some(Duration::ZERO),
                    (false, true) => Some(FRAME),
                    (false, false) => None,
                };
                let next = match patience {
                    None => from.recv().map_err(|_| RecvTimeoutError::Disconnected),
                    Some(patience) => from.recv_timeout(patience),
                };
                match next {
                    Ok(happens) => self.waiting.push_back(happens),
                    Err(RecvTimeoutError::Disconnected) => return Ok(None),
                    Err(RecvTimeoutError::Timeout) => {}
                }
                self.waiting.extend(from.try_iter());
            }
            // Keys go before what was read.
            let key = self.waiting.iter().position(|happens| !matches!(happens, Happens::Msg(_)));
            let next =
                key.and_then(|at| self.waiting.remove(at)).or_else(|| self.waiting.pop_front());
            let effect = match next {
                Some(Happens::Ended(signal)) => return Ok(Some(signal)),
                Some(Happens::Terminal(event)) => {
                    let Some(msg) = meant(event) else { continue };
                    (stale, urgent) = (true, true);
                    update(model, msg)
                }
                Some(Happens::Msg(msg)) => {
                    if matches!(msg, Msg::Loaded(_)) {
                        self.credit.give();
                    }
                    stale = true;
                    update(model, msg)
                }
                Some(Happens::Saved(saved)) => {
                    self.saving = self.saving.saturating_sub(1);
                    (stale, urgent) = (true, true);
                    update(model, Msg::Done(saved))
                }
                None if model.is_busy() => {
                    stale = true;
                    let begun = Instant::now();
                    let mut effect = None;
                    while effect.is_none() && model.is_busy() && begun.elapsed() < SLICE {
                        effect = update(model, Msg::Work);
                    }
                    effect
                }
                None => None,
            };
            if let Some(effect) = effect
                && self.carry_out(effect, model, screen)?
            {
                return Ok(None);
            }
            if !model.is_writing() {
                // Who was writing it has given up.
                self.file = None;
            }
        }
    }

    /// What is being saved when the user ends the program is saved to its end; where a signal ends it,
    /// nothing of that is left. Gives the signal that ended it.
    fn wind_up(&mut self, mut ended: Option<i32>, from: &Receiver<Happens>) -> Option<i32> {
        if let Some(file) = self.file.take() {
            super::say(&format!("{}: not written, as the program was ended", file.name()));
        }
        let mut told = false;
        while self.saving > 0 {
            if ended.is_some() {
                self.stops.store(true, Ordering::Relaxed);
            }
            let next = self.waiting.pop_front().or_else(|| from.try_recv().ok()).or_else(|| {
                if ended.is_none() && !std::mem::replace(&mut told, true) {
                    super::say("packets are being saved: Ctrl-C stops that");
                }
                from.recv().ok()
            });
            let Some(next) = next else { break };
            match next {
                Happens::Saved(Ok(text) | Err(text)) => {
                    self.saving -= 1;
                    super::say(&text);
                }
                Happens::Ended(signal) => ended = Some(signal),
                Happens::Terminal(_) | Happens::Msg(_) => {}
            }
        }
        ended
    }

    /// Does what the model cannot; true if that is the end.
    fn carry_out(
        &mut self,
        effect: Effect,
        model: &mut Model<'_>,
        screen: &mut Terminal,
    ) -> anyhow::Result<bool> {
        match effect {
            Effect::Quit => return Ok(true),
            Effect::Suspend => {
                screen.suspend()?;
                let (width, height) = screen.size()?;
                update(model, Msg::Resize(width, height));
            }
            Effect::Redraw => screen.clear()?,
            Effect::Copy(text) => screen.copy(&text)?,
            Effect::SavePackets(path, calls) => {
                let Source { inputs, registry, keys, .. } = self.source.clone();
                let to = self.to.clone();
                let stops = self.stops.clone();
                self.saving += 1;
                std::thread::spawn(move || {
                    let stops = || stops.load(Ordering::Relaxed);
                    let saved = save::packets(&path, &calls, &inputs, registry, keys, &stops);
                    let saved = saved.map_err(|error| printable(&format!("{error:#}")));
                    let _ = to.send(Happens::Saved(saved));
                });
            }
            Effect::TakeKeys(path) => {
                let taken = self.source.take_keys(&path);
                if matches!(taken, Msg::Anew(..)) {
                    self.credit = self.source.start(self.source.trial()?, &self.to);
                }
                update(model, taken);
            }
            Effect::Create(path) => match save::New::create(&path) {
                Ok(file) => self.file = Some(file),
                Err(error) => _ = update(model, Msg::Done(Err(printable(&format!("{error:#}"))))),
            },
            Effect::Write(text) => {
                let written = self.file.as_mut().map(|file| file.write_all(text.as_bytes()));
                if let Some(Err(error)) = written {
                    self.file = None;
                    update(model, Msg::Done(Err(format!("could not be written: {error}"))));
                }
            }
            Effect::Close(text) => {
                if let Some(file) = self.file.take() {
                    file.keep();
                }
                update(model, Msg::Done(Ok(text)));
            }
        }
        Ok(false)
    }
}

/// What something at the terminal means.
fn meant(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Msg::Key(key)),
        Event::Resize(width, height) => Some(Msg::Resize(width, height)),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => Some(Msg::Click(mouse.column, mouse.row)),
            MouseEventKind::ScrollDown => Some(Msg::Wheel(mouse.column, mouse.row, WHEEL)),
            MouseEventKind::ScrollUp => Some(Msg::Wheel(mouse.column, mouse.row, -WHEEL)),
            _ => None,
        },
        _ => None,
    }
}
