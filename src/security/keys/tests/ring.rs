use super::*;

/// A ring that stopped learning did not know the newest.
#[test]
fn the_newest_tickets_are_remembered() {
    let keys = Keyring::default();
    let ticket = |n: usize| n.to_be_bytes();
    for n in 0..=TICKETS_MAX {
        keys.learn(&ticket(n), 18, Secret::from(ticket(n)));
        keys.see_given(&ticket(n), Given { client: Some(n.to_string()), closed: None });
    }
    assert_eq!((keys.learned(&ticket(0)), keys.given(&ticket(0))), (None, None));
    for n in [1, TICKETS_MAX] {
        assert_eq!(keys.learned(&ticket(n)), Some((18, Secret::from(ticket(n)))));
        assert_eq!(keys.given(&ticket(n)).unwrap().client, Some(n.to_string()));
    }
}
