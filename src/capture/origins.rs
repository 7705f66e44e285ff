//! Which file, and which frame of it, a frame of the merged input came from.

use std::collections::VecDeque;

use super::Frame;
use crate::bytes::FrameNo;

/// Runs remembered; beyond it the oldest frames are forgotten.
const MAX_RUNS: usize = 1 << 18;

/// Where frames came from, as runs of neighbours: a ring buffer's set is one run per file.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    runs: VecDeque<Run>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    first: u64,
    file: usize,
    first_in_file: u64,
    len: u64,
}

impl Origins {
    /// Takes the next frame.
    pub fn see(&mut self, frame: &Frame<'_>) {
        self.note(frame.no, frame.file, frame.no_in_file);
    }

    /// Takes the number of the next frame, its file, and its number there.
    pub fn note(&mut self, frame: FrameNo, file: usize, no_in_file: u64) {
        if let Some(run) = self.runs.back_mut()
            && run.file == file
            && run.first + run.len == frame.0
            && run.first_in_file + run.len == no_in_file
        {
            run.len += 1;
            return;
        }
        if self.runs.len() >= MAX_RUNS {
            self.runs.pop_front();
        }
        self.runs.push_back(Run { first: frame.0, file, first_in_file: no_in_file, len: 1 });
    }

    /// The file of a frame, as an index into the inputs, and its number there.
    pub fn of(&self, frame: FrameNo) -> Option<(usize, u64)> {
        let after = self.runs.partition_point(|run| run.first <= frame.0);
        let run = self.runs.get(after.checked_sub(1)?)?;
        let at = frame.0 - run.first;
        (at < run.len).then_some((run.file, run.first_in_file + at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{LinkType, Time};

    #[test]
    fn runs_of_neighbours_are_found_again() {
        let mut origins = Origins::default();
        let sequence = [(0, 1), (0, 2), (1, 1), (0, 3), (1, 2), (1, 3)];
        for (no, (file, no_in_file)) in (1..).zip(sequence) {
            origins.see(&Frame {
                no: FrameNo(no),
                time: Time::default(),
                link: LinkType::ETHERNET,
                data: &[],
                offset: 0,
                wire_len: 0,
                comment: None,
                file,
                no_in_file,
            });
        }
        assert_eq!(origins.runs.len(), 4);
        for (no, origin) in (1..).zip(sequence) {
            assert_eq!(origins.of(FrameNo(no)), Some(origin));
        }
        assert_eq!((origins.of(FrameNo(0)), origins.of(FrameNo(7))), (None, None));
    }
}
