//! Reading the inputs from beginning to end, with their problems told as they are found.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, bail};
use vshark::bytes::{LinkType, View, millionths};
use vshark::capture::{self, Again, Capture, Frame, Kept, Origins};
use vshark::net::{self, Dissected, Other};
use vshark::pipeline::{Event, Pipeline, Summary};
use vshark::report::{text, unseen};
use vshark::skew::{self, Skew};

use super::interrupt;
use super::progress::Progress;
use super::{COULD_NOT_RUN, say};

/// Unknown link types that are told; a file may name thousands.
const MAX_TOLD: usize = 64;

/// Whether a path stands for standard input, or, where one is written to, for standard output.
pub(super) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Whether an input can be read only once. What cannot be opened fails the same way again.
pub(super) fn is_stream(path: &Path) -> bool {
    let known = path.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir());
    is_stdin(path) || known
}

/// The inputs, to be read once or twice.
pub(super) struct Inputs {
    paths: Vec<PathBuf>,
    /// Whether files are read on when they grow.
    follow: bool,
    /// Whether every frame can be read again, wherever it is.
    traced: bool,
    /// What is kept of each stream that has to be read twice. Added by [`Inputs::new`].
    kept: BTreeMap<PathBuf, File>,
    /// Whether they were opened before: then what was kept of a stream is all there is of it.
    opened: OnceLock<()>,
    /// How far their clocks are off, once a run has compared them; empty where that is not possible.
    skews: OnceLock<Vec<Option<Skew>>>,
}

impl Inputs {
    /// Nothing is opened yet.
    pub(super) fn new(paths: &[PathBuf], twice: bool) -> anyhow::Result<Self> {
        if paths.is_empty() {
            bail!(
                "no capture given: name a pcap, pcapng or Network Monitor file, or - for standard \
                 input"
            );
        }
        let mut kept = BTreeMap::new();
        for path in paths.iter().filter(|path| twice && is_stream(path)) {
            let file = capture::temporary().context("a temporary file could not be made")?;
            kept.insert(path.clone(), file);
        }
        let skews = OnceLock::new();
        let opened = OnceLock::new();
        Ok(Self { paths: paths.to_vec(), follow: false, traced: false, kept, opened, skews })
    }

    /// Files are read on when they grow.
    pub(super) fn following(self, follow: bool) -> Self {
        Self { follow, ..self }
    }

    /// Every frame can be read again, wherever it is.
    #[cfg(feature = "tui")]
    pub(super) fn traced(self) -> Self {
        Self { traced: true, ..self }
    }

    /// Whether more may come after what is there now.
    pub(super) fn is_live(&self) -> bool {
        self.follow || self.paths.iter().any(|path| is_stdin(path))
    }

    /// The file that has what was read of a stream.
    #[cfg(feature = "tui")]
    pub(super) fn kept(&self, path: &Path) -> Option<&File> {
        self.kept.get(path)
    }

    /// The inputs by name.
    #[cfg(feature = "tui")]
    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Opens them.
    fn open(&self) -> Capture {
        let open = if self.traced { Capture::open_keeping } else { Capture::open_with };
        // The terminal UI takes signals itself, and must give the terminal back: no other handler may
        // stand in for its own. Its inputs end when the program does.
        let heard = !self.traced;
        let again = self.opened.set(()).is_err();
        open(&self.paths, &mut |path| {
            if let Some(kept) = self.kept.get(path).filter(|_| again) {
                return Some(Box::new(Again::new(kept.try_clone().ok()?)));
            }
            let from: Box<dyn Read + Send> = match path {
                path if is_stdin(path) => Box::new(interrupt::stdin(heard)),
                path if self.follow && path.is_file() => {
                    Box::new(interrupt::growing(path, heard).ok()?)
                }
                path if self.kept.contains_key(path) => Box::new(File::open(path).ok()?),
                _ => return None,
            };
            let to = self.kept.get(path).map(File::try_clone);
            Some(match to {
                None => from,
                Some(to) => Box::new(Kept::new(from, to.ok()?)),
            })
        })
    }

