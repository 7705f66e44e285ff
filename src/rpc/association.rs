//! What two sides have agreed on over a channel, and the calls in flight.

use std::collections::BTreeMap;

use super::bind::{SyntaxId, Transfer};
use super::call::{Auth, Call, Ending, Message};
use super::contexts::Contexts;
use super::part::{Cover, Part, Seal, release};
use super::pdu::{Body, PacketType, Pdu};
use super::protection::Protection;
use super::{BindAnswer, Bound, ChannelId, Common, Event, Origin, Unanswered};
use crate::bytes::{Both, Buffer, Guid, Missing, Side, Span, View, Why};

/// Calls of one association that may wait for an answer; beyond it the oldest is given up.
const MAX_IN_FLIGHT: usize = 1024;
/// The same for all associations together: beyond it one that begins a call gives up its oldest.
const MAX_IN_FLIGHT_IN_ALL: usize = 1 << 16;

/// State of one association.
#[derive(Debug, Default)]
pub(super) struct Association {
    contexts: Contexts,
    protection: Protection,
    /// Calls without a complete answer, by call id. Added by the first fragment of a request (or
    /// of a response whose request was not seen), removed by the last of the answer, by the
    /// channel's end or by the cap.
    in_flight: BTreeMap<u32, InFlight>,
    /// A bind, if it was the last PDU, and its call id; the interfaces are those of its proposal.
    asked: Option<(u32, Unanswered)>,
    /// Whether bytes from the server were lost and nothing of it was read since: the answer to
    /// what is asked now may have been among them.
    deaf: bool,
}

#[derive(Clone, Debug)]
struct InFlight {
    channel: ChannelId,
    n: u64,
    context_id: Option<u16>,
    /// What the context stood for when the call began.
    agreed: Option<(SyntaxId, Option<Transfer>)>,
    opnum: Option<u16>,
    object: Option<Guid>,
    auth: Auth,
    header_sign: Option<bool>,
    request: Option<Message>,
    response: Option<Message>,
    /// Whether fragments may be missing from the request and from the response: what follows them
    /// has no known place and is left out.
    torn: Both<bool>,
    /// Whether its answer may be among bytes that were lost.
    near_loss: bool,
}

impl InFlight {
    /// Notes that fragments may be missing from what `side` is saying.
    fn tear(&mut self, side: Side, common: &mut Common) {
        let message = match side {
            Side::Client => &mut self.request,
            Side::Server => &mut self.response,
        };
        if let Some(message) = message.as_mut().filter(|message| !message.complete)
            && !std::mem::replace(&mut self.torn[side], true)
        {
            // One octet stands for all that is left out.
            message.stub.push_hole(1, Missing::Lost);
            common.held += 1;
        }
    }

    /// The call it is, or was until now. A response that began and never ended is no answer, but it
    /// is shown.
    fn call(
        self,
        call_id: u32,
        agreed: Option<(SyntaxId, Option<Transfer>)>,
        ending: Ending,
    ) -> Call {
        Call {
            channel: self.channel,
            n: self.n,
            call_id,
            context_id: self.context_id,
            interface: agreed.map(|(interface, _)| interface),
            transfer: agreed.and_then(|(_, transfer)| transfer),
            opnum: self.opnum,
            object: self.object,
            auth: self.auth,
            header_sign: self.header_sign,
            request: self.request,
            response: self.response,
            near_loss: self.near_loss,
            ending,
        }
    }
}

