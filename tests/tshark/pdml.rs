//! Runs tshark and reads the PDML it writes.
//!
//! Takes a capture and gives, for each frame, the protocols in the order they were found, each with
//! its fields. PDML alone keeps several messages of a frame apart; it is regular enough that an XML
//! parser would be no gain. Nothing here knows what the fields mean.

use std::path::Path;
use std::process::Command;

/// A frame that tshark found something in.
pub(crate) struct Packet {
    /// Its number in the capture.
    pub(crate) frame: u64,
    /// What it carries; a protocol inside another follows it.
    pub(crate) protocols: Vec<Protocol>,
}

/// A protocol in a frame.
pub(crate) struct Protocol {
    /// `dcerpc`, say.
    pub(crate) name: String,
    /// Its fields, outer ones before those in them.
    pub(crate) fields: Vec<Field>,
}

/// A field.
#[derive(Default)]
pub(crate) struct Field {
    /// `dcerpc.cn_call_id`, say; empty where tshark has only a text.
    pub(crate) name: String,
    /// The value.
    pub(crate) show: String,
    /// The line a person would read.
    pub(crate) label: String,
}

impl Protocol {
    /// The fields of a name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |field| field.name == name).map(|field| &*field.show)
    }

    /// The first field of a name.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The first field of a name, as a number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        number(self.text(name)?)
    }
}

/// `16` and `0x10`
pub(crate) fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The frames of a capture that match a display filter.
pub(crate) fn read(capture: &Path, filter: &str) -> Vec<Packet> {
    let output = Command::new("tshark")
        .args(["-n", "-T", "pdml", "-Y", filter])
        .args(["-o", "tcp.reassemble_out_of_order:TRUE", "-o", "tcp.desegment_tcp_streams:TRUE"])
        .arg("-r")
        .arg(capture)
        .env("TZ", "UTC")
        .output()
        .expect("tshark runs");
    let said = String::from_utf8_lossy(&output.stderr);
    // A capture that is cut in the middle of a packet makes tshark fail after all others.
    assert!(output.status.success() || said.contains("cut short"), "tshark: {said}");
    packets(&String::from_utf8_lossy(&output.stdout))
}

fn packets(pdml: &str) -> Vec<Packet> {
    let mut packets: Vec<Packet> = Vec::new();
    // Protocols that are open, by their place: a protocol can be inside a field of another.
    let mut open: Vec<usize> = Vec::new();
    for tag in pdml.split('<').skip(1) {
        let tag = tag.split_once('>').map_or(tag, |(tag, _)| tag);
        let (kind, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        match kind {
            "packet" => {
                packets.push(Packet { frame: 0, protocols: Vec::new() });
                open.clear();
            }
            "proto" => {
                let packet = packets.last_mut().expect("a protocol is in a packet");
                if !attributes.ends_with('/') {
                    open.push(packet.protocols.len());
                }
                let name = attribute(attributes, "name");
                packet.protocols.push(Protocol { name, fields: Vec::new() });
            }
            "/proto" => {
                open.pop();
            }
            "field" => {
                let packet = packets.last_mut().expect("a field is in a packet");
                let field = Field {
                    name: attribute(attributes, "name"),
                    show: attribute(attributes, "show"),
                    label: attribute(attributes, "showname"),
                };
                if field.name == "frame.number" {
                    packet.frame = number(&field.show).expect("a frame has a number");
                }
                if let Some(place) = open.last() {
                    packet.protocols[*place].fields.push(field);
                }
            }
            _ => {}
        }
    }
    packets
}

fn attribute(attributes: &str, name: &str) -> String {
    let Some((_, rest)) = attributes.split_once(&format!("{name}=\"")) else {
        return String::new();
    };
    let value = rest.split_once('"').map_or(rest, |(value, _)| value);
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&amp;", "&")]
        .iter()
        .fold(value.to_owned(), |value, (escape, plain)| value.replace(escape, plain))
}
