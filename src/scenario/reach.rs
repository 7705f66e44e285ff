//! Associations of DCOM: which connection a call goes on, with a presentation context for each
//! interface.

use std::io;
use std::rc::Rc;

use super::association::Association;
use super::film::Film;
use super::play::with;
use super::session::Session;
use super::settings::Settings;
use super::steps::{BindAnswer, Call, Event, Stub};
use super::wire::rpc::{self, SyntaxId, Verdict, ptype};
use crate::bytes::{Order, View, clamp, index};
use crate::idl::Syntax;
use crate::ndr::{self, Arguments, Context, Data, Decoded, Direction};

/// A presentation context: its number, the interface, and how that is marshaled on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Presented {
    pub(super) id: u16,
    pub(super) interface: SyntaxId,
    pub(super) syntax: Syntax,
}

/// An association of this line to a port on which an interface may be called; opened and bound where
/// it is not yet.
pub(super) fn reach(
    session: &mut Session,
    film: &mut Film<'_>,
    (port, interface): (u16, SyntaxId),
    call: &Call,
) -> io::Result<usize> {
    let settings = &call.settings;
    let syntax = settings.syntax;
    let free = |a: &Association| {
        let sealed = !call.sealed || a.seals();
        a.bound
            && !a.busy
            && a.port == Some(port)
            && a.settings.same_user(settings)
            && a.settings.order == settings.order
            && sealed
    };
    let has = |a: &Association| {
        let mut contexts = a.contexts.iter();
        contexts.any(|of| of.interface.0 == interface.0 && of.syntax == syntax)
    };
    let ready = session.associations.iter().rposition(|a| free(a) && has(a));
    if let Some(number) = ready {
        return Ok(number);
    }
    let answer = BindAnswer::Ack(Verdict::Accept(syntax));
    if let Some(number) = session.associations.iter().rposition(free) {
        with(session, number, |association, session| {
            association.alter(session, film, (interface, syntax), answer)
        })?;
        return Ok(number);
    }
    let number = open(session, film, settings, (port, interface))?;
    with(session, number, |association, session| association.bind(session, film, "", answer))?;
    Ok(number)
}

/// A connection to a port, on which nothing is bound yet.
fn open(
    session: &mut Session,
    film: &mut Film<'_>,
    settings: &Rc<Settings>,
    (port, interface): (u16, SyntaxId),
) -> io::Result<usize> {
    let of = (interface.0, interface);
    let opened = Association::open_to(session, film, settings, of, ("", None, Some(port)))?;
    session.associations.extend(opened);
    Ok(session.associations.len().saturating_sub(1))
}

/// An interface is bound, on a connection that is there or on one of its own.
pub(super) fn present(
    session: &mut Session,
    film: &mut Film<'_>,
    event: &Event,
    (interface, answer): (SyntaxId, BindAnswer),
    (port, new): (u16, bool),
) -> io::Result<()> {
    let settings = &event.settings;
    let free = |a: &Association| {
        a.bound && !a.busy && a.port == Some(port) && a.settings.same_user(settings)
    };
    // Only a bind is answered with bind_nak.
    let new = new || matches!(answer, BindAnswer::Nak(_));
    let known = session.associations.iter().rposition(free).filter(|_| !new);
    if let Some(number) = known {
        let syntax = settings.syntax;
        with(session, number, |association, session| {
            association.alter(session, film, (interface, syntax), answer)
        })?;
        return Ok(());
    }
    let number = open(session, film, settings, (port, interface))?;
    with(session, number, |association, session| association.bind(session, film, "", answer))?;
    Ok(())
}

impl Association {
    /// \[MS-RPCE\] 3.3.1.5.4: one more presentation context on a connection that has some.
    fn alter(
        &mut self,
        session: &mut Session,
        film: &mut Film<'_>,
        (interface, syntax): (SyntaxId, Syntax),
        answer: BindAnswer,
    ) -> io::Result<()> {
        let head = self.head();
        self.call_id = self.call_id.saturating_add(1);
        let cut = self.settings.fragment.max(1432);
        let offers = rpc::further_offers(interface, self.next_context, syntax);
        let request = rpc::bind(head, ptype::ALTER_CONTEXT, &offers, (cut, 0), None);
        let verdict = match answer {
            BindAnswer::Ack(verdict) => verdict,
            BindAnswer::Fault(status) => {
                return self.round(session, film, request, rpc::fault(head, 0, status, None));
            }
            BindAnswer::Nothing | BindAnswer::Nak(_) | BindAnswer::Pipe(_) => {
                self.unanswered = self.send(session, film, &[request], false)?;
                self.busy = true;
                return Ok(());
            }
        };
        let kind = ptype::ALTER_CONTEXT_RESP;
        let answer = rpc::bind_ack(head, kind, "", (&offers, verdict), (cut, 0), None);
        self.round(session, film, request, answer)?;
        self.present(&offers, verdict);
        Ok(())
    }

