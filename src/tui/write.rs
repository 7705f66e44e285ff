//! Writing a list or a text, a slice at a time.

use super::job::{Job, SLICE};
use super::model::Model;
use super::msg::Effect;
use super::rows::{Packet, Shown};
use crate::bytes::FrameNo;
use crate::report::json;

/// What is being written.
#[derive(Debug)]
pub(super) struct Writing {
    /// The name of the file.
    pub(super) name: String,
    pub(super) what: What,
}

/// What it is.
#[derive(Debug)]
pub(super) enum What {
    /// A text, and what to say of it when it is written.
    Text(Option<String>, String),
    /// The list of calls, from a row on, as JSON or as text.
    Calls(usize, bool),
    /// The list of packets.
    Packets(usize, bool),
}

impl Model<'_> {
    /// Writes the next rows; of a list that grows those that are there now.
    pub(super) fn go_on_writing(&mut self, writing: Writing) -> Option<Effect> {
        let Writing { name, what } = writing;
        let (next, effect) = match what {
            What::Text(Some(text), said) => (What::Text(None, said), Effect::Write(text)),
            What::Text(None, said) => return Some(Effect::Close(format!("{name}: {said}"))),
            What::Calls(from, json) => {
                let to = from.saturating_add(SLICE).min(self.calls_listed());
                if from >= to && self.is_choosing() {
                    // More calls may be shown yet.
                    self.job = Some(Job::Write(Writing { name, what: What::Calls(from, json) }));
                    return None;
                }
                if from >= to {
                    return Some(self.written(&name, from, "calls"));
                }
                (What::Calls(to, json), Effect::Write(self.calls_text(from..to, json)))
            }
            What::Packets(from, json) => {
                let frames = usize::try_from(self.trace.frames()).unwrap_or(usize::MAX);
                let to = from.saturating_add(SLICE).min(frames);
                if from >= to {
                    return Some(self.written(&name, from, "packets"));
                }
                (What::Packets(to, json), Effect::Write(self.packets_text(from..to, json)))
            }
        };
        self.job = Some(Job::Write(Writing { name, what: next }));
        Some(effect)
    }

    fn written(&self, name: &str, rows: usize, what: &str) -> Effect {
        let so_far = if self.ended { "" } else { ", so far" };
        Effect::Close(format!("{name}: {rows} {what}{so_far}"))
    }

    fn calls_text(&self, rows: std::ops::Range<usize>, json: bool) -> String {
        if !json {
            return lines(self.calls_in(rows).iter().map(text_of));
        }
        lines(rows.map_while(|row| self.call_at(row)).filter_map(|n| self.call_json(n)))
    }

    fn packets_text(&self, rows: std::ops::Range<usize>, json: bool) -> String {
        let packets = self.packets_in(rows);
        if json {
            lines(packets.iter().filter_map(|packet| self.packet_json(packet)))
        } else {
            lines(packets.iter().map(packet_text))
        }
    }

    fn call_json(&self, n: u64) -> Option<String> {
        let call = self.trace.call(n, false, self.registry).ok()??;
        let writer = json::Writer { registry: self.registry, files: self.options.files.clone() };
        Some(json::line(&writer.call(&call, self.trace.origins(), None)))
    }

    fn packet_json(&self, packet: &Packet) -> Option<String> {
        let about = self.trace.about(FrameNo(packet.no))?;
        let record = json::packet(&json::Packet {
            frame: packet.no,
            time: about.time,
            source: &packet.src,
            destination: &packet.dst,
            protocol: packet.protocol,
            captured: about.len,
            length: about.wire_len,
            about: &packet.about,
        });
        Some(json::line(&record))
    }
}

/// A row of the list of calls as text.
pub(super) fn text_of(shown: &Shown) -> String {
    let Shown { n, time, client, server, method, asked, answered, took, error, .. } = shown;
    match error {
        Some(error) => format!("{n} {error}"),
        None => format!("{n} {time} {client} {server} {method} {asked} → {answered} {took}"),
    }
}

/// A row of the list of packets as text.
pub(super) fn packet_text(packet: &Packet) -> String {
    let Packet { no, time, src, dst, protocol, about, .. } = packet;
    format!("{no} {time} {src} {dst} {protocol} {about}")
}

/// Each on a line of its own.
pub(super) fn lines(of: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for line in of {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
