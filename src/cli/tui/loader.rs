//! Reading, in a thread of its own: what was read is handed over in batches, and what there is to
//! say of it so far now and then.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use vshark::capture::{Capture, Frame, Origins};
use vshark::check::Knowledge;
use vshark::gate::{FailOn, Gate};
use vshark::pipeline::{Event, Pipeline, Summary};
use vshark::protocol::Registry;
use vshark::report::check::{CheckList, Options, Scene, nothing_judged};
use vshark::report::gate::Gated;
use vshark::report::text::TimeStyle;
use vshark::security::keys::Keyring;
use vshark::trace::{Recorder, Store};
use vshark::tui::{Digest, Loaded, Msg, Statistics};

use super::super::args::Judging;
use super::super::input::{Inputs, Observer, Run};
use super::super::judging::Trial;
use super::super::select::Selection;
use super::Happens;

/// Batches that may wait to be taken.
const AHEAD: usize = 2;
/// Bytes of a batch.
const BATCH: usize = 512 << 10;
/// Frames between looks at the clock.
const FRAMES: u32 = 64;
/// How often what was read is handed over.
const PERIOD: Duration = Duration::from_millis(40);
/// How often, at most, what there is to say so far is said anew, and how much of the time may go into
/// that.
const DIGEST: Duration = Duration::from_millis(400);
const DIGEST_SHARE: u32 = 20;
/// Servers of which it is known by what profile they were judged last; the judge has 512 at a time.
const MAX_PROFILES: usize = 4096;

/// Lets the loader go on: it waits when too much of what it read was not taken.
pub(super) struct Credit(Sender<()>);

impl Credit {
    /// A batch was taken.
    pub(super) fn give(&self) {
        let _ = self.0.send(());
    }
}

/// A judge who fails on what `check` fails on.
pub(super) fn trial(args: &Judging, knowledge: &'static Knowledge) -> anyhow::Result<Judged> {
    let fail_on = FailOn { error: true, operation: true, ..FailOn::default() };
    let gate = Gate::new(fail_on, vshark::gate::Allowed::default(), None);
    let trial = Trial::new(args, knowledge, gate)?;
    Ok(Judged { trial, knowledge })
}

/// What is judged by.
pub(super) struct Judged {
    trial: Trial<'static>,
    knowledge: &'static Knowledge,
}

/// Begins to read.
pub(super) fn start(
    judged: Judged,
    inputs: Arc<Inputs>,
    registry: &'static Registry,
    keys: Arc<Keyring>,
    to: &Sender<Happens>,
) -> Credit {
    let (credit, credits) = channel();
    let to = to.clone();
    thread::spawn(move || {
        let mut ahead = AHEAD;
        let mut take = move |loaded| {
            match ahead {
                0 if credits.recv().is_err() => return false,
                0 => {}
                _ => ahead -= 1,
            }
            to.send(Happens::Msg(Msg::Loaded(Box::new(loaded)))).is_ok()
        };
        let _ = read(judged, &inputs, registry, keys, &mut take);
    });
    Credit(credit)
}

