//! [`Loss`]: what was sent and is not in the capture, and which calls that touches.

use crate::bytes::Missing;
use crate::call::{Call, Outcome, Readable};

/// Numbers of calls that are kept; what comes beyond is only counted.
const MAX_TOUCHED: usize = 1024;

/// What is missing. Added to by gaps and by calls; nothing is removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// From connections that carry SMB.
    pub smb: Lost,
    /// From connections that carry RPC.
    pub rpc: Lost,
    /// Requests and responses of which packets are missing.
    pub lost_stubs: u64,
    /// Requests and responses that the snap length cut.
    pub truncated_stubs: u64,
    /// Calls without an answer, for whatever reason.
    pub without_answer: u64,
    /// Answers without the call.
    pub without_request: u64,
    /// Number of calls that what is missing touches.
    pub touched: u64,
    /// Their numbers, in the order in which they ended.
    pub calls: Vec<u64>,
}

/// What is missing from the connections of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Places where packets are missing.
    pub gaps: u64,
    /// Octets missing there.
    pub bytes: u64,
    /// Octets the snap length cut off.
    pub snapped_bytes: u64,
}

impl Lost {
    pub(super) fn see(&mut self, len: u64, why: Missing) {
        if why == Missing::Snapped {
            self.snapped_bytes = self.snapped_bytes.saturating_add(len);
        } else {
            self.gaps += 1;
            self.bytes = self.bytes.saturating_add(len);
        }
    }
}

impl Loss {
    pub(super) fn see_call(&mut self, call: &Call) {
        let stubs = [call.request.readable, call.response.readable];
        let count = |of| stubs.iter().map(|stub| u64::from(*stub == of)).sum::<u64>();
        let (lost, truncated) = (count(Readable::Lost), count(Readable::Truncated));
        self.lost_stubs += lost;
        self.truncated_stubs += truncated;
        let unanswered = call.outcome == Outcome::NoResponse;
        self.without_answer += u64::from(unanswered);
        let unasked = call.outcome == Outcome::NoRequest;
        self.without_request += u64::from(unasked);
        if lost + truncated > 0 || unasked || unanswered && call.rpc.near_loss {
            self.touched += 1;
            if self.calls.len() < MAX_TOUCHED {
                self.calls.push(call.rpc.n);
            }
        }
    }
}
