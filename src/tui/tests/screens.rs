//! What is on the screen after some keys. Whole screens are snapshots of the program (`tests/screens`).

use ratatui::style::Color;

use super::fixture::{capture, captures, drawn, empty, model, press, rows};
use crate::tui::{Ask, Effect, Msg, Theme, View, update};

const FAILS: &str = "e-py-create_fails.pcap";
const SMALL: (u16, u16) = (80, 24);

/// The first row on the screen that has `text` in it.
#[track_caller]
fn row(rows: &[String], text: &str) -> String {
    let found = rows.iter().find(|row| row.contains(text));
    found.unwrap_or_else(|| panic!("{text} is not on the screen:\n{}", rows.join("\n"))).clone()
}

#[test]
fn the_first_screen_says_what_failed_and_leads_there() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    let screen = rows(&model, SMALL);
    row(&screen, "FAILED       on the file server");
    row(&screen, "snap create failed");
    press(&mut model, "Enter");
    assert_eq!((model.view, model.call), (View::Calls, 7));
    row(&rows(&model, SMALL), "call 7: CommitShadowCopySet E_FAIL (0x80004005)");
    press(&mut model, "Backspace");
    assert_eq!(model.view, View::Overview);
}

#[test]
fn the_same_call_is_selected_in_every_view() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    press(&mut model, ": text:8 Enter 4");
    row(&rows(&model, SMALL), "8 ExposeShadowCopySet");
    press(&mut model, "5");
    row(&rows(&model, SMALL), "call 8 ExposeShadowCopySet");
    row(&rows(&model, SMALL), "→ FSRVP_E_BAD_STATE");
    press(&mut model, "6");
    assert_eq!(model.findings.get(model.list().at).unwrap().call, Some(8));
    press(&mut model, "3");
    assert!(model.trace.calls_in(crate::bytes::FrameNo(model.frame)).contains(&8));
    press(&mut model, "j j j 2");
    assert_eq!(model.call, 8, "the frame behind it carried none");
}

#[test]
fn without_colours_nothing_is_coloured() {
    for path in [capture(FAILS), capture("b-ntlm-seal-smb311.pcap")] {
        let mut model = model(&path, SMALL, Theme::Mono);
        for view in View::ALL {
            update(&mut model, Msg::Show(view));
            for cell in drawn(&model, SMALL).content() {
                assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{view:?}: {cell:?}");
            }
        }
    }
}

#[test]
fn everything_that_matters_is_told_without_colours() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Mono);
    press(&mut model, ": text:7 Enter Tab Tab");
    let screen = rows(&model, SMALL);
    // A failed call has a mark, a finding a letter, the field's bytes brackets, the pane a thick rule.
    row(&screen, "7!n 18:13:24");
    row(&screen, "[84 a2 45 59");
    row(&screen, "━━ [request stub] frame 57");
}

#[test]
fn a_filter_shows_what_is_wrong_as_it_is_typed_and_then_the_calls() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    press(&mut model, "2 f text:statsu");
    row(&rows(&model, SMALL), "there is no field `statsu`; did you mean `status`?");
    press(&mut model, "Backspace Backspace text:us Space text:!= Space text:0 Enter");
    let screen = rows(&model, SMALL);
    row(&screen, "3 of 15 calls: status != 0");
    assert_eq!(model.call, 7, "one that is shown is selected");
    press(&mut model, "f");
    assert_eq!(model.prompt.as_ref().unwrap().ask, Ask::Filter);
    press(&mut model, "Ctrl-u Enter");
    assert_eq!(model.calls_listed(), 15);
    press(&mut model, "f Up");
    assert_eq!(model.prompt.as_ref().unwrap().input.value(), "status != 0");
}

#[test]
fn text_and_bytes_are_found_in_values_and_in_bytes() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    press(&mut model, "2 / text:e_fail Enter");
    assert_eq!(model.call, 7);
    press(&mut model, "n");
    assert_eq!(model.call, 14, "{:?}", model.said);
    press(&mut model, "N");
    assert_eq!(model.call, 7, "{:?}", model.said);
    // The id of the set, in the order of the wire.
    press(&mut model, "g g / text:x Space text:84a24559 Enter");
    assert_eq!(model.call, 4, "the answer to Start has it first: {:?}", model.said);
    let screen = rows(&model, SMALL);
    row(&screen, "84 a2 45 59");
    press(&mut model, "/ text:nowhere Enter");
    row(&rows(&model, SMALL), "nowhere: not found");
}

