//! Any IDL, any value of it: what is encoded decodes to what it was.
//!
//! Both are drawn from a list of octets, so that a failure shrinks: where the octets end, every
//! choice is the first one, which is the simplest.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::bytes::{Guid, Span};
use crate::idl::{Array, Expr, Field, Format, Kind, Operation, Pointing, Shape, TypeId, Types};

/// Choices that are still to be made.
#[derive(Debug)]
struct Octets<'a>(&'a [u8]);

impl Octets<'_> {
    fn octet(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// One of `n`.
    fn choose(&mut self, n: u8) -> u8 {
        self.octet() % n
    }

    fn of<'t>(&mut self, list: &[&'t str]) -> &'t str {
        list[usize::from(self.choose(u8::try_from(list.len()).unwrap()))]
    }

    fn u64(&mut self) -> u64 {
        // Small numbers are as likely as any.
        match self.octet() {
            n @ 0..128 => n.into(),
            _ => u64::from_be_bytes([0; 8].map(|_: u8| self.octet())),
        }
    }
}

/// What may be said of a declared type.
#[derive(Clone)]
struct Known {
    name: String,
    /// The type of its discriminant: a union that is not encapsulated.
    switch: Option<&'static str>,
    /// It ends in an open array.
    open: bool,
}

/// Declarations that are being written.
struct Writer<'a> {
    octets: Octets<'a>,
    text: String,
    known: Vec<Known>,
}

const BASE: [&str; 15] = [
    "long",
    "byte",
    "char",
    "short",
    "hyper",
    "unsigned short",
    "unsigned hyper",
    "boolean",
    "wchar_t",
    "float",
    "double",
    "small",
    "GUID",
    "E16",
    "E32",
];
const SWITCHES: [&str; 5] = ["long", "short", "E16", "char", "hyper"];
const COUNTS: [&str; 4] = ["long", "short", "hyper", "unsigned short"];
const POINTERS: [&str; 3] = ["unique", "ref", "ptr"];

/// Where a declaration stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `[in]` or `[out]`.
    Parameter(&'static str),
    Member,
    LastMember,
    Arm,
}

