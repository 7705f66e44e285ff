//! One finding for a person, drawn as compilers draw their errors.
//!
//! ```text
//! error[FSRVP-3.1.4.5-03]: the set was committed although …
//!   --> call 17 CommitShadowCopySet, frames 120, 122, 02:00:14.123Z, 10.0.0.1 → FS1 (10.0.1.1)
//!      | in the response
//! 0000 | 00 00 00 00
//!      | ^^^^^^^^^^^ return: ZERO
//!      = rule: what it asks for ([MS-FSRVP] 3.1.4.5)
//!      = by: the server
//! ```

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;

use anstyle::{AnsiColor, Color, Style};
use jiff::tz::TimeZone;

use super::excerpt;
use super::prose::{list, wrapped};
use super::text::TimeStyle;
use crate::bytes::{Time, millionths, printable};
use crate::check::{Blame, Catalogue, Certainty, Finding, Rule, Severity};
use crate::gate;
use crate::pipeline::Event;
use crate::protocol::Registry;

/// Frames of a finding that are named.
const MOST_FRAMES: usize = 8;
/// Calls that are named beside a finding.
pub(super) const MOST_RELATED: usize = 8;
/// Columns before `=`.
const GUTTER: &str = "     ";
/// The lines that follow one that begins with `=`.
const HANGING: &str = "       ";

/// How findings are written.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How times are written.
    pub time: TimeStyle,
    /// Columns that lines are broken at.
    pub width: usize,
}

impl Options {
    /// Columns where nobody says how many there are.
    pub const WIDTH: usize = 100;
    /// Fewer columns are taken for this many.
    pub const NARROWEST: usize = 80;
}

/// What it takes to write findings, beside themselves.
#[derive(Debug)]
pub struct Scene<'r> {
    registry: &'r Registry,
    rules: &'r Catalogue,
    pub(super) options: Options,
    start: Option<Time>,
    /// Names of hosts. [`see`](Scene::see) adds, no more than [`MOST_NAMES`](Scene::MOST_NAMES).
    names: BTreeMap<IpAddr, String>,
}

impl<'r> Scene<'r> {
    const MOST_NAMES: usize = 4096;

    /// A scene in which nothing has happened.
    pub fn new(registry: &'r Registry, rules: &'r Catalogue, options: Options) -> Self {
        let width = options.width.max(Options::NARROWEST);
        let options = Options { width, ..options };
        Self { registry, rules, options, start: None, names: BTreeMap::new() }
    }

    /// Takes the time of a frame; relative times count from the first.
    pub fn see_time(&mut self, time: Time) {
        self.start.get_or_insert(time);
    }

    /// Takes the names of hosts from what happens.
    pub fn see(&mut self, event: &Event) {
        match event {
            Event::Call(call) | Event::Asked(call) => {
                for party in [&call.client, &call.server] {
                    self.name(party.addr.ip(), party.name.as_deref());
                }
            }
            Event::Around(around) => self.name(around.server.ip(), around.server_name.as_deref()),
            Event::Unit(_) => {}
        }
    }

