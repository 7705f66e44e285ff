//! Conversations in, what the table makes of them out; and calls that nobody would make, ten times as
//! many as there is room for.

use std::net::IpAddr;
use std::sync::LazyLock;

use super::*;
use crate::bytes::Guid;
use crate::ndr::{Data, Number, Value};
use crate::pipeline::tests::captures;
use crate::protocol::{Registry, dcom, scmp};
use crate::scenario::Scenario;

mod bounds;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::embedded().unwrap());

const A: &str = "10.0.0.1";
const B: &str = "10.0.0.2";

/// The calls of a scenario, in the order in which they end.
fn calls(text: &str) -> Vec<Call> {
    let text = format!("dcom\n{text}");
    let scenario = Scenario::parse("scenario", &text, &REGISTRY).unwrap_or_else(|e| panic!("{e}"));
    let mut file = Vec::new();
    scenario.write(&mut file).unwrap();
    captures::calls(captures::made(file), &REGISTRY)
}

/// A table that has seen calls, and what it said of each.
#[derive(Debug, Default)]
struct Seen {
    table: Table,
    stood: Vec<Use>,
    moved: Vec<Vec<Moved>>,
}

fn see(text: &str) -> Seen {
    let mut seen = Seen::default();
    for call in &calls(text) {
        seen.take(call);
    }
    seen
}

impl Seen {
    fn take(&mut self, call: &Call) {
        self.stood.push(self.table.stands(call));
        self.moved.push(self.table.answered(call));
    }

    /// The references that were handed out.
    fn issued(&self) -> Vec<&Reference> {
        let all = self.moved.iter().flatten();
        let issued = all.filter_map(|moved| match moved {
            Moved::Issued { reference, .. } => Some(&**reference),
            _ => None,
        });
        issued.collect()
    }

    /// The object that was handed out as the n-th.
    fn object(&self, n: usize) -> &Object {
        self.table.object(self.issued()[n].ipid).unwrap()
    }

    /// Public and private references that a client holds of the n-th.
    fn held(&self, n: usize, client: &str) -> Option<(i64, i64)> {
        self.object(n).holder(ip(client)).map(|holder| (holder.public, holder.private))
    }

