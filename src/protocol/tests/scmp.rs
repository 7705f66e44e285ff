//! The typed messages of MS-SCMP and MS-DCOM: the IDL and the types say the same, and they keep what
//! there is of a message.

use serde::Serialize;

use super::super::scmp::{
    self, INTERFACES, MgmtObject, MgmtObjectType, OPERATIONS, Request, Response, Status,
};
use super::drift::message;
use super::*;
use crate::call::Call;
use crate::dcom;
use crate::ndr::{Data, Value};
use crate::pipeline::tests::captures;
use crate::protocol::dcom::{self as dcom_view, Ipid, Kind, ObjRef, Oid, Oxid};

fn interface(registry: &Registry, uuid: Guid) -> &Interface {
    registry.interface(uuid, scmp::VERSION.0).unwrap()
}

/// What a message binds to, in which nothing is missing.
fn whole(message: &impl Serialize) -> serde_json::Value {
    /// Whether there is a null that is not in a reference, of which nothing was opened here.
    fn lacks(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::Null => true,
            serde_json::Value::Array(items) => items.iter().any(lacks),
            serde_json::Value::Object(of) if of.contains_key("oxid") => false,
            serde_json::Value::Object(of) => of.values().any(lacks),
            _ => false,
        }
    }
    let json = serde_json::to_value(message).unwrap();
    assert!(!lacks(&json), "{json:#}");
    json
}

#[test]
fn every_operation_of_the_idl_has_a_type_that_binds() {
    let registry = Registry::embedded().unwrap();
    let mut found = Vec::new();
    for uuid in INTERFACES {
        let interface = interface(&registry, uuid);
        assert_eq!(interface.version, scmp::VERSION);
        assert_eq!(interface.grade, Grade::Typed);
        assert!(interface.object);
        for operation in &interface.operations {
            let opnum = operation.opnum;
            found.push((uuid, opnum, &*operation.name));
            for arm in 0..3 {
                // The union of two arms has an empty third.
                let of = |direction| message(&interface.types, operation, direction, arm);
                let request = Request::of(uuid, opnum, &of(Direction::In)).unwrap().unwrap();
                assert_eq!(request.operation(), (uuid, opnum));
                whole(&request);
                let mut response = of(Direction::Out);
                // Opnum08NotUsedOnWire returns an HRESULT as well.
                assert!(response.ret.is_some());
                let typed = Response::of(uuid, opnum, &response).unwrap().unwrap();
                assert_eq!(typed.operation(), (uuid, opnum));
                assert_eq!(typed.status(), Some(Status(1)));
                whole(&typed);
                if let Some((name, _)) = response.params.first_mut() {
                    *name = "other".into();
                    let error = Response::of(uuid, opnum, &response).unwrap().unwrap_err();
                    assert!(error.to_string().contains("unknown field `other`"), "{error}");
                }
            }
        }
    }
    assert_eq!(found, OPERATIONS);
    assert!(Request::of(scmp::SNAPSHOT_MGMT, 6, &Decoded::default()).is_none());
    assert!(Request::of(fsrvp::UUID, 3, &Decoded::default()).is_none());
}

#[test]
fn a_renamed_or_additional_member_is_an_error_with_its_path() {
    let registry = Registry::embedded().unwrap();
    let interface = interface(&registry, scmp::ENUM_MGMT_OBJECT);
    let operation = interface.operation(3).unwrap();
    let mut response = message(&interface.types, operation, Direction::Out, 2);
    let mut value = &mut response.params[0].1;
    loop {
        value = match &mut value.data {
            Data::Pointer(pointer) => &mut pointer.to,
            Data::List(list) => &mut list.items[0],
            Data::Record(record) if &*record.name == "VSS_DIFF_AREA_PROP" => {
                record.fields[2].0 = "m_llMaximum".into();
                break;
            }
            Data::Record(record) => &mut record.fields[1].1,
            Data::Union(union) => &mut union.arm.as_mut().unwrap().1,
            other => panic!("{other:?}"),
        };
    }
    let error = Response::of(scmp::ENUM_MGMT_OBJECT, 3, &response).unwrap().unwrap_err();
    assert!(error.path.starts_with("rgelt"), "{error}");
    assert!(error.to_string().contains("unknown field `m_llMaximum`"), "{error}");
}

/// Two elements of `IVssEnumMgmtObject::Next`, of which the second has a discriminant that is none.
const NEXT: &str = "
    02000000 00000000 02000000 00000000 # max_count, offset, actual_count, padding
    01000000 01000000 00000200 04000200 # Type, discriminant, referents
    02000000 09000000                   # Type, discriminant
    04000000 00000000 04000000          # m_pwszVolumeName
    43003a005c000000
    00000000                            # m_pwszVolumeDisplayName: only its max_count
