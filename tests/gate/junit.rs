//! `JUnit` XML, read by a strict reader of the elements that Jenkins takes: which there are, within
//! what, with which attributes. What it says is held against the exit code and the records.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::program::vshark;
use super::{
    ENCRYPTED, FAILED, LOST, MISSING, SEALED, check, made, only, played, records, summary,
};

/// An element with what is in it.
#[derive(Clone, Debug, Default)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn all<'e>(&'e self, name: &str) -> Vec<&'e Self> {
        self.children.iter().filter(|child| child.name == name).collect()
    }

    fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).unwrap_or_else(|| panic!("{} has no {name}", self.name))
    }

    /// The cases of all suites, each with the name of its suite.
    fn cases(&self) -> Vec<(&str, &Self)> {
        self.all("testsuite")
            .into_iter()
            .flat_map(|suite| {
                suite.all("testcase").into_iter().map(|case| (suite.attribute("name"), case))
            })
            .collect()
    }
}

/// What an element must and may have, what may be in it, and whether text may.
type Rule =
    (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str], bool);

const RULES: [Rule; 9] = [
    ("testsuites", &[], &["name", "time", "tests", "failures", "errors"], &["testsuite"], false),
    (
        "testsuite",
        &["name", "tests", "failures", "errors"],
        &["time", "skipped", "timestamp"],
        &["properties", "testcase"],
        false,
    ),
    ("properties", &[], &[], &["property"], false),
    ("property", &["name", "value"], &[], &[], false),
    (
        "testcase",
        &["name"],
        &["time", "classname"],
        &["skipped", "error", "failure", "system-out"],
        false,
    ),
    ("failure", &[], &["type", "message"], &[], true),
    ("error", &[], &["type", "message"], &[], true),
    ("skipped", &[], &["type", "message"], &[], true),
    ("system-out", &[], &[], &[], true),
];

