//! Connectionless RPC is told from everything else that travels in UDP.

use crate::bytes::View;
use crate::rpc::datagram::{Datagram, DatagramType, HEADER, dissect};

/// A request of operation 5 of \[MS-DCOM\] `IObjectExporter`, with two octets of arguments.
fn request(order: fn(u32) -> [u8; 4], short: fn(u16) -> [u8; 2], drep: u8) -> Vec<u8> {
    let guid = |first: u32, rest: [u8; 12]| [&order(first)[..], &rest].concat();
    [
        &[4, 0, 0x08, 0][..],        // version, request, PF_IDEMPOTENT, flags2
        &[drep, 0, 0, 0],            // drep, serial_hi
        &[0; 16],                    // object
        &guid(0x99fc_fec4, [1; 12]), // if_id
        &guid(7, [2; 12]),           // act_id
        &order(0),                   // server_boot
        &order(0x0002_0001),         // if_vers: major 1, minor 2
        &order(9),                   // seqnum
        &short(5),                   // opnum
        &short(0xffff),              // ihint
        &short(0xffff),              // ahint
        &short(2),                   // len
        &short(0),                   // fragnum
        &[0, 0],                     // auth_proto, serial_lo
        &[0xaa, 0xbb],
    ]
    .concat()
}

fn little() -> Vec<u8> {
    request(u32::to_le_bytes, u16::to_le_bytes, 0x10)
}

fn read(bytes: &[u8], wire_len: usize) -> Option<Datagram> {
    dissect(View::new(bytes, &[], &[]), u32::try_from(wire_len).unwrap())
}

#[test]
fn both_byte_orders_read_the_same() {
    let big = request(u32::to_be_bytes, u16::to_be_bytes, 0x00);
    for bytes in [little(), big] {
        let datagram = read(&bytes, bytes.len()).unwrap();
        assert_eq!((datagram.ptype, datagram.major, datagram.opnum), (DatagramType::REQUEST, 1, 5));
        assert_eq!(datagram.interface.as_fields().0, 0x99fc_fec4);
        // Of a datagram the snap length cut, the header is enough.
        assert_eq!(read(&bytes[..80], bytes.len()), Some(datagram));
    }
}

#[test]
fn no_shorter_prefix_is_rpc() {
    let bytes = little();
    for len in 0..HEADER as usize {
        assert_eq!(read(&bytes[..len], bytes.len()), None, "{len} octets");
    }
    for len in 0..bytes.len() {
        assert_eq!(read(&bytes[..len], len), None, "{len} octets on the wire");
    }
}

#[test]
fn what_the_header_fixes_must_be_so() {
    for (at, value, what) in [
        (0, 5, "the version"),
        (1, 11, "a type of the other protocol"),
        (2, 0x01, "a reserved flag"),
        (2, 0x80, "a reserved flag"),
        (3, 0x01, "a reserved flag"),
        (3, 0x04, "a reserved flag"),
        (4, 0x20, "a byte order"),
        (4, 0x12, "a character set"),
        (5, 4, "a format of floating point"),
        (6, 1, "a reserved octet"),
        (74, 3, "a length"),
        (74, 1, "a length"),
    ] {
        let mut bytes = little();
        bytes[at] = value;
        assert_eq!(read(&bytes, bytes.len()), None, "{what}: octet {at} is {value}");
    }
    for at in [24, 40] {
        let mut bytes = little();
        bytes[at..at + 16].fill(0);
        assert_eq!(read(&bytes, bytes.len()), None, "nobody is called nil");
    }
    // What follows the body is a verifier, if one is announced.
    let mut bytes = little();
    bytes.push(0);
    assert_eq!(read(&bytes, bytes.len()), None);
    bytes[78] = 10;
    assert!(read(&bytes, bytes.len()).is_some());
    bytes.pop();
    assert_eq!(read(&bytes, bytes.len()), None, "a verifier is announced, and there is none");
}

/// Whatever the id of a DNS query is, it is none: 4 and any type, then flags and counts.
#[test]
fn names_are_looked_up_without_rpc() {
    for ptype in 0..=10 {
        for flags in [[0x01, 0x00], [0x00, 0x00], [0x81, 0x80], [0x84, 0x00]] {
            let mut query = vec![4, ptype, flags[0], flags[1], 0, 1, 0, 0, 0, 0, 0, 0];
            query.extend([62; 63]);
            query.extend([4, b't', b'e', b's', b't', 0, 0, 1, 0, 1]);
            query.resize(120, 0);
            assert_eq!(read(&query, query.len()), None);
        }
    }
}
