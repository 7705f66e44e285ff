//! The pages of a call or of a frame: each of its parts with its bytes and its fields.
//!
//! What was read once is dissected again, purely; a page is what `vshark show` prints and what the
//! terminal UI goes through.

use super::text::TimeStyle;
use crate::bytes::{Buffer, LinkType, Reader, Sink, Span, Stop, Tree, View};
use crate::call::{Call, Readable, Stub};
use crate::ndr;
use crate::pipeline::{Unit, UnitKind};
use crate::protocol::Registry;
use crate::rpc::{Message, pdu, trailer};
use crate::{net, smb};

/// A part of a call or of a frame.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What it is, in a word or two.
    pub name: String,
    /// What its bytes are called: the name, and that they were decrypted if they were.
    pub tab: String,
    /// What it is, how long, and in which frames.
    pub title: String,
    /// Its bytes.
    pub bytes: Buffer,
    /// Its fields.
    pub tree: Tree,
}

impl Page {
    fn new(name: String, title: String, view: View<'_>, tree: Tree) -> Self {
        let mut bytes = Buffer::default();
        bytes.push(view);
        Self { tab: name.clone(), name, title, bytes, tree }
    }

    /// The same of what was encrypted as it travelled.
    fn decrypted(self) -> Self {
        Self { tab: format!("{}, decrypted", self.name), ..self }
    }
}

/// A call: its arguments, then its PDUs, where they were kept. `registry` has the names of interfaces.
pub fn of_call(call: &Call, registry: &Registry) -> Vec<Page> {
    let mut pages = Vec::new();
    let sides = [
        ("request", &call.request, call.rpc.request.as_ref()),
        ("response", &call.response, call.rpc.response.as_ref()),
    ];
    for (side, stub, message) in &sides {
        if let Some(message) = message.filter(|_| stub.readable != Readable::Absent) {
            pages.push(arguments(side, call, stub, message, registry));
        }
    }
    for (side, _, message) in &sides {
        let decrypted = message.is_some_and(|message| call.was_encrypted(message));
        let pdus = message.map(|message| message.pdus.as_slice()).unwrap_or_default();
        for (n, unit) in pdus.iter().enumerate() {
            let (of, bytes) = (pdus.len(), unit.len());
            let name = match of {
                1 => format!("{side} PDU"),
                _ => format!("{side} PDU {}", n + 1),
            };
            let about = if decrypted { ", decrypted" } else { "" };
            let title = format!("{side}, PDU {} of {of}, {bytes} bytes{about}", n + 1);
            add_unit(&mut pages, UnitKind::Rpc, name, title, unit.view());
            if let Some(page) = pages.pop() {
                pages.push(if decrypted { page.decrypted() } else { page });
            }
        }
    }
    pages
}

/// A frame: its headers, then the messages of which it carried a part.
pub fn of_frame(link: LinkType, view: View<'_>, units: &[Unit], time: TimeStyle) -> Vec<Page> {
    let frames = frames_of(view);
    let when = view.time().map(|at| format!(", {}", time.whole(at))).unwrap_or_default();
    let title = format!("{frames}{when}, {} bytes captured", view.len());
    let mut tree = Tree::default();
    net::rows(link, view, &mut tree);
    let mut pages = vec![Page::new(frames, title, view, tree)];
    for unit in units {
        let what = match unit.kind {
            UnitKind::Ip(_) => "IP datagram put together from fragments",
            UnitKind::Smb => "SMB message",
            UnitKind::Opened => "SMB message that was encrypted",
            UnitKind::Rpc => "DCE/RPC PDU",
        };
        let name = match unit.kind {
            UnitKind::Ip(_) => "IP datagram",
            UnitKind::Opened => "decrypted",
            _ => what,
        };
        let view = unit.bytes.view();
        let from = if unit.kind == UnitKind::Opened { "decrypted from" } else { "in" };
        let title = format!("{what}, {} bytes, {from} {}", view.len(), frames_of(view));
        add_unit(&mut pages, unit.kind, name.to_owned(), title, view);
    }
    pages
}

