//! Reading everything again with more secrets.

use super::fixture::{capture, empty, loaded, model, press, rows};
use crate::tui::{Effect, Msg, Theme, update};

const SIZE: (u16, u16) = (120, 30);

#[test]
fn a_path_is_handed_over_once_everything_was_read() {
    let path = capture("b-ntlm-seal-smb311.pcap");
    let mut model = model(&path, SIZE, Theme::Mono);
    assert_eq!(press(&mut model, "2 K text:lab.toml Enter"), [Effect::TakeKeys("lab.toml".into())]);
    assert_eq!(press(&mut model, "K Enter K Esc"), []);

    let mut early = empty(std::slice::from_ref(&path), Theme::Mono);
    update(&mut early, Msg::Resize(SIZE.0, SIZE.1));
    assert_eq!(press(&mut early, "2 K text:lab.toml Enter"), []);
    let bottom = rows(&early, SIZE).pop().unwrap();
    let expected = "it is still being read: try again when that is done, or start with --keys";
    assert!(bottom.contains(expected), "{bottom}");
}

#[test]
fn the_call_the_view_and_the_filter_are_found_again() {
    let path = capture("b-ntlm-seal-smb311.pcap");
    let mut model = model(&path, SIZE, Theme::Mono);
    press(&mut model, ": text:7 Enter m f text:opnum>=0 Enter 5 2");
    let before = (model.call, model.view, model.trace.calls(), model.calls_listed());
    assert_eq!(before.0, 7);
    let screen = rows(&model, SIZE);
    let said = "lab.toml, 1 secret".to_owned();
    update(&mut model, Msg::Anew(said, vec!["x.keytab, offset 2: expected more".to_owned()]));
    assert_eq!((model.trace.calls(), model.call), (0, 0));
    assert!(model.findings.is_empty() && model.stands.is_empty() && !model.ended);
    for loaded in loaded(&path, 20) {
        update(&mut model, Msg::Loaded(Box::new(loaded)));
    }
    press(&mut model, "");
    while model.is_busy() {
        update(&mut model, Msg::Work);
    }
    let after = (model.call, model.view, model.trace.calls(), model.calls_listed());
    assert_eq!(after, before);
    assert_eq!(model.marks.len(), 1);
    let said = model.said.clone().unwrap();
    let expected = "lab.toml, 1 secret: opens nothing, 16 calls are still sealed: 1 says why; \
                    x.keytab, offset 2: expected more";
    assert_eq!((said.text.as_str(), said.bad), (expected, true));
    model.said = None;
    assert_eq!(rows(&model, SIZE), screen);
}

/// What is opened is counted, whether it was sealed or could not be told apart.
#[test]
fn what_is_opened_is_told() {
    let clear = capture("a-ntlm-sign-smb311.pcap");
    for (sealed, expected) in [
        ("b-ntlm-seal-smb311.pcap", "lab.toml, 1 secret: 16 calls are opened"),
        ("c-enc-AES-128-GCM-sign.pcap", "lab.toml, 1 secret: 16 calls are opened"),
    ] {
        let mut model = model(&capture(sealed), SIZE, Theme::Mono);
        update(&mut model, Msg::Anew("lab.toml, 1 secret".to_owned(), Vec::new()));
        for loaded in loaded(&clear, 50) {
            update(&mut model, Msg::Loaded(Box::new(loaded)));
        }
        let said = model.said.clone().unwrap();
        assert_eq!((said.text.as_str(), said.bad), (expected, false), "{sealed}");
        assert!(model.call >= 1 && model.frame >= 1);
    }
}

#[test]
fn where_nothing_was_sealed_that_is_said() {
    let path = capture("a-ntlm-sign-smb311.pcap");
    let mut model = model(&path, SIZE, Theme::Mono);
    update(&mut model, Msg::Anew("lab.toml, 1 secret".to_owned(), Vec::new()));
    for loaded in loaded(&path, 50) {
        update(&mut model, Msg::Loaded(Box::new(loaded)));
    }
    let said = model.said.clone().unwrap();
    assert_eq!((&*said.text, said.bad), ("lab.toml, 1 secret: nothing was sealed", true));
    assert!(!rows(&model, SIZE).join("").contains("K keys"), "there is nothing to open");
}
