use super::*;

/// What must never be in an error.
const SECRETS: [&str; 5] = ["hunter2", "Sesame", "deadbeef", "c0ffee", "0123456789abcdef"];

fn error(text: &str) -> String {
    let error = parse("lab.toml", text).unwrap_err();
    for told in [error.to_string(), format!("{error:?}")] {
        for secret in SECRETS {
            assert!(!told.contains(secret), "{told} shows {secret}");
        }
    }
    error.to_string()
}

#[test]
fn all_of_it_is_read() {
    let text = r#"
[[password]]
domain = "FSLAB"
user = "fsadmin"
password = "hunter2"
[[keytab]]
file = 'keys\lab.keytab'
[[password]]
nt_hash = "0123456789abcdef0123456789ABCDEF"
[[kerberos_key]]
principal = "cifs/fs1.lab"
etype = 17
kvno = 4
key = "0123456789abcdef0123456789abcdef"
[[kerberos_key]]
etype = 0x17
key = "0123456789abcdef0123456789abcdef"
[[smb_session]]
id = "0x00000000511f933e"
key = "0123456789abcdef0123456789abcdef"
[[smb_session]]
id = "3e931f5100000000"
client_to_server = "11111111111111111111111111111111"
server_to_client = "2222222222222222222222222222222222222222222222222222222222222222"
"#;
    let keys = parse("lab.toml", text).unwrap();
    let ring = &keys.ring;
    assert_eq!(keys.keytabs, [KeytabFile { path: "keys\\lab.keytab".to_owned(), line: 7 }]);
    let [first, second] = ring.all_accounts() else { panic!("{ring:?}") };
    assert_eq!(first.domain.as_deref(), Some("FSLAB"));
    assert_eq!(first.user.as_deref(), Some("fsadmin"));
    assert_eq!(first.from, "lab.toml, line 2");
    let AccountSecret::Password(password) = &first.secret else { panic!("{first:?}") };
    assert_eq!(password.octets(), b"hunter2");
    let AccountSecret::NtHash(hash) = &second.secret else { panic!("{second:?}") };
    assert_eq!(hash.octets()[..4], [0x01, 0x23, 0x45, 0x67]);
    assert_eq!((&second.user, &second.domain), (&None, &None));
    let kerberos: Vec<_> =
        ring.kerberos().iter().map(|key| (key.principal.as_deref(), key.etype, key.kvno)).collect();
    assert_eq!(kerberos, [(Some("cifs/fs1.lab"), 17, Some(4)), (None, 23, None)]);
    let smb: Vec<_> = ring.smb(0x511f_933e).collect();
    let [one, two] = &smb[..] else { panic!("{smb:?}") };
    let SmbSecret::Session(key) = &one.secret else { panic!("{one:?}") };
    assert_eq!(key.octets().len(), 16);
    let SmbSecret::Directions { client_to_server, server_to_client } = &two.secret else {
        panic!("{two:?}")
    };
    assert_eq!(client_to_server.as_ref().unwrap().octets(), [0x11; 16]);
    assert_eq!(server_to_client.as_ref().unwrap().octets(), [0x22; 32]);
    assert!(!format!("{keys:?}").contains("hunter2"));
}

#[test]
fn mistakes_are_told_with_their_line_and_without_what_is_there() {
    let toml = "lab.toml, line 3: expected TOML: ";
    let known = "lab.toml, line 3: a [[password]] has domain, user, password and nt_hash, and \
                 nothing else";
    let cases = [
        ("password = hunter2", toml),
        ("password = \"hunter2", toml),
        ("password = \"hunter2\\Sesame\"", toml),
        ("password = 'hunter2", toml),
        ("password \"hunter2\"", toml),
        ("hunter2", toml),
        ("hunter2 Sesame = 1", toml),
        ("hunter2\u{7}= 1", toml),
        ("password = \"hunter2\" \"Sesame\"", toml),
        ("password = [\"hunter2\"", toml),
        ("password = { hunter2 }", toml),
        ("hunter2 = \"Sesame\"", known),
        ("hunter2.Sesame = 1", known),
        ("\"hunter2\" = 1", known),
        ("password = [\"hunter2\"]", "lab.toml, line 3: expected a text in quotes for password"),
        (
            "password = { hunter2 = \"Sesame\" }",
            "lab.toml, line 3: expected a text in quotes for password",
        ),
        ("password = 0xc0ffee", "lab.toml, line 3: expected a text in quotes for password"),
        ("password = \"\"", "lab.toml, line 3: expected a text in quotes for password"),
        ("password = 2026-11-22", "lab.toml, line 3: expected a text in quotes for password"),
        ("user = 0xdeadbeef", "lab.toml, line 3: expected a text in quotes for user"),
        ("user = \"u\"", "lab.toml, line 2: [[password]]: expected password or nt_hash"),
        (
            "user = \"FSLAB\\fsadmin\"\npassword = \"hunter2\"",
            "lab.toml, line 3: expected a name for user; one with a backslash in single quotes",
        ),
        (
            "password = \"hunter2\"\nnt_hash = \"0123456789abcdef0123456789abcdef\"",
            "lab.toml, line 2: [[password]]: expected password or nt_hash, found both",
        ),
        (
            "nt_hash = \"0123456789abcdef\"",
            "lab.toml, line 3: expected an nt_hash of 32 hexadecimal digits",
        ),
        (
            "nt_hash = \"0123456789abcdef0123456789abcdeg\"",
            "lab.toml, line 3: expected an nt_hash of 32 hexadecimal digits",
        ),
        ("password = \"x\"\npassword = \"hunter2\"", "lab.toml, line 4: expected TOML: "),
    ];
    for (line, expected) in cases {
        let message = error(&format!("# the lab\n[[password]]\n{line}\n"));
        assert!(message.starts_with(expected), "{line}: {message}");
    }
}

