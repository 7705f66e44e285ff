//! Which secrets are tried on a message, in what order, and what it may cost.

use super::{kerberos, password};
use crate::security::Secret;
use crate::security::keys::{DerivedFrom, Keyring, ROUNDS_MAX};
use crate::security::krb::candidates::{Found, Owner, search};
use crate::security::krb::crypto::{self, Etype, Key, string_to_key};
use crate::security::krb::message::{Salt, Sealed, Ticket};
use crate::security::krb::session::open_ticket;

const USER: Owner<'_> = Owner { name: "u", realm: "LAB", any_account: false, salts: &[] };
const SERVICE: Owner<'_> =
    Owner { name: "cifs/fs1.lab", realm: "LAB", any_account: true, salts: &[] };

/// Tries all on what is sealed with `right`; and how many keys that took.
fn tried(keys: &Keyring, owner: &Owner<'_>, right: &Key) -> (Found<()>, usize) {
    let confounder = vec![9; if right.etype() == Etype::RC4 { 8 } else { 16 }];
    let cipher = crypto::encrypt(right, 2, &confounder, b"a ticket").unwrap();
    let sealed = Sealed { etype: right.etype(), kvno: Some(2), cipher: &cipher };
    let mut count = 0;
    let found = search(keys, owner, &sealed, |key| {
        count += 1;
        crypto::decrypt(key, 2, &cipher).map(|_| ())
    });
    (found, count)
}

fn key(etype: Etype, password: &str, salt: &str) -> Key {
    string_to_key(etype, password.as_bytes(), salt.as_bytes(), None).unwrap()
}

/// `count` passwords that are not right, of anybody or of `user`.
fn wrong(count: usize, user: Option<&str>) -> Keyring {
    let mut keys = Keyring::default();
    for n in 0..count {
        let mut account = password("", None, &n.to_string()).all_accounts()[0].clone();
        account.user = user.map(str::to_owned);
        keys.add_account(account);
    }
    keys
}

#[test]
fn who_is_named_comes_first() {
    let mut keys = wrong(70, None);
    keys.add_all(password("u", None, "right"));
    let (found, count) = tried(&keys, &USER, &key(Etype::AES128, "right", "LABu"));
    assert_eq!((found.opened, count), (Some(()), 1));
    // The machine of a service, whose name is its salt.
    let mut keys = wrong(70, Some("other"));
    keys.add_all(password("FS1$", Some("LAB"), "right"));
    let right = key(Etype::AES128, "right", "LABhostfs1.lab");
    let (found, count) = tried(&keys, &SERVICE, &right);
    assert_eq!((found.opened, count), (Some(()), 1));
}

#[test]
fn what_is_not_tried_is_told() {
    let keys = wrong(66, Some("u"));
    let (found, count) = tried(&keys, &USER, &key(Etype::AES128, "right", "LABu"));
    assert_eq!((found.opened, count), (None, 64));
    let untried = "of 66 secrets of accounts the first 64 were tried";
    assert_eq!(found.untried.as_deref(), Some(untried));
    assert_eq!(found.tried, [untried]);
    // Those that are known cost nothing the second time.
    let (found, count) = tried(&keys, &USER, &key(Etype::AES128, "65", "LABu"));
    assert_eq!((found.opened, count), (Some(()), 66));
}

#[test]
fn nt_hashes_cost_nothing() {
    let keys = wrong(100, Some("u"));
    let (found, count) = tried(&keys, &USER, &key(Etype::RC4, "99", ""));
    assert_eq!((found.opened, count), (Some(()), 100));
    let (found, _) = tried(&keys, &USER, &key(Etype::RC4, "right", ""));
    assert_eq!(found.tried, ["none of the 100 secrets of accounts opens it"]);
}

#[test]
fn passwords_cost_so_much_in_all() {
    let keys = wrong(5, Some("u"));
    let of_one = 4096;
    assert!(keys.spend(ROUNDS_MAX - 3 * of_one - 1, false));
    for _ in 0..2 {
        let (found, count) = tried(&keys, &USER, &key(Etype::AES128, "4", "LABu"));
        assert_eq!((found.opened, count), (None, 3));
        let untried = "of 5 secrets of accounts the first 3 were tried, and no further: all \
                       67108864 rounds of PBKDF2 are spent";
        assert_eq!(found.untried.as_deref(), Some(untried));
    }
    assert!(keys.spend(1, false) && !keys.spend(1, false), "no more than were there");
}

/// Salts are told by whoever writes them: they do not take what the usual ones need.
#[test]
fn what_a_capture_tells_costs_half_of_it() {
    let keys = wrong(2, Some("u"));
    assert!(keys.spend(ROUNDS_MAX / 2, true) && !keys.spend(1, true));
    let salts = [Salt { etype: Etype::AES128, octets: Some(b"other".to_vec()), rounds: None }];
    let owner = Owner { salts: &salts, ..USER };
    let (found, count) = tried(&keys, &owner, &key(Etype::AES128, "1", "LABu"));
    assert_eq!(
        (found.opened, count),
        (Some(()), 2),
        "the usual salt of each, and the other of none"
    );
    let (found, _) = tried(&keys, &owner, &key(Etype::AES128, "right", "LABu"));
    let untried = "not all salts that KDCs told were tried: 33554432 rounds of PBKDF2 are spent";
    assert_eq!((found.opened, found.untried.as_deref()), (None, Some(untried)));
}

