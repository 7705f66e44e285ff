//! What is measured, and the table of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use vshark::tui::View;

use crate::keys::{Key, Sight, round};
use crate::kinds::{folder, high_water, kinds, make, megabytes, remove, say, say_size};
use crate::terminal::Terminal;

/// Columns and rows.
const SIZE: (u16, u16) = (200, 60);
/// Starts of which the first screen is waited for.
const STARTS: usize = 5;
/// Keys for which there is time while the file is read; each takes its own time besides.
const MEANWHILE: u32 = 400;
/// From the answer to a key to the next key afterwards.
const PAUSE: Duration = Duration::from_millis(15);
/// Calls that are there before the first key: each list has more rows than the screen.
const CALLS: u64 = 300;
/// Keys that are typed once all of the file was read.
const AFTERWARDS: usize = 105;
/// How long a key may take before it counts as unanswered.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long nobody types, to see that nothing is done.
const IDLE: Duration = Duration::from_secs(2);
/// How long after the last screen that begins: the thread that read puts its memory back.
const SETTLED: Duration = Duration::from_secs(1);
/// What the program writes at the end of each screen: the cursor is hidden.
const END: &[u8] = b"\x1b[?25l";

/// Measures all kinds that are asked for.
pub(crate) fn all() {
    let megabytes = megabytes(1024);
    for kind in kinds() {
        say(&format!("\n{}: {}", kind.name, kind.about));
        let path = folder().join(format!("terminal-{}.pcapng", kind.name));
        say_size(&make(&kind.templates(), megabytes, &path));
        measure(&path);
        remove(&path);
    }
}

fn measure(path: &Path) {
    let (listed, checked) = (run("calls", path), run("check", path));
    let mut starts: Vec<Duration> = (0..STARTS).map(|_| start(path)).collect();
    let read = read(path);
    let typed = type_keys(path, read.loaded / MEANWHILE);
    let row = |name: &str, text: String| say(&format!("{name:<28}{text}"));
    starts.sort();
    let memory =
        |kib: Option<u64>| kib.map_or("unknown".to_owned(), |kib| format!("{} MiB", kib >> 10));
    row("first screen", format!("{} ms", millis(starts[STARTS / 2])));
    let whole = format!("{} s; {} s with keys", seconds(read.loaded), seconds(typed.loaded));
    row("all of the file", whole);
    row("`vshark calls`, `check`", format!("{} s, {} s", seconds(listed), seconds(checked)));
    row("peak memory", format!("{}; {} with keys", memory(read.peak), memory(typed.peak)));
    row("index", read.index);
    let idle = read.idle.map_or("unknown".to_owned(), |time| format!("{} ms", time.as_millis()));
    row("processor while idle", format!("{idle} in {} s", IDLE.as_secs()));
    table(&typed);
}

/// A terminal with the program in it that opens a file.
fn open(path: &Path) -> Terminal {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vshark"));
    command.arg(path).env("TERM", "xterm-256color").env_remove("NO_COLOR");
    Terminal::open(command, SIZE, |command| command)
}

fn quit(mut terminal: Terminal) {
    terminal.keys("q");
    assert!(terminal.ends().success(), "the program fails");
}

/// How long a command takes that reads the same and shows nothing.
fn run(command: &str, path: &Path) -> Duration {
    let begun = Instant::now();
    let mut program = Command::new(env!("CARGO_BIN_EXE_vshark"));
    let program = program.arg(command).arg(path).stdout(Stdio::null()).stderr(Stdio::null());
    let code = program.status().expect("the program runs").code();
    // `check` says 1 where it found what it should.
    assert!(code.is_some_and(|code| code < 2), "`vshark {command}` fails");
    begun.elapsed()
}

/// Waits for a screen without asking how long; the program must not end meanwhile.
fn wait(terminal: &mut Terminal, is: impl Fn(&Terminal) -> bool) {
    while !(terminal.raw.ends_with(END) && is(terminal)) {
        assert!(terminal.take(PATIENCE).is_some(), "the program ended");
    }
}

/// From the start to the first screen with tabs and a title.
fn start(path: &Path) -> Duration {
    let begun = Instant::now();
    let mut terminal = open(path);
    wait(&mut terminal, |terminal| {
        let rows = terminal.rows();
        rows[0].contains("1 Overview") && rows[1].starts_with("━━ operation")
    });
    let took = begun.elapsed();
    quit(terminal);
    took
}

/// What the last row says: calls so far, and whether that is all.
fn progress(terminal: &Terminal) -> (u64, bool) {
    let rows = terminal.rows();
    let row = rows.last().map(String::as_str).unwrap_or_default();
    let before = row.rsplit_once(" calls").map(|(before, _)| before).unwrap_or_default();
    let calls = before.split(' ').next_back().and_then(|n| n.parse().ok());
    (calls.unwrap_or(0), row.ends_with(" frames"))
}

/// What is seen where nobody types.
struct Seen {
    loaded: Duration,
    peak: Option<u64>,
    /// What the program says its index takes.
    index: String,
    /// Processor time while nothing was done.
    idle: Option<Duration>,
}

fn read(path: &Path) -> Seen {
    const SAYS: (&str, &str) = ("the index of all that takes ", " of memory");
    let begun = Instant::now();
    let mut terminal = open(path);
    wait(&mut terminal, |terminal| progress(terminal).1);
    let loaded = begun.elapsed();
    let pid = terminal.child.id();
    let peak = high_water(pid);
    while terminal.take(SETTLED) == Some(true) {}
    let before = processor(pid);
    std::thread::sleep(IDLE);
    let idle = processor(pid).zip(before).map(|(after, before)| after.saturating_sub(before));
    terminal.keys("7G");
    let index = |terminal: &Terminal| {
        let rows = terminal.rows();
        let found = rows.iter().find_map(|row| row.split_once(SAYS.0)?.1.split_once(SAYS.1));
        found.map(|(size, _)| size.to_owned())
    };
    wait(&mut terminal, |terminal| index(terminal).is_some());
    let index = index(&terminal).unwrap_or_default();
    quit(terminal);
    Seen { loaded, peak, index, idle }
}

