//! Base types: \[C706\] 6.2.5, with the names of \[MS-RPCE\] 2.2.4.1.

use super::lexer::{Parsed, fault, skip, word};
use super::syntax::{Base, Name, Spec};

/// Base types, whose words come in several orders: `unsigned long`, `long unsigned int`, `hyper`.
pub(super) fn base(input: &str) -> Parsed<'_, Spec> {
    const WORDS: [&str; 20] = [
        "unsigned",
        "signed",
        "small",
        "short",
        "long",
        "hyper",
        "int",
        "char",
        "__int8",
        "__int16",
        "__int32",
        "__int64",
        "float",
        "double",
        "boolean",
        "byte",
        "wchar_t",
        "void",
        "handle_t",
        "error_status_t",
    ];
    let left = skip(input).len();
    let mut words: Vec<Name> = Vec::new();
    let mut rest = input;
    while let Ok((after, word)) = word(rest) {
        if !WORDS.contains(&&*word.text) {
            break;
        }
        words.push(word);
        rest = after;
    }
    let has = |word: &str| words.iter().any(|w| &*w.text == word);
    let signed = !has("unsigned");
    let int = |width| Some(Base::Int { width, signed });
    let found = if words.is_empty() {
        None
    } else if has("void") {
        Some(Base::Void)
    } else if has("handle_t") {
        Some(Base::Handle)
    } else if has("error_status_t") {
        let (width, signed) = (4, false);
        Some(Base::Int { width, signed })
    } else if has("hyper") || has("__int64") {
        int(8)
    } else if has("short") || has("__int16") {
        int(2)
    } else if has("small") || has("__int8") || (has("char") && (has("signed") || !signed)) {
        int(1)
    } else if has("char") {
        Some(Base::Char)
    } else if has("byte") {
        Some(Base::Byte)
    } else if has("boolean") {
        Some(Base::Boolean)
    } else if has("wchar_t") {
        Some(Base::WideChar)
    } else if has("float") {
        Some(Base::Float)
    } else if has("double") {
        Some(Base::Double)
    } else {
        int(4)
    };
    match found {
        Some(base) => {
            let text: Vec<&str> = words.iter().map(|w| &*w.text).collect();
            let text = text.join(" ").into();
            Ok((rest, Spec::Base(base, Name { text, left })))
        }
        None => fault(input, "a type"),
    }
}
