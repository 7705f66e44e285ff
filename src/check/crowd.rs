//! [`room`]: a table of the clients of a server, in which those who came for something of ours do not
//! give way to those who did not.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::bytes::Time;

/// The entry of a client. Where there are `most` of them, another makes room: of those that are `idle`
/// the one that was heard of first. Nothing where none is.
pub(super) fn room<T: Default>(
    all: &mut BTreeMap<IpAddr, T>,
    client: IpAddr,
    most: usize,
    idle: impl Fn(&T) -> Option<Time>,
) -> Option<&mut T> {
    if all.len() >= most && !all.contains_key(&client) {
        let idle = all.iter().filter_map(|(ip, of)| Some((idle(of)?, *ip)));
        let (_, first) = idle.min()?;
        all.remove(&first);
    }
    Some(all.entry(client).or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_for_nothing_makes_room() {
        let ip = |n: u8| IpAddr::from([10, 0, 0, n]);
        let mut all = BTreeMap::new();
        let idle = |of: &i128| (*of > 0).then(|| Time::from_nanos(*of));
        for n in 0..3 {
            *room(&mut all, ip(n), 3, idle).expect("there is room") = i128::from(n);
        }
        assert_eq!(room(&mut all, ip(2), 3, idle), Some(&mut 2));
        assert_eq!(room(&mut all, ip(9), 3, idle), Some(&mut 0));
        assert_eq!(all.keys().copied().collect::<Vec<_>>(), [ip(0), ip(2), ip(9)]);
        *all.get_mut(&ip(2)).expect("it is there") = 0;
        assert_eq!(room(&mut all, ip(7), 3, idle), None);
    }
}
