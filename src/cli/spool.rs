//! What comes through a pipe, kept as it is read, to be read again.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

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
