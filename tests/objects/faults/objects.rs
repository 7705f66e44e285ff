//! Objects and references.

use super::Fault;
use crate::talk::Scene;
use crate::world::{Act, Kind, Object, Query};

impl Scene {
    /// The object that was issued last stays, and its client leaves.
    pub(super) fn keep(&mut self, who: usize) {
        let newest = self.newest();
        self.server.objects[newest].kept = true;
        self.leaves = Some(who);
    }

    /// Any object that an agent holds.
    fn something(&mut self, who: usize) -> usize {
        self.have(who, Kind::Mgmt);
        self.some(who, |object| !object.kept).expect("there is one at least")
    }

    /// A call that may be made of an object, without its answer.
    fn anything(&mut self, object: usize) -> String {
        let act = match self.server.objects[object].kind {
            Kind::Mgmt => Act::Interface,
            Kind::Diff => Act::Add(0, 1, 1 << 30),
            Kind::Enum => Act::Next(1),
        };
        let (head, arguments) = self.asks(object, act);
        let method = head.split('.').nth(1).expect("it has a method");
        format!("{method}{arguments}")
    }
}

pub(super) fn add(all: &mut Vec<Fault>) {
    all.push(Fault::of("a released object is called", &["3.2.4.1-06"], |scene, who| {
        let of = scene.something(who);
        scene.release(who, &[of]);
        let call = scene.anything(of);
        let answer = scene.dice.pick(&["=fault 0x80010108", "=E_ACCESSDENIED"]);
        scene.on(who, of, &format!("{call}{answer}"));
        Some(())
    }));
    all.push(Fault::of("an object that came with an error", &["3.2.4.1-01"], |scene, who| {
        let (mgmt, stray) = (scene.have(who, Kind::Mgmt), scene.stray());
        scene.on(who, mgmt, &format!("GPMI(P,Diff)=E_ACCESSDENIED->{stray}"));
        scene.say(who, &format!(":{stray}.QDAF(VA)=fault 0x80010108"));
        Some(())
    }));
    for (call, of) in
        [("?m9.QVSS(P,0x1D)", "2.1-08"), ("?e9.Next(1)", "3.1.3-01"), ("?s9.Next(1)", "3.1.2-01")]
    {
        all.push(Fault::of(format!("nobody issued {call}"), &[of], move |scene, who| {
            scene.have(who, Kind::Mgmt);
            let call = call.replace('9', &format!("9{}", scene.lines.len()));
            let code = scene.dice.pick(&["0x80010108", "0x80010114"]);
            scene.say(who, &format!(":{call}=fault {code}"));
            Some(())
        }));
    }
    all.push(Fault::of("an activation is left behind", &["3.2.4.1-03"], |scene, who| {
        // Who never goes where the objects are cannot be seen to leave there.
        scene.list(who, Query::Volumes, 0);
        scene.activate(who);
        scene.keep(who);
        Some(())
    }));
    all.push(Fault::of("the interface is left behind", &["3.1.1.4.1-03"], |scene, who| {
        let mgmt = scene.have(who, Kind::Mgmt);
        scene.call(who, mgmt, Act::Interface);
        scene.keep(who);
        Some(())
    }));
    let dcom = |name, of: &'static str, make: fn(&mut Scene, usize) -> Option<()>| {
        Fault::new(name, move |scene, who| {
            make(scene, who)?;
            Some(vec![format!("DCOM-{of}")])
        })
    };
    all.push(dcom("more is released than held", "3.1.1.5.6.1-01", |scene, who| {
        let of = scene.something(who);
        let Object { name, public, private, .. } = scene.server.objects[of].clone();
        scene.say(who, &format!(":release({{{name},public={},private={private}}})", public + 1));
        scene.server.released(of, public, private);
        Some(())
    }));
    all.push(dcom("nothing is released", "2.2.24-01", |scene, who| {
        let of = scene.something(who);
        let name = scene.server.objects[of].name.clone();
        scene.say(who, &format!(":release({{{name},public=0,private=0}})"));
        Some(())
    }));
    all.push(dcom("nothing is added", "2.2.24-01", |scene, who| {
        let of = scene.something(who);
        let name = scene.server.objects[of].name.clone();
        scene.say(who, &format!(":addref({{{name},public=0,private=0}})=0"));
        Some(())
    }));
    all.push(dcom("IRemUnknown of another object", "3.1.1.5.6-01", |scene, who| {
        let of = scene.something(who);
        let name = scene.server.objects[of].name.clone();
        scene.say(who, &format!(":addref({name},1)=fault 0x80010114 object={name}"));
        Some(())
    }));
    all.push(dcom("an activation without result", "2.2.22.2.9-01", |scene, who| {
        scene.say(who, " activates {iids=[Mgmt]} ->null");
        Some(())
    }));
    all.push(dcom("a reference that is none", "2.2.18-01", |scene, who| {
        // These octets are an argument in little-endian NDR.
        if !scene.little {
            return None;
        }
        let of = scene.fresh(who, Query::Volumes, 0)?;
        let stub = "0000020004000000040000004d454f58";
        scene.on(who, of, &format!("Clone(stub={stub})=fault 0x000006f7"));
        Some(())
    }));
    all.push(Fault::of("a success without a logon", &["3.1.1.4-01"], |scene, who| {
        let mgmt = scene.have(who, Kind::Mgmt);
        scene.say(who, " auth none");
        scene.call(who, mgmt, Act::Interface);
        Some(())
    }));
    all.push(Fault::of("a list of several kinds", &["3.1.4.4.1-01"], |scene, who| {
        let name = format!("e9{}", scene.lines.len());
        scene.lines.push(format!("object {name} IVssEnumMgmtObject"));
        scene.say(who, &format!(":{name}.Next(2)=0->[{{Vol=VA}},{{DiffArea=(VA,VB)}}]"));
        Some(())
    }));
    all.push(dcom("a reserved field is not zero", "2.2.13.3-01", |scene, who| {
        let of = scene.something(who);
        let call = scene.anything(of);
        let this = scene.dice.pick(&["reserved1=1", "version=6.1", "version=5.9"]);
        scene.on(who, of, &format!("{call}=E_ACCESSDENIED this={{{this}}}"));
        Some(())
    }));
    all.push(dcom("an object is not pinged", "3.1.2.5.1.3-01", |scene, who| {
        // A new one, since those there are may be pinged, or need not be.
        let of = scene.activate(who);
        scene.lines.push(format!("wait {} s", 370 + scene.dice.below(500)));
        let call = scene.anything(of);
        scene.on(who, of, &format!("{call}=fault 0x80010108"));
        Some(())
    }));
    all.push(Fault::of("the class is not registered", &["3.1.1.3-01"], |scene, who| {
        let code = scene.dice.pick(&["0x80040154", "0x80080005"]);
        scene.say(who, &format!(" activates ={code}"));
        Some(())
    }));
    all.push(Fault::of("another interface's context", &["1.9-01"], |scene, who| {
        let of = scene.something(who);
        let other = match scene.interface(of) {
            "IVssEnumObject" => "IVssEnumMgmtObject",
            _ => "IVssEnumObject",
        };
        let call = scene.anything(of);
        scene.on(who, of, &format!("{call}=fault 0x6f7 on={other}"));
        Some(())
    }));
    all.push(Fault::of("no object in the header", &["2.1-01"], |scene, who| {
        let of = scene.something(who);
        let call = scene.anything(of);
        scene.on(who, of, &format!("{call}=fault 0x80010108 object=none"));
        Some(())
    }));
    all.push(Fault::of("a wrong version is bound", &["2.1-02"], |scene, who| {
        let of = scene.something(who);
        let interface = scene.interface(of);
        scene.say(who, &format!(" bind {interface} v1.0"));
        Some(())
    }));
    all.push(Fault::of("an interface is not there any more", &["1.7-03"], |scene, who| {
        // Nobody binds again what is bound.
        let query = scene.dice.one(&[Query::Volumes, Query::Copies]);
        let letter = if query == Query::Copies { 's' } else { 'e' };
        if scene.has_said(who, letter) {
            return None;
        }
        let list = scene.list(who, query, 0);
        let interface = scene.interface(list);
        let reason = "abstract_syntax_not_supported";
        scene.say(who, &format!(" bind {interface} refused provider_rejection {reason}"));
        Some(())
    }));
    all.push(Fault::of("opnums that nobody has", &["1.8-01", "3.1.4.4-01"], |scene, who| {
        let of = scene.something(who);
        let opnum = match scene.server.objects[of].kind {
            Kind::Mgmt => 6,
            Kind::Diff => 8,
            Kind::Enum => 7,
        } + scene.dice.below(3);
        scene.on(who, of, &format!("{opnum}()=fault nca_s_op_rng_error"));
        Some(())
    }));
    all.push(Fault::of("opnums of IUnknown", &["3.1.1.4-03"], |scene, who| {
        let of = scene.something(who);
        let opnum = scene.dice.below(3);
        scene.on(who, of, &format!("{opnum}()=fault nca_s_op_rng_error"));
        Some(())
    }));
    for (answer, of) in [("=fault 0x80010105", "3.1.1.4-08"), ("=fault nca_s_op_rng_error", "7-05")]
    {
        all.push(Fault::of(format!("any call {answer}"), &[of], move |scene, who| {
            let of = scene.something(who);
            let call = scene.anything(of);
            scene.on(who, of, &format!("{call}{answer}"));
            Some(())
        }));
    }
}
