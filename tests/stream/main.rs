//! Real captures cut, chopped, shuffled, thinned out and damaged: what the calls must still be.
//!
//! Every property compares what the library says of a changed capture with what it says of the
//! capture as it was recorded. What is missing may be missing; nothing may be wrong.

mod channels;
mod compressed;
#[path = "../common/compressors.rs"]
mod compressors;
#[path = "../common/events.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod events;
mod fragments;
mod loss;
mod noise;
mod order;
mod read;
mod session;
mod units;
mod whole;
mod wire;

use proptest::prelude::*;

/// The captures whose streams are taken apart.
const CAPTURES: [&str; 11] = [
    "a-ntlm-sign-smb311.pcap",
    "a5-spnego-sign.pcap",
    "b-ntlm-seal-smb311.pcap",
    "d-NT1-sign.pcap",
    "e-py-bad_pdus.pcap",
    "e-py-fragmented.pcap",
    "et-torture-create_simple-bigendian-sign.pcap",
    "g-two-clients-in-progress.pcap",
    "g-two_pipes_one_session.pcap",
    "h-krb5-sign.pcap",
    "i-real-mtu300-sign.pcap",
];

/// Sizes of segments, to be taken in turn.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![1usize..40, 20usize..300, 200usize..3000];
    prop::collection::vec(size, 1..12)
}
