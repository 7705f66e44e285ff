use super::*;

/// A ring that stopped learning did not know the newest.
#[test]
fn the_newest_tickets_are_remembered() {
    let keys = Keyring::default();
    let ticket = |n: usize| n.to_be_bytes();
    for n in 0..=TICKETS_MAX {
        keys.learn(&ticket(n), 18, Secret::from(ticket(n)));
        keys.see_given(&ticket(n), Given { client: Some(n.to_string()), closed: None });
    }
    assert_eq!((keys.learned(&ticket(0)), keys.given(&ticket(0))), (None, None));
    for n in [1, TICKETS_MAX] {
        assert_eq!(keys.learned(&ticket(n)), Some((18, Secret::from(ticket(n)))));
        assert_eq!(keys.given(&ticket(n)).unwrap().client, Some(n.to_string()));
    }
}

fn account(domain: Option<&str>, user: Option<&str>, from: &str) -> Account {
    Account {
        domain: domain.map(str::to_owned),
        user: user.map(str::to_owned),
        secret: AccountSecret::Password(Secret::from(*b"pw")),
        from: from.to_owned(),
    }
}

#[test]
fn a_user_with_a_realm_is_that_user() {
    let mut keys = Keyring::default();
    keys.add_account(account(None, None, "anyone"));
    keys.add_account(account(None, Some("fsadmin@FSLAB.TEST"), "upn"));
    keys.add_account(account(Some("OTHER"), Some("fsadmin@FSLAB.TEST"), "with a domain"));
    let named = &keys.all_accounts()[1];
    assert_eq!(named.domain.as_deref(), Some("FSLAB.TEST"));
    assert_eq!(named.user.as_deref(), Some("fsadmin"));
    let found = |domain, user| {
        let accounts = keys.accounts(domain, user);
        accounts.into_iter().map(|account| account.from.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(found("FSLAB", "FsAdmin"), ["upn", "anyone"]);
    assert_eq!(found("", "fsadmin@fslab.test"), ["upn", "with a domain", "anyone"]);
    assert_eq!(found("", "fsbackup@fslab.test"), ["anyone"]);
    for (whole, domain, user) in [
        ("FSLAB\\fsadmin", Some("FSLAB"), Some("fsadmin")),
        ("FSLAB\\", Some("FSLAB"), None),
        (".\\fsadmin@x", Some("."), Some("fsadmin@x")),
        ("host/fs1.fslab.test", None, Some("host/fs1.fslab.test")),
    ] {
        let mut keys = Keyring::default();
        keys.add_account(account(None, Some(whole), "with a domain"));
        let [one] = keys.all_accounts() else { panic!() };
        assert_eq!((one.domain.as_deref(), one.user.as_deref()), (domain, user), "{whole}");
    }
    for user in ["@", "fsadmin@", "@FSLAB.TEST"] {
        let mut keys = Keyring::default();
        keys.add_account(account(None, Some(user), "not one"));
        assert_eq!(keys.all_accounts()[0].user.as_deref(), Some(user));
    }
}

#[test]
fn accounts_of_the_domain_come_first() {
    let mut keys = Keyring::default();
    for (domain, user) in [
        (None, None),
        (Some("LAB.EXAMPLE"), Some("u")),
        (Some("OTHER"), None),
        (None, Some("U")),
        (Some("lab"), Some("u")),
        (Some("LAB"), None),
        (Some("LAB"), Some("v")),
    ] {
        let from = format!("{}\\{}", domain.unwrap_or("*"), user.unwrap_or("*"));
        keys.add_account(account(domain, user, &from));
    }
    let found: Vec<_> = keys.accounts("LAB", "u").into_iter().map(|a| a.from.as_str()).collect();
    assert_eq!(found, ["lab\\u", "LAB.EXAMPLE\\u", "*\\U", "LAB\\*", "*\\*"]);
}
