//! How fast vshark is, and in how much memory, beside tshark on the same files.
//!
//! ```text
//! cargo bench --bench throughput                          256 MB of each kind
//! VSHARK_BENCH_MB=1024 cargo bench --bench throughput     more
//! VSHARK_BENCH_ONLY=rpc cargo bench --bench throughput    one kind: bulk, rpc
//! ```
//!
//! The files are made in the target directory, and are gone afterwards.

mod grow;
mod kinds;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use grow::Grown;
use kinds::{Kind, folder, high_water, kinds, make, megabytes, remove, say, say_size};

/// Runs of vshark, of which the fastest counts; tshark is run once.
const RUNS: usize = 3;

/// What a run took.
#[derive(Clone, Copy)]
struct Run {
    time: Duration,
    /// The most memory it ever had, in KiB, where the system tells.
    peak: Option<u64>,
}

fn main() {
    let megabytes = megabytes(256);
    for kind in kinds() {
        measure(&kind, megabytes, &folder());
    }
}

fn measure(kind: &Kind, megabytes: u64, folder: &Path) {
    say(&format!("\n{}: {}", kind.name, kind.about));
    let templates = &kind.templates();
    let program = env!("CARGO_BIN_EXE_vshark");
    let vshark = |command: &str, path: &Path| run(Command::new(program).arg(command).arg(path));
    // Memory must not grow with the file, so an eighth of it is measured too.
    let part = folder.join(format!("{}-part.pcapng", kind.name));
    make(templates, megabytes / 8, &part);
    let of_part = vshark("check", &part).and_then(|run| run.peak);
    remove(&part);

    let path = folder.join(format!("{}.pcapng", kind.name));
    let grown = make(templates, megabytes, &path);
    say_size(&grown);
    let best = |runs: Vec<Option<Run>>| {
        let peak = runs.iter().flatten().filter_map(|run| run.peak).max();
        let time = runs.iter().flatten().map(|run| run.time).min();
        time.map(|time| Run { time, peak })
    };
    let timed = |command: &str| best((0..RUNS).map(|_| vshark(command, &path)).collect());
    let (exported, checked, listed) = (timed("export"), timed("check"), timed("calls"));
    say("running tshark, which takes a while …");
    let fields = ["-Y", "dcerpc", "-T", "fields", "-e", "frame.number"];
    let judge = run(Command::new("tshark").arg("-r").arg(&path).args(fields));
    remove(&path);

    let heads = ["program", "seconds", "GB/s", "packets/s", "peak MiB", "times tshark"];
    line(heads.map(str::to_owned));
    for (name, result) in [
        ("vshark export", exported),
        ("vshark check", checked),
        ("vshark calls", listed),
        ("tshark", judge),
    ] {
        match result {
            Some(run) => line(row(name, run, &grown, judge)),
            None => say(&format!("{name} could not be run")),
        }
    }
    if let (Some(part), Some(whole)) = (of_part, checked.and_then(|run| run.peak)) {
        say(&format!(
            "vshark check took {} MiB for an eighth of it, {} MiB for all of it",
            part / 1024,
            whole / 1024
        ));
    }
}

fn row(name: &str, run: Run, grown: &Grown, judge: Option<Run>) -> [String; 6] {
    let seconds = run.time.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let per_second = |n: u64| n as f64 / seconds;
    [
        name.to_owned(),
        format!("{seconds:.2}"),
        format!("{:.3}", per_second(grown.bytes) / 1e9),
        format!("{:.0}", per_second(grown.frames)),
        run.peak.map_or_else(|| "unknown".to_owned(), |kib| (kib / 1024).to_string()),
        judge.map_or_else(String::new, |of| format!("{:.1}", of.time.as_secs_f64() / seconds)),
    ]
}

fn line([name, cells @ ..]: [String; 6]) {
    let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:>14}")).collect();
    say(&format!("{name:<14}{}", cells.concat()));
}

/// Runs a program to its end; none if there is no such program, or it fails.
fn run(command: &mut Command) -> Option<Run> {
    let begin = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.ok()?;
    let mut peak = None;
    loop {
        peak = high_water(child.id()).or(peak);
        match child.try_wait().ok()? {
            // `check` says 1 where it found what it should.
            Some(status) if status.code().is_some_and(|code| code < 2) => break,
            Some(_) => return None,
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    }
    Some(Run { time: begin.elapsed(), peak })
}
