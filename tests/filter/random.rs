//! Any text is read or refused; what is read means what its parts mean, and is the same when it is
//! written and read again.

use proptest::prelude::*;
use vshark::filter::Filter;

use super::{CALLS, REGISTRY, matches};

/// An expression whose tests are known, and how it may be written.
#[derive(Clone, Debug)]
enum Tree {
    Test(&'static str),
    Not(Box<Tree>, &'static str),
    Or(Vec<Tree>, &'static str),
    Xor(Vec<Tree>, &'static str),
    And(Vec<Tree>, &'static str),
    Grouped(Box<Tree>),
}

const TESTS: &[&str] = &[
    "fsrvp",
    "response.pShadowCopySetId",
    "opnum in {3..5,8 , 10 .. 12}",
    "status != 0",
    "outcome eq \"ok\"",
    "elapsed>2ms",
    "frame.number<60",
    "ip.addr==10.77.0.0/28",
    "request.ShareName contains r\"\\fsrvp\"",
    "method ~ \"^(is|get)\"",
    "n & 3 == 2",
    "fsrvp.Context & ATTR_NO_WRITERS",
    "all tcp.port >= 445",
    "any frames !== 67",
    "time >= \"2026-11-22 17:49:18.7\"",
    "pipe === 'FssagentRpc'",
];

impl Tree {
    fn text(&self) -> String {
        let join = |parts: &[Tree], word: &str, least: u8| {
            let texts: Vec<_> = parts.iter().map(|part| part.within(least)).collect();
            texts.join(word)
        };
        match self {
            Self::Test(text) => (*text).to_owned(),
            Self::Not(inner, word) => format!("{word}{}", inner.within(3)),
            Self::Or(parts, word) => join(parts, word, 1),
            Self::Xor(parts, word) => join(parts, word, 2),
            Self::And(parts, word) => join(parts, word, 3),
            Self::Grouped(inner) => format!("( {})", inner.text()),
        }
    }

    fn within(&self, least: u8) -> String {
        let strength = match self {
            Self::Or(..) => 0,
            Self::Xor(..) => 1,
            Self::And(..) => 2,
            Self::Not(..) | Self::Test(_) | Self::Grouped(_) => 3,
        };
        if strength < least { format!("({})", self.text()) } else { self.text() }
    }

    /// What it means, by what its tests mean alone.
    fn holds(&self, test: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Test(text) => test(text),
            Self::Not(inner, _) => !inner.holds(test),
            Self::Or(parts, _) => parts.iter().any(|part| part.holds(test)),
            Self::Xor(parts, _) => parts.iter().fold(false, |odd, part| odd ^ part.holds(test)),
            Self::And(parts, _) => parts.iter().all(|part| part.holds(test)),
            Self::Grouped(inner) => inner.holds(test),
        }
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let test = prop::sample::select(TESTS).prop_map(Tree::Test);
    test.prop_recursive(4, 24, 3, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 2..4);
        let word = |words: &'static [&'static str]| prop::sample::select(words);
        prop_oneof![
            (inner.clone(), word(&["not ", "! ", "NOT ", "!"]))
                .prop_map(|(inner, word)| Tree::Not(Box::new(inner), word)),
            (parts(), word(&[" or ", " || ", "||", " OR\t"]))
                .prop_map(|(parts, word)| Tree::Or(parts, word)),
            (parts(), word(&[" xor ", " ^^ "])).prop_map(|(parts, word)| Tree::Xor(parts, word)),
            (parts(), word(&[" and ", " && ", "&&\n"]))
                .prop_map(|(parts, word)| Tree::And(parts, word)),
            inner.prop_map(|inner| Tree::Grouped(Box::new(inner))),
        ]
    })
}

/// Words of the language, one after another.
fn words() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "and",
        "or",
        "xor",
        "not",
        "!",
        "(",
        ")",
        "{",
        "}",
        ",",
        "..",
        "==",
        "!=",
        "===",
        "!==",
        "<",
        ">=",
        "&",
        "&&",
        "~",
        "in",
        "contains",
        "matches",
        "any",
        "all",
        "n",
        "status",
        "fsrvp.ShareName",
        "frames",
        "\"",
        "'",
        "r\"",
        "\\",
        "\"a\"",
        "0x1",
        "-3",
        "1.5s",
        "::1",
        "10.0.0.1",
        "é",
        "\u{202e}",
        "true",
        "=",
        "[",
        "]",
    ];
    let word = prop::sample::select(WORDS);
    prop::collection::vec((word, prop::sample::select(&["", " ", "  ", "\t"][..])), 0..20)
        .prop_map(|words| words.into_iter().flat_map(|(word, space)| [word, space]).collect())
}

proptest! {
    #[test]
    fn an_expression_means_what_its_parts_mean(tree in tree()) {
        let text = tree.text();
        let filter = Filter::parse(&text, &REGISTRY).unwrap_or_else(|e| panic!("{text}: {e}"));
        let written = filter.to_string();
        let again = Filter::parse(&written, &REGISTRY).unwrap_or_else(|e| panic!("{written}: {e}"));
        prop_assert_eq!(&written, &again.to_string());
        for call in CALLS.iter() {
            let test = |text: &str| matches(&Filter::parse(text, &REGISTRY).unwrap(), call);
            let expect = tree.holds(&test);
            prop_assert_eq!(matches(&filter, call), expect, "{} call {}", text, call.rpc.n);
            prop_assert_eq!(matches(&again, call), expect, "{} call {}", written, call.rpc.n);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![words(), ".*"]) {
        match Filter::parse(&text, &REGISTRY) {
            Ok(filter) => {
                let written = filter.to_string();
                let again = Filter::parse(&written, &REGISTRY).expect(&written);
                prop_assert_eq!(written, again.to_string());
                for call in CALLS.iter() {
                    prop_assert_eq!(matches(&filter, call), matches(&again, call));
                }
            }
            Err(error) => prop_assert!(error.column <= text.chars().count() + 1),
        }
    }
}
