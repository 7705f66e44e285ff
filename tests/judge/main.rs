//! The judge against conversations that nobody wrote: a server and clients that keep to
//! \[MS-FSRVP\], faults seeded into what they say, and captures that were damaged afterwards.
//!
//! None of it uses the judge's own machine: both read the same specification, and each is the
//! other's test. `VSHARK_SEED=n` prints the conversation of a seed; `VSHARK_COUNT=n` says how many
//! conversations the long tests take.

mod attempts;
mod catalogue;
mod causes;
mod client;
mod clients;
mod clocks;
#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "only where the shared files are is of interest here")]
mod common;
mod dice;
mod disturb;
#[path = "../common/events.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod events;
mod examples;
mod faults;
mod innocent;
mod manners;
mod nights;
mod outcomes;
#[expect(dead_code, reason = "connections are of interest where objects are called")]
mod packets;
mod reach;
mod read;
mod real;
mod server;
mod stands;
mod storage;
mod table;
mod talk;
mod tampered;
mod trial;
mod values;
mod verdict;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

use faults::Party;
use server::Profile;
use table::{Label, Reach};
use world::{Told, Wish};

const PROFILES: [Profile; 4] =
    [Profile::Spec, Profile::Windows, Profile::Windows2012, Profile::Samba];

/// Faults of clients that `manners` does not know.
const UNKNOWN_MANNERS: [&str; 6] = [
    "Start in the context of another",
    "weak security",
    "waits longer than 180 s",
    "opnum beyond 12",
    "minimum version ignored",
    "share is no UNC name",
];

/// Faults of servers that only a client at fault can meet.
const MISLED: [&str; 9] = [
    "success where BAD_STATE is due",
    "success on an unknown set",
    "another code for an unknown set",
    "Start beside an unfinished set",
    "Start without a context",
    "another code for no context",
    "invalid context accepted",
    "nil id accepted",
    "unknown copy or share accepted",
];

fn number_of(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The seeds of a test: that of `VSHARK_SEED`, or as many as usual.
fn seeds(usual: u64) -> Vec<u64> {
    match number_of("VSHARK_SEED") {
        Some(seed) => vec![seed],
        None => (0..number_of("VSHARK_COUNT").unwrap_or(usual)).collect(),
    }
}

fn profile(seed: u64) -> Profile {
    PROFILES[usize::try_from(seed % 4).unwrap()]
}

#[test]
fn conversations_are_read_back() {
    let began = Instant::now();
    let (mut calls, mut talks) = (0, 0);
    for seed in seeds(300) {
        let (talk, _) = world::talk(seed, Wish::any(seed, profile(seed)));
        if number_of("VSHARK_SEED").is_some() {
            println!("# {:?}\n{}", Wish::any(seed, profile(seed)), talk.text());
        }
        match read::back(&talk) {
            Ok(read) => calls += read,
            Err(wrong) => panic!("seed {seed}: {wrong}\n{}", talk.text()),
        }
        talks += 1;
    }
    let rate = f64::from(talks) / began.elapsed().as_secs_f64();
    println!("{talks} conversations, {calls} calls, {rate:.0} conversations a second");
}

#[test]
fn both_sides_keep_to_the_rules_and_all_states_come_up() {
    let mut all = Told::default();
    for seed in seeds(2_000) {
        let profile = [Profile::Spec, Profile::Windows][usize::try_from(seed % 2).unwrap()];
        let (talk, told) = world::talk(seed, Wish::any(seed, profile));
        assert!(told.wrong.is_empty(), "seed {seed}: {}\n{}", told.wrong[0], talk.text());
        if let Err(wrong) = manners::check(&talk) {
            panic!("seed {seed}: {wrong}\n{}", talk.text());
        }
        for (row, times) in &told.rows {
            *all.rows.entry(*row).or_default() += times;
        }
        // No exposed set is left to the timer: [MS-FSRVP] 3.2.4.5. (Where it has lost its context,
        // the SetContext of another client starts the timer again, and its owner cannot know.)
        let exposed = told.fired.keys().any(|(label, _)| *label == Label::Ex);
        let adopted = told.rows.keys().any(|row| table::is_adoption(*row));
        assert!(!exposed || adopted, "seed {seed}\n{}", talk.text());
        add(&mut all.fired, told.fired);
        add(&mut all.restarted, told.restarted);
    }
    let mut page = String::new();
    let mut missing = Vec::new();
    for (n, row) in table::ROWS.iter().enumerate() {
        let times = all.rows.get(&n).copied().unwrap_or_default();
        let line = format!("{:>2} | {:<28} | {:<20} | {times}", row.opnum, row.from, row.answer);
        let _ = writeln!(page, "{line} {:?}", row.reach);
        match row.reach {
            Reach::Often if times == 0 => missing.push(line),
            Reach::Never if times > 0 => missing.push(line),
            _ => {}
        }
    }
    println!("{page}the timer fired: {:?}\nrestarted: {:?}", all.fired, all.restarted);
    if number_of("VSHARK_SEED").is_none() && number_of("VSHARK_COUNT").is_none() {
        assert!(missing.is_empty(), "not as the table says: {missing:#?}");
    }
}

fn add<K: Ord>(all: &mut BTreeMap<K, u32>, more: BTreeMap<K, u32>) {
    for (key, times) in more {
        *all.entry(key).or_default() += times;
    }
}

#[test]
fn every_kind_of_fault_is_found_a_place_for_and_read_back() {
    let kinds = u64::try_from(faults::kinds()).unwrap();
    let mut missing = Vec::new();
    for number in seeds(kinds * 4) {
        let Some(seeded) = faults::seed(number) else {
            missing.push(number % kinds);
            continue;
        };
        if number_of("VSHARK_SEED").is_some() {
            println!(
                "# {}, call {}, {:?}\n{}",
                seeded.kind,
                seeded.call,
                seeded.expect,
                seeded.talk.text()
            );
        }
        // The second reading of the client's rules says the same.
        let told = manners::check(&seeded.talk);
        match seeded.party {
            Party::Client if UNKNOWN_MANNERS.contains(&seeded.kind) => {}
            Party::Client => assert!(told.is_err(), "{number}: {}", seeded.kind),
            Party::Server if MISLED.contains(&seeded.kind) => {}
            Party::Server => assert_eq!(told, Ok(()), "{number}: {}", seeded.kind),
        }
        if let Err(wrong) = read::back(&seeded.talk) {
            panic!("{number}, {}: {wrong}\n{}", seeded.kind, seeded.talk.text());
        }
    }
    assert!(missing.is_empty(), "no place for the kinds {missing:?}");
}
