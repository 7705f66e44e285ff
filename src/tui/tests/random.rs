//! Any keys, clicks and sizes in any order: nothing panics.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::fixture::{capture, empty, loaded};
use crate::tui::keys::{GROUPS, named};
use crate::tui::{Effect, Msg, Theme, update, view};

/// Events of each run; there are five runs.
const EVENTS: u32 = 20_000;

/// A small generator: the same numbers each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % n.max(1)
    }
}

fn run(name: &str, seed: u64) {
    let path = capture(name);
    let mut dice = Dice(seed);
    let mut model = empty(std::slice::from_ref(&path), Theme::Dark);
    let mut batches = loaded(&path, 10);
    batches.reverse();
    let keys: Vec<KeyEvent> = GROUPS
        .iter()
        .flat_map(|group| group.bindings)
        .flat_map(|binding| binding.keys)
        .flat_map(|keys| keys.split(' ').map(|key| named(key).unwrap()))
        .collect();
    let mut size = (80, 24);
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    update(&mut model, Msg::Resize(size.0, size.1));
    let (mut quits, mut anew) = (0, 0);
    for event in 0..EVENTS {
        let msg = match dice.below(100) {
            0 => {
                size = match dice.below(6) {
                    0 => (
                        u16::try_from(dice.below(4)).unwrap(),
                        u16::try_from(dice.below(4)).unwrap(),
                    ),
                    1 => (200, 60),
                    2 => (80, 24),
                    _ => (
                        u16::try_from(dice.below(220)).unwrap(),
                        u16::try_from(dice.below(70)).unwrap(),
                    ),
                };
                Msg::Resize(size.0, size.1)
            }
            1..6 => Msg::Click(
                u16::try_from(dice.below(220)).unwrap(),
                u16::try_from(dice.below(70)).unwrap(),
            ),
            6..9 => Msg::Wheel(
                u16::try_from(dice.below(220)).unwrap(),
                u16::try_from(dice.below(70)).unwrap(),
                if dice.below(2) == 0 { 3 } else { -3 },
            ),
            9..11 => match batches.pop() {
                Some(loaded) => Msg::Loaded(Box::new(loaded)),
                None => Msg::Work,
            },
            11..14 => Msg::Work,
            14 => Msg::Paste("fsrvp && status != 0 || x \u{1b}[2J\u{202e}日本".to_owned()),
            15..25 => {
                let letters = ['e', 'x', ' ', '0', '9', '=', '"', '.', 'a', 'ü', '\u{301}', '日'];
                let key = KeyEvent::new(
                    KeyCode::Char(letters[dice.below(letters.len())]),
                    KeyModifiers::NONE,
                );
                Msg::Key(key)
            }
            25..30 => {
                let keys = [
                    KeyCode::Esc,
                    KeyCode::Enter,
                    KeyCode::Backspace,
                    KeyCode::Tab,
                    KeyCode::Insert,
                ];
                Msg::Key(KeyEvent::new(keys[dice.below(keys.len())], KeyModifiers::NONE))
            }
            _ => Msg::Key(keys[dice.below(keys.len())]),
        };
        match update(&mut model, msg) {
            Some(Effect::Quit) => quits += 1,
            Some(Effect::Create(_)) if dice.below(2) == 0 => {
                update(&mut model, Msg::Done(Err("no".to_owned())));
            }
            Some(Effect::TakeKeys(_)) if anew < 3 => {
                anew += 1;
                update(&mut model, Msg::Anew("keys".to_owned(), Vec::new()));
                batches = loaded(&path, 10);
                batches.reverse();
            }
            _ => {}
        }
        if event % 4 == 0 && size.0 > 0 && size.1 > 0 {
            terminal.backend_mut().resize(size.0, size.1);
            terminal.draw(|frame| view(&model, frame)).unwrap();
        }
    }
    assert!(quits > 10, "keys did not get through");
}

#[test]
fn random_keys_in_a_failed_backup() {
    run("e-py-create_fails.pcap", 0x9e37_79b9_7f4a_7c15);
}

#[test]
fn random_keys_among_two_clients() {
    run("g-two-clients-in-progress.pcap", 0x2545_f491_4f6c_dd1d);
}

#[test]
fn random_keys_in_a_sealed_capture() {
    run("b-ntlm-seal-smb311.pcap", 0xda94_2042_e4dd_58b5);
}

#[test]
fn random_keys_among_objects() {
    run("scmp/mgmt-connect.pcap", 0xa076_1d64_78bd_642f);
}

#[test]
fn random_keys_over_fragments_and_several_connections() {
    run("made-ndr64-multichannel.pcapng", 0xd134_2543_de82_ef95);
}
