//! The IDL and the typed messages of MS-FSRVP say the same, whichever of them is changed.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::fsrvp::{OPERATIONS, Request, VERSION};
use super::*;
use crate::bytes::Span;
use crate::idl::{Field, Kind, TypeId};
use crate::ndr::{
    Counts, Data, InterfacePointer, List, Number, Pointer, Record, Text, Union, Units, Value,
};

/// A value of the type, with no pointer null and the arm `arm` of every union.
fn sample(types: &Types, id: TypeId, arm: usize) -> Value {
    let ty = types.get(id);
    let number =
        |width, signed| Data::Number(Number { bits: 1, width, signed, format: ty.format.clone() });
    let named = |field: &Field| (field.name.clone(), sample(types, field.ty, arm));
    let data = match &ty.kind {
        Kind::Integer { width, signed } => number(*width, *signed),
        Kind::Enum { .. } => number(4, false),
        Kind::Interface { of, .. } => Data::Interface(Box::new(InterfacePointer {
            referent: 1,
            of: of.clone(),
            objref: Some([0].into()),
            at: Span::default(),
            object: None,
            stop: None,
        })),
        Kind::Guid => Data::Guid(Guid::nil()),
        Kind::Pointer { to, .. } => {
            Data::Pointer(Box::new(Pointer { referent: 1, to: sample(types, *to, arm) }))
        }
        Kind::Array(array) if array.string => Data::Text(Box::new(Text {
            units: Units::Wide([65, 0].into()),
            counts: Counts::default(),
        })),
        Kind::Struct(record) => Data::Record(Box::new(Record {
            name: ty.name.clone(),
            fields: record.fields.iter().map(named).collect(),
        })),
        Kind::Union(union) => Data::Union(Box::new(Union {
            name: ty.name.clone(),
            tag: sample(types, union.switch, arm),
            arm: union.arms[arm].field.as_ref().map(named),
        })),
        Kind::Array(array) => Data::List(Box::new(List {
            items: vec![sample(types, array.of, arm)],
            counts: Counts::default(),
        })),
        other => panic!("these protocols have no {other:?}"),
    };
    Value { data, ..Value::default() }
}

pub(super) fn message(
    types: &Types,
    operation: &Operation,
    direction: Direction,
    arm: usize,
) -> Decoded {
    let params = operation.params.iter().filter(|param| match direction {
        Direction::In => param.input,
        Direction::Out => param.output,
    });
    let value = |field: &Field| sample(types, field.ty, arm);
    Decoded {
        params: params.map(|param| (param.field.name.clone(), value(&param.field))).collect(),
        ret: operation.returns.as_ref().map(value),
        ..Decoded::default()
    }
}

#[test]
fn every_operation_of_the_idl_has_a_type_that_binds() {
    let (_, interface) = fsrvp();
    assert_eq!(interface.version, VERSION);
    assert_eq!(interface.grade, Grade::Typed);
    let idl: Vec<_> = interface.operations.iter().map(|op| (op.opnum, &*op.name)).collect();
    assert_eq!(idl, OPERATIONS);
    for operation in &interface.operations {
        let opnum = operation.opnum;
        for arm in 0..2 {
            let request = message(&interface.types, operation, Direction::In, arm);
            let request = Request::bind(opnum, &request).unwrap().unwrap();
            assert_eq!(request.opnum(), opnum);
            let response = message(&interface.types, operation, Direction::Out, arm);
            let response = Response::bind(opnum, &response).unwrap().unwrap();
            assert_eq!(response.opnum(), opnum);
            assert_eq!(response.status(), Status(1));
        }
    }
    assert!(Request::bind(13, &Decoded::default()).is_none());
}

#[test]
fn a_member_that_is_renamed_is_an_error_with_its_path() {
    let (_, interface) = fsrvp();
    let operation = interface.operation(10).unwrap();
    let mut response = message(&interface.types, operation, Direction::Out, 0);
    let mut value = &mut response.params[0].1;
    loop {
        value = match &mut value.data {
            Data::Pointer(pointer) => &mut pointer.to,
            Data::Union(union) => &mut union.arm.as_mut().unwrap().1,
            Data::Record(record) => {
                record.fields[4].0 = Arc::from("Created");
                break;
            }
            other => panic!("{other:?}"),
        };
    }
    let error = Response::bind(10, &response).unwrap().unwrap_err();
    assert_eq!(error.path, "ShareMapping.ShareMapping1");
    assert!(error.to_string().contains("unknown field `Created`"), "{error}");
}

#[test]
fn every_pointer_of_a_request_is_without_representation() {
    // pointer_default(unique) is for embedded pointers: ShareName has no referent identifier.
    let (_, interface) = fsrvp();
    for operation in &interface.operations {
        for param in operation.params.iter().filter(|p| p.input) {
            if let Kind::Pointer { kind, .. } = interface.types.get(param.field.ty).kind {
                assert_eq!(kind, crate::idl::Pointing::Ref, "{}", param.field.name);
            }
        }
    }
}

proptest! {
    #[test]
    fn noise_on_every_operation_ends(
        bytes in prop::collection::vec(prop_oneof![0u8..3, any::<u8>()], 0..300),
        opnum in 0u16..13,
        output: bool,
        ndr64: bool,
        big: bool,
    ) {
        static INTERFACE: std::sync::LazyLock<Arc<Interface>> =
            std::sync::LazyLock::new(|| fsrvp().1);
        let direction = if output { Direction::Out } else { Direction::In };
        let mut context = if ndr64 { NDR64 } else { NDR };
        if big {
            context.order = Order::Big;
        }
        let view = View::new(&bytes, &[], &[]);
        let decoded = INTERFACE.decode(opnum, direction, view, 0, context).unwrap();
        prop_assert!(decoded.used as usize <= bytes.len());
        let typed = match direction {
            Direction::In => Request::bind(opnum, &decoded).unwrap().is_ok(),
            Direction::Out => Response::bind(opnum, &decoded).unwrap().is_ok(),
        };
        prop_assert_eq!(typed, decoded.stop.is_none());
        let _ = fields(&decoded.params).to_string();
    }
}
