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

/// How object calls travel.
fn object_settings() -> impl Strategy<Value = String> {
    let word = |words: &'static [&'static str]| prop::sample::select(words);
    (
        word(&["dcom", "dcom 1026", "smb 3.1.1; pipe vss"]),
        word(&["ndr", "ndr64"]),
        word(&["little-endian", "big-endian"]),
        word(&[
            "auth none",
            "auth ntlm connect",
            "auth ntlm integrity",
            "auth spnego kerberos packet",
            "auth kerberos privacy",
        ]),
        word(&["trailer off", "trailer on"]),
        word(&["ipv4", "ipv6"]),
        (192..5841u16, 16..1461u16),
    )
        .prop_map(|(a, b, c, d, e, f, (fragment, segment))| {
            format!("{a}; {b}; {c}; {d}; {e}; {f}; fragment {fragment}; segment {segment}\n")
        })
}

/// A call of one of the objects there are.
fn object_call() -> impl Strategy<Value = String> {
    let volume = "V[A-Z]|'[a-zA-Z]:[a-z0-9 ]?'|''|null";
    let said = prop::sample::select(
        &[
            "",
            "",
            "",
            " after 700 ms",
            " that={flags=2,extensions=[]}",
            " error='no, \u{20ac}'",
            " this={cid=U1,extensions=[X1,X2]}",
        ][..],
    );
    let method = prop_oneof![
        any::<u32>().prop_map(|n| format!("m1.QVSS(P,{n:#x})=0->e1{{refs={}}}", n % 9)),
        volume.prop_map(|v| format!("m1.QSBV({v},P)=0->s1")),
        Just("m1.GPMI(P,Diff)=0->d1".to_owned()),
        (volume, volume, any::<i64>()).prop_map(|(a, b, n)| format!("d1.ADD({a},{b},{n})=0")),
        (volume, volume).prop_map(|(a, b)| format!("d1.CHG({a},{b},-1)=VSS_E_VOLUME_IN_USE")),
        volume.prop_map(|v| format!("d1.QVSD({v})=0->e1")),
        volume.prop_map(|v| format!("d1.QDAF({v})=E_ACCESSDENIED")),
        volume.prop_map(|v| format!("e1.Next(3)=0->[{{Vol={v}}},{{DiffVol={v}}},{{Type=0}}]")),
        (volume, any::<i64>())
            .prop_map(|(v, n)| format!("e1.Next(9)=S_FALSE->[{{DiffArea=({v},{v},{n},{n})}}]")),
        (0..99u8, any::<u32>()).prop_map(|(n, m)| format!(
            "s1.Next(2)=0->[S{n},{{S1,status={},attr={m:#x}}}]",
            n % 13
        )),
        any::<u32>().prop_map(|n| format!("s1.Skip({n})=S_FALSE")),
        Just("s1.Clone()=0->s1".to_owned()),
        Just("e1.Reset()=fault RPC_E_DISCONNECTED".to_owned()),
        (0..9u16).prop_map(|n| format!("m1.{}()=0", n + 6)),
    ];
    (method, said).prop_map(|(method, said)| format!(":{method}{said}"))
}

fn object_conversation() -> impl Strategy<Value = String> {
    let client = prop::sample::select(&["A", "B", "A#2"][..]);
    let statement = prop_oneof![
        8 => (client, object_call()).prop_map(|(client, call)| format!("{client}{call}")),
        1 => prop::sample::select(&[
            "A disconnect", "B reset", "FS restart", "A ndr64", "B user LAB\\x", "wait 120s",
        ][..]).prop_map(str::to_owned),
    ];
    prop::collection::vec(statement, 1..16).prop_map(|statements| statements.join("\n"))
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

    #[test]
    fn any_object_calls_are_read_back(
        settings in object_settings(),
        conversation in object_conversation(),
    ) {
        let text = format!(
            "server FS; {settings}object m1 Mgmt; object d1 Diff; object e1 EnumM\n\
             object s1 EnumO\n{conversation}\n"
        );
        if let Err(wrong) = read::check(&text) {
            return Err(TestCaseError::fail(format!("{wrong}\n{text}")));
        }
    }
}
