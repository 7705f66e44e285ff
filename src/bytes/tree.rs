//! Rows for people: [`Sink`] receives every field that is read, [`Tree`] keeps them.

use std::fmt::Write as _;

use super::{Guid, Span};

/// What is known of a field before it is read.
#[derive(Debug)]
pub struct Field {
    /// Its name in the specification.
    pub name: &'static str,
    /// How its value is written.
    pub format: Format,
}

/// How the value of a field is written.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    /// A decimal number; text and bytes as they are.
    Dec,
    /// A hexadecimal number with all its digits.
    Hex,
    /// One of these values.
    Named(&'static [(u64, &'static str)]),
    /// A sum of these bits.
    Flags(&'static [(u64, &'static str)]),
}

impl Field {
    /// A number shown in decimal, a text, or bytes.
    pub const fn dec(name: &'static str) -> Self {
        Self { name, format: Format::Dec }
    }

    /// A number shown in hexadecimal.
    pub const fn hex(name: &'static str) -> Self {
        Self { name, format: Format::Hex }
    }

    /// A number whose values have names.
    pub const fn named(name: &'static str, names: &'static [(u64, &'static str)]) -> Self {
        Self { name, format: Format::Named(names) }
    }

    /// A number whose bits have names.
    pub const fn flags(name: &'static str, bits: &'static [(u64, &'static str)]) -> Self {
        Self { name, format: Format::Flags(bits) }
    }
}

/// A value as it was read.
#[derive(Clone, Copy, Debug)]
pub enum Scalar<'a> {
    /// Unsigned.
    U(u64),
    /// Signed.
    I(i64),
    /// A GUID.
    Guid(Guid),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Text.
    Text(&'a str),
}

/// Receives every field that is read. `()` wants none of them and costs nothing.
pub trait Sink {
    /// Whether rows are wanted at all.
    const ROWS: bool;
    /// Fields up to the matching [`Sink::leave`] belong together.
    fn enter(&mut self, name: &str, at: u32);
    /// Ends the innermost group, which covers the bytes up to `at`.
    fn leave(&mut self, at: u32);
    /// A field of a built-in layer.
    fn leaf(&mut self, field: &'static Field, span: Span, value: Scalar<'_>);
    /// A row whose name or text was made at run time; `span` may be empty for what was computed.
    fn row(&mut self, name: &str, value: String, span: Span);
}

impl Sink for () {
    const ROWS: bool = false;
    fn enter(&mut self, _: &str, _: u32) {}
    fn leave(&mut self, _: u32) {}
    fn leaf(&mut self, _: &'static Field, _: Span, _: Scalar<'_>) {}
    fn row(&mut self, _: &str, _: String, _: Span) {}
}

/// One row: a group (its value is empty) or a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Depth in the tree; the rows of a group follow it and are deeper.
    pub depth: u16,
    /// Name of the field or group.
    pub name: Box<str>,
    /// The value as text, safe for a terminal.
    pub value: Box<str>,
    /// The bytes it was read from; empty when it was computed.
    pub span: Span,
}

/// All rows of one unit, in pre-order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    nodes: Vec<Node>,
    open: Vec<usize>,
}

impl Tree {
    /// The rows in the order they were read.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Adds `other`'s rows below the innermost open group, their spans moved by `by`.
    pub fn graft(&mut self, other: &Tree, by: u32) {
        let base = self.depth();
        self.nodes.extend(other.nodes.iter().map(|node| Node {
            depth: node.depth.saturating_add(base),
            span: Span::new(node.span.start.saturating_add(by), node.span.end.saturating_add(by)),
            ..node.clone()
        }));
    }

    fn depth(&self) -> u16 {
        u16::try_from(self.open.len()).unwrap_or(u16::MAX)
    }

    fn add(&mut self, name: &str, value: &str, span: Span) {
        let depth = self.depth();
        self.nodes.push(Node { depth, name: name.into(), value: value.into(), span });
    }
}

impl Sink for Tree {
    const ROWS: bool = true;

    fn enter(&mut self, name: &str, at: u32) {
        self.add(name, "", Span::new(at, at));
        self.open.push(self.nodes.len() - 1);
    }

    fn leave(&mut self, at: u32) {
        if let Some(node) = self.open.pop().and_then(|i| self.nodes.get_mut(i)) {
            node.span = Span::new(node.span.start, at);
        }
    }

    fn leaf(&mut self, field: &'static Field, span: Span, value: Scalar<'_>) {
        self.add(field.name, &text(field.format, span.len(), value), span);
    }

    fn row(&mut self, name: &str, value: String, span: Span) {
        self.add(name, &printable(&value), span);
    }
}

fn text(format: Format, width: u32, value: Scalar<'_>) -> String {
    let number = match value {
        Scalar::U(n) => n,
        Scalar::I(n) => return n.to_string(),
        Scalar::Guid(guid) => return guid.to_string(),
        Scalar::Text(text) => return format!("\"{}\"", printable(text)),
        Scalar::Bytes(bytes) => return hex_line(bytes),
    };
    let hex = format!("0x{number:0digits$x}", digits = usize::try_from(width).unwrap_or(8) * 2);
    match format {
        Format::Dec => number.to_string(),
        Format::Hex => hex,
        Format::Named(names) => match names.iter().find(|(n, _)| *n == number) {
            Some((_, name)) => format!("{name} ({number})"),
            None => format!("{number} (unknown)"),
        },
        Format::Flags(bits) => {
            let mut names: Vec<String> = Vec::new();
            let mut rest = number;
            for (bit, name) in bits {
                if number & bit == *bit {
                    names.push((*name).to_owned());
                    rest &= !bit;
                }
            }
            if rest != 0 && !names.is_empty() {
                names.push(format!("0x{rest:x}"));
            }
            if names.is_empty() { hex } else { format!("{hex} ({})", names.join(" | ")) }
        }
    }
}

fn hex_line(bytes: &[u8]) -> String {
    const SHOWN: usize = 24;
    let mut line = format!("{} bytes", bytes.len());
    if !bytes.is_empty() {
        line.push_str(": ");
    }
    for byte in bytes.iter().take(SHOWN) {
        let _ = write!(line, "{byte:02x}");
    }
    if bytes.len() > SHOWN {
        line.push('…');
    }
    line
}

/// `text` with everything a terminal would act on made visible: control characters, bidirectional
/// overrides and other invisible format characters become `\u{…}`.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = first_invisible(rest) {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = from.chars();
        if let Some(c) = chars.next() {
            let _ = write!(out, "{}", c.escape_unicode());
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

/// Offset of the first character of `text` that [`is_invisible`].
pub fn first_invisible(text: &str) -> Option<usize> {
    // Most text is plain ASCII, which is told faster than any character of it is.
    if text.bytes().all(|b| matches!(b, 0x20..=0x7e)) {
        return None;
    }
    text.find(is_invisible)
}

/// Whether a terminal would act on `c` instead of showing it: control characters, bidirectional
/// overrides and other invisible format characters.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_nest_and_cover_their_bytes() {
        let mut tree = Tree::default();
        tree.enter("header", 0);
        tree.row("x", "1".into(), Span::new(0, 4));
        tree.leave(4);
        tree.row("y", "2".into(), Span::new(4, 5));
        let rows: Vec<_> = tree.nodes().iter().map(|n| (n.depth, &*n.name, n.span)).collect();
        assert_eq!(
            rows,
            [(0, "header", Span::new(0, 4)), (1, "x", Span::new(0, 4)), (0, "y", Span::new(4, 5)),]
        );
    }

    #[test]
    fn flags_keep_unknown_bits_and_all_digits() {
        const BITS: &[(u64, &str)] = &[(1, "FIRST"), (2, "LAST")];
        assert_eq!(text(Format::Flags(BITS), 1, Scalar::U(0x83)), "0x83 (FIRST | LAST | 0x80)");
        assert_eq!(text(Format::Flags(BITS), 2, Scalar::U(0)), "0x0000");
        assert_eq!(text(Format::Named(BITS), 2, Scalar::U(7)), "7 (unknown)");
    }

    #[test]
    fn nothing_a_terminal_acts_on_gets_through() {
        assert_eq!(printable("a\u{1b}[31m\u{202e}b\n"), "a\\u{1b}[31m\\u{202e}b\\u{a}");
        assert_eq!(printable("Ü \\\\srv\\vol$"), "Ü \\\\srv\\vol$");
    }
}