impl Writer<'_> {
    /// A base type, or one declared before that may stand anywhere.
    fn element(&mut self) -> String {
        let plain: Vec<_> =
            self.known.iter().filter(|of| of.switch.is_none() && !of.open).collect();
        match plain.len() {
            0 => self.octets.of(&BASE).to_owned(),
            n if self.octets.choose(2) == 1 => {
                let n = self.octets.choose(u8::try_from(n).unwrap());
                plain[usize::from(n)].name.clone()
            }
            _ => self.octets.of(&BASE).to_owned(),
        }
    }

    fn declared(&mut self, wanted: impl Fn(&Known) -> bool) -> Option<Known> {
        let found: Vec<_> = self.known.iter().filter(|of| wanted(of)).cloned().collect();
        let n = u8::try_from(found.len()).ok().filter(|n| *n > 0)?;
        Some(found[usize::from(self.octets.choose(n))].clone())
    }

    /// Declarations that give `name`, with the counts and discriminants it needs before it.
    fn declare(&mut self, place: Place, name: &str) -> (Vec<String>, bool) {
        let x = self.element();
        let (way, end) = match place {
            Place::Parameter(way) => (way, ""),
            _ => ("", ";"),
        };
        let field = |attrs: &str, rest: String| {
            let attrs: Vec<_> = [way, attrs].into_iter().filter(|a| !a.is_empty()).collect();
            let attrs = attrs.join(", ");
            let attrs = if attrs.is_empty() { String::new() } else { format!("[{attrs}] ") };
            format!("{attrs}{rest}{end}")
        };
        let count = self.octets.of(&COUNTS);
        let pointer = self.octets.of(&POINTERS);
        let n = self.octets.choose(4);
        let character = self.octets.of(&["wchar_t", "char", "byte", "short"]);
        // Only what needs no other declaration may be an arm; only what is last may be open.
        let forms = match place {
            Place::Arm => 5,
            Place::Member => 12,
            Place::LastMember => 16,
            Place::Parameter(_) => 18,
        };
        let sized = |which: &str| field("", format!("{count} {which}_{name}"));
        let mut open = false;
        // What uses the types declared before is wanted more often than it would come.
        let declared = [10, 11, 15];
        let form = match (place, self.octets.choose(8)) {
            (Place::Member, n @ 1..=2) | (Place::LastMember | Place::Parameter(_), n @ 1..=3) => {
                declared[usize::from(n) - 1]
            }
            _ => self.octets.choose(forms),
        };
        let fields = match form {
            1 => vec![field("", format!("{x} {name}[{n}]"))],
            2 => vec![field(pointer, format!("{x} *{name}"))],
            3 => vec![field(&format!("string, {pointer}"), format!("{character} *{name}"))],
            4 => vec![field("", format!("IUnknown *{name}"))],
            5 => vec![field("", format!("{x} {name}[2][{n}]"))],
            6 => {
                let attrs = format!("first_is(f_{name}), length_is(n_{name})");
                let rest = format!("{x} {name}[8]");
                vec![sized("n"), sized("f"), field(&attrs, rest)]
            }
            7 => vec![field("string", format!("{character} {name}[8]"))],
            8 => {
                let attrs = format!("{pointer}, size_is(n_{name})");
                vec![field(&attrs, format!("{x} *{name}")), sized("n")]
            }
            9 => {
                let attrs = format!("{pointer}, size_is(m_{name}), length_is(n_{name})");
                vec![sized("m"), sized("n"), field(&attrs, format!("{x} *{name}"))]
            }
            10 => match self.declared(|of| of.switch.is_some()) {
                Some(union) => {
                    let switch = union.switch.unwrap();
                    let star = self.octets.of(&["", "*"]);
                    let rest = format!("{} {star}{name}", union.name);
                    vec![
                        field("", format!("{switch} t_{name}")),
                        field(&format!("switch_is(t_{name})"), rest),
                    ]
                }
                None => vec![field("", format!("{x} {name}"))],
            },
            11 => match self.declared(|of| of.open) {
                Some(record) => vec![field(pointer, format!("{} *{name}", record.name))],
                None => vec![field("", format!("{x} **{name}"))],
            },
            12 => {
                open = true;
                vec![sized("n"), field(&format!("size_is(n_{name})"), format!("{x} {name}[]"))]
            }
            13 => {
                open = true;
                let attrs = format!("size_is(m_{name}), length_is(n_{name})");
                vec![sized("m"), sized("n"), field(&attrs, format!("{x} {name}[]"))]
            }
            14 => {
                open = true;
                vec![field("string", format!("{character} {name}[]"))]
            }
            15 => match self.declared(|of| of.open) {
                Some(record) => {
                    open = true;
                    vec![field("", format!("{} {name}", record.name))]
                }
                None => vec![field("", format!("{x} {name}"))],
            },
            16 => vec![field("", format!("HANDLE {name}"))],
            17 => vec![
                field(&format!("{pointer}, size_is(,n_{name})"), format!("{x} **{name}")),
                sized("n"),
            ],
            _ => vec![field("", format!("{x} {name}"))],
        };
        (fields, open)
    }

    /// `typedef … Tn;`
    fn typedef(&mut self, n: usize) {
        let name = format!("T{n}");
        let form = self.octets.choose(5);
        if form < 2 {
            let members = 1 + self.octets.choose(4);
            let mut open = false;
            let _ = write!(self.text, "typedef struct _{name} {{ ");
            let mut text = String::new();
            if self.octets.choose(8) == 1 {
                let _ = write!(text, "[unique] struct _{name} *next; ");
            }
            for member in 0..members {
                let last = member + 1 == members;
                let place = if last { Place::LastMember } else { Place::Member };
                let (fields, ends) = self.declare(place, &format!("a{member}"));
                text += &fields.join(" ");
                open |= ends;
            }
            let _ = writeln!(self.text, "{text} }} {name};");
            self.known.push(Known { name, switch: None, open });
        } else if form < 4 {
            let switch = SWITCHES[usize::from(self.octets.choose(5))];
            let encapsulated = form == 3;
            let ms_union = self.octets.choose(2) == 1;
            let mut text = match (encapsulated, ms_union) {
                (true, _) => format!("typedef union switch ({switch} tag) u {{ "),
                (false, false) => format!("typedef [switch_type({switch})] union {{ "),
                (false, true) => format!("typedef [switch_type({switch}), ms_union] union {{ "),
            };
            for (at, labels) in ["1", "2, 3", "5"].into_iter().enumerate() {
                let (fields, _) = self.declare(Place::Arm, &format!("arm{at}"));
                let [field] = &fields[..] else { panic!("an arm is one field") };
                let field = if self.octets.choose(4) == 1 { ";" } else { field };
                text += &case(encapsulated, labels, field);
            }
            text += match (encapsulated, self.octets.choose(3)) {
                (_, 0) => "",
                (true, 1) => "default: ; ",
                (false, 1) => "[default] ; ",
                (true, _) => "default: hyper other; ",
                (false, _) => "[default] hyper other; ",
            };
            let _ = writeln!(self.text, "{text} }} {name};");
            let switch = (!encapsulated).then_some(switch);
            self.known.push(Known { name, switch, open: false });
        } else {
            let (x, pointer) = (self.element(), self.octets.of(&POINTERS));
            let _ = writeln!(self.text, "typedef [{pointer}] {x} *{name};");
            self.known.push(Known { name, switch: None, open: false });
        }
    }
}