";

#[test]
fn what_there_is_of_a_message_is_kept() {
    let registry = Registry::embedded().unwrap();
    let interface = interface(&registry, scmp::ENUM_MGMT_OBJECT);
    let stub = hex(NEXT);
    let view = View::new(&stub, &[], &[]);
    let decoded = interface.decode(3, Direction::Out, view, 0, NDR).unwrap();
    assert!(decoded.stop.is_some());
    let Response::EnumMgmtObjectNext(next) =
        Response::of(scmp::ENUM_MGMT_OBJECT, 3, &decoded).unwrap().unwrap()
    else {
        panic!("another operation");
    };
    assert_eq!((next.celt_fetched, next.status), (None, None));
    let rgelt = next.rgelt.unwrap();
    let [volume, odd] = &rgelt[..] else { panic!("{rgelt:?}") };
    let Some(MgmtObject::Vol(volume)) = volume.arm() else { panic!("{volume:?}") };
    assert_eq!(volume.volume_name, Some(Some("C:\\".to_owned())));
    assert_eq!(volume.volume_display_name, None);
    // The two that tell the type differ, and there is no such arm.
    assert_eq!(odd.ty, Some(MgmtObjectType::VSS_MGMT_OBJECT_DIFF_VOLUME));
    assert_eq!(odd.discriminant(), Some(MgmtObjectType(9)));
    assert_eq!(odd.arm(), Some(&MgmtObject::Default));
    for len in 0..stub.len() {
        let view = View::new(&stub[..len], &[], &[]);
        let decoded = interface.decode(3, Direction::Out, view, 0, NDR).unwrap();
        Response::of(scmp::ENUM_MGMT_OBJECT, 3, &decoded).unwrap().unwrap();
    }
}

#[test]
fn a_null_pointer_is_not_what_is_missing() {
    let registry = Registry::embedded().unwrap();
    let interface = interface(&registry, scmp::SNAPSHOT_MGMT);
    for (stub, expect) in [("00000000", Some(None)), ("0000", None), ("00000200 05", None)] {
        let stub = hex(stub);
        let view = View::new(&stub, &[], &[]);
        let decoded = interface.decode(4, Direction::Out, view, 0, NDR).unwrap();
        let response = Response::of(scmp::SNAPSHOT_MGMT, 4, &decoded).unwrap().unwrap();
        assert_eq!(response.pointer(), expect.as_ref(), "{stub:?}");
    }
}

/// `OBJREF_STANDARD` of an enumerator, as it is in `ppEnum`.
const OBJREF: &str = "
    4d454f57 01000000 6b4e955454926e4e808cc9e05d007696  # signature, flags, iid
    00100000 05000000                                   # STDOBJREF: flags, cPublicRefs
    0100000000000000 0200000000000000                   # oxid, oid
    0102030405060708090a0b0c0d0e0f10                    # ipid
    0a00 0700 0700 6800 5b00 3500 5d00 0000 0000        # entries, security offset, h[5]
    0a00 ffff 0000 0000
";

#[test]
fn a_reference_says_as_much_as_there_is() {
    let registry = Registry::embedded().unwrap();
    let interface = interface(&registry, scmp::SNAPSHOT_MGMT);
    let objref = hex(OBJREF);
    let size = u32::try_from(objref.len()).unwrap().to_le_bytes();
    let mut stub = [hex("00000200"), size.to_vec(), size.to_vec(), objref].concat();
    stub.resize(stub.len().next_multiple_of(4) + 4, 0);
    let bind = |stub: &[u8]| {
        let view = View::new(stub, &[], &[]);
        let mut decoded = interface.decode(4, Direction::Out, view, 0, NDR).unwrap();
        dcom::open(&mut decoded, registry.dcom());
        Response::of(scmp::SNAPSHOT_MGMT, 4, &decoded).unwrap().unwrap()
    };
    let response = bind(&stub);
    let object = response.pointer().unwrap().as_ref().unwrap();
    assert_eq!(object.kind, Some(Kind::OBJREF_STANDARD));
    assert_eq!((object.oxid, object.oid), (Some(Oxid(1)), Some(Oid(2))));
    assert_eq!(object.public_refs, Some(5));
    let binding = &object.bindings.as_ref().unwrap()[0];
    assert_eq!((binding.host(), binding.port()), ("h", Some(5)));
    assert_eq!(object.security.as_ref().unwrap().len(), 1);
    assert_eq!(response.status(), Some(Status::S_OK));
    // Every shorter one is a reference of which less is known.
    let mut known = Vec::new();
    for len in 0..stub.len() {
        if let Some(Some(object)) = bind(&stub[..len]).pointer() {
            known.push(object.ipid);
        }
    }
    assert!(known.iter().all(|ipid| ipid.is_none_or(|ipid: Ipid| Some(ipid) == object.ipid)));
    assert_eq!(ObjRef::of(&Value { data: Data::Null, ..Value::default() }), None);
}

