//! Reading the inputs from beginning to end, with their problems told as they are found.

use std::path::PathBuf;

use anyhow::bail;
use vshark::bytes::LinkType;
use vshark::capture::{Capture, Frame, Origins};
use vshark::net::{self, Dissected, Other};
use vshark::pipeline::{Event, Pipeline, Summary};
use vshark::report::text;

use super::{COULD_NOT_RUN, say};

/// Unknown link types that are told; a file may name thousands.
const MAX_TOLD: usize = 64;

/// A run over all inputs.
pub(super) struct Run<'r> {
    capture: Capture,
    pipeline: Pipeline<'r>,
    events: Vec<Event>,
    origins: Origins,
    several: bool,
    unreadable: bool,
    /// File and link type of the frame before.
    link: Option<(usize, LinkType)>,
    /// Unknown link types that were told; one entry per file and type, as the files list them.
    told: Vec<(usize, LinkType)>,
}

/// What is seen of a run as it goes.
pub(super) trait Observer {
    /// A frame, before what it completes.
    fn frame(&mut self, _: &Frame<'_>) {}
    /// Something happened.
    fn event(&mut self, event: Event, origins: &Origins) -> anyhow::Result<()>;
}

impl<'r> Run<'r> {
    /// Opens the inputs.
    pub(super) fn open(paths: &[PathBuf], pipeline: Pipeline<'r>) -> anyhow::Result<Self> {
        if paths.is_empty() {
            bail!(
                "no capture given: name a pcap, pcapng or Network Monitor file, or - for standard \
                   input"
            );
        }
        Ok(Self {
            capture: Capture::open(paths),
            pipeline,
            events: Vec::new(),
            origins: Origins::default(),
            several: paths.len() > 1,
            unreadable: false,
            link: None,
            told: Vec::new(),
        })
    }

    /// Reads everything; `observer` sees it all.
    pub(super) fn go(&mut self, observer: &mut impl Observer) -> anyhow::Result<()> {
        self.tell_problems();
        while self.capture.advance() {
            for (ip, name) in self.capture.names() {
                self.pipeline.name(ip, name);
            }
            let frame = self.capture.frame();
            if self.several {
                self.origins.see(&frame);
            }
            observer.frame(&frame);
            self.pipeline.frame(&frame, &mut self.events);
            let (link, no) = ((frame.file, frame.link), frame.no_in_file);
            if self.link.replace(link) != Some(link) {
                self.tell_unknown_link(link, no);
            }
            self.hand_over(observer)?;
            self.tell_problems();
        }
        self.tell_problems();
        let unknown = |links: &[LinkType]| !links.is_empty() && !links.iter().any(|l| known(*l));
        self.unreadable |= self.capture.files().iter().any(|file| unknown(&file.links));
        self.pipeline.finish(&mut self.events);
        self.hand_over(observer)
    }

    fn hand_over(&mut self, observer: &mut impl Observer) -> anyhow::Result<()> {
        self.events.drain(..).try_for_each(|event| observer.event(event, &self.origins))
    }

    fn tell_problems(&mut self) {
        for problem in self.capture.problems() {
            self.unreadable |= problem.fatal;
            say(&problem.to_string());
        }
    }

    /// Says once per file that frames of such a type are not read.
    fn tell_unknown_link(&mut self, at: (usize, LinkType), no: u64) {
        let (file, link) = at;
        if known(link) || self.told.len() >= MAX_TOLD || self.told.contains(&at) {
            return;
        }
        self.told.push(at);
        let name = match self.capture.files().get(file).map_or("", |file| &file.name) {
            "-" => "standard input",
            name => name,
        };
        let mut found = link.to_string();
        if !found.starts_with("link type") {
            found = format!("{found} (link type {})", link.0);
        }
        say(&format!(
            "{name}, frame {no}: expected Ethernet, IP, loopback or Linux cooked frames, found \
             {found}, which is not read"
        ));
    }

    /// What a list of the calls cannot show, in a sentence.
    pub(super) fn not_listed(&self) -> Option<String> {
        let summary = self.summary();
        // That nothing could be read has been told.
        if self.unreadable && summary.frames == 0 {
            return None;
        }
        text::not_listed(&summary)
    }

    /// The inputs.
    pub(super) fn capture(&self) -> &Capture {
        &self.capture
    }

    /// What was seen.
    pub(super) fn summary(&self) -> Summary {
        self.pipeline.summary()
    }

    /// The exit code of a command that judges nothing.
    pub(super) fn exit_code(&self) -> std::process::ExitCode {
        if self.unreadable { COULD_NOT_RUN.into() } else { std::process::ExitCode::SUCCESS }
    }
}

/// Whether frames of this type are read.
fn known(link: LinkType) -> bool {
    !matches!(net::dissect(link, &[], 0), Dissected::Other(Other::UnknownLink(_)))
}