impl Association {
    /// Takes the next PDU.
    pub(super) fn advance(
        &mut self,
        origin: Origin,
        unit: View<'_>,
        pdu: &Pdu<'_>,
        common: &mut Common,
        out: &mut Vec<Event>,
    ) {
        let header = &pdu.header;
        self.deaf &= origin.side == Side::Client;
        self.asked = None;
        let refusal = self.protection.note(origin.side, pdu, common);
        if let Some(error) = refusal.filter(|_| origin.side == Side::Server) {
            let Origin { channel, ends, .. } = origin;
            out.push(Event::TicketRefused { channel, ends, error });
        }
        let opened = self.protection.open(origin.side, unit, pdu, common);
        let cover = Cover { seal: self.protection.seal(pdu), ..Cover::of(opened.as_ref()) };
        let clear = opened.as_ref().and_then(|opened| opened.stub.as_ref());
        let part = |stub, context_id| Part {
            origin,
            unit,
            pdu,
            stub: clear.map_or(stub, Buffer::view),
            cover,
            context_id: Some(context_id),
        };
        match &pdu.body {
            Some(Body::Request { context_id, opnum, object, stub }) => {
                self.request(&part(*stub, *context_id), Some(*opnum), *object, common, out);
            }
            Some(Body::Response { context_id, stub }) => {
                self.response(&part(*stub, *context_id), Ending::Response, common, out);
            }
            Some(Body::Fault { status, .. })
                if !self.in_flight.contains_key(&header.call_id)
                    && self.contexts.proposes(header.call_id) =>
            {
                let refused = self.contexts.refuse(header.call_id);
                out.push(bound(origin, unit, refused, BindAnswer::Fault(*status)));
            }
            Some(Body::Fault { context_id, status }) => {
                let part = part(unit.slice(Span::default()), *context_id);
                self.response(&part, Ending::Fault(*status), common, out);
            }
            Some(Body::Bind { contexts }) => {
                let told = header.auth_length == 0 || pdu.verifier.is_some();
                self.protection.begun |= told && header.ptype == PacketType::BIND;
                let auth = told.then(|| self.protection.auth(pdu.verifier.as_ref()));
                self.contexts.propose(header.call_id, contexts, auth);
                let frame = unit.frames().last().copied();
                let Origin { channel, ends, .. } = origin;
                let asked = Unanswered { channel, ends, frame, interfaces: Vec::new() };
                self.asked = Some((header.call_id, asked));
            }
            Some(Body::BindAck { results }) => {
                let (answers, auth) = self.contexts.answer(header.call_id, results);
                out.extend(answers.into_iter().map(|(interface, answer)| {
                    let of = (interface.into_iter().collect(), auth.clone());
                    bound(origin, unit, of, answer)
                }));
            }
            Some(Body::BindNak { reason }) => {
                let refused = self.contexts.refuse(header.call_id);
                out.push(bound(origin, unit, refused, BindAnswer::Nak(*reason)));
            }
            Some(Body::Other) if header.ptype == PacketType::ORPHANED => {
                self.end(header.call_id, Ending::NoAnswer, common, out);
            }
            Some(Body::Other) => {}
            None => self.cut(origin, unit, pdu, common, out),
        }
    }

    /// Takes a PDU that was cut before its body could be read: there was a request or an answer,
    /// and no more is known of it.
    fn cut(
        &mut self,
        origin: Origin,
        unit: View<'_>,
        pdu: &Pdu<'_>,
        common: &mut Common,
        out: &mut Vec<Event>,
    ) {
        let Some(Why::Missing(why)) = pdu.stop.as_ref().map(|stop| &stop.why) else { return };
        let stub = unit.slice(Span::default());
        let cover = Cover { seal: Seal::Untold(*why), ..Cover::of(None) };
        let part = Part { origin, unit, pdu, stub, cover, context_id: None };
        // How long its part of the stub is is not known either, so what follows has no place.
        self.tear(origin.side, pdu.header.call_id, common);
        match pdu.header.ptype {
            PacketType::REQUEST => self.request(&part, None, None, common, out),
            PacketType::RESPONSE => self.response(&part, Ending::Response, common, out),
            _ => {}
        }
        self.tear(origin.side, pdu.header.call_id, common);
    }

    fn tear(&mut self, side: Side, call_id: u32, common: &mut Common) {
        if let Some(flight) = self.in_flight.get_mut(&call_id) {
            flight.tear(side, common);
        }
    }

    /// Bytes of `side` were lost between PDUs: what is being put together may lack fragments.
    pub(super) fn lost(&mut self, side: Side, common: &mut Common) {
        self.deaf |= side == Side::Server;
        self.asked = self.asked.take().filter(|_| side == Side::Client);
        for flight in self.in_flight.values_mut() {
            flight.tear(side, common);
            flight.near_loss |= side == Side::Server;
        }
    }

    /// Gives up every call that waits for an answer.
    pub(super) fn close(&mut self, common: &mut Common, out: &mut Vec<Event>) {
        let mut waiting: Vec<_> =
            self.in_flight.iter().map(|(id, flight)| (flight.n, *id)).collect();
        waiting.sort_unstable();
        for (_, call_id) in waiting {
            self.end(call_id, Ending::NoAnswer, common, out);
        }
        if let Some((call_id, asked)) = self.asked.take().filter(|_| !self.deaf) {
            let (interfaces, _) = self.contexts.refuse(call_id);
            out.push(Event::Unanswered(Box::new(Unanswered { interfaces, ..asked })));
        }
    }

