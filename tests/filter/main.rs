//! The filter language, over calls of real captures: what is chosen, what is refused and how, what
//! is written, and what tshark chooses.

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod common;
mod doubt;
mod errors;
#[path = "../common/events.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod events;
mod judge;
mod meaning;
mod nested;
mod objects;
mod opened;
#[path = "../common/oracle.rs"]
mod oracle;
mod random;
mod written;

use std::sync::LazyLock;

use vshark::call::Call;
use vshark::capture::{Capture, Origins};
use vshark::filter::{Column, Filter, Subject};
use vshark::pipeline::Pipeline;
use vshark::protocol::Registry;

const BACKUP: &str = "a-ntlm-sign-smb311.pcap";

static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| Registry::embedded().expect("the embedded dissectors load"));
static CALLS: LazyLock<Vec<Call>> = LazyLock::new(|| calls(BACKUP));

/// The calls of a capture of this repository, in the order of their numbers.
fn calls(capture: &str) -> Vec<Call> {
    let mut capture = Capture::open(&[common::captures().join(capture)]);
    let mut calls = events::calls(events::read(&mut capture, &mut Pipeline::new(&REGISTRY)));
    calls.sort_by_key(|call| call.rpc.n);
    calls
}

/// Runs `act` on a call of the one input `file`.
fn subject<T>(call: &Call, registry: &Registry, act: impl FnOnce(&Subject<'_>) -> T) -> T {
    let (origins, files) = (Origins::default(), ["file".to_owned()]);
    act(&Subject { call, registry, origins: &origins, files: &files })
}

fn matches(filter: &Filter, call: &Call) -> bool {
    subject(call, &REGISTRY, |subject| filter.matches(subject))
}

/// The numbers of the calls that an expression chooses.
#[track_caller]
fn chosen(text: &str, calls: &[Call]) -> Vec<u64> {
    let filter = Filter::parse(text, &REGISTRY).unwrap_or_else(|e| panic!("{text}: {e}"));
    calls.iter().filter(|call| matches(&filter, call)).map(|call| call.rpc.n).collect()
}

/// What a column says of a call.
#[track_caller]
fn column(name: &str, call: &Call, registry: &Registry) -> String {
    let column = Column::parse(name, registry).unwrap_or_else(|e| panic!("{name}: {e}"));
    subject(call, registry, |subject| column.text(subject))
}
