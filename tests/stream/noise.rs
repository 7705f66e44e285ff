//! Damaged bytes: nothing panics, and everything ends.

use proptest::prelude::*;
use vshark::bytes::{Reader, View};
use vshark::rpc::pdu;
use vshark::smb;

use super::CAPTURES;
use super::read::{read, read_watching};
use super::units::{messages, pdus};
use super::wire::{Trace, file};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_damaged_file_is_read_to_its_end(
        name in prop::sample::select(&CAPTURES[..]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..60),
        end in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut file = file(name);
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if cut {
            file.truncate(end.index(file.len()));
        }
        read(&file);
    }

    /// The headers up to TCP stay, so that what is above them gets to see the damage.
    #[test]
    fn damaged_payloads_are_read_to_their_end(
        name in prop::sample::select(&CAPTURES[..]),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), 0usize..300, any::<u8>()), 1..60),
    ) {
        let mut trace = Trace::open(name);
        for (packet, at, byte) in changes {
            let packet = packet.index(trace.packets.len());
            if let Some(octet) = trace.packets[packet].payload.get_mut(at) {
                *octet = byte;
            }
        }
        let bytes = trace.bytes();
        let calls = read(&bytes).calls.len();
        prop_assert_eq!(read_watching(&bytes, None).calls.len(), calls);
    }
}

#[test]
fn any_octet_of_a_message_may_be_anything() {
    for mut bytes in pdus("e-py-bad_pdus.pcap").into_iter().take(12) {
        each_change(&mut bytes, |bytes| {
            let _ = pdu::dissect(&mut Reader::new(View::new(bytes, &[], &[]), &mut ()));
        });
    }
    let old = messages("d-NT1-sign.pcap").into_iter().take(30);
    for mut bytes in messages("e-py-bad_pdus.pcap").into_iter().take(30).chain(old) {
        each_change(&mut bytes, |bytes| {
            let _ = smb::dissect(&mut Reader::new(View::new(bytes, &[], &[]), &mut ()), |_| {});
        });
    }
}

/// Every octet changed by itself, in a few ways.
pub(crate) fn each_change(bytes: &mut [u8], mut then: impl FnMut(&[u8])) {
    for at in 0..bytes.len() {
        let octet = bytes[at];
        for changed in [0, 1, 0x7f, 0x80, 0xff, octet ^ 1, octet ^ 0x10, octet.wrapping_add(1)] {
            bytes[at] = changed;
            then(bytes);
        }
        bytes[at] = octet;
    }
}
