//! Of conversations that break no rule nothing is said, whatever part of them was captured.

use std::collections::BTreeMap;
use std::net::IpAddr;

use vshark::check::{Finding, Options, Severity};

use crate::dice::Dice;
use crate::packets::{self, Mishap, Packet};
use crate::talk::{self, Talk};
use crate::trial::{KNOWLEDGE, tried};
use crate::{capture, is_shown, seeds};

/// What the judge finds in a capture that is more than a note.
pub(crate) fn accusations(capture: &[u8], all_clients: bool, idle_start: bool) -> Vec<Finding> {
    let choice = KNOWLEDGE.choose("spec").expect("the profile is known");
    let options = Options { choice, all_clients, idle_start };
    let mut found = tried(capture, options, 0).take_findings();
    found.retain(|found| found.severity > Severity::Note);
    found
}

/// What a capture has, and what is promised of it.
struct Seen {
    file: Vec<u8>,
    all_clients: bool,
    from_start: bool,
}

/// Judges what becomes of many conversations, and asserts that nobody is accused.
fn nobody_is_accused(usual: u64, change: impl Fn(u64, Talk) -> Seen) {
    nobody_is_accused_of(usual, |seed| talk::talk(seed, None), change);
}

/// The same of conversations of some kind.
fn nobody_is_accused_of(
    usual: u64,
    talk: impl Fn(u64) -> Option<Talk>,
    change: impl Fn(u64, Talk) -> Seen,
) {
    let mut wrong: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
    let seeds = seeds(usual);
    for seed in &seeds {
        let talk = talk(*seed).expect("nothing has to find a place");
        if is_shown() {
            println!("{}", talk.text());
        }
        let Seen { file, all_clients, from_start } = change(*seed, talk);
        for found in accusations(&file, all_clients, from_start) {
            let said = format!("{found}");
            wrong.entry(found.rule.to_string()).or_default().push((*seed, said));
        }
    }
    println!("{} conversations", seeds.len());
    for (rule, found) in &wrong {
        let (seed, said) = &found[0];
        println!("{rule}: {} times, as with VSHARK_SEED={seed}: {said}", found.len());
    }
    assert!(wrong.is_empty(), "{} rules accuse somebody who has done nothing", wrong.len());
}

fn whole(file: Vec<u8>) -> Seen {
    Seen { file, all_clients: true, from_start: true }
}

#[test]
fn whole_captures() {
    nobody_is_accused(2_000, |_, talk| whole(capture(&talk)));
}

#[test]
fn sealed_conversations() {
    nobody_is_accused(500, |_, talk| whole(capture(&talk.sealed())));
}

/// What one client says and hears is not in the capture.
#[test]
fn captures_without_one_of_the_clients() {
    nobody_is_accused(500, |seed, talk| {
        let mut packets = packets::packets(capture(&talk));
        let hidden = Dice::new(seed).below(talk.clients.len());
        let address: IpAddr = talk.clients[hidden].parse().expect("it is an address");
        Mishap::HideClient(address).happen(&mut packets);
        Seen { file: packets::file(&packets), all_clients: false, from_start: true }
    });
}

/// One connection is not in the capture. Nothing shows that it is missing: where one enumerator is
/// called on two connections, and one of them is not there, what the other has looks like a fault.
#[test]
fn captures_without_one_of_the_connections() {
    nobody_is_accused_of(500, talk::one_by_one, |seed, talk| {
        let mut packets = packets::packets(capture(&talk));
        let mut all: Vec<_> = packets.iter().filter_map(Packet::connection).collect();
        all.sort_unstable();
        all.dedup();
        if !all.is_empty() {
            let hidden = all[Dice::new(seed).below(all.len())];
            packets.retain(|packet| packet.connection() != Some(hidden));
        }
        Seen { file: packets::file(&packets), all_clients: false, from_start: true }
    });
}

/// Packets are missing or have changed places, the beginning or the end is missing, or a direction.
#[test]
fn damaged_captures() {
    nobody_is_accused(1_500, |seed, talk| {
        let mut dice = Dice::new(seed ^ 0xDA);
        let mut packets = packets::packets(capture(&talk));
        let (mut all_clients, mut from_start) = (true, true);
        for _ in 0..dice.range(1, 5) {
            if packets.len() < 4 {
                break;
            }
            let mishap = match dice.range(0, 10) {
                0 => Mishap::KeepFirst(1 + dice.below(packets.len() - 1)),
                1 => {
                    let at = dice.below(packets.len());
                    packets.insert(at + 1, packets[at].clone());
                    continue;
                }
                _ => Mishap::any(&packets, &mut dice),
            };
            from_start &= !matches!(mishap, Mishap::DropFirst(_));
            // Half of what a client says and hears is not what `--all-clients` promises.
            all_clients &= !matches!(mishap, Mishap::HideFrom(_));
            if is_shown() {
                println!("# {mishap:?}");
            }
            mishap.happen(&mut packets);
        }
        Seen { file: packets::file(&packets), all_clients, from_start }
    });
}