    /// What the last call moved.
    fn last(&self) -> &[Moved] {
        self.moved.last().unwrap()
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn an_activation_hands_out_an_object() {
    let seen = see("A activates ->m1");
    let [reference] = seen.issued()[..] else { panic!("{:?}", seen.moved) };
    assert_eq!((reference.iid, reference.public_refs), (scmp::SNAPSHOT_MGMT, 5));
    assert!(!reference.is_unpinged());
    let object = seen.object(0);
    let class = Some(scmp::CLASS);
    assert!(matches!(object.origin, Origin::Activation { class: of, .. } if of == class));
    assert!(object.origin.is_seen() && object.is_held());
    assert_eq!((object.phase, object.calls, object.last), (Phase::Live, 0, None));
    assert_eq!((object.oid, object.oxid), (Some(reference.oid), Some(reference.oxid)));
    let holder = object.holder(ip(A)).unwrap();
    assert_eq!((holder.public, holder.private, holder.sure), (5, 0, true));
    assert_eq!((holder.got, holder.released), (object.origin.call(), None));
    assert!(!seen.table.is_blind());
}

#[test]
fn every_kind_of_activation_hands_out_what_succeeded() {
    let seen = see("A activates {iids=[Mgmt,IUnknown]} ->m1,u1");
    let iids: Vec<Guid> = seen.issued().iter().map(|of| of.iid).collect();
    assert_eq!(iids, [scmp::SNAPSHOT_MGMT, dcom::IUNKNOWN]);
    assert_ne!(seen.object(0).ipid, seen.object(1).ipid);
    for via in ["IActivation", "RemoteCreateInstance"] {
        let seen = see(&format!("A activates {{via={via}}} ->m1"));
        assert_eq!(seen.held(0, A), Some((5, 0)), "{via}");
    }
    // A class object hands out what its class makes.
    let seen = see("A activates {via=RemoteGetClassObject} ->f1; A:f1.CreateInstance(Mgmt)=0->m1");
    assert_eq!(seen.issued().len(), 2);
    let (factory, made) = (seen.object(0), seen.object(1));
    let Origin::Method { interface, opnum, of, .. } = made.origin else { panic!("{made:?}") };
    assert_eq!((interface, opnum, of), (dcom::ICLASSFACTORY, 3, Some(factory.ipid)));
}

#[test]
fn what_failed_hands_out_nothing() {
    for failed in ["=E_ACCESSDENIED", "=fault 5", "unanswered", "{iids=[Diff]} ->null"] {
        let seen = see(&format!("A activates {failed}"));
        assert!(seen.issued().is_empty() && seen.table.objects().is_empty(), "{failed}");
        // What could hand out objects has not been seen to do so.
        let succeeded = failed.ends_with("null");
        assert_eq!(seen.table.is_blind(), !succeeded, "{failed}");
    }
    let seen = see("A activates {iids=[Mgmt,Diff]} ->m1,null");
    assert_eq!(seen.issued().len(), 1);
    let seen = see("A activates ->m1; A:m1.QVSS()=E_ACCESSDENIED; A:m1.QVSS()=fault 5");
    assert_eq!((seen.issued().len(), seen.object(0).calls), (1, 2));
    assert!(!seen.table.is_blind(), "what was refused moved nothing");
}

#[test]
fn methods_hand_out_objects_and_say_of_which() {
    let seen = see("A activates ->m1; A:m1.QVSS()=0->e1{refs=1,flags=0x1000}; A:e1.Clone()=0->e2");
    let (manager, first, second) = (seen.object(0), seen.object(1), seen.object(2));
    assert_eq!((seen.held(1, A), first.unpinged), (Some((1, 0)), true));
    let Origin::Method { interface, opnum, of, .. } = first.origin else { panic!("{first:?}") };
    assert_eq!((interface, opnum, of), (scmp::SNAPSHOT_MGMT, 4, Some(manager.ipid)));
    let Origin::Method { opnum, of, .. } = second.origin else { panic!("{second:?}") };
    assert_eq!((opnum, of), (6, Some(first.ipid)));
    assert_eq!((manager.calls, first.calls, second.calls), (1, 1, 0));
    assert_eq!(first.last.unwrap().0, second.origin.call());
    let order: Vec<Guid> = seen.table.objects().iter().map(|object| object.ipid).collect();
    assert_eq!(order, [manager.ipid, first.ipid, second.ipid], "as they came");
}

#[test]
fn references_add_up() {
    let seen = see("A activates ->m1; A:m1.QVSS()=0->e1; A:m1.QVSS()=0->e2{same=e1,refs=2}
A:addref({e1,public=3,private=1}); A:release(e1 x4)");
    assert_eq!(seen.held(1, A), Some((5 + 2 + 3 - 4, 1)));
    assert!(matches!(seen.moved[2][..], [Moved::Issued { again: true, .. }]));
    let [Moved::Added(count)] = &seen.moved[3][..] else { panic!("{:?}", seen.moved) };
    assert_eq!((count.public, count.private, count.status), (3, 1, Some(0)));
    let [Moved::Released { count, before, last }] = seen.last() else { panic!("{seen:?}") };
    assert_eq!((count.public, count.private), (4, 0));
    assert_eq!((*before, *last), (Some((10, 1)), false));
    assert_eq!(seen.object(1).phase, Phase::Live);
}

#[test]
fn what_the_server_refused_is_not_counted() {
    let seen = see("A activates ->m1; A:addref(m1,3)=E_INVALIDARG; A:addref(m1,3)=fault 5
A:release(m1)=E_INVALIDARG; A:release(m1)=fault 5");
    assert_eq!(seen.held(0, A), Some((5, 0)));
    assert!(seen.object(0).is_held());
}

#[test]
fn the_last_release_ends_it_and_calls_after_it_are_told() {
    let seen = see("A activates ->m1; A:m1.QVSS()=0->e1; A:release(e1 x4); A:e1.Reset()=0
A:release(e1 x1); A:e1.Next(1)=fault 0x80010108");
    assert_eq!(seen.stood[3], Use::Held, "one is left");
    let Use::Released { call } = seen.stood[5] else { panic!("{:?}", seen.stood) };
    let object = seen.object(1);
    assert_eq!((object.is_held(), seen.held(1, A)), (false, Some((0, 0))));
    assert!(matches!(object.phase, Phase::Released { call: by, .. } if by == call));
    assert_eq!(object.holder(ip(A)).unwrap().released.unwrap().0, call);
    assert!(matches!(seen.moved[4][..], [Moved::Released { last: true, .. }]));
    assert!(seen.object(0).is_held(), "the other is another");
}

#[test]
fn a_call_that_was_on_its_way_before_the_release_is_no_use_after_it() {
    let calls = calls("A activates ->m1; A:release(m1); A:m1.QVSS()=fault 0x80010108");
    let mut seen = Seen::default();
    seen.take(&calls[0]);
    seen.take(&calls[1]);
    let mut call = calls[2].clone();
    assert!(matches!(seen.table.stands(&call), Use::Released { .. }));
    call.time = calls[1].time;
    assert_eq!(seen.table.stands(&call), Use::Unsure);
}

#[test]
fn more_than_there_is_cannot_be_released() {
    let seen = see("A activates ->m1; A:release(m1 x9); A:release({m1,public=0,private=1})");
    let before = |n: usize| match seen.moved[n][..] {
        [Moved::Released { before, .. }] => before,
        _ => panic!("{:?}", seen.moved[n]),
    };
    assert_eq!((before(1), before(2)), (Some((5, 0)), Some((0, 0))));
    assert_eq!(seen.held(0, A), Some((0, 0)));
    assert!(!seen.object(0).is_held());
}

#[test]
fn who_adds_a_reference_again_holds_the_object_again() {
    let seen = see("A activates ->m1; A:release(m1); A:addref(m1,1); A:m1.QVSS()=0->e1");
    assert_eq!(seen.held(0, A), Some((1, 0)));
    assert_eq!((seen.object(0).phase, &seen.stood[3]), (Phase::Live, &Use::Held));
    let holder = seen.object(0).holder(ip(A)).unwrap();
    assert_eq!(holder.released, None);
}

#[test]
fn an_object_may_be_handed_out_again_after_its_release() {
    let seen = see("A activates ->m1; A:m1.QVSS()=0->e1; A:release(e1)
A:m1.QVSS()=0->e2{same=e1,refs=2}; A:e2.Reset()=0");
    assert!(matches!(seen.moved[3][..], [Moved::Issued { again: false, .. }]));
    assert_eq!((seen.held(1, A), seen.object(1).phase), (Some((2, 0)), Phase::Live));
    assert_eq!(seen.object(1).origin.call(), seen.object(1).holder(ip(A)).unwrap().got);
    assert_eq!(seen.stood[4], Use::Held);
}

#[test]
fn each_client_has_a_ledger_of_its_own() {
    let seen = see("A activates ->m1; A:m1.QVSS()=0->e1; B activates ->m2
B:m2.QVSS()=0->e2{ipid=e1,refs=2}; A:release(e1 x5); A:e1.Reset()=0; B:release(e2 x2)
B:e2.Reset()=fault 0x80010108; A:e1.Reset()=fault 0x80010108");
    assert!(matches!(seen.moved[3][..], [Moved::Issued { again: true, .. }]));
    let [Moved::Released { before, last, .. }] = seen.moved[4][..] else { panic!("{seen:?}") };
    assert_eq!((before, last), (Some((5, 0)), false), "the other client holds it");
    let [Moved::Released { before, last, .. }] = seen.moved[6][..] else { panic!("{seen:?}") };
    assert_eq!((before, last), (Some((2, 0)), true));
    assert_eq!(seen.stood[5], Use::Held, "somebody holds it");
    let by = |n: usize| match seen.stood[n] {
        Use::Released { call } => call,
        _ => panic!("{:?}", seen.stood[n]),
    };
    let released = |client| seen.object(1).holder(ip(client)).unwrap().released.unwrap().0;
    assert_eq!((by(7), by(8)), (released(B), released(A)));
    assert_ne!(released(A), released(B));
}

#[test]
fn a_query_gives_another_interface_pointer_of_the_same_object() {
    let seen = see("A activates ->m1; A:qi(m1,[Mgmt,Diff])=S_FALSE->m2,null; A:qi(m1,Diff)=0->d1
A:qi(m1,Diff)=E_NOINTERFACE; A:release(m1); A:d1.QDAF(VA)=0->e1");
    let [first, again, other, _] = seen.issued()[..] else { panic!("{:?}", seen.moved) };
    assert_eq!([again.oid, other.oid], [first.oid; 2]);
    assert_eq!([again.oxid, other.oxid], [first.oxid; 2]);
    assert_ne!(other.ipid, first.ipid);
    assert_eq!((other.kind, other.iid), (None, scmp::DIFF_MGMT));
    let of = seen.object(0).ipid;
    assert!(matches!(seen.object(2).origin, Origin::Query { of: asked, .. } if asked == of));
    // Each is counted by itself.
    assert_eq!(seen.stood[5], Use::Held);
    assert!(!seen.object(0).is_held() && seen.object(2).is_held());
}

#[test]
fn an_object_that_nobody_handed_out_is_adopted_and_told_once_all_is_seen() {
    let seen = see("object e9 IVssEnumMgmtObject; A:e9.Reset()=0; A activates ->m1
A:e9.Reset()=0; A:?e8.Reset()=fault 0x80010108; A:release(e9)");
    assert_eq!(seen.stood[0], Use::Unsure, "nothing was seen to hand out anything");
    assert_eq!(seen.stood[2], Use::Unsure, "it is known to have been there before");
    assert_eq!(seen.stood[3], Use::Unknown);
    let objects = seen.table.objects();
    let adopted = objects.iter().find(|object| !object.origin.is_seen()).unwrap();
    assert_eq!((adopted.iid, adopted.calls), (Some(scmp::ENUM_MGMT_OBJECT), 2));
    assert_eq!((adopted.oid, adopted.is_held()), (None, false));
    let [Moved::Released { before, last, .. }] = *seen.last() else { panic!("{seen:?}") };
    assert_eq!((before, last), (None, false), "who knows what it had");
}

#[test]
fn calls_without_an_object_and_those_of_the_exporter_are_of_no_object() {
    let seen = see("A activates ->m1; A:addref(m1,1); A:m1.QVSS()=0->e1 object=none");
    assert_eq!(seen.stood, [Use::Unsure, Use::Held, Use::Unsure]);
    assert_eq!((seen.table.objects().len(), seen.object(0).calls), (2, 0));
}

#[test]
fn an_object_that_came_with_an_error_is_none() {
    let mut calls = calls("A activates ->m1; A:m1.QVSS()=0->e1; A:e1.Reset()=0");
    let second = calls[1].clone();
    calls[1].status = Some(0x8000_4005);
    let mut seen = Seen::default();
    for call in &calls {
        seen.take(call);
    }
    assert_eq!(seen.issued().len(), 1);
    assert_eq!(seen.stood[2], Use::Invalid { call: calls[1].rpc.n });
    // One that is handed out later is good.
    seen.take(&second);
    seen.take(&calls[2]);
    assert_eq!(seen.stood[4], Use::Held);
}

#[test]
fn references_need_no_ping_or_cannot_be_read() {
    for kind in ["handler", "extended"] {
        let seen = see(&format!("A activates ->m1; A:m1.QVSS()=0->e1{{objref={kind}}}"));
        assert_eq!(seen.held(1, A), Some((5, 0)), "{kind}");
    }
    let seen = see("A activates ->m1; A:m1.QVSS()=0->e1{objref=custom}; A:m1.QVSS()=0->null");
    assert_eq!(seen.issued().len(), 1, "a custom reference is of no object of the server");
}

#[test]
fn pings_keep_a_set_of_objects_alive() {
    let seen = see("A activates ->m1; A:m1.QVSS()=0->e1; A:m1.QVSS()=0->e2
A:ping(add=[m1,e1])=0->g1; wait 120s; A:ping(g1,add=[e2],del=[e1]); wait 60s; A:simpleping(g1)=0");
    let oid = |n: usize| seen.object(n).oid.unwrap();
    let sets: Vec<&PingSet> = seen.table.ping_sets(ip(A)).collect();
    let [set] = sets[..] else { panic!("{sets:?}") };
    assert!(set.oids.iter().eq(&std::collections::BTreeSet::from([oid(0), oid(2)])));
    assert!(set.sure && set.client == ip(A));
    assert_eq!(seen.table.ping_sets(ip(B)).count(), 0);
    assert_eq!(seen.table.pinged(oid(0)), Some(set.last));
    assert_eq!(seen.table.pinged(oid(1)), None, "it was removed");
    let since = set.last.since(seen.object(2).since);
    assert!((180_000_000_000..190_000_000_000).contains(&since), "{since}: the last ping counts");
}

#[test]
fn a_set_that_was_there_before_is_not_known_whole() {
    let calls = calls("A activates ->m1; A:ping(add=[m1])=0->g1; A:ping(g1)=0; A:simpleping(g1)=0");
    let mut table = Table::default();
    table.answered(&calls[3]);
    assert_eq!(table.ping_sets(ip(A)).count(), 0, "who pings it says nothing of what it has");
    table.answered(&calls[2]);
    let set = table.ping_sets(ip(A)).next().unwrap();
    assert!(!set.sure && set.oids.is_empty());
}

#[test]
fn what_was_lost_makes_all_unsure() {
    let text = "A activates ->m1; A:m1.QVSS()=0->e1; A:ping(add=[m1])=0->g1; A:release(e1)
A:e1.Reset()=fault 0x80010108; A:?e9.Reset()=fault 0x80010108; A:m1.QVSS()=0->e2; A:release(e2)";
    let calls = calls(text);
    let sure = see(text);
    assert!(matches!(sure.stood[4..6], [Use::Released { .. }, Use::Unknown]));
    assert!(matches!(sure.last(), [Moved::Released { before: Some((5, 0)), last: true, .. }]));
    let mut seen = Seen::default();
    for (n, call) in calls.iter().enumerate() {
        if n == 4 {
            seen.table.forget();
        }
        seen.take(call);
    }
    assert!(seen.table.is_blind());
    assert_eq!(seen.stood[4..6], [Use::Unsure, Use::Unsure]);
    assert!(matches!(seen.last(), [Moved::Released { before: None, last: false, .. }]));
    assert!(seen.table.ping_sets(ip(A)).all(|set| !set.sure));
    assert_eq!(seen.held(0, A), Some((5, 0)), "what it has is not forgotten");
}

#[test]
fn a_call_that_cannot_be_read_makes_all_unsure() {
    use crate::call::{Outcome, Readable};
    let good = calls("A activates ->m1; A:m1.QVSS()=0->e1; A:e1.Next(1)=S_FALSE->[]");
    let unread = |readable: Readable| {
        let mut seen = Seen::default();
        seen.take(&good[0]);
        let mut call = good[1].clone();
        call.response.readable = readable;
        seen.take(&call);
        (seen.table.is_blind(), seen.issued().len())
    };
    assert_eq!(unread(Readable::Clear), (false, 2));
    for readable in [Readable::Sealed, Readable::Truncated, Readable::Lost, Readable::Malformed] {
        assert_eq!(unread(readable), (true, 1), "{}", readable.word());
    }
    // No answer at all may hide any; a refusal hides none.
    for (outcome, blind) in [(Outcome::NoResponse, true), (Outcome::Fault, false)] {
        let mut seen = Seen::default();
        seen.take(&good[0]);
        let mut call = good[1].clone();
        (call.outcome, call.status) = (outcome, None);
        call.response.readable = Readable::Absent;
        seen.take(&call);
        assert_eq!(seen.table.is_blind(), blind, "{}", outcome.word());
    }
}

#[test]
fn a_server_that_was_started_again_has_none_of_its_objects() {
    let mut seen = see("A activates ->m1; A:ping(add=[m1])=0->g1");
    let oxid = seen.object(0).oxid.unwrap();
    assert!(seen.table.exporter(oxid).is_some());
    seen.table.restarted();
    let object = seen.object(0);
    assert_eq!((object.phase, object.is_held()), (Phase::Gone, false));
    assert_eq!(seen.table.exporters().count(), 0);
    assert_eq!(seen.table.ping_sets(ip(A)).count(), 0);
}

#[test]
fn activations_and_the_resolver_tell_where_objects_are() {
    let calls = calls(
        "dcom 50001; A activates {towers=[15]} ->m1; A:resolve(m1)=0
A:resolve(m1)=OR_INVALID_OXID; A:m1.QVSS()=0->e1; A activates {via=IActivation} ->m2
A activates =E_ACCESSDENIED",
    );
    let told: Vec<Vec<u16>> = calls.iter().map(ports).collect();
    let (here, nowhere): (Vec<u16>, Vec<u16>) = (vec![50_001], Vec::new());
    assert_eq!(told[..3], [here.clone(), here.clone(), nowhere.clone()]);
    assert_eq!(told[3..], [nowhere.clone(), here, nowhere], "a reference tells its resolver's");
    let mut seen = Seen::default();
    for call in &calls {
        seen.take(call);
    }
    let exporter = seen.table.exporter(seen.object(0).oxid.unwrap()).unwrap();
    assert!(exporter.ports.iter().eq(&[50_001]));
    assert!(exporter.addresses.contains(&ip("10.0.1.1")), "{exporter:?}");
    assert!(exporter.rem_unknown.is_some());
    assert_eq!(exporter.call, calls[0].rpc.n, "who told it first");
    assert_eq!(seen.table.exporters().count(), 1);
}

/// A binding says a port only where it is whole, and an address only where it is one.
#[test]
fn bindings_are_taken_apart() {
    let mut exporter = Exporter::default();
    let of = ["10.0.0.1[49667]", "fs1[49668]", "fe80::1[1]", "10.0.0.2", "x[", "y[70000]", "z[5"];
    exporter.told(&of.map(str::to_owned));
    assert!(exporter.ports.iter().eq(&[1, 49_667, 49_668]), "{:?}", exporter.ports);
    let addresses = ["10.0.0.1", "10.0.0.2", "fe80::1"].map(ip);
    assert!(exporter.addresses.iter().eq(&addresses), "{:?}", exporter.addresses);
}
