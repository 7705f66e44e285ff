//! What an element says, and what a query gives.

use super::Fault;
use crate::world::{Act, Item, Query, volume};

pub(super) fn add(all: &mut Vec<Fault>) {
    types(all);
    elements(all);
    queries(all);
    repeated(all);
    let mut remembered = |name: &'static str, change: &'static str, of: &'static str| {
        all.push(Fault::of(name, &[of], move |scene, who| {
            let list = scene.fresh(who, Query::Copies, 1)?;
            scene.next(who, list, 1);
            let item = scene.item(list, 0);
            scene.call(who, list, Act::Reset);
            let item = altered(&item, change);
            scene.on(who, list, &format!("Next(1)=0->[{item}]"));
            Some(())
        }));
    };
    remembered("a shadow copy changes its set", "set=X99", "2.2.3.3-01");
    remembered("a shadow copy changes its time", "ts=133000000000000000", "2.2.3.3-13");
    remembered("a set changes its count", "count=9", "2.2.3.3-04");
}

/// The name of a member, if it is said.
fn key(part: &str) -> Option<String> {
    part.split_once('=').map(|(key, _)| key.to_owned())
}

/// An element with other members in place of those it has.
fn altered(item: &str, change: &str) -> String {
    let mut names = ["name", "diff"].into_iter();
    let new: Vec<_> = change.split(", ").collect();
    let mut parts = Vec::new();
    for part in item.trim_matches(['{', '}']).split(", ") {
        let of = key(part).or_else(|| names.next().map(str::to_owned));
        if !new.iter().any(|new| key(new) == of) {
            parts.push(part);
        }
    }
    parts.extend(new);
    format!("{{{}}}", parts.join(", "))
}

fn types(all: &mut Vec<Fault>) {
    all.push(Fault::new("elements of another query", |scene, who| {
        let list = scene.any(who, 0)?;
        let query = scene.list_of(list).query;
        let wrong = match query {
            Query::Volumes => "{DiffVol=VA}",
            Query::DiffVolumes => "{DiffArea=(VA,VB)}",
            Query::AreasFor | Query::AreasOn => "{Vol=VA}",
            Query::Copies => "{Type=0}",
        };
        scene.on(who, list, &format!("Next(1)=0->[{wrong}]"));
        Some(vec![format!("SCMP-{}-11", query.section())])
    }));
    let management = [Query::Volumes, Query::DiffVolumes, Query::AreasFor, Query::AreasOn];
    let copies = [Query::Copies; 4];
    for (queries, element, of) in [
        (management, "{Type=1, disc=3, DiffArea=(VA,VB)}", "2.2.3.6-01"),
        (management, "{Type=0}", "2.2.2.2-01"),
        (management, "{Type=4}", "2.2.2.2-01"),
        (copies, "{Type=3, disc=0}", "2.2.3.2-01"),
        (copies, "{Type=1}", "2.2.2.1-01"),
        (copies, "{Type=2}", "2.2.3.1-01"),
        (copies, "{Type=4}", "2.2.2.1-03"),
        (copies, "{Type=5}", "2.2.2.1-05"),
    ] {
        let name = format!("{:?} gives {element}", queries[0]);
        all.push(Fault::of(name, &[of], move |scene, who| {
            let query = scene.dice.one(&queries);
            let list = scene.fresh(who, query, 0)?;
            scene.on(who, list, &format!("Next(1)=0->[{element}]"));
            Some(())
        }));
    }
}

/// What is wrong with an element that a list has.
fn elements(all: &mut Vec<Fault>) {
    use Query::{AreasFor, Copies, DiffVolumes, Volumes};
    for (query, change, of) in [
        (Copies, "status=0", "2.2.2.4-01"),
        (Copies, "set=nil", "2.2.1.1-01"),
        (Copies, "ts=0", "2.2.1.3-01"),
        (Copies, "count=0", "2.2.3.3-03"),
        (Copies, "vol=VZ", "2.2.3.3-06"),
        (Copies, "orig=null", "2.2.3.3-07"),
        (Copies, "svc=''", "2.2.3.3-08"),
        (Copies, "orig='a.example.net', svc='b.example.net'", "2.2.3.3-09"),
        (Copies, r"exposed='X:\'", "2.2.3.3-10"),
        (Copies, r"path='\data'", "2.2.3.3-11"),
        (Copies, "provider=00000000-0000-0000-0000-000000000001", "2.2.3.3-12"),
        (Volumes, "name=null", "2.2.3.7-01"),
        (Volumes, "display=''", "2.2.3.7-02"),
        (DiffVolumes, "display=null", "2.2.3.8-01"),
        (DiffVolumes, "free=20GB, total=10GB", "2.2.3.8-02"),
        (DiffVolumes, "free=-1", "2.2.3.8-02"),
        (AreasFor, "diff=null", "2.2.3.9-01"),
        (AreasFor, "max=100, alloc=200, used=50", "2.2.3.9-02"),
        (AreasFor, "alloc=100, used=101", "2.2.3.9-03"),
        (AreasFor, "used=-1", "2.2.3.9-04"),
        (AreasFor, "max=0, alloc=0, used=0", "2.2.3.9-04"),
    ] {
        let name = format!("{query:?} gives {change}");
        all.push(Fault::of(name, &[of], move |scene, who| {
            let list = scene.fresh(who, query, 1)?;
            let item = scene.item(list, 0);
            let item = altered(&item, change);
            scene.on(who, list, &format!("Next(1)=0->[{item}]"));
            Some(())
        }));
    }
}

