//! Lists that were read to their end.

use super::areas::{List, Sizes};
use super::cursor::{Cursors, Source};
use super::message::{Arm, Element};
use super::volume::Volumes;
use crate::bytes::Guid;

/// A list that was read to its end.
pub(super) struct Whole {
    source: Source,
    elements: Vec<Element>,
}

/// The list of an enumerator, when the last of it was just read.
pub(super) fn whole(ipid: Guid, cursors: &mut Cursors) -> Option<Whole> {
    let (_, family) = cursors.of(ipid)?;
    if family.told || !family.is_whole() {
        return None;
    }
    family.told = true;
    let elements = family.items.values().map(|(_, element)| element.clone()).collect();
    Some(Whole { source: family.source.clone()?, elements })
}

impl Whole {
    /// As it is kept.
    pub(super) fn into_list(self, volumes: &Volumes) -> List {
        let Self { source, elements } = self;
        let volume = source.volume.as_deref().map(|name| volumes.place(name)).unwrap_or_default();
        let mut list = List {
            query: source.query,
            volume,
            call: source.call,
            channel: source.channel,
            from: source.asked,
            to: source.answered,
            volumes: Vec::new(),
            pairs: Vec::new(),
            copies: Vec::new(),
        };
        for element in elements {
            match element.arm {
                Arm::Volume { name: Some(name), .. } | Arm::DiffVolume { name: Some(name), .. } => {
                    list.volumes.push(volumes.place(&name.text));
                }
                Arm::Area {
                    volume: Some(volume),
                    storage: Some(storage),
                    max,
                    allocated,
                    used,
                } => {
                    let pair = (volumes.place(&volume.text), volumes.place(&storage.text));
                    list.pairs.push((pair, Sizes { max, allocated, used }));
                }
                Arm::Snapshot(of) => list.copies.push(of.id),
                _ => {}
            }
        }
        list
    }
}
