//! What becomes of storage.

use super::Fault;
use crate::talk::Scene;
use crate::world::{Area, Item, Kind, Query, volume};

const GB: i64 = 1 << 30;

type Pair = (usize, usize);

impl Scene {
    /// A pair that has an association.
    fn there(&mut self) -> Option<Pair> {
        let pairs: Vec<_> = self.server.areas.keys().copied().collect();
        (!pairs.is_empty()).then(|| self.dice.one(&pairs))
    }

    /// One that has none.
    fn not_there(&mut self) -> Option<Pair> {
        let volumes = self.server.volumes;
        let all = (0..volumes).flat_map(|of| (0..volumes).map(move |on| (of, on)));
        let pairs: Vec<_> = all.filter(|pair| !self.server.areas.contains_key(pair)).collect();
        (!pairs.is_empty()).then(|| self.dice.one(&pairs))
    }

    /// A call about a pair, as it is written.
    fn size(&mut self, who: usize, method: &str, (of, on): Pair, said: &str) {
        let object = self.have(who, Kind::Diff);
        self.on(who, object, &format!("{method}({},{},{said}", volume(of), volume(on)));
    }

    /// What a query lists without a pair.
    fn without(&self, query: Query, about: usize, (of, on): Pair) -> Vec<Item> {
        let is = |item: &Item| match item {
            Item::Area { volume, storage, .. } => (*volume, *storage) == (of, on),
            _ => false,
        };
        let mut items = self.server.items(query, about);
        items.retain(|item| !is(item));
        items
    }

    /// The same with the pair, of this maximum.
    fn with(&self, query: Query, about: usize, pair: Pair, max: i64) -> Vec<Item> {
        let mut items = self.without(query, about, pair);
        let area = Area { max, alloc: 0, used: 0 };
        items.push(Item::Area { volume: pair.0, storage: pair.1, area });
        items
    }
}

pub(super) fn add(all: &mut Vec<Fault>) {
    adds(all);
    changes(all);
}

fn adds(all: &mut Vec<Fault>) {
    all.push(Fault::of("added again", &["3.1.4.4.2-05"], |scene, who| {
        let pair = scene.there()?;
        scene.whole(who, Query::AreasFor, pair.0);
        scene.size(who, "ADD", pair, "30GB)=0");
        Some(())
    }));
    all.push(Fault::of("there already, and is not", &["3.1.4.4.2-06"], |scene, who| {
        let pair = scene.not_there()?;
        scene.whole(who, Query::AreasFor, pair.0);
        scene.size(who, "ADD", pair, "10GB)=VSS_E_OBJECT_ALREADY_EXISTS");
        Some(())
    }));
    all.push(Fault::of("added where it is not fit", &["3.1.4.4.2-07"], |scene, who| {
        let on = (0..scene.server.volumes).find(|on| !scene.server.holds[*on])?;
        let of = scene.dice.below(scene.server.volumes);
        scene.whole(who, Query::DiffVolumes, of);
        scene.size(who, "ADD", (of, on), "10GB)=0");
        Some(())
    }));
    all.push(Fault::of("not supported, and listed", &["3.1.4.4.2-07"], |scene, who| {
        let (shadowed, holds) = (scene.server.shadowed.clone(), scene.server.holds.clone());
        let pair = scene.not_there().filter(|(of, on)| shadowed[*of] && holds[*on])?;
        scene.whole(who, Query::Volumes, 0);
        scene.whole(who, Query::DiffVolumes, pair.0);
        scene.size(who, "ADD", pair, "10GB)=VSS_E_VOLUME_NOT_SUPPORTED");
        Some(())
    }));
    all.push(Fault::of("too many, and there is none", &["3.1.4.4.2-08"], |scene, who| {
        let empty = |of: &usize| scene.server.items(Query::AreasFor, *of).is_empty();
        let of = (0..scene.server.volumes).find(empty)?;
        scene.whole(who, Query::AreasFor, of);
        let code = "10GB)=VSS_E_MAXIMUM_DIFFAREA_ASSOCIATIONS_REACHED";
        scene.size(who, "ADD", (of, 0), code);
        Some(())
    }));
    for (query, of) in [(Query::AreasFor, "3.1.4.4.2-11"), (Query::AreasOn, "3.1.4.4.2-12")] {
        all.push(Fault::of(format!("added, and lost by {query:?}"), &[of], move |scene, who| {
            let pair = scene.not_there()?;
            scene.size(who, "ADD", pair, "10GB)=0");
            let about = if query == Query::AreasFor { pair.0 } else { pair.1 };
            let items = scene.without(query, about, pair);
            scene.made_up(who, query, about, &items);
            Some(())
        }));
    }
    all.push(Fault::of("added with another maximum", &["3.1.4.4.2-11"], |scene, who| {
        let pair = scene.not_there()?;
        scene.size(who, "ADD", pair, "10GB)=0");
        let items = scene.with(Query::AreasFor, pair.0, pair, 20 * GB);
        scene.made_up(who, Query::AreasFor, pair.0, &items);
        Some(())
    }));
    all.push(Fault::of("refused, and added", &["3.1.4.4.2-13"], |scene, who| {
        let pair = scene.not_there()?;
        scene.whole(who, Query::AreasFor, pair.0);
        scene.size(who, "ADD", pair, "10GB)=VSS_E_PROVIDER_VETO");
        let items = scene.with(Query::AreasFor, pair.0, pair, 10 * GB);
        scene.made_up(who, Query::AreasFor, pair.0, &items);
        Some(())
    }));
    all.push(Fault::of("one list has it, the other not", &["3.1.4.4.6-18"], |scene, who| {
        let pair = scene.there()?;
        scene.whole(who, Query::AreasFor, pair.0);
        let items = scene.without(Query::AreasOn, pair.1, pair);
        scene.made_up(who, Query::AreasOn, pair.1, &items);
        Some(())
    }));
}