fn case(encapsulated: bool, labels: &str, field: &str) -> String {
    if !encapsulated {
        return format!("[case({labels})] {field} ");
    }
    format!("case {}: {field} ", labels.replace(", ", ": case "))
}

/// Declarations and an operation of the direction.
fn declarations(octets: &[u8], direction: Direction) -> String {
    let mut writer = Writer { octets: Octets(octets), text: String::new(), known: Vec::new() };
    writer.text += "typedef [context_handle] void *HANDLE; typedef enum { A, B = 5, C } E16;
                    typedef [v1_enum] enum { D = 1, F = 70000 } E32;\n";
    let types = writer.octets.choose(6);
    (0..types.into()).for_each(|n| writer.typedef(n));
    let way = if direction == Direction::In { "in" } else { "out" };
    let params = 1 + writer.octets.choose(3);
    let params: Vec<_> = (0..params)
        .flat_map(|n| writer.declare(Place::Parameter(way), &format!("p{n}")).0)
        .collect();
    let _ = writeln!(writer.text, "long f({});", params.join(", "));
    writer.text
}

/// Values that are being drawn.
struct Drawer<'a> {
    octets: Octets<'a>,
    types: &'a Types,
    syntax: Syntax,
    referent: u64,
    depth: u32,
}

fn at<T>(n: T) -> (T, Span) {
    (n, Span::default())
}