    /// How far their clocks are off; empty where they were not compared.
    fn skews(&self) -> &[Option<Skew>] {
        self.skews.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// Opens them once more, after a run has read what is looked for: the same frames have the same
    /// numbers, as the same clocks are corrected.
    pub(super) fn again(&self) -> Capture {
        let mut capture = Capture::open_with(&self.paths, &mut |path| {
            let kept = self.kept.get(path)?.try_clone().ok()?;
            Some(Box::new(Again::new(kept)))
        });
        allow_for(self.skews(), &mut capture);
        capture
    }

    /// Bytes of all of them, where that is known.
    fn len(&self) -> Option<u64> {
        let len = |path: &PathBuf| path.metadata().ok().filter(Metadata::is_file).map(|m| m.len());
        self.paths.iter().map(len).sum()
    }
}

/// A run over all inputs.
pub(super) struct Run<'r> {
    capture: Capture,
    /// How far the clocks of the inputs are off; empty where they were not compared.
    skews: &'r [Option<Skew>],
    /// Bytes of the inputs, where that is known.
    len: Option<u64>,
    calls: u64,
    pipeline: Pipeline<'r>,
    events: Vec<Event>,
    origins: Origins,
    several: bool,
    unreadable: bool,
    /// File and link type of the frame before.
    link: Option<(usize, LinkType)>,
    /// Unknown link types that were told; one entry per file and type, as the files list them.
    told: Vec<(usize, LinkType)>,
    /// What was found when the inputs were opened, in sentences that are not told yet.
    found: Vec<String>,
    /// Whether how far it has come is shown on the terminal.
    shows_progress: bool,
}

/// What is seen of a run as it goes.
pub(super) trait Observer {
    /// The inputs, before their current frame is seen.
    fn before(&mut self, _: &Capture) {}
    /// A frame, before what it completes.
    fn frame(&mut self, _: &Frame<'_>) {}
    /// Something happened.
    fn event(&mut self, event: Event, origins: &Origins) -> anyhow::Result<()>;
    /// That was all that the frame completed.
    fn after(&mut self, _: &Capture, _: &Pipeline<'_>) -> anyhow::Result<()> {
        Ok(())
    }
    /// Something about the inputs that people should know, in a sentence.
    fn tell(&mut self, sentence: &str) {
        say(sentence);
    }
}

impl<'r> Run<'r> {
    /// Opens the inputs.
    pub(super) fn open(inputs: &'r Inputs, pipeline: Pipeline<'r>) -> Self {
        let mut capture = inputs.open();
        let packed = capture.files().iter().any(|file| file.compression.is_some());
        let mut found = Vec::new();
        inputs.skews.get_or_init(|| compare_clocks(&inputs.paths, &mut found));
        let skews = inputs.skews();
        allow_for(skews, &mut capture);
        Self {
            capture,
            skews,
            len: inputs.len().filter(|_| !packed),
            calls: 0,
            pipeline,
            events: Vec::new(),
            origins: Origins::default(),
            several: inputs.paths.len() > 1,
            unreadable: false,
            link: None,
            told: Vec::new(),
            found,
            shows_progress: true,
        }
    }

    /// How far it has come is shown by somebody else.
    #[cfg(feature = "tui")]
    pub(super) fn without_progress(self) -> Self {
        Self { shows_progress: false, ..self }
    }

    /// Reads everything; `observer` sees it all.
    pub(super) fn go(&mut self, observer: &mut impl Observer) -> anyhow::Result<()> {
        for sentence in std::mem::take(&mut self.found) {
            observer.tell(&sentence);
        }
        self.tell_problems(observer);
        let mut progress = Progress::new(self.len, self.shows_progress);
        while self.capture.advance() {
            progress
                .frame(|| (self.capture.files().iter().map(|file| file.bytes).sum(), self.calls));
            for (ip, name) in self.capture.names() {
                self.pipeline.name(ip, name);
            }
            let frame = self.capture.frame();
            if self.several {
                self.origins.see(&frame);
            }
            observer.before(&self.capture);
            observer.frame(&frame);
            self.pipeline.frame(&frame, &mut self.events);
            let (link, no) = ((frame.file, frame.link), frame.no_in_file);
            if self.link.replace(link) != Some(link) {
                self.tell_unknown_link(link, no, observer);
            }
            self.hand_over(observer)?;
            observer.after(&self.capture, &self.pipeline)?;
            self.tell_problems(observer);
        }
        self.tell_problems(observer);
        let unknown = |links: &[LinkType]| !links.is_empty() && !links.iter().any(|l| known(*l));
        self.unreadable |= self.capture.files().iter().any(|file| unknown(&file.links));
        self.pipeline.finish(&mut self.events);
        self.hand_over(observer)
    }