    /// The rules.
    pub(super) fn rules(&self) -> &'r Catalogue {
        self.rules
    }

    /// Takes the name of a host.
    pub(super) fn name(&mut self, ip: IpAddr, name: Option<&str>) {
        let Some(name) = name else { return };
        let known = self.names.get(&ip).map(String::as_str);
        if known != Some(name) && (known.is_some() || self.names.len() < Self::MOST_NAMES) {
            self.names.insert(ip, name.to_owned());
        }
    }

    /// Name and address of a host.
    pub(super) fn host(&self, ip: IpAddr) -> String {
        match self.names.get(&ip) {
            Some(name) => format!("{} ({ip})", printable(name)),
            None => ip.to_string(),
        }
    }

    /// A point in time, without the day.
    pub(super) fn clock(&self, time: Time) -> String {
        match self.options.time {
            TimeStyle::Relative => {
                let since = self.start.map_or(0, |start| time.since(start));
                format!("{} s", millionths(since / 1000))
            }
            TimeStyle::Local => {
                let zoned = time.timestamp().to_zoned(TimeZone::system());
                zoned.strftime("%H:%M:%S%.3f%:z").to_string()
            }
            TimeStyle::Utc | TimeStyle::Delta => {
                let zoned = time.timestamp().to_zoned(TimeZone::UTC);
                zoned.strftime("%H:%M:%S%.3fZ").to_string()
            }
        }
    }

    /// A point in time, with the day, to the second.
    pub(super) fn moment(&self, time: Time) -> String {
        let (zone, end) = match self.options.time {
            TimeStyle::Relative => return format!("{} after the start", self.clock(time)),
            TimeStyle::Local => (TimeZone::system(), "%:z"),
            TimeStyle::Utc | TimeStyle::Delta => (TimeZone::UTC, " UTC"),
        };
        let zoned = time.timestamp().to_zoned(zone);
        zoned.strftime(&format!("%-d %b %H:%M:%S{end}")).to_string()
    }

    /// Name of a status that is none of FSRVP's own.
    pub(super) fn status(&self, code: u32) -> String {
        let name = self.registry.status_name(None, code);
        name.map_or_else(|| format!("0x{code:08x}"), str::to_owned)
    }

    /// Where and when it was found, and between whom.
    fn place(&self, finding: &Finding) -> String {
        let mut parts = Vec::new();
        if let Some(call) = finding.call {
            let method = finding.method.as_deref().map(printable);
            parts.push(match (method, finding.opnum) {
                (Some(method), _) => format!("call {call} {method}"),
                (None, Some(opnum)) => format!("call {call} opnum {opnum}"),
                (None, None) => format!("call {call}"),
            });
        }
        let frames: Vec<u64> = finding.frames.iter().map(|frame| frame.0).collect();
        match frames.len() {
            0 => {}
            1 => parts.push(format!("frame {}", list(&frames, 1))),
            _ => parts.push(format!("frames {}", list(&frames, MOST_FRAMES))),
        }
        parts.push(self.clock(finding.time));
        let ends = [finding.client, finding.server].into_iter().flatten();
        let ends: Vec<String> = ends.map(|ip| self.host(ip)).collect();
        parts.extend((!ends.is_empty()).then(|| ends.join(" → ")));
        parts.join(", ")
    }

    /// Writes a finding, which may be `allowed`: let pass; `more` is what is said of those that are
    /// like it.
    pub(super) fn write(
        &self,
        finding: &Finding,
        allowed: bool,
        more: Option<Remark>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut remarks = remarks(finding, self.rules.get(&finding.rule));
        if allowed {
            let word = finding.severity.word();
            let an = if finding.severity == Severity::Error { "an" } else { "a" };
            let said = format!("--allow lets it pass; it would be {an} {word}");
            remarks.push(("allowed".to_owned(), said));
        }
        remarks.extend(more);
        self.draw(finding, allowed, remarks, out)
    }

    fn draw(
        &self,
        finding: &Finding,
        allowed: bool,
        remarks: Vec<Remark>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let width = self.options.width;
        let (bold, blue) = (Style::new().bold(), gutter());
        let (severity, word) = if allowed {
            (style(Severity::Note), "allowed")
        } else {
            (style(finding.severity), finding.severity.word())
        };
        let head = format!("{word}[{}]", printable(&finding.rule));
        let message = printable(&finding.message);
        let mut lines = wrapped(&format!("{head}: "), "    ", &message, width).into_iter();
        if let Some(first) = lines.next() {
            let said = first.strip_prefix(&head).unwrap_or_default();
            writeln!(out, "{severity}{head}{severity:#}{bold}{said}{bold:#}")?;
        }
        for line in lines {
            writeln!(out, "{bold}{line}{bold:#}")?;
        }
        let place = self.place(finding);
        for (n, line) in wrapped("", "", &place, width.saturating_sub(6)).iter().enumerate() {
            let arrow = if n == 0 { "-->" } else { "   " };
            writeln!(out, "  {blue}{arrow}{blue:#} {line}")?;
        }
        for row in excerpt::rows(&finding.spots, width) {
            let (left, text) = (row.left, row.text.trim_end());
            let style = if row.points { severity } else { Style::new() };
            let bar = if text.is_empty() { "|" } else { "| " };
            writeln!(out, "{blue}{left:>4} {bar}{blue:#}{style}{text}{style:#}")?;
        }
        for (head, text) in remarks {
            let head = format!("{head}: ");
            let lines = wrapped(&format!("{GUTTER}= {head}"), HANGING, &text, width);
            for (n, line) in lines.iter().enumerate() {
                // The first of them ends with what follows the head.
                match line.split_once(&*head).filter(|_| n == 0) {
                    Some((_, said)) => {
                        writeln!(out, "{GUTTER}{blue}={blue:#} {bold}{head}{bold:#}{said}")?;
                    }
                    None => writeln!(out, "{line}")?,
                }
            }
        }
        writeln!(out)
    }
}