    fn request(
        &mut self,
        part: &Part<'_, '_>,
        opnum: Option<u16>,
        object: Option<Guid>,
        common: &mut Common,
        out: &mut Vec<Event>,
    ) {
        let call_id = part.pdu.header.call_id;
        let goes_on = !part.pdu.header.is_first()
            && self.in_flight.get(&call_id).is_some_and(|flight| {
                flight.request.as_ref().is_some_and(|request| !request.complete)
            });
        if !goes_on {
            // A call id that is used again ends the call that had it.
            self.end(call_id, Ending::NoAnswer, common, out);
            self.begin(part, opnum, object, common, out);
        }
        if let Some(flight) = self.in_flight.get_mut(&call_id) {
            part.append_to(&mut flight.request, flight.torn.client, common);
        }
        if part.pdu.header.is_last() {
            self.announce(call_id, common, out);
        }
    }

    /// Tells of a request that is complete, if somebody asked for those of its interface.
    fn announce(&self, call_id: u32, common: &Common, out: &mut Vec<Event>) {
        let Some(flight) = self.in_flight.get(&call_id) else { return };
        let agreed = self.agreed(flight);
        let wanted = |of: &SyntaxId| common.announced.contains(&(of.uuid, of.major));
        if agreed.is_some_and(|(interface, _)| wanted(&interface)) {
            let call = flight.clone().call(call_id, agreed, Ending::NoAnswer);
            out.push(Event::Asked(Box::new(call)));
        }
    }

    /// What the context of a call stands for.
    fn agreed(&self, flight: &InFlight) -> Option<(SyntaxId, Option<Transfer>)> {
        // The bind may have been captured after the request, over another connection.
        let late = || flight.context_id.and_then(|id| self.contexts.get(id));
        flight.agreed.filter(|(_, transfer)| transfer.is_some()).or_else(late)
    }

    fn response(
        &mut self,
        part: &Part<'_, '_>,
        ending: Ending,
        common: &mut Common,
        out: &mut Vec<Event>,
    ) {
        let header = &part.pdu.header;
        if !self.in_flight.contains_key(&header.call_id) {
            self.begin(part, None, None, common, out);
        }
        if let Some(flight) = self.in_flight.get_mut(&header.call_id) {
            if header.is_first() {
                let again = flight.response.take();
                release(common, again.as_ref());
                flight.torn.server = false;
            }
            part.append_to(&mut flight.response, flight.torn.server, common);
        }
        if header.is_last() || matches!(ending, Ending::Fault(_)) {
            self.end(header.call_id, ending, common, out);
        }
    }

    /// Takes up a call, giving up the oldest one if too many wait.
    fn begin(
        &mut self,
        part: &Part<'_, '_>,
        opnum: Option<u16>,
        object: Option<Guid>,
        common: &mut Common,
        out: &mut Vec<Event>,
    ) {
        let full = common.in_flight >= MAX_IN_FLIGHT_IN_ALL;
        if self.in_flight.len() >= MAX_IN_FLIGHT || full && !self.in_flight.is_empty() {
            let oldest = self.in_flight.iter().min_by_key(|(_, flight)| flight.n);
            if let Some(call_id) = oldest.map(|(id, _)| *id) {
                self.end(call_id, Ending::NoAnswer, common, out);
            }
        }
        common.calls += 1;
        let flight = InFlight {
            channel: part.origin.channel,
            n: common.calls,
            context_id: part.context_id,
            agreed: part.context_id.and_then(|id| self.contexts.get(id)),
            opnum,
            object,
            auth: self.protection.auth(part.pdu.verifier.as_ref()),
            header_sign: self.protection.offered_header_sign(),
            request: None,
            response: None,
            torn: Both::default(),
            near_loss: self.deaf,
        };
        if self.in_flight.insert(part.pdu.header.call_id, flight).is_none() {
            common.in_flight += 1;
        }
    }

    fn end(&mut self, call_id: u32, ending: Ending, common: &mut Common, out: &mut Vec<Event>) {
        let Some(flight) = self.in_flight.remove(&call_id) else {
            return;
        };
        common.in_flight = common.in_flight.saturating_sub(1);
        release(common, flight.request.as_ref());
        release(common, flight.response.as_ref());
        let agreed = self.agreed(&flight);
        out.push(Event::Call(Box::new(flight.call(call_id, agreed, ending))));
    }
}

/// What a PDU says to a bind of these interfaces, protected like this.
fn bound(
    origin: Origin,
    unit: View<'_>,
    (interfaces, auth): (Vec<SyntaxId>, Option<Auth>),
    answer: BindAnswer,
) -> Event {
    Event::Bound(Box::new(Bound {
        channel: origin.channel,
        ends: origin.ends,
        time: unit.time().unwrap_or_default(),
        frame: unit.frames().last().copied(),
        interfaces,
        auth,
        answer,
    }))
}
