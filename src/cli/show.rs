//! `vshark show`

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use vshark::bytes::{Buffer, FrameNo, LinkType, Piece, View, clamp};
use vshark::call::{Call, Readable};
use vshark::capture::{Frame, Origins};
use vshark::pipeline::{Event, Pipeline, Unit};
use vshark::protocol::Registry;
use vshark::report::sealed::calls_take;
use vshark::report::show;
use vshark::report::text::TimeStyle;

use super::args::{Shared, Show};
use super::input::{Inputs, Observer, Run};
use super::secrets::keyring;
use super::{say, select::Selection};

/// Shows one call, one frame, or the calls that have something in common.
pub(super) fn run(
    args: &Show,
    shared: &Shared,
    registry: &Registry,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let watched = args.frame.map(FrameNo);
    if args.call.is_none() && watched.is_none() && shared.filter.is_none() {
        bail!("say what to show: --call N, --frame N, or -Y with what the calls have in common");
    }
    let paths = args.input.paths();
    let selection = Selection::new(shared.filter.as_deref(), registry, &paths)?;
    let keys = keyring(&shared.secrets)?;
    let inputs = Inputs::new(&paths, false)?.following(args.input.follow);
    let pipeline = Pipeline::watching(registry, watched).with_keys(keys);
    let mut run = Run::open(&inputs, pipeline);
    let mut found = Found {
        call: args.call,
        watched,
        selection,
        time: shared.time.into(),
        out,
        met: 0,
        shown: 0,
        sealed: false,
        calls: Vec::new(),
        frame: None,
        comment: None,
        units: Vec::new(),
    };
    run.go(&mut found)?;
    let calls = run.summary().calls();
    if let Some(n) = args.frame {
        found.show_frame(n, &run)?;
    } else if let (Some(n), 0) = (args.call, found.met) {
        bail!("there is no call {n}: {}", range(calls, "call", run.not_listed()));
    } else if found.shown == 0 {
        match (args.call, calls) {
            (Some(n), _) => bail!("call {n} is not what the filter asks for"),
            (None, 0) => bail!("{}", range(0, "call", run.not_listed())),
            (None, _) => bail!("no call is what the filter asks for, of {calls} in all"),
        }
    }
    found.out.flush()?;
    if found.sealed {
        // It may be told by what comes after the call.
        for sentence in calls_take(&run.summary()) {
            say(&sentence);
        }
    }
    Ok(run.exit_code())
}

/// Which numbers there are, or why there are none.
fn range(most: u64, what: &str, why: Option<String>) -> String {
    match (most, why) {
        (0, Some(why)) => why,
        (0, None) => format!("no {what} could be read"),
        (1, _) => format!("the only {what} is number 1"),
        _ => format!("the {what}s are numbered 1 to {most}"),
    }
}

/// What was looked for, as far as it was found.
struct Found<'r, 'o> {
    call: Option<u64>,
    watched: Option<FrameNo>,
    selection: Selection<'r>,
    time: TimeStyle,
    out: &'o mut dyn Write,
    /// Calls that were looked for by number or frame, or all.
    met: u64,
    /// Those of them that were shown.
    shown: u64,
    /// Whether one of these is sealed.
    sealed: bool,
    /// Calls that the frame carried, which are shown after it.
    calls: Vec<Call>,
    frame: Option<(LinkType, Buffer)>,
    comment: Option<String>,
    units: Vec<Unit>,
}

impl Found<'_, '_> {
    fn show_frame(&mut self, n: u64, run: &Run<'_>) -> anyhow::Result<()> {
        let Some((link, frame)) = &self.frame else {
            bail!("there is no frame {n}: {}", range(run.summary().frames, "frame", None));
        };
        if let Some(comment) = &self.comment {
            show::comment(comment, self.out)?;
        }
        show::frame(*link, frame.view(), &self.units, self.time, self.out)?;
        for call in std::mem::take(&mut self.calls) {
            writeln!(self.out)?;
            show::call(&call, self.selection.registry, self.time, self.out)?;
        }
        Ok(())
    }
}

impl Observer for Found<'_, '_> {
    fn frame(&mut self, frame: &Frame<'_>) {
        if self.watched == Some(frame.no) {
            let len = clamp(frame.data.len());
            let piece =
                Piece { at: 0, len, frame: frame.no, offset: 0, time: frame.time, made: false };
            let mut bytes = Buffer::default();
            bytes.push(View::new(frame.data, &[piece], &[]));
            self.frame = Some((frame.link, bytes));
            self.comment = frame.comment.map(str::to_owned);
        }
    }

    fn event(&mut self, event: Event, origins: &Origins) -> anyhow::Result<()> {
        let call = match event {
            Event::Call(call) => *call,
            Event::Unit(unit) => {
                self.units.push(unit);
                return Ok(());
            }
            Event::Asked(_) | Event::Around(_) => return Ok(()),
        };
        let messages = [&call.rpc.request, &call.rpc.response];
        let carried = |frame: FrameNo| {
            let mut messages = messages.iter().filter_map(|message| message.as_ref());
            messages.any(|message| message.frames.contains(&frame))
        };
        let looked_for = match (self.call, self.watched) {
            (None, None) => true,
            (n, watched) => n == Some(call.rpc.n) || watched.is_some_and(carried),
        };
        self.met += u64::from(looked_for);
        if !looked_for || !self.selection.shows(&call, origins) {
            return Ok(());
        }
        self.shown += 1;
        self.sealed |=
            [&call.request, &call.response].iter().any(|stub| stub.readable == Readable::Sealed);
        if self.watched.is_some() {
            self.calls.push(call);
            return Ok(());
        }
        if self.shown > 1 {
            writeln!(self.out)?;
        }
        show::call(&call, self.selection.registry, self.time, self.out)?;
        Ok(())
    }
}
