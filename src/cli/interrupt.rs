//! Ctrl-C while something is read that goes on: what was read is told as if the input had ended there.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::exit;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Who writes into the pipe is interrupted too and may have something left to write.
const GRACE: Duration = Duration::from_secs(1);
/// How soon an interruption is seen when nothing comes.
const PERIOD: Duration = Duration::from_millis(100);
/// Chunks that are read ahead.
const AHEAD: usize = 4;
/// Bytes of a chunk.
const CHUNK: usize = 64 << 10;
/// The code of a program that was ended from the keyboard.
const ENDED: i32 = 130;

/// When Ctrl-C was pressed.
static AT: OnceLock<Instant> = OnceLock::new();

/// Whether Ctrl-C was pressed.
pub(super) fn happened() -> bool {
    AT.get().is_some()
}

/// From now on Ctrl-C ends the inputs. Pressed twice, it ends the program.
fn listen() {
    // Without it Ctrl-C ends the program, as ever.
    let _ = ctrlc::set_handler(|| {
        if AT.set(Instant::now()).is_err() {
            exit(ENDED);
        }
    });
}

/// A file that is read on when it grows, until Ctrl-C is pressed, if that is `heard` here.
pub(super) fn growing(path: &Path, heard: bool) -> io::Result<Growing> {
    if heard {
        listen();
    }
    Ok(Growing { file: File::open(path)? })
}

/// See [`growing`].
pub(super) struct Growing {
    file: File,
}

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.file.read(buffer)?;
            if read > 0 || buffer.is_empty() || happened() {
                return Ok(read);
            }
            thread::sleep(PERIOD);
        }
    }
}

/// Standard input, which ends when Ctrl-C is pressed, if that is `heard` here.
pub(super) fn stdin(heard: bool) -> Input {
    if heard {
        listen();
    }
    let (to, from) = sync_channel(AHEAD);
    // A read cannot be interrupted, so another thread waits for it; it goes with the program.
    thread::spawn(move || pass_on(&to));
    Input { from, chunk: Vec::new(), at: 0 }
}

fn pass_on(to: &SyncSender<io::Result<Vec<u8>>>) {
    let mut stdin = io::stdin().lock();
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = match stdin.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read,
        };
        let end = !matches!(read, Ok(1..));
        let sent = to.send(read.map(|read| {
            chunk.truncate(read);
            chunk
        }));
        if end || sent.is_err() {
            return;
        }
    }
}

/// See [`stdin`].
pub(super) struct Input {
    from: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.chunk.len() {
            if AT.get().is_some_and(|at| at.elapsed() >= GRACE) {
                return Ok(0);
            }
            match self.from.recv_timeout(PERIOD) {
                Ok(chunk) => {
                    self.chunk = chunk?;
                    self.at = 0;
                    if self.chunk.is_empty() {
                        return Ok(0);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
        let left = self.chunk.get(self.at..).unwrap_or_default();
        let read = (&mut &*left).read(buffer)?;
        self.at += read;
        Ok(read)
    }
}
