//! The judge: holds conversations against the specification, and says who broke what.
//!
//! It takes the [`Event`](crate::pipeline::Event)s of the pipeline and gives [`Finding`]s as they
//! come and a [`Report`] at the end. It reads decoded calls only: no bytes of the wire but those that
//! a finding points at, no text for people but the sentence of a finding.
//!
//! # The way of an event
//!
//! ```text
//!  pipeline ─Event─► Judge ──by address, by ServerGuid──► Dock, one a server
//!                                                          │   what it says of itself: which profile
//!                          ┌───────────────────────────────┤
//!                          ▼                               ▼
//!                       Server under `spec`       Server under its profile
//!                          │
//!            call ─► Act ──┤  (what the rules look at of a call)
//!                          ├─► Tracker: how the server may stand ◄── machine.toml
//!                          │      └─► Step: what the answer showed, or a contradiction
//!                          ├─► rules/: values, names, times, the client's order ◄── Step
//!                          └─► Bench: one finding for one fault ─► Finding, Tally
//! ```
//!
//! | file | what it is for |
//! |---|---|
//! | `judge.rs` | which server an event is about; which profile is in force; what has been told |
//! | `recognise.rs`, `profile.rs` | what kind of server it is; what is let pass of that kind |
//! | `server.rs` | one server under one profile: tracker, rules and bench together |
//! | [`machine`] | the transition table, [`machine.toml`](machine::Machine::embedded) |
//! | `tracker.rs`, `world.rs`, `sets.rs` | the states that a server may be in |
//! | `guards.rs`, `effect.rs`, `flight.rs` | whether a row is for a call, what it does, calls in flight |
//! | `breach.rs`, `say.rs` | what an answer breaks that no state allows, and the sentence about it |
//! | `rules/` | what the table cannot say |
//! | `bench.rs` | verdicts, rule by rule, and the findings |
//! | `catalogue.rs`, `load.rs` | the pages of the rules |
//! | `diary.rs` | what was asked for each set, in order, and who asked |
//! | `stand.rs` | how a server, and the set in question, may stand around each call |
//! | `errand.rs`, `onward.rs`, `ways.rs` | what clients came for beside their sets, also at another server they were sent to, and names and tickets that kept them from any |
//! | `crowd.rs` | tables of the clients of a server, and who makes room in them |
//! | `chart/` | what went wrong at one server, with what was known around it |
//! | `cause/` | `causes.toml`: what that looks like, what it means, what to do |
//! | `diagnosis.rs`, `retry.rs` | each attempt, what stopped it and why, and which one made it good |
//! | `sight.rs` | how much could be read, and what would show the rest |
//! | `outcome.rs` | what became of each set, and of those that are not kept |
//! | `report.rs`, `set_report.rs` | what there is to say of all of it |
//! | `scmp/` | who manages shadow copies: objects, enumerators and storage of a server, and their rules |
//!
//! # Objects
//!
//! What is above is for \[MS-FSRVP\], in which a server has one state. \[MS-SCMP\] is objects: a `Dock`
//! has a `Manager` as well, from the first call of one or the first bind at a port where they were
//! said to be. It has no machine; its page, `scmp/mod.rs`, says what it keeps instead. Bench,
//! catalogue, symptoms and causes are the same.
//!
//! # Why it failed
//!
//! Findings say who broke a rule; most backups that fail break none. So each server has a `Chart`, fed
//! by the same events, that makes a *symptom* of every failure: how far the client had come (its
//! stage), what was said, and the *circumstances*, a word for each thing that was known around it. In
//! the end every set, and every errand that never became one, is an *attempt*; what stopped it first
//! and was not made good is its symptom; and the cause in `causes.toml` whose signs fit that symptom is
//! its [`Diagnosis`]. A circumstance that rests on something not having happened does not hold where
//! packets are lost, calls sealed, or the capture begins in the middle.
//!
//! # What is known of a server: worlds
//!
//! A *world* is one state that a server may be in: whether `ContextSet` is TRUE and who owns it, which
//! set is unfinished and how far it is, when the Message Sequence Timer runs out. What is known is a
//! list of them. An answer removes the worlds in which it could not have been given, and moves the
//! others by the rows of the table that fit; where it cannot be told whether a row's condition holds
//! (`Tri::Maybe`), both ways are followed. When none is left, the server has answered as no server in
//! any state it may be in may answer: that, and only that, is a contradiction, and the row with
//! `breaks` that fits says which rule. The tracker goes on from where that row leads.
//!
//! Each part of a world remembers how it came about (`Trail`): the call, or the timer, and the rules
//! that say so. That is the note and the `also` of a finding, and these rules are kept when the
//! answer is right.
//!
//! There may be no more than 256 worlds; before that, those that differ only in timers are put
//! together, and beyond it the server may be in any state.
//!
//! # Two trackers
//!
//! Clients that are not in the capture may have had a hand in anything. So there are two trackers of a
//! server, unless it is said that all clients are in the capture: one as if they were, one that after
//! every answer allows for all that others may do. A contradiction that both see is a fault. One that
//! only the first sees is a note, *possible*: another client would explain it. What the rules of
//! `rules/` know of a request they know by the second.
//!
//! # What overlaps, and what has no answer
//!
//! Requests are seen before their answers (`Event::Asked`). A call in flight may take effect at any
//! time until its answer, before or after others that overlap with it: for each order that matters
//! there is a world, marked with what was done in it, and the answer leaves those that fit. Commit,
//! Expose and Prepare may have begun before they are done; while they run, no timer does. A call that
//! was given up may still do anything for two hours, or until its pipe carries the next answer. With
//! more than four calls in flight nothing is concluded until they are over.
//!
//! # What is missing
//!
//! Lost packets, sealed calls, and calls whose bind or request is missing make the server one that
//! may be in any state (`forget`), and so does the beginning of a capture, unless it is known that
//! nothing was going on. Sets that were seen stay known; what became of them does not. An answer that
//! cannot be read is every answer, or every one of its length. Nobody is accused of an answer that was
//! not seen. Losses show late, when what came after them is delivered: findings since then that
//! have not been told are withdrawn, and their rules are *not evaluable*.
//!
//! # Profiles
//!
//! Every server is judged by `spec` and by the profile it is recognised as. Which that is may show
//! late, so until then it is judged by all of them, side by side; the first finding that is told
//! decides. Rows of the table with a `quirk` are for servers that have it, and rules in `excuses` are
//! let pass. Findings that only `spec` has are told as notes and *known deviations*, and count as they
//! are in the verdict by the specification.
//!
//! # Soundness
//!
//! A false accusation is worse than a missed one. A rule speaks only of what was seen, or follows
//! from it in every world; a doubt ends in silence or in *not evaluable*, never in a guess. Times have
//! five seconds of slack. One fault is one finding: of the rules that a party breaks at one call on one
//! topic, the gravest has it, and the others are its `also`. Every rule that is checked comes with a
//! conversation that breaks it and one that comes near, and a test plays both.
//!
//! # Where to add …
//!
//! - **a transition**, or an answer that must not be: a row in `dissectors/ms-fsrvp/machine.toml`. A
//!   new condition is a [`Guard`](machine::Guard) and an arm in `guards.rs`.
//! - **a rule**: its page in `dissectors/ms-fsrvp/rules/`. Where the table cannot see it, a check in
//!   the file of `rules/` that is about the same: it gets a `Case` and says `expect`, `fail`, `pass`
//!   or `unseen` to the bench, with the topic it is about.
//! - **a rule of \[MS-SCMP\]**: its page in `dissectors/ms-scmp/rules/`, its check in the file of `scmp/`
//!   that is about the same.
//! - **a cause of failed backups**: a table in `dissectors/ms-fsrvp/causes.toml`, or in that of
//!   `ms-scmp` for managing shadow copies, with a conversation
//!   that shows it and one that comes near; a test plays both. What must be known around it and has no
//!   word yet is a line in `chart/circumstance.rs`, set where it is seen.
//! - **a kind of server**: a table in `dissectors/ms-fsrvp/profiles.toml`, how it is recognised in
//!   `recognise.rs`, and its name for people in `src/report/finding.rs`.

