//! Finding the way again behind damage: one loop, used by every format with its own idea of what
//! can be trusted.

use super::window::Window;

/// Whether records start at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// They do.
    Yes,
    /// They do not.
    No,
    /// It looks like it, and more bytes are needed to be sure.
    More,
}

/// Moves to the next place where `judge` says that records start, and says how many bytes were
/// passed over; `None` at the end of the input.
///
/// `judge` is given how far a place is, the bytes from there on, and whether the input ends with
/// them, and decides on bounded evidence: it may ask for more only up to a limit of its own. Any
/// byte may be the place, damage need not keep an alignment, and how the input arrives in pieces
/// changes nothing. What was judged is let go, so that the hole may have any length.
pub(super) fn resync(
    window: &mut Window,
    judge: impl Fn(u64, &[u8], bool) -> Start,
) -> Option<u64> {
    let from = window.offset();
    window.fill(1);
    window.consume(1);
    let (mut want, mut ended) = (1, false);
    loop {
        ended |= !window.fill(want);
        let held = window.held();
        let here = window.offset().saturating_sub(from);
        let found = (here..).zip(0..held.len()).find_map(|(far, at)| {
            match judge(far, held.get(at..).unwrap_or_default(), ended) {
                Start::No => None,
                start => Some((at, start)),
            }
        });
        let len = held.len();
        match found {
            Some((at, Start::Yes)) => {
                window.consume(at);
                return Some(window.offset().saturating_sub(from));
            }
            // At the end there is no more to be had.
            Some((at, _)) if ended => {
                window.consume(at.saturating_add(1));
                want = 0;
            }
            Some((at, _)) => {
                window.consume(at);
                want = len.saturating_sub(at).saturating_mul(2).max(1);
            }
            None => {
                window.consume(len);
                want = 1;
                if ended {
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Records start with `<`, and are over with `>` at most nine bytes further.
    fn judge(_: u64, bytes: &[u8], _: bool) -> Start {
        match bytes.iter().take(10).position(|b| *b == b'>') {
            _ if bytes.first() != Some(&b'<') => Start::No,
            Some(_) => Start::Yes,
            None if bytes.len() < 10 => Start::More,
            None => Start::No,
        }
    }

    #[test]
    fn the_first_place_that_can_be_trusted_is_found_wherever_it_is() {
        for (text, want) in [
            ("<x>", None),
            ("x<y>", Some(1)),
            ("<<<<<<<<<<<<<<<<<y>", Some(9)),
            ("<.............<y>", Some(14)),
            ("x<y", None),
            ("", None),
        ] {
            let mut window = Window::new(Box::new(Cursor::new(text.as_bytes().to_vec())));
            assert_eq!(resync(&mut window, judge), want, "{text}");
        }
        let mut far = vec![b'<'; 3 << 20];
        far.extend(b"<far>");
        let mut window = Window::new(Box::new(Cursor::new(far)));
        // The last nine of the others lead to its end too.
        assert_eq!(resync(&mut window, judge), Some((3 << 20) - 5));
        assert_eq!(window.held().len(), 10);
    }
}
