//! `vshark rules`, as somebody meets it who wants to know what is checked.

#[path = "common/program.rs"]
#[expect(dead_code, reason = "pipes and captures are tried elsewhere")]
mod program;

use std::fs;

use program::{Run, vshark};
use serde_json::Value as Json;
use vshark::check::{Circumstance, Slot, Stage};

fn rules(arguments: &[&str]) -> Run {
    vshark(&[&["rules"], arguments].concat())
}

#[track_caller]
fn ok(arguments: &[&str]) -> String {
    rules(arguments).ok()
}

#[track_caller]
fn refused(arguments: &[&str], expect: &str) {
    assert_eq!(rules(arguments).refusal(2), expect);
}

#[test]
fn all_are_listed_in_full_and_in_order() {
    let list = ok(&[]);
    let lines: Vec<_> = list.lines().collect();
    let of = |document: &str| lines.iter().filter(|line| line.starts_with(document)).count();
    assert_eq!((of("DCOM-"), of("FSRVP-"), of("SCMP-")), (15, 375, 246));
    assert_eq!((of("RPCE-"), of("SMB2-")), (2, 1));
    assert_eq!(lines.len(), 15 + 375 + 246 + 3);
    assert_eq!(
        lines[15],
        "FSRVP-1.7-01         error     both       Only protocol version 1 exists, so that only \
         opnums 0 to 12 are defined."
    );
    assert!(list.contains("FSRVP-2.1-04         left out  server     The RPC layer has to"));
    let at = |id: &str| lines.iter().position(|line| line.starts_with(id)).expect(id);
    assert!(at("FSRVP-3.1.4.2-20 ") < at("FSRVP-3.1.4.10-01 "));
    assert!(at("SCMP-3.1.1.4-11 ") < at("SCMP-3.1.1.4.1-01 "));
    assert!(!list.contains('…') && !list.contains('\u{1b}'));
}

#[test]
fn a_word_chooses_and_case_is_one() {
    let timer = ok(&["TIMER"]);
    assert!((20..200).contains(&timer.lines().count()), "{timer}");
    assert!(timer.contains("FSRVP-3.1.5-01 "));
    let section = ok(&["3.1.4.13"]);
    assert_eq!(section.lines().count(), 15);
    assert!(section.lines().all(|line| line.starts_with("FSRVP-3.1.4.13-")));
    // A section that two documents have.
    let both = ok(&["3.1.4-"]);
    assert!(both.contains("FSRVP-3.1.4-01 "), "{both}");
    let next = ok(&["3.1.2.1"]);
    assert_eq!(next.lines().filter(|line| line.starts_with("SCMP-3.1.2.1-")).count(), 11);
}

#[test]
fn a_number_without_its_document_says_who_else_has_it() {
    let page = ok(&["1.7-01"]);
    let (page, others) = page.split_once("\nOther documents").expect("there are others");
    assert_eq!(page, ok(&["FSRVP-1.7-01"]));
    assert_eq!(
        others,
        " have a rule of this number\n  SCMP-1.7-01  error     transport  RPC over TCP is the only \
         transport of the four interfaces.\n"
    );
    let alone = ok(&["3.1.2.1-4"]);
    assert_eq!(alone, ok(&["scmp-3.1.2.1-04"]));
    assert!(alone.starts_with("SCMP-3.1.2.1-04\n"), "{alone}");
    assert_eq!(ok(&["1.7-01", "--json"]).lines().count(), 1);
}

#[test]
fn a_page_of_another_document_is_complete() {
    let page = ok(&["SCMP-3.1.4.4.2-04"]);
    assert_eq!(
        page,
        r"SCMP-3.1.4.4.2-04
  AddDiffArea verifies that the size is above zero.

  section     MS-SCMP 3.1.4.4.2
  whose duty  the server's
  severity    error: a departure from what is required
  visible     in every complete capture
  takes       calls that can be read

How it is checked
  Success for a negative size is reported. -1 is passed over: in the Windows SDK it stands for no limit, and servers take it.

Why it matters
  A size computed wrongly becomes storage that nobody can predict the limit of.

This breaks it
  dcom; auth ntlm integrity
  A activates ->m1
  A:m1.GPMI(P,Diff)=0->d1
  A:d1.ADD(VA,VB,-4096)=0
  A:release(d1,m1)
  A disconnect

This comes near and does not
  dcom; auth ntlm integrity
  A activates ->m1
  A:m1.GPMI(P,Diff)=0->d1
  A:d1.ADD(VA,VB,-1)=0
  A:release(d1,m1)
  A disconnect

What was corrected
  -1 is not even noted: Windows clients send it on purpose.
"
    );
    let covered = ok(&["SCMP-3.1.1.4-07"]);
    assert!(covered.contains("\nNot checked\n  Covered by the rules of the methods"), "{covered}");
    assert!(!covered.contains("How it is checked"), "{covered}");
}

