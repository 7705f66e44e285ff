//! What comes through a pipe, kept to be read again: a temporary file that nobody else sees.

use std::env::temp_dir;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Names that are tried.
const TRIES: u32 = 100;

/// A file without a name, or, where that cannot be, one that goes with the program.
pub(super) fn temporary() -> io::Result<File> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let mut last = io::Error::other("no name is free");
    for at in 0..TRIES {
        let name = format!("vshark-{}-{now:x}-{at}", std::process::id());
        match create(&temp_dir().join(name)) {
            Ok(file) => return Ok(file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// Its owner alone may read it, and its name goes at once.
#[cfg(unix)]
fn create(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

/// It is removed when it is closed, and nobody else can open it.
#[cfg(windows)]
fn create(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).share_mode(0);
    options.custom_flags(FILE_FLAG_DELETE_ON_CLOSE).open(path)
}

#[cfg(not(any(unix, windows)))]
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// A reader whose bytes are kept as they are read.
pub(super) struct Kept<R> {
    pub(super) from: R,
    pub(super) to: File,
}

impl<R: Read> Read for Kept<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.to.write_all(buffer.get(..read).unwrap_or_default())?;
        Ok(read)
    }
}

/// What was kept, from its beginning.
pub(super) fn again(kept: &File) -> io::Result<File> {
    let mut file = kept.try_clone()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}
