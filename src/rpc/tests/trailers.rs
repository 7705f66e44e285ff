//! \[MS-RPCE\] 2.2.2.13: where verification trailers are, what they repeat, and what is at odds with it.

use super::*;

/// The trailer of Samba's first requests: a bitmask and the presentation context.
fn verification_trailer() -> Vec<u8> {
    PLAIN
        .body()
        .raw(&trailer::SIGNATURE)
        .u16(1)
        .u16(4)
        .u32(1)
        .u16(0x4002)
        .u16(40)
        .syntax((FSRVP, 1))
        .syntax(NDR)
        .bytes
}

#[test]
fn the_verification_trailer_is_found_only_where_it_ends_the_stub() {
    let find = |stub: &[u8]| trailer::find(View::new(stub, &[], &[]), Order::Little);
    let trailer = verification_trailer();
    let with = |before: &[u8]| [before, &trailer].concat();
    assert_eq!(find(&trailer), Some(0), "GetSupportedVersion's stub is nothing else");
    assert_eq!(find(&with(b"args")), Some(4));
    assert_eq!(find(&with(b"arg")), None, "it is aligned to four");
    assert_eq!(find(&[&with(b"args")[..], b"more"].concat()), None);
    assert_eq!(find(&with(&trailer::SIGNATURE)), Some(8), "an argument may look like its start");
    let big = with(b"args");
    let big = View::new(&big, &[], &[]);
    assert_eq!(trailer::find(big, Order::Big), Some(4), "Samba's is little-endian in any stub");
    assert_eq!(trailer::order_of(big.from(4), Order::Big), Some(Order::Little));
    for len in 0..trailer.len() {
        assert_eq!(find(&trailer[..len]), None);
    }
    let mut long = trailer.clone();
    long[10] = 200;
    assert_eq!(find(&long), None);
}

/// A command of a trailer, the last one.
fn last(command: u16, value: &Writer) -> Writer {
    let len = u16::try_from(value.bytes.len()).unwrap();
    let style = Style { order: value.order, ..PLAIN };
    style.body().raw(&trailer::SIGNATURE).u16(command | 0x4000).u16(len).raw(&value.bytes)
}

/// What is at odds in the first request, whose stub this is.
fn odds(style: Style, bind_flags: u8, stub: &[u8]) -> Option<(String, String)> {
    let bind = style.proposals(&[(0, FSRVP, &[NDR])]);
    let chunks = [
        (Side::Client, style.pdu(PacketType::BIND, bind_flags, 1, bind)),
        (Side::Server, style.bind_ack(&[(0, 0, NDR)])),
        (Side::Client, style.request(2, 0, 8, stub)),
        (Side::Server, style.response(2, b"", 3)),
    ];
    let calls = calls(&chunks);
    let request = calls[0].request.as_ref().unwrap();
    let at = trailer::find(request.stub.view(), request.order).unwrap();
    trailer::at_odds(&calls[0], Span::new(at, request.stub.len()))
}

fn header(style: Style, ptype: u8, drep: u8, call_id: u32, context_id: u16, opnum: u16) -> Writer {
    let head = style.body().raw(&[ptype, 0, 0, 0, drep, 0, 0, 0]);
    last(3, &head.u32(call_id).u16(context_id).u16(opnum))
}

#[test]
fn what_a_trailer_repeats_is_held_against_what_was_said() {
    let big = Style { order: Order::Big, ..PLAIN };
    let with = |interface: Syntax<'_>, transfer| {
        last(2, &PLAIN.body().syntax(interface).syntax(transfer)).bytes
    };
    let header = |style, ptype, drep, call_id, context_id, opnum| {
        header(style, ptype, drep, call_id, context_id, opnum).bytes
    };
    for (style, flags, stub) in [
        (PLAIN, 7, verification_trailer()),
        (PLAIN, 3, with((FSRVP, 1), NDR)),
        (PLAIN, 3, last(1, &PLAIN.body().u32(0)).bytes),
        (PLAIN, 7, last(1, &PLAIN.body().u32(0)).bytes),
        (PLAIN, 3, header(PLAIN, 0, 0x10, 2, 0, 8)),
        (big, 3, header(big, 0, 0, 2, 0, 8)),
        // A command that nobody knows.
        (PLAIN, 3, last(9, &PLAIN.body().u32(0)).bytes),
    ] {
        assert_eq!(odds(style, flags, &stub), None, "{stub:02x?}");
    }
    let interface = |version: &str| format!("interface {version}");
    for (flags, stub, said, is) in [
        (
            7,
            with((MGMT, 1), NDR),
            interface(&format!("{MGMT} 1.0")),
            interface(&format!("{FSRVP} 1.0")),
        ),
        (
            7,
            with((FSRVP, 0x1_0001), NDR),
            interface(&format!("{FSRVP} 1.1")),
            interface(&format!("{FSRVP} 1.0")),
        ),
        (7, with((FSRVP, 1), NDR64), format!("transfer syntax {} 1.0", NDR64.0), "NDR".into()),
        (3, header(PLAIN, 2, 0x10, 2, 0, 8), "PTYPE 2".into(), "PTYPE 0".into()),
        (
            3,
            header(PLAIN, 0, 0, 2, 0, 8),
            "big-endian integers".into(),
            "little-endian integers".into(),
        ),
        (3, header(PLAIN, 0, 0x10, 3, 0, 8), "call_id 3".into(), "call_id 2".into()),
        (3, header(PLAIN, 0, 0x10, 2, 1, 8), "p_cont_id 1".into(), "p_cont_id 0".into()),
        (3, header(PLAIN, 0, 0x10, 2, 0, 9), "opnum 9".into(), "opnum 8".into()),
    ] {
        assert_eq!(odds(PLAIN, flags, &stub), Some((said, is)), "{stub:02x?}");
    }
}

/// Where nothing is signed, nobody offers to sign headers.
#[test]
fn who_signs_headers_has_offered_it() {
    let signed = Style { auth: Some((10, 5, 0)), ..PLAIN };
    let claims = last(1, &PLAIN.body().u32(1)).bytes;
    assert_eq!(odds(signed, 7, &claims), None);
    assert_eq!(odds(PLAIN, 3, &claims), None);
    let (said, is) = odds(signed, 3, &claims).unwrap();
    assert_eq!((&*said, &*is), ("that the client signs headers", "no offer to do so"));
    assert_eq!(odds(signed, 3, &last(1, &PLAIN.body().u32(0)).bytes), None);
}

/// Nobody is held to a bind that was not seen.
#[test]
fn without_the_bind_only_the_header_is_compared() {
    for (stub, wrong) in [
        (verification_trailer(), false),
        (header(PLAIN, 0, 0x10, 2, 0, 8).bytes, false),
        (header(PLAIN, 0, 0x10, 2, 0, 9).bytes, true),
    ] {
        let calls = calls(&[
            (Side::Client, PLAIN.request(2, 0, 8, &stub)),
            (Side::Server, PLAIN.response(2, b"", 3)),
        ]);
        let odds = trailer::at_odds(&calls[0], Span::new(0, u32::try_from(stub.len()).unwrap()));
        assert_eq!(odds.is_some(), wrong, "{odds:?}");
    }
}