#[test]
fn tables_that_are_none_are_told() {
    let kinds = "expected [[password]], [[keytab]], [[kerberos_key]] or [[smb_session]]";
    let cases = [
        ("[[hunter2]]\nuser = \"x\"", format!("line 1: {kinds}")),
        ("[[password.hunter2]]\nuser = \"x\"", "line 1: expected [[password]], in two".to_owned()),
        ("hunter2 = \"Sesame\"", format!("line 1: {kinds}")),
        (
            "\n[password]\npassword = \"hunter2\"",
            "line 2: expected [[password]], in two".to_owned(),
        ),
        ("password = \"hunter2\"", "line 1: expected [[password]], in two brackets".to_owned()),
        ("password = [\"hunter2\"]", "line 1: expected a [[password]] table".to_owned()),
        ("", "line 1: there is no secret in it: ".to_owned()),
        ("# hunter2", "line 1: there is no secret in it: ".to_owned()),
        ("password = []", "line 1: there is no secret in it: ".to_owned()),
        ("[[keytab]]", "line 1: [[keytab]]: expected file = ".to_owned()),
        ("[[keytab]]\nfile = 7", "line 2: expected a text in quotes for file".to_owned()),
        (
            "[[kerberos_key]]\nkey = \"c0ffee\"",
            "line 1: [[kerberos_key]]: expected etype".to_owned(),
        ),
        (
            "[[kerberos_key]]\netype = 18\nkey = \"c0ffee\"",
            "line 3: expected a key of 64 hexadecimal digits, as etype 18 has it".to_owned(),
        ),
        (
            "[[kerberos_key]]\netype = \"deadbeef\"\nkey = \"c0ffee\"",
            "line 2: expected a number for etype".to_owned(),
        ),
        (
            "[[kerberos_key]]\netype = 99\nkey = \"hunter2\"",
            "line 3: expected a key in hexadecimal digits".to_owned(),
        ),
        (
            "[[kerberos_key]]\netype = 17\nkvno = -1\nkey = \"0123456789abcdef0123456789abcdef\"",
            "line 3: expected a key version".to_owned(),
        ),
        ("[[smb_session]]\nkey = \"c0ffee\"", "line 1: [[smb_session]]: expected id".to_owned()),
        (
            "[[smb_session]]\nid = \"deadbeef\"\nkey = \"c0ffee\"",
            "line 2: expected the id of a session: 16 hexadecimal digits".to_owned(),
        ),
        (
            "[[smb_session]]\nid = \"0x1\"\nkey = \"c0ffee\"",
            "line 3: expected a key of 32 or 64 hexadecimal digits".to_owned(),
        ),
        (
            "[[smb_session]]\nid = \"0x1\"",
            "line 1: [[smb_session]]: expected key, or client_to_server".to_owned(),
        ),
    ];
    for (text, expected) in cases {
        let message = error(text);
        assert!(message.starts_with(&format!("lab.toml, {expected}")), "{text}: {message}");
    }
}

#[test]
fn a_session_is_known_by_either_spelling_of_its_id() {
    assert_eq!(session_id("0x00000000511f933e"), Some(0x511f_933e));
    assert_eq!(session_id("0X511F933E"), Some(0x511f_933e));
    assert_eq!(session_id("3e931f5100000000"), Some(0x511f_933e));
    let wrong = [
        "",
        "0x",
        "0x+1",
        "511f933e",
        "0x123456789abcdef01",
        "3e931f510000000g",
        "+e931f5100000000",
    ];
    for wrong in wrong {
        assert_eq!(session_id(wrong), None, "{wrong}");
    }
}

