//! The beginning of what `check` says: what was wanted, what stopped it, on whose side, what to do.
//!
//! It is for somebody who runs backups: names before addresses, and no word of the protocol where
//! another will do.

use std::collections::BTreeMap;
use std::net::IpAddr;

use anstyle::Style;

use super::finding::{Scene, style};
use super::gate::Gated;
use super::outcome::operation;
use super::prose::{count, len, list};
use crate::bytes::{FrameNo, printable};
use crate::check::{Attempt, Blame, Certainty, Diagnosis, Operation, Report, Severity};
use crate::gate::{Exit, Gate, Mark, operation_counts};

/// Attempts and diagnoses that are told.
const MOST_TOLD: usize = 20;
/// Lines of attempts that nothing explains.
const MOST_OUTCOMES: usize = 40;
/// Shares in a line.
const MOST_SHARES: usize = 4;
/// Attempts in a line that failed as another did.
const MOST_OTHERS: usize = 6;

/// A line: its head, what it says, and the colour of the head.
#[derive(Clone, Debug)]
pub struct Line {
    /// A word, such as `FAILED` or `why`; empty where the line goes on with the one before.
    pub head: &'static str,
    /// What it says.
    pub text: String,
    /// The colour of the head.
    pub colour: Style,
    /// The call that shows it.
    pub call: Option<u64>,
    /// The frame that shows it, where no call does.
    pub frame: Option<FrameNo>,
}

impl Line {
    fn new(head: &'static str, text: String) -> Self {
        Self { head, text, colour: Style::new().bold(), call: None, frame: None }
    }
}

/// What became of what was wanted, thing by thing, with what stopped it.
/// `faults` are the findings that make the run fail, by whose they are.
pub(super) fn lines(
    report: &Report,
    gated: &Gated<'_>,
    faults: &[(Blame, u64)],
    scene: &Scene<'_>,
) -> Vec<Line> {
    let mut lines = Vec::new();
    if report.attempts.is_empty() && report.operation == Operation::Unknown {
        let text = "whether a backup was tried here, and how it ended, cannot be told: what would \
                    show it could not be read";
        let (_, colour) = operation(Operation::Unknown);
        lines.push(Line {
            head: "UNKNOWN",
            text: text.to_owned(),
            colour,
            call: None,
            frame: None,
        });
    }
    let nothing = report.attempts.is_empty() && report.operation == Operation::None;
    if nothing && !report.servers.is_empty() {
        let text = "no shadow copy was asked for, and no question about one";
        let (_, colour) = operation(Operation::None);
        lines.push(Line {
            head: "NOTHING",
            text: text.to_owned(),
            colour,
            call: None,
            frame: None,
        });
    }
    if report.operation.came_to_nothing()
        && !report.attempts.is_empty()
        && !report.attempts.iter().any(Attempt::is_lasting)
    {
        let text = "shadow copies of which no more is kept than how they ended: see `not seen`";
        let (_, colour) = operation(report.operation);
        lines.push(Line { head: "FAILED", text: text.to_owned(), colour, call: None, frame: None });
    }
    let stopping = report.diagnoses.iter().enumerate().filter(|(_, of)| of.attempts > 0);
    for (at, diagnosis) in stopping.clone().take(MOST_TOLD) {
        add_stopped(&mut lines, (at, diagnosis, gated.mark(at)), report, scene);
    }
    let more = stopping.count().saturating_sub(MOST_TOLD);
    if more > 0 {
        lines
            .push(Line::new("", format!("and {more} more that failed otherwise (--json has all)")));
    }
    add_outcomes(&mut lines, report, scene);
    lines.extend(broken(report, gated, faults));
    for diagnosis in report.diagnoses.iter().filter(|of| of.attempts == 0).take(MOST_TOLD) {
        let from = lines.len();
        lines.push(Line::new("worth a look", sentence(&diagnosis.title)));
        lines.push(Line::new("  why", printable(&diagnosis.explanation)));
        lines.push(Line::new("  do", printable(&diagnosis.remedy)));
        lines.push(Line::new("  sure", sure(diagnosis)));
        shown_by(&mut lines, from, evidence(diagnosis));
    }
    lines
}

