//! How far a long read has come: one line on standard error, where that is a terminal, that is gone
//! before anything else is written.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is done sooner needs no line.
const PATIENCE: Duration = Duration::from_secs(1);
/// The line is written anew this often.
const PERIOD: Duration = Duration::from_millis(200);
/// Frames between looks at the clock.
const FRAMES: u32 = 256;

/// Whether the line is on the screen.
static SHOWN: AtomicBool = AtomicBool::new(false);
/// Whether the cursor is in the middle of a line of output.
static MIDDLE: AtomicBool = AtomicBool::new(false);

/// Columns the line takes at most.
const WIDTH: usize = 60;

/// Takes the line off the screen.
pub(super) fn erase() {
    if SHOWN.swap(false, Ordering::Relaxed) {
        let _ = write!(io::stderr(), "\r{:WIDTH$}\r", "");
    }
}

/// Output before which the line goes.
pub(super) struct Clear<W>(pub(super) W);

impl<W: Write> Write for Clear<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        erase();
        let written = self.0.write(bytes)?;
        let last = bytes.get(..written).and_then(<[u8]>::last);
        if let Some(last) = last {
            MIDDLE.store(*last != b'\n', Ordering::Relaxed);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The line, if there is to be one.
pub(super) struct Progress {
    /// `None` where nobody would see it.
    started: Option<Instant>,
    written: Option<Instant>,
    /// Bytes of all inputs, where that is known.
    whole: Option<u64>,
    frames: u32,
}

impl Progress {
    /// A read of `whole` bytes begins.
    pub(super) fn new(whole: Option<u64>, shown: bool) -> Self {
        let started = (shown && io::stderr().is_terminal()).then(Instant::now);
        Self { started, written: None, whole, frames: 0 }
    }

    /// A frame was read; `state` says how many bytes and how many calls there are by now.
    pub(super) fn frame(&mut self, state: impl FnOnce() -> (u64, u64)) {
        let Some(started) = self.started else { return };
        self.frames += 1;
        if self.frames < FRAMES {
            return;
        }
        self.frames = 0;
        let passed = started.elapsed();
        let due = self.written.is_none_or(|written| written.elapsed() >= PERIOD);
        if passed < PATIENCE || !due || MIDDLE.load(Ordering::Relaxed) {
            return;
        }
        self.written = Some(Instant::now());
        let (read, calls) = state();
        let line = line(read, self.whole, passed, calls);
        SHOWN.store(true, Ordering::Relaxed);
        let _ = write!(io::stderr(), "\r{line:<WIDTH$.WIDTH$}");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        erase();
    }
}

fn line(read: u64, whole: Option<u64>, passed: Duration, calls: u64) -> String {
    const MEGA: u64 = 1_000_000;
    let millis = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).max(1);
    let speed = read.saturating_mul(1000) / millis / MEGA;
    let percent = match whole {
        Some(whole @ 1..) => {
            format!("{:>3} % of {} MB", (read.saturating_mul(100) / whole).min(100), whole / MEGA)
        }
        _ => format!("{} MB", read / MEGA),
    };
    format!("{percent}, {speed} MB/s, {calls} call{}", if calls == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        let check = |read, whole, millis, calls, expect: &str| {
            let line = line(read, whole, Duration::from_millis(millis), calls);
            assert_eq!(line, expect);
            assert!(line.chars().count() <= WIDTH);
        };
        check(250_000_000, Some(1_000_000_000), 2500, 14, " 25 % of 1000 MB, 100 MB/s, 14 calls");
        check(2_000_000, None, 1000, 1, "2 MB, 2 MB/s, 1 call");
        check(0, Some(0), 0, 0, "0 MB, 0 MB/s, 0 calls");
        check(3, Some(2), 1000, 0, "100 % of 0 MB, 0 MB/s, 0 calls");
    }
}