    /// Contexts were offered, and accepted or not. Whether one was.
    pub(super) fn present(&mut self, offers: &[rpc::Offer], verdict: Verdict) -> bool {
        let last = offers.iter().map(|(id, ..)| id.saturating_add(1)).max();
        self.next_context = self.next_context.max(last.unwrap_or_default());
        let Verdict::Accept(syntax) = verdict else { return false };
        let (Some(id), Some((_, interface, _))) = (rpc::accepted(offers, syntax), offers.first())
        else {
            return false;
        };
        self.contexts.push(Presented { id, interface: *interface, syntax });
        true
    }

    /// The context that a call goes on: the one of its interface, or the last.
    pub(super) fn presented(&self, call: &Call) -> Presented {
        let (wanted, syntax) = (call.context().0, call.settings.syntax);
        let of = |presented: &&Presented| presented.interface.0 == wanted;
        let mut found = self.contexts.iter().rev().filter(of);
        let same = found.clone().find(|presented| presented.syntax == syntax);
        let known = same.or_else(|| found.next()).or(self.contexts.last());
        known.copied().unwrap_or(Presented {
            id: rpc::context_id(self.settings.syntax),
            interface: self.syntax_id,
            syntax: self.settings.syntax,
        })
    }

    /// The octets of a stub: `ORPCTHIS` or `ORPCTHAT`, and what follows.
    pub(super) fn octets(
        &self,
        call: &Call,
        direction: Direction,
        (stub, syntax): (&Stub, Syntax),
    ) -> io::Result<Vec<u8>> {
        let context = Context { syntax, order: self.settings.order };
        let wrong = |error: ndr::Unencodable| {
            io::Error::new(io::ErrorKind::InvalidInput, error.to_string())
        };
        let mut octets = Vec::new();
        if let Some(dcom) = &call.dcom {
            let (name, head) = match direction {
                Direction::In => ("ORPCTHIS", &dcom.heads.client),
                Direction::Out => ("ORPCTHAT", &dcom.heads.server),
            };
            if let (Some(ty), Some(head)) = (dcom.types.named(name), head) {
                ndr::encode_type(&dcom.types, ty, head, context, &mut octets).map_err(wrong)?;
            }
        }
        match (stub, call.interface.operation(call.opnum)) {
            (Stub::Octets(given), _) => octets.extend(given),
            (Stub::Arguments(Arguments { params, ret }), Some(operation)) => {
                let types = &call.interface.types;
                let ret = ret.as_ref();
                let from = clamp(octets.len());
                ndr::encode(types, operation, direction, params, ret, context, &mut octets)
                    .map_err(wrong)?;
                let wrong = call.dcom.as_ref().filter(|dcom| !dcom.discriminants.is_empty());
                if let Some(dcom) = wrong.filter(|_| direction == Direction::Out) {
                    let view = View::new(&octets, &[], &[]);
                    let decoded = ndr::decode(types, operation, direction, view, from, context);
                    overwrite(&mut octets, &decoded, &dcom.discriminants, context.order);
                }
            }
            (Stub::Arguments(_), None) => {}
        }
        if direction == Direction::In
            && let Some(dcom) = &call.dcom
        {
            octets.extend(&dcom.extra);
        }
        Ok(octets)
    }
}

/// Writes discriminants over those of elements.
fn overwrite(octets: &mut [u8], decoded: &Decoded, with: &[(usize, u32)], order: Order) {
    let found = decoded.params.iter().find(|(name, _)| &**name == "rgelt");
    let Some(Data::List(list)) = found.map(|(_, value)| &value.target().data) else { return };
    for (n, discriminant) in with {
        let union = list.items.get(*n).and_then(|item| item.field("Obj"));
        let Some(Data::Union(union)) = union.map(|union| &union.data) else { continue };
        let span = union.tag.span;
        let bytes = match order {
            Order::Little => discriminant.to_le_bytes(),
            Order::Big => discriminant.to_be_bytes(),
        };
        if let Some(place) = octets.get_mut(index(span.start)..index(span.end))
            && place.len() == bytes.len()
        {
            place.copy_from_slice(&bytes);
        }
    }
}