/// Reads a document, or says what is wrong with it.
fn read(text: &str) -> Result<Element, String> {
    // The characters that XML 1.0 has.
    let is_char = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if let Some(wrong) = text.chars().find(|c| !is_char(*c)) {
        return Err(format!("{wrong:?} is no character of XML"));
    }
    if !text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {
        return Err("there is no declaration".to_owned());
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let done = match event {
            Event::Start(start) => {
                open.push(element(&start)?);
                continue;
            }
            Event::Empty(start) => element(&start)?,
            Event::End(_) => open.pop().ok_or("an end without a beginning")?,
            Event::Text(text) => {
                let text = text.xml10_content().map_err(|error| error.to_string())?;
                match open.last_mut() {
                    Some(within) => within.text.push_str(&text),
                    None if text.trim().is_empty() => {}
                    None => return Err("text outside".to_owned()),
                }
                continue;
            }
            Event::GeneralRef(name) => {
                let name = String::from_utf8_lossy(&name).into_owned();
                let known = [("lt", "<"), ("gt", ">"), ("amp", "&"), ("apos", "'"), ("quot", "\"")];
                let known = known.into_iter().find(|(known, _)| *known == name);
                let within = open.last_mut().ok_or("a reference outside")?;
                within.text.push_str(known.ok_or(format!("&{name};"))?.1);
                continue;
            }
            Event::Decl(_) => continue,
            Event::Eof => break,
            other => return Err(format!("{other:?}")),
        };
        follows_its_rule(&done)?;
        match open.last_mut() {
            Some(within) => within.children.push(done),
            None if root.is_none() => root = Some(done),
            None => return Err("two roots".to_owned()),
        }
    }
    match root {
        Some(root) if open.is_empty() && root.name == "testsuites" => Ok(root),
        root => Err(format!("no whole document of testsuites: {root:?}")),
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, String> {
    let name = String::from_utf8_lossy(start.name().as_ref()).into_owned();
    let mut attributes = BTreeMap::new();
    for attribute in start.attributes().with_checks(true) {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
        let value = std::str::from_utf8(&attribute.value).map_err(|error| error.to_string())?;
        let value = quick_xml::escape::unescape(value).map_err(|error| error.to_string())?;
        attributes.insert(key, value.into_owned());
    }
    Ok(Element { name, attributes, ..Element::default() })
}

fn follows_its_rule(of: &Element) -> Result<(), String> {
    let rule = RULES.iter().find(|(name, ..)| *name == of.name);
    let (name, must, may, within, text) = rule.ok_or(format!("what is {}?", of.name))?;
    for key in *must {
        if !of.attributes.contains_key(*key) {
            return Err(format!("{name} has no {key}"));
        }
    }
    for (key, value) in &of.attributes {
        let known = must.contains(&&**key) || may.contains(&&**key);
        let number = ["tests", "failures", "errors", "skipped"].contains(&&**key);
        let seconds = || {
            let (whole, parts) = value.split_once('.')?;
            let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
            (digits(whole) && digits(parts) && parts.len() <= 3).then_some(())
        };
        if !known || number && value.parse::<u64>().is_err() || key == "time" && seconds().is_none()
        {
            return Err(format!("{name} has {key}={value:?}"));
        }
    }
    for child in &of.children {
        if !within.contains(&&*child.name) {
            return Err(format!("{} is in {name}", child.name));
        }
    }
    if !text && !of.text.trim().is_empty() {
        return Err(format!("there is text in {name}"));
    }
    let count =
        |wanted: &[&str]| of.children.iter().filter(|child| wanted.contains(&&*child.name)).count();
    match of.name.as_str() {
        "testcase" if count(&["skipped", "error", "failure"]) > 1 => {
            Err("a case has two results".to_owned())
        }
        "testcase" if count(&["system-out"]) > 1 => Err("a case has two outputs".to_owned()),
        "testsuite" => {
            let cases = of.all("testcase");
            let with = |name: &str| cases.iter().filter(|of| !of.all(name).is_empty()).count();
            for (key, n) in [
                ("tests", cases.len()),
                ("failures", with("failure")),
                ("errors", with("error")),
                ("skipped", with("skipped")),
            ] {
                if of.attribute(key) != n.to_string() {
                    return Err(format!("{key} is {}, and there are {n}", of.attribute(key)));
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What a run writes as `JUnit` XML, and its exit code.
fn junit(arguments: &[&str]) -> (Element, i32) {
    let run = check(&[&["--format", "junit"], arguments].concat());
    let document = read(&run.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
    (document, run.code.expect("it ends"))
}

/// The picture is what the exit code says: 1 is a failure, 2 and 3 are an error, 0 is neither.
fn agrees(arguments: &[&str]) -> Element {
    let (document, code) = junit(arguments);
    let cases = document.cases();
    let with = |name: &str| cases.iter().filter(|(_, case)| !case.all(name).is_empty()).count();
    let (failures, errors) = (with("failure") > 0, with("error") > 0);
    let agrees = match code {
        0 => !failures && !errors,
        1 => failures && !errors,
        2 => errors,
        3 => !failures && errors,
        code => panic!("{code}"),
    };
    assert!(agrees, "{arguments:?}: {code}, failures {failures}, errors {errors}");
    let mut names = BTreeSet::new();
    for (suite, case) in &cases {
        let name = (*suite, case.attribute("classname"), case.attribute("name"));
        assert!(names.insert(name), "{arguments:?}: {name:?} is there twice");
    }
    document
}

#[test]
fn all_captures_give_a_document_that_agrees_with_the_exit_code() {
    let known = made("gate/junit-known.json", check(&["--json", FAILED]).out.as_bytes());
    let expect = made(
        "gate/junit.toml",
        b"[operation]\noutcome = \"completed\"\n[[call]]\nmethod = \"CommitShadowCopySet\"\nstatus = \"ZERO\"\n",
    );
    let all = "error,warning,note,operation,unchecked";
    let modes: [&[&str]; 6] = [
        &[],
        &["--fail-on", all],
        &["--fail-on", "unchecked", "--expect", &expect],
        &["--expect", &expect],
        &["--fail-on", all, "--baseline", &known],
        &["--fail-on", all, "--allow", "1,2,3", "-Y", "n == 8"],
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).expect("there are captures") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if name.contains(".pcap") {
            agrees(&[&format!("captures/{name}")]);
            read += 1;
        }
    }
    assert!(read > 20, "{read} captures");
    for file in [FAILED, SEALED, ENCRYPTED, LOST] {
        for mode in modes {
            agrees(&[&[file], mode].concat());
        }
    }
    for mode in modes {
        agrees(&[&[MISSING, FAILED], mode].concat());
        agrees(&[&[MISSING], mode].concat());
    }
}

/// What became of each case is what the records say of its rule.
#[test]
fn cases_say_what_the_records_do() {
    let document = agrees(&[FAILED]);
    let records = records(&[FAILED]);
    let suite = "conformance FSS1 (10.77.0.1)";
    let cases: BTreeMap<&str, &Element> = document
        .cases()
        .into_iter()
        .filter(|(of, _)| *of == suite)
        .map(|(_, case)| (case.attribute("name").split(' ').next().unwrap_or_default(), case))
        .collect();
    let tallies = summary(&records)["rules"]["tallies"].as_array().expect("a list").clone();
    let findings = only("finding", &records);
    assert!(tallies.iter().all(|of| cases.contains_key(of["rule"].as_str().unwrap_or_default())));
    for (id, case) in &cases {
        let own: Vec<_> = findings.iter().filter(|of| of["rule"] == *id).collect();
        let errors = own.iter().filter(|of| of["severity"] == "error").count();
        assert_eq!(case.all("failure").len(), usize::from(errors > 0), "{id}");
        assert_eq!(case.all("system-out").len(), usize::from(own.len() > errors), "{id}");
        for finding in own {
            let print = finding["fingerprint"].as_str().unwrap_or_default();
            let told: Vec<&Element> = case.children.iter().collect();
            assert!(told.iter().any(|of| of.text.contains(print)), "{id}: {print}");
        }
        let tally = tallies.iter().find(|of| of["rule"] == *id);
        let only_untold = tally.is_some_and(|of| of["passed"] == 0 && of["failed"] == 0);
        if only_untold && case.all("failure").is_empty() && case.all("system-out").is_empty() {
            let [skipped] = case.all("skipped")[..] else { panic!("{id} is not skipped") };
            assert_eq!(Some(skipped.attribute("message")), tally.and_then(|of| of["why"].as_str()));
        }
    }
    let [failure] = cases["FSRVP-3.2.4.3-03"].all("failure")[..] else { panic!("no failure") };
    assert!(failure.attribute("message").starts_with("ExposeShadowCopySet of set "));
    assert!(failure.text.contains("call 8 ExposeShadowCopySet, frame 63"), "{}", failure.text);
    assert_eq!(failure.attribute("type"), "error");
    let also = cases["FSRVP-3-02"].all("skipped");
    assert_eq!(also[0].attribute("message"), "broken by a fault that is told as FSRVP-3.2.4.3-03");
    // Both sets came to nothing, which is no failure where nobody asks.
    let of = |document: &Element| -> Vec<(String, usize)> {
        let cases = document.cases().into_iter().filter(|(suite, _)| *suite == "operation");
        let told =
            cases.map(|(_, case)| (case.attribute("name").to_owned(), case.all("failure").len()));
        told.collect()
    };
    let both = |n| vec![("shadow copy set 1".to_owned(), n), ("shadow copy set 2".to_owned(), n)];
    assert_eq!(of(&document), both(1));
    assert_eq!(of(&agrees(&[FAILED, "--fail-on", "error"])), both(0));
}

/// What a rule says of several servers is told of each.
#[test]
fn every_server_has_a_suite() {
    let text = "A->FS1:8(\\\\fs1\\d)=0->TRUE,FS1\nB->FS2:8(\\\\fs2\\d)=0->TRUE,FS2\n";
    let document = agrees(&[&played("junit-servers", text)]);
    let suites: Vec<&str> =
        document.all("testsuite").iter().map(|suite| suite.attribute("name")).collect();
    assert_eq!(suites.len(), 4, "{suites:?}");
    assert!(suites[1].starts_with("conformance ") && suites[2].starts_with("conformance "));
    let classes: BTreeSet<&str> = document
        .cases()
        .iter()
        .filter(|(suite, _)| suite.starts_with("conformance"))
        .map(|(_, case)| case.attribute("classname"))
        .collect();
    assert_eq!(classes.len(), 2, "{classes:?}");
}

/// Two runs with other ids, addresses and times have cases of the same names.
#[test]
fn names_are_the_same_from_run_to_run() {
    let text = |setting: &str, n: u32| {
        format!(
            "{setting}\nauth ntlm integrity\nA:SetContext(ctx=CTX_BACKUP)=0\n\
             A:StartShadowCopySet(cid=U{n})=0->S{n}\n\
             A:AddToShadowCopySet(ccid=V{n},S{n},\\\\fs1\\vol1)=0->C{n}\n\
             A:CommitShadowCopySet(S{n}, to=61000)=0x80004005\n"
        )
    };
    let one = played("junit-one", &text("server FS1 address 10.1.0.1", 1));
    let setting = "start 2025-03-04T05:06:07Z; server FS1 address 192.168.7.7";
    let other = played("junit-other", &text(setting, 77));
    let names = |file: &str| -> Vec<(String, String)> {
        let document = agrees(&[file]);
        let name = |case: &Element| {
            (case.attribute("classname").to_owned(), case.attribute("name").to_owned())
        };
        document.cases().iter().map(|(_, case)| name(case)).collect()
    };
    assert_eq!(names(&one), names(&other));
}

/// Names from packets stay valid XML, and nothing of them acts on a terminal.
#[test]
fn what_packets_say_is_escaped() {
    let share = "\\\\fs\\a<b>&\"c\"]]>\u{1b}[2J\u{202e}\u{ffff}\u{1}d";
    let text = format!(
        "auth ntlm integrity\nA:SetContext(ctx=CTX_BACKUP)=0\nA:StartShadowCopySet(cid=U1)=0->S1\n\
         A:AddToShadowCopySet(ccid=V1,S1,'{share}')=0->C1\nA:CommitShadowCopySet(S1)=0x80004005\n"
    );
    let document = agrees(&[&played("junit-names", &text)]);
    let cases = document.cases();
    let all: String =
        cases.iter().flat_map(|(_, case)| &case.children).map(|of| &*of.text).collect();
    let shown = "a<b>&\"c\"]]>\\u{1b}[2J\\u{202e}\\u{ffff}\\u{1}d";
    assert!(all.contains(shown), "{all}");
}

/// The reader is strict.
#[test]
fn a_broken_document_is_refused() {
    let whole = check(&["--format", "junit", FAILED]).out;
    read(&whole).expect("it is whole");
    for (from, to, expect) in [
        ("</testsuites>", "", "no whole document"),
        ("</testsuites>", "</testsuites><testsuites/>", "two roots"),
        ("<testsuites name", "<suites name", ""),
        ("<testcase classname", "<test classname", ""),
        (" name=\"shadow copy set 1\"", "", "testcase has no name"),
        ("<properties>", "<properties><properties/>", "properties is in properties"),
        ("<failure message", "<failure cause", "failure has cause"),
        (
            "testsuite name=\"operation\" tests=\"2\"",
            "testsuite name=\"operation\" tests=\"3\"",
            "tests is 3",
        ),
        (
            "failures=\"2\" errors=\"0\" skipped",
            "failures=\"2\" skipped",
            "testsuite has no errors",
        ),
        ("<testcase", "x<testcase", "there is text in testsuite"),
        ("time=\"0.0", "time=\"1:0", "testsuite has time"),
        ("outcome: failed", "outcome: \u{1}failed", "is no character of XML"),
        ("outcome: failed", "outcome: &nbsp;failed", "&nbsp;"),
        ("</failure>", "</failure><failure/>", "a case has two results"),
    ] {
        assert!(whole.contains(from), "{from}");
        let broken = whole.replacen(from, to, 1);
        let error = read(&broken).expect_err(from);
        assert!(error.contains(expect), "{from} → {to}: {error}");
    }
}

/// The help says that there is such a format.
#[test]
fn the_help_names_the_formats() {
    let help = vshark(&["check", "--help"]).out;
    assert!(help.contains("junit") && help.contains("sarif"), "{help}");
}
