//! The sentences of causes, with the names in them.

use super::super::chart::{Protocol, Slot};

/// A word in braces of a text, with where it begins.
pub(super) fn slots(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices('{').filter_map(|(at, _)| {
        let rest = text.get(at + 1..)?;
        Some((at, rest.split('}').next().unwrap_or(rest)))
    })
}

/// The text with what is known in place of the words in braces. A sentence begins with a capital.
pub(in crate::check) fn filled(
    text: &str,
    protocol: Protocol,
    values: &[(Slot, String)],
) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((word, behind)) = after.split_once('}') else { break };
        let begins = filled.is_empty() || filled.ends_with(". ");
        if let Some((slot, ..)) = Slot::ALL.iter().find(|(_, of, _)| *of == word) {
            let unknown = slot.unknown(protocol);
            match values.iter().find(|(of, _)| of == slot) {
                Some((_, value)) => filled.push_str(value),
                None if begins => {
                    let mut letters = unknown.chars();
                    filled.extend(letters.next().map(|first| first.to_ascii_uppercase()));
                    filled.push_str(letters.as_str());
                }
                None => filled.push_str(unknown),
            }
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

/// The same of a clause, which begins without a capital.
pub(in crate::check) fn clause(
    text: &str,
    protocol: Protocol,
    values: &[(Slot, String)],
) -> String {
    filled(&format!(" {text}"), protocol, values).trim_start().to_owned()
}

/// The text with words that fit every case in place of those in braces; what somebody types, between
/// backticks, with the words themselves in capitals.
pub(super) fn general(text: &str, protocol: Protocol) -> String {
    let values = [(Slot::Call, "call N"), (Slot::Status, "an error"), (Slot::Set, "the set")];
    let values = values.map(|(slot, value)| (slot, value.to_owned()));
    let mut typed = false;
    let parts = text.split('`').map(|part| {
        let part = if typed {
            Slot::ALL.iter().fold(part.to_owned(), |part, (_, word, _)| {
                part.replace(&format!("{{{word}}}"), &word.to_uppercase())
            })
        } else {
            part.to_owned()
        };
        typed = !typed;
        part
    });
    filled(&parts.collect::<Vec<_>>().join("`"), protocol, &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_has_a_word_of_its_own() {
        let values = [(Slot::User, r"FSLAB\bob".to_owned())];
        let text = "{user} may not. {server} said {status} to {user}.";
        let expect = r"FSLAB\bob may not. The file server said nothing to FSLAB\bob.";
        assert_eq!(filled(text, Protocol::Fsrvp, &values), expect);
        assert_eq!(filled("plain", Protocol::Fsrvp, &values), "plain");
    }

    #[test]
    fn a_clause_begins_small_and_commands_have_capitals() {
        assert_eq!(clause("{server} is off", Protocol::Fsrvp, &[]), "the file server is off");
        assert_eq!(clause("{server} is off", Protocol::Scmp, &[]), "the server is off");
        let text = "{server} is off: `ping {server}`; {call}.";
        assert_eq!(
            general(text, Protocol::Fsrvp),
            "The file server is off: `ping SERVER`; call N."
        );
    }

    #[test]
    fn words_in_braces_are_found() {
        let found: Vec<_> = slots("{a} b {c").collect();
        assert_eq!(found, [(0, "a"), (6, "c")]);
    }
}
