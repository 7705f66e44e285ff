//! `Next`, `Skip`, `Reset` and `Clone`.

use super::Fault;
use crate::world::{Act, Query};

pub(super) fn add(all: &mut Vec<Fault>) {
    counts(all);
    places(all);
    clones(all);
}

/// What an answer says of itself.
fn counts(all: &mut Vec<Fault>) {
    all.push(Fault::new("more is fetched than asked for", |scene, who| {
        let of = scene.any(who, 1)?;
        let item = scene.item(of, 0);
        scene.on(who, of, &format!("Next(1)=0->[{item}] fetched=2"));
        Some(vec![scene.moves(of, "1-01")])
    }));
    all.push(Fault::new("S_OK with fewer than celt", |scene, who| {
        let of = scene.any(who, 0)?;
        let len = scene.list_of(of).items.len();
        let (items, celt) = (scene.items(of, 0, len), len + 1 + scene.dice.below(4));
        scene.on(who, of, &format!("Next({celt})=0->[{items}]"));
        Some(vec![scene.moves(of, "1-02")])
    }));
    all.push(Fault::new("S_FALSE with all of celt", |scene, who| {
        let of = scene.any(who, 1)?;
        let len = scene.list_of(of).items.len();
        let celt = 1 + scene.dice.below(len);
        let items = scene.items(of, 0, celt);
        scene.on(who, of, &format!("Next({celt})=S_FALSE->[{items}]"));
        Some(vec![scene.moves(of, "1-03")])
    }));
    for (answer, of) in [
        ("Next(0)=0->[]", "1-04"),
        ("Next(0)=S_FALSE->[]", "1-04"),
        ("Next(1)=0x00000002->[]", "1-06"),
        ("Next(3)=S_FALSE->[] max=2", "1-07"),
        ("Next(3)=S_FALSE->[] offset=1", "1-07"),
        ("Skip(0)=0", "2-02"),
        ("Skip(0)=S_FALSE", "2-02"),
        ("Skip(1)=0x00000057", "2-04"),
        ("Reset()=S_FALSE", "3-01"),
        ("Reset()=0 extra=00000000", "3-03"),
        ("Clone()=S_FALSE->null", "4-06"),
        ("Clone()=0->null", "4-01"),
    ] {
        all.push(Fault::new(answer, move |scene, who| {
            let list = scene.any(who, 0)?;
            scene.on(who, list, answer);
            Some(vec![scene.moves(list, of)])
        }));
    }
}

/// Where an enumerator stands.
fn places(all: &mut Vec<Fault>) {
    all.push(Fault::new("an element comes again", |scene, who| {
        let celt = 1 + scene.dice.below(2);
        let of = scene.read(who, celt, celt)?;
        let again = scene.dice.below(celt);
        let item = scene.item(of, again);
        scene.on(who, of, &format!("Next(1)=0->[{item}]"));
        Some(vec![scene.moves(of, "1-08")])
    }));
    all.push(Fault::new("an element after the end", |scene, who| {
        let of = scene.any(who, 1)?;
        let len = scene.list_of(of).items.len();
        scene.next(who, of, len + 1);
        let again = scene.dice.below(len);
        let item = scene.item(of, again);
        scene.on(who, of, &format!("Next(1)=0->[{item}]"));
        Some(vec![scene.moves(of, "1-09")])
    }));
    all.push(Fault::new("an element after all were skipped", |scene, who| {
        let of = scene.any(who, 1)?;
        scene.call(who, of, Act::Skip(99));
        let item = scene.item(of, 0);
        scene.on(who, of, &format!("Next(1)=0->[{item}]"));
        Some(vec![scene.moves(of, "2-05")])
    }));
    all.push(Fault::new("a refused Next moves", |scene, who| {
        let of = scene.read(who, 3, 3)?;
        scene.call(who, of, Act::Reset);
        scene.next(who, of, 1);
        scene.call(who, of, Act::Next(0));
        let item = scene.item(of, 2);
        scene.on(who, of, &format!("Next(1)=0->[{item}]"));
        Some(vec![scene.moves(of, "1-10")])
    }));
    all.push(Fault::new("Skip of more than there is", |scene, who| {
        let of = scene.any(who, 0)?;
        let len = scene.list_of(of).items.len();
        scene.next(who, of, len + 1);
        scene.call(who, of, Act::Reset);
        scene.on(who, of, &format!("Skip({})=0", len + 1));
        Some(vec![scene.moves(of, "2-01")])
    }));
    all.push(Fault::new("Skip of what there is", |scene, who| {
        let of = scene.any(who, 1)?;
        let len = scene.list_of(of).items.len();
        scene.next(who, of, len + 1);
        scene.call(who, of, Act::Reset);
        scene.on(who, of, &format!("Skip({len})=S_FALSE"));
        Some(vec![scene.moves(of, "2-01")])
    }));
    all.push(Fault::new("Skip does not move", |scene, who| {
        let of = scene.read(who, 2, 2)?;
        scene.call(who, of, Act::Reset);
        scene.call(who, of, Act::Skip(1));
        let item = scene.item(of, 0);
        scene.on(who, of, &format!("Next(1)=0->[{item}]"));
        Some(vec![scene.moves(of, "2-03")])
    }));
    all.push(Fault::new("Reset does not move", |scene, who| {
        let of = scene.read(who, 2, 1)?;
        scene.next(who, of, 1);
        scene.call(who, of, Act::Reset);
        let item = scene.item(of, 1);
        scene.on(who, of, &format!("Next(1)=0->[{item}]"));
        Some(vec![scene.moves(of, "3-02")])
    }));
}

/// What a clone is.
fn clones(all: &mut Vec<Fault>) {
    all.push(Fault::new("Clone of another interface", |scene, who| {
        let of = scene.any(who, 0)?;
        let copies = scene.list_of(of).query == Query::Copies;
        let other = if copies { "IVssEnumMgmtObject" } else { "IVssEnumObject" };
        let stray = scene.stray();
        scene.on(who, of, &format!("Clone()=0->{stray}{{iid={other}}}"));
        Some(vec![scene.moves(of, "4-01")])
    }));
    all.push(Fault::new("Clone gives itself", |scene, who| {
        let of = scene.any(who, 0)?;
        let (stray, name) = (scene.stray(), scene.name(of));
        scene.on(who, of, &format!("Clone()=0->{stray}{{same={name}}}"));
        Some(vec![scene.moves(of, "4-02")])
    }));
    all.push(Fault::new("a clone begins anew", |scene, who| {
        let of = scene.read(who, 1, 1)?;
        scene.call(who, of, Act::Clone);
        let (clone, item) = (scene.newest(), scene.item(of, 0));
        scene.on(who, clone, &format!("Next(1)=0->[{item}]"));
        Some(vec![scene.moves(of, "4-03")])
    }));
    all.push(Fault::new("a clone moves its original", |scene, who| {
        let of = scene.read(who, 3, 1)?;
        scene.call(who, of, Act::Clone);
        let clone = scene.newest();
        scene.next(who, clone, 1);
        let item = scene.item(of, 2);
        scene.on(who, of, &format!("Next(1)=0->[{item}]"));
        Some(vec![scene.moves(of, "4-04")])
    }));
    all.push(Fault::new("a clone is left behind", |scene, who| {
        let of = scene.any(who, 0)?;
        scene.call(who, of, Act::Clone);
        scene.keep(who);
        Some(vec![scene.moves(of, "4-05")])
    }));
}