/// That rules were broken, where that alone makes the run fail.
fn broken(report: &Report, gated: &Gated<'_>, faults: &[(Blame, u64)]) -> Option<Line> {
    let Gate { fail_on, .. } = gated.gate;
    let failed = fail_on.operation && operation_counts(report, gated.diagnoses);
    if gated.exit != Exit::Failed || failed {
        return None;
    }
    let severities = [Severity::Error, Severity::Warning, Severity::Note];
    let counts = severities
        .into_iter()
        .map(|of| (gated.gate.counts().of(of), of))
        .filter(|(n, of)| *n > 0 && fail_on.has(*of));
    let counts: Vec<String> = counts.map(|(n, of)| count(n, of.word())).collect();
    let whose: Vec<String> =
        faults.iter().map(|(party, n)| format!("{n} {}", by(*party))).collect();
    let whose = match &*whose {
        [] => String::new(),
        whose => format!(" ({})", whose.join(", ")),
    };
    let text = format!(
        "{}{whose} against the specification, which stopped nothing: each is told below",
        counts.join(", ")
    );
    let colour = style(Severity::Error);
    (!counts.is_empty()).then_some(Line { head: "BUT", text, colour, call: None, frame: None })
}

/// Whose doing something is.
fn by(party: Blame) -> &'static str {
    match party {
        Blame::Client => "by the backup program",
        Blame::Server => "by the file server",
        Blame::Transport => "on the way",
        Blame::Both => "by both sides",
    }
}

/// Attempts of which there is no more to say than what became of them; those that are alike but for
/// the time are one line.
fn add_outcomes(lines: &mut Vec<Line>, report: &Report, scene: &Scene<'_>) {
    let mut alike: Vec<(&Attempt, String, Vec<&Attempt>)> = Vec::new();
    let mut places: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut beyond = 0;
    for attempt in report.attempts.iter().filter(|of| of.diagnosis.is_none()) {
        let text = outcome(attempt, scene);
        let key = (head(attempt), text.clone());
        if let Some((_, _, others)) = places.get(&key).and_then(|at| alike.get_mut(*at)) {
            others.push(attempt);
        } else if alike.len() < MOST_OUTCOMES {
            places.insert(key, alike.len());
            alike.push((attempt, text, Vec::new()));
        } else {
            beyond += 1;
        }
    }
    for (first, mut text, others) in alike {
        let when = |of: &Attempt| of.began.map(|began| scene.moment(began));
        match (others.as_slice(), others.last().copied().and_then(when)) {
            ([], _) => text.extend(when(first).map(|began| format!(", {began}"))),
            (others, last) => {
                text.extend([" (", &count(len(others) + 1, "time")]);
                match when(first).zip(last) {
                    Some((first, last)) if first == last => text.extend([", ", &first]),
                    Some((first, last)) => text.extend([", from ", &first, " to ", &last]),
                    None => {}
                }
                text.push(')');
            }
        }
        if let Some(stop) = &first.stopped {
            text = format!("{text}; {}", printable(&stop.said));
        }
        let (_, colour) = operation(first.outcome);
        lines.push(Line { head: head(first), text, colour, call: None, frame: None });
        let from = lines.len() - 1;
        shown_by(lines, from, stopped_at(first));
    }
    if beyond > 0 {
        let text = format!("and {} (--json has all)", count(beyond, "more attempt"));
        lines.push(Line::new("", text));
    }
}

