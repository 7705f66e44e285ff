//! Reading and writing at places of a file, whoever else reads and writes it; [`Kept`], a reader
//! whose bytes are kept as they are read, to be read again.

use std::fs::File;
use std::io::{self, ErrorKind, Read};

/// Reads `to.len()` bytes from `offset` on.
pub fn read_at(file: &File, mut to: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !to.is_empty() {
        match read_some(file, to, offset) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                to = to.get_mut(n..).unwrap_or_default();
                offset = offset.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Writes all of `from` at `offset`.
fn write_at(file: &File, mut from: &[u8], mut offset: u64) -> io::Result<()> {
    while !from.is_empty() {
        match write_some(file, from, offset) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => {
                from = from.get(n..).unwrap_or_default();
                offset = offset.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn read_some(file: &File, to: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, to, offset)
}

#[cfg(unix)]
fn write_some(file: &File, from: &[u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, from, offset)
}

#[cfg(windows)]
fn read_some(file: &File, to: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, to, offset)
}

#[cfg(windows)]
fn write_some(file: &File, from: &[u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, from, offset)
}

#[cfg(not(any(unix, windows)))]
fn read_some(mut file: &File, to: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::io::{Seek, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.read(to)
}

#[cfg(not(any(unix, windows)))]
fn write_some(mut file: &File, from: &[u8], offset: u64) -> io::Result<usize> {
    use std::io::{Seek, SeekFrom, Write};
    file.seek(SeekFrom::Start(offset))?;
    file.write(from)
}

/// A reader whose bytes are kept as they are read.
#[derive(Debug)]
pub struct Kept<R> {
    from: R,
    to: File,
    /// Bytes kept.
    len: u64,
}

impl<R> Kept<R> {
    /// Keeps what is read of `from` in `to`, which is empty.
    pub fn new(from: R, to: File) -> Self {
        Self { from, to, len: 0 }
    }
}

impl<R: Read> Read for Kept<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        write_at(&self.to, bytes, self.len)?;
        self.len = self.len.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

/// A file read from its beginning, whoever else reads and writes it.
#[derive(Debug)]
pub struct Again {
    file: File,
    at: u64,
}

impl Again {
    /// Reads `file`.
    pub fn new(file: File) -> Self {
        Self { file, at: 0 }
    }
}

impl Read for Again {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = read_some(&self.file, buffer, self.at)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::temporary;

    #[test]
    fn what_is_read_is_kept_and_read_at_any_place() {
        let file = temporary().unwrap();
        let bytes: Vec<u8> = (0..=255).collect();
        let mut kept = Kept::new(&bytes[..], file.try_clone().unwrap());
        let mut half = [0; 128];
        kept.read_exact(&mut half).unwrap();
        let mut place = [0; 4];
        read_at(&file, &mut place, 100).unwrap();
        assert_eq!(place, [100, 101, 102, 103]);
        kept.read_exact(&mut half).unwrap();
        read_at(&file, &mut place, 252).unwrap();
        assert_eq!(place, [252, 253, 254, 255]);
        let beyond = read_at(&file, &mut place, 253).unwrap_err();
        assert_eq!(beyond.kind(), ErrorKind::UnexpectedEof);
        let mut again = Vec::new();
        Again::new(file).read_to_end(&mut again).unwrap();
        assert_eq!(again, bytes);
    }
}
