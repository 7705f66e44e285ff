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

replays! { capture pipeline link fragments tcp smb rpc ndr idl filter scenario judge }
