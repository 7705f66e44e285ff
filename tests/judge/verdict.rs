//! What the judge says of conversations: nothing of those that break no rule, and the fault of
//! those that do.

use std::collections::BTreeMap;
use std::time::Instant;

use vshark::check::{self, Blame, Certainty, Finding, Severity};

use crate::dice::Dice;
use crate::disturb::{self, Mishap};
use crate::faults::{self, Party, Seeded};
use crate::read;
use crate::server::Profile;
use crate::talk::Talk;
use crate::trial::{KNOWLEDGE, tried};
use crate::world::{self, Wish};
use crate::{number_of, profile, seeds};

/// What the judge is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Whose habits the server has.
    pub(crate) profile: Profile,
    /// Whether all clients of the server are in the capture.
    pub(crate) all_clients: bool,
    /// Whether the server was idle when the capture began.
    pub(crate) starts_idle: bool,
}

/// A finding, as far as it matters here.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) rule: String,
    pub(crate) also: Vec<String>,
    pub(crate) severity: Severity,
    pub(crate) party: Blame,
    pub(crate) certainty: Certainty,
    /// Number of the call.
    pub(crate) call: Option<u64>,
    /// The profile by which it is a known deviation.
    pub(crate) known: Option<String>,
    pub(crate) message: String,
}

impl Seen {
    /// Whether it accuses somebody of something that is not known of the server.
    pub(crate) fn accuses(&self) -> bool {
        self.severity > Severity::Note && self.known.is_none()
    }

    fn is_about(&self, seeded: &Seeded) -> bool {
        let party = match seeded.party {
            Party::Client => Blame::Client,
            Party::Server => Blame::Server,
        };
        let expected = |rule: &String| seeded.expect.contains(rule);
        (self.party == party || self.party == Blame::Both)
            && (expected(&self.rule) || self.also.iter().any(expected))
    }
}

/// What the judge finds in a capture.
fn judge(capture: &[u8], options: Options) -> Vec<Seen> {
    let name = match options.profile {
        Profile::Spec => "spec",
        Profile::Windows => "windows",
        Profile::Windows2012 => "windows2012",
        Profile::Samba => "samba",
    };
    let options = check::Options {
        choice: KNOWLEDGE.choose(name).expect("the profile is known"),
        all_clients: options.all_clients,
        idle_start: options.starts_idle,
    };
    found(capture, options)
}

/// What the judge finds in a capture with these options.
pub(crate) fn found(capture: &[u8], options: check::Options) -> Vec<Seen> {
    let seen = |finding: Finding| Seen {
        rule: finding.rule.to_string(),
        also: finding.also.iter().map(ToString::to_string).collect(),
        severity: finding.severity,
        party: finding.party,
        certainty: finding.certainty,
        call: finding.call,
        known: finding.known.as_deref().map(str::to_owned),
        message: finding.message,
    };
    tried(capture, options, 0).take_findings().into_iter().map(seen).collect()
}

/// Judges what becomes of many conversations, and asserts that nobody is accused.
fn nobody_is_accused(
    usual: u64,
    change: impl FnMut(u64, &mut Talk, &mut Options) -> Vec<u8>,
    accused: impl Fn(&Seen) -> bool,
) {
    nobody_is_accused_of(&seeds(usual), change, accused);
}

/// The same with the conversations of these seeds.
fn nobody_is_accused_of(
    seeds: &[u64],
    mut change: impl FnMut(u64, &mut Talk, &mut Options) -> Vec<u8>,
    accused: impl Fn(&Seen) -> bool,
) {
    let began = Instant::now();
    let mut wrong: BTreeMap<(String, Blame), Vec<(u64, String)>> = BTreeMap::new();
    for seed in seeds {
        let profile = profile(*seed);
        let (mut talk, _) = world::talk(*seed, Wish::any(*seed, profile));
        let mut options = Options { profile, all_clients: true, starts_idle: true };
        let capture = change(*seed, &mut talk, &mut options);
        let seen = judge(&capture, options);
        if number_of("VSHARK_SEED").is_some() {
            println!("# {options:?}\n{}\n{seen:#?}", talk.text());
        }
        for seen in seen.into_iter().filter(|seen| accused(seen)) {
            wrong.entry((seen.rule, seen.party)).or_default().push((*seed, seen.message));
        }
    }
    let rate = seeds.len() as u128 * 1_000 / began.elapsed().as_millis().max(1);
    println!("{} conversations, {rate} a second", seeds.len());
    for ((rule, _), found) in &wrong {
        let (seed, message) = &found[0];
        println!("{rule}: {} times, as with VSHARK_SEED={seed}: {message}", found.len());
    }
    assert!(wrong.is_empty(), "{} rules accuse somebody who has done nothing", wrong.len());
}

fn capture(talk: &Talk) -> Vec<u8> {
    read::capture(talk).unwrap_or_else(|wrong| panic!("{wrong}\n{}", talk.text()))
}

/// 10,000 conversations; those of each kind of server are a test, for they take long.
fn soundness_of_whole_captures(of: Profile) {
    let mut seeds = seeds(10_000);
    seeds.retain(|seed| profile(*seed) == of);
    nobody_is_accused_of(&seeds, |_, talk, _| capture(talk), Seen::accuses);
}

