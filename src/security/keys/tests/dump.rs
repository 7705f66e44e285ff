use super::*;
use crate::security::keys::file;

const AES256: &str = "85abb9b61dc2fa49d4cc04317bbd108f8f79df28239155ed7b144c5d2ebcf016";
const NT: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn what_secretsdump_writes_is_read() {
    let text = format!(
        "[*] Dumping Domain Credentials (domain\\uid:rid:lmhash:nthash)\n\
         fslab.test\\fsadmin:1103:aad3b435b51404eeaad3b435b51404ee:{NT}:::\n\
         FSM1$:1104:aad3b435b51404eeaad3b435b51404ee:{NT}:::\n\n\
         [*] Kerberos keys grabbed\n\
         fslab.test\\FSM1$:aes256-cts-hmac-sha1-96:{AES256}\n\
         FSLAB\\FSM1$:aes128-cts-hmac-sha1-96:{NT}\n\
         FSM1$:des-cbc-md5:0123456789abcdef\n\
         FSM1$:rc4_hmac:{NT}\n\
         [*] Cleaning up...\n"
    );
    let ring = file::parse("dump.txt", &text).unwrap().ring;
    let accounts: Vec<_> = ring
        .all_accounts()
        .iter()
        .map(|of| (of.domain.as_deref(), of.user.as_deref(), of.from.as_str()))
        .collect();
    assert_eq!(
        accounts,
        [
            (Some("fslab.test"), Some("fsadmin"), "dump.txt, line 2"),
            (None, Some("FSM1$"), "dump.txt, line 3")
        ]
    );
    let AccountSecret::NtHash(hash) = &ring.all_accounts()[0].secret else { panic!() };
    assert_eq!(hash.octets()[..2], [0x01, 0x23]);
    let keys: Vec<_> = ring
        .kerberos()
        .iter()
        .map(|of| (of.principal.as_deref().unwrap(), of.etype, of.kvno, of.key.octets()[0]))
        .collect();
    assert_eq!(
        keys,
        [
            ("FSM1$@fslab.test", 18, None, 0x85),
            ("FSM1$", 17, None, 0x01),
            ("FSM1$", 23, None, 0x01)
        ]
    );
}

#[test]
fn what_is_wrong_is_told_by_its_line() {
    for (text, expected) in [
        ("u:aes256-cts-hmac-sha1-96:hunter2", "line 1: expected a key of the length"),
        (
            "u:aes256-cts-hmac-sha1-96:0123456789abcdef0123456789abcdef",
            "line 1: expected a key of the length",
        ),
        ("u:500:x:hunter2:::", "line 1: expected an NT hash of 32 digits"),
        ("u:des-cbc-md5:0123\nhunter2", "line 2: expected lines of secretsdump: "),
        ("u:des-cbc-md5:0123\nu:aes256-cts-hmac-sha1-96:x:hunter2", "line 2: expected lines of"),
        ("u:des-cbc-md5:0123\n:500:x:hunter2", "line 2: expected lines of"),
        // Not of these: what they are, the others say.
        ("[*] hunter2", "line 1: expected TOML"),
        ("hunter2:Sesame", "line 1: expected TOML"),
        ("u:no-number:x:hunter2:::", "line 1: expected TOML"),
    ] {
        let told = file::parse("dump.txt", text).unwrap_err().to_string();
        assert!(told.starts_with(&format!("dump.txt, {expected}")), "{text}: {told}");
        assert!(!told.contains("hunter2") && !told.contains("Sesame"), "{told}");
    }
    let text = format!("u:rc4_hmac:{NT}\n").repeat(MAX_SECRETS + 1);
    let told = file::parse("dump.txt", &text).unwrap_err().to_string();
    assert_eq!(told, "dump.txt, line 65537: expected at most 65536 secrets");
}

#[test]
fn every_beginning_is_a_file_or_told() {
    let text = format!("[*] x\nu:500:x:{NT}:::\nu:aes256-cts-hmac-sha1-96:{AES256}\n");
    for end in 0..=text.len() {
        let _ = file::parse("dump.txt", &text[..end]);
    }
}
