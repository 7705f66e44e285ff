//! Which key says what. The help is made of this table.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::msg::{Ask, Copied, Msg, View};

/// A meaning with its keys.
pub(super) struct Binding {
    /// Names of keys as [`name`] gives them; keys that are pressed one after another have a space
    /// between them.
    pub(super) keys: &'static [&'static str],
    /// What they mean.
    pub(super) msg: fn() -> Msg,
    /// The same in words.
    pub(super) help: &'static str,
}

/// Meanings that belong together.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) bindings: &'static [Binding],
}

const fn key(keys: &'static [&'static str], msg: fn() -> Msg, help: &'static str) -> Binding {
    Binding { keys, msg, help }
}

/// All keys.
pub(super) const GROUPS: &[Group] = &[
    Group {
        title: "Views",
        bindings: &[
            key(&["1"], || Msg::Show(View::Overview), "overview: what failed, and why"),
            key(&["2"], || Msg::Show(View::Calls), "calls, with fields and bytes"),
            key(&["3"], || Msg::Show(View::Packets), "packets, with fields and bytes"),
            key(&["4"], || Msg::Show(View::Sequence), "sequence: who asked whom, when"),
            key(&["5"], || Msg::Show(View::State), "state of the server at the call"),
            key(&["6"], || Msg::Show(View::Findings), "findings, with the pages of the rules"),
            key(&["7"], || Msg::Show(View::Statistics), "statistics"),
            key(&["8"], || Msg::Show(View::Objects), "objects, and where copies are stored"),
            key(&[">", "L"], || Msg::Turn(1), "next view"),
            key(&["<", "H"], || Msg::Turn(-1), "view before"),
        ],
    },
    Group {
        title: "Moving",
        bindings: &[
            key(&["j", "Down"], || Msg::Move(1), "down"),
            key(&["k", "Up"], || Msg::Move(-1), "up"),
            key(&["Ctrl-d", "Ctrl-f", "PageDown", "Space"], || Msg::Page(1), "a screen down"),
            key(&["Ctrl-u", "Ctrl-b", "PageUp", "b"], || Msg::Page(-1), "a screen up"),
            key(&["g g", "Home"], || Msg::First, "first"),
            key(&["G", "End"], || Msg::Last, "last"),
            key(&["h", "Left"], || Msg::Left, "close a group; a byte, or a call in time, back"),
            key(&["l", "Right"], || Msg::Right, "open a group; a byte, or a call in time, on"),
            key(&["Enter"], || Msg::Enter, "go to what is selected, or into it"),
            key(&["Esc"], || Msg::Leave, "out of it; no filter"),
            key(&["Backspace", "Ctrl-o"], || Msg::Back, "back to where the last jump came from"),
            key(&["Tab"], || Msg::Focus(true), "next pane: list, fields, bytes"),
            key(&["BackTab"], || Msg::Focus(false), "pane before"),
            key(&[":"], || Msg::Ask(Ask::GoTo), "go to a call (7) or a frame (f57)"),
        ],
    },
    Group {
        title: "Fields and bytes",
        bindings: &[
            key(&["o"], || Msg::Toggle, "open or close a group"),
            key(&["O"], || Msg::ToggleAll, "open or close all groups"),
            key(&["]"], || Msg::Tab(true), "bytes of the next buffer or frame"),
            key(&["["], || Msg::Tab(false), "bytes of the one before"),
            key(&["z"], || Msg::Zoom, "this pane on the whole screen, and back"),
        ],
    },
    Group {
        title: "Finding",
        bindings: &[
            key(&["/"], || Msg::Ask(Ask::Search), "look for text, or for bytes: x de ad"),
            key(&["n"], || Msg::Again(true), "next that was looked for"),
            key(&["N"], || Msg::Again(false), "the one before"),
            key(
                &["f", "\\"],
                || Msg::Ask(Ask::Filter),
                "which calls are shown: fsrvp && status != 0",
            ),
            key(&["p"], || Msg::FollowPipe, "only calls on the same pipe, and back"),
            key(&["s"], || Msg::FollowSet, "only calls on the same set or object, and back"),
            key(&["F"], || Msg::Follow, "go along with what comes in, or no longer"),
            key(&["m"], || Msg::Mark, "mark the row, or no longer"),
            key(&["'"], || Msg::NextMark, "next marked row"),
        ],
    },
    Group {
        title: "Taking along",
        bindings: &[
            key(&["y v"], || Msg::Copy(Copied::Value), "copy the value"),
            key(&["y y"], || Msg::Copy(Copied::Row), "copy the row"),
            key(&["y t"], || Msg::Copy(Copied::Tree), "copy all fields"),
            key(&["y x"], || Msg::Copy(Copied::Hex), "copy the bytes in hexadecimal"),
            key(&["Y"], || Msg::Ask(Ask::SaveCopy), "save what was copied last to a file"),
            key(
                &["w"],
                || Msg::Ask(Ask::SavePackets),
                "save packets of the marked calls, or of this one",
            ),
            key(&["W"], || Msg::Ask(Ask::SaveView), "save the view as text, or as JSON (….json)"),
        ],
    },
    Group {
        title: "Everything else",
        bindings: &[
            key(&["K"], || Msg::Ask(Ask::Keys), "open what is sealed: a file of keys, or a keytab"),
            key(&["t"], || Msg::Times, "times: UTC, local, since the start, since the one before"),
            key(&["T"], || Msg::Colours, "colours: dark, light, none"),
            key(&["Ctrl-l"], || Msg::Redraw, "draw everything anew"),
            key(&["?", "F1"], || Msg::Help, "these keys"),
            key(&["Ctrl-z"], || Msg::Suspend, "stop for now (fg goes on)"),
            key(&["q", "Ctrl-c"], || Msg::Quit, "quit"),
        ],
    },
];

