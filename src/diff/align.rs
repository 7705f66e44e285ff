//! Which step of one list belongs to which of the other.
//!
//! What both begin with is taken as it comes: they go side by side until they part. Behind that, as
//! many weighty steps as can be belong to each other in their order, and of equally many the
//! earliest; between two that do, as many of the others.
//!
//! A table of all pairs finds them. It is bounded by [`MAX_CELLS`]; where all does not fit, what both
//! end in is taken as it comes, too, and what still does not fit is not aligned.

use std::cmp::Ordering;

use super::{Pair, Which};

/// Entries of the table. One takes four octets.
const MAX_CELLS: usize = 1 << 22;
/// Steps of one list that are in it at most.
const MAX_SIDE: usize = 1 << 11;

/// What a step is aligned by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Token {
    /// Steps that are the same deed have the same, however they ended.
    pub(super) key: u32,
    /// Whether it goes before those that do not have it.
    pub(super) weighty: bool,
}

/// Steps that belong to each other, or one that has no counterpart, in order.
pub(super) type Couple = Pair<Option<usize>>;

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Aligned {
    pub(super) couples: Vec<Couple>,
    /// Steps at the end of each that were not aligned.
    pub(super) left: Pair<usize>,
}

/// Aligns two lists.
pub(super) fn align(lists: Pair<&[Token]>) -> Aligned {
    // Whoever gave which list, the same one comes first.
    if lists.good.cmp(lists.bad) == Ordering::Greater {
        let Aligned { couples, left } = ordered(lists.swap());
        return Aligned {
            couples: couples.into_iter().map(Pair::swap).collect(),
            left: left.swap(),
        };
    }
    ordered(lists)
}

fn ordered(lists: Pair<&[Token]>) -> Aligned {
    let same = |(good, bad): &(&Token, &Token)| good.key == bad.key;
    let begin = lists.good.iter().zip(lists.bad).take_while(same).count();
    let rest = lists.map(|list| list.get(begin..).unwrap_or_default());
    // A common end may be that of a second attempt: the table finds the first.
    let end = if fits(rest.map(<[Token]>::len)) {
        0
    } else {
        rest.good.iter().rev().zip(rest.bad.iter().rev()).take_while(same).count()
    };
    let middle = rest.map(|list| list.get(..list.len().saturating_sub(end)).unwrap_or_default());
    let window = window(middle.map(<[Token]>::len));
    let part = Pair::of(|which| middle[which].get(..window[which]).unwrap_or_default());
    let mut pairs: Vec<Pair<usize>> = (0..begin).map(|at| Pair::of(|_| at)).collect();
    pairs.extend(between(part).into_iter().map(|at| at.map(|at| begin.saturating_add(at))));
    let all = window == middle.map(<[Token]>::len);
    let mut upto = window.map(|len| begin.saturating_add(len));
    let mut left = Pair::of(|which| rest[which].len().saturating_sub(window[which]));
    if all {
        pairs.extend((0..end).map(|at| upto.map(|upto| upto.saturating_add(at))));
        (upto, left) = (lists.map(<[Token]>::len), Pair::default());
    }
    Aligned { couples: couples(&pairs, upto), left }
}

fn fits(lens: Pair<usize>) -> bool {
    lens.good.saturating_mul(lens.bad) <= MAX_CELLS
}

/// How much of the two fits into the table. Where one is empty there is none.
fn window(lens: Pair<usize>) -> Pair<usize> {
    if lens.good > lens.bad {
        return window(lens.swap()).swap();
    }
    if fits(lens) {
        return lens;
    }
    let good = lens.good.min(MAX_SIDE);
    Pair { good, bad: lens.bad.min(MAX_CELLS / good.max(1)) }
}

/// The pairs, and what is without a counterpart before each and `upto` the ends: the good ones first.
fn couples(pairs: &[Pair<usize>], upto: Pair<usize>) -> Vec<Couple> {
    let mut couples = Vec::new();
    let mut next = Pair { good: 0, bad: 0 };
    for pair in pairs.iter().copied().map(Some).chain([None]) {
        let until = pair.unwrap_or(upto);
        for which in Which::BOTH {
            for at in next[which]..until[which] {
                let mut couple = Pair::default();
                couple[which] = Some(at);
                couples.push(couple);
            }
        }
        couples.extend(pair.map(|pair| pair.map(Some)));
        next = until.map(|at| at.saturating_add(1));
    }
    couples
}

/// The pairs of two lists: of weighty steps first, then of the others between them.
fn between(lists: Pair<&[Token]>) -> Vec<Pair<usize>> {
    let weighty = lists.map(|list| -> Vec<usize> {
        (0..list.len()).filter(|at| list.get(*at).is_some_and(|token| token.weighty)).collect()
    });
    let heavy = Pair::of(|which| keys(lists[which], weighty[which].iter().copied()));
    let first = table(heavy.as_ref().map(Vec::as_slice));
    let first = first.into_iter().filter_map(|at| {
        let (good, bad) = (weighty.good.get(at.good)?, weighty.bad.get(at.bad)?);
        Some(Pair { good: *good, bad: *bad })
    });
    let mut pairs = Vec::new();
    let mut next = Pair { good: 0, bad: 0 };
    for pair in first.map(Some).chain([None]) {
        let until = pair.unwrap_or(lists.map(<[Token]>::len));
        let light = Pair::of(|which| keys(lists[which], next[which]..until[which]));
        let others = table(light.as_ref().map(Vec::as_slice));
        pairs.extend(others.into_iter().map(|at| next.zip(at).map(|(n, at)| n.saturating_add(at))));
        pairs.extend(pair);
        next = until.map(|at| at.saturating_add(1));
    }
    pairs
}

