//! One call or one frame in full: every field, and every byte with the frame that carried it.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::Style;

use super::json::{auth_words, mechanism_word};
use super::pages::{self, Page, frames_of};
use super::text::TimeStyle;
use super::{brief, text};
use crate::bytes::{LinkType, Piece, Span, Tree, View, index, millionths, printable};
use crate::call::{Call, Party};
use crate::pipeline::Unit;
use crate::protocol::Registry;
use crate::rpc::Transfer;

const HEAD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Writes a call: what it was, then each PDU and the arguments, with their bytes.
pub fn call(
    call: &Call,
    registry: &Registry,
    time: TimeStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let style = text::style(call.outcome);
    let Head { method, result } = head(call, registry);
    writeln!(out, "{HEAD}call {}: {method}{HEAD:#} {style}{result}{style:#}", call.rpc.n)?;
    for (name, value) in facts(call, time) {
        writeln!(out, "  {name:<11} {value}")?;
    }
    for one in pages::of_call(call, registry) {
        writeln!(out)?;
        page(&one, out)?;
    }
    Ok(())
}

/// Writes what somebody noted beside a frame in the capture.
pub fn comment(text: &str, out: &mut dyn Write) -> io::Result<()> {
    for line in text.lines() {
        writeln!(out, "{DIM}comment:{DIM:#} {}", printable(line))?;
    }
    Ok(())
}

/// Writes a frame: its headers and bytes, then the messages of which it carried a part.
pub fn frame(
    link: LinkType,
    view: View<'_>,
    units: &[Unit],
    style: TimeStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (n, one) in pages::of_frame(link, view, units, style).iter().enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        page(one, out)?;
    }
    Ok(())
}

fn page(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{HEAD}{}{HEAD:#}", page.title)?;
    rows(&page.tree, out)?;
    hex(page.bytes.view(), out)
}

/// What a call was, in its first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The method, or the best name there is for it.
    pub method: String,
    /// How it went, with the code where that has a name.
    pub result: String,
}

/// The first line of a call.
pub fn head(call: &Call, registry: &Registry) -> Head {
    let mut result = printable(&brief::result(call, registry));
    let code = call.fault().or(call.status).filter(|code| !result.contains(&format!("{code:08x}")));
    if let Some(code) = code {
        let _ = write!(result, " (0x{code:08x})");
    }
    Head { method: printable(&brief::method(call)), result }
}

/// What is known of a call as a whole: names and values, safe for a terminal.
pub fn facts(call: &Call, time: TimeStyle) -> Vec<(&'static str, String)> {
    let rpc = &call.rpc;
    let mut facts = vec![("time", time.whole(call.time))];
    let mut row = |name: &'static str, value: String| facts.push((name, value));
    if let Some(nanos) = call.elapsed {
        row("elapsed", format!("{} ms", millionths(nanos)));
    }
    row("client", party(&call.client));
    row("server", party(&call.server));
    if let Some(pipe) = call.pipe() {
        row("pipe", pipe.name.as_deref().map_or_else(|| "name not seen".to_owned(), printable));
        let mut smb = format!("session 0x{:016x}", pipe.session_id);
        if let Some(dialect) = &pipe.dialect {
            smb = format!("dialect {dialect}, {smb}");
        }
        if let Some(tree) = pipe.tree_id {
            let _ = write!(smb, ", tree {tree}");
        }
        if let Some(file) = &pipe.file_id {
            let _ = write!(smb, ", file {file}");
        }
        let mut sides = rpc.request.iter().chain(&rpc.response);
        smb.push_str(match (sides.any(|side| call.was_encrypted(side)), pipe.signed) {
            (true, _) => {
                ", encrypted: opened with a key, and proved by the cipher as a signature would"
            }
            (false, true) => ", signed",
            (false, false) => ", not signed",
        });
        row("smb", smb);
        if let Some(user) = &pipe.user {
            row("user", printable(user));
        }
    }
    let (provider, level) = auth_words(&rpc.auth);
    let mut auth = match mechanism_word(&rpc.auth) {
        Some(mechanism) if mechanism != provider => format!("{provider} ({mechanism}), {level}"),
        _ if provider == "none" => "none".to_owned(),
        _ => format!("{provider}, {level}"),
    };
    if let Some(principal) = &rpc.auth.principal {
        let _ = write!(auth, ", {}", printable(principal));
    }
    row("auth", auth);
    let halves = [("request", rpc.request.as_ref()), ("response", rpc.response.as_ref())];
    let signed = halves.iter().filter_map(|(side, message)| {
        let verdict = message.as_ref()?.verdict?;
        Some(format!("{side} {}", verdict.words()))
    });
    let signed: Vec<String> = signed.collect();
    if !signed.is_empty() {
        row("signature", signed.join(", "));
    }
    let interface = rpc.interface.map_or_else(
        || "unknown: its bind is not in the capture".to_owned(),
        |syntax| {
            let name = call.interface_name().unwrap_or("unknown interface");
            format!("{name} {} v{}.{}", syntax.uuid, syntax.major, syntax.minor)
        },
    );
    row("interface", interface);
    let context = rpc.context_id.map_or_else(|| "?".to_owned(), |id| id.to_string());
    let opnum = rpc.opnum.map_or_else(|| "?".to_owned(), |opnum| opnum.to_string());
    let syntax = match rpc.transfer {
        Some(Transfer::Ndr) => "NDR",
        Some(Transfer::Ndr64) => "NDR64",
        None => "unknown",
    };
    row(
        "rpc",
        format!(
            "opnum {opnum}, call id {}, context {}, transfer syntax {syntax}",
            rpc.call_id, context
        ),
    );
    if let Some(object) = rpc.object {
        // The identifier of an interface of an object, which is that of the call.
        let of = call.interface.as_deref().filter(|interface| interface.object);
        let of = of.map(|interface| format!(" {}", interface.name)).unwrap_or_default();
        row("object", format!("{object}{of}"));
    }
    facts
}