/// The values of a stub, and its bytes as they were put together from the PDUs.
fn arguments(side: &str, call: &Call, stub: &Stub, message: &Message, registry: &Registry) -> Page {
    let view = message.stub.view();
    let naming = |guid| registry.name_of(guid);
    let about = match stub.readable {
        Readable::Clear => String::new(),
        other => format!(", {}", other.word()),
    };
    let mut tree = Tree::default();
    for decoded in stub.orpc.iter().chain(&stub.decoded) {
        ndr::rows(decoded, &naming, &mut tree);
        for note in &decoded.notes {
            tree.row("note", note.text.clone(), note.span);
        }
    }
    match &stub.decoded {
        Some(decoded) => {
            if let Some(stop) = &decoded.stop {
                tree.row("stopped", stop.to_string(), Span::new(stop.at, stop.at));
            }
        }
        None if stub.readable == Readable::Sealed => tree.row(
            "sealed",
            "encrypted by RPC, and not opened".to_owned(),
            Span::new(0, view.len()),
        ),
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
    let encrypted = call.was_encrypted(message) && !message.sealed;
    let from = if encrypted { "decrypted from" } else { "in" };
    let title = format!("{side} stub, {} bytes, {from} {}{about}", view.len(), frames_of(view));
    let page = Page::new(format!("{side} stub"), title, view, tree);
    if encrypted || message.unsealed { page.decrypted() } else { page }
}

/// A message, and what is in it if it is compressed.
fn add_unit(pages: &mut Vec<Page>, kind: UnitKind, name: String, title: String, view: View<'_>) {
    let mut tree = Tree::default();
    let mut reader = Reader::new(view, &mut tree);
    let mut compressed = None;
    let stop = match kind {
        UnitKind::Rpc => pdu::dissect(&mut reader).err(),
        UnitKind::Smb | UnitKind::Opened => {
            let packet = match kind {
                UnitKind::Opened => smb::dissect_opened(&mut reader, |_| {}),
                _ => smb::dissect(&mut reader, |_| {}),
            };
            match packet {
                Ok(smb::Packet::Compressed(transform)) => {
                    compressed = Some(transform);
                    None
                }
                packet => packet.err(),
            }
        }
        UnitKind::Ip(ip) => {
            ip.rows(view, &mut tree);
            None
        }
    };
    note_stop(&mut tree, stop);
    pages.push(Page::new(name, title, view, tree));
    pages.extend(compressed.map(|transform| plain(view, &transform)));
}

/// The message in a compressed one.
fn plain(view: View<'_>, transform: &smb::CompressionTransform) -> Page {
    let name = "decompressed".to_owned();
    let plain = match smb::decompress(view, transform, u32::MAX) {
        Ok(plain) => plain,
        Err(stop) => {
            let title = format!("not decompressed: {stop}");
            return Page { tab: name.clone(), name, title, ..Page::default() };
        }
    };
    let (message, whole) = (plain.message.view(), plain.whole);
    let title = format!("SMB message, {whole} bytes, decompressed from {}", frames_of(message));
    let mut tree = Tree::default();
    let stop = smb::dissect_plain(&mut Reader::new(message, &mut tree), whole, |_| {}).err();
    note_stop(&mut tree, stop);
    Page { tab: name.clone(), name, title, bytes: plain.message, tree }
}

fn note_stop(tree: &mut Tree, stop: Option<Stop>) {
    if let Some(stop) = stop {
        tree.row("stopped", stop.to_string(), Span::new(stop.at, stop.at));
    }
}

/// The frames that carried these bytes, in words.
pub fn frames_of(view: View<'_>) -> String {
    let frames: Vec<String> = view.frames().iter().map(|frame| frame.0.to_string()).collect();
    match frames.len() {
        0 => "no frame".to_owned(),
        1 => format!("frame {}", frames.concat()),
        _ => format!("frames {}", frames.join(", ")),
    }
}