mod act;
mod bench;
mod breach;
mod catalogue;
mod cause;
mod chart;
mod crowd;
mod diagnosis;
mod diary;
mod dock;
mod effect;
mod errand;
mod exposed_name;
mod finding;
mod flight;
mod guards;
mod judge;
mod knowledge;
mod load;
pub mod machine;
mod onward;
mod outcome;
mod profile;
mod recognise;
mod report;
mod retry;
mod rules;
mod say;
mod scmp;
mod server;
mod set_report;
mod sets;
mod sight;
mod signatures;
mod stand;
mod tracker;
mod tri;
mod ways;
mod world;

pub use bench::Tally;
pub use catalogue::{Catalogue, Needs, Observable, Rule, section};
pub use cause::{Cause, Causes, Pattern, Retry, Signs};
pub use chart::{Circumstance, Circumstances, Code, Protocol, Slot, Stage};
pub use diagnosis::{Attempt, Diagnosis, Stop};
pub use finding::{Blame, Certainty, Finding, Related, Severity, Spot};
pub use judge::{Judge, Options};
pub use knowledge::Knowledge;
pub use profile::{Assigned, Choice, Profile, Profiles};
pub use report::{Conformance, Operation, Report, ServerReport, Verdict};
pub use scmp::{AreaReport, ChangeReport, CursorReport, ObjectReport, StorageReport, VolumeReport};
pub use set_report::{SetReport, SetStep, SetTimer};
pub use stand::{Stand, StandTimer};