/// Reads everything; `take` is given each batch, and says whether there is to be another.
pub(super) fn read(
    judged: Judged,
    inputs: &Inputs,
    registry: &'static Registry,
    keys: Arc<Keyring>,
    take: &mut (dyn FnMut(Loaded) -> bool + Send),
) -> anyhow::Result<()> {
    let paths = inputs.paths().to_vec();
    let pipeline = Pipeline::tracing(registry).with_keys(keys);
    let mut run = Run::open(inputs, pipeline).without_progress();
    let Judged { mut trial, knowledge } = judged;
    trial.allow(run.skews());
    let selection = Selection::new(None, registry, &paths)?;
    let options = Options { time: TimeStyle::Utc, width: Options::WIDTH };
    let scene = Scene::new(registry, &knowledge.catalogue, options);
    let reading = Reading {
        trial,
        list: CheckList::new(scene, false),
        recorder: Recorder::new(paths.len() > 1),
        statistics: Statistics::default(),
        selection,
        next: Loaded::default(),
        profiles: BTreeMap::new(),
        begun: BTreeSet::new(),
        frames: 0,
        whole: run.whole(),
        handed: Instant::now(),
        digested: None,
        cost: Duration::ZERO,
        fresh: false,
        summary: Summary::default(),
        uncounted: false,
        take,
        gone: false,
    };
    let shared = Mutex::new(reading);
    let live = inputs.is_live();
    thread::scope(|scope| {
        let (end, ended) = channel::<()>();
        if live {
            // What came last is handed over even where nothing follows it.
            scope.spawn(|| {
                let ended = ended;
                while ended
                    .recv_timeout(PERIOD * 2)
                    .is_err_and(|error| error == RecvTimeoutError::Timeout)
                {
                    lock(&shared).hand_over(None);
                }
            });
        }
        let mut observer = Watch { shared: &shared, inputs };
        let read = run.go(&mut observer);
        drop(end);
        let mut reading = lock(&shared);
        reading.trial.finish();
        reading.take_findings();
        reading.next.ended = true;
        reading.next.unreadable = run.is_unreadable();
        let unreadable = run.is_unreadable();
        reading.digest(run.summary(), unreadable);
        reading.progress(run.capture());
        reading.give();
        read
    })
}

fn lock<'m, 't>(shared: &'m Mutex<Reading<'t>>) -> MutexGuard<'m, Reading<'t>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was read and not handed over yet, and what is known so far.
struct Reading<'t> {
    trial: Trial<'static>,
    list: CheckList<'static>,
    recorder: Recorder,
    statistics: Statistics,
    selection: Selection<'static>,
    next: Loaded,
    /// The profile by which each server was judged when its stands were handed over. Added with the
    /// stands; the lowest address goes where there are more than [`MAX_PROFILES`].
    profiles: BTreeMap<IpAddr, Arc<str>>,
    /// Inputs of which it was said where they are read again: those whose frames have begun.
    begun: BTreeSet<usize>,
    /// Frames since the clock was looked at.
    frames: u32,
    whole: Option<u64>,
    handed: Instant,
    digested: Option<Instant>,
    /// What the last digest took.
    cost: Duration,
    /// Whether something happened since the last digest.
    fresh: bool,
    /// What the pipeline had counted by then; in a live read, when something happened last.
    summary: Summary,
    /// Whether something happened since `summary` was made.
    uncounted: bool,
    take: &'t mut (dyn FnMut(Loaded) -> bool + Send),
    /// Whether nobody takes anything any more.
    gone: bool,
}

