//! Ten times as much as there is room for: nothing grows beyond it.

use super::*;
use crate::idl::Format;
use crate::objects::exporter::MAX_BINDINGS;
use crate::objects::object::MAX_HOLDERS;
use crate::objects::ping::MAX_OIDS;
use crate::objects::table::{MAX_EXPORTERS, MAX_OBJECTS};

/// How many times as much.
const TIMES: usize = 10;

/// The numbers of what there is to be: as many times as there is room for.
fn numbers(room: usize) -> std::ops::Range<u64> {
    1..1 + u64::try_from(room * TIMES).unwrap()
}

/// Makes a call another one: with another number, and with these members changed, however deep.
fn alter(call: &mut Call, n: u64, members: &[(&str, Data)]) {
    call.rpc.n = n;
    for stub in [&mut call.request, &mut call.response] {
        for (name, data) in members {
            stub.decoded.iter_mut().for_each(|of| alter_fields(&mut of.params, name, data));
        }
    }
}

fn alter_fields<N: AsRef<str>>(fields: &mut [(N, Value)], name: &str, data: &Data) {
    for (field, value) in fields {
        if (*field).as_ref() == name {
            replace(value, data);
        } else {
            alter_value(value, name, data);
        }
    }
}

fn alter_value(of: &mut Value, name: &str, data: &Data) {
    match &mut of.data {
        Data::Pointer(pointer) => alter_value(&mut pointer.to, name, data),
        Data::Record(record) => alter_fields(&mut record.fields, name, data),
        Data::List(list) => list.items.iter_mut().for_each(|item| alter_value(item, name, data)),
        Data::Interface(pointer) => {
            pointer.object.iter_mut().for_each(|object| alter_value(object, name, data));
        }
        _ => {}
    }
}

/// A value, or each element of an array.
fn replace(of: &mut Value, data: &Data) {
    match &mut of.data {
        Data::Pointer(pointer) => replace(&mut pointer.to, data),
        Data::List(list) => list.items.iter_mut().for_each(|item| replace(item, data)),
        of => *of = data.clone(),
    }
}

fn guid(n: u64) -> Guid {
    Guid::from_u128(u128::from(n) << 64 | 0x4000_8000_0000_0000)
}

/// As an OXID, an OID and a SETID are.
fn wide(bits: u64) -> Data {
    Data::Number(Number { bits, width: 8, signed: false, format: Format::Decimal })
}

/// A table that has seen the first calls, and the last of them, to be made another one.
fn before_the_last(text: &str) -> (Table, Call) {
    let mut calls = calls(text);
    let last = calls.pop().unwrap();
    let mut table = Table::default();
    for call in &calls {
        table.answered(call);
    }
    (table, last)
}

#[test]
fn objects_that_are_called() {
    let (mut table, mut call) = before_the_last("A activates ->m1; A:?e9.Reset()=0");
    for n in numbers(MAX_OBJECTS) {
        call.rpc.object = Some(guid(n));
        alter(&mut call, n, &[]);
        table.answered(&call);
    }
    assert_eq!(table.objects().len(), MAX_OBJECTS);
    let (all, room) = (MAX_OBJECTS * TIMES, MAX_OBJECTS - 1);
    assert_eq!(table.beyond(), u64::try_from(all - room).unwrap());
    assert!(table.is_blind() && table.kept() <= Table::MAX_KEPT);
    assert_eq!(table.stands(&call), Use::Unsure, "it may be one that had no room");
}

#[test]
fn objects_that_are_handed_out_and_those_that_make_room() {
    let (mut table, mut call) = before_the_last("A activates ->m1; A:m1.QVSS()=0->e1");
    let mut issued = 0;
    for n in numbers(MAX_OBJECTS) {
        alter(&mut call, n, &[("ipid", Data::Guid(guid(n)))]);
        issued += table.answered(&call).len();
    }
    assert_eq!((table.objects().len(), issued), (MAX_OBJECTS, MAX_OBJECTS - 1));
    assert!(table.is_blind() && table.kept() <= Table::MAX_KEPT);
    // Those that nobody holds any more go, many at once.
    let (_, mut release) = before_the_last("A activates ->m1; A:release(m1)");
    for n in 1..=1023 {
        alter(&mut release, n, &[("ipid", Data::Guid(guid(n)))]);
        table.answered(&release);
    }
    alter(&mut call, 0, &[("ipid", Data::Guid(guid(0)))]);
    assert!(table.answered(&call).is_empty(), "few are not worth looking for");
    alter(&mut release, 1024, &[("ipid", Data::Guid(guid(1024)))]);
    table.answered(&release);
    assert_eq!(table.answered(&call).len(), 1);
    assert_eq!(table.objects().len(), MAX_OBJECTS - 1024 + 1);
    assert!(table.object(guid(1)).is_none() && table.object(guid(1025)).is_some());
}

