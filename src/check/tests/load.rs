//! What is wrong with a page is said by file, line and nearest word.

use std::fs;

use super::*;

const GOOD: &str = r#"
[rule."TEST-1.2-03"]
party = "server"
severity = "error"
observable = "full"
needs = ["cleartext", "all-clients"]
statement = "It asks."
check = "By looking."
why = "Backups fail."
counterexample = '''
A:0()=0
A:1(ctx=0)=0
'''
near_miss = "A:0()=0"
"#;

fn add(text: &str) -> Result<BTreeMap<Key, Rule>, String> {
    let mut rules = Rules::default();
    rules.add("x.toml", text).map_err(|error| error.to_string())?;
    Ok(rules.found)
}

#[track_caller]
fn refused(text: &str, expect: &str) {
    assert_eq!(add(text).expect_err("it is wrong"), expect);
}

#[test]
fn a_page_is_read() {
    let rules = add(GOOD).expect("it is right");
    let rule = rules.values().next().expect("a rule");
    assert_eq!(
        (&*rule.id, rule.party, rule.severity),
        ("TEST-1.2-03", Blame::Server, Severity::Error)
    );
    assert_eq!(rule.needs.words(), ["cleartext", "all-clients"]);
    assert_eq!(rule.counterexample.as_deref(), Some("A:0()=0\nA:1(ctx=0)=0"));
    assert_eq!((rule.is_checked(), &rule.corrected), (true, &None));
}

#[test]
fn what_is_never_seen_says_why() {
    let text = GOOD.replace("\"full\"", "\"no\"");
    refused(&text, "x.toml:2:7: TEST-1.2-03 lacks `left_out`");
    let text = text.replace("check =", "left_out =").replace("counterexample", "corrected");
    let rules = add(&text).expect("it needs no example");
    assert!(!rules.values().next().expect("a rule").is_checked());
}

#[test]
fn what_could_be_seen_and_is_left_out_needs_no_example() {
    let head = GOOD.split("check =").next().expect("the head");
    refused(&format!("{head}why = \"So.\"\n"), "x.toml:2:7: TEST-1.2-03 lacks `check`");
    let text = format!("{head}why = \"So.\"\nleft_out = \"Another rule covers it.\"\n");
    let rules = add(&text).expect("it says why");
    let rule = rules.values().next().expect("a rule");
    assert_eq!((rule.is_checked(), rule.observable), (false, Observable::Full));
}

#[test]
fn errors_name_the_place_and_the_nearest_word() {
    let change = |from: &str, to: &str| GOOD.replace(from, to);
    let page = "party, severity, observable, needs, statement, check, why, counterexample, \
                near_miss, left_out or corrected";
    refused(
        &change("severity", "severty"),
        &format!("x.toml:4:1: expected {page}, found `severty` (`severity`?)"),
    );
    refused(
        &change("\"server\"", "\"sever\""),
        "x.toml:3:9: expected client, server, both or transport, found `sever` (`server`?)",
    );
    refused(
        &change("\"error\"", "\"critical\""),
        "x.toml:4:12: expected note, warning or error, found `critical`",
    );
    let words = "cleartext, timing, multi-client, all-clients, security-context, opnum-only or \
                 object-tracking";
    refused(
        &change("all-clients", "all-client"),
        &format!("x.toml:6:9: expected {words}, found `all-client` (`all-clients`?)"),
    );
    refused(
        &change("[\"cleartext\", \"all-clients\"]", "7"),
        &format!("x.toml:6:9: expected a list of {words}"),
    );
    refused(&change("why = \"Backups fail.\"\n", ""), "x.toml:2:7: TEST-1.2-03 lacks `why`");
    refused(&change("\"It asks.\"", "\" \""), "x.toml:7:13: expected a text that says something");
    refused(&change("\"It asks.\"", "true"), "x.toml:7:13: expected a text, found boolean");
    refused(
        &change("TEST-1.2-03", "TEST-1.2-3"),
        "x.toml:2:7: expected an id such as FSRVP-3.1.4.5-03, found `TEST-1.2-3`",
    );
    refused(&change("[rule.", "[rules."), "x.toml:2:2: unknown field `rules`, expected `rule`");
}

#[test]
fn a_rule_is_in_one_file_only() {
    let mut rules = Rules::default();
    rules.add("x.toml", GOOD).expect("it is right");
    let error = rules.add("y.toml", GOOD).expect_err("it is there");
    assert_eq!(error.to_string(), "y.toml:2:7: TEST-1.2-03 is in x.toml, too");
}

#[test]
fn a_directory_adds_and_replaces() {
    let dir = std::env::temp_dir().join(format!("vshark-rules-{}", std::process::id()));
    let pages = dir.join("mine").join("rules");
    fs::create_dir_all(&pages).expect("a folder");
    fs::write(pages.join("mine.toml"), GOOD).expect("a file");
    fs::write(pages.join("fsrvp.toml"), GOOD.replace("TEST-1.2-03", "FSRVP-1.7-01"))
        .expect("a file");
    let with = |dir: &Path| super::super::Catalogue::load(&[dir.to_owned()]).expect("it loads");
    for dir in [dir.clone(), dir.join("mine")] {
        let catalogue = with(&dir);
        assert_eq!(catalogue.iter().count(), 640);
        let rule = catalogue.get("1.7-01").expect("it was there before");
        assert_eq!(rule.statement, "It asks.");
        assert!(catalogue.get("test-1.2-03").is_some());
    }
    fs::remove_dir_all(&dir).expect("it goes");
}