impl Drawer<'_> {
    fn value(&mut self, id: TypeId, format: Option<&Format>) -> Value {
        let types = self.types;
        let ty = types.get(id);
        let format = format.unwrap_or(&ty.format);
        self.depth += 1;
        let data = match &ty.kind {
            Kind::Integer { width, signed } => self.number(*width, *signed, format),
            Kind::Char | Kind::Byte => self.number(1, false, format),
            Kind::WideChar => self.number(2, false, format),
            Kind::Enum { v1, names } => {
                let width = if *v1 || self.syntax == Syntax::Ndr64 { 4 } else { 2 };
                self.number(width, true, &Format::Names(names.clone()))
            }
            Kind::Float { .. } => Data::Float(f64::from(self.octets.octet()) / 2.0),
            Kind::Boolean => Data::Boolean(self.octets.choose(3)),
            Kind::Guid => Data::Guid(self.guid()),
            Kind::ContextHandle => Data::Handle(Box::new(ContextHandle {
                attributes: self.octets.octet().into(),
                uuid: self.guid(),
            })),
            Kind::Interface { of, .. } if self.octets.choose(2) == 1 => {
                self.referent += 4;
                let objref = (0..self.octets.choose(9)).map(|_| self.octets.octet()).collect();
                Data::Interface(Box::new(InterfacePointer {
                    referent: self.referent,
                    of: of.clone(),
                    objref: Some(objref),
                    at: Span::default(),
                    object: None,
                    stop: None,
                }))
            }
            Kind::Pointer { kind, to }
                if *kind == Pointing::Ref || (self.depth < 8 && self.octets.choose(3) > 0) =>
            {
                self.referent += 4;
                let referent = self.referent;
                Data::Pointer(Box::new(Pointer { referent, to: self.value(*to, None) }))
            }
            Kind::Interface { .. } | Kind::Pointer { .. } => Data::Null,
            Kind::Array(array) => self.array(array),
            Kind::Struct(record) => {
                let fields: Vec<_> = record.fields.iter().collect();
                let fields = self.fields(&fields, false);
                Data::Record(Box::new(Record { name: ty.name.clone(), fields }))
            }
            Kind::Union(union) => {
                let default = union.arms.iter().any(|arm| arm.default);
                let tags = [1, 2, 3, 5, 4, 0];
                let tag = tags[usize::from(self.octets.choose(if default { 6 } else { 4 }))];
                let mut of = self.value(union.switch, None);
                set(&mut of, tag);
                let field = union.arm(tag).unwrap().field.as_ref();
                let arm = field.map(|f| (f.name.clone(), self.value(f.ty, f.format.as_ref())));
                Data::Union(Box::new(Union { name: ty.name.clone(), tag: of, arm }))
            }
            Kind::Void | Kind::Handle => Data::Unread,
        };
        self.depth -= 1;
        Value { data, span: Span::default() }
    }

    fn number(&mut self, width: u8, signed: bool, format: &Format) -> Data {
        let unused = 64 - u32::from(width) * 8;
        let bits = self.octets.u64() << unused;
        let bits =
            if signed { (bits.cast_signed() >> unused).cast_unsigned() } else { bits >> unused };
        Data::Number(Number { bits, width, signed, format: format.clone() })
    }

    fn guid(&mut self) -> Guid {
        Guid::from_u64_pair(self.octets.u64(), self.octets.u64())
    }

    fn array(&mut self, array: &Array) -> Data {
        let varying = array.shape.varying();
        let offset = if array.first_is.is_some() { self.octets.choose(5) } else { 0 };
        let len = match array.shape {
            Shape::Fixed(n) => n,
            _ => self.octets.choose(4).into(),
        };
        let len = if array.string { len + 1 } else { len };
        let end = u64::from(len) + u64::from(offset);
        let counts = Counts {
            max: match array.shape {
                Shape::Conformant => Some(at(len.into())),
                Shape::ConformantVarying => Some(at(end + u64::from(self.octets.choose(3)))),
                _ => None,
            },
            offset: varying.then_some(at(offset.into())),
            actual: varying.then_some(at(len.into())),
        };
        let of = &self.types.get(array.of).kind;
        if array.string {
            let letters = len - 1;
            let units = if matches!(of, Kind::WideChar | Kind::Integer { width: 2, .. }) {
                let units = (0..letters).map(|_| u16::from(self.octets.octet()) * 211);
                Units::Wide(units.chain([0]).collect())
            } else {
                Units::Narrow((0..letters).map(|_| self.octets.octet()).chain([0]).collect())
            };
            return Data::Text(Box::new(Text { units, counts }));
        }
        if matches!(of, Kind::Byte) {
            let bytes = (0..len).map(|_| self.octets.octet()).collect();
            return Data::Bytes(Box::new(Bytes { bytes, counts }));
        }
        let items = (0..len).map(|_| self.value(array.of, None)).collect();
        Data::List(Box::new(List { items, counts }))
    }

    /// Values of all fields, where those that count and choose say what the others are.
    fn fields(&mut self, fields: &[&Field], parameters: bool) -> Vec<(Arc<str>, Value)> {
        let mut values: Vec<_> = fields
            .iter()
            .map(|field| {
                let ty = match self.types.get(field.ty).kind {
                    Kind::Pointer { kind: Pointing::Ref, to } if parameters => to,
                    _ => field.ty,
                };
                (field.name.clone(), self.value(ty, field.format.as_ref()))
            })
            .collect();
        for (at, field) in fields.iter().enumerate() {
            let mut assigned = Vec::new();
            if let (Some(Expr::Name(name)), Data::Union(union)) =
                (&field.switch_is, &values[at].1.target().data)
            {
                assigned.push((name.clone(), union.tag.as_i64().unwrap()));
            }
            let (mut id, mut value) = (field.ty, Some(&values[at].1));
            while let Kind::Pointer { to, .. } = self.types.get(id).kind {
                id = to;
                value = match value.map(|value| &value.data) {
                    Some(Data::Pointer(pointer)) => Some(&pointer.to),
                    Some(Data::Null) => None,
                    _ => value,
                };
            }
            if let Kind::Array(array) = &self.types.get(id).kind {
                let counts = match value.map(|value| &value.data) {
                    Some(Data::List(list)) => list.counts,
                    Some(Data::Bytes(bytes)) => bytes.counts,
                    _ => Counts::default(),
                };
                for (expr, count) in [
                    (&array.size_is, counts.max),
                    (&array.first_is, counts.offset),
                    (&array.length_is, counts.actual),
                ] {
                    if let Some(Expr::Name(name)) = expr {
                        let n = count.map_or(0, |(n, _)| i64::try_from(n).unwrap());
                        assigned.push((name.clone(), n));
                    }
                }
            }
            for (name, n) in assigned {
                let (_, operand) = values.iter_mut().find(|(of, _)| *of == name).unwrap();
                set(operand, n);
            }
        }
        values
    }
}