#[test]
fn objects_that_came_with_an_error() {
    let (mut table, mut call) = before_the_last("A activates ->m1; A:m1.QVSS()=0->e1");
    call.status = Some(0x8000_4005);
    let before = table.kept();
    for n in numbers(MAX_EXPORTERS) {
        alter(&mut call, n, &[("ipid", Data::Guid(guid(n)))]);
        assert!(table.answered(&call).is_empty());
    }
    assert_eq!(table.kept(), before + MAX_EXPORTERS);
}

#[test]
fn clients_of_an_object() {
    let (mut table, mut call) = before_the_last("A activates ->m1; A:m1.QVSS()=0->e1");
    let mut ipid = None;
    for n in numbers(MAX_HOLDERS) {
        call.client.addr.set_ip(std::net::Ipv4Addr::from(u32::try_from(n).unwrap()).into());
        for moved in table.answered(&call) {
            let Moved::Issued { reference, .. } = moved else { panic!("{moved:?}") };
            ipid = Some(reference.ipid);
        }
    }
    assert_eq!(table.object(ipid.unwrap()).unwrap().holders.len(), MAX_HOLDERS);
    assert!(table.kept() <= Table::MAX_KEPT);
}

#[test]
fn exporters() {
    let (mut table, mut call) = before_the_last("A activates ->m1; A:resolve(m1)=0");
    for n in numbers(MAX_EXPORTERS) {
        alter(&mut call, n, &[("pOxid", wide(n)), ("pipidRemUnknown", Data::Guid(guid(n)))]);
        table.answered(&call);
    }
    assert_eq!(table.exporters().count(), MAX_EXPORTERS);
    assert!(table.is_blind() && table.kept() <= Table::MAX_KEPT);
}

/// It has one, so a server that says another each time says what is not so.
#[test]
fn what_one_exporter_tells_as_its_own() {
    let (mut table, mut call) = before_the_last("A activates ->m1; A:resolve(m1)=0");
    for n in numbers(MAX_EXPORTERS) {
        alter(&mut call, n, &[("pipidRemUnknown", Data::Guid(guid(n)))]);
        table.answered(&call);
    }
    assert_eq!(table.exporters().count(), 1);
    assert!(table.is_blind(), "what it told beyond that may be called");
    assert_eq!(table.kept(), 3 + MAX_EXPORTERS, "an object, who holds it, an exporter, and those");
}

#[test]
fn ports_and_addresses_of_an_exporter() {
    let mut exporter = Exporter::default();
    for n in numbers(MAX_BINDINGS) {
        exporter.told(&[format!("10.1.{}.{}[{n}]", n / 256, n % 256)]);
    }
    assert_eq!(exporter.ports.len(), MAX_BINDINGS);
    assert_eq!(exporter.addresses.len(), MAX_BINDINGS);
}

#[test]
fn sets_that_are_pinged() {
    let (mut table, mut call) = before_the_last("A activates ->m1; A:ping(add=[m1])=0->g1");
    for n in numbers(MAX_EXPORTERS) {
        alter(&mut call, n, &[("pSetId", wide(n))]);
        table.answered(&call);
    }
    assert_eq!(table.ping_sets(ip(A)).count(), MAX_EXPORTERS);
    assert!(table.kept() <= Table::MAX_KEPT);
}

#[test]
fn objects_of_a_set() {
    let (mut table, mut call) = before_the_last("A activates ->m1; A:ping(add=[m1])=0->g1");
    for n in numbers(MAX_OIDS) {
        alter(&mut call, n, &[("AddToSet", wide(n))]);
        table.answered(&call);
    }
    let set = table.ping_sets(ip(A)).next().unwrap();
    assert_eq!((set.oids.len(), set.sure), (MAX_OIDS, false));
}