#[test]
fn classes_interfaces_and_the_provider_have_names() {
    let registry = Registry::embedded().unwrap();
    let name = |guid| registry.name_of(guid);
    assert_eq!(name(scmp::CLASS), Some("VssSnapshotMgmt"));
    assert_eq!(name(scmp::PROVIDER), Some("Microsoft Software Shadow Copy provider"));
    assert_eq!(name(scmp::ENUM_OBJECT), Some("IVssEnumObject"));
    assert_eq!(name(fsrvp::UUID), Some("FileServerVssAgent"));
    assert_eq!(name(Guid::nil()), None);
}

/// The calls of a capture in `captures/scmp`.
fn calls(registry: &Registry, name: &str) -> Vec<Call> {
    captures::calls(captures::open(&format!("scmp/{name}")), registry)
}

#[test]
fn an_activation_is_one_view_whichever_operation_it_is() {
    use crate::protocol::dcom::{Clsid, ComVersion, HResult, Iid, ImpersonationLevel, OrpcThis};
    let registry = Registry::embedded().unwrap();
    for name in ["ex41-none.pcap", "oldact-connect.pcap"] {
        let calls = calls(&registry, name);
        let call = calls.iter().find(|call| {
            call.request.decoded.is_some() && {
                call.method().is_some_and(|method| method.starts_with("Remote"))
            }
        });
        let call = call.unwrap();
        let (uuid, opnum) = (call.interface.as_deref().unwrap().uuid, call.rpc.opnum.unwrap());
        let decoded = call.request.decoded.as_ref().unwrap();
        let asked = dcom_view::Request::of(uuid, opnum, decoded).unwrap();
        let dcom_view::Request::Activation(asked) = asked else { panic!("{asked:?}") };
        assert!(!asked.class_object);
        assert_eq!(asked.class, Some(Clsid(scmp::CLASS)));
        assert_eq!(asked.iids, [Iid(scmp::SNAPSHOT_MGMT)]);
        assert_eq!(asked.impersonation, Some(ImpersonationLevel::RPC_C_IMP_LEVEL_IDENTIFY));
        assert_eq!(asked.protseqs, [7]);
        let version = Some(ComVersion { major: 5, minor: 7 });
        assert_eq!(asked.version, version);
        let decoded = call.response.decoded.as_ref().unwrap();
        let given = dcom_view::Response::of(uuid, opnum, decoded).unwrap();
        let dcom_view::Response::Activation(given) = given else { panic!("{given:?}") };
        assert_eq!(given.outcome(), Some(HResult::S_OK));
        let [one] = &given.results[..] else { panic!("{given:?}") };
        assert_eq!(one.iid, Some(Iid(scmp::SNAPSHOT_MGMT)));
        assert_eq!(one.result, Some(HResult::S_OK));
        let object = one.object.as_ref().unwrap();
        assert_eq!((object.oxid, object.public_refs), (given.oxid, Some(5)));
        assert!(given.oxid.is_some() && given.rem_unknown.is_some());
        assert_eq!(given.authn_hint, Some(6));
        assert_eq!(given.version, version);
        let bindings = given.bindings.as_ref().unwrap();
        assert_eq!((bindings.port(), bindings.security.len()), (Some(49667), 3));
        let this = OrpcThis::of(call.request.orpc().unwrap());
        assert_eq!((this.version, this.flags, this.reserved1), (version, Some(0), Some(0)));
        assert!(this.cid.is_some() && this.extensions.is_none());
    }
}

#[test]
fn every_call_of_the_captures_has_a_view() {
    let registry = Registry::embedded().unwrap();
    for name in ["mgmt-connect.pcap", "orpcext-connect.pcap", "viol-wrong-arm.pcap"] {
        for call in calls(&registry, name) {
            let (uuid, opnum) = (call.interface.as_deref().unwrap().uuid, call.rpc.opnum.unwrap());
            let asked = call.request.decoded.as_ref().unwrap();
            let answered = call.response.decoded.as_ref().unwrap();
            let typed = Request::of(uuid, opnum, asked);
            if let Some((asked, answered)) = typed.zip(Response::of(uuid, opnum, answered)) {
                asked.unwrap();
                assert_eq!(answered.unwrap().status().map(|status| status.0), call.status);
            } else {
                dcom_view::Request::of(uuid, opnum, asked).unwrap();
                dcom_view::Response::of(uuid, opnum, answered).unwrap();
            }
        }
    }
}
