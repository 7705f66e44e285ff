//! Captures after something has happened to them, and conversations whose stubs were sealed.

pub(crate) use crate::packets::{Mishap, Packet, file, packets};
use crate::talk::Talk;

/// Seals the stubs of all clients.
pub(crate) fn seal(talk: &mut Talk) {
    for client in &mut talk.clients {
        client.sealed = true;
        for setting in &mut client.settings {
            *setting = setting.replace("integrity", "privacy");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::dice::Dice;
    use crate::read;
    use crate::server::Profile;
    use crate::world::{self, Wish};

    fn talk(seed: u64, clients: usize) -> Talk {
        world::talk(seed, Wish { profile: Profile::Spec, clients, restarts: false }).0
    }

    fn after(talk: &Talk, mishap: Mishap) -> (Vec<Packet>, Vec<Packet>) {
        let before = packets(read::capture(talk).unwrap());
        let mut after = before.clone();
        mishap.happen(&mut after);
        // What is written is what is read.
        assert_eq!(packets(file(&after)), after);
        (before, after)
    }

    #[test]
    fn packets_are_dropped_and_swapped() {
        let talk = talk(1, 1);
        let (before, dropped) = after(&talk, Mishap::Drop(7));
        assert_eq!((before.len() - 1, &before[8]), (dropped.len(), &dropped[7]));
        let (before, late) = after(&talk, Mishap::DropFirst(9));
        assert_eq!(before[9..], late[..]);
        let (before, swapped) = after(&talk, Mishap::Swap(7));
        assert_eq!((&before[7].data, before[7].time), (&swapped[8].data, swapped[7].time));
        assert_eq!((&before[8].data, before[8].time), (&swapped[7].data, swapped[8].time));
        assert!(swapped.is_sorted_by_key(|packet| packet.time));
    }

    #[test]
    fn a_client_and_a_direction_are_hidden() {
        let mut hidden = 0;
        for seed in 0..20 {
            let talk = talk(seed, 3);
            let addresses: Vec<IpAddr> =
                talk.clients.iter().map(|client| client.address.parse().unwrap()).collect();
            let all = read::calls(read::capture(&talk).unwrap());
            let (_, left) = after(&talk, Mishap::HideClient(addresses[0]));
            let calls = read::calls(file(&left));
            let others = all.iter().filter(|call| call.client.addr.ip() != addresses[0]).count();
            assert_eq!(calls.len(), others, "seed {seed}");
            assert!(calls.iter().all(|call| call.client.addr.ip() != addresses[0]));
            hidden += all.len() - others;
            let server = all[0].server.addr.ip();
            let (before, asked) = after(&talk, Mishap::HideFrom(server));
            assert!(asked.len() < before.len() && !asked.is_empty());
            assert!(read::calls(file(&asked)).iter().all(|call| call.rpc.response.is_none()));
        }
        assert!(hidden > 20);
    }

    #[test]
    fn sealed_conversations_are_read_back_sealed() {
        for seed in 0..20 {
            let mut talk = talk(seed, 2);
            seal(&mut talk);
            read::back(&talk).unwrap();
        }
    }

    #[test]
    fn nothing_that_happens_to_a_capture_breaks_the_layers() {
        let mut dice = Dice::new(5);
        for seed in 0..100 {
            let mut packets = packets(read::capture(&talk(seed, 2)).unwrap());
            for _ in 0..3 {
                Mishap::any(&packets, &mut dice).happen(&mut packets);
                if packets.len() < 3 {
                    break;
                }
            }
            read::calls(file(&packets));
        }
    }
}
