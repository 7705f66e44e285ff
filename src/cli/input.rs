//! Reading the inputs from beginning to end, with their problems told as they are found.

use std::path::PathBuf;

use anyhow::bail;
use vshark::capture::{Capture, Frame, Origins};
use vshark::pipeline::{Event, Pipeline, Summary};

use super::{COULD_NOT_RUN, say};

/// A run over all inputs.
pub(super) struct Run<'r> {
    capture: Capture,
    pipeline: Pipeline<'r>,
    events: Vec<Event>,
    origins: Origins,
    several: bool,
    unreadable: bool,
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
            bail!("no capture given: name a pcap or pcapng file, or - for standard input");
        }
        Ok(Self {
            capture: Capture::open(paths),
            pipeline,
            events: Vec::new(),
            origins: Origins::default(),
            several: paths.len() > 1,
            unreadable: false,
        })
    }

    /// Reads everything; `observer` sees it all.
    pub(super) fn go(&mut self, observer: &mut impl Observer) -> anyhow::Result<()> {
        self.tell_problems();
        while self.capture.advance() {
            let frame = self.capture.frame();
            if self.several {
                self.origins.see(&frame);
            }
            observer.frame(&frame);
            self.pipeline.frame(&frame, &mut self.events);
            self.hand_over(observer)?;
            self.tell_problems();
        }
        self.tell_problems();
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