/// What is said below a finding: what it is, and that.
pub(super) type Remark = (String, String);

/// What is said below a finding.
fn remarks(finding: &Finding, rule: Option<&Rule>) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut say = |head: &str, text: String| remarks.push((head.to_owned(), text));
    if let Some(rule) = rule {
        let (document, section) = rule.section();
        let section = printable(&format!("[{document}] {section}"));
        say("rule", format!("{} ({section})", printable(&rule.statement)));
    }
    let sure = match finding.certainty {
        Certainty::Certain => "",
        Certainty::Likely => ", likely: nothing known would explain it otherwise",
        Certainty::Possible => {
            ", possibly: something that is not in the capture would explain it otherwise"
        }
    };
    if finding.rule.starts_with(gate::PREFIX) {
        say("by", "--expect, and no rule of a specification".to_owned());
    } else {
        say("by", format!("{}{sure}", blamed(finding.party)));
    }
    for related in finding.related.iter().take(MOST_RELATED) {
        say("note", format!("call {}: {}", related.call, printable(&related.note)));
    }
    let beyond: Vec<_> = finding.related.iter().skip(MOST_RELATED).map(|also| also.call).collect();
    if !beyond.is_empty() {
        say("note", format!("more related calls: {}", list(&beyond, MOST_RELATED)));
    }
    if !finding.also.is_empty() {
        say("also", printable(&list(&finding.also, MOST_RELATED)));
    }
    if let Some(profile) = &finding.known {
        let name = profile_name(profile);
        say(&format!("known deviation of {name}"), "its profile expects this".to_owned());
    }
    remarks
}

/// A profile as people call it.
pub(super) fn profile_name(profile: &str) -> String {
    match profile {
        "spec" => "the specification".to_owned(),
        "windows" => "Windows".to_owned(),
        "windows2012" => "Windows Server 2012".to_owned(),
        "samba" => "Samba".to_owned(),
        other => printable(other),
    }
}

fn blamed(party: Blame) -> &'static str {
    match party {
        Blame::Client => "the client",
        Blame::Server => "the server",
        Blame::Transport => "what carries the calls",
        Blame::Both => "client and server",
    }
}

/// The colour of a severity.
pub(super) fn style(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Note => AnsiColor::Cyan,
    };
    Style::new().bold().fg_color(Some(Color::Ansi(colour)))
}

