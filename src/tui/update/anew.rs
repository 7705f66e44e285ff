//! Reading everything again, with secrets that were not there before.

use std::path::PathBuf;

use super::super::detail::Detail;
use super::super::model::{Anew, Model};
use super::super::msg::{Digest, Effect};
use crate::bytes::printable;
use crate::pipeline::Summary;

impl Model<'_> {
    /// Hands over the path of a file of secrets, if everything can be read again.
    pub(super) fn take_keys(&mut self, path: &str) -> Option<Effect> {
        if path.is_empty() || !self.is_free() {
            return None;
        }
        if !self.ended {
            self.complain(if self.options.live {
                "more is still coming in: try again when that has ended, or start with --keys"
            } else {
                "it is still being read: try again when that is done, or start with --keys"
            });
            return None;
        }
        self.say(format!("{path}: reading everything again"));
        Some(Effect::TakeKeys(PathBuf::from(path)))
    }

    /// Everything is read again, with secrets that are `from` there; what was shown is found again
    /// when that is done.
    pub(super) fn begin_anew(&mut self, from: String, damaged: Vec<String>) {
        self.anew = Some(Anew {
            from,
            damaged,
            call: self.call,
            carried: self.frame_of_call(),
            frame: self.frame,
            calls: self.trace.calls(),
            sealed: sealed(&self.digest.summary),
        });
        self.trace = crate::trace::Trace::default();
        self.detail = Detail::default();
        self.findings = super::super::found::Found::default();
        self.stands.clear();
        self.digest = Digest::default();
        self.list_objects();
        self.told.clear();
        (self.call, self.frame, self.read) = (0, 0, (0, None));
        (self.ended, self.unreadable) = (false, false);
        self.job = None;
        if let Some(chosen) = &mut self.chosen {
            chosen.rows.clear();
            chosen.open.clear();
            chosen.next = 1;
        }
    }

    /// Everything was read again: goes back to where that was asked for, and says what was opened.
    pub(super) fn end_anew(&mut self) {
        let Some(anew) = self.anew.take() else { return };
        let Anew { from, damaged, call, carried, frame, calls, sealed: before } = anew;
        // Where calls were opened that could not be told apart before, the numbers are others.
        let found = carried.and_then(|frame| self.trace.calls_in(frame).first().copied());
        self.call = found.unwrap_or(call).max(1).min(self.trace.calls());
        self.frame = frame.min(self.trace.frames());
        if self.trace.calls() != calls {
            self.marks.clear();
            self.jumps.clear();
        }
        self.sync();
        let now = sealed(&self.digest.summary);
        let opened =
            before.saturating_sub(now).saturating_add(self.trace.calls().saturating_sub(calls));
        let encrypted = match self.digest.summary.smb_sealed {
            0 => String::new(),
            n => format!(", and {n} SMB messages encrypted"),
        };
        let text = match (opened, now) {
            (0, 0) if encrypted.is_empty() => format!("{from}: nothing was sealed"),
            (0, _) => {
                format!("{from}: opens nothing, {} still sealed{encrypted}: 1 says why", are(now))
            }
            (_, 0) => format!("{from}: {} opened", are(opened)),
            (_, _) => format!("{from}: {} opened, {now} still sealed", are(opened)),
        };
        let text = printable(&text);
        match damaged.first() {
            Some(damaged) => self.complain(format!("{text}; {}", printable(damaged))),
            None if opened == 0 => self.complain(text),
            None => self.say(text),
        }
    }
}

/// Calls of which a stub is sealed.
fn sealed(summary: &Summary) -> u64 {
    summary.calls.values().map(|of| of.sealed).fold(0, u64::saturating_add)
}

/// `1 call is`
fn are(calls: u64) -> String {
    match calls {
        1 => "1 call is".to_owned(),
        n => format!("{n} calls are"),
    }
}
