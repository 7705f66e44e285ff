//! Random conversations over random transports.

use proptest::prelude::*;

use super::read;

fn settings() -> impl Strategy<Value = String> {
    let word = |words: &'static [&'static str]| prop::sample::select(words);
    (
        word(&["smb 2.0.2", "smb 2.1", "smb 3.0", "smb 3.0.2", "smb 3.1.1", "tcp 1026"]),
        word(&["ndr", "ndr64"]),
        word(&["little-endian", "big-endian"]),
        word(&[
            "auth none",
            "auth ntlm connect",
            "auth ntlm integrity",
            "auth spnego integrity",
            "auth spnego kerberos packet",
            "auth kerberos integrity",
            "auth kerberos privacy",
        ]),
        word(&["trailer off", "trailer on"]),
        word(&["object off", "object on"]),
        1..5u8,
        word(&["ipv4", "ipv6"]),
        (192..5841u16, 16..1461u16),
        word(&["io transceive", "io write-read"]),
        word(&["user anonymous", "user LAB\\somebody", "signing off"]),
    )
        .prop_map(|(a, b, c, d, e, f, channels, g, (fragment, segment), h, i)| {
            format!(
                "{a}; {b}; {c}; {d}; {e}; {f}; channels {channels}; {g}; fragment {fragment}; \
                 segment {segment}; {h}; {i}\n"
            )
        })
}

fn status() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("0".to_owned()),
        Just("0".to_owned()),
        prop::sample::select(&["BAD_STATE", "MISMATCH", "WAIT_FAILED", "E_INVALIDARG"][..])
            .prop_map(str::to_owned),
        any::<u32>().prop_map(|code| format!("{code:#x}")),
        (1..u32::MAX).prop_map(|code| format!("fault {code:#x}")),
    ]
}

/// A statement that begins with the name of a client.
fn call() -> impl Strategy<Value = String> {
    let share = r"\\\\[a-z]{1,9}\\[A-Za-z0-9.$_ \u{e4}\u{20ac}\u{1f600}-]{0,40}";
    let id = "[SCUV][0-9]{1,2}|nil";
    (
        0..13u8,
        id,
        id,
        share,
        any::<u32>(),
        status(),
        prop::sample::select(&["", "", "", " after 700 ms", " after 3 s", " unanswered"][..]),
        any::<bool>(),
    )
        .prop_map(|(opnum, one, other, share, number, status, delay, said)| {
            let args = match opnum {
                0 => String::new(),
                1 => format!("ctx={number}"),
                2 => format!("cid={one}"),
                3 => format!("ccid={one},{other},'{share}'"),
                4 | 5 | 12 => format!("{one},to={number:#x}"),
                6 | 7 => one.clone(),
                8 | 9 => format!("'{share}'"),
                10 => format!("{one},{other},'{share}',L={}", number % 3),
                _ => format!("{one},{other},'{share}'"),
            };
            let results = match opnum {
                _ if !said || status.starts_with("fault") => String::new(),
                0 => format!("->{number},{}", !number),
                2 | 3 => format!("->{other}"),
                8 => format!("->{},'{share}'", number % 2),
                9 => format!("->TRUE,{}", number.cast_signed()),
                10 if number % 3 == 1 => format!("->{{set={one},exposed='{share}',ts={number}}}"),
                _ => String::new(),
            };
            if delay == " unanswered" {
                return format!(":{opnum}({args}){delay}");
            }
            format!(":{opnum}({args}){delay} ={status}{results}")
        })
}

fn conversation() -> impl Strategy<Value = String> {
    let client = prop::sample::select(&["A", "B", "C", "A->FS2", "B#2", "A@FS"][..]);
    let statement = prop_oneof![
        8 => (client.clone(), call()).prop_map(|(client, call)| format!("{client}{call}")),
        1 => (0..300u32).prop_map(|seconds| format!("wait {seconds}s")),
        1 => prop::sample::select(&[
            "A close", "B disconnect", "A bind", "C logoff", "B connect", "FS restart", "A trailer on",
            "B ndr64", "C#new connect", "A tree \\\\fs\\d",
        ][..]).prop_map(str::to_owned),
    ];
    prop::collection::vec(statement, 1..24).prop_map(|statements| statements.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_conversation_is_read_back(settings in settings(), conversation in conversation()) {
        let text = format!("server FS; server FS2; {settings}{conversation}\n");
        if let Err(wrong) = read::check(&text) {
            return Err(TestCaseError::fail(format!("{wrong}\n{text}")));
        }
    }
}