/// What was stopped, by what, and what to do.
fn add_stopped(
    lines: &mut Vec<Line>,
    (at, diagnosis, mark): (usize, &Diagnosis, Mark),
    report: &Report,
    scene: &Scene<'_>,
) {
    let attempts = || report.attempts.iter().filter(|of| of.diagnosis == Some(at));
    let lasting = attempts().find(|attempt| attempt.retried.is_none());
    let Some(first) = lasting.or_else(|| attempts().next()) else { return };
    let (_, colour) = operation(first.outcome);
    let is_managing = first.task.is_some();
    let text = format!("{}: {}", side(diagnosis.party, is_managing), printable(&diagnosis.title));
    let excused = match mark {
        Mark { allowed: true, .. } => " (allowed)",
        _ if mark.is_known() => " (known)",
        _ => "",
    };
    let shown = match stopped_at(first) {
        (None, None) => evidence(diagnosis),
        shown => shown,
    };
    let from = lines.len();
    lines.push(Line {
        head: head(first),
        text: format!("{text}{excused}"),
        colour,
        call: None,
        frame: None,
    });
    let mut what = wanted(first, scene);
    what.extend(first.began.map(|began| format!(", {}", scene.moment(began))));
    let mut parts = vec![reached(first)];
    if let Some(call) = first.stopped.as_ref().and_then(|stop| stop.call) {
        parts.push(format!("stopped at call {call}"));
    }
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if !parts.is_empty() {
        what = format!("{what}; {}", parts.join(", "));
    }
    lines.push(Line::new("what", what));
    lines.push(Line::new("why", printable(&diagnosis.explanation)));
    lines.push(Line::new("what to do", printable(&diagnosis.remedy)));
    let again = match (&diagnosis.retry_note, diagnosis.retry.can_help()) {
        _ if first.retried.is_some() => "it was: failed, then succeeded on retry".to_owned(),
        (Some(note), _) => printable(note),
        (None, true) => "may succeed by itself".to_owned(),
        (None, false) => "fails the same way until that is done".to_owned(),
    };
    lines.push(Line::new("run again?", again));
    lines.push(Line::new("how sure", sure(diagnosis)));
    if let Some(apart) = &diagnosis.tell_apart {
        lines.push(Line::new("or else?", printable(apart)));
    }
    let others: Vec<String> =
        attempts().filter(|of| !std::ptr::eq(*of, first)).map(in_short).collect();
    if !others.is_empty() {
        let n = count(len(&others), "more attempt");
        let named = list(&others, MOST_OTHERS);
        lines.push(Line::new("also", format!("{n} failed for the same reason: {named}")));
    }
    shown_by(lines, from, shown);
    let other = attempts().find(|of| !std::ptr::eq(*of, first)).map(stopped_at);
    if let Some(other) = other {
        let last = lines.len() - 1;
        shown_by(lines, last, other);
    }
}

/// What stopped an attempt: a call, or else a frame.
fn stopped_at(attempt: &Attempt) -> (Option<u64>, Option<FrameNo>) {
    attempt.stopped.as_ref().map_or((None, None), |stop| (stop.call, stop.frame))
}

/// What shows a diagnosis first: a call, or else a frame.
fn evidence(diagnosis: &Diagnosis) -> (Option<u64>, Option<FrameNo>) {
    (diagnosis.evidence.first().copied(), diagnosis.frames.first().copied())
}

/// Says what shows what the lines from one on say.
fn shown_by(lines: &mut [Line], from: usize, (call, frame): (Option<u64>, Option<FrameNo>)) {
    for line in lines.iter_mut().skip(from) {
        (line.call, line.frame) = (call, frame);
    }
}

/// An attempt by its shares and by where it stopped.
fn in_short(attempt: &Attempt) -> String {
    let shares: Vec<String> = attempt.shares.iter().map(|share| shorter(share)).collect();
    let of = if shares.is_empty() { "one".to_owned() } else { list(&shares, MOST_SHARES) };
    match attempt.stopped.as_ref().and_then(|stop| stop.call) {
        Some(call) => format!("{of} (call {call})"),
        None => of,
    }
}

/// How sure a diagnosis is, and where there is more of it.
fn sure(diagnosis: &Diagnosis) -> String {
    let mut parts = vec![match diagnosis.confidence {
        Certainty::Certain => "certain".to_owned(),
        Certainty::Likely => "likely".to_owned(),
        Certainty::Possible => "possible, no more".to_owned(),
    }];
    let others: Vec<String> =
        diagnosis.alternatives.iter().map(|(id, title)| format!("{title} ({id})")).collect();
    if !others.is_empty() {
        parts.push(format!("or: {}", printable(&others.join("; or: "))));
    }
    let id = printable(&diagnosis.cause);
    parts.push(format!("`vshark rules {id}` has more"));
    if let Some(event) = diagnosis.windows_event {
        let log = "FileShareShadowCopyProvider";
        parts.push(format!("a Windows backup host logs event {event} of {log}"));
    }
    parts.join("; ")
}

/// What there is to say of an attempt that nothing explains.
fn outcome(attempt: &Attempt, scene: &Scene<'_>) -> String {
    let mut text = wanted(attempt, scene);
    let reached = reached(attempt);
    let ended = attempt.outcome.came_to_nothing();
    if ended && !reached.is_empty() {
        text = format!("{text}; {reached}");
    }
    text
}