/// What a key may be.
pub(super) enum Found {
    /// It means this.
    Msg(Msg),
    /// It begins something.
    Begins,
    /// It means nothing.
    Nothing,
}

/// What `key` means after `before`, which began something.
pub(super) fn find(before: Option<&str>, key: &str) -> Found {
    let typed = before.map_or_else(|| key.to_owned(), |before| format!("{before} {key}"));
    let bindings = || GROUPS.iter().flat_map(|group| group.bindings);
    if let Some(found) = bindings().find(|binding| binding.keys.contains(&&*typed)) {
        return Found::Msg((found.msg)());
    }
    let begins = |keys: &&str| keys.split_once(' ').is_some_and(|(first, _)| first == typed);
    if bindings().any(|binding| binding.keys.iter().any(begins)) {
        return Found::Begins;
    }
    Found::Nothing
}

/// The name of a key: `j`, `Ctrl-d`, `PageDown`.
pub(super) fn name(key: KeyEvent) -> String {
    let named = match key.code {
        KeyCode::Char(' ') => "Space".to_owned(),
        KeyCode::Char(c) => c.to_string(),
        KeyCode::F(n) => format!("F{n}"),
        KeyCode::BackTab => "BackTab".to_owned(),
        KeyCode::Enter => "Enter".to_owned(),
        KeyCode::Esc => "Esc".to_owned(),
        other => format!("{other:?}"),
    };
    // Both together are AltGr, with which many keyboards have \ and brackets.
    match (key.modifiers.contains(KeyModifiers::CONTROL), key.modifiers.contains(KeyModifiers::ALT))
    {
        (true, false) => format!("Ctrl-{named}"),
        (false, true) => format!("Alt-{named}"),
        _ => named,
    }
}

/// The key of a name.
pub fn named(name: &str) -> Option<KeyEvent> {
    let (control, name) = match name.strip_prefix("Ctrl-") {
        Some(rest) => (KeyModifiers::CONTROL, rest),
        None => (KeyModifiers::NONE, name),
    };
    let mut chars = name.chars();
    let code = match (chars.next(), chars.next()) {
        (Some(c), None) => KeyCode::Char(c),
        _ => match name {
            "Space" => KeyCode::Char(' '),
            "Enter" => KeyCode::Enter,
            "Esc" => KeyCode::Esc,
            "Tab" => KeyCode::Tab,
            "BackTab" => KeyCode::BackTab,
            "Backspace" => KeyCode::Backspace,
            "Up" => KeyCode::Up,
            "Down" => KeyCode::Down,
            "Left" => KeyCode::Left,
            "Right" => KeyCode::Right,
            "Home" => KeyCode::Home,
            "End" => KeyCode::End,
            "PageUp" => KeyCode::PageUp,
            "PageDown" => KeyCode::PageDown,
            "Delete" => KeyCode::Delete,
            _ => KeyCode::F(name.strip_prefix('F')?.parse().ok()?),
        },
    };
    Some(KeyEvent::new(code, control))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_key_means_two_things_and_each_has_a_name_that_is_read() {
        let mut seen = BTreeSet::new();
        for keys in GROUPS.iter().flat_map(|group| group.bindings).flat_map(|of| of.keys) {
            assert!(seen.insert(*keys), "{keys} means two things");
            let mut before: Option<String> = None;
            for one in keys.split(' ') {
                let key = named(one).unwrap_or_else(|| panic!("{one} is no key"));
                assert_eq!(name(key), one);
                let found = find(before.as_deref(), one);
                let whole = before.map_or(one.to_owned(), |before| format!("{before} {one}"));
                assert_eq!(matches!(found, Found::Msg(_)), whole == **keys, "{keys}");
                before = Some(whole);
            }
        }
        assert!(matches!(find(None, "Q"), Found::Nothing));
    }
}