/// Processor time that a process took so far. Only Linux tells, in hundredths of a second.
fn processor(pid: u32) -> Option<Duration> {
    const TICK: u64 = 10;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, which may have blanks in it, ends with the last bracket.
    let (_, rest) = stat.rsplit_once(')')?;
    let spent = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let spent: u64 = spent.sum::<Result<u64, _>>().ok()?;
    Some(Duration::from_millis(spent * TICK))
}

/// Processor time that the thread that draws took so far, which is the first of the process. Only Linux
/// tells.
fn drawing(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/schedstat")).ok()?;
    Some(Duration::from_nanos(stat.split_whitespace().next()?.parse().ok()?))
}

/// What was seen where keys are typed.
struct Typed {
    loaded: Duration,
    peak: Option<u64>,
    /// While the file is read, and afterwards.
    keys: [Vec<Answer>; 2],
}

/// A key, and how long it took until it was answered; none if it was not.
struct Answer {
    view: View,
    key: Key,
    took: Option<Duration>,
    /// For how long of this the thread that draws had the processor.
    computed: Option<Duration>,
}

fn type_keys(path: &Path, meanwhile: Duration) -> Typed {
    let begun = Instant::now();
    let mut terminal = open(path);
    wait(&mut terminal, |terminal| {
        let (calls, all) = progress(terminal);
        calls >= CALLS || all
    });
    let mut keys = [Vec::new(), Vec::new()];
    let mut loaded = None;
    for (view, key) in round().into_iter().cycle() {
        if loaded.is_none() && progress(&terminal).1 {
            loaded = Some(begun.elapsed());
        }
        let which = &mut keys[usize::from(loaded.is_some())];
        which.push(press(&mut terminal, view, key));
        pause(&mut terminal, if loaded.is_some() { PAUSE } else { meanwhile });
        if keys[1].len() >= AFTERWARDS {
            break;
        }
    }
    let peak = high_water(terminal.child.id());
    quit(terminal);
    Typed { loaded: loaded.unwrap_or_default(), peak, keys }
}

/// Types a key and waits for the screen that it asks for.
fn press(terminal: &mut Terminal, view: View, key: Key) -> Answer {
    let pid = terminal.child.id();
    let before = (Sight::of(terminal.screen()), drawing(pid));
    let answer = |took| {
        let spent = drawing(pid).zip(before.1).map(|(after, before)| after.saturating_sub(before));
        Answer { view, key, took, computed: spent }
    };
    terminal.raw.clear();
    let begun = Instant::now();
    terminal.keys(&key.sent());
    loop {
        let left = PATIENCE.saturating_sub(begun.elapsed());
        match terminal.take(left) {
            Some(true) => {}
            Some(false) => return answer(None),
            None => panic!("the program ended"),
        }
        let took = begun.elapsed();
        let whole = terminal.raw.ends_with(END);
        if whole && key.is_done(view, &before.0, &Sight::of(terminal.screen())) {
            return answer(Some(took));
        }
    }
}

/// Looks on for a while.
fn pause(terminal: &mut Terminal, time: Duration) {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        assert!(terminal.take(left).is_some(), "the program ended");
    }
}

/// From a key to its screen.
fn table(typed: &Typed) {
    say("\nfrom a key to its screen, in ms; the most that the program computed for one");
    line("", &["keys", "median", "p95", "max", "computing", "unanswered"].map(str::to_owned));
    for (name, answers) in ["while it is read", "afterwards"].into_iter().zip(&typed.keys) {
        let mut times: Vec<Duration> = answers.iter().filter_map(|of| of.took).collect();
        times.sort();
        let at = |hundredths: usize| {
            let place = (times.len() * hundredths / 100).min(times.len().saturating_sub(1));
            times.get(place).map_or_else(|| "-".to_owned(), |time| millis(*time))
        };
        let unanswered = (answers.len() - times.len()).to_string();
        let computed = answers.iter().filter_map(|of| of.computed).max();
        let computed = computed.map_or_else(|| "unknown".to_owned(), millis);
        let keys = answers.len().to_string();
        let cells = [keys, at(50), at(95), at(100), computed, unanswered];
        line(name, &cells);
    }
    say("\nthe longest of each key, in ms");
    line("", &["read", "in", "afterwards", "in"].map(str::to_owned));
    let mut longest: BTreeMap<String, [Option<(Duration, View)>; 2]> = BTreeMap::new();
    for (which, answers) in typed.keys.iter().enumerate() {
        for Answer { view, key, took, .. } in answers {
            let took = took.unwrap_or(PATIENCE);
            let of = &mut longest.entry(key.name()).or_default()[which];
            if of.is_none_or(|(most, _)| took > most) {
                *of = Some((took, *view));
            }
        }
    }
    for (name, of) in longest {
        let cells = of.map(|of| match of {
            Some((took, view)) => [millis(took), view.title().to_owned()],
            None => ["-".to_owned(), String::new()],
        });
        line(&name, cells.as_flattened());
    }
}

fn line(name: &str, cells: &[String]) {
    let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:>12}")).collect();
    say(&format!("{name:<18}{}", cells.concat()));
}

fn millis(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}
