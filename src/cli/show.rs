//! `vshark show`

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use vshark::bytes::{Buffer, FrameNo, LinkType, Piece, View, clamp};
use vshark::call::Call;
use vshark::capture::{Frame, Origins};
use vshark::pipeline::{Event, Pipeline, Unit};
use vshark::protocol::Registry;
use vshark::report::show;

use super::args::{Shared, Show};
use super::input::{Observer, Run};

/// Shows one call or one frame.
pub(super) fn run(
    args: &Show,
    shared: &Shared,
    registry: &Registry,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let watched = args.frame.map(FrameNo);
    let mut run = Run::open(&args.input.paths(), Pipeline::watching(registry, watched))?;
    let mut found = Found { call: args.call, watched, ..Found::default() };
    run.go(&mut found)?;
    if let Some(n) = args.call
        && found.calls.is_empty()
    {
        bail!("there is no call {n}: {}", range(run.summary().calls(), "call", run.not_listed()));
    }
    if let Some(n) = args.frame {
        let Some((link, frame)) = &found.frame else {
            bail!("there is no frame {n}: {}", range(run.summary().frames, "frame", None));
        };
        if let Some(comment) = &found.comment {
            show::comment(comment, out)?;
        }
        show::frame(*link, frame.view(), &found.units, shared.time.into(), out)?;
    }
    for call in &found.calls {
        if args.frame.is_some() {
            writeln!(out)?;
        }
        show::call(call, registry, shared.time.into(), out)?;
    }
    out.flush()?;
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
#[derive(Default)]
struct Found {
    call: Option<u64>,
    watched: Option<FrameNo>,
    calls: Vec<Call>,
    frame: Option<(LinkType, Buffer)>,
    comment: Option<String>,
    units: Vec<Unit>,
}

impl Observer for Found {
    fn frame(&mut self, frame: &Frame<'_>) {
        if self.watched == Some(frame.no) {
            let len = clamp(frame.data.len());
            let piece = Piece { at: 0, len, frame: frame.no, offset: 0, time: frame.time };
            let mut bytes = Buffer::default();
            bytes.push(View::new(frame.data, &[piece], &[]));
            self.frame = Some((frame.link, bytes));
            self.comment = frame.comment.map(str::to_owned);
        }
    }

    fn event(&mut self, event: Event, _: &Origins) -> anyhow::Result<()> {
        match event {
            Event::Call(call) => {
                let messages = [&call.rpc.request, &call.rpc.response];
                let carried = |frame: FrameNo| {
                    messages.iter().any(|message| {
                        message.as_ref().is_some_and(|message| message.frames.contains(&frame))
                    })
                };
                if self.call == Some(call.rpc.n) || self.watched.is_some_and(carried) {
                    self.calls.push(*call);
                }
            }
            Event::Unit(unit) => self.units.push(unit),
        }
        Ok(())
    }
}
