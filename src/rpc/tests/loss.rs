//! What is not in the capture.

use super::*;

/// Feeds the start of a PDU; the rest of it is missing.
fn feed_cut(rpc: &mut Rpc, (side, pdu): (Side, Vec<u8>), len: usize, out: &mut Vec<Event>) {
    let missing = u64::try_from(pdu.len() - len).unwrap();
    rpc.feed(origin(side), View::new(&pdu[..len], &[], &[]), out, &mut |_| {});
    rpc.gap(origin(side), missing, Missing::Snapped, out, &mut |_| {});
}

fn requests(mut rpc: Rpc, mut out: Vec<Event>) -> Vec<(StubState, Vec<u8>)> {
    rpc.finish(&mut out);
    let request = |event| match event {
        Event::Call(call) => call.request,
        _ => None,
    };
    let requests = out.into_iter().filter_map(request);
    requests.map(|r| (r.stub_state(), r.stub.view().bytes().to_vec())).collect()
}

#[test]
fn fragments_are_not_joined_over_a_lost_one() {
    let mut rpc = Rpc::default();
    let mut out = feed(&mut rpc, &PLAIN.bound());
    let fragment = |stub: &[u8], flags| vec![(Side::Client, PLAIN.fragment(2, 0, 8, stub, flags))];
    feed(&mut rpc, &fragment(b"one", 1));
    let lost = fragment(b"two", 0)[0].1.len();
    rpc.gap(origin(Side::Client), lost.try_into().unwrap(), Missing::Lost, &mut out, &mut |_| {});
    feed(&mut rpc, &fragment(b"three", 0));
    feed(&mut rpc, &fragment(b"four", 2));
    assert_eq!(requests(rpc, out), [(StubState::Lost, b"one\0".to_vec())]);
}

#[test]
fn a_channel_that_lost_something_is_found_again() {
    let mut rpc = Rpc::default();
    let mut out = feed(&mut rpc, &PLAIN.bound());
    let half = PLAIN.request(2, 0, 8, b"0123456789");
    feed(&mut rpc, &[(Side::Client, half[..28].to_vec())]);
    let Origin { channel, ends, .. } = origin(Side::Client);
    rpc.lost(channel, ends, &mut out, &mut |_| {});
    feed(&mut rpc, &[(Side::Client, half[32..].to_vec())]);
    feed(&mut rpc, &[(Side::Client, PLAIN.request(3, 0, 8, b"next"))]);
    let want =
        [(StubState::Lost, b"0123\0\0\0\0\0\0".to_vec()), (StubState::Clear, b"next".to_vec())];
    assert_eq!(requests(rpc, out), want);
}

#[test]
fn a_stub_whose_trailer_is_missing_is_as_sealed_as_the_others() {
    for (level, want) in [(6, StubState::Sealed), (5, StubState::Truncated)] {
        let style = Style { order: Order::Little, auth: Some((10, level, 0)) };
        let mut rpc = Rpc::default();
        let mut out = feed(&mut rpc, &style.bound());
        let request = (Side::Client, style.request(2, 0, 8, b"ciphertext"));
        feed_cut(&mut rpc, request, 16 + 8 + 10, &mut out);
        assert_eq!(requests(rpc, out), [(want, b"ciphertext".to_vec())]);
    }
}

#[test]
fn a_stub_of_which_nothing_tells_whether_it_is_sealed_is_not_read() {
    let style = Style { order: Order::Little, auth: Some((10, 6, 0)) };
    let mut rpc = Rpc::default();
    let mut out = Vec::new();
    let request = (Side::Client, style.request(2, 0, 8, b"ciphertext"));
    feed_cut(&mut rpc, request, 16 + 8 + 10, &mut out);
    assert_eq!(requests(rpc, out), [(StubState::Truncated, vec![0; 10])]);
}

#[test]
fn a_string_of_five_characters_is_not_taken_for_a_pdu() {
    let string = b"\x05\0\0\0\0\0\0\0\x05\0\0\0F\0K\0S\x001\0\0\0";
    assert_eq!(find(string), None);
    let next = PLAIN.request(2, 0, 8, b"ask");
    assert_eq!(find(&[&string[..], &next].concat()), Some(clamp(string.len())));
}

#[test]
fn padding_whose_length_is_lost_is_not_the_senders_fault() {
    let signed = Style { order: Order::Little, auth: Some((9, 5, 11)) };
    let mut rpc = Rpc::default();
    let mut out = feed(&mut rpc, &signed.bound());
    let request = signed.request(2, 0, 8, b"stub");
    let mut buffer = Buffer::default();
    // The third octet of the trailer says how much before it is padding.
    let cut = clamp(request.len()) - 16 - 6;
    buffer.push(View::new(&request, &[], &[]).slice(Span::new(0, cut)));
    buffer.push_hole(22, Missing::Snapped);
    rpc.feed(origin(Side::Client), buffer.view(), &mut out, &mut |_| {});
    rpc.finish(&mut out);
    let [Event::Bound(_), Event::Call(call)] = &out[..] else { panic!("{out:?}") };
    assert_eq!(call.request.as_ref().unwrap().stub_state(), StubState::Truncated);
}

/// The interfaces of binds that are told to have no answer.
fn unanswered(chunks: &[(Side, Vec<u8>)], lost: Option<Side>) -> Vec<Vec<SyntaxId>> {
    let mut rpc = Rpc::default();
    let mut out = feed(&mut rpc, chunks);
    if let Some(side) = lost {
        rpc.gap(origin(side), 100, Missing::Lost, &mut out, &mut |_| {});
    }
    rpc.close(origin(Side::Client).channel, &mut out);
    let told = out.into_iter().filter_map(|event| match event {
        Event::Unanswered(asked) => Some(asked.interfaces),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_bind_without_an_answer() {
    let bound = PLAIN.bound();
    let fsrvp = SyntaxId { uuid: FSRVP.parse().unwrap(), major: 1, minor: 0 };
    assert_eq!(unanswered(&bound[..1], None), [vec![fsrvp]]);
    // What the client said is all there.
    assert_eq!(unanswered(&bound[..1], Some(Side::Client)), [vec![fsrvp]]);
    // An answer may be among what was lost; there was one; it must have been there.
    assert!(unanswered(&bound[..1], Some(Side::Server)).is_empty());
    assert!(unanswered(&bound, None).is_empty());
    let request = (Side::Client, PLAIN.request(2, 0, 8, b"stub"));
    assert!(unanswered(&[bound[0].clone(), request], None).is_empty());
}