#[test]
fn what_is_copied_is_what_is_selected() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    press(&mut model, ": text:7 Enter Tab j");
    let copied = |effects: Vec<Effect>| match &*effects {
        [Effect::Copy(text)] => text.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(copied(press(&mut model, "y v")), "180000");
    assert_eq!(copied(press(&mut model, "y y")).trim(), "TimeOutInMilliseconds: 180000");
    assert_eq!(copied(press(&mut model, "y x")), "20bf0200");
    let tree = copied(press(&mut model, "y t"));
    assert!(tree.starts_with("call 7: CommitShadowCopySet"), "{tree}");
    assert!(tree.contains("return: E_FAIL"), "{tree}");
    press(&mut model, "Esc");
    assert!(copied(press(&mut model, "y y")).contains("CommitShadowCopySet"));
}

#[test]
fn marked_calls_are_saved_and_the_view_is_written() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    press(&mut model, "2 m j j m");
    let effects = press(&mut model, "w Ctrl-u text:out.pcapng Enter");
    assert_eq!(effects, [Effect::SavePackets("out.pcapng".into(), vec![1, 3])]);
    let effects = press(&mut model, "W Ctrl-u text:calls.json Enter");
    let [Effect::Create(path), Effect::Write(text), Effect::Close(_)] = &*effects else {
        panic!("{effects:?}")
    };
    assert_eq!(path.to_str(), Some("calls.json"));
    let records: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 15);
    assert_eq!(records[6]["method"], "CommitShadowCopySet");
}

#[test]
fn times_are_written_as_is_wanted() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    press(&mut model, "2");
    row(&rows(&model, SMALL), "1   18:13:24.348");
    press(&mut model, "t t");
    row(&rows(&model, SMALL), "1   0.493959");
    press(&mut model, "t");
    row(&rows(&model, SMALL), "2 n 0.016");
}

#[test]
fn an_empty_capture_and_one_that_is_being_read_say_so() {
    let model = empty(&[capture(FAILS)], Theme::Dark);
    row(&rows(&model, SMALL), "no call so far");
    row(&rows(&model, SMALL), "reading, 0 MB, 0 calls");
}

#[test]
fn every_view_of_every_capture_is_drawn_at_every_size() {
    for path in captures() {
        let mut model = model(&path, SMALL, Theme::Dark);
        for (width, height) in [(80, 24), (200, 60), (40, 10), (1, 1), (20, 3), (120, 30)] {
            update(&mut model, Msg::Resize(width, height));
            for view in View::ALL {
                update(&mut model, Msg::Show(view));
                press(&mut model, "G");
                for row in rows(&model, (width, height)) {
                    let bad = |c: char| crate::bytes::is_invisible(c);
                    assert!(!row.contains(bad), "{}: {row:?}", path.display());
                }
            }
        }
    }
}

#[test]
fn the_keys_are_shown_from_their_table() {
    let mut model = model(&capture(FAILS), (100, 90), Theme::Dark);
    press(&mut model, "?");
    let screen = rows(&model, (100, 90));
    for group in crate::tui::keys::GROUPS {
        row(&screen, group.title);
        for binding in group.bindings {
            row(&screen, binding.help);
        }
    }
    press(&mut model, "x");
    assert!(!rows(&model, (100, 90)).iter().any(|row| row.contains("Taking along")));
}

#[test]
fn what_is_meant_is_the_row_that_is_selected() {
    // The first screen has the failure selected, and no call was looked at yet.
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    let effects = press(&mut model, "w Ctrl-u text:out.pcapng Enter");
    assert_eq!(effects, [Effect::SavePackets("out.pcapng".into(), vec![7])]);
    press(&mut model, "m 2 j j j j j j");
    row(&rows(&model, SMALL), "*    7!n");
    // In lists that are drawn otherwise it is the call.
    for keys in ["5 y y", "4 y y"] {
        let effects = press(&mut model, keys);
        let [Effect::Copy(text)] = &*effects else { panic!("{keys}: {effects:?}") };
        assert!(text.starts_with("7 ") && text.contains("CommitShadowCopySet"), "{keys}: {text}");
    }
    // Where there is no call nothing is saved, unless something is marked.
    assert_eq!(press(&mut model, "7 w Ctrl-u text:out.pcapng Enter").len(), 1);
    let mut model = super::fixture::model(&capture(FAILS), SMALL, Theme::Dark);
    assert!(press(&mut model, "7 w Ctrl-u text:out.pcapng Enter").is_empty());
    row(&rows(&model, SMALL), "this row is of no call");
}

