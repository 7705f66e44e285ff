//! Where the bytes of an input are read again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use crate::bytes::FrameNo;
use crate::capture::read_at;

/// Files held open; of a longer list the one that was opened first is closed.
const MAX_OPEN: usize = 32;

/// What an input is read from again.
#[derive(Debug)]
pub enum Store {
    /// The file itself, which is opened when it is needed.
    Path(PathBuf),
    /// A temporary file that has what was read.
    Kept(File),
}

/// Why something could not be read again, in a clause.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

impl Unreadable {
    /// Says which frame it is.
    pub(super) fn of(self, frame: FrameNo) -> Self {
        Self(format!("frame {} could not be read again: {}", frame.0, self.0))
    }
}

/// The stores of all inputs.
#[derive(Debug, Default)]
pub(super) struct Stores {
    /// By number of the input, one each.
    stores: BTreeMap<usize, Store>,
    /// Files that are open. Added by reading; the oldest is closed when there are too many.
    open: RefCell<Vec<(usize, File)>>,
}

impl Stores {
    pub(super) fn add(&mut self, file: usize, store: Store) {
        let mut open = self.open.borrow_mut();
        open.retain(|(of, _)| *of != file);
        // A file that is open can be read on when its name is gone.
        if let Store::Path(path) = &store
            && open.len() < MAX_OPEN
            && let Ok(handle) = File::open(path)
        {
            open.push((file, handle));
        }
        drop(open);
        self.stores.insert(file, store);
    }

    /// Reads bytes of an input.
    pub(super) fn read(&self, file: usize, offset: u64, to: &mut [u8]) -> Result<(), Unreadable> {
        if to.is_empty() {
            return Ok(());
        }
        let failed = |e: std::io::Error| Unreadable(e.to_string());
        let Some(store) = self.stores.get(&file) else {
            return Err(Unreadable("its input cannot be read twice".to_owned()));
        };
        let path = match store {
            Store::Kept(file) => return read_at(file, to, offset).map_err(failed),
            Store::Path(path) => path,
        };
        let named = |e: std::io::Error| Unreadable(format!("{}: {e}", path.display()));
        let mut open = self.open.borrow_mut();
        if open.iter().all(|(of, _)| *of != file) {
            if open.len() >= MAX_OPEN {
                open.remove(0);
            }
            open.push((file, File::open(path).map_err(named)?));
        }
        let Some((_, handle)) = open.iter().find(|(of, _)| *of == file) else { return Ok(()) };
        read_at(handle, to, offset).map_err(named)
    }
}
