//! Suites and their cases as XML, in the form that Jenkins' `junit-10.xsd` describes and others
//! read.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesStart, BytesText, Event};

use crate::bytes::{Time, is_invisible};

/// A group of cases.
#[derive(Clone, Debug, Default)]
pub(super) struct Suite {
    pub(super) name: String,
    /// When what it is about began.
    pub(super) began: Option<Time>,
    pub(super) properties: Vec<(&'static str, String)>,
    pub(super) cases: Vec<Case>,
}

/// One thing that is looked at.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// What it belongs to: a dot is between the package and the class of a tree of results.
    pub(super) class: String,
    /// The same from run to run: no ids, addresses or times in it.
    pub(super) name: String,
    /// Nanoseconds that it took.
    pub(super) took: Option<i64>,
    pub(super) result: CaseResult,
    /// What there is to say of it that fails nothing.
    pub(super) out: String,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CaseResult {
    Passed,
    /// Something happened that is failed on.
    Failed {
        /// One sentence.
        message: String,
        kind: &'static str,
        /// All there is to say.
        text: String,
    },
    /// It could not be looked at, and that is told by the exit code, too.
    Error(String),
    /// It could not be looked at, or is told elsewhere.
    Skipped(String),
}

/// Cases in all, and those that did not pass.
#[derive(Clone, Copy, Debug, Default)]
struct Numbers {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Suite {
    fn numbers(&self) -> Numbers {
        let count =
            |of: fn(&CaseResult) -> bool| self.cases.iter().filter(|case| of(&case.result)).count();
        Numbers {
            tests: self.cases.len(),
            failures: count(|result| matches!(result, CaseResult::Failed { .. })),
            errors: count(|result| matches!(result, CaseResult::Error(_))),
            skipped: count(|result| matches!(result, CaseResult::Skipped(_))),
        }
    }
}

/// Writes all of it.
pub(super) fn write(suites: &[Suite], out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let sum = suites.iter().map(Suite::numbers).fold(Numbers::default(), |sum, of| Numbers {
        tests: sum.tests + of.tests,
        failures: sum.failures + of.failures,
        errors: sum.errors + of.errors,
        skipped: sum.skipped + of.skipped,
    });
    let mut all = BytesStart::new("testsuites");
    all.push_attribute(("name", "vshark check"));
    counts(&mut all, sum);
    xml.write_event(Event::Start(all.borrow()))?;
    for suite in suites {
        write_suite(suite, &mut xml)?;
    }
    xml.write_event(Event::End(all.to_end()))?;
    writeln!(xml.get_mut())
}

fn counts(element: &mut BytesStart<'_>, numbers: Numbers) {
    element.push_attribute(("tests", &*numbers.tests.to_string()));
    element.push_attribute(("failures", &*numbers.failures.to_string()));
    element.push_attribute(("errors", &*numbers.errors.to_string()));
}

fn write_suite<W: Write>(suite: &Suite, xml: &mut Writer<W>) -> io::Result<()> {
    let mut element = BytesStart::new("testsuite");
    let numbers = suite.numbers();
    element.push_attribute(("name", &*clean(&suite.name)));
    counts(&mut element, numbers);
    element.push_attribute(("skipped", &*numbers.skipped.to_string()));
    if let Some(began) = suite.began {
        let began = began.timestamp().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        element.push_attribute(("timestamp", &*began));
    }
    // Times of a capture can be as far apart as they can be told.
    let took = suite.cases.iter().filter_map(|case| case.took).fold(0, i64::saturating_add);
    if took > 0 {
        element.push_attribute(("time", &*seconds(took)));
    }
    xml.write_event(Event::Start(element.borrow()))?;
    if !suite.properties.is_empty() {
        let properties = BytesStart::new("properties");
        xml.write_event(Event::Start(properties.borrow()))?;
        for (name, value) in &suite.properties {
            let mut property = BytesStart::new("property");
            property.push_attribute(("name", *name));
            property.push_attribute(("value", &*clean(value)));
            xml.write_event(Event::Empty(property))?;
        }
        xml.write_event(Event::End(properties.to_end()))?;
    }
    for case in &suite.cases {
        write_case(case, xml)?;
    }
    xml.write_event(Event::End(element.to_end()))
}

fn write_case<W: Write>(case: &Case, xml: &mut Writer<W>) -> io::Result<()> {
    let mut element = BytesStart::new("testcase");
    element.push_attribute(("classname", &*clean(&case.class)));
    element.push_attribute(("name", &*clean(&case.name)));
    if let Some(took) = case.took {
        element.push_attribute(("time", &*seconds(took)));
    }
    if case.result == CaseResult::Passed && case.out.is_empty() {
        return xml.write_event(Event::Empty(element));
    }
    xml.write_event(Event::Start(element.borrow()))?;
    let (name, message, kind, text) = match &case.result {
        CaseResult::Passed => ("", "", None, ""),
        CaseResult::Failed { message, kind, text } => ("failure", &**message, Some(*kind), &**text),
        CaseResult::Error(message) => ("error", &**message, None, ""),
        CaseResult::Skipped(message) => ("skipped", &**message, None, ""),
    };
    if !name.is_empty() {
        let mut result = BytesStart::new(name);
        result.push_attribute(("message", &*clean(message)));
        if let Some(kind) = kind {
            result.push_attribute(("type", kind));
        }
        write_text(result, text, xml)?;
    }
    if !case.out.is_empty() {
        write_text(BytesStart::new("system-out"), &case.out, xml)?;
    }
    xml.write_event(Event::End(element.to_end()))
}

fn write_text<W: Write>(
    element: BytesStart<'_>,
    text: &str,
    xml: &mut Writer<W>,
) -> io::Result<()> {
    if text.is_empty() {
        return xml.write_event(Event::Empty(element));
    }
    xml.write_event(Event::Start(element.borrow()))?;
    xml.write_event(Event::Text(BytesText::new(&clean(text))))?;
    xml.write_event(Event::End(element.to_end()))
}

/// `text` without what XML cannot have (2.2) or nobody sees: it becomes `\u{…}`. Ends of lines stay.
fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && (is_invisible(c) || matches!(c, '\u{fffe}' | '\u{ffff}')) {
            clean.extend(c.escape_unicode());
        } else {
            clean.push(c);
        }
    }
    clean
}

/// Seconds with three decimals.
fn seconds(nanos: i64) -> String {
    let ms = nanos.max(0) / 1_000_000;
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_any_length_have_a_sum() {
        let case = Case {
            class: "vshark.operation".to_owned(),
            name: "shadow copy set 1".to_owned(),
            took: Some(i64::MAX),
            result: CaseResult::Passed,
            out: String::new(),
        };
        let cases = vec![case.clone(), case];
        let mut out = Vec::new();
        write(&[Suite { cases, ..Suite::default() }], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("time=\"9223372036.854\"").count(), 3, "{text}");
    }
}