#[test]
fn a_page_says_everything_of_a_rule() {
    let page = ok(&["FSRVP-3.1.4.5-03"]);
    assert_eq!(
        page,
        r"FSRVP-3.1.4.5-03
  CommitShadowCopySet needs status Added or CreationInProgress, otherwise it returns FSRVP_E_BAD_STATE.

  section     MS-FSRVP 3.1.4.5
  whose duty  the server's
  severity    error: a departure from what is required
  visible     in every complete capture
  takes       calls that can be read

How it is checked
  The status is known to be Started, Committed, Exposed or Recovered: the return value has to be FSRVP_E_BAD_STATE.

Why it matters
  An empty set is reported as copied, or a finished copy is made a second time. The backup then holds nothing, or the state of another moment.

This breaks it
  A:1(ctx=0x0)=0
  A:2(cid=U1)=0->S1
  A:4(S1,to=60000)=0

This comes near and does not
  A:1(ctx=0x0)=0
  A:2(cid=U1)=0->S1
  A:3(S1,\\fs\d)=0->C1
  A:4(S1,to=60000)=0
"
    );
    for id in ["fsrvp-3.1.4.5-03", "3.1.4.5-03", "3.1.4.5-3"] {
        assert_eq!(ok(&[id]), page);
    }
    let coloured = ok(&["3.1.4.5-3", "--color", "always"]);
    assert!(coloured.starts_with("\u{1b}[1m\u{1b}[31mFSRVP-3.1.4.5-03\u{1b}[0m\n"), "{coloured:?}");
}

#[test]
fn what_is_not_there_has_near_ones() {
    refused(
        &["fsrvp-3.1.4.13-99"],
        "there is no rule fsrvp-3.1.4.13-99; the nearest: FSRVP-3.1.4.13-09",
    );
    refused(&["99.99-99"], "there is no rule 99.99-99");
    refused(&["FSRPV-1.7-01"], "there is no rule FSRPV-1.7-01; the nearest: FSRVP-1.7-01");
    refused(&["tim\u{1b}er"], "no rule and no cause has `tim\\u{1b}er` in its id or text");
}

