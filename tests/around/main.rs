//! The events beside the calls: requests that are complete, and what happens around.

mod asked;
mod before;
mod binds;
#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "where the captures are is all that is wanted here")]
mod common;
mod ends;
#[path = "../common/events.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod events;
mod judge;
mod loss;
#[path = "../common/oracle.rs"]
mod oracle;
mod smb;

use std::path::Path;
use std::sync::LazyLock;

use vshark::bytes::Side;
use vshark::capture::Capture;
use vshark::pipeline::{Around, Event, LogonKind, Pipeline, What};
use vshark::protocol::Registry;
use vshark::scenario::Scenario;
use vshark::smb::Status;

static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| Registry::embedded().expect("the embedded dissectors load"));

/// What happens around the calls, in a line each: a word, then what matters of it; calls in
/// between as `? n` and `! n`.
fn lines(events: &[Event]) -> Vec<String> {
    events.iter().filter_map(line).collect()
}

fn line(event: &Event) -> Option<String> {
    let around = match event {
        Event::Asked(call) => return Some(format!("? {}", call.rpc.n)),
        Event::Call(call) => return Some(format!("! {}", call.rpc.n)),
        Event::Unit(_) => return None,
        Event::Around(around) => around,
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
    // Without its number.
    let name = |status: &Status| status.to_string().split(' ').next().unwrap().to_owned();
    let who = |by: &Option<Side>| by.map_or("nobody".to_owned(), |by| format!("{by:?}"));
    Some(match &around.what {
        What::Negotiated(told) => format!("negotiated {}", text(&told.dialect)),
        What::Challenged(told) => format!("challenged by {}", text(&told.computer)),
        What::Unreachable { how, syns, .. } => format!("unreachable {how}, {syns} SYN"),
        What::NameUnknown { name, by, code } => {
            format!("name {name} unknown to {by}: {}", code.name(*by).unwrap_or("?"))
        }
        What::NameFound { name, by } => format!("name {name} found by {by}"),
        What::TicketRefused { by, error } => {
            let who = [&error.service, &error.client].map(text);
            format!("ticket refused by {by:?} {} for {}: {}", who[0], who[1], error.code)
        }
        What::LoggedOn { user, how: LogonKind::User, .. } => format!("logged on {}", text(user)),
        What::LoggedOn { user, how, .. } => format!("logged on {} as {how:?}", text(user)),
        What::LogonRefused { user, status } => {
            format!("logon refused {} {}", text(user), name(status))
        }
        What::NetbiosRefused { called, why } => format!("netbios refused {} {why}", text(called)),
        What::TreeConnected { path } => format!("tree {path}"),
        What::TreeRefused { path, status } => format!("tree refused {path} {}", name(status)),
        What::Referral { path, status } => format!("referral {path} {}", name(status)),
        What::PipeOpened { name, tree_path, .. } => {
            format!("pipe {} of {}", text(name), text(tree_path))
        }
        What::PipeRefused { name: of, status } => format!("pipe refused {of} {}", name(status)),
        What::PipeError { name: of, status, .. } => {
            format!("pipe error {} {}", text(of), name(status))
        }
        What::BindUnanswered { pipe, .. } => format!("bind unanswered on {}", text(pipe)),
        What::ChannelClosed { by, .. } => format!("closed by {}", who(by)),
        What::Bound(bound) => {
            let interface = bound.interface.map(|of| of.uuid.to_string()[..8].to_owned());
            let on = if bound.tcp { "tcp".to_owned() } else { text(&bound.pipe) };
            let (interface, level) = (text(&interface), bound.auth.level);
            format!("bound {interface} on {on} level {level} {:?}", bound.answer)
        }
        What::Wrote { path, status } => format!("wrote {path} {}", name(status)),
        What::Disconnected { by, reset } => format!("disconnected by {} {reset}", who(by)),
        What::Lost => "lost".to_owned(),
        What::Sealed => "sealed".to_owned(),
        What::BadSignature { user, .. } => format!("bad signature of {}", text(user)),
    })
}

/// What happens around the calls of a scenario.
fn told(text: &str) -> Vec<String> {
    lines(&play(text))
}

/// The lines that begin with one of these words.
fn only(lines: &[String], words: &[&str]) -> Vec<String> {
    let wanted = |line: &&String| words.iter().any(|word| line.starts_with(word));
    lines.iter().filter(wanted).cloned().collect()
}

/// What is told around the calls, of one kind.
fn around<'e, T>(events: &'e [Event], pick: impl Fn(&'e Around) -> Option<T>) -> Vec<T> {
    let around = events.iter().filter_map(|event| match event {
        Event::Around(around) => pick(around),
        _ => None,
    });
    around.collect()
}

/// The events of the capture of a scenario.
fn play(text: &str) -> Vec<Event> {
    let scenario = Scenario::parse("scenario", text, &REGISTRY).expect("a scenario");
    let mut file = Vec::new();
    scenario.write(&mut file).expect("memory takes it");
    events::read(&mut events::capture(file), &mut Pipeline::new(&REGISTRY))
}

/// The events of a capture.
fn read(path: &Path) -> Vec<Event> {
    events::read(&mut Capture::open(&[path.to_owned()]), &mut Pipeline::new(&REGISTRY))
}