/// What the answer to a query gives.
fn queries(all: &mut Vec<Fault>) {
    for query in Query::ALL {
        let other = if query == Query::Copies { "IVssEnumMgmtObject" } else { "IVssEnumObject" };
        let section = query.section();
        for (answer, of) in [
            (format!("=0->x{{iid={other}}}"), format!("{section}-10")),
            ("=0->null".to_owned(), format!("{section}-10")),
            ("=S_FALSE->null".to_owned(), format!("{section}-13")),
            ("=0->x{oid=0}".to_owned(), "3.2.4.1-02".to_owned()),
            ("=0->x{objref=custom}".to_owned(), "2.1-06".to_owned()),
            ("=0xC0000022->null".to_owned(), "3.2.4.1-05".to_owned()),
            ("=E_ACCESSDENIED->x".to_owned(), "3.1.1.4.1-10".to_owned()),
            ("=fault 0x80010105".to_owned(), "3.1.1.4-08".to_owned()),
            ("=fault nca_s_op_rng_error".to_owned(), "7-05".to_owned()),
        ] {
            let name = format!("{query:?} {answer}");
            all.push(Fault::of(name, &[&of], move |scene, who| {
                let (object, asks) = scene.query(who, query);
                let answer = answer.replace("->x", &format!("->{}", scene.stray()));
                scene.on(who, object, &format!("{asks}{answer}"));
                Some(())
            }));
        }
        let of = format!("{section}-12");
        all.push(Fault::of(format!("{query:?} is left behind"), &[&of], move |scene, who| {
            let about = scene.dice.below(scene.server.volumes);
            scene.list(who, query, about);
            scene.keep(who);
            Some(())
        }));
        let of = format!("{section}-16");
        all.push(Fault::of(
            format!("{query:?} gives one that is held"),
            &[&of],
            move |scene, who| {
                let held = scene.fresh(who, query, 0)?;
                let (name, (object, asks)) = (scene.name(held), scene.query(who, query));
                let stray = scene.stray();
                scene.on(who, object, &format!("{asks}=0->{stray}{{ipid={name}}}"));
                Some(())
            },
        ));
        if query == Query::Volumes {
            continue;
        }
        let of = format!("{section}-13");
        all.push(Fault::of(format!("{query:?} does not find"), &[&of], move |scene, who| {
            let volumes = scene.whole(who, Query::Volumes, 0);
            let Item::Volume(about) = *scene.list_of(volumes).items.first()? else { return None };
            let object = scene.have(who, query.asked_of());
            let (_, arguments) = scene.asks(object, Act::Query(query, about));
            let call = format!("{}{arguments}=VSS_E_OBJECT_NOT_FOUND->null", query.method());
            scene.on(who, object, &call);
            Some(())
        }));
    }
}

/// The same element twice in one answer, and elements of another volume.
fn repeated(all: &mut Vec<Fault>) {
    for (query, of) in [
        (Query::Volumes, "3.1.1.4.2-17"),
        (Query::Copies, "2.2.3.3-02"),
        (Query::DiffVolumes, "3.1.4.4.4-17"),
        (Query::AreasFor, "3.1.4.4.5-18"),
        (Query::AreasOn, "3.1.4.4.6-18"),
    ] {
        all.push(Fault::of(format!("{query:?} gives one twice"), &[of], move |scene, who| {
            let list = scene.fresh(who, query, 1)?;
            let item = scene.item(list, 0);
            scene.on(who, list, &format!("Next(2)=0->[{item},{item}]"));
            Some(())
        }));
    }
    for (query, of) in [(Query::AreasFor, "3.1.4.4.5-17"), (Query::AreasOn, "3.1.4.4.6-17")] {
        all.push(Fault::of(format!("{query:?} of another volume"), &[of], move |scene, who| {
            // The volume has to have been named by its mount name.
            let about = scene.dice.below(scene.server.volumes);
            let list = scene.list(who, query, about);
            let other = volume((about + 1) % scene.server.volumes);
            scene.on(who, list, &format!("Next(1)=0->[({other},{other})]"));
            Some(())
        }));
    }
}
