//! Protocol towers, floor by floor.

use proptest::prelude::*;

use super::hex;
use crate::ndr::tower::{Says, Tower};

/// Two floors of UUIDs, which every tower begins with.
const TOP: &str = "
    1300 0d 3c65e0a8 4427 8943 a61d7373df8b2292 0100 0200 0000
    1300 0d 045d888a eb1c c911 9fe808002b104860 0200 0200 0000";

fn tower(count: &str, rest: &str) -> Tower {
    Tower::read(&hex(&format!("{count} {TOP} {rest}")))
}

#[test]
fn every_protocol_sequence_has_its_binding() {
    for (rest, binding) in [
        ("0100 0b 0200 0000  0100 07 0200 0087  0100 09 0400 00000000", "ncacn_ip_tcp:[135]"),
        (
            "0100 0a 0200 0000  0100 08 0200 0087  0100 09 0400 0a000001",
            "ncadg_ip_udp:10.0.0.1[135]",
        ),
        (
            "0100 0b 0200 0000  0100 0f 0800 5c706970655c7800  0100 11 0700 5c5c4653533100",
            r"ncacn_np:\\FSS1[\pipe\x]",
        ),
        ("0100 0b 0200 0000  0100 1f 0200 0251  0100 09 0400 0a000001", "ncacn_http:10.0.0.1[593]"),
        ("0100 0b 0200 0000  0100 10 0400 61626300  0100 09 0000", "ncalrpc:[abc]"),
    ] {
        let tower = tower("0500", rest);
        assert_eq!((tower.binding().as_deref(), &tower.stop), (Some(binding), &None));
        assert_eq!(tower.interface().map(|(_, major, minor)| (major, minor)), Some((1, 0)));
    }
}

#[test]
fn what_is_not_known_keeps_its_octets() {
    let tower = tower("0400", "0200 1607 0300 010203  0100 07 0300 000001");
    assert_eq!((tower.floors.len(), &tower.stop), (4, &None));
    let octets = |left: &[u8], right: &[u8]| Says::Octets(left.into(), right.into());
    assert_eq!(tower.floors[2].says, octets(&[7], &[1, 2, 3]));
    assert_eq!(tower.floors[2].protocol_name(), None);
    // A port of three octets is none.
    assert_eq!(tower.floors[3].says, octets(&[], &[0, 0, 1]));
    assert_eq!(tower.to_string(), "4 floors");
}

#[test]
fn every_prefix_keeps_the_floors_it_has() {
    let whole =
        hex(&format!("0500 {TOP} 0100 0b 0200 0000 0100 07 0200 0087 0100 09 0400 0a000001"));
    let floors = Tower::read(&whole).floors;
    for len in 0..whole.len() {
        let tower = Tower::read(&whole[..len]);
        let complete = floors.iter().filter(|floor| floor.span.end as usize <= len).count();
        assert_eq!(tower.floors, floors[..complete], "{len} octets");
        assert!(tower.stop.is_some(), "{len} octets");
    }
}

#[test]
fn lengths_that_lie_stop_there() {
    for (octets, floors) in [
        ("ffff 0100 07 0200 0087", 1), // more floors than there are
        ("0100 ffff 07 0200 0087", 0), // a left-hand side beyond the end
        ("0100 0100 07 ffff 0087", 0), // a right-hand side beyond the end
        ("0100 0000 0200 0087", 0),    // no protocol
    ] {
        let tower = Tower::read(&hex(octets));
        assert_eq!(tower.floors.len(), floors, "{octets}");
        assert!(tower.stop.is_some(), "{octets}");
    }
    // A real tower has five floors; nobody builds skyscrapers.
    let high = format!("2100 {}", "0100 07 0000 ".repeat(33));
    let tower = Tower::read(&hex(&high));
    assert_eq!(
        (tower.floors.len(), tower.stop.is_some_and(|stop| stop.is_malformed())),
        (32, true)
    );
}

proptest! {
    #[test]
    fn noise_ends(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let tower = Tower::read(&octets);
        for floor in &tower.floors {
            prop_assert!(floor.span.end as usize <= octets.len());
        }
        let _ = (tower.to_string(), tower.binding());
    }
}
