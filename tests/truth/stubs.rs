//! Stubs that other software wrote, decoded and encoded again: octet for octet what they were.
//!
//! The captures are of Samba, impacket, go-msrpc and Windows, so they are the judge of the layout.
//! Octets that no value has, which is padding, may have been anything and are not compared.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vshark::bytes::{Span, View};
use vshark::call::{Call, Stub};
use vshark::capture::Capture;
use vshark::idl::Syntax;
use vshark::ndr::{self, Arguments, Context, Counts, Data, Decoded, Direction, Unencodable, Value};
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::{Interface, Registry};
use vshark::rpc::{Message, Transfer};

use crate::{common, events};

/// How much was compared.
#[derive(Debug, Default)]
struct Count {
    stubs: usize,
    ndr64: usize,
    bytes: usize,
    padded: usize,
    /// Read with a note, such as a count that is not what the IDL says.
    odd: usize,
    /// Not read to their end.
    stopped: usize,
}

/// Marks the octets that the value has.
fn mark(value: &Value, of: &mut Vec<bool>) {
    let mut set = |span: Span| {
        let span = usize::try_from(span.start).unwrap()..usize::try_from(span.end).unwrap();
        of[span].fill(true);
    };
    let counts = |counts: &Counts| {
        [counts.max, counts.offset, counts.actual].into_iter().flatten().map(|(_, span)| span)
    };
    match &value.data {
        Data::Pointer(pointer) => {
            set(value.span);
            mark(&pointer.to, of);
        }
        Data::Record(record) => record.fields.iter().for_each(|(_, value)| mark(value, of)),
        Data::List(list) => {
            counts(&list.counts).for_each(set);
            list.items.iter().for_each(|value| mark(value, of));
        }
        Data::Union(union) => {
            mark(&union.tag, of);
            union.arm.iter().for_each(|(_, value)| mark(value, of));
        }
        Data::Text(text) => {
            set(value.span);
            counts(&text.counts).for_each(set);
        }
        Data::Bytes(bytes) => {
            set(value.span);
            counts(&bytes.counts).for_each(set);
        }
        Data::Interface(pointer) => {
            set(value.span);
            // With ulCntData before it.
            set(Span::new(pointer.at.start - 4, pointer.at.end));
        }
        _ => set(value.span),
    }
}

/// Encodes what was decoded of `stub` behind its first `from` octets, and compares.
fn compare(
    encode: impl FnOnce(&Arguments, &mut Vec<u8>) -> Option<Result<(), Unencodable>>,
    decoded: Decoded,
    stub: &[u8],
    from: usize,
    syntax: Syntax,
    count: &mut Count,
) -> Result<(), String> {
    let used = usize::try_from(decoded.used).unwrap();
    let arguments = Arguments::from(decoded);
    let mut again = stub[..from].to_vec();
    let encoded = encode(&arguments, &mut again);
    encoded.expect("it was decoded").map_err(|error| error.to_string())?;
    // The gap at the end of a structure in NDR64 may be left out where nothing follows.
    let most = if used == stub.len() && syntax == Syntax::Ndr64 { used + 7 } else { used };
    if again.len() < used || again.len() > most {
        return Err(format!("{used} octets became {}", again.len()));
    }
    let mut own = vec![false; used];
    let all = arguments.params.iter().map(|(_, value)| value).chain(&arguments.ret);
    all.for_each(|value| mark(value, &mut own));
    let mut padded = false;
    for at in from..used {
        if stub[at] != again[at] {
            if own[at] {
                return Err(format!("octet {at} of {used}: {stub:02x?} {again:02x?}"));
            }
            padded = true;
        }
    }
    count.padded += usize::from(padded);
    count.bytes += used - from;
    Ok(())
}

