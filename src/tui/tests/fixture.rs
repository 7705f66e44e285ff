//! A model of a capture, read and judged as the program does it.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use crate::capture::Capture;
use crate::check::{Judge, Knowledge, Options as Judging};
use crate::gate::{Exit, Gate};
pub(super) use crate::pipeline::tests::captures::{all as captures, file as capture};
use crate::pipeline::{Event, Pipeline};
use crate::protocol::Registry;
use crate::report::check::{CheckList, Options as Writing, Scene};
use crate::report::gate::Gated;
use crate::report::text::TimeStyle;
use crate::trace::{Recorder, Store};
use crate::tui::keys::named;
use crate::tui::{Digest, Effect, Loaded, Model, Msg, Options, Statistics, Theme, update, view};

pub(super) static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::embedded().unwrap());
pub(super) static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| Knowledge::load(&[]).unwrap());

/// A model to which nothing has been loaded.
pub(super) fn empty(files: &[PathBuf], theme: Theme) -> Model<'static> {
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let options = Options {
        files: files.iter().map(name).collect(),
        time: TimeStyle::Utc,
        theme,
        live: false,
    };
    Model::new(&REGISTRY, &KNOWLEDGE, options)
}

/// What is loaded of a capture, in batches of so many frames.
pub(super) fn loaded(path: &Path, every: u64) -> Vec<Loaded> {
    let mut capture = Capture::open_keeping(&[path.to_path_buf()], &mut |_| None);
    let mut pipeline = Pipeline::tracing(&REGISTRY);
    let mut recorder = Recorder::new(false);
    recorder.store(
        0,
        match capture.unpacked(0) {
            Some(file) => Store::Kept(file.try_clone().unwrap()),
            None => Store::Path(path.to_path_buf()),
        },
    );
    let choice = KNOWLEDGE.choose("auto").unwrap();
    let judging = Judging { choice, all_clients: false, idle_start: false };
    let mut judge = Judge::new(&KNOWLEDGE, judging);
    let writing = Writing { time: TimeStyle::Utc, width: Writing::WIDTH };
    let mut list = CheckList::new(Scene::new(&REGISTRY, &KNOWLEDGE.catalogue, writing), false);
    let (mut statistics, mut events, mut all) = (Statistics::default(), Vec::new(), Vec::new());
    let mut next = Loaded::default();
    let mut take = |events: &mut Vec<Event>,
                    recorder: &mut Recorder,
                    judge: &mut Judge<'_>,
                    next: &mut Loaded| {
        for event in events.drain(..) {
            recorder.event(&event);
            list.scene().see(&event);
            judge.event(&event);
            if let Event::Call(call) = &event {
                statistics.see(call);
                next.stands.extend(judge.stand(call.server.addr.ip(), call.rpc.n));
            }
        }
        next.findings.extend(judge.take_findings());
    };
    while capture.advance() {
        let frame = capture.frame();
        recorder.frame(&frame);
        pipeline.frame(&frame, &mut events);
        judge.time(frame.time);
        take(&mut events, &mut recorder, &mut judge, &mut next);
        if frame.no.0.is_multiple_of(every) {
            next.batch = recorder.take();
            all.push(std::mem::take(&mut next));
        }
    }
    pipeline.finish(&mut events);
    take(&mut events, &mut recorder, &mut judge, &mut next);
    judge.finish();
    next.findings.extend(judge.take_findings());
    let report = judge.report();
    let mut gate = Gate::default();
    let marks = gate.diagnoses(&report);
    let gated = Gated { gate: &gate, expectations: None, diagnoses: &marks, exit: Exit::Fine };
    let opening = list.opening(&report, &gated);
    let summary = pipeline.summary();
    next.anew = true;
    next.stands = judge.stands();
    let (sheets, nothing) = (list.sheets(&report), None);
    let digest = Digest { report, opening, sheets, summary, statistics, nothing };
    next.digest = Some(Box::new(digest));
    next.batch = recorder.take();
    next.ended = true;
    all.push(next);
    all
}

/// A model of a whole capture.
pub(super) fn model(path: &Path, size: (u16, u16), theme: Theme) -> Model<'static> {
    let mut model = empty(&[path.to_path_buf()], theme);
    update(&mut model, Msg::Resize(size.0, size.1));
    for loaded in loaded(path, 50) {
        update(&mut model, Msg::Loaded(Box::new(loaded)));
    }
    model
}

/// Presses keys, and does what takes long to its end after each; gives the effects.
pub(super) fn press(model: &mut Model<'_>, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for name in keys.split_whitespace() {
        let typed: Vec<String> = match name.strip_prefix("text:") {
            Some(text) => text.chars().map(String::from).collect(),
            None => vec![name.to_owned()],
        };
        for key in typed {
            effects.extend(update(model, Msg::Key(named(&key).unwrap())));
            while model.is_busy() {
                effects.extend(update(model, Msg::Work));
            }
        }
    }
    effects
}

/// What is drawn.
pub(super) fn drawn(model: &Model<'_>, size: (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    terminal.draw(|frame| view(model, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// The rows of the screen as text.
pub(super) fn rows(model: &Model<'_>, size: (u16, u16)) -> Vec<String> {
    let buffer = drawn(model, size);
    let row = |cells: &[ratatui::buffer::Cell]| {
        cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
    };
    buffer.content().chunks(usize::from(size.0)).map(row).collect()
}
