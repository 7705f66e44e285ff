//! What an expression says of a call that cannot be read: yes, no, or that it cannot be told.
//!
//! A sealed recording and one in clear are of the same conversation, call by call, so that what is
//! said of the one can be held against the other.

use super::{CALLS, REGISTRY, calls, matches, subject};
use vshark::call::Call;
use vshark::filter::Filter;

const SEALED: &str = "b-ntlm-seal-smb311.pcap";

/// `y`, `n` or `?` for each call.
#[track_caller]
fn answers(text: &str, calls: &[Call]) -> String {
    let filter = Filter::parse(text, &REGISTRY).unwrap_or_else(|e| panic!("{text}: {e}"));
    let answer = |call| match subject(call, &REGISTRY, |subject| filter.answer(subject)) {
        Some(true) => 'y',
        Some(false) => 'n',
        None => '?',
    };
    calls.iter().map(answer).collect()
}

const EXPRESSIONS: [&str; 24] = [
    "fsrvp",
    "opnum == 4",
    "method == CommitShadowCopySet",
    "fsrvp.CommitShadowCopySet",
    "status == 0",
    "status != 0",
    "status",
    "!status",
    "not status == 0",
    "status == FSRVP_E_NOT_SUPPORTED",
    "status.name == FSRVP_E_NOT_SUPPORTED",
    "outcome == ok",
    "outcome != ok",
    "outcome in {failed, fault}",
    "opnum == 4 && status == 0",
    "opnum == 4 && status != 0",
    "opnum == 99 || status == 0",
    "opnum == 4 ^^ status == 0",
    "fsrvp.ShareName contains \"fsrvp_share\"",
    "fsrvp.ShareName",
    "request.TimeOutInMilliseconds > 1000",
    "fsrvp.Context == 0",
    "fault",
    "request && response",
];

#[test]
fn what_can_be_read_is_never_doubted() {
    for text in EXPRESSIONS {
        let filter = Filter::parse(text, &REGISTRY).expect(text);
        let plain: String =
            CALLS.iter().map(|call| if matches(&filter, call) { 'y' } else { 'n' }).collect();
        assert_eq!(answers(text, &CALLS), plain, "{text}");
    }
}

#[test]
fn what_is_said_of_sealed_calls_is_so() {
    let sealed = calls(SEALED);
    assert_eq!(sealed.len(), CALLS.len());
    let mut doubts = 0;
    for text in EXPRESSIONS {
        let (told, truth) = (answers(text, &sealed), answers(text, &CALLS));
        for (n, (told, truth)) in told.chars().zip(truth.chars()).enumerate() {
            // Whether there are parameters that can be read is another thing in each.
            assert!(told == '?' || told == truth, "{text}, call {}: {told}, {truth}", n + 1);
            doubts += usize::from(told == '?');
        }
    }
    assert!(doubts > 100, "{doubts}");
    // The operation is seen, and that settles what depends on it alone.
    assert_eq!(answers("opnum == 4", &sealed), "nnnnnnnnnynnnnnn");
    assert_eq!(answers("opnum == 4 && status == 0", &sealed), "nnnnnnnnn?nnnnnn");
    assert_eq!(answers("opnum == 4 || status == 0", &sealed), "?????????y??????");
    assert_eq!(answers("fsrvp.SetContext && fsrvp.Context == 0", &sealed), "nnnnn?nnnnnnnnnn");
    // That there is no such parameter in the operation is not looked at: it may be there.
    assert_eq!(answers("fsrvp.ShareName", &sealed), "?".repeat(16));
    assert_eq!(answers("!fault", &sealed), "y".repeat(16));
}

#[test]
fn an_answer_that_is_not_there_is_not_known() {
    let lost = calls("i-a-drop5.pcap");
    let without: Vec<&Call> = lost.iter().filter(|call| call.rpc.response.is_none()).collect();
    assert!(!without.is_empty());
    for call in without {
        let call = std::slice::from_ref(call);
        for text in ["status == 0", "status != 0", "fault", "outcome != ok", "elapsed < 1s"] {
            assert_eq!(answers(text, call), "?", "{text}");
        }
        // That it is not in the capture is.
        assert_eq!(answers("outcome == no_response", call), "y");
        assert_eq!(answers("opnum == 99", call), "n");
    }
}