fn keys(list: &[Token], places: impl Iterator<Item = usize>) -> Vec<u32> {
    places.filter_map(|at| list.get(at)).map(|token| token.key).collect()
}

/// As many pairs of equal keys as there can be in their order, and of equally many the earliest.
fn table(lists: Pair<&[u32]>) -> Vec<Pair<usize>> {
    let Pair { good, bad } = lists;
    if good.is_empty() || bad.is_empty() {
        return Vec::new();
    }
    let columns = bad.len().saturating_add(1);
    let place = |good: usize, bad: usize| good.saturating_mul(columns).saturating_add(bad);
    // How many pairs the steps from here on can make, row by row.
    let mut best = vec![0_u32; good.len().saturating_add(1).saturating_mul(columns)];
    let read = |best: &[u32], good: usize, bad: usize| {
        best.get(place(good, bad)).copied().unwrap_or_default()
    };
    for (g, of_good) in good.iter().enumerate().rev() {
        for (b, of_bad) in bad.iter().enumerate().rev() {
            let count = if of_good == of_bad {
                read(&best, g + 1, b + 1).saturating_add(1)
            } else {
                read(&best, g + 1, b).max(read(&best, g, b + 1))
            };
            if let Some(cell) = best.get_mut(place(g, b)) {
                *cell = count;
            }
        }
    }
    let mut pairs = Vec::new();
    let (mut g, mut b) = (0, 0);
    while let (Some(of_good), Some(of_bad)) = (good.get(g), bad.get(b)) {
        if of_good == of_bad {
            pairs.push(Pair { good: g, bad: b });
            (g, b) = (g + 1, b + 1);
        } else if read(&best, g + 1, b) >= read(&best, g, b + 1) {
            g += 1;
        } else {
            b += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random and are the same in every run.
    fn dice(last: &mut u64) -> u32 {
        *last =
            last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(*last >> 33).unwrap()
    }

    fn list(last: &mut u64) -> Vec<Token> {
        let len = dice(last) % 9;
        (0..len)
            .map(|_| {
                let key = dice(last) % 5;
                Token { key, weighty: key > 1 }
            })
            .collect()
    }

    /// How many weighty steps can belong to each other, by trying everything.
    fn most(good: &[Token], bad: &[Token]) -> usize {
        match (good.split_first(), bad.split_first()) {
            (Some((g, good_rest)), Some((b, bad_rest))) => {
                let skip = most(good_rest, bad).max(most(good, bad_rest));
                let both = usize::from(g.weighty) + most(good_rest, bad_rest);
                if g.key == b.key { both.max(skip) } else { skip }
            }
            _ => 0,
        }
    }

    #[test]
    fn every_step_is_there_once_in_order_and_most_are_paired() {
        let mut last = 7;
        for _ in 0..3000 {
            let (good, bad) = (list(&mut last), list(&mut last));
            let Aligned { couples, left } = align(Pair { good: &good, bad: &bad });
            assert_eq!(left, Pair::default());
            for (which, list) in [(Which::Good, &good), (Which::Bad, &bad)] {
                let places: Vec<usize> = couples.iter().filter_map(|of| of[which]).collect();
                assert!(places.iter().copied().eq(0..list.len()), "{couples:?}");
            }
            let pairs: Vec<(Token, Token)> =
                couples.iter().filter_map(|of| Some((good[of.good?], bad[of.bad?]))).collect();
            assert!(pairs.iter().all(|(good, bad)| good.key == bad.key));
            let same = |(good, bad): &(&Token, &Token)| good.key == bad.key;
            let begin = good.iter().zip(&bad).take_while(same).count();
            let weighty = pairs.iter().skip(begin).filter(|(good, _)| good.weighty).count();
            let expect = most(&good[begin..], &bad[begin..]);
            assert_eq!(weighty, expect, "{good:?}\n{bad:?}\n{couples:?}");
            let back = align(Pair { good: &bad, bad: &good });
            let pairs = |couples: &[Couple]| -> Vec<Couple> {
                couples.iter().filter(|of| of.good.is_some() && of.bad.is_some()).copied().collect()
            };
            let swapped: Vec<Couple> = pairs(&back.couples).into_iter().map(Pair::swap).collect();
            assert_eq!(pairs(&couples), swapped);
        }
    }

    /// What does not fit into the table is left, and nothing of it is lost.
    #[test]
    fn what_is_too_long_is_left() {
        let of = |key: u32, len: usize| vec![Token { key, weighty: true }; len];
        let good = [of(0, 3), of(1, 3000), of(2, 5)].concat();
        let bad = [of(0, 3), of(3, 9000), of(2, 5)].concat();
        let Aligned { couples, left } = align(Pair { good: &good, bad: &bad });
        let there = |which: Which| couples.iter().filter(|of| of[which].is_some()).count();
        assert_eq!(there(Which::Good) + left.good, good.len());
        assert_eq!(there(Which::Bad) + left.bad, bad.len());
        assert!(left.good > 0 && left.bad > 0);
        assert!(couples.len() <= 3 + 2 * MAX_SIDE, "{}", couples.len());
        // A common end makes the rest short enough.
        let good = [of(1, 3), of(2, 60_000)].concat();
        let bad = [of(3, 3), of(2, 60_000)].concat();
        let Aligned { couples, left } = align(Pair { good: &good, bad: &bad });
        assert_eq!((couples.len(), left), (6 + 60_000, Pair::default()));
    }
}