fn party(party: &Party) -> String {
    match &party.name {
        Some(name) => format!("{} ({})", party.addr, printable(name)),
        None => party.addr.to_string(),
    }
}

fn rows(tree: &Tree, out: &mut dyn Write) -> io::Result<()> {
    for node in tree.nodes() {
        let indent = usize::from(node.depth) * 2 + 2;
        let label = format!("{:indent$}{}", "", printable(&node.name));
        let place = if node.span.is_empty() {
            String::new()
        } else {
            format!("{DIM}  [{}..{}]{DIM:#}", node.span.start, node.span.end)
        };
        if node.value.is_empty() {
            writeln!(out, "{label}{place}")?;
        } else {
            writeln!(out, "{label:<36} {}{place}", printable(&node.value))?;
        }
    }
    Ok(())
}

/// Writes bytes as hexadecimal and text. A new line begins wherever another frame goes on.
fn hex(view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut at = 0;
    for piece in view.pieces() {
        let (from, end) = (piece.at.max(at), piece.at.saturating_add(piece.len));
        if from >= end {
            // Another of the frames these bytes were made from.
            continue;
        }
        missing(view, at, from, out)?;
        let Piece { frame, offset, .. } = piece;
        if piece.made {
            let frames = frames_of(view.slice(Span::new(from, end)));
            writeln!(out, "  {DIM}bytes made from what {frames} carried{DIM:#}")?;
        } else {
            writeln!(out, "  {DIM}bytes of frame {} from its offset {offset}{DIM:#}", frame.0)?;
        }
        for start in (from..end).step_by(16) {
            let row = view.slice(Span::new(start, end.min(start.saturating_add(16))));
            hex_row(start, row.bytes(), out)?;
        }
        at = end;
    }
    missing(view, at, view.len(), out)
}

fn missing(view: View<'_>, from: u32, to: u32, out: &mut dyn Write) -> io::Result<()> {
    if from >= to {
        return Ok(());
    }
    let why = view.hole_in(Span::new(from, to)).map_or("not here", |hole| hole.why.words());
    writeln!(out, "  {from:04x}  {DIM}{} bytes {why}{DIM:#}", to - from)
}

fn hex_row(at: u32, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let mut digits = String::new();
    for (n, byte) in bytes.iter().enumerate() {
        let gap = if n == index(8) { "  " } else { " " };
        digits.push_str(gap);
        let _ = write!(digits, "{byte:02x}");
    }
    let text: String = bytes
        .iter()
        .map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' })
        .collect();
    writeln!(out, "  {at:04x} {digits:<50}  {text}")
}
