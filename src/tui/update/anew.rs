//! Reading everything again, with secrets that were not there before.

use std::path::PathBuf;

use super::super::detail::Detail;
use super::super::model::{Anew, Model};
use super::super::msg::{Digest, Effect, View};
use crate::bytes::printable;

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
            sealed: self.digest.summary.sealed_calls(),
            encrypted: self.digest.summary.smb_without_keys(),
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
        let Anew { from, damaged, call, carried, frame, calls, .. } = &anew;
        // Where calls were opened that could not be told apart before, the numbers are others.
        let found = carried.and_then(|frame| self.trace.calls_in(frame).first().copied());
        self.call = found.unwrap_or(*call).max(1).min(self.trace.calls());
        self.frame = (*frame).min(self.trace.frames());
        if self.trace.calls() != *calls {
            self.marks.clear();
            self.jumps.clear();
        }
        self.sync();
        let (opens, text) = self.opened(&anew);
        let text = format!("{from}: {text}");
        let text = printable(&text);
        match damaged.first() {
            Some(damaged) => self.complain(format!("{text}; {}", printable(damaged))),
            None if !opens => self.complain(text),
            None => self.say(text),
        }
    }

    /// What the secrets opened, in words, and whether that is as was wished.
    fn opened(&self, anew: &Anew) -> (bool, String) {
        let summary = &self.digest.summary;
        let (sealed, encrypted) = (summary.sealed_calls(), summary.smb_without_keys());
        let new = self.trace.calls().saturating_sub(anew.calls);
        let calls = anew.sealed.saturating_sub(sealed).saturating_add(new);
        let messages = anew.encrypted.saturating_sub(encrypted);
        let still = match (sealed, encrypted) {
            (0, 0) => None,
            (0, messages) => Some(format!("{} still encrypted", are(messages, "SMB message"))),
            (calls, 0) => Some(format!("{} still sealed", are(calls, "call"))),
            (calls, messages) => Some(format!(
                "{} still sealed, and {messages} SMB messages encrypted",
                are(calls, "call")
            )),
        };
        let opened = match (calls, messages) {
            (0, 0) => None,
            (0, messages) => Some(format!("{} opened", are(messages, "SMB message"))),
            (calls, _) => Some(format!("{} opened", are(calls, "call"))),
        };
        let before = summary.smb_opened > 0 || summary.calls.values().any(|of| of.unsealed > 0);
        match (opened, still) {
            (None, None) if before => (true, "all is open already".to_owned()),
            (None, None) => (false, "nothing was sealed".to_owned()),
            (None, Some(still)) if self.view == View::Overview => {
                (false, format!("opens nothing, {still}"))
            }
            (None, Some(still)) => (false, format!("opens nothing, {still}: 1 says why")),
            (Some(opened), None) => (true, opened),
            (Some(opened), Some(still)) => (true, format!("{opened}, {still}")),
        }
    }
}

/// `1 call is`
fn are(n: u64, what: &str) -> String {
    match n {
        1 => format!("1 {what} is"),
        n => format!("{n} {what}s are"),
    }
}