fn set(value: &mut Value, n: i64) {
    let Data::Number(number) = &mut value.data else { panic!("a number counts") };
    number.bits = n.cast_unsigned();
}

/// Forgets where values were.
fn forget(value: &mut Value) {
    let clear = |counts: &mut Counts| {
        for count in [&mut counts.max, &mut counts.offset, &mut counts.actual] {
            *count = count.map(|(n, _)| (n, Span::default()));
        }
    };
    value.span = Span::default();
    match &mut value.data {
        Data::Pointer(pointer) => forget(&mut pointer.to),
        Data::Record(record) => record.fields.iter_mut().for_each(|(_, value)| forget(value)),
        Data::List(list) => {
            clear(&mut list.counts);
            list.items.iter_mut().for_each(forget);
        }
        Data::Union(union) => {
            forget(&mut union.tag);
            union.arm.iter_mut().for_each(|(_, value)| forget(value));
        }
        Data::Text(text) => clear(&mut text.counts),
        Data::Bytes(bytes) => clear(&mut bytes.counts),
        Data::Interface(pointer) => pointer.at = Span::default(),
        _ => {}
    }
}

/// Leaves out what the IDL makes follow from the arrays.
fn without_counts(arg: &mut Arg) {
    match arg {
        Arg::List(items) => items.iter_mut().for_each(without_counts),
        Arg::Record(members) => {
            members.retain(|(name, _)| !name.starts_with("n_"));
            for (_, arg) in members {
                without_counts(arg);
            }
        }
        _ => {}
    }
}

struct Drawn {
    text: String,
    module: Module,
    arguments: Arguments,
}

fn draw(idl: &[u8], octets: &[u8], direction: Direction, syntax: Syntax) -> Drawn {
    let text = declarations(idl, direction);
    let module = interface(&text);
    let operation = &module.interfaces[0].operations[0];
    let fields: Vec<_> = operation.params.iter().map(|param| &param.field).collect();
    let types = &module.types;
    let referent = 0x0002_0000;
    let mut drawer = Drawer { octets: Octets(octets), types, syntax, referent, depth: 0 };
    let params = drawer.fields(&fields, true);
    let returns = operation.returns.as_ref().filter(|_| direction == Direction::Out);
    let ret = returns.map(|field| drawer.value(field.ty, field.format.as_ref()));
    Drawn { text, arguments: Arguments { params, ret }, module }
}

fn bytes(
    module: &Module,
    direction: Direction,
    arguments: &Arguments,
    context: Context,
    before: usize,
) -> Result<Vec<u8>, Unencodable> {
    let operation: &Operation = &module.interfaces[0].operations[0];
    let Arguments { params, ret } = arguments;
    let mut stub = vec![0xee; before];
    encode(&module.types, operation, direction, params, ret.as_ref(), context, &mut stub)?;
    Ok(stub)
}