fn changes(all: &mut Vec<Fault>) {
    all.push(Fault::of("changed, and not there", &["3.1.4.4.3-04"], |scene, who| {
        let pair = scene.not_there()?;
        scene.whole(who, Query::AreasFor, pair.0);
        scene.size(who, "CHG", pair, "10GB)=0");
        Some(())
    }));
    all.push(Fault::of("changed, and as before", &["3.1.4.4.3-07"], |scene, who| {
        let pair = scene.there()?;
        scene.size(who, "CHG", pair, "30GB)=0");
        let items = scene.with(Query::AreasFor, pair.0, pair, 10 * GB);
        scene.made_up(who, Query::AreasFor, pair.0, &items);
        Some(())
    }));
    all.push(Fault::of("deleted, and still there", &["3.1.4.4.3-08"], |scene, who| {
        let pair = scene.there()?;
        scene.size(who, "CHG", pair, "0)=0");
        let items = scene.with(Query::AreasFor, pair.0, pair, 10 * GB);
        scene.made_up(who, Query::AreasFor, pair.0, &items);
        Some(())
    }));
    all.push(Fault::of("deleted under its copies", &["3.1.4.4.3-09"], |scene, who| {
        let only = |scene: &Scene, pair: &Pair| {
            let one = scene.server.items(Query::AreasFor, pair.0).len() == 1;
            one && scene.server.areas[pair].used > 0
                && !scene.server.items(Query::Copies, pair.0).is_empty()
        };
        let pairs: Vec<_> = scene.server.areas.keys().copied().collect();
        let pair = pairs.into_iter().find(|pair| only(scene, pair))?;
        scene.whole(who, Query::AreasFor, pair.0);
        scene.whole(who, Query::Copies, pair.0);
        scene.size(who, "CHG", pair, "0)=0");
        scene.whole(who, Query::Copies, pair.0);
        Some(())
    }));
    all.push(Fault::of("in use, and deleted", &["3.1.4.4.3-10"], |scene, who| {
        let pair = scene.there()?;
        scene.size(who, "CHG", pair, "0)=VSS_E_VOLUME_IN_USE");
        let items = scene.without(Query::AreasFor, pair.0, pair);
        scene.made_up(who, Query::AreasFor, pair.0, &items);
        Some(())
    }));
    all.push(Fault::of("refused, and changed", &["3.1.4.4.3-11"], |scene, who| {
        let pair = scene.there()?;
        scene.whole(who, Query::AreasFor, pair.0);
        scene.size(who, "CHG", pair, "77GB)=VSS_E_INSUFFICIENT_STORAGE");
        let items = scene.with(Query::AreasFor, pair.0, pair, 77 * GB);
        scene.made_up(who, Query::AreasFor, pair.0, &items);
        Some(())
    }));
    all.push(Fault::of("deleted twice", &["3.1.4.4.3-12"], |scene, who| {
        let pair = scene.there()?;
        scene.size(who, "CHG", pair, "0)=0");
        scene.size(who, "CHG", pair, "0)=0");
        Some(())
    }));
}
