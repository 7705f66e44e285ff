//! One call or one frame in full: every field, and every byte with the frame that carried it.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::Style;

use super::json::{auth_words, mechanism_word};
use super::text::TimeStyle;
use super::{brief, text};
use crate::bytes::{
    LinkType, Piece, Reader, Sink, Span, Stop, Tree, View, index, millionths, printable,
};
use crate::call::{Call, Party, Readable, Stub};
use crate::ndr;
use crate::pipeline::{Unit, UnitKind};
use crate::protocol::Registry;
use crate::rpc::{Message, Transfer, pdu, trailer};
use crate::{net, smb};

const HEAD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Writes a call: what it was, then each PDU and the arguments, with their bytes.
pub fn call(
    call: &Call,
    registry: &Registry,
    time: TimeStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    heading(call, registry, time, out)?;
    let sides = [
        ("request", &call.request, call.rpc.request.as_ref()),
        ("response", &call.response, call.rpc.response.as_ref()),
    ];
    for (side, stub, message) in &sides {
        if let Some(message) = message {
            arguments(side, stub, message, out)?;
        }
    }
    for (side, _, message) in &sides {
        let pdus = message.map(|message| message.pdus.as_slice()).unwrap_or_default();
        for (n, unit) in pdus.iter().enumerate() {
            writeln!(out)?;
            let (of, bytes) = (pdus.len(), unit.len());
            writeln!(out, "{HEAD}{side}, PDU {} of {of}, {bytes} bytes{HEAD:#}", n + 1)?;
            view_of(UnitKind::Rpc, unit.view(), out)?;
        }
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
    let time = view.time().map(|time| format!(", {}", style.whole(time))).unwrap_or_default();
    let len = view.len();
    writeln!(out, "{HEAD}{}{time}, {len} bytes captured{HEAD:#}", frames_of(view))?;
    let mut tree = Tree::default();
    net::rows(link, view, &mut tree);
    rows(&tree, out)?;
    hex(view, out)?;
    for unit in units {
        let what = match unit.kind {
            UnitKind::Ip(_) => "IP datagram put together from fragments",
            UnitKind::Smb => "SMB message",
            UnitKind::Rpc => "DCE/RPC PDU",
        };
        let view = unit.bytes.view();
        writeln!(out)?;
        writeln!(out, "{HEAD}{what}, {} bytes, in {}{HEAD:#}", view.len(), frames_of(view))?;
        view_of(unit.kind, view, out)?;
    }
    Ok(())
}

fn heading(
    call: &Call,
    registry: &Registry,
    time: TimeStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rpc = &call.rpc;
    let style = text::style(call.outcome);
    let result = printable(&brief::result(call, registry));
    let code = call.fault().or(call.status).filter(|code| !result.contains(&format!("{code:08x}")));
    let code = code.map(|code| format!(" (0x{code:08x})"));
    writeln!(
        out,
        "{HEAD}call {}: {}{HEAD:#} {style}{result}{}{style:#}",
        rpc.n,
        printable(&brief::method(call)),
        code.unwrap_or_default()
    )?;
    let mut row = |name: &str, value: String| writeln!(out, "  {name:<11} {value}");
    row("time", time.whole(call.time))?;
    if let Some(nanos) = call.elapsed {
        row("elapsed", format!("{} ms", millionths(nanos)))?;
    }
    row("client", party(&call.client))?;
    row("server", party(&call.server))?;
    if let Some(pipe) = call.pipe() {
        row("pipe", pipe.name.as_deref().map_or_else(|| "name not seen".to_owned(), printable))?;
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
        smb.push_str(if pipe.signed { ", signed" } else { ", not signed" });
        row("smb", smb)?;
        if let Some(user) = &pipe.user {
            row("user", printable(user))?;
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
    row("auth", auth)?;
    let interface = rpc.interface.map_or_else(
        || "unknown: its bind is not in the capture".to_owned(),
        |syntax| {
            let name = call.interface_name().unwrap_or("unknown interface");
            format!("{name} {} v{}.{}", syntax.uuid, syntax.major, syntax.minor)
        },
    );
    row("interface", interface)?;
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
    )?;
    if let Some(object) = rpc.object {
        row("object", object.to_string())?;
    }
    Ok(())
}

fn party(party: &Party) -> String {
    match &party.name {
        Some(name) => format!("{} ({})", party.addr, printable(name)),
        None => party.addr.to_string(),
    }
}

/// The values of a stub, and its bytes as they were put together from the PDUs.
fn arguments(side: &str, stub: &Stub, message: &Message, out: &mut dyn Write) -> io::Result<()> {
    if stub.readable == Readable::Absent {
        return Ok(());
    }
    let view = message.stub.view();
    let about = match stub.readable {
        Readable::Clear => String::new(),
        other => format!(", {}", other.word()),
    };
    writeln!(out)?;
    writeln!(
        out,
        "{HEAD}{side} stub, {} bytes, in {}{about}{HEAD:#}",
        view.len(),
        frames_of(view)
    )?;
    let mut tree = Tree::default();
    match &stub.decoded {
        Some(decoded) => {
            ndr::rows(decoded, &mut tree);
            for note in &decoded.notes {
                tree.row("note", note.text.clone(), note.span);
            }
            if let Some(stop) = &decoded.stop {
                tree.row("stopped", stop.to_string(), Span::new(stop.at, stop.at));
            }
        }
        None if stub.readable == Readable::Sealed => {}
        None => tree.row(
            "not decoded",
            "nothing is known of this interface's parameters".to_owned(),
            Span::default(),
        ),
    }
    if let Some(span) = stub.trailer {
        let mut inner = Tree::default();
        let bytes = view.slice(span);
        let mut reader = Reader::new(bytes, &mut inner);
        reader.order = trailer::order_of(bytes, message.order).unwrap_or(message.order);
        let _ = reader.group("verification trailer", trailer::read);
        tree.graft(&inner, span.start);
    }
    rows(&tree, out)?;
    hex(view, out)
}

fn view_of(kind: UnitKind, view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut tree = Tree::default();
    let mut reader = Reader::new(view, &mut tree);
    let mut compressed = None;
    let stop = match kind {
        UnitKind::Rpc => pdu::dissect(&mut reader).err(),
        UnitKind::Smb => match smb::dissect(&mut reader, |_| {}) {
            Ok(smb::Packet::Compressed(transform)) => {
                compressed = Some(transform);
                None
            }
            packet => packet.err(),
        },
        UnitKind::Ip(ip) => {
            ip.rows(view, &mut tree);
            None
        }
    };
    body(tree, stop, view, out)?;
    compressed.map_or(Ok(()), |transform| plain(view, &transform, out))
}

/// The message in a compressed one.
fn plain(
    view: View<'_>,
    transform: &smb::CompressionTransform,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out)?;
    let plain = match smb::decompress(view, transform, u32::MAX) {
        Ok(plain) => plain,
        Err(stop) => return writeln!(out, "{HEAD}not decompressed: {stop}{HEAD:#}"),
    };
    let (view, whole) = (plain.message.view(), plain.whole);
    let frames = frames_of(view);
    writeln!(out, "{HEAD}SMB message, {whole} bytes, decompressed from {frames}{HEAD:#}")?;
    let mut tree = Tree::default();
    let stop = smb::dissect_plain(&mut Reader::new(view, &mut tree), whole, |_| {}).err();
    body(tree, stop, view, out)
}

/// Rows and bytes.
fn body(mut tree: Tree, stop: Option<Stop>, view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
    if let Some(stop) = stop {
        tree.row("stopped", stop.to_string(), Span::new(stop.at, stop.at));
    }
    rows(&tree, out)?;
    hex(view, out)
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

fn frames_of(view: View<'_>) -> String {
    let frames: Vec<String> = view.frames().iter().map(|frame| frame.0.to_string()).collect();
    match frames.len() {
        0 => "no frame".to_owned(),
        1 => format!("frame {}", frames.concat()),
        _ => format!("frames {}", frames.join(", ")),
    }
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
            writeln!(out, "  {DIM}bytes decompressed from {frames}{DIM:#}")?;
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