#[test]
fn rounds_that_nobody_takes_are_not_made() {
    let keys = wrong(1, Some("u"));
    let salt = |rounds| Salt { etype: Etype::AES128, octets: Some(b"salt".to_vec()), rounds };
    for (rounds, right) in [(Some(16_384), 2), (Some(16_385), 1), (Some(0), 1), (None, 2)] {
        let salts = [salt(rounds)];
        let owner = Owner { salts: &salts, ..USER };
        let (found, count) = tried(&keys, &owner, &key(Etype::AES128, "right", "LABu"));
        assert_eq!(count, right, "{rounds:?}");
        assert_eq!(found.untried.is_some(), right == 1);
    }
}

#[test]
fn the_key_of_the_machine_is_among_the_first() {
    let mut keys = Keyring::default();
    for _ in 0..1100 {
        keys.add_all(kerberos("host/other.lab@LAB", 18, Some(2), &"00".repeat(32)));
    }
    let right = Key::new(Etype::AES256, [7; 32].into()).unwrap();
    let (found, count) = tried(&keys, &SERVICE, &right);
    assert_eq!(count, 1024);
    assert_eq!(
        found.tried,
        [
            "the first 1024 of 1100 keys of that encryption type do not open it, the first is that of \
          host/other.lab@LAB, kvno 2 (lab.keytab)"
        ]
    );
    keys.add_all(kerberos("fs1$@LAB", 18, Some(1), &"07".repeat(32)));
    keys.add_all(kerberos("CIFS/fs1.lab@LAB", 18, Some(1), &"00".repeat(32)));
    let (found, count) = tried(&keys, &SERVICE, &right);
    assert_eq!((found.opened, count), (Some(()), 2));
}

#[test]
fn a_hash_is_no_key_of_another_type() {
    let mut keys = password("u", None, "x");
    let mut account = keys.all_accounts()[0].clone();
    account.secret = crate::security::keys::AccountSecret::NtHash([7; 16].into());
    keys = Keyring::default();
    keys.add_account(account);
    let (found, count) = tried(&keys, &USER, &key(Etype::AES128, "right", "LABu"));
    assert_eq!(count, 0);
    assert_eq!(found.tried, ["an NT hash is no key of that encryption type"]);
}

/// A ticket costs a search once, whether it is opened or not.
#[test]
fn a_ticket_is_searched_once() {
    let etype = Etype::AES128;
    let right = key(etype, "right", "LABhostfs1.lab");
    // [APPLICATION 3]: a session key of type 17, and `u@LAB`; RFC 4120 5.3 the fields in use.
    let mut part = b"\xa1\x1b\x30\x19\xa0\x03\x02\x01\x11\xa1\x12\x04\x10".to_vec();
    part.extend([5; 16]);
    part.extend(b"\xa2\x05\x1b\x03LAB");
    part.extend(b"\xa3\x0e\x30\x0c\xa0\x03\x02\x01\x01\xa1\x05\x30\x03\x1b\x01u");
    let clear = [&[0x63, 54, 0x30, 52][..], &part].concat();
    assert_eq!(clear.len(), 56);
    let cipher = crypto::encrypt(&right, 2, &[9; 16], &clear).unwrap();
    let sealed = Sealed { etype, kvno: None, cipher: &cipher };
    let ticket = |service: &str| Ticket { realm: "LAB".into(), service: service.into(), sealed };
    // What would be made anew cannot be: a second search would find or tell something else.
    let forget = |keys: &Keyring| {
        for n in 0..1024 {
            let salt = vec![0; n];
            keys.see_derived(
                DerivedFrom { account: 99, etype: 0, salt, rounds: 0 },
                Secret::default(),
            );
        }
        keys.spend(ROUNDS_MAX - (1 << 14), false);
        while keys.spend(1024, false) {}
    };
    let fs1 = ticket("cifs/fs1.lab");
    let keys = password("FS1$", None, "right");
    for _ in 0..2 {
        let opened = open_ticket(&fs1, &keys).unwrap();
        assert_eq!((opened.client.as_str(), opened.key.octets()), ("u@LAB", &[5; 16][..]));
        forget(&keys);
    }
    let mut keys = wrong(1, Some("FS1$"));
    for _ in 0..2 {
        let tried = open_ticket(&fs1, &keys).unwrap_err();
        assert_eq!(tried, ["the one secret of an account does not open it"]);
        forget(&keys);
    }
    // Under another name it is another ticket, whoever was first.
    assert!(open_ticket(&ticket("cifs/fs2.lab"), &keys).unwrap_err()[0].contains("no further"));
    // What is added is tried on what was seen before.
    keys.add_all(password("FS1$", None, "any"));
    assert!(open_ticket(&fs1, &keys).unwrap_err()[0].contains("no further"));
}
