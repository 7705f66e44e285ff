//! The `packet` record: a row of the terminal UI's list of packets.

use serde_json::{Value as Json, json};

use crate::bytes::Time;

/// A frame in a row.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Its number.
    pub frame: u64,
    /// When it was captured.
    pub time: Time,
    /// Who sent it, and to whom: addresses, with ports where it has them; empty where it has none.
    pub source: &'a str,
    /// See above.
    pub destination: &'a str,
    /// The innermost protocol that is told.
    pub protocol: &'a str,
    /// Bytes captured, and on the wire.
    pub captured: u32,
    /// See above.
    pub length: u32,
    /// What is in it, in a few words.
    pub about: &'a str,
}

/// The record.
pub fn packet(of: &Packet<'_>) -> Json {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "type": "packet",
        "frame": of.frame,
        "time": of.time.to_string(),
        "source": text(of.source),
        "destination": text(of.destination),
        "protocol": text(of.protocol),
        "captured": of.captured,
        "length": of.length,
        "about": of.about,
    })
}
