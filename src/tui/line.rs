//! [`Prompt`]: the line at the bottom that asks for something, with what was typed before, what a
//! name may become, and what is wrong, as it is typed.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

use super::msg::Ask;
use crate::filter::{FieldName, Filter};
use crate::protocol::Registry;

/// Names that are offered.
const MOST_OFFERED: usize = 200;
/// Characters of a line.
const MOST_TYPED: usize = 4096;

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// In a clause.
    pub(super) text: String,
    /// Columns from the beginning of the line where it is.
    pub(super) at: usize,
}

/// A line that is being typed.
#[derive(Debug)]
pub(super) struct Prompt {
    pub(super) ask: Ask,
    pub(super) input: Input,
    /// Which of what was typed before is in the line; none: what is new.
    before: Option<usize>,
    /// What is new, while something from before is in the line.
    draft: String,
    pub(super) wrong: Option<Wrong>,
    /// What the word at the cursor may become, and what that says.
    pub(super) offers: Vec<(String, String)>,
}

/// What a key did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// The line goes on.
    On,
    /// It is done.
    Enter,
    /// It is given up.
    Leave,
}

impl Prompt {
    pub(super) fn new(ask: Ask, text: String) -> Self {
        Self {
            ask,
            input: Input::new(text),
            before: None,
            draft: String::new(),
            wrong: None,
            offers: Vec::new(),
        }
    }

