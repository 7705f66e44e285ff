//! What is written is read back.

use std::sync::Arc;

use crate::bytes::{Guid, Order, View};
use crate::dcom::write::{self, Bindings, Objref, Standard, record};
use crate::dcom::{Opener, objref, orpc};
use crate::idl::Syntax;
use crate::ndr::{self, Arg, Context, Direction, Value};
use crate::protocol::Registry;
use crate::protocol::dcom::{CLSID_ACTIVATION_PROPERTIES_IN, IUNKNOWN};

const IPID: Guid = Guid::from_u128(0x00008002_0f54_1a2c_8002_3c5a77e10022);
const CLASS: Guid = Guid::from_u128(0x0b5a2c52_3eb9_470a_96e2_6c6d4570e40f);

fn bindings() -> Bindings {
    Bindings {
        strings: vec![(7, "fs.lab.test[49667]".into()), (7, "10.0.1.1[49667]".into())],
        security: vec![(9, 0xffff, String::new()), (16, 0xffff, r"LAB\fs$".into())],
    }
}

fn standard() -> Standard {
    Standard {
        flags: 0x1000,
        public_refs: 5,
        oxid: 0x6d4f_1c3a_9e5b_7702,
        oid: u64::MAX,
        ipid: IPID,
    }
}

fn read(registry: &Registry, octets: &[u8]) -> Value {
    let mut opener =
        Opener { types: registry.dcom(), depth: 0, base: 0, cut: None, notes: Vec::new() };
    let (value, stop) = objref::read(octets, &mut opener);
    assert_eq!((stop, opener.notes.len()), (None, 0));
    assert_eq!(crate::bytes::index(value.span.end), octets.len());
    value
}

fn text(value: &Value, path: &[&str]) -> String {
    let found = path.iter().try_fold(value, |value, name| value.field(name));
    found.map_or_else(|| panic!("no {path:?} in {}", ndr::text(value)), ndr::text)
}

#[test]
fn references_of_every_kind_are_read_back() {
    let registry = Registry::embedded().unwrap();
    let all = [
        Objref::Standard(standard(), bindings()),
        Objref::Handler(standard(), CLASS, bindings()),
        Objref::Extended(standard(), bindings()),
    ];
    for (written, kind) in all.iter().zip(["STANDARD", "HANDLER", "EXTENDED"]) {
        let value = read(&registry, &written.octets(IUNKNOWN));
        assert_eq!(text(&value, &["objref"]), format!("OBJREF_{kind}"));
        assert_eq!(text(&value, &["iid"]), IUNKNOWN.to_string());
        assert_eq!(text(&value, &["flags"]), "SORF_NOPING");
        assert_eq!(text(&value, &["public_refs"]), "5");
        assert_eq!(text(&value, &["oxid"]), "0x6d4f1c3a9e5b7702");
        assert_eq!(text(&value, &["oid"]), "0xffffffffffffffff");
        assert_eq!(text(&value, &["ipid"]), IPID.to_string());
        assert_eq!(
            text(&value, &["bindings"]),
            r#"[{wTowerId=ncacn_ip_tcp aNetworkAddr="fs.lab.test[49667]"}, {wTowerId=ncacn_ip_tcp aNetworkAddr="10.0.1.1[49667]"}]"#
        );
        assert_eq!(
            text(&value, &["security"]),
            r#"[{wAuthnSvc=RPC_C_AUTHN_GSS_NEGOTIATE wAuthzSvc=0xffff aPrincName=""}, {wAuthnSvc=RPC_C_AUTHN_GSS_KERBEROS wAuthzSvc=0xffff aPrincName="LAB\fs$"}]"#
        );
    }
    let custom = read(&registry, &Objref::Custom(CLASS, vec![1, 2, 3]).octets(IUNKNOWN));
    assert_eq!(text(&custom, &["clsid"]), CLASS.to_string());
    assert_eq!(text(&custom, &["data"]), "010203");
}

#[test]
fn every_shorter_reference_says_where_it_ends() {
    let registry = Registry::embedded().unwrap();
    let whole = Objref::Standard(standard(), bindings()).octets(IUNKNOWN);
    for len in 0..whole.len() {
        let mut opener =
            Opener { types: registry.dcom(), depth: 0, base: 0, cut: None, notes: Vec::new() };
        assert!(objref::read(&whole[..len], &mut opener).1.is_some(), "{len}");
    }
}

#[test]
fn activation_properties_are_read_back() {
    let registry = Registry::embedded().unwrap();
    let list = [
        ("SpecialPropertiesData", record([("dwFlags", 2u32.into())])),
        (
            "InstantiationInfoData",
            record([("classId", CLASS.into()), ("pIID", Arg::List(vec![IPID.into()]))]),
        ),
        ("LocationInfoData", record([("machineName", "fs".into())])),
        (
            "ScmReplyInfoData",
            record([("remoteReply", record([("pdsaOxidBindings", bindings().arg())]))]),
        ),
    ];
    let blob = write::properties(registry.dcom(), &list).unwrap();
    let octets = Objref::Custom(CLSID_ACTIVATION_PROPERTIES_IN, blob).octets(IUNKNOWN);
    let value = read(&registry, &octets);
    let data = value.field("data").unwrap();
    // Sizes that are written are those that are read.
    assert_eq!(text(data, &["dwSize"]), text(data, &["header", "totalSize"]));
    assert_eq!(
        u64::from(data.span.end - data.span.start) - 8,
        text(data, &["dwSize"]).parse::<u64>().unwrap()
    );
    let shown = text(data, &["properties"]);
    for part in [
        "SpecialSystemProperties={dwSessionId=0",
        "classId=0b5a2c52-3eb9-470a-96e2-6c6d4570e40f",
        "thisSize=88",
        r#"machineName="fs""#,
        r#"aNetworkAddr="10.0.1.1[49667]""#,
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn texts_of_errors_are_read_back() {
    let registry = Registry::embedded().unwrap();
    let types = registry.dcom();
    for (syntax, order) in
        [(Syntax::Ndr, Order::Little), (Syntax::Ndr, Order::Big), (Syntax::Ndr64, Order::Little)]
    {
        let list = [write::error(IPID, "VSS", "no such provider"), (CLASS, vec![7; 12])];
        let that = record([("extensions", write::extensions(&list))]);
        let value = write::value(types, "ORPCTHAT", that).unwrap();
        let context = Context { syntax, order };
        let mut stub = Vec::new();
        let ty = types.named("ORPCTHAT").unwrap();
        ndr::encode_type(types, ty, &value, context, &mut stub).unwrap();
        let decoded = orpc(types, Direction::Out, View::new(&stub, &[], &[]), context);
        assert_eq!((decoded.stop, decoded.notes), (None, Vec::new()));
        let shown: Arc<str> = ndr::text(&decoded.params[0].1).into();
        assert!(shown.contains(r#"Description="no such provider""#), "{shown}");
        assert!(shown.contains(r#"Source="VSS""#), "{shown}");
        assert!(shown.contains("070707070707070707070707"), "{shown}");
    }
}
