//! A terminal that somebody sits at: the program runs in it, keys are typed, and what it shows is
//! looked at until it is what is expected.
//!
//! Nothing here waits for a fixed time. The deadline only turns a program that hangs into a failure.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command as Attached, Pty};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, Termios, tcgetattr};
use vt100::{Callbacks, MouseProtocolMode, Parser, Screen};

/// How long something may take before it counts as hanging.
const DEADLINE: Duration = Duration::from_secs(30);

/// A terminal with a program in it.
pub(crate) struct Terminal {
    /// None once it was taken away.
    pty: Option<Pty>,
    pub(crate) child: Child,
    parser: Parser<Seen>,
    /// Everything that was written to it.
    pub(crate) raw: Vec<u8>,
    /// How it was before the program began.
    before: Termios,
}

/// What a terminal does beside showing text.
#[derive(Default)]
pub(crate) struct Seen {
    /// What was handed to its clipboard, in base64.
    pub(crate) clipboard: Vec<Vec<u8>>,
}

impl Callbacks for Seen {
    fn copy_to_clipboard(&mut self, _: &mut Screen, _: &[u8], data: &[u8]) {
        self.clipboard.push(data.to_vec());
    }
}

impl Terminal {
    /// Starts a program in a terminal of so many columns and rows. `attach` says which of its standard
    /// streams are something else than the terminal.
    pub(crate) fn open(
        command: Command,
        (columns, rows): (u16, u16),
        attach: impl FnOnce(Attached) -> Attached,
    ) -> Self {
        let (pty, pts) = pty_process::blocking::open().expect("there are terminals");
        pty.resize(Size::new(rows, columns)).expect("it can be of any size");
        let before = tcgetattr(&pty).expect("a terminal has modes");
        let child = attach(Attached::from(command)).spawn(pts).expect("the program runs");
        let parser =
            Parser::new_with_callbacks(nonzero(rows), nonzero(columns), 0, Seen::default());
        Self { pty: Some(pty), child, parser, raw: Vec::new(), before }
    }

    fn pty(&self) -> &Pty {
        self.pty.as_ref().expect("it is there")
    }

    /// Takes the terminal away from the program, as the end of a connection does.
    pub(crate) fn take_away(&mut self) {
        self.pty = None;
    }

    /// Types.
    pub(crate) fn keys(&mut self, keys: &str) {
        self.pty().write_all(keys.as_bytes()).expect("somebody listens");
    }

    /// Gives it another size.
    pub(crate) fn resize(&mut self, (columns, rows): (u16, u16)) {
        self.parser.set_size(nonzero(rows), nonzero(columns));
        self.pty().resize(Size::new(rows, columns)).expect("it can be of any size");
    }

    /// Shows what the program did not write.
    pub(crate) fn spoil(&mut self, text: &str) {
        self.parser.process(text.as_bytes());
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the program runs");
    }

    /// Takes what is written within some time; false if nothing was, and none if nothing will be.
    pub(crate) fn take(&mut self, patience: Duration) -> Option<bool> {
        let mut pty = self.pty.as_ref()?;
        let patience = patience.try_into().expect("it is short");
        let mut fds = [PollFd::new(pty, PollFlags::IN)];
        if poll(&mut fds, Some(&patience)).is_ok_and(|ready| ready == 0) {
            return Some(false);
        }
        let mut buffer = [0; 1 << 14];
        // It fails when nobody has the terminal open any more.
        let Ok(len @ 1..) = pty.read(&mut buffer) else { return None };
        self.parser.process(&buffer[..len]);
        self.raw.extend(&buffer[..len]);
        Some(true)
    }

    pub(crate) fn screen(&self) -> &Screen {
        self.parser.screen()
    }

    pub(crate) fn seen(&self) -> &Seen {
        self.parser.callbacks()
    }

    /// Its rows as text.
    pub(crate) fn rows(&self) -> Vec<String> {
        let (_, columns) = self.screen().size();
        self.screen().rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect()
    }

    /// Waits until it is as is wanted.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, is: impl Fn(&Self) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !is(self) {
            let left = end.saturating_duration_since(Instant::now());
            let taken = if left.is_zero() { Some(false) } else { self.take(left) };
            let why = match taken {
                Some(true) => continue,
                Some(false) => "the program hangs",
                None => "the program ended",
            };
            // What came last may be what was wanted.
            assert!(is(self), "{why}, expected {what}:\n{}", self.rows().join("\n"));
        }
    }

    /// Waits until a row has `text` in it.
    #[track_caller]
    pub(crate) fn shows(&mut self, text: &str) {
        self.until(text, |terminal| terminal.has(text));
    }

    /// Waits until no row has `text` in it.
    #[track_caller]
    pub(crate) fn hides(&mut self, text: &str) {
        self.until(&format!("no {text}"), |terminal| !terminal.has(text));
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.rows().iter().any(|row| row.contains(text))
    }

    /// Waits until the program ends.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> ExitStatus {
        let end = Instant::now() + DEADLINE;
        // Who ends closes the terminal.
        while self.take(end.saturating_duration_since(Instant::now())).is_some() {
            let hangs = Instant::now() >= end;
            assert!(!hangs, "the program does not end:\n{}", self.rows().join("\n"));
        }
        self.child.wait().expect("it can be waited for")
    }

    /// Whether the program has it: its own screen, the mouse, pasted text, every key.
    pub(crate) fn is_taken(&self) -> bool {
        let screen = self.screen();
        let modes = tcgetattr(self.pty()).expect("a terminal has modes").local_modes;
        screen.alternate_screen()
            && screen.mouse_protocol_mode() != MouseProtocolMode::None
            && screen.bracketed_paste()
            && !modes.intersects(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Asserts that it is as it was before the program began.
    #[track_caller]
    pub(crate) fn is_given_back(&self) {
        let screen = self.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert_eq!(screen.mouse_protocol_mode(), MouseProtocolMode::None);
        assert!(!screen.bracketed_paste(), "pasted text is not marked");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        let now = tcgetattr(self.pty()).expect("a terminal has modes");
        assert!(now.local_modes.contains(LocalModes::ICANON | LocalModes::ECHO), "{now:?}");
        let modes =
            |of: &Termios| (of.input_modes, of.output_modes, of.control_modes, of.local_modes);
        assert_eq!(modes(&now), modes(&self.before));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Where a test failed the program may still run.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn nonzero(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).expect("a terminal has rows and columns")
}
