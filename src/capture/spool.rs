//! [`Input`]: where the bytes of a capture come from, and how one that only flows is made one that
//! can be read in any order.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a spooled input kept in memory; a longer one goes to a temporary file.
const IN_MEMORY: u64 = 4 << 20;

/// Names tried for a temporary file.
const TRIES: u32 = 100;

/// Where bytes come from.
pub(super) enum Input {
    /// Read once, forwards: a pipe, a decompressor, somebody's reader.
    Stream(Box<dyn Read + Send>),
    /// A file on disk.
    File(File),
    /// A short stream that was read to its end.
    Memory(Cursor<Vec<u8>>),
}

impl Input {
    /// Where reading goes on; `None` when it cannot be chosen.
    pub(super) fn seek(&mut self, to: SeekFrom) -> Option<io::Result<u64>> {
        match self {
            Self::Stream(_) => None,
            Self::File(file) => Some(file.seek(to)),
            Self::Memory(memory) => Some(memory.seek(to)),
        }
    }
}

impl Read for Input {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stream(stream) => stream.read(out),
            Self::File(file) => file.read(out),
            Self::Memory(memory) => memory.read(out),
        }
    }
}

/// Puts what was read already and all the rest of a stream where it can be read in any order.
///
/// Also gives the error that ended the stream, if one did: what came before it is kept. There is no
/// limit but that of the disk; the temporary file has no name by the time it is written to, or
/// loses it when it is closed (Windows), so that nothing stays behind.
pub(super) fn spool(head: &[u8], rest: &mut dyn Read) -> io::Result<(Input, Option<io::Error>)> {
    let mut memory = head.to_vec();
    let mut error = copy(&mut rest.take(IN_MEMORY), &mut memory)?;
    if error.is_some() || u64::try_from(memory.len()).is_ok_and(|len| len < IN_MEMORY) {
        return Ok((Input::Memory(Cursor::new(memory)), error));
    }
    let mut file = temporary()?;
    file.write_all(&memory)?;
    drop(memory);
    error = copy(rest, &mut file)?;
    Ok((Input::File(file), error))
}

/// Copies to the end, or to an error of `from`, which is given; `Err` is one of `to`.
fn copy(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<Option<io::Error>> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(n) => to.write_all(buffer.get(..n).unwrap_or_default())?,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Ok(Some(e)),
        }
    }
}

/// A temporary file for its owner's eyes only, which is gone when it is closed: its name goes at
/// once, or, on Windows, with it.
pub fn temporary() -> io::Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    for _ in 0..TRIES {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("vshark-{}-{number}.tmp", process::id()));
        // A file that is there already is somebody else's, or a trap.
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        match private(&mut options).open(&path) {
            Ok(file) => {
                if cfg!(unix) {
                    fs::remove_file(&path)?;
                }
                return Ok(file);
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// For the owner's eyes only.
#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

/// `FILE_FLAG_DELETE_ON_CLOSE`, and `FILE_ATTRIBUTE_TEMPORARY`: kept off the disk while it fits.
#[cfg(windows)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::windows::fs::OpenOptionsExt as _;
    options.custom_flags(0x0400_0000).attributes(0x100)
}

#[cfg(not(any(unix, windows)))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_of_any_length_can_be_read_again() {
        for len in [0, 5, IN_MEMORY - 5, IN_MEMORY, 2 * IN_MEMORY + 1] {
            let bytes: Vec<u8> = (0..len).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let (mut input, error) = spool(b"head ", &mut &bytes[..]).unwrap();
            assert!(error.is_none());
            assert_eq!(matches!(input, Input::File(_)), len + 5 >= IN_MEMORY);
            let mut again = Vec::new();
            input.seek(SeekFrom::Start(2)).unwrap().unwrap();
            input.read_to_end(&mut again).unwrap();
            assert_eq!(again, [b"ad ", &bytes[..]].concat());
        }
    }

    #[test]
    fn what_came_before_an_error_is_kept() {
        struct Bad(bool);
        impl Read for Bad {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(ErrorKind::InvalidData.into());
                }
                out[0] = b'x';
                Ok(1)
            }
        }
        let (mut input, error) = spool(b"head", &mut Bad(false)).unwrap();
        assert_eq!(error.unwrap().kind(), ErrorKind::InvalidData);
        let mut again = String::new();
        input.seek(SeekFrom::Start(0)).unwrap().unwrap();
        input.read_to_string(&mut again).unwrap();
        assert_eq!(again, "headx");
    }
}