#[test]
fn lines_of_others_are_read() {
    let samba = "SessionId=3e931f5100000000 SessionKey=e5d2a9e99495f184e0bba82ce973ef56 \
                 SigningKey=19ae0427b44f46943b61bf9effc2b92f \
                 ServerInKey=11111111111111111111111111111111 \
                 ServerOutKey=22222222222222222222222222222222\n";
    let wireshark = "# This file is automatically generated, DO NOT MODIFY.\n\
                     3e931f5100000000,e5d2a9e99495f184e0bba82ce973ef56,\
                     22222222222222222222222222222222,11111111111111111111111111111111\n";
    for text in [samba, wireshark] {
        let keys = parse("s.keys", text).unwrap();
        let found: Vec<_> = keys.ring.smb(0x511f_933e).collect();
        let [session, directions] = &found[..] else { panic!("{found:?}") };
        let SmbSecret::Session(key) = &session.secret else { panic!("{session:?}") };
        assert_eq!(key.octets()[0], 0xe5);
        let SmbSecret::Directions { client_to_server, server_to_client } = &directions.secret
        else {
            panic!("{directions:?}")
        };
        assert_eq!(client_to_server.as_ref().unwrap().octets()[0], 0x11);
        assert_eq!(server_to_client.as_ref().unwrap().octets()[0], 0x22);
        assert!(session.from.starts_with("s.keys, line "));
    }
    let quoted = "\"3e931f5100000000\",\"\",\"22222222222222222222222222222222\",\"\"";
    assert_eq!(parse("s", quoted).unwrap().ring.len(), 1);
    let cases = [
        ("3e931f5100000000,deadbeef", "line 1: expected a key of 32 or 64 hexadecimal digits"),
        ("3e931f51,", "line 1: expected the id of a session"),
        ("3e931f5100000000,\nhunter2,Sesame", "line 1: expected a key beside the session's id"),
        ("SessionId=3e931f5100000000 SessionKey=hunter2", "line 1: expected a key of 32 or 64"),
        (
            "3e931f5100000000,0123456789abcdef0123456789abcdef\n\nhunter2 Sesame",
            "line 3: expected `SessionId=",
        ),
    ];
    for (text, expected) in cases {
        let message = error(text);
        assert!(message.starts_with(&format!("lab.toml, {expected}")), "{text}: {message}");
    }
}

#[test]
fn every_beginning_of_a_file_is_a_file_or_told() {
    let text = "[[password]]\npassword = \"hunter2\"\n[[smb_session]]\nid = \"0x1\"\nkey = \
                \"0123456789abcdef0123456789abcdef\"\n";
    for end in 0..=text.len() {
        if parse("lab.toml", &text[..end]).is_err() {
            error(&text[..end]);
        }
    }
}

#[test]
fn every_secret_knows_its_line_however_many_there_are() {
    let table = "[[password]]\nnt_hash = \"0123456789abcdef0123456789abcdef\"\n";
    let keys = parse("lab.toml", &table.repeat(MAX_SECRETS)).unwrap();
    let accounts = keys.ring.all_accounts();
    assert_eq!(accounts.len(), MAX_SECRETS);
    for (n, account) in accounts.iter().enumerate() {
        assert_eq!(account.from, format!("lab.toml, line {}", 2 * n + 1));
    }
    let told = error(&table.repeat(MAX_SECRETS + 1));
    assert_eq!(told, "lab.toml, line 131073: expected at most 65536 secrets");
}

#[test]
fn lines_are_as_many_as_tables_at_most() {
    let line = |n: usize| {
        let id = u64::try_from(n).unwrap().swap_bytes();
        format!("{id:016x},0123456789abcdef0123456789abcdef,,\n")
    };
    let text: String = (0..MAX_SECRETS).map(line).collect();
    let ring = parse("lab.toml", &text).unwrap().ring;
    assert_eq!(ring.len(), MAX_SECRETS);
    for session in [0, 1, 65535] {
        let [key] = ring.smb(session).collect::<Vec<_>>()[..] else { panic!("{session}") };
        assert_eq!(key.from, format!("lab.toml, line {}", session + 1));
    }
    assert_eq!(ring.smb(65536).count(), 0);
    let told = error(&(text + &line(MAX_SECRETS)));
    assert_eq!(told, "lab.toml, line 65537: expected at most 65536 secrets");
}
