//! The forms in which `vshark check` writes.

use std::io::{self, Write};

use anyhow::bail;
use vshark::capture::Frame;
use vshark::check::{Knowledge, Report};
use vshark::gate::{Exit, Expectation};
use vshark::pipeline::Event;
use vshark::protocol::Registry;
use vshark::report::check::{CheckList, Options, Scene};
use vshark::report::gate::Gated;
use vshark::report::junit::{self, Suites};
use vshark::report::sarif::{Document, Lore};
use vshark::report::{json, matrix};

use super::super::args::{Check, CheckFormat, Shared};
use super::super::input::Run;
use super::super::judging::Told;
use super::super::select::Selection;
use super::super::width;

/// How findings are written.
pub(super) enum Form<'r> {
    Text(Box<CheckList<'r>>),
    Json,
    Junit(Box<Suites<'r>>),
    Sarif(Box<Document<'r>>),
    /// Not at all: the rules are, in the end.
    Matrix {
        json: bool,
    },
}

/// What came of it.
pub(super) struct Ending<'a> {
    pub(super) report: &'a Report,
    pub(super) gated: Gated<'a>,
    /// Findings of the judge.
    pub(super) found: u64,
    /// Why nothing was judged, if nothing was.
    pub(super) nothing: Option<&'a str>,
}

impl<'r> Form<'r> {
    /// The form that was asked for.
    pub(super) fn new(
        args: &Check,
        shared: &Shared,
        knowledge: &'r Knowledge,
        registry: &'r Registry,
        files: &[String],
        live: bool,
    ) -> anyhow::Result<Self> {
        let scene = |width| {
            let options = Options { time: shared.time.into(), width };
            Scene::new(registry, &knowledge.catalogue, options)
        };
        Ok(match (args.format(), args.matrix) {
            (CheckFormat::Junit | CheckFormat::Sarif, true) => {
                bail!("--matrix is text or JSON: leave --format out, or --format json")
            }
            (format, true) => Self::Matrix { json: format == CheckFormat::Json },
            (CheckFormat::Json, false) => Self::Json,
            (CheckFormat::Junit, false) => {
                Self::Junit(Box::new(Suites::new(scene(Options::WIDTH))))
            }
            (CheckFormat::Sarif, false) => {
                let (rules, causes) = (&knowledge.catalogue, &knowledge.causes);
                let lore = Lore { rules, causes, registry };
                Self::Sarif(Box::new(Document::new(lore, files)))
            }
            (CheckFormat::Text, false) => {
                let scene = scene(width().unwrap_or(Options::WIDTH));
                Self::Text(Box::new(CheckList::new(scene, live)))
            }
        })
    }

    /// Writes what comes before the findings.
    pub(super) fn begin(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Sarif(_) => Document::begin(out),
            _ => Ok(()),
        }
    }

    /// Takes the next frame, of one input or of `several`.
    pub(super) fn frame(&mut self, frame: &Frame<'_>, several: bool) {
        match self {
            Self::Text(list) => list.scene().see_time(frame.time),
            Self::Junit(suites) => suites.scene().see_time(frame.time),
            Self::Sarif(document) if several => document.origins().see(frame),
            Self::Sarif(_) | Self::Json | Self::Matrix { .. } => {}
        }
    }

    /// Takes what happens next.
    pub(super) fn see(&mut self, event: &Event) {
        match self {
            Self::Text(list) => list.scene().see(event),
            Self::Junit(suites) => suites.scene().see(event),
            Self::Sarif(_) | Self::Json | Self::Matrix { .. } => {}
        }
    }

    /// Writes a finding, or keeps it; whether it `fails` the build.
    pub(super) fn finding(
        &mut self,
        told: Told,
        fails: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let Told { finding, mark, shown } = told;
        match self {
            // A case is of all findings of its rule.
            Self::Junit(suites) => suites.finding(&finding, mark, fails, shown),
            _ if !shown => Ok(()),
            Self::Text(_) if mark.is_known() => Ok(()),
            Self::Text(list) => list.finding(finding, mark.allowed, out),
            Self::Json => writeln!(out, "{}", json::line(&json::finding(&finding, mark))),
            Self::Sarif(document) => document.finding(&finding, mark, out),
            Self::Matrix { .. } => Ok(()),
        }
    }

    /// Writes what came of something that was expected.
    pub(super) fn expectation(&self, of: &Expectation, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Json => writeln!(out, "{}", json::line(&json::expectation(of))),
            _ => Ok(()),
        }
    }

    /// Writes what comes after the findings, as far as the summary record does not say it.
    pub(super) fn finish(
        self,
        of: &Ending<'_>,
        knowledge: &Knowledge,
        selection: &Selection<'_>,
        run: &Run<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let Ending { report, gated, found, nothing } = *of;
        let rows = || matrix::rows(knowledge.catalogue.iter(), &report.tallies);
        let times = run.summary().times;
        match self {
            Self::Text(mut list) => list.finish(report, found, &gated, out),
            Self::Json => Ok(()),
            Self::Junit(suites) => {
                let (files, rules) = (&*selection.files, &knowledge.catalogue);
                let began = times.map(|(first, _)| first);
                suites.finish(report, &gated, junit::Frame { files, began, rules, nothing }, out)
            }
            Self::Sarif(document) => {
                let mut notes = Vec::new();
                if gated.exit == Exit::CouldNotRun {
                    notes.push(gated.exit.meaning().to_owned());
                }
                notes.extend(nothing.map(|nothing| format!("judged {nothing}")));
                document.finish(report, &gated, &notes, out)
            }
            Self::Matrix { json: false } => {
                let head = matrix::Head { files: &selection.files, times };
                matrix::write(&head, &rows(), report, out)
            }
            Self::Matrix { json: true } => {
                rows().iter().try_for_each(|row| writeln!(out, "{}", json::line(&json::tally(row))))
            }
        }
    }
}
