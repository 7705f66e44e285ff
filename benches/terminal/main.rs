//! How long somebody waits who sits at the terminal UI with a large capture: for the first screen, for
//! all of the file, for each key; and how much memory it takes.
//!
//! ```text
//! cargo bench --bench terminal                          1024 MB of each kind
//! VSHARK_BENCH_MB=256 cargo bench --bench terminal      less
//! VSHARK_BENCH_ONLY=rpc cargo bench --bench terminal    one kind: bulk, rpc
//! ```
//!
//! The program runs in a terminal of 200 columns and 60 rows. The files are made in the target
//! directory, and are gone afterwards.

#[cfg(unix)]
#[path = "../throughput/grow.rs"]
mod grow;
#[cfg(unix)]
mod keys;
#[cfg(unix)]
#[path = "../throughput/kinds.rs"]
mod kinds;
#[cfg(unix)]
mod measure;
#[cfg(unix)]
#[path = "../../tests/common/terminal.rs"]
#[expect(dead_code, reason = "what is tried elsewhere: signals, sizes, how it is given back")]
mod terminal;

#[cfg(unix)]
fn main() {
    measure::all();
}

/// There is no terminal for it.
#[cfg(not(unix))]
fn main() {}
