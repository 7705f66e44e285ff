//! Who ended what.

use vshark::pipeline::{Event, What};

use crate::{around, common, only, play, read, told};

fn ends(text: &str) -> Vec<String> {
    only(&told(text), &["?", "!", "closed", "disconnected"])
}

#[test]
fn a_client_closes() {
    for text in ["A:8=0; A closes", "A:8=0; A logoff"] {
        let expected = ["? 1", "! 1", "closed by Client", "disconnected by nobody false"];
        assert_eq!(ends(text), expected, "{text}");
    }
    let expected = ["? 1", "! 1", "closed by Client", "disconnected by Client false"];
    assert_eq!(ends("A:8=0; A disconnect"), expected);
    let expected = ["? 1", "! 1", "closed by Client"];
    assert_eq!(ends("tcp 49667; A:8=0; A disconnect"), expected);
}

#[test]
fn a_server_goes() {
    let expected = ["? 1", "! 1", "closed by Server", "disconnected by Server true"];
    assert_eq!(ends("A:8=0; FS restart"), expected);
    assert_eq!(ends("tcp 49667; A:8=0; FS restart"), expected[..3]);
}

#[test]
fn the_capture_ends() {
    let events = play("A:8=0");
    let ends = around(&events, |around| match around.what {
        What::ChannelClosed { by, .. } | What::Disconnected { by, .. } => Some((by, around.frame)),
        _ => None,
    });
    assert_eq!(ends, [(None, None); 2]);
}

#[test]
fn calls_end_before_their_pipe() {
    let expected = ["? 1", "! 1", "? 2", "! 2", "closed by Client", "disconnected by nobody false"];
    let text = "A:8=0; A:4(S1) unanswered 180 s; A closes";
    assert_eq!(ends(text), expected);
    let events = play(text);
    let asked = events.iter().find_map(|event| match event {
        Event::Asked(call) if call.rpc.n == 2 => Some(call.time),
        _ => None,
    });
    let closed = around(&events, |around| {
        matches!(around.what, What::ChannelClosed { .. }).then_some(around.time)
    });
    assert!(closed[0].since(asked.unwrap()) >= 180_000_000_000);
}

#[test]
fn a_channel_keeps_its_number() {
    let events = play("A:8=0; A closes; A:8=0; A closes");
    let of = |opened: bool| {
        around(&events, |around| match around.what {
            What::PipeOpened { channel, .. } if opened => Some(channel),
            What::ChannelClosed { channel, .. } if !opened => Some(channel),
            _ => None,
        })
    };
    assert_eq!(of(true), of(false));
    assert_eq!(of(true).len(), 2);
    let calls = events.iter().filter_map(|event| match event {
        Event::Call(call) => Some(call.rpc.channel),
        _ => None,
    });
    assert_eq!(calls.collect::<Vec<_>>(), of(true));
}

#[test]
fn several_connections_end_one_by_one() {
    let lines = ends("channels 3; A:8=0; A disconnect");
    assert_eq!(only(&lines, &["closed"]), ["closed by Client"]);
    assert_eq!(only(&lines, &["disconnected"]), ["disconnected by Client false"; 3]);
    let lines = ends("channels 3; A:8=0; FS restart");
    assert_eq!(only(&lines, &["closed"]), ["closed by Server"]);
    assert_eq!(lines.last().unwrap(), "disconnected by Server true");
}

/// The worker that has the server's end of the pipe crashes at each bind. The server keeps the
/// handle and says that nobody is there; the client closes it.
#[test]
fn a_worker_that_crashes() {
    let Some(folder) = common::shared("captures/fsrvp") else { return };
    let lines = crate::lines(&read(&folder.join("e00-bind-worker-crash.pcap")));
    let on_pipe = only(&lines, &["pipe", "bind", "bound", "?", "closed", "disconnected"]);
    let once = [
        r"pipe FssagentRpc of \\fss1\IPC$",
        "pipe error FssagentRpc STATUS_CONNECTION_DISCONNECTED",
        "bind unanswered on FssagentRpc",
        "closed by Client",
    ];
    let (last, before) = on_pipe.split_last().unwrap();
    assert_eq!(last, "disconnected by Client false");
    assert_eq!(before, once.repeat(4));
}

/// A bind that has no answer is told with what became of its pipe, before that.
#[test]
fn binds_without_an_answer() {
    let ends = |text: &str| only(&told(text), &["bound", "bind", "pipe error", "closed"]);
    let unanswered = "bind unanswered on FssagentRpc";
    assert_eq!(ends("A bind unanswered; A close"), [unanswered, "closed by Client"]);
    assert_eq!(ends("A bind unanswered; FS restart"), [unanswered, "closed by Server"]);
    assert_eq!(ends("A bind unanswered"), [unanswered, "closed by nobody"]);
    let broken = "pipe error FssagentRpc STATUS_PIPE_BROKEN";
    let refused = ends("A bind refused STATUS_PIPE_BROKEN; A close");
    assert_eq!(refused, [broken, unanswered, "closed by Client"]);
    let tcp = ends("tcp 49667; A bind unanswered; FS restart");
    assert_eq!(tcp, ["bind unanswered on ?", "closed by Server"]);
    // The one before it was answered, or was refused, or its answer was lost.
    let words = ["bind unanswered"];
    for text in [
        "A bind; A bind; A close",
        "A bind refused reason_not_specified; A close",
        "A bind fault nca_s_op_rng_error; A close",
        "A:8=0; A close",
    ] {
        assert_eq!(only(&told(text), &words), [""; 0], "{text}");
    }
    let events = play("A bind unanswered; FS restart");
    let asked = around(&events, |around| match &around.what {
        What::BindUnanswered { interfaces, tcp, .. } => {
            Some((around.frame.is_some(), interfaces.clone(), *tcp))
        }
        _ => None,
    });
    let [(true, interfaces, false)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(interfaces.len(), 1);
    assert_eq!(interfaces[0].uuid, vshark::protocol::fsrvp::UUID);
}

/// How a call may end without an answer: each can be told from the others.
#[test]
fn calls_that_a_pipe_leaves_behind() {
    let ends = |text: &str| only(&told(text), &["!", "pipe error", "closed"]);
    let invalid = "pipe error FssagentRpc STATUS_INVALID_PARAMETER";
    assert_eq!(
        ends("A:4(S1)=pipe STATUS_INVALID_PARAMETER; A close"),
        [invalid, "! 1", "closed by Client"]
    );
    assert_eq!(
        ends("io write-read; A:4(S1)=pipe STATUS_PIPE_DISCONNECTED; FS restart"),
        ["pipe error FssagentRpc STATUS_PIPE_DISCONNECTED", "! 1", "closed by Server"]
    );
    // The client does not wait any longer; the READ that is left is cancelled after that.
    let closes = ends("A:4(S1) unanswered 1 h; A close");
    assert_eq!(closes, ["! 1", "closed by Client"]);
    let leaves = ends("A:4(S1) unanswered 1 h; A disconnect");
    assert_eq!(leaves, ["! 1", "closed by Client"]);
    assert_eq!(ends("A:4(S1) unanswered 1 h; FS restart"), ["! 1", "closed by Server"]);
    assert_eq!(ends("A:4(S1) unanswered 1 h"), ["! 1", "closed by nobody"]);
}