#[test]
fn soundness_of_whole_captures_of_the_specification() {
    soundness_of_whole_captures(Profile::Spec);
}

#[test]
fn soundness_of_whole_captures_of_windows() {
    soundness_of_whole_captures(Profile::Windows);
}

#[test]
fn soundness_of_whole_captures_of_windows_2012() {
    soundness_of_whole_captures(Profile::Windows2012);
}

#[test]
fn soundness_of_whole_captures_of_samba() {
    soundness_of_whole_captures(Profile::Samba);
}

/// What the others do is not in the capture.
#[test]
fn soundness_with_one_client_of_several() {
    let hide = |seed: u64, talk: &mut Talk, options: &mut Options| {
        let mut packets = disturb::packets(capture(talk));
        let stays = Dice::new(seed).below(talk.clients.len());
        for (who, client) in talk.clients.iter().enumerate() {
            if who != stays {
                let address = client.address.parse().expect("it is an address");
                Mishap::HideClient(address).happen(&mut packets);
            }
        }
        options.all_clients = false;
        disturb::file(&packets)
    };
    nobody_is_accused(3_000, hide, Seen::accuses);
}

/// Packets are missing or have changed places. What is only possible may be said.
#[test]
fn soundness_of_damaged_captures() {
    let damage = |seed: u64, talk: &mut Talk, options: &mut Options| {
        let mut dice = Dice::new(seed ^ 0xDA);
        let mut packets = disturb::packets(capture(talk));
        for _ in 0..dice.range(1, 4) {
            if packets.len() > 3 {
                let mishap = Mishap::any(&packets, &mut dice);
                options.starts_idle &= !matches!(mishap, Mishap::DropFirst(_));
                // Half of what a client says and hears is not what `--all-clients` promises.
                options.all_clients &= !matches!(mishap, Mishap::HideFrom(_));
                if number_of("VSHARK_SEED").is_some() {
                    println!("# {mishap:?}");
                }
                mishap.happen(&mut packets);
            }
        }
        disturb::file(&packets)
    };
    let accuses = |seen: &Seen| seen.accuses() && seen.certainty > Certainty::Possible;
    nobody_is_accused(3_000, damage, accuses);
}

#[test]
fn soundness_of_sealed_conversations() {
    let seal = |_, talk: &mut Talk, _: &mut Options| {
        disturb::seal(talk);
        capture(talk)
    };
    nobody_is_accused(3_000, seal, Seen::accuses);
}

/// How often a kind of fault was found.
#[derive(Default)]
struct Score {
    found: u32,
    /// Found, but told at another call.
    elsewhere: u32,
    missed: u32,
    /// A fault that was missed, to look at.
    example: Option<u64>,
    /// What was said instead.
    instead: BTreeMap<String, u32>,
}

/// Of the faults that a whole capture shows, 95 of 100 are found, with the right culprit.
#[test]
fn recall() {
    let mut scores: BTreeMap<(bool, &str), Score> = BTreeMap::new();
    let mut slandered: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for number in seeds(1_000) {
        let Some(seeded) = faults::seed(number) else { continue };
        let options = Options { profile: Profile::Spec, all_clients: true, starts_idle: true };
        let seen = judge(&capture(&seeded.talk), options);
        if number_of("VSHARK_SEED").is_some() {
            println!("# {}, call {}\n{}\n{seen:#?}", seeded.kind, seeded.call, seeded.talk.text());
        }
        // Calls are numbered from 1; nothing is wrong before the fault.
        let call = u64::try_from(seeded.since).unwrap() + 1;
        for seen in seen.iter().filter(|seen| seen.accuses() && seen.call.is_some_and(|n| n < call))
        {
            slandered.entry(seen.rule.clone()).or_default().push(number);
        }
        let score = scores.entry((!seeded.decidable, seeded.kind)).or_default();
        let about: Vec<_> = seen.iter().filter(|seen| seen.is_about(&seeded)).collect();
        if !about.is_empty() {
            let here = Some(u64::try_from(seeded.call).unwrap() + 1);
            score.found += 1;
            score.elsewhere += u32::from(about.iter().all(|seen| seen.call != here));
            continue;
        }
        score.missed += 1;
        score.example.get_or_insert(number);
        for seen in seen.iter().filter(|seen| seen.accuses()) {
            *score.instead.entry(seen.rule.clone()).or_default() += 1;
        }
    }
    let (mut found, mut all) = (0, 0);
    for ((doubtful, kind), score) in &scores {
        let Score { found: yes, elsewhere, missed, example, instead } = score;
        let doubt = if *doubtful { " (undecidable)" } else { "" };
        let example = example.map_or(String::new(), |number| format!(" VSHARK_SEED={number}"));
        println!(
            "{kind:<40} {yes:>4} found, {elsewhere} elsewhere, {missed:>4} missed{doubt}{example} \
             {instead:?}"
        );
        if !doubtful {
            found += yes;
            all += yes + missed;
        }
    }
    println!("{found} of {all} found");
    assert!(slandered.is_empty(), "accused of what came before the fault: {slandered:?}");
    assert!(found * 100 >= all * 95, "{found} of {all} faults were found");
}
