//! What \[MS-SCMP\] needs of the engine: unions with 64-bit members in a conformant-varying array,
//! their pointees behind all elements, interface pointers, and a start behind `ORPCTHAT`.

use super::*;

const IDL: &str = r#"
    import "ms-dtyp.idl";
    typedef [v1_enum] enum _KIND { UNKNOWN = 0, VOLUME = 1, DIFF_AREA = 3, } KIND;
    typedef [unique, string] WCHAR* VSS_PWSZ;
    typedef struct { VSS_PWSZ name; VSS_PWSZ display; } VOL;
    typedef struct { VSS_PWSZ vol; VSS_PWSZ area; LONGLONG max; LONGLONG alloc; LONGLONG used; } AREA;
    [ switch_type(KIND) ]
    typedef union {
        [case(VOLUME)] VOL Vol;
        [case(DIFF_AREA)] AREA DiffArea;
        [default];
    } OBJ;
    typedef struct _PROP { KIND Type; [ switch_is(Type) ] OBJ Obj; } PROP;
    interface IEnum;
    [object, uuid(00000000-0000-0000-0000-000000000002), pointer_default(unique)]
    interface IMgmt : IUnknown
    {
        HRESULT Query([in] VSS_PWSZ name, [in] GUID provider, [out] IEnum **ppEnum);
        HRESULT Next([in] ULONG celt,
            [out, size_is(celt), length_is(*pceltFetched)] PROP *rgelt,
            [out] ULONG *pceltFetched);
        HRESULT Get([in] GUID iid, [out, iid_is(iid)] IUnknown **ppItf);
        HRESULT Clone([in, out] IEnum **ppenum);
    };
"#;

fn response(opnum: u16, stub: &[u8], from: u32, context: Context) -> Decoded {
    let module = compile(IDL);
    let operation = module.interfaces[0].operation(opnum).unwrap();
    let view = View::new(stub, &[], &[]);
    decode(&module.types, operation, Direction::Out, view, from, context)
}

#[test]
fn opnums_continue_those_of_iunknown() {
    let module = compile(IDL);
    let interface = &module.interfaces[0];
    assert!(interface.object);
    let opnums: Vec<_> = interface.operations.iter().map(|op| op.opnum).collect();
    assert_eq!(opnums, [3, 4, 5, 6]);
}

const ELEMENTS: &str = "
    00000000 00000000                       # ORPCTHAT
    0a000000 00000000 02000000 00000000     # max_count, offset, actual_count, padding
    01000000 01000000 00000200 00000000     # [0] Type, discriminant, name, display
    03000000 03000000 04000200 00000000     # [1] Type, discriminant, vol, area
    0100000000000000 0200000000000000 ffffffffffffffff
    02000000 00000000 02000000 41000000     # [0].name
    02000000 00000000 02000000 42000000     # [1].vol
    02000000 00000000                       # pceltFetched, return";

const ELEMENTS_64: &str = "
    00000000 00000000 0000000000000000      # ORPCTHAT
    0a00000000000000 0000000000000000 0200000000000000
    01000000 00000000 01000000 00000000 0000020000000000 0000000000000000
    03000000 00000000 03000000 00000000 0400020000000000 0000000000000000
    0100000000000000 0200000000000000 ffffffffffffffff
    0200000000000000 0000000000000000 0200000000000000 41000000 00000000
    0200000000000000 0000000000000000 0200000000000000 42000000
    02000000 00000000";

