//! vshark dissects Windows shadow-copy traffic, call by call: MS-FSRVP over SMB and DCE/RPC, MS-SCMP
//! over DCOM.
//!
//! This page is the map. It says what each module is for, what it may know, and where things go.
//!
//! # From a packet to a call
//!
//! ```text
//!  file, pipe                                                            dissectors/*.idl, *.toml
//!      │                                                                          │
//!   capture ─frames─► net ─segments─► tcp ─bytes─┬─► smb ─pipe bytes─┐           idl ─types─► protocol
//!                                                └────────bytes──────┴─► rpc      │              │
//!                                                                         │      ndr ◄───────────┘
//!                                                                   joined calls  ├─► dcom
//!                                                                         └─► call ◄─ values
//!                                                                              │
//!            pipeline runs all of this and emits one stream of events ──┬──────┴─► report (text, JSON)
//!                                                                       │           ▲
//!                 dissectors/ms-fsrvp/machine.toml, rules/ ─────────► check ─findings┤
//!                                                                       │           │
//!                                       events of another capture ──► diff ─partings┘
//!
//!            the same events, and the frames ──► trace (where everything lies) ──► tui ──► screen
//! ```
//!
//! A TCP segment is delivered when everything it acknowledges has been, so answers follow their
//! questions. SMB turns the messages of any number of connections into the byte streams of named
//! pipes, because Windows spreads one session over several. RPC takes bytes from a channel and does
//! not know whether a pipe or a TCP connection carried them. A call is joined once, decoded once,
//! and everybody above speaks of calls. So does the judge, [`check`]: a `Judge` has a `Tracker` for
//! each server, which keeps the states that the server may be in and moves them by the rows of
//! `machine.toml`; rules look at what the table cannot say; a `Bench` makes one finding of one fault.
//! Its page has the whole picture. Who manages shadow copies calls objects: [`objects`] keeps who was
//! given which, and the judge holds their calls against that. [`diff`] takes the events of two captures, makes the steps of a
//! conversation of each, and says where they part. For those who go back and forth, [`trace`] keeps
//! where each frame, message and call lies, and reads and decodes again what is looked at; the terminal
//! UI is a function of that and of what the judge says.
//!
//! # Modules, from the ground up
//!
//! A module uses only those above it in this list; `tests/tidy.rs` has the exact table and checks it.
//!
//! | module | what it is for |
//! |---|---|
//! | [`bytes`] | bytes that remember the frames they travelled in; [`Reader`](bytes::Reader), [`Sink`](bytes::Sink), [`Stop`](bytes::Stop); [`Stream`](bytes::Stream) cuts byte streams into units |
//! | [`spelling`] | what somebody who mistyped a name probably meant |
//! | [`capture`] | pcap, pcapng and Network Monitor, compressed or not, files and pipes, merged by time |
//! | [`net`] | link, tunnel, IP, TCP, UDP and ICMP headers and the answers of resolvers (pure), IP fragments put together (state) |
//! | [`skew`] | how far the clocks of several captures are apart |
//! | [`tcp`] | flows and their passive reassembly in causal order; state |
//! | [`security`] | security contexts: what their tokens say in clear, and what the secrets of a [`Keyring`](security::keys::Keyring) open |
//! | [`smb`] | SMB 1 to 3: messages (pure), sessions and pipes over all connections (state) |
//! | [`rpc`] | DCE/RPC: PDUs (pure), associations and calls in flight (state) |
//! | [`idl`] | IDL text to a type table |
//! | [`ndr`] | a type of that table over a stub: values, and back; NDR and NDR64 |
//! | [`protocol`] | the registry of `dissectors/`, and the messages of FSRVP, SCMP and DCOM as Rust types |
//! | [`dcom`] | what object calls carry: `ORPCTHIS`, references to objects, activation properties (pure), and back |
//! | [`scenario`] | conversations as text, written as captures: the way back through all of the above |
//! | [`call`] | the joined, decoded call that everybody above speaks of |
//! | [`objects`] | which objects a server has handed out, who holds them, and who pings them; state |
//! | [`pipeline`] | runs the layers over frames, emits events, counts |
//! | [`trace`] | where everything in a capture lies, for those who go back and forth in it |
//! | [`check`] | the judge: the states a server may be in, rules, profiles, findings; state |
//! | [`diff`] | two captures side by side: where their conversations part, and what else differs |
//! | [`gate`] | what of that counts: rules that are let pass, a baseline, the exit code |
//! | [`report`] | the call list, one call or frame in full, findings, the sheet of rules, the drawing of the machine, the JSON records, `JUnit` XML, SARIF |
//! | [`filter`] | the filter language: which calls are shown, and which of their fields |
//! | [`expect`] | what somebody expects of a capture, and whether it is so |
//! | [`tui`] | the terminal UI: model, messages, screens; a feature, on by default |
//!
//! The `vshark` program (`src/main.rs`, `src/cli/`) is arguments, exit codes and the loop that pulls
//! frames through the pipeline.
//!
//! # Three verbs
//!
//! A layer *frames* (how long is the unit at the front of a stream? [`Layer`](bytes::Layer)),
//! *dissects* (what does it say?) and *advances* (what follows from it?).
//! Dissecting is a pure function from bytes to a message; the same function, given a
//! [`Tree`](bytes::Tree) instead of `()`, makes the rows that `vshark show` prints.
//!
//! # Invariants
//!
//! 1. Dissecting never fails and changes nothing: bytes in, a message out as far as it could be
//!    read, with a [`Stop`](bytes::Stop) that says where and why it ended.
//! 2. Only `advance` changes state, once, forwards. Showing something dissects it again and never
//!    touches state.
//! 3. A field is read once: value, row and bytes come from one line, and every byte can be traced
//!    to the frames it travelled in ([`View::pieces`](bytes::View::pieces)).
//! 4. No index, `unwrap`, or lossy cast on wire data (clippy denies them here). Every count is bounded by
//!    the bytes left; every buffer and table has a named cap, and a comment says who adds to it and
//!    who removes.
//! 5. A missing byte is never a fault of the sender: snapped, lost and sealed are not malformed.
//! 6. Nothing is guessed. The interface of a call comes from its presentation context or stays
//!    unknown; RPC is recognised by content, never by port; the payload of ordinary files is skipped and
//!    never mistaken for RPC.
//! 7. Memory follows what is open (flows, sessions, calls in flight) and a bounded number of what was,
//!    not what has passed. The exception is [`trace`], which is an index of what has passed: some bytes
//!    for each frame, message and call, and only for those who go back and forth.
//! 8. JSON is made in `report::json` and `report::value`, and text reaches a terminal only through
//!    [`printable`](bytes::printable).
//!
//! # Where to add …
//!
//! - **an interface**: write its IDL in `dissectors/<name>/`, with a `rules.toml` for names of flags
//!   and statuses, and list both in `EMBEDDED` in `src/protocol/load.rs`. Users do the same without
//!   a compiler: `--dissectors DIR`. Typed messages go beside `src/protocol/fsrvp.rs`.
//! - **an interface by name only**: a `names.toml` in `dissectors/<topic>/`, listed in `NAMES` there.
//! - **a link type**: its number and name in `src/bytes/link.rs`, its header as an arm of `read` in
//!   `src/net/link.rs`.
//! - **a tunnel**: beside those of `src/net/tunnel.rs`, called from where its number is read.
//! - **a capture format**: a file beside `src/capture/pcap.rs` and a variant of `Format` in
//!   `src/capture/open.rs`; a compression is an arm in `src/capture/unpack.rs`.
//! - **the name of a status**: `[status]` in the interface's `rules.toml`; codes that all interfaces
//!   share in `dissectors/common/status.toml`; RPC faults in `src/rpc/names.rs`; NTSTATUS in
//!   `src/smb/status.rs`.
//! - **an SMB command**: its body beside `src/smb/io.rs`, an arm in `src/smb/message.rs`, its name in
//!   `Command::is_parsed` (what is not parsed is skimmed), and if it changes who has what open, an
//!   arm in `src/smb/requests.rs` and `src/smb/responses.rs`. For SMB1 the same in `src/smb/v1/`.
//! - **a key of a JSON record**: `src/report/json.rs` and `src/report/schema.json`; a test holds them
//!   against each other.
//! - **a field of the filter language**: a row of the table in `src/filter/names.rs`; parameters of
//!   interfaces need none. What other tools call an interface is `[filter]` in its `rules.toml`.
//! - **a key of a file of expectations**: `src/expect/load.rs`, and what it asks for in the file
//!   beside it; the page of the module is the language's.
//! - **a word of the scenario language**: a setting in `src/scenario/settings.rs` and
//!   `src/scenario/direct.rs`, an event in `src/scenario/events.rs` and `src/scenario/play.rs`; short
//!   names of parameters, and what a conversation may leave out, in `src/scenario/fsrvp.rs`. The
//!   language's page is that of the module.
//! - **something that happens around the calls**: a variant of `What` in `src/pipeline/around.rs`. What
//!   SMB and RPC say becomes one in `src/pipeline/tell.rs`; what precedes a connection, or is instead of
//!   one, in `src/pipeline/before.rs`. The scenario language has a word that makes it.
//! - **a kind of secret**: a row of `KINDS` in `src/security/keys/file.rs`, and an option in
//!   `src/cli/secrets.rs` if it can be typed.
//! - **a rule**: its page in `dissectors/<name>/rules/`, listed in `src/check/load.rs` if it is a new
//!   file; its two examples are played by a test. What states and answers say is a row of
//!   `machine.toml`; what they do not is a check in `src/check/rules/`.
//! - **a row of the state machine**: `dissectors/ms-fsrvp/machine.toml`, and README has the picture:
//!   `vshark rules --machine` between its marks. A condition is a word in
//!   `src/check/machine/guard.rs` and an arm in `src/check/guards.rs`.
//! - **a cause of failed backups**: a table in `dissectors/ms-fsrvp/causes.toml`; circumstances that have
//!   no word yet are in `src/check/chart/circumstance.rs`. Users do the same: `--dissectors DIR`.
//! - **a profile**: `dissectors/ms-fsrvp/profiles.toml`; how such a server is recognised is in
//!   `src/check/recognise.rs`. Users do the same in a file: `--profile FILE`.
//! - **what two captures are compared by**: a value of a call in `src/diff/values.rs`; what is so
//!   throughout a conversation in `src/diff/traits.rs`, with its words in `src/report/diff/words.rs`.
//! - **a column or word of the call list**: `src/report/text.rs` and `src/report/brief.rs`; of the
//!   terminal UI's, `src/tui/rows.rs` and the file of the list in `src/tui/view/`.
//! - **a part of a call or frame that is shown with its bytes**: a page in `src/report/pages.rs`, for
//!   `vshark show` and the terminal UI alike.
//! - **a key of the terminal UI**: a row in `src/tui/keys.rs`, which the help is made of, a message in
//!   `src/tui/msg.rs`, and its arm in `src/tui/update/mod.rs`.
//! - **a view of the terminal UI**: a variant of `View` in `src/tui/msg.rs` and a file in
//!   `src/tui/view/`; its screens are texts in `tests/screens/`.

#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::panic,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

#[macro_use]
pub mod bytes;
pub mod call;
pub mod capture;
pub mod check;
pub mod dcom;
pub mod diff;
pub mod expect;
pub mod filter;
pub mod gate;
pub mod idl;
pub mod ndr;
pub mod net;
pub mod objects;
pub mod pipeline;
pub mod protocol;
pub mod report;
pub mod rpc;
pub mod scenario;
pub mod security;
pub mod skew;
pub mod smb;
pub mod spelling;
pub mod tcp;
pub mod trace;
#[cfg(feature = "tui")]
pub mod tui;
