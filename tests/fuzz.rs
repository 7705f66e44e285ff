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

replays! { capture pipeline link fragments tcp smb rpc ndr idl filter scenario judge lore diff objref activation objects keytab ap_req transform token }

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

/// Runs seeds with octets changed, as many as `VSHARK_COUNT` says: what a fuzzer does where there is
/// none.
fn run_changed(target: &str, usual: u64) {
    let count = std::env::var("VSHARK_COUNT").ok().and_then(|count| count.parse().ok());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let seeds: Vec<Vec<u8>> =
        files(&root.join(target)).iter().map(|path| fs::read(path).unwrap()).collect();
    let (_, run) = targets::TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    for seed in 0..count.unwrap_or(usual) {
        let input = changed(&seeds, seed);
        let result = std::panic::catch_unwind(|| run(&input));
        assert!(result.is_ok(), "{target}, seed {seed}: {input:02x?}");
    }
}

macro_rules! changes {
    ($($target:ident $usual:literal)*) => {
        mod changed_octets_are_read {
            $(#[test]
            fn $target() {
                super::run_changed(stringify!($target), $usual);
            })*
        }
    };
}

changes! { objref 4000 activation 4000 objects 150 keytab 4000 ap_req 1000 transform 400 token 1500 }

/// One of the seeds with a few octets, numbers, ends or middles of others in it.
fn changed(seeds: &[Vec<u8>], seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut below = |most: usize| {
        // SplitMix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from(mixed >> 33).unwrap() % most.max(1)
    };
    let mut input = seeds[below(seeds.len())].clone();
    for _ in 0..=below(6) {
        let at = below(input.len());
        let end = input.len().min(at + 4);
        match below(8) {
            0 | 1 => input[at] ^= 1 << below(8),
            2 => input[at] = u8::try_from(below(256)).unwrap(),
            3 => {
                let number = [0, 1, 2, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, u32::MAX];
                let number = number[below(8)].to_le_bytes();
                input[at..end].copy_from_slice(&number[..end - at]);
            }
            4 => {
                let near =
                    input[at..end].iter().rev().fold(0, |n, octet| n << 8 | u32::from(*octet));
                let near = near.wrapping_add(u32::try_from(below(17)).unwrap()).wrapping_sub(8);
                input[at..end].copy_from_slice(&near.to_le_bytes()[..end - at]);
            }
            5 => input.truncate(at.max(3)),
            6 => {
                let other = &seeds[below(seeds.len())];
                let from = below(other.len());
                let to = other.len().min(from + below(200));
                input.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                let to = input.len().min(at + below(24));
                input.drain(at..to);
            }
        }
        if input.is_empty() {
            input.push(0);
        }
    }
    input
}