#[test]
fn elements_are_aligned_to_eight_whatever_their_arm() {
    for (sample, context, from, starts) in
        [(ELEMENTS, NDR, 8, [24, 40]), (ELEMENTS_64, NDR64, 16, [40, 72])]
    {
        let stub = hex(sample);
        let decoded = response(4, &stub, from, context);
        assert_eq!(decoded.stop, None);
        assert_eq!(decoded.notes, []);
        assert_eq!(decoded.used as usize, stub.len());
        assert_eq!(
            fields(&decoded.params).to_string().replace('"', "'"),
            "{'rgelt':[{'Type':{'value':1,'name':'VOLUME'},'Obj':{'Vol':{'name':'A','display':null}}},\
             {'Type':{'value':3,'name':'DIFF_AREA'},'Obj':{'DiffArea':{'vol':'B','area':null,\
             'max':1,'alloc':2,'used':-1}}}],'pceltFetched':2}"
        );
        let Data::List(list) = &decoded.param("rgelt").unwrap().data else {
            panic!("no list");
        };
        let found: Vec<_> = list.items.iter().map(|item| item.span.start).collect();
        assert_eq!(found, starts);
        for len in from as usize..stub.len() {
            assert!(response(4, &stub[..len], from, context).stop.is_some());
        }
    }
}

#[test]
fn a_length_that_differs_from_its_parameter_is_noted() {
    let mut stub = hex(ELEMENTS);
    let at = stub.len() - 8;
    stub[at] = 3;
    let decoded = response(4, &stub, 8, NDR);
    assert_eq!(decoded.stop, None);
    assert_eq!(decoded.notes[0].text, "actual_count 2 of rgelt differs from length_is (3)");
    assert_eq!(decoded.notes[0].span, crate::bytes::Span::new(16, 20));
}

/// `QueryVolumesSupportedForSnapshots` as go-msrpc answered it in NDR64.
const INTERFACE_64: &str = "
    00000000 00000000 0000000000000000      # ORPCTHAT
    1100000000000000                        # ppEnum: referent
    7000000000000000 70000000               # max_count, ulCntData
    4d454f57 01000000 6b4e9501 5492 6e4e 808cc9e05d007696
    00000000 05000000 02775b9e3a1c4f6d 02f8e5d3c420ab91
    02800000 540f2c1a80023c5a77e10022
    1600 0c00 07003100320037002e0030002e0030002e00310000000000
    0900ffff00000a00ffff00001000ffff00000000
    00000000                                # return";

#[test]
fn an_interface_pointer_keeps_its_bytes() {
    let stub = hex(INTERFACE_64);
    let decoded = response(3, &stub, 16, NDR64);
    assert_eq!(decoded.stop, None);
    assert_eq!(decoded.used as usize, stub.len());
    let Data::Interface(pointer) = &decoded.param("ppEnum").unwrap().data else {
        panic!("no interface pointer");
    };
    assert_eq!(pointer.of.as_deref(), Some("IEnum"));
    assert_eq!(pointer.at, crate::bytes::Span::new(36, 148));
    assert!(pointer.objref.as_ref().unwrap().starts_with(b"MEOW"));
    assert_eq!(decoded.ret.unwrap().as_u32(), Some(0));
}

#[test]
fn a_null_interface_pointer_and_an_input() {
    let decoded = response(6, &hex("00000000 57000780"), 0, NDR);
    assert_eq!(fields(&decoded.params).to_string(), r#"{"ppenum":null}"#);
    assert_eq!(decoded.ret.unwrap().as_u32(), Some(0x8007_0057));
    let module = compile(IDL);
    let operation = module.interfaces[0].operation(3).unwrap();
    let stub =
        hex("00000200 02000000 00000000 02000000 41000000 04030201 0605 0807 090a0b0c0d0e0f10");
    let view = View::new(&stub, &[], &[]);
    let decoded = decode(&module.types, operation, Direction::In, view, 0, NDR);
    assert_eq!(decoded.stop, None);
    assert_eq!(decoded.param("name").unwrap().as_text().unwrap().to_string(), "A");
}

#[test]
fn a_type_can_be_decoded_by_name() {
    let module = compile(IDL);
    let ty = module.types.named("VOL").unwrap();
    let name: Arc<str> = "vol".into();
    let stub = hex("00000000 00000000");
    let decoded = decode_type(&module.types, ty, &name, View::new(&stub, &[], &[]), 0, NDR);
    assert_eq!(fields(&decoded.params).to_string(), r#"{"vol":{"name":null,"display":null}}"#);
}
