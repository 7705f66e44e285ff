//! What DCOM puts into octets that are not NDR, and into stubs beside the parameters.

use vshark::bytes::{Order, Span, Tree, View};
use vshark::dcom;
use vshark::idl::Syntax;
use vshark::ndr::{self, Context, Data, Decoded, Direction, InterfacePointer, Value};
use vshark::protocol::dcom::{
    IACTIVATION, IOBJECTEXPORTER, IREMOTESCMACTIVATOR, IREMUNKNOWN, IREMUNKNOWN2,
};
use vshark::report::{json, value};

use super::{REGISTRY, Script, check_rows, harmless};

/// An `OBJREF`, behind an octet that says how far into a stub it is.
pub fn objref(data: &[u8]) {
    let mut script = Script(data);
    let Some(from) = script.u8().map(u32::from) else { return };
    let len = u32::try_from(script.0.len()).expect("an input is small");
    let pointer = InterfacePointer {
        referent: 1,
        of: None,
        objref: Some(script.0.into()),
        at: Span::new(from, from + len),
        object: None,
        stop: None,
    };
    let span = Span::new(0, from.min(4));
    let value = Value { data: Data::Interface(Box::new(pointer)), span };
    let mut decoded = Decoded { params: vec![("p".into(), value)], ..Decoded::default() };
    dcom::open(&mut decoded, REGISTRY.dcom());
    check(&decoded, from + len);
}

/// A stub of an activation, or of another method that has references in it: octets for the method,
/// for direction, syntax and byte order, then it.
pub fn activation(data: &[u8]) {
    let mut script = Script(data);
    let (Some(of), Some(how)) = (script.u8(), script.u8()) else { return };
    let methods = [
        (IREMOTESCMACTIVATOR, 4),
        (IREMOTESCMACTIVATOR, 3),
        (IACTIVATION, 0),
        (IOBJECTEXPORTER, 4),
        (IOBJECTEXPORTER, 5),
        (IREMUNKNOWN, 3),
        (IREMUNKNOWN2, 6),
    ];
    let (uuid, opnum) = methods[usize::from(of) % methods.len()];
    let interface = REGISTRY.interface(uuid, 0).expect("it is embedded");
    let direction = if how & 1 == 0 { Direction::In } else { Direction::Out };
    let context = Context {
        syntax: if how & 2 == 0 { Syntax::Ndr } else { Syntax::Ndr64 },
        order: if how & 4 == 0 { Order::Little } else { Order::Big },
    };
    let len = u32::try_from(script.0.len()).expect("an input is small");
    let stub = View::new(script.0, &[], &[]);
    let mut from = 0;
    if interface.object {
        let orpc = dcom::orpc(REGISTRY.dcom(), direction, stub, context);
        check(&orpc, len);
        if orpc.stop.is_some() {
            return;
        }
        from = orpc.used;
    }
    let decoded = interface.decode(opnum, direction, stub, from, context);
    let mut decoded = decoded.expect("the method is known");
    dcom::open(&mut decoded, REGISTRY.dcom());
    check(&decoded, len);
}

/// What was read lies within the octets, is no more than they can say, and can be shown.
fn check(decoded: &Decoded, len: u32) {
    /// References within references say the same octets again, a few times.
    const VALUES_OF_AN_OCTET: usize = 32;
    for (_, value) in &decoded.params {
        harmless(&value::text(value));
        harmless(&json::line(&value::json(value)));
    }
    let mut tree = Tree::default();
    ndr::rows(decoded, &|_| None, &mut tree);
    check_rows(&tree);
    let spans = tree.nodes().iter().map(|node| node.span);
    for span in spans.chain(decoded.notes.iter().map(|note| note.span)) {
        assert!(span.start <= span.end && span.end <= len, "{span:?} is beyond the {len} octets");
    }
    decoded.notes.iter().for_each(|note| harmless(&note.text));
    let octets = usize::try_from(len).expect("an input is small");
    let most = 64 + octets * VALUES_OF_AN_OCTET;
    assert!(tree.nodes().len() <= most, "{} values of {len} octets", tree.nodes().len());
    assert!(decoded.notes.len() <= most, "{} notes of {len} octets", decoded.notes.len());
}
