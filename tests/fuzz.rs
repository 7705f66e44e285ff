//! What fuzzing started from and what it once found, through the functions it runs.

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library where it is at home")]
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

/// Every file of a folder; none if there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn replay(target: &str) {
    let (_, run) = targets::TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = files(&root.join("fuzz/seeds").join(target));
    assert!(!seeds.is_empty(), "{target} has no seeds");
    for path in seeds.into_iter().chain(files(&root.join("tests/fuzz").join(target))) {
        println!("{}", path.display());
        run(&fs::read(&path).unwrap());
    }
}

macro_rules! replays {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target));
        })*

        #[test]
        fn every_target_is_replayed() {
            assert_eq!(targets::TARGETS.map(|(name, _)| name), [$(stringify!($target)),*]);
        }
    };
}

replays! { capture pipeline link fragments tcp smb rpc ndr idl filter scenario judge lore diff }

/// Conversations that nobody wrote, as many as `VSHARK_COUNT` says.
#[test]
fn conversations_of_any_octets_are_judged() {
    let usual = 60;
    let count = std::env::var("VSHARK_COUNT").ok().and_then(|count| count.parse().ok());
    for seed in 0..count.unwrap_or(usual) {
        let mut state: u64 = seed;
        let octets = std::iter::repeat_with(|| {
            // SplitMix64
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed >> 56).to_le_bytes()[0]
        });
        let mut input: Vec<u8> = octets.take(1 + usize::try_from(seed % 400).unwrap()).collect();
        input[0] |= 1;
        println!("seed {seed}");
        targets::judge(&input);
    }
}