#[test]
fn records_are_as_the_schema_says() {
    let schema = vshark(&["export", "--schema"]).ok();
    let schema: Json = serde_json::from_str(&schema).expect("the schema is JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("the schema is one");
    let records: Vec<Json> = ok(&["--json"])
        .lines()
        .map(|line| serde_json::from_str(line).expect("a record is JSON"))
        .collect();
    for record in &records {
        if let Err(wrong) = schema.validate(record) {
            panic!("{wrong}: {record}");
        }
        assert_eq!(record["checked"], record["left_out"].is_null());
    }
    assert_eq!(records.len(), 639);
    let record: Json = serde_json::from_str(&ok(&["6-06", "--json"])).expect("a record");
    assert_eq!(record, records[15 + 374]);
    assert_eq!((&record["type"], &record["section"]), (&"rule".into(), &"6".into()));
    assert_eq!(ok(&["--json", "3.1.4.13"]).lines().count(), 15);
}

#[test]
fn a_folder_adds_rules_and_its_mistakes_are_shown() {
    let dir = std::env::temp_dir().join(format!("vshark-rules-cli-{}", std::process::id()));
    fs::create_dir_all(dir.join("rules")).expect("a folder");
    let file = dir.join("rules").join("own.toml");
    let page = "[rule.\"OWN-1-01\"]\nparty = \"server\"\nseverity = \"note\"\n\
                observable = \"no\"\nneeds = []\nstatement = \"Mine\u{202e}.\"\nwhy = \"So.\"\n\
                left_out = \"It is mine.\"\n";
    fs::write(&file, page).expect("a file");
    let folder = dir.to_str().expect("a name");
    assert_eq!(
        ok(&["--dissectors", folder, "own-1"]),
        "OWN-1-01  left out  server     Mine\\u{202e}.\n"
    );
    fs::write(&file, page.replace("\"note\"", "\"nite\"")).expect("a file");
    let place = file.display();
    refused(
        &["--dissectors", folder],
        &format!("{place}:3:12: expected note, warning or error, found `nite` (`note`?)"),
    );
    fs::remove_dir_all(&dir).expect("it goes");
}

#[test]
fn causes_are_listed_with_how_sure_they_are() {
    let list = ok(&["--causes"]);
    let expect = "FS-20 likely server the backup's account may not make shadow copies on the file \
                  server";
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(list.lines().any(|line| words(line) == expect), "{list}");
    let left_out = list.lines().filter(|line| line.contains("  left out  "));
    assert!(left_out.count() > 1, "{list}");
    assert!(!list.contains('{') && !list.contains('\u{1b}'), "{list}");
    let kerberos = ok(&["--causes", "KERBEROS"]);
    assert!(kerberos.lines().count() > 2, "{kerberos}");
    assert!(kerberos.lines().count() < list.lines().count() / 2, "{kerberos}");
}

#[test]
fn a_page_says_what_a_cause_looks_like_and_what_to_do() {
    let page = ok(&["FS-22"]);
    assert_eq!(
        page,
        r#"FS-22
  The backup failed because the backup host does not sign its calls, and the file server takes no others.

  whose side  on the backup host
  how sure    certain where it shows
  run again?  fails the same way until something is done

What it looks like
  at          call: A call was answered with a failure or a fault.
  or          bind: The interface was not bound.
  answers     fault ERROR_ACCESS_DENIED
  known       weak-auth: The call is neither signed nor sealed by RPC, or not authenticated.

Why
  Calls for shadow copies have to be signed or encrypted. Those of the backup host are neither (RPC authentication level below "integrity"), so the file server refused them before it looked at who asks.

What to do
  Set the backup program on the backup host to RPC authentication level "packet integrity" or "packet privacy" (rpcclient: `ncacn_np:SERVER[sign]` or `[seal]`). If it has no such setting, update it or report this to its maker.

This shows it
  A auth ntlm connect
  A:8(\\fs\d)=fault 5

This comes near and does not
  A auth ntlm integrity
  A:8(\\fs\d)=fault 5

Captures that show it
  e03-ntlm-connect-level-denied.pcap

Known from
  [MS-FSRVP] 3.1.4: the server has to refuse calls below packet integrity.
"#
    );
    assert_eq!(ok(&["fs-22", "--causes"]), page);
    let left_out = ok(&["FS-06"]);
    assert!(left_out.contains("\nWhy no capture shows it\n  Nothing is sent: "), "{left_out}");
    assert!(!left_out.contains("What it looks like"), "{left_out}");
}

#[test]
fn causes_that_are_not_there_have_near_ones() {
    refused(&["FS-22-033"], "there is no rule or cause FS-22-033; the nearest: FS-22-03");
    refused(
        &["--causes", "fs-22-033"],
        "no cause has `fs-22-033` in its id, text or codes; the nearest: FS-22-03",
    );
    refused(&["--causes", "xyz\u{1b}"], "no cause has `xyz\\u{1b}` in its id, text or codes");
}

#[test]
fn records_of_causes_are_as_the_schema_says() {
    let schema = vshark(&["export", "--schema"]).ok();
    let schema: Json = serde_json::from_str(&schema).expect("the schema is JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("the schema is one");
    let records: Vec<Json> = ok(&["--causes", "--json"])
        .lines()
        .map(|line| serde_json::from_str(line).expect("a record is JSON"))
        .collect();
    for record in &records {
        if let Err(wrong) = schema.validate(record) {
            panic!("{wrong}: {record}");
        }
        assert_eq!(record["confidence"].is_null(), record["left_out"].is_string(), "{record}");
    }
    assert_eq!(records.len(), ok(&["--causes"]).lines().count());
    let one: Json = serde_json::from_str(&ok(&["FS-20", "--json"])).expect("a record");
    assert!(records.contains(&one), "{one}");
    assert_eq!((&one["codes"], &one["stages"]), (&["E_ACCESSDENIED"].into(), &["call"].into()));
    assert!(one["remedy"].as_str().is_some_and(|text| text.contains("{user}")), "{one}");
}

#[test]
fn a_folder_adds_causes() {
    let dir = std::env::temp_dir().join(format!("vshark-causes-cli-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a folder");
    let page = "[cause.MY-1]\ntitle = \"{server} is mine\"\nparty = \"server\"\n\
                why = \"So\u{202e}.\"\nremedy = \"None.\"\nretry = \"now\"\nsource = \"Me.\"\n\
                left_out = \"It is mine.\"\n";
    let file = dir.join("causes.toml");
    fs::write(&file, page).expect("a file");
    let folder = dir.to_str().expect("a name");
    let shown = ok(&["--dissectors", folder, "my-1"]);
    assert!(shown.contains("because the file server is mine.\n"), "{shown}");
    assert!(shown.contains("\n  So\\u{202e}.\n"), "{shown}");
    fs::write(&file, page.replace("\"now\"", "\"new\"")).expect("a file");
    let place = file.display();
    refused(
        &["--dissectors", folder, "my-1"],
        &format!("{place}:6:9: expected after-remedy, later or now, found `new` (`now`?)"),
    );
    // An id stands in columns and in fingerprints.
    for id in [format!("A-{}", "B".repeat(70_000)), "-".to_owned(), "9-A".to_owned()] {
        fs::write(&file, page.replace("MY-1", &id)).expect("a file");
        let shown: String = id.chars().take(64).collect();
        let said = format!(
            "{place}:1:8: expected an id such as FS-20, of at most 64 characters, found `{shown}`"
        );
        refused(&["--dissectors", folder, "my-1"], &said);
    }
    fs::remove_dir_all(&dir).expect("it goes");
}

/// What somebody looks for may have a cause and no rule.
#[test]
fn a_word_is_looked_for_in_causes_too() {
    let list = ok(&["0x80070005"]);
    assert!(list.lines().any(|line| line.starts_with("FS-20 ")), "{list}");
    assert_eq!(list, ok(&["--causes", "0x80070005"]));
    assert!(ok(&["--causes", "E_ACCESSDENIED"]).contains("FS-20 "), "{list}");
}

/// The page beside `causes.toml` explains every word that a cause can use, as the code does.
#[test]
fn the_words_of_causes_are_explained_where_they_are_written() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/dissectors/ms-fsrvp/README.md");
    let readme = fs::read_to_string(readme).expect("the page is there");
    let line = |word: &str, meaning: &str| format!("- `{word}`: {meaning}\n");
    let stages = Stage::ALL.iter().map(|of| line(of.word(), of.meaning())).collect();
    let known = Circumstance::ALL.iter().map(|of| line(of.word(), of.meaning())).collect();
    let slots = Slot::ALL.map(|(_, word, unknown)| line(&format!("{{{word}}}"), unknown)).concat();
    let lists: [(&str, String); 3] =
        [("stages", stages), ("circumstances", known), ("slots", slots)];
    for (mark, expect) in lists {
        let (_, rest) = readme.split_once(&format!("<!-- {mark} -->\n")).expect("a mark");
        let (shown, _) = rest.split_once(&format!("<!-- /{mark} -->")).expect("another");
        assert!(shown == expect, "between the marks `{mark}` there has to be:\n{expect}");
    }
}

/// The README has what the program draws, between two marks.
#[test]
fn the_machine_of_the_readme_is_the_one_that_servers_are_held_against() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
    let readme = readme.expect("README is there");
    let (_, rest) = readme.split_once("<!-- machine -->\n").expect("a mark");
    let (shown, _) = rest.split_once("<!-- /machine -->").expect("another");
    let drawn = ok(&["--machine"]);
    assert_eq!(shown, drawn, "`vshark rules --machine` draws something else now");
    for edge in ["Added --> Committed : Commit ok\n", "Recovered --> gone : ", "open --> closed : "]
    {
        assert!(drawn.contains(edge), "{drawn}");
    }
    assert!(drawn.contains("| Expose | Committed | begins | off |\n"), "{drawn}");
}

#[test]
fn the_machine_is_drawn_alone() {
    for other in ["--json", "timer"] {
        let Run { code, out, err } = rules(&["--machine", other]);
        assert_eq!((code, &*out), (Some(2), ""), "{err}");
        assert!(err.contains("cannot be used with"), "{err}");
    }
}
