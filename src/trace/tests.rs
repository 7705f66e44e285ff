//! The index, against what the pipeline gave.

use std::path::PathBuf;

use super::{Batch, Recorder, Store, Trace};
use crate::bytes::{Buffer, FrameNo, LinkType};
use crate::call::{Call, Transport};
use crate::capture::Capture;
use crate::pipeline::tests::captures;
use crate::pipeline::{Event, Pipeline, Unit};
use crate::protocol::Registry;

/// What was there when it was read first.
#[derive(Default)]
struct First {
    frames: Vec<(FrameNo, LinkType, Vec<u8>)>,
    calls: Vec<Call>,
    units: Vec<Unit>,
}

/// Reads captures into a trace, a batch every `every` frames.
fn read(paths: &[PathBuf], registry: &Registry, every: u64) -> (First, Trace) {
    let mut capture = Capture::open_keeping(paths, &mut |_| None);
    let mut pipeline = Pipeline::tracing(registry);
    let mut recorder = Recorder::new(paths.len() > 1);
    let (mut first, mut trace, mut events) = (First::default(), Trace::default(), Vec::new());
    for (file, path) in paths.iter().enumerate() {
        recorder.store(
            file,
            match capture.unpacked(file) {
                Some(file) => Store::Kept(file.try_clone().unwrap()),
                None => Store::Path(path.clone()),
            },
        );
    }
    let take = |recorder: &mut Recorder, events: &mut Vec<Event>, first: &mut First| {
        for event in events.drain(..) {
            recorder.event(&event);
            match event {
                Event::Call(call) => first.calls.push(*call),
                Event::Unit(unit) => first.units.push(unit),
                Event::Asked(_) | Event::Around(_) => {}
            }
        }
    };
    while capture.advance() {
        let frame = capture.frame();
        recorder.frame(&frame);
        first.frames.push((frame.no, frame.link, frame.data.to_vec()));
        pipeline.frame(&frame, &mut events);
        take(&mut recorder, &mut events, &mut first);
        if frame.no.0.is_multiple_of(every) {
            trace.take(recorder.take());
        }
    }
    pipeline.finish(&mut events);
    take(&mut recorder, &mut events, &mut first);
    trace.take(recorder.take());
    assert_eq!(recorder.weight(), 0);
    (first, trace)
}

fn same(a: &Buffer, b: &Buffer) -> bool {
    let (a, b) = (a.view(), b.view());
    a.bytes() == b.bytes() && a.pieces().eq(b.pieces()) && a.holes().eq(b.holes())
}

#[test]
fn every_frame_message_and_call_is_read_again_as_it_was() {
    let registry = Registry::embedded().unwrap();
    let (mut calls, mut units) = (0, 0);
    for path in captures::all() {
        let (first, trace) = read(std::slice::from_ref(&path), &registry, 100);
        let name = path.display();
        for carrier in &trace.commons.carriers {
            // Another opening of a pipe is no other carrier.
            let Transport::NamedPipe(pipe) = &carrier.transport else { continue };
            assert_eq!(pipe.file_id, None, "{name}");
        }
        for (no, link, data) in &first.frames {
            let again = trace.frame(*no).unwrap().unwrap();
            assert_eq!(again.link, *link, "{name}, frame {}", no.0);
            assert_eq!(again.bytes.view().bytes(), data, "{name}, frame {}", no.0);
        }
        assert_eq!(trace.complete(), first.calls.len() as u64, "{name}");
        for call in &first.calls {
            let again = trace.call(call.rpc.n, true, &registry).unwrap().unwrap();
            // All that is told of a call, and its bytes, is in this text.
            let (is, was) = (format!("{again:?}"), format!("{call:?}"));
            let at = is.bytes().zip(was.bytes()).position(|(a, b)| a != b);
            let near = |text: &str| {
                at.map(|at| text[at.saturating_sub(80)..].chars().take(120).collect::<String>())
            };
            assert!(is == was, "{name}, call {}: {:?} was {:?}", call.rpc.n, near(&is), near(&was));
            let carried = again.rpc.request.iter().chain(&again.rpc.response);
            for frame in carried.flat_map(|message| &message.frames) {
                assert!(trace.calls_in(*frame).contains(&call.rpc.n), "{name}, {frame:?}");
            }
            calls += 1;
        }
        for (no, ..) in &first.frames {
            let again = trace.units(*no).unwrap();
            let carried = |unit: &&Unit| unit.bytes.view().pieces().any(|of| of.frame == *no);
            let was: Vec<&Unit> = first.units.iter().filter(carried).collect();
            assert_eq!(again.len(), was.len(), "{name}, frame {}", no.0);
            for (again, was) in again.iter().zip(was) {
                assert!(again.kind == was.kind && same(&again.bytes, &was.bytes), "{name}");
                units += 1;
            }
        }
    }
    assert!(calls > 300 && units > 3000, "{calls} calls, {units} messages");
}

#[test]
fn frames_of_several_inputs_know_where_they_came_from() {
    let registry = Registry::embedded().unwrap();
    let paths: Vec<PathBuf> = captures::all().into_iter().take(3).collect();
    let (first, trace) = read(&paths, &registry, 7);
    let mut seen = [0u64; 3];
    for (no, _, data) in &first.frames {
        let (file, in_file) = trace.origins().of(*no).unwrap();
        seen[file] += 1;
        assert_eq!(in_file, seen[file]);
        assert_eq!(trace.frame(*no).unwrap().unwrap().bytes.view().bytes(), data);
    }
    assert!(seen.iter().all(|of| *of > 0));
}

#[test]
fn what_is_not_there_is_not_found() {
    let registry = Registry::embedded().unwrap();
    let mut trace = Trace::default();
    trace.take(Batch::default());
    assert!(trace.call(1, true, &registry).unwrap().is_none());
    assert!(trace.call(0, true, &registry).unwrap().is_none());
    assert!(trace.frame(FrameNo(1)).unwrap().is_none());
    assert!(trace.units(FrameNo(0)).unwrap().is_empty());
}

#[test]
fn an_input_that_was_cut_is_told_and_one_without_a_name_is_read() {
    let registry = Registry::embedded().unwrap();
    let path = std::env::temp_dir().join(format!("vshark-vanish-{}.pcap", std::process::id()));
    std::fs::copy(captures::file("e-py-create_fails.pcap"), &path).unwrap();
    let (_, trace) = read(std::slice::from_ref(&path), &registry, 100);
    if cfg!(unix) {
        let other = path.with_extension("other");
        std::fs::rename(&path, &other).unwrap();
        assert!(trace.call(7, true, &registry).unwrap().is_some());
        std::fs::rename(&other, &path).unwrap();
    }
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap();
    let error = trace.call(7, true, &registry).unwrap_err().to_string();
    assert!(error.starts_with("frame 57 could not be read again: "), "{error}");
    assert!(error.contains("vshark-vanish"), "{error}");
    std::fs::remove_file(&path).unwrap();
}