fn choices(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

fn context(ndr64: bool, big: bool) -> Context {
    Context {
        syntax: if ndr64 { Syntax::Ndr64 } else { Syntax::Ndr },
        order: if big { Order::Big } else { Order::Little },
    }
}

fn direction(output: bool) -> Direction {
    if output { Direction::Out } else { Direction::In }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_encoded_decodes_to_what_it_was(
        idl in choices(120),
        octets in choices(200),
        output: bool,
        ndr64: bool,
        big: bool,
        before in 0usize..9,
    ) {
        let (context, direction) = (context(ndr64, big), direction(output));
        let Drawn { text, module, arguments } = draw(&idl, &octets, direction, context.syntax);
        let stub = bytes(&module, direction, &arguments, context, before);
        let stub = stub.map_err(|error| TestCaseError::fail(format!("{text}\n{error}")))?;
        let view = View::new(&stub, &[], &[]);
        let operation = &module.interfaces[0].operations[0];
        let from = u32::try_from(before).unwrap();
        let decoded = decode(&module.types, operation, direction, view, from, context);
        prop_assert_eq!(&decoded.stop, &None, "{}\n{:02x?}", &text, &stub);
        prop_assert_eq!(&decoded.notes, &[], "{}", &text);
        prop_assert_eq!(decoded.used as usize, stub.len(), "{}", &text);
        let mut found = Arguments::from(decoded.clone());
        found.params.iter_mut().for_each(|(_, value)| forget(value));
        found.ret.iter_mut().for_each(forget);
        prop_assert_eq!(&found, &arguments, "{}\n{:02x?}", &text, &stub);
        // Where values were is not asked for, so it makes no difference.
        let again = bytes(&module, direction, &decoded.into(), context, before).unwrap();
        prop_assert_eq!(&again, &stub);
    }

    #[test]
    fn what_is_shown_as_json_can_be_built_of_it(
        idl in choices(120),
        octets in choices(200),
        output: bool,
        ndr64: bool,
    ) {
        let (context, direction) = (context(ndr64, false), direction(output));
        let Drawn { text, module, mut arguments } = draw(&idl, &octets, direction, context.syntax);
        let operation = &module.interfaces[0].operations[0];
        let ret = arguments.ret.take().map(|ret| ("return".into(), ret));
        arguments.params.extend(ret);
        let shown = fields(&arguments.params).to_string();
        let Ok(mut given) = serde_json::from_str(&shown) else { panic!("{shown}") };
        without_counts(&mut given);
        let Arg::Record(given) = given else { panic!("{shown}") };
        let built = build(&module.types, operation, direction, &given);
        let built = built.map_err(|error| TestCaseError::fail(format!("{text}{shown}\n{error}")))?;
        let stub = bytes(&module, direction, &built, context, 0).unwrap();
        let view = View::new(&stub, &[], &[]);
        let decoded = decode(&module.types, operation, direction, view, 0, context);
        prop_assert_eq!(&decoded.stop, &None, "{}", &text);
        prop_assert_eq!(&decoded.notes, &[], "{}", &text);
        let mut found = decoded.params;
        found.extend(decoded.ret.map(|ret| ("return".into(), ret)));
        prop_assert_eq!(fields(&found).to_string(), shown, "{}", &text);
    }

    #[test]
    fn a_value_of_another_type_is_refused_and_never_panics(
        idl in choices(80),
        other in choices(80),
        octets in choices(100),
        ndr64: bool,
    ) {
        let context = context(ndr64, false);
        let of = draw(&idl, &octets, Direction::In, context.syntax);
        let mut given = draw(&other, &octets, Direction::In, context.syntax).arguments;
        // The names of the parameters would be refused first.
        let names = of.arguments.params.iter().map(|(name, _)| name.clone());
        given.params = names.zip(given.params.into_iter().map(|(_, value)| value)).collect();
        match bytes(&of.module, Direction::In, &given, context, 0) {
            Err(error) => prop_assert!(!error.path.is_empty(), "{}", error),
            Ok(stub) => {
                let view = View::new(&stub, &[], &[]);
                let operation = &of.module.interfaces[0].operations[0];
                let types = &of.module.types;
                let decoded = decode(types, operation, Direction::In, view, 0, context);
                prop_assert_eq!(&decoded.stop, &None, "{}", of.text);
                let again = bytes(&of.module, Direction::In, &decoded.into(), context, 0);
                prop_assert_eq!(again, Ok(stub), "{}", of.text);
            }
        }
    }
}
