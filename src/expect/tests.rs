//! Files of expectations, read: what they mean, and what is wrong with them.

use super::*;
use crate::check::Knowledge;
use crate::protocol::Registry;

fn parse(text: &str) -> std::result::Result<Expectations, String> {
    let knowledge = Knowledge::load(&[]).unwrap();
    let registry = Registry::embedded().unwrap();
    Expectations::parse("lab.toml", text, &knowledge, &registry).map_err(|error| error.to_string())
}

#[test]
fn the_file_of_the_page_is_read() {
    let page = include_str!("mod.rs");
    let lines: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .skip_while(|line| *line != " ```toml")
        .skip(1)
        .take_while(|line| *line != " ```")
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let text = format!("{}\n", lines.join("\n"));
    // The calls that it names in passing.
    let text = format!(
        "{text}[[call]]\nname = \"prepare\"\nmethod = \"PrepareShadowCopySet\"\n\
         [[call]]\nname = \"expose\"\nopnum = 5\n"
    );
    let read = parse(&text).unwrap();
    let told: Vec<(u32, &str, Severity)> =
        read.all.iter().map(|(head, _)| (head.line, &*head.id, head.severity)).collect();
    assert_eq!(told.len(), 6, "{told:?}");
    assert_eq!((told[0].0, told[0].1), (1, "EXPECT-operation"));
    assert_eq!((told[1].1, told[1].2), ("EXPECT-commit-is-quick", Severity::Warning));
    let order = "EXPECT-order-of-setcontext-startshadowcopyset-addtoshadowcopyset";
    assert_eq!((told[2].1, told[3].1), (order, "EXPECT-any-finding-of-fsrvp-3-2-3-05"));
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_was_probably_meant() {
    for (text, expect) in [
        ("", "1:1: expected [operation], [[call]], [[order]] or [[finding]]"),
        ("[operation", "1:11: "),
        ("[[call]]\nmethod = \"SetContext\"\n[[call]\n", "3:8: "),
        ("[calls]\n", "1:2: nothing is expected of a `calls`; did you mean `call`?"),
        ("[call]\nmethod = \"SetContext\"\n", "1:1: expected [[call]], in two brackets"),
        ("operation = 1\n", "1:13: expected a table, found a number"),
        ("[operation]\n", "1:1: expected `outcome`, `sets` or `cause`"),
        (
            "[operation]\noutcom = \"completed\"\n",
            "2:1: unknown key `outcom` of `operation`; did you mean `outcome`?",
        ),
        (
            "[operation]\noutcome = \"complete\"\n",
            "2:11: expected completed, failed, unfinished, none, found `complete`; did you mean \
             `completed`?",
        ),
        (
            "[operation]\noutcome = [\"completed\",\n  \"faild\"]\n",
            "3:3: expected completed, failed, unfinished, none, found `faild`; did you mean `failed`?",
        ),
        ("[operation]\ncause = \"FS-999\"\n", "2:9: there is no cause `FS-999`"),
        (
            "[[call]]\nmethod = \"ComitShadowCopySet\"\n",
            "2:10: MS-FSRVP has no method `ComitShadowCopySet`; did you mean `CommitShadowCopySet`?",
        ),
        (
            "[[call]]\nmethod = \"commit\"\n",
            "2:10: MS-FSRVP has no method `commit`; did you mean `CommitShadowCopySet`?",
        ),
        (
            "[[call]]\nmethod = \"NetrShareGetInfo\"\n",
            "2:10: MS-FSRVP has no method `NetrShareGetInfo`; calls of other interfaces are chosen",
        ),
        ("[[call]]\nmethod = \"SetContext\"\nopnum = 1\n", "3:9: `method` says which opnum it is"),
        ("[[call]]\nopnum = 70000\n", "2:9: expected an opnum of 16 bits"),
        ("[[call]]\nopnum = \"4\"\n", "2:9: expected a number, found a text"),
        (
            "[[call]]\nmethod = \"SetContext\"\nstatus = \"FSRVP_E_BAD_STAT\"\n",
            "3:10: there is no status `FSRVP_E_BAD_STAT`; did you mean `FSRVP_E_BAD_STATE`?",
        ),
        (
            "[[call]]\nmethod = \"SetContext\"\nstatus = [\"ZERO\", true]\n",
            "3:19: expected the name of a status, or a number of 32 bits",
        ),
        ("[[call]]\nstatus = \"\"\n", "2:10: there is no status ``; `ZERO` is success"),
        ("[[call]]\nwithin = 60\n", "2:10: expected a text, found a number"),
        (
            "[[call]]\nwithin = \"a minute\"\n",
            "2:10: expected a time such as \"60s\", \"500ms\" or \"2m\", found `a minute`",
        ),
        ("[[call]]\nwithin = \"-1s\"\n", "2:10: expected a time such as "),
        ("[[call]]\ncount = -1\n", "2:9: `-1` is too small or too large"),
        (
            "[[call]]\ncount = 1.5\n",
            "2:9: expected a number, or { min = …, max = … }, found a number with",
        ),
        ("[[call]]\ncount = { min = 3, max = 2 }\n", "2:26: `max` is less than `min`, 3"),
        (
            "[[call]]\ncount = { mim = 3 }\n",
            "2:11: unknown key `mim` of `count`; did you mean `min`?",
        ),
        ("[[call]]\ncount = {}\n", "2:9: expected `min`, `max` or both"),
        (
            "[[call]]\nmethod = \"SetContext\"\ncount = 0\nstatus = \"ZERO\"\n",
            "4:10: `status` is asked of every call that is meant, and `count` says that there is none",
        ),
        (
            "[[call]]\nwhere = 'opnumm == 4'\n",
            "2:9: `where`, column 1 of it: there is no field `opnumm`; did you mean `opnum`?",
        ),
        (
            "[[call]]\nname = \"a\"\nafter = \"prepar\"\n[[call]]\nname = \"prepare\"\nopnum = 12\n",
            "3:9: no [[call]] is called `prepar`; did you mean `prepare`?",
        ),
        ("[[call]]\nname = \"a\"\nbefore = \"a\"\n", "3:10: `a` is this expectation itself"),
        ("[[call]]\nname = \" - \"\n", "2:8: expected a name with letters in it"),
        ("[[call]]\nname = \"\"\n", "2:8: expected a text that says something"),
        (
            &format!("[[call]]\nname = \"{}\"\n", "é".repeat(101)),
            "2:8: expected a name of 200 octets at most, found 202",
        ),
        (
            "[[call]]\nopnum = 4\n[[call]]\nmethod = \"CommitShadowCopySet\"\n",
            "3:1: two expectations are called `CommitShadowCopySet`, here and on line 1: give one",
        ),
        ("[[call]]\nseverity = \"fatal\"\n", "2:12: expected error, warning, note, found `fatal`"),
        ("[[order]]\nstrict = true\n", "1:1: expected `methods`, a list of at least two"),
        ("[[order]]\nmethods = [\"SetContext\"]\n", "2:12: expected 2 to 64 methods"),
        ("[[order]]\nmethods = []\n", "2:11: expected at least one"),
        (
            "[[order]]\nmethods = [\"SetContext\", \"StartShadowCopySet\"]\nstrict = \"yes\"\n",
            "3:10: expected true or false, found a text",
        ),
        ("[[finding]]\ncount = 0\n", "1:1: expected `rule`, `severity` or `party`"),
        (
            "[[finding]]\nrule = \"FSRVP-3.1.4.5-99\"\n",
            "2:8: there is no rule or section `FSRVP-3.1.4.5-99`; did you mean `FSRVP-3.1.4.5-",
        ),
        ("[[finding]]\nrule = \"3.2.3\"\nparty = \"servr\"\n", "3:9: expected client, server, "),
    ] {
        let error = parse(text).map(|_| ()).expect_err(text);
        assert!(error.starts_with(&format!("lab.toml:{expect}")), "{text}: {error}");
    }
    // A rule that nobody checks cannot be expected.
    let knowledge = Knowledge::load(&[]).unwrap();
    let unchecked = knowledge.catalogue.iter().find(|rule| !rule.is_checked()).unwrap();
    let error = parse(&format!("[[finding]]\nrule = \"{}\"\n", unchecked.id)).unwrap_err();
    assert!(error.contains("is not checked: "), "{error}");
}

#[test]
fn names_become_ids() {
    assert_eq!(&*id("commit is quick"), "EXPECT-commit-is-quick");
    assert_eq!(&*id("  Größe / \"x\"  "), "EXPECT-größe-x");
    assert_eq!(&*id("3.1.4.5-03"), "EXPECT-3-1-4-5-03");
}

/// A name that is made of what is expected is not longer than one may be.
#[test]
fn names_that_are_made_are_cut() {
    let methods = vec!["\"AddToShadowCopySet\""; 64].join(", ");
    let text = format!(
        "[[order]]\nmethods = [{methods}]\n[[call]]\nwhere = 'smb.user == \"{}\"'\n",
        "é".repeat(300)
    );
    let read = parse(&text).unwrap();
    for (head, _) in &read.all {
        assert!((195..=MAX_NAME).contains(&head.name.len()), "{}", head.name);
        assert!(head.name.ends_with('…') && head.id.len() <= MAX_NAME + PREFIX.len());
    }
}

/// Of two, what is broken is told; of what cannot be told, each reason once.
#[test]
fn results_are_put_together() {
    let broken = |why: &str| Result::broken("count", why, Shown::default());
    let of = |parts: Vec<Result>| {
        let all = parts.into_iter().fold(Result::met(), Result::and);
        (all.ruling, all.said("x"))
    };
    assert_eq!(of(vec![Result::met()]), (Ruling::Met, String::new()));
    let unchecked = |why: &str| Result::unchecked(why, "it is sealed");
    assert_eq!(
        of(vec![unchecked("a"), Result::met(), unchecked("b")]),
        (Ruling::Unchecked, "x: a; b; it cannot be told, since it is sealed".to_owned())
    );
    assert_eq!(
        of(vec![unchecked("a"), broken("b"), Result::met(), broken("c"), unchecked("d")]),
        (Ruling::Broken, "x: b; c".to_owned())
    );
}