fn head(attempt: &Attempt) -> &'static str {
    match attempt.outcome {
        _ if attempt.retried.is_some() => "RETRIED",
        Operation::Completed => "COMPLETED",
        Operation::Failed => "FAILED",
        Operation::Unfinished if attempt.goes_on => "RUNNING",
        Operation::Unfinished => "UNFINISHED",
        Operation::Unknown => "UNKNOWN",
        Operation::None => "",
    }
}

/// Where something must be done: for a backup, or for who manages shadow copies.
pub(super) fn side(party: Blame, is_managing: bool) -> &'static str {
    match (party, is_managing) {
        (Blame::Client, false) => "on the backup host",
        (Blame::Client, true) => "on the managing computer",
        (Blame::Server, false) => "on the file server",
        (Blame::Server, true) => "on the server",
        (Blame::Transport, false) => "between backup host and file server",
        (Blame::Transport, true) => "between managing computer and server",
        (Blame::Both, false) => "on the backup host or the file server",
        (Blame::Both, true) => "on the managing computer or the server",
    }
}

/// Begins with a capital.
fn sentence(text: &str) -> String {
    let text = printable(text);
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

/// What was wanted, by whom, and of whom.
fn wanted(attempt: &Attempt, scene: &Scene<'_>) -> String {
    let shares: Vec<String> = attempt.shares.iter().map(|share| shorter(share)).collect();
    let asked = attempt.set.is_none() && attempt.outcome == Operation::Completed;
    let of = match (shares.is_empty(), attempt.set) {
        _ if attempt.task.is_some() => attempt.task.as_deref().map(printable).unwrap_or_default(),
        (false, _) if asked => format!("questions about {}", list(&shares, MOST_SHARES)),
        (true, _) if asked => "questions, and no shadow copy,".to_owned(),
        (false, _) => format!("shadow copy of {}", list(&shares, MOST_SHARES)),
        (true, Some(_)) => "shadow copy of shares that are not known".to_owned(),
        (true, None) => "shadow copies".to_owned(),
    };
    let host = |ip: IpAddr| scene.host(ip);
    let server = match (attempt.server, attempt.server_name.as_deref().map(printable)) {
        (Some(ip), Some(name)) if host(ip) == ip.to_string() => format!("{name} ({ip})"),
        (Some(ip), _) => host(ip),
        (None, Some(name)) => name,
        (None, None) => "a server that is not known".to_owned(),
    };
    let mut text = format!("{of} on {server}");
    match (&attempt.user, attempt.client) {
        (Some(user), Some(client)) => {
            text.extend([", by ", &printable(user), " from ", &host(client)]);
        }
        (Some(user), None) => text.extend([", by ", &printable(user)]),
        (None, Some(client)) => text.extend([", from ", &host(client)]),
        (None, None) => {}
    }
    text
}

/// A name that fits into a line.
fn shorter(name: &str) -> String {
    /// Characters.
    const MOST: usize = 60;
    let name = printable(name);
    match name.char_indices().nth(MOST).and_then(|(end, _)| name.get(..end)) {
        Some(beginning) => format!("{beginning}…"),
        None => name,
    }
}

/// How far an attempt got, in plain words.
fn reached(attempt: &Attempt) -> String {
    let words = match attempt.reached {
        Some("GetSupportedVersion" | "IsPathSupported" | "IsPathShadowCopied") => {
            "only questions were answered"
        }
        Some("SetContext") => "got as far as being let in",
        Some("StartShadowCopySet" | "Started") => "got as far as starting the shadow copy",
        Some("AddToShadowCopySet" | "Added") => "got as far as adding the share",
        Some("PrepareShadowCopySet") => "got as far as preparing the snapshot",
        Some("CreationInProgress") => "stopped while the snapshot was taken",
        Some("CommitShadowCopySet" | "Committed") => "the snapshot was taken, and not shown",
        Some("ExposeShadowCopySet" | "Exposed" | "GetShareMapping") => {
            "the snapshot was taken and shown, and not finished"
        }
        Some("RecoveryCompleteShadowCopySet" | "Recovered") => "the snapshot was finished",
        _ => "",
    };
    words.to_owned()
}