    fn hand_over(&mut self, observer: &mut impl Observer) -> anyhow::Result<()> {
        for event in self.events.drain(..) {
            self.calls += u64::from(matches!(event, Event::Call(_)));
            observer.event(event, &self.origins)?;
        }
        Ok(())
    }

    fn tell_problems(&mut self, observer: &mut impl Observer) {
        if interrupt::happened() {
            // The input did not end where it was cut.
            self.capture.problems();
        }
        for problem in self.capture.problems() {
            self.unreadable |= problem.fatal;
            observer.tell(&problem.to_string());
        }
    }

    /// Says once per file that frames of such a type are not read.
    fn tell_unknown_link(&mut self, at: (usize, LinkType), no: u64, observer: &mut impl Observer) {
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
        observer.tell(&format!(
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
        unseen::not_listed(&summary)
    }

    /// What there was when the read was interrupted, in a sentence.
    pub(super) fn interrupted(&self) -> Option<String> {
        interrupt::happened().then(|| text::so_far(&self.summary()))
    }

    /// Bytes of all inputs, where that is known.
    #[cfg(feature = "tui")]
    pub(super) fn whole(&self) -> Option<u64> {
        self.len
    }

    /// The inputs.
    pub(super) fn capture(&self) -> &Capture {
        &self.capture
    }

    /// How far the clocks of the inputs are off.
    pub(super) fn skews(&self) -> &[Option<Skew>] {
        self.skews
    }

    /// What was seen.
    pub(super) fn summary(&self) -> Summary {
        self.pipeline.summary()
    }

    /// Whether an input, or the rest of one, could not be read.
    pub(super) fn is_unreadable(&self) -> bool {
        self.unreadable
    }

    /// The exit code of a command that judges nothing.
    pub(super) fn exit_code(&self) -> std::process::ExitCode {
        if self.unreadable { COULD_NOT_RUN.into() } else { std::process::ExitCode::SUCCESS }
    }
}

/// Compares the clocks of several files, and tells what was found.
fn compare_clocks(paths: &[PathBuf], told: &mut Vec<String>) -> Vec<Option<Skew>> {
    if paths.len() < 2 {
        return Vec::new();
    }
    if paths.iter().any(|path| is_stream(path)) {
        let sentence = "the clocks of the inputs are not compared, since one can be read only once";
        told.push(sentence.to_owned());
        return Vec::new();
    }
    let skews = skew::estimate(paths);
    for (path, skew) in paths.iter().zip(&skews) {
        let Some(skew) = skew.filter(is_known) else { continue };
        let reference = paths.get(skew.of).map(|path| path.display().to_string());
        let seconds = |nanos: i64| millionths(nanos / 1000);
        let way = if skew.ahead < 0 { "behind" } else { "ahead of" };
        let delay = if skew.both_ways {
            ""
        } else {
            ", all in one direction, so that the delay between them is part of it"
        };
        told.push(format!(
            "{}: its clock is {} s {way} that of {}, give or take {} s, by {} packets seen in \
             both{delay}; its times are corrected",
            path.display(),
            seconds(skew.ahead.saturating_abs()),
            reference.unwrap_or_default(),
            seconds(skew.uncertainty.saturating_add(999)),
            skew.packets,
        ));
    }
    skews
}

/// Whether two clocks differ at all: what is less than the estimate may be off is none.
fn is_known(skew: &Skew) -> bool {
    skew.ahead.saturating_abs() > skew.uncertainty
}

/// Takes what clocks are ahead off the times of their frames.
pub(super) fn allow_for(skews: &[Option<Skew>], capture: &mut Capture) {
    for (file, skew) in skews.iter().enumerate() {
        if let Some(skew) = skew.filter(is_known) {
            capture.set_shift(file, skew.ahead.saturating_neg());
        }
    }
}

/// Whether frames of this type are read.
fn known(link: LinkType) -> bool {
    !matches!(
        net::dissect(link, View::new(&[], &[], &[]), 0),
        Dissected::Other(Other::UnknownLink(_))
    )
}