impl Reading<'_> {
    fn event(&mut self, event: &Event, origins: &Origins) {
        self.recorder.event(event);
        if matches!(event, Event::Unit(_)) {
            return;
        }
        self.fresh = true;
        self.uncounted = true;
        self.list.scene().see(event);
        self.trial.event(event, &self.selection, origins);
        if let Event::Call(call) = event {
            self.statistics.see(call);
            let server = call.server.addr.ip();
            if let Some(stand) = self.trial.judge().stand(server, call.rpc.n) {
                self.stand(server, stand);
            }
        }
        self.take_findings();
    }

    /// Hands over what the judge found since the last time.
    fn take_findings(&mut self) {
        for told in self.trial.findings(&self.selection) {
            self.next.findings.push(told.finding.clone());
            // Writing into nothing cannot fail.
            let _ = self.list.finding(told.finding, false, &mut std::io::sink());
        }
    }

    /// How a server stood around a call; if it is judged by another profile now, around all calls.
    fn stand(&mut self, server: IpAddr, stand: vshark::check::Stand) {
        let profile = self.trial.judge().profile_of(server);
        if let Some(profile) = profile
            && self.profiles.insert(server, profile.clone()).is_some_and(|before| before != profile)
        {
            self.next.anew = true;
            self.next.stands = self.trial.judge().stands();
        } else {
            self.next.stands.push(stand);
        }
        if self.profiles.len() > MAX_PROFILES {
            self.profiles.pop_first();
        }
    }

    fn progress(&mut self, capture: &Capture) {
        let read = capture.files().iter().map(|file| file.bytes).sum();
        self.next.read = (read, self.whole);
    }

    /// Hands over what was read, if it is time or there is much of it. Where nothing comes any more,
    /// there is no `pipeline`: what it counts is as it was.
    fn hand_over(&mut self, pipeline: Option<&Pipeline<'_>>) {
        if self.handed.elapsed() < PERIOD && self.recorder.weight() < BATCH {
            return;
        }
        let due = match self.digested {
            None => true,
            Some(at) => at.elapsed() >= DIGEST.max(self.cost * DIGEST_SHARE),
        };
        if self.fresh && due {
            let summary = pipeline.map_or_else(|| self.summary.clone(), Pipeline::summary);
            self.digest(summary, false);
        }
        if self.recorder.weight() > 0 || self.next.has_news() {
            self.give();
        }
    }

    fn give(&mut self) {
        let read = self.next.read;
        let mut next = std::mem::take(&mut self.next);
        next.batch = self.recorder.take();
        self.next.read = read;
        self.handed = Instant::now();
        if !(self.take)(next) {
            self.gone = true;
        }
    }

    /// What there is to say so far.
    fn digest(&mut self, summary: Summary, unreadable: bool) {
        let begun = Instant::now();
        let report = self.trial.report(&summary);
        let marks = self.trial.gate().diagnoses(&report);
        let exit = self.trial.exit(&report, &marks, false, unreadable);
        let nothing = nothing_judged(&report, self.trial.found());
        let gated = Gated { gate: self.trial.gate(), expectations: None, diagnoses: &marks, exit };
        let opening = self.list.opening(&report, &gated);
        let sheets = self.list.sheets(&report);
        let statistics = self.statistics.clone();
        self.summary = summary.clone();
        let digest = Digest { report, opening, sheets, summary, statistics, nothing };
        self.next.digest = Some(Box::new(digest));
        self.fresh = false;
        self.cost = begun.elapsed();
        self.digested = Some(Instant::now());
    }
}

/// Sees the run and writes down what it sees.
struct Watch<'m, 't, 'i> {
    shared: &'m Mutex<Reading<'t>>,
    inputs: &'i Inputs,
}

impl Observer for Watch<'_, '_, '_> {
    fn before(&mut self, capture: &Capture) {
        let file = capture.frame().file;
        let mut reading = lock(self.shared);
        if reading.begun.insert(file)
            && let Some(store) = store(capture, self.inputs, file)
        {
            reading.recorder.store(file, store);
        }
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        let mut reading = lock(self.shared);
        reading.recorder.frame(frame);
        reading.trial.time(frame.time);
        reading.list.scene().see_time(frame.time);
    }

    fn event(&mut self, event: Event, origins: &Origins) -> anyhow::Result<()> {
        lock(self.shared).event(&event, origins);
        Ok(())
    }

    fn after(&mut self, capture: &Capture, pipeline: &Pipeline<'_>) -> anyhow::Result<()> {
        let mut reading = lock(self.shared);
        if self.inputs.is_live() && std::mem::take(&mut reading.uncounted) {
            // It is digested where nothing follows, too, and then there is no pipeline to ask.
            reading.summary = pipeline.summary();
        }
        reading.frames += 1;
        if reading.frames >= FRAMES || self.inputs.is_live() || reading.recorder.weight() >= BATCH {
            reading.frames = 0;
            reading.progress(capture);
            reading.hand_over(Some(pipeline));
        }
        if reading.gone {
            anyhow::bail!("nobody looks any more");
        }
        Ok(())
    }

    fn tell(&mut self, sentence: &str) {
        lock(self.shared).next.told.push(sentence.to_owned());
    }
}

/// Where the bytes of an input are read again.
fn store(capture: &Capture, inputs: &Inputs, file: usize) -> Option<Store> {
    let path = inputs.paths().get(file)?;
    if let Some(unpacked) = capture.unpacked(file) {
        return unpacked.try_clone().ok().map(Store::Kept);
    }
    match inputs.kept(path) {
        Some(kept) => kept.try_clone().ok().map(Store::Kept),
        None => Some(Store::Path(path.clone())),
    }
}