    /// What it asks for, in a word.
    pub(super) fn title(&self) -> &'static str {
        match self.ask {
            Ask::Filter => "show calls: ",
            Ask::Search => "look for: ",
            Ask::GoTo => "go to: ",
            Ask::SavePackets => "save packets to: ",
            Ask::SaveView => "save view to: ",
            Ask::SaveCopy => "save copy to: ",
            Ask::Keys => "open with: ",
        }
    }

    /// Takes a key.
    pub(super) fn key(&mut self, key: KeyEvent, history: &[String]) -> Typed {
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        // Both together are AltGr, with which many keyboards have \ | @ and brackets.
        let control = key.modifiers.contains(KeyModifiers::CONTROL) && !alt;
        let alt = alt && !key.modifiers.contains(KeyModifiers::CONTROL);
        let request = match (key.code, control) {
            (KeyCode::Enter, _) => return Typed::Enter,
            (KeyCode::Esc, _) | (KeyCode::Char('c' | 'g'), true) => return Typed::Leave,
            (KeyCode::Up, _) | (KeyCode::Char('p'), true) => return self.recall(history, true),
            (KeyCode::Down, _) | (KeyCode::Char('n'), true) => return self.recall(history, false),
            (KeyCode::Tab, _) => return self.complete(),
            (KeyCode::Char('a'), true) | (KeyCode::Home, _) => InputRequest::GoToStart,
            (KeyCode::Char('e'), true) | (KeyCode::End, _) => InputRequest::GoToEnd,
            (KeyCode::Char('u'), true) => InputRequest::DeleteFromStart,
            (KeyCode::Char('k'), true) => InputRequest::DeleteTillEnd,
            (KeyCode::Char('w'), true) => InputRequest::DeletePrevWord,
            (KeyCode::Char('h'), true) | (KeyCode::Backspace, _) => {
                if self.input.value().is_empty() {
                    return Typed::Leave;
                }
                InputRequest::DeletePrevChar
            }
            (KeyCode::Char('d'), true) | (KeyCode::Delete, _) => InputRequest::DeleteNextChar,
            (KeyCode::Left, true) => InputRequest::GoToPrevWord,
            (KeyCode::Right, true) => InputRequest::GoToNextWord,
            (KeyCode::Left, false) => InputRequest::GoToPrevChar,
            (KeyCode::Right, false) => InputRequest::GoToNextChar,
            (KeyCode::Char(c), false) if !alt => return self.insert(c),
            _ => return Typed::On,
        };
        self.input.handle(request);
        Typed::On
    }

    /// Takes text that was pasted, on one line.
    pub(super) fn paste(&mut self, text: &str) {
        for c in text.chars().take(MOST_TYPED) {
            self.insert(if c.is_whitespace() { ' ' } else { c });
        }
    }

    fn insert(&mut self, c: char) -> Typed {
        if !crate::bytes::is_invisible(c) && self.input.value().len() < MOST_TYPED {
            self.input.handle(InputRequest::InsertChar(c));
        }
        Typed::On
    }

    /// What was typed before, or after that.
    fn recall(&mut self, history: &[String], earlier: bool) -> Typed {
        let before = match (self.before, earlier) {
            (None, true) => history.len().checked_sub(1),
            (Some(at), true) => Some(at.saturating_sub(1)),
            (Some(at), false) if at + 1 < history.len() => Some(at + 1),
            (_, false) => None,
        };
        if self.before.is_none() {
            self.draft = self.input.value().to_owned();
        }
        self.before = before;
        let text = before.and_then(|at| history.get(at)).unwrap_or(&self.draft);
        self.input = Input::new(text.clone());
        Typed::On
    }

    /// Looks at the line after a key: what is wrong, and what it may become.
    pub(super) fn check(&mut self, registry: &Registry, names: &[FieldName]) {
        (self.wrong, self.offers) = (None, Vec::new());
        if self.ask != Ask::Filter {
            return;
        }
        let text = self.input.value();
        if !text.trim().is_empty()
            && let Err(error) = Filter::parse(text, registry)
        {
            let [_, carets] = error.pointed();
            let at = carets.chars().take_while(|c| *c == ' ').count();
            self.wrong = Some(Wrong { text: error.to_string(), at });
        }
        let word = self.word();
        if word.is_empty() {
            return;
        }
        let all = names.iter().flat_map(|field| {
            std::iter::once(&field.name).chain(&field.also).map(move |name| (name, &field.what))
        });
        let begins = |name: &str| {
            let start = name.get(..word.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(&word))
        };
        let fits = all.filter(|(name, _)| begins(name));
        let offers = fits.map(|(name, what)| (name.clone(), what.clone()));
        self.offers = offers.take(MOST_OFFERED).collect();
        self.offers.sort_by_key(|(name, _)| (name.len(), name.clone()));
        if self.offers.iter().any(|(name, _)| name.eq_ignore_ascii_case(&word)) {
            // It is one already.
            self.offers.retain(|(name, _)| name.len() > word.len());
        }
    }

    /// The name that ends at the cursor.
    fn word(&self) -> String {
        let before: Vec<char> = self.input.value().chars().take(self.input.cursor()).collect();
        let letters =
            before.iter().rev().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        let mut word: Vec<char> = letters.copied().collect();
        word.reverse();
        word.into_iter().collect()
    }

    /// Makes the name at the cursor as long as all that it may become are alike; if it is that
    /// already, the first of these.
    fn complete(&mut self) -> Typed {
        let word = self.word();
        let Some((first, _)) = self.offers.first() else { return Typed::On };
        let alike = self.offers.iter().fold(first.len(), |len, (name, _)| {
            let same = name.bytes().zip(first.bytes()).take_while(|(a, b)| a == b).count();
            len.min(same)
        });
        let whole = if alike > word.len() { first.get(..alike) } else { Some(first.as_str()) };
        let whole = whole.unwrap_or(first).to_owned();
        for _ in word.chars() {
            self.input.handle(InputRequest::DeletePrevChar);
        }
        for c in whole.chars() {
            self.input.handle(InputRequest::InsertChar(c));
        }
        Typed::On
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keys::named;

    fn typed(prompt: &mut Prompt, keys: &[&str], history: &[String]) {
        let registry = Registry::embedded().unwrap();
        let names = crate::filter::names(&registry);
        for key in keys {
            prompt.key(named(key).unwrap(), history);
            prompt.check(&registry, &names);
        }
    }

    #[test]
    fn names_are_completed_and_errors_shown_as_they_are_typed() {
        let mut prompt = Prompt::new(Ask::Filter, String::new());
        typed(&mut prompt, &["o", "u", "t", "Tab"], &[]);
        assert_eq!(prompt.input.value(), "outcome");
        typed(&mut prompt, &["Space", "=", "="], &[]);
        let wrong = prompt.wrong.clone().unwrap();
        assert_eq!(wrong.at, 10, "{wrong:?}");
        typed(&mut prompt, &["Space", "o", "k"], &[]);
        assert_eq!(prompt.wrong, None);
    }

    #[test]
    fn what_was_typed_before_comes_back() {
        let history = ["one".to_owned(), "two".to_owned()];
        let mut prompt = Prompt::new(Ask::Search, String::new());
        typed(&mut prompt, &["x", "Up"], &history);
        assert_eq!(prompt.input.value(), "two");
        typed(&mut prompt, &["Up", "Up"], &history);
        assert_eq!(prompt.input.value(), "one");
        typed(&mut prompt, &["Down", "Down"], &history);
        assert_eq!(prompt.input.value(), "x");
    }

    #[test]
    fn nothing_invisible_gets_into_the_line() {
        let mut prompt = Prompt::new(Ask::Search, String::new());
        prompt.paste("a\u{1b}[31m\tb\n");
        assert_eq!(prompt.input.value(), "a[31m b ");
    }
}
