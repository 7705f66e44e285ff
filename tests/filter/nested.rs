//! Parameters with much in them, of an interface that is told by its IDL alone.

use std::path::Path;

use vshark::bytes::{Both, Buffer, Order, Time, View};
use vshark::call::{Call, Carrier, Transport};
use vshark::filter::{Filter, names};
use vshark::protocol::Registry;
use vshark::rpc::{Auth, ChannelId, Ending, Message, SyntaxId, Transfer};

use super::{column, subject};

fn registry() -> Registry {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/dissectors/filter");
    Registry::load(&[folder]).expect("the IDL is right")
}

/// A request of `List` with this stub, field by field in NDR.
fn call(registry: &Registry, stub: &str) -> Call {
    let digits: Vec<char> = stub.chars().filter(char::is_ascii_hexdigit).collect();
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("octets"))
        .collect();
    let mut buffer = Buffer::default();
    buffer.push(View::new(&bytes, &[], &[]));
    let end = |port| ([10, 0, 0, 1], port).into();
    let request = Message {
        stub: buffer,
        frames: Vec::new(),
        time: Time::default(),
        ends: Both { client: end(50_000), server: end(135) },
        order: Order::Little,
        fragments: 1,
        complete: true,
        from_start: true,
        sealed: false,
        unsealed: false,
        verdict: None,
        open_end: None,
        pdus: Vec::new(),
    };
    let uuid = "6d1f0a3e-52c4-4b87-9e0d-3a5b7c9d1e2f".parse().expect("a GUID");
    let call = vshark::rpc::Call {
        channel: ChannelId(0),
        n: 1,
        call_id: 1,
        context_id: Some(0),
        interface: Some(SyntaxId { uuid, major: 1, minor: 0 }),
        transfer: Some(Transfer::Ndr),
        opnum: Some(0),
        object: None,
        auth: Auth::NONE,
        request: Some(request),
        response: None,
        ending: Ending::NoAnswer,
        header_sign: None,
        near_loss: false,
    };
    let carrier = Carrier { transport: Transport::Tcp, client_name: None, server_name: None };
    Call::new(call, carrier, registry)
}

/// Two books, one of them without a title, and a third that is a place.
fn listed(registry: &Registry) -> Call {
    let call = call(
        registry,
        "02000000                          // Count
         02000000                          // max_count of Books
         01000000000000000000000000000000  // [0].Id
         00000200 05000000                 // Title; Flags: WORN, LOST
         00803ed5deb19d01                  // Printed: 1970-01-01
         0a000b00 00000000                 // Pages
         02000000000000000000000000000000  // [1].Id
         00000000 02000000                 // no Title; Flags: LENT
         0000000000000000                  // Printed: 1601-01-01
         0c000d00                          // Pages
         03000000 00000000 03000000        // the first Title
         410062000000 0000                 // `Ab`
         01000000 01000000                 // Level; discriminant of Place
         04000200 00000000                 // Chosen, and padding
         03000000000000000000000000000000  // Id
         08000200 00000000                 // Title; Flags
         00803ed5deb19d01 0e000f00         // Printed; Pages
         02000000 00000000 02000000        // its Title
         43000000                          // `C`
         03000000 03000000 0a0bff 00       // Length; Picture
         01000000                          // Wanted"
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default())
            .collect::<String>()
            .as_str(),
    );
    let decoded = call.request.decoded.as_ref().expect("decoded");
    assert_eq!((&decoded.stop, &decoded.notes), (&None, &Vec::new()));
    call
}

#[test]
fn members_are_found_at_any_depth() {
    let registry = registry();
    let call = listed(&registry);
    let check = |text: &str, expect: bool| {
        let filter = Filter::parse(text, &registry).unwrap_or_else(|e| panic!("{text}: {e}"));
        let found = subject(&call, &registry, |subject| filter.matches(subject));
        assert_eq!(found, expect, "{text}");
    };
    for text in [
        "library && Shelf && library.List && library.Library_List",
        "library.Title == Ab && library.Title == C",
        "library.name == Ab",
        "library.Books.Title == Ab && not library.Books.Title == C",
        "library.Chosen.Title == C && not library.Chosen.Title == Ab",
        "library.Place.Chosen.Title == C",
        "library.WHERE.Chosen.Title == C",
        "library.BOOK.Title == Ab && library._book.title == C",
        "library.List.request.Books.Title == Ab",
        "request.Books.Title == Ab && request.Place",
        "Shelf.Pages == 10 && all Shelf.Pages >= 10 && library.Books.Pages == 13",
        "library.Flags & LOST && library.Books.Flags & LENT && library.Flags == 0",
        "library.Flags.flags == WORN",
        "all library.Books.Flags > 0",
        "library.Printed == 1970-01-01T00:00:00Z && library.Printed < 1700-01-01T00:00:00Z",
        "library.Picture == 0a:0b:ff && library.Picture contains 0bff",
        "library.Picture contains \"\\n\"",
        "library.Picture > 0a0b && library.Picture < 0b",
        "library.Wanted == true && library.Wanted == 1",
        "library.Books.Id == 00000002-0000-0000-0000-000000000000",
        "library.Books && library.Count == 2",
    ] {
        check(text, true);
    }
    for text in [
        "fsrvp",
        "library.Row",
        "library.Title == ab",
        "library.Books.Id == \
        00000003-0000-0000-0000-000000000000",
        "library.Flags & 8",
        "all library.Flags > 0",
        "library.Picture contains 0b0a",
        "response",
        "library.status == 0",
        "fsrvp.ShareName",
    ] {
        check(text, false);
    }
    let column = |name: &str| column(name, &call, &registry);
    assert_eq!(column("library.Title"), "Ab,C");
    assert_eq!(column("library.Books.Pages"), "10,11,12,13");
    assert_eq!(column("library.Flags.flags"), "WORN,LOST,LENT");
    assert_eq!(column("library.Picture"), "0a0bff");
    assert_eq!(
        column("library.Printed"),
        "1970-01-01T00:00:00.0000000Z,1601-01-01T00:00:00.0000000Z,1970-01-01T00:00:00.0000000Z"
    );
}

#[test]
fn what_a_name_is_for_is_known_from_the_idl() {
    let registry = registry();
    for text in [
        "library.Books.Row",
        "library.Title > 1 && library.Tile",
        "response.Title",
        "library.Count.name",
        "library.Books == 1",
        "library.Title & 1",
        "library.Id contains 1",
        "library.List.response.Title",
        "library.Flags == LENDED",
        "Book.Title",
        "library.Place.Title.Book",
    ] {
        assert!(Filter::parse(text, &registry).is_err(), "{text}");
    }
}

/// Every name that is listed is known, under all its names, and is listed once.
#[test]
fn every_name_listed_is_known() {
    let registry = registry();
    let listed = names(&registry);
    let mut seen = std::collections::BTreeSet::new();
    for field in &listed {
        for name in field.also.iter().chain([&field.name]) {
            assert!(Filter::parse(name, &registry).is_ok(), "{name}");
            assert!(seen.insert(name.clone()), "{name} twice");
        }
        assert!(!field.kinds.is_empty() && !field.what.is_empty(), "{field:?}");
    }
    for name in ["n", "frame.number", "fsrvp", "fsrvp.ShareName", "fsrvp.tstamp", "library.Title"] {
        assert!(seen.contains(name), "{name}");
    }
}
