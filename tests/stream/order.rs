//! The same bytes in other segments, in another order, more than once.

use proptest::prelude::*;

use super::read::{Reading, read};
use super::wire::Trace;
use super::{CAPTURES, sizes};

/// The same calls; on several connections, in any order.
fn check(name: &str, changed: &Trace, whole: &Reading) -> Result<(), TestCaseError> {
    let part = read(&changed.bytes());
    if whole.summary.tcp.flows == 1 {
        prop_assert_eq!(part.timeless(), whole.timeless(), "{}", name);
    }
    prop_assert_eq!(part.unordered(), whole.unordered(), "{}", name);
    prop_assert_eq!(part.summary.tcp.lost_bytes, whole.summary.tcp.lost_bytes, "{}", name);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn sizes_of_segments_change_nothing(
        name in prop::sample::select(&CAPTURES[..]),
        sizes in sizes(),
    ) {
        let trace = Trace::open(name);
        check(name, &trace.recut(&sizes), &read(&trace.bytes()))?;
    }

    #[test]
    fn order_and_repetition_change_nothing(
        name in prop::sample::select(&CAPTURES[..]),
        picks in prop::collection::vec(0usize..8, 1..200),
        reach in 1usize..8,
        copies in prop::collection::vec((any::<usize>(), 0usize..30), 0..30),
    ) {
        let trace = Trace::open(name);
        check(name, &trace.disturbed(&picks, reach, &copies), &read(&trace.bytes()))?;
    }

    #[test]
    fn bytes_sent_again_in_other_segments_change_nothing(
        name in prop::sample::select(&CAPTURES[..]),
        sizes in sizes(),
        backs in prop::collection::vec(prop_oneof![Just(0u16), 1u16..2000], 1..60),
        picks in prop::collection::vec(0usize..8, 1..200),
        reach in 1usize..8,
        copies in prop::collection::vec((any::<usize>(), 0usize..30), 0..30),
    ) {
        let trace = Trace::open(name);
        let changed = trace.recut(&sizes).overlapping(&backs).disturbed(&picks, reach, &copies);
        check(name, &changed, &read(&trace.bytes()))?;
    }
}