#[test]
fn another_attempt_is_led_to_from_its_own_row() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    let at = rows(&model, SMALL).iter().position(|row| row.contains("also  ")).unwrap() - 2;
    for _ in 0..at {
        press(&mut model, "j");
    }
    press(&mut model, "Enter");
    assert_eq!(model.call, 14);
    let field = model.detail.selected().unwrap();
    assert_eq!((&*field.name, &*field.value), ("return", "E_FAIL (0x80004005)"));
}

#[test]
fn a_status_is_found_as_it_is_written() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    press(&mut model, "2 / text:0x80004005 Enter");
    assert_eq!(model.call, 7, "{:?}", model.said);
    press(&mut model, "2 5 / text:Commit Enter");
    assert_eq!(model.call, 14, "the calls are looked through, not the drawing");
}

#[test]
fn a_frame_shows_what_is_in_the_call_and_its_bytes_lead_there() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    press(&mut model, ": text:f61 Enter Tab");
    let field = model.detail.fields.iter().find(|field| field.name == "return").unwrap();
    assert_eq!(field.value, "E_FAIL (0x80004005)");
    // The octets of the status in the frame.
    let bytes = model.detail.pages[0].bytes.view().bytes();
    let at = bytes.windows(4).position(|four| four == [0x05, 0x40, 0x00, 0x80]).unwrap();
    let mut closed = model.closed.clone();
    model.detail.select(0);
    model.detail.point(u32::try_from(at).unwrap(), &mut closed);
    assert_eq!(model.detail.selected().unwrap().name, "return");
    assert_eq!(model.detail.frame_shown(), Some(crate::bytes::FrameNo(61)), "the frame stays");
    assert_eq!(model.detail.cursor as usize, at);
}

#[test]
fn keys_go_to_the_list_after_a_jump() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    press(&mut model, "5 Enter Tab Backspace");
    let before = model.call;
    press(&mut model, "j");
    assert_eq!((model.view, model.call), (View::State, before + 1));
}

#[test]
fn the_page_of_a_rule_is_read_to_its_end() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    press(&mut model, "6 g g Tab");
    press(&mut model, "G");
    row(&rows(&model, SMALL), "A:5(S1,to=1800000)=0");
    press(&mut model, "z");
    row(&rows(&model, SMALL), "Why it matters");
}

#[test]
fn calls_of_a_method_without_a_name_are_shown_too() {
    let mut model = model(&capture("e-py-bad_pdus.pcap"), SMALL, Theme::Dark);
    let methods = model.digest.statistics.methods.len();
    assert!(methods > 3);
    for at in 0..methods {
        press(&mut model, "7 g g");
        for _ in 0..=at {
            press(&mut model, "j");
        }
        press(&mut model, "Enter");
        let of = model.digest.statistics.methods.values().nth(at).unwrap();
        assert_eq!(model.calls_listed() as u64, of.calls, "{}", of.filter);
        press(&mut model, "Esc");
    }
}

#[test]
fn a_list_is_written_whole_while_a_filter_is_at_work() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    press(&mut model, "2");
    // Nothing is worked on between these keys.
    let keys = "f s t a t u s Space ! = Space 0 Enter W Ctrl-u o . t x t Enter";
    let mut effects = Vec::new();
    for key in keys.split(' ') {
        effects.extend(update(&mut model, Msg::Key(crate::tui::key_named(key).unwrap())));
    }
    while model.is_busy() {
        effects.extend(update(&mut model, Msg::Work));
    }
    let written = effects.iter().filter_map(|effect| match effect {
        Effect::Write(text) => Some(text.lines().count()),
        _ => None,
    });
    assert_eq!(written.sum::<usize>(), 3);
    assert!(matches!(effects.last(), Some(Effect::Close(text)) if text == "o.txt: 3 calls"));
}

#[test]
fn what_went_wrong_is_read_to_its_end() {
    let mut model = model(&capture(FAILS), SMALL, Theme::Dark);
    let text = "lab.toml: could not be read: the table in line 12 has no `password`, no `nt_hash`, \
                and nothing else that opens something";
    update(&mut model, Msg::Done(Err(text.to_owned())));
    let screen = rows(&model, SMALL);
    let (first, second) = text.split_at(text.find("`nt_hash`").unwrap());
    assert_eq!(screen[22], format!(" ! {}", first.trim_end()));
    assert_eq!(screen[23], format!("   {second}"));
    // What would cover the screen is cut.
    update(&mut model, Msg::Done(Err("so long ".repeat(1000))));
    let screen = rows(&model, SMALL);
    assert!(
        screen[18].starts_with(" ! so long so long") && screen[23].ends_with('…'),
        "{screen:?}"
    );
    assert!(!screen[17].contains("so long"));
    press(&mut model, "j");
    assert!(!rows(&model, SMALL).join("").contains("so long"), "a key takes it away");
}
