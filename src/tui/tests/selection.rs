//! One selection: from a field to its bytes and back, in every call of every capture.

use super::fixture::{captures, model};
use crate::bytes::{FrameNo, Span};
use crate::capture::Capture;
use crate::tui::model::Focus;
use crate::tui::{Model, Msg, Theme, View, update};

/// The bytes of every frame, read by somebody else.
fn frames(path: &std::path::Path) -> Vec<Vec<u8>> {
    let mut capture = Capture::open(&[path.to_path_buf()]);
    let mut frames = Vec::new();
    while capture.advance() {
        frames.push(capture.frame().data.to_vec());
    }
    frames
}

/// Whether some byte is the field's own: no other field was read from it alone.
fn own(model: &Model<'_>, row: usize) -> Option<u32> {
    let span = model.detail.fields[row].span;
    (span.start..span.end).find(|at| model.detail.owner(*at) == Some(row))
}

#[test]
fn every_field_leads_to_its_bytes_and_its_bytes_to_it() {
    let (mut fields, mut in_frames) = (0, 0);
    for path in captures() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let frames = frames(&path);
        let mut model = model(&path, (80, 24), Theme::Dark);
        update(&mut model, Msg::Show(View::Calls));
        for n in 1..=model.trace.calls() {
            model.call = n;
            model.refresh();
            // All groups are open, so that each field is a row.
            model.closed.clear();
            model.detail.fold(&model.closed);
            let rows = model.detail.visible.len();
            // Of a call with thousands of fields, some.
            for row in (0..rows).step_by(1 + rows / 400) {
                let field = model.detail.fields[row].clone();
                if field.group || field.span.is_empty() {
                    continue;
                }
                model.focus = Focus::Fields;
                model.detail.tab = 0;
                model.detail.select(row);
                let Some(at) = own(&model, row) else { continue };
                let place = || format!("{name}, call {n}, {}: {}", field.name, field.value);
                // From the field to the bytes: the cursor is on its first own one.
                assert_eq!(model.detail.cursor, at, "{}", place());
                assert_eq!(model.detail.lit(), [field.span], "{}", place());
                // And back.
                for at in field.span.start..field.span.end.min(field.span.start + 64) {
                    if model.detail.owner(at) != Some(row) {
                        continue;
                    }
                    let mut closed = model.closed.clone();
                    model.detail.point(at, &mut closed);
                    assert_eq!(model.detail.list.at, row, "{}, byte {at}", place());
                }
                fields += 1;
                in_frames += frames_have_it(&mut model, row, &frames, &place());
            }
        }
    }
    assert!(fields > 10_000 && in_frames > 10_000, "{fields} fields, {in_frames} in frames");
}

/// The bytes that light up in each frame are the field's, and those of the frame as the file has it.
fn frames_have_it(model: &mut Model<'_>, row: usize, frames: &[Vec<u8>], place: &str) -> usize {
    let field = model.detail.fields[row].clone();
    let page = &model.detail.pages[field.page.unwrap()];
    let view = page.bytes.view().slice(field.span);
    let whole = view.bytes().to_vec();
    let made = view.pieces().any(|piece| piece.made);
    let tabs = page.bytes.view().frames();
    let carried: Vec<FrameNo> = view.frames();
    assert!(!carried.is_empty(), "{place}: no frame carried it");
    let mut together = Vec::new();
    let mut seen = 0;
    for (at, frame) in tabs.iter().enumerate() {
        model.detail.select(row);
        model.detail.tab = at + 1;
        model.refresh();
        assert_eq!(model.detail.frame_shown(), Some(*frame), "{place}");
        let shown = model.detail.shown().unwrap_or_else(|| panic!("{place}: frame {}", frame.0));
        let stored = &frames[usize::try_from(frame.0).unwrap() - 1];
        assert_eq!(shown.view().bytes(), stored, "{place}: frame {}", frame.0);
        let lit = model.detail.lit();
        assert_eq!(!lit.is_empty(), carried.contains(frame) && !made, "{place}: frame {}", frame.0);
        for Span { start, end } in lit {
            together.extend_from_slice(&stored[start as usize..end as usize]);
            seen += 1;
            // From the frame back to the field.
            let own = (start..end).find(|at| model.detail.owner(*at) == Some(row));
            if let Some(at) = own {
                let mut closed = model.closed.clone();
                model.detail.point(at, &mut closed);
                assert_eq!(model.detail.list.at, row, "{place}: byte {at} of frame {}", frame.0);
            }
        }
    }
    if !made {
        assert_eq!(together, whole, "{place}");
    }
    model.detail.tab = 0;
    seen
}