fn stub(
    call: &Call,
    message: Option<&Message>,
    side: &Stub,
    direction: Direction,
    count: &mut Count,
) -> Result<(), String> {
    let (Some(message), Some(_), Some(interface)) = (message, &side.decoded, &call.interface)
    else {
        return Ok(());
    };
    let (Some(opnum), Some(transfer)) = (call.rpc.opnum, call.rpc.transfer) else {
        return Ok(());
    };
    let syntax = match transfer {
        Transfer::Ndr => Syntax::Ndr,
        Transfer::Ndr64 => Syntax::Ndr64,
    };
    let context = Context { syntax, order: message.order };
    let view = side.arguments(&message.stub);
    let mut from = 0;
    if interface.object {
        let Some(header) = orpc(interface, view, direction, context, count)? else {
            count.stopped += 1;
            return Ok(());
        };
        from = header;
    }
    // As NDR has it: in what the call has, references and bindings are opened.
    let at = u32::try_from(from).unwrap();
    let decoded = interface.decode(opnum, direction, view, at, context);
    let decoded = decoded.expect("the operation is known");
    if decoded.stop.is_some() {
        count.stopped += 1;
        return Ok(());
    }
    count.stubs += 1;
    count.ndr64 += usize::from(syntax == Syntax::Ndr64);
    count.odd += usize::from(!decoded.notes.is_empty());
    let encode = |arguments: &Arguments, out: &mut Vec<u8>| {
        interface.encode(opnum, direction, arguments, context, out)
    };
    compare(encode, decoded, view.bytes(), from, syntax, count)
}

/// The length of `ORPCTHIS` or `ORPCTHAT`, which is encoded again too.
fn orpc(
    interface: &Interface,
    view: View<'_>,
    direction: Direction,
    context: Context,
    count: &mut Count,
) -> Result<Option<usize>, String> {
    let name: Arc<str> =
        if direction == Direction::In { "ORPCTHIS".into() } else { "ORPCTHAT".into() };
    let types = &interface.types;
    let ty = types.named(&name).expect("it is declared");
    let decoded = ndr::decode_type(types, ty, &name, view, 0, context);
    if decoded.stop.is_some() {
        return Ok(None);
    }
    let mut again = Vec::new();
    let (_, value) = &decoded.params[0];
    ndr::encode_type(types, ty, value, context, &mut again).map_err(|error| error.to_string())?;
    let used = usize::try_from(decoded.used).unwrap();
    if again != view.bytes()[..used] {
        return Err(format!("{name}: {:02x?} {:02x?}", &view.bytes()[..used], again));
    }
    count.bytes += used;
    Ok(Some(used))
}

fn capture(path: &Path, registry: &Registry, count: &mut Count) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut capture = Capture::open(&[path.to_owned()]);
    let mut pipeline = Pipeline::new(registry);
    events::run(&mut capture, &mut pipeline, |event| {
        let Event::Call(call) = event else { return };
        let sides = [
            (call.rpc.request.as_ref(), &call.request, Direction::In),
            (call.rpc.response.as_ref(), &call.response, Direction::Out),
        ];
        for (message, side, direction) in sides {
            if let Err(error) = stub(&call, message, side, direction, count) {
                let of = common::file_name(path);
                let opnum = call.rpc.opnum.unwrap_or_default();
                wrong.push(format!("{of}: opnum {opnum} {direction:?}: {error}"));
            }
        }
    });
    wrong
}

fn registry() -> Registry {
    let scmp = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/dissectors/scmp");
    Registry::load(&[scmp]).expect("the dissectors load")
}

fn captures(paths: &[PathBuf]) -> Count {
    let registry = registry();
    let mut count = Count::default();
    let mut wrong = Vec::new();
    for path in paths {
        wrong.extend(capture(path, &registry, &mut count));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    common::say(&format!("{count:?}"));
    count
}

fn folder(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).expect("the folder can be listed");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it is there").path()).collect();
    let ends = [".pcap", ".pcapng", ".cap", ".pcap.gz"];
    paths.retain(|path| ends.iter().any(|end| path.to_string_lossy().ends_with(end)));
    paths.sort();
    paths
}

#[test]
fn committed_captures_come_out_as_they_were() {
    let count = captures(&common::committed());
    assert!(count.stubs > 300, "{count:?}");
}

#[test]
fn shared_captures_come_out_as_they_were() {
    for part in ["captures/fsrvp", "captures/scmp", "captures/public"] {
        if let Some(path) = common::shared(part) {
            common::say(part);
            let count = captures(&folder(&path));
            assert!(count.stubs > 0, "{part}: {count:?}");
        }
    }
}
