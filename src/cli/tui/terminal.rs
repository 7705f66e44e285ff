//! The terminal: taken over, given back whatever happens, listened to.

use std::io::{self, Stdout, Write, stdout};
use std::mem::ManuallyDrop;
use std::panic;
use std::process::exit;
use std::sync::mpsc::Sender;
use std::thread;

use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::clipboard::CopyToClipboard;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{execute, queue};

use super::Happens;

/// The code of a program that panicked.
const PANICKED: i32 = 101;

/// The terminal while it is ours.
pub(super) struct Terminal {
    /// Never dropped: where the terminal went away, its end would complain of that to the terminal,
    /// and panic.
    terminal: ManuallyDrop<ratatui::Terminal<CrosstermBackend<Stdout>>>,
}

impl Terminal {
    /// Takes the terminal over. It is given back when this is dropped.
    pub(super) fn open() -> io::Result<Self> {
        let terminal = ratatui::Terminal::new(CrosstermBackend::new(stdout()))?;
        let opened = Self { terminal: ManuallyDrop::new(terminal) };
        // What fails half way is given back, too.
        take_over()?;
        Ok(opened)
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Draws.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }

    /// Everything is drawn anew next time.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        // `clear` of ratatui asks the terminal where the cursor is, and never hears: who listens takes
        // the answer.
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    /// Hands text to the clipboard of the terminal (OSC 52), which also works over ssh.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(self.terminal.backend_mut(), CopyToClipboard::to_clipboard_from(text))
    }

    /// Stops as the shell's Ctrl-Z does, until the shell goes on with it.
    #[cfg(unix)]
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // All of a pipeline stops, as it would if the terminal had seen the key.
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        take_over()?;
        self.clear()
    }

    /// There is nothing that goes on with it.
    #[cfg(not(unix))]
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        self.clear()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

/// From now on the terminal is given back before anything is said of a panic, in whichever thread.
pub(super) fn guard() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |about| {
        give_back();
        before(about);
        exit(PANICKED);
    }));
}

fn take_over() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste)
}

/// Nothing can be done where that fails.
fn give_back() {
    let mut out = stdout();
    let _ = queue!(out, DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, Show);
    let _ = out.flush();
    let _ = disable_raw_mode();
}

/// Passes on what happens at the terminal, and signals that end the program.
pub(super) fn listen(to: &Sender<Happens>) {
    let keys = to.clone();
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            if keys.send(Happens::Terminal(event)).is_err() {
                return;
            }
        }
    });
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let to = to.clone();
        let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT]) else {
            return;
        };
        thread::spawn(move || {
            for signal in signals.forever() {
                let _ = to.send(Happens::Ended(signal));
            }
        });
    }
}