/// The colour of what frames an excerpt.
fn gutter() -> Style {
    Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Blue)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bytes::{FrameNo, Guid, Side, is_invisible};
    use crate::check::{Needs, Observable, Related, Spot};

    /// A rule with a long statement.
    pub(crate) fn rule(id: &str) -> Rule {
        Rule {
            id: id.into(),
            party: Blame::Server,
            statement: "The server answers a commit that comes too late with an error, and the \
                        set is as it was before the call."
                .into(),
            check: String::new(),
            why: String::new(),
            severity: Severity::Error,
            observable: Observable::Full,
            needs: Needs::default(),
            counterexample: None,
            near_miss: None,
            left_out: None,
            corrected: None,
        }
    }

    /// A finding at call 17.
    pub(crate) fn finding(rule: &str) -> Finding {
        Finding {
            rule: rule.into(),
            severity: Severity::Error,
            party: Blame::Server,
            certainty: Certainty::Certain,
            message: "CommitShadowCopySet was answered with success 61 s after the time-out".into(),
            call: Some(17),
            opnum: Some(4),
            method: Some("CommitShadowCopySet".into()),
            frames: vec![FrameNo(120), FrameNo(122)],
            time: Time::from_nanos(1_795_369_758_123_456_000),
            related: Vec::new(),
            also: Vec::new(),
            set: Some(Guid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10)),
            server: Some("10.0.1.1".parse().unwrap()),
            client: Some("10.0.0.1".parse().unwrap()),
            spots: Vec::new(),
            known: None,
            fingerprint: "FSRVP-3.1.4.5-03:server:CommitShadowCopySet:1".into(),
        }
    }

    /// What is written of a finding, without colours.
    #[track_caller]
    fn check(finding: &Finding, rule: Option<&Rule>, width: usize, expect: &str) {
        let registry = Registry::embedded().unwrap();
        let rules = Catalogue::default();
        let options = Options { time: TimeStyle::Utc, width };
        let mut scene = Scene::new(&registry, &rules, options);
        scene.name(finding.server.unwrap(), Some("FS1"));
        let mut out = anstream::StripStream::new(Vec::new());
        scene.draw(finding, false, remarks(finding, rule), &mut out).unwrap();
        let text = String::from_utf8(out.into_inner()).unwrap();
        assert_eq!(text, expect, "\n{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= width.max(Options::NARROWEST), "{line}");
            assert!(!line.chars().any(is_invisible), "{line:?}");
        }
    }

    #[test]
    fn a_finding_says_what_where_and_why() {
        let mut found = finding("FSRVP-3.1.4.5-03");
        let spot = |side, at, octets: &[u8], field: &str, text: &str| Spot {
            side,
            field: field.into(),
            at,
            octets: octets.to_vec(),
            text: text.into(),
        };
        found.spots = vec![
            spot(Side::Client, 16, &[0x60, 0xea, 0, 0], "TimeOutInMilliseconds", "60000"),
            spot(Side::Server, 0, &[0, 0, 0, 0], "return", "ZERO"),
        ];
        found.related = vec![
            Related { call: 12, note: "added the share \\\\FS1\\vol1".into() },
            Related { call: 14, note: "began to prepare the set".into() },
        ];
        found.also = vec!["FSRVP-3.1.5-01".into(), "FSRVP-3.1.5-02".into()];
        found.certainty = Certainty::Likely;
        found.known = Some("samba".into());
        check(
            &found,
            Some(&rule("FSRVP-3.1.4.5-03")),
            80,
            "\
error[FSRVP-3.1.4.5-03]: CommitShadowCopySet was answered with success 61 s
    after the time-out
  --> call 17 CommitShadowCopySet, frames 120, 122, 17:49:18.123Z, 10.0.0.1 →
      FS1 (10.0.1.1)
     | in the request
0010 | 60 ea 00 00
     | ^^^^^^^^^^^ TimeOutInMilliseconds: 60000
     | in the response
0000 | 00 00 00 00
     | ^^^^^^^^^^^ return: ZERO
     = rule: The server answers a commit that comes too late with an error, and
       the set is as it was before the call. ([MS-FSRVP] 3.1.4.5)
     = by: the server, likely: nothing known would explain it otherwise
     = note: call 12: added the share \\\\FS1\\vol1
     = note: call 14: began to prepare the set
     = also: FSRVP-3.1.5-01, FSRVP-3.1.5-02
     = known deviation of Samba: its profile expects this

",
        );
    }

    #[test]
    fn a_finding_may_know_little() {
        let mut found = finding("FSRVP-2.1-04\u{202e}");
        found.severity = Severity::Note;
        found.party = Blame::Transport;
        found.certainty = Certainty::Possible;
        found.message = "\\\\FS1\\\u{1b}[2Jvol".into();
        (found.call, found.opnum, found.client) = (None, None, None);
        found.frames.truncate(1);
        check(
            &found,
            None,
            40,
            "\
note[FSRVP-2.1-04\\u{202e}]: \\\\FS1\\\\u{1b}[2Jvol
  --> frame 120, 17:49:18.123Z, FS1 (10.0.1.1)
     = by: what carries the calls, possibly: something that is not in the
       capture would explain it otherwise

",
        );
    }

    #[test]
    fn much_is_named_in_part() {
        let mut found = finding("X");
        found.opnum = Some(99);
        found.frames = (1..=20).map(FrameNo).collect();
        found.related =
            (1..=20).map(|call| Related { call, note: "said the same".into() }).collect();
        let notes: Vec<String> =
            (1..=8).map(|n| format!("     = note: call {n}: said the same\n")).collect();
        let notes = notes.concat();
        check(
            &found,
            None,
            120,
            &format!(
                "\
error[X]: CommitShadowCopySet was answered with success 61 s after the time-out
  --> call 17 CommitShadowCopySet, frames 1, 2, 3, 4, 5, 6, 7, 8 and 12 more, 17:49:18.123Z, 10.0.0.1 → \
                 FS1 (10.0.1.1)
     = by: the server
{notes}     = note: more related calls: 9, 10, 11, 12, 13, 14, 15, 16 and 4 more

"
            ),
        );
    }
}
