//! `vshark calls`

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use vshark::call::Call;
use vshark::capture::{Frame, Origins};
use vshark::filter::Column;
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::Registry;
use vshark::report::json;
use vshark::report::text::{CallList, Options};

use super::args::{Calls, Format, Shared};
use super::extract::{Extract, Secrets, Wanted};
use super::input::{Inputs, Observer, Run};
use super::secrets::keyring;
use super::select::{Selection, columns};
use super::{say, width};

/// Lists the calls, as text, as records or as columns, and writes their frames where that is asked.
pub(super) fn run(
    args: &Calls,
    shared: &Shared,
    registry: &Registry,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let paths = args.input.paths();
    let selection = Selection::new(shared.filter.as_deref(), registry, &paths)?;
    let keys = keyring(&shared.secrets)?;
    let inputs = Inputs::new(&paths, args.write.is_some())?.following(args.input.follow);
    let live = inputs.is_live();
    let form = match args.format()? {
        Format::Text => {
            let options = Options { time: shared.time.into(), width: width(), eager: live };
            Form::Text(Box::new(CallList::new(registry, options)))
        }
        Format::Json => Form::Json(json::Writer { registry, files: selection.files.clone() }),
        Format::Fields => Form::Fields(columns(&args.fields, registry)?),
    };
    let extract = args.write.as_deref().map(|path| Extract::create(path, &paths)).transpose()?;
    let pipeline = match extract {
        Some(_) => Pipeline::keeping_setup(registry),
        None => Pipeline::new(registry),
    };
    let mut run = Run::open(&inputs, pipeline.with_keys(Arc::clone(&keys)));
    let silent = extract.as_ref().is_some_and(Extract::is_stdout);
    let mut list = List {
        form,
        selection: &selection,
        out,
        live,
        silent,
        shown: 0,
        wanted: Wanted::default(),
    };
    if args.header {
        list.header()?;
    }
    run.go(&mut list)?;
    let List { form, out, shown, wanted, .. } = list;
    if let Form::Text(mut list) = form {
        list.finish(out)?;
    }
    out.flush()?;
    tell_not_listed(&run, &selection, shown);
    if let Some(extract) = extract {
        if run.summary().frames == 0 {
            // Why nothing was read has been told.
            extract.give_up();
        } else {
            say(&extract.write(&wanted, &inputs, &Secrets { keys, registry })?);
        }
    }
    Ok(run.exit_code())
}

/// Silence must not be taken for health.
fn tell_not_listed(run: &Run<'_>, selection: &Selection<'_>, shown: u64) {
    for sentence in run.interrupted().into_iter().chain(run.not_listed()) {
        say(&sentence);
    }
    match run.summary().calls() {
        0 => {}
        1 if shown == 0 && selection.chooses() => say("the only call is not what the filter asks"),
        calls if shown == 0 && selection.chooses() => {
            say(&format!("none of the {calls} calls is what the filter asks for"));
        }
        _ => {}
    }
}

/// How calls are written.
enum Form<'r> {
    Text(Box<CallList<'r>>),
    Json(json::Writer<'r>),
    Fields(Vec<Column>),
}

struct List<'r, 'o> {
    form: Form<'r>,
    selection: &'o Selection<'r>,
    out: &'o mut dyn Write,
    live: bool,
    /// Nothing is listed, for the frames go where the list would.
    silent: bool,
    /// Calls that were listed.
    shown: u64,
    /// What they travelled in.
    wanted: Wanted,
}

impl List<'_, '_> {
    /// The names of the columns.
    fn header(&mut self) -> io::Result<()> {
        match &self.form {
            Form::Fields(columns) => {
                let names: Vec<&str> = columns.iter().map(Column::name).collect();
                writeln!(self.out, "{}", names.join("\t"))
            }
            _ => Ok(()),
        }
    }

    fn list(&mut self, call: &Call, origins: &Origins) -> io::Result<()> {
        match &mut self.form {
            Form::Text(list) => list.call(call, self.out),
            Form::Json(writer) => {
                writeln!(self.out, "{}", json::line(&writer.call(call, origins, None)))
            }
            Form::Fields(columns) => {
                let subject = self.selection.subject(call, origins);
                let values: Vec<String> =
                    columns.iter().map(|column| column.text(&subject)).collect();
                writeln!(self.out, "{}", values.join("\t"))
            }
        }
    }
}

impl Observer for List<'_, '_> {
    fn frame(&mut self, frame: &Frame<'_>) {
        if let Form::Text(list) = &mut self.form {
            list.see_time(frame.time);
        }
    }

    fn event(&mut self, event: Event, origins: &Origins) -> anyhow::Result<()> {
        let Event::Call(call) = event else { return Ok(()) };
        if !self.selection.shows(&call, origins) {
            if let Form::Text(list) = &mut self.form {
                list.pass(call.rpc.n, self.out)?;
            }
            return Ok(());
        }
        self.shown += 1;
        self.wanted.add(&call);
        if self.silent {
            return Ok(());
        }
        self.list(&call, origins)?;
        if self.live {
            self.out.flush()?;
        }
        Ok(())
    }
}
