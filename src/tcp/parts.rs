//! [`parts`]: a segment that several frames carried is several segments.

use super::Segment;
use crate::bytes::{FrameNo, Piece, Span, Time, View};
use crate::net;

/// Gives a segment to `take` as the frames carried it: one part for each frame, and one without
/// bytes for what was cut off. `last` is the frame that completed it, and when that was captured.
pub fn parts<'a>(
    header: net::Segment,
    payload: View<'a>,
    last: (FrameNo, Time),
    mut take: impl FnMut(&Segment<'a>),
) {
    let mut pieces = payload.pieces();
    let (first, second) = (pieces.next(), pieces.next());
    let whole = |piece: &Piece| piece.len == payload.len() && second.is_none();
    if let Some(piece) = first.filter(whole) {
        let bytes = Span::new(piece.offset, piece.offset.saturating_add(piece.len));
        let header = net::Segment { payload: bytes, ..header };
        let (payload, frame, time) = (payload.bytes(), piece.frame, piece.time);
        return take(&Segment { header, payload, frame, time });
    }
    let whole = header.payload_len.max(payload.len());
    let mut part = |start: u32, end: u32, piece: Option<Piece>| {
        let (frame, time) = piece.map_or(last, |piece| (piece.frame, piece.time));
        let offset = piece.map_or(0, |piece| piece.offset);
        let captured = piece.map_or(0, |piece| piece.len);
        // SYN has a number of its own, before the first byte.
        let numbers = start.saturating_add(u32::from(header.syn && start > 0));
        let header = net::Segment {
            seq: header.seq.wrapping_add(numbers),
            syn: header.syn && start == 0,
            fin: header.fin && end == whole,
            rst: header.rst && end == whole,
            payload: Span::new(offset, offset.saturating_add(captured)),
            payload_len: end - start,
            ..header
        };
        let payload = payload.slice(Span::new(start, start.saturating_add(captured))).bytes();
        take(&Segment { header, payload, frame, time });
    };
    let mut at = 0;
    for piece in payload.pieces() {
        if piece.at > at {
            part(at, piece.at, None);
        }
        at = piece.at.saturating_add(piece.len);
        part(piece.at, at, Some(piece));
    }
    if at < whole || whole == 0 {
        part(at, whole, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{Buffer, Missing, clamp};

    /// One letter for each byte, `_` for one that was cut off.
    fn split(header: net::Segment, letters: &[(u64, &str)]) -> Vec<(u32, String, u64, [bool; 2])> {
        let mut buffer = Buffer::default();
        for (frame, text) in letters {
            if text.starts_with('_') {
                buffer.push_hole(clamp(text.len()), Missing::Snapped);
                continue;
            }
            let piece = Piece {
                at: 0,
                len: clamp(text.len()),
                frame: FrameNo(*frame),
                offset: 34,
                time: Time::default(),
                made: false,
            };
            buffer.push(View::new(text.as_bytes(), &[piece], &[]));
        }
        let mut found = Vec::new();
        parts(header, buffer.view(), (FrameNo(9), Time::default()), |part| {
            let cut = part.header.payload_len - clamp(part.payload.len());
            let text = String::from_utf8(part.payload.to_vec()).unwrap();
            let text = format!("{text}{}", "_".repeat(cut as usize));
            assert_eq!(part.header.payload.len(), clamp(part.payload.len()));
            found.push((part.header.seq, text, part.frame.0, [part.header.syn, part.header.fin]));
        });
        found
    }

    #[test]
    fn each_frame_has_its_part_and_the_flags_are_at_the_ends() {
        let header = net::Segment {
            src: "10.0.0.1:1".parse().unwrap(),
            dst: "10.0.0.2:2".parse().unwrap(),
            identification: None,
            seq: u32::MAX - 1,
            ack: None,
            syn: false,
            fin: true,
            rst: false,
            psh: false,
            payload: Span::default(),
            payload_len: 9,
        };
        let part = |seq: u32, text: &str, frame: u64, fin: bool| {
            (seq, text.to_owned(), frame, [false, fin])
        };
        let whole = [(3, "abc"), (4, "def"), (5, "ghi")];
        let start = u32::MAX - 1;
        assert_eq!(
            split(header, &whole),
            [part(start, "abc", 3, false), part(1, "def", 4, false), part(4, "ghi", 5, true)]
        );
        assert_eq!(
            split(header, &[(3, "___"), (4, "def")]),
            [part(start, "___", 9, false), part(1, "def", 4, false), part(4, "___", 9, true)]
        );
        let alone = net::Segment { payload_len: 3, ..header };
        assert_eq!(split(alone, &[(3, "abc")]), [part(start, "abc", 3, true)]);
        let empty = net::Segment { payload_len: 0, ..header };
        assert_eq!(split(empty, &[]), [part(start, "", 9, true)]);
        let syn = net::Segment { syn: true, fin: false, seq: 10, payload_len: 6, ..header };
        assert_eq!(
            split(syn, &whole[..2]),
            [(10, "abc".to_owned(), 3, [true, false]), (14, "def".to_owned(), 4, [false, false])]
        );
    }
}
