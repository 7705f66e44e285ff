//! What the layers have to say becomes events, and is counted.

use std::net::SocketAddr;

use super::above::Above;
use super::flow::{pipe_channel, pipe_of};
use super::units::UnitKind;
use super::{Around, Bound, Challenged, Event, Refuser, What};
use crate::bytes::{Ends, FrameNo, Missing, Time, View};
use crate::call::Call;
use crate::objects;
use crate::rpc::names::{FAULTS, PROVIDER_REASONS, REJECT_REASONS, RESULTS, named};
use crate::rpc::{self, Auth, BindAnswer};
use crate::security::kerberos::KrbError;
use crate::smb::{self, PipeId};

/// When something happened, and in which frame.
type Moment = (Option<FrameNo>, Time);

impl Above<'_> {
    /// Carries out what SMB has said of one message.
    pub(super) fn take_smb(&mut self, ends: Ends, message: Option<View<'_>>) {
        let mut events = std::mem::take(&mut self.smb_events);
        for event in events.drain(..) {
            match event {
                smb::Event::PipeData { pipe, side, span, starts_message, .. } => {
                    let Some(message) = message else { continue };
                    self.pipe_data(pipe, ends, side, message.slice(span), starts_message);
                }
                smb::Event::PipeTorn { pipe } => {
                    // What TCP lost is told with the gap, and a place that was lost with that.
                    let lost =
                        |message: View<'_>| message.holes().any(|hole| hole.why == Missing::Lost);
                    if message.is_some_and(|message| !lost(message)) {
                        self.lose(ends);
                    }
                    let watch = &mut self.watch;
                    self.rpc.lost(pipe_channel(pipe), ends, &mut self.rpc_events, &mut |unit| {
                        watch.see(UnitKind::Rpc, unit);
                    });
                    self.take_calls();
                }
                smb::Event::PipeClosed { pipe, by } => {
                    let channel = pipe_channel(pipe);
                    self.rpc.close(channel, &mut self.rpc_events);
                    self.take_calls();
                    let what = What::ChannelClosed { channel, by, reset: false };
                    self.around(self.moment(message), ends, Some(pipe), what);
                    self.smb.forget(pipe);
                    self.watch.setup(|setup| setup.closed(channel));
                }
                smb::Event::PipeOpened { pipe } => {
                    let channel = pipe_channel(pipe);
                    self.watch.setup(|setup| setup.opened(channel));
                    let known = self.smb.pipe(pipe);
                    let name = known.and_then(|pipe| pipe.name.clone());
                    let tree_path = known.and_then(|pipe| pipe.tree_path.clone());
                    let what = What::PipeOpened { channel, name, tree_path };
                    self.around(self.moment(message), ends, Some(pipe), what);
                }
                smb::Event::PipeError { pipe, status } => {
                    let name = self.smb.pipe(pipe).and_then(|pipe| pipe.name.clone());
                    let of = name.as_deref().unwrap_or("of unknown name");
                    self.counts.see_refusal(format!("pipe {of}, once open: {status}"));
                    let what = What::PipeError { channel: pipe_channel(pipe), name, status };
                    self.around(self.moment(message), ends, Some(pipe), what);
                }
                smb::Event::BadSignature { session_id, user, by, command } => {
                    let moment = self.moment(message);
                    let here = Some((ends, moment.0));
                    if std::mem::replace(&mut self.unsigned, here) != here {
                        let what = What::BadSignature { session_id, user, by, command };
                        self.around(moment, ends, None, what);
                    }
                }
                event => {
                    let what = self.told(event);
                    if let Some(what) = what {
                        self.around(self.moment(message), ends, None, what);
                    }
                }
            }
        }
        self.smb_events = events;
    }

    /// What happened to no pipe.
    fn told(&mut self, event: smb::Event) -> Option<What> {
        Some(match event {
            smb::Event::Negotiated(greeting) => What::Negotiated(greeting),
            smb::Event::Challenged(challenge) => {
                let info = challenge.target_info;
                What::Challenged(Box::new(Challenged {
                    version: challenge.version.map(|of| (of.major, of.minor, of.build)),
                    computer: info.nb_computer_name,
                    dns_computer: info.dns_computer_name,
                    timestamp: info.timestamp,
                }))
            }
            smb::Event::SessionEstablished { session_id, user, how } => {
                What::LoggedOn { session_id, user, how }
            }
            smb::Event::SessionRefused { user, status } => {
                let somebody = user.as_deref().unwrap_or("somebody");
                self.counts.see_refusal(format!("logon of {somebody}: {status}"));
                What::LogonRefused { user, status }
            }
            smb::Event::NetbiosRefused { called, why } => {
                let somebody = called.as_deref().unwrap_or("somebody");
                self.counts.see_refusal(format!("NetBIOS session with {somebody}: {why}"));
                What::NetbiosRefused { called, why }
            }
            smb::Event::TreeConnected { path } => What::TreeConnected { path },
            smb::Event::TreeRefused { path, status } => {
                self.counts.see_refusal(format!("share {path}: {status}"));
                What::TreeRefused { path, status }
            }
            smb::Event::PipeRefused { name, status } => {
                self.counts.see_refusal(format!("pipe {name}: {status}"));
                What::PipeRefused { name, status }
            }
            smb::Event::Referral { path, status } => {
                if status.is_error() {
                    self.counts.see_refusal(format!("DFS referral for {path}: {status}"));
                }
                What::Referral { path, status }
            }
            smb::Event::TicketRefused(error) => self.ticket_refused(Refuser::Service, error)?,
            smb::Event::Wrote { path, status } => What::Wrote { path, status },
            smb::Event::Sealed => What::Sealed,
            smb::Event::BadSignature { .. }
            | smb::Event::PipeData { .. }
            | smb::Event::PipeOpened { .. }
            | smb::Event::PipeError { .. }
            | smb::Event::PipeTorn { .. }
            | smb::Event::PipeClosed { .. } => return None,
        })
    }

    /// A Kerberos ticket was refused; nothing to tell if the client deals with that.
    pub(super) fn ticket_refused(&mut self, by: Refuser, error: Box<KrbError>) -> Option<What> {
        if error.code.is_a_step() {
            return None;
        }
        let service = error.service.as_deref().unwrap_or("an unnamed service");
        self.counts.see_refusal(format!("ticket for {service}: {}", error.code));
        Some(What::TicketRefused { by, error })
    }

    /// Decodes the calls that are complete.
    pub(super) fn take_calls(&mut self) {
        let mut events = std::mem::take(&mut self.rpc_events);
        for event in events.drain(..) {
            match event {
                rpc::Event::Asked(call) => {
                    let call = self.decode(*call);
                    self.events.push(Event::Asked(Box::new(call)));
                }
                rpc::Event::Call(call) => {
                    let mut call = self.decode(*call);
                    if let Some(setup) = &self.watch.setup {
                        call.setup = setup.of(&call.rpc);
                        call.keystream = setup.keystream(&call.rpc);
                    }
                    self.counts.see_call(&call);
                    self.counts.endpoints.see(&call, self.registry);
                    for port in objects::ports(&call) {
                        self.reach.learn(SocketAddr::new(call.server.addr.ip(), port));
                    }
                    self.events.push(Event::Call(Box::new(call)));
                }
                rpc::Event::Bound(bound) => self.bound(*bound),
                rpc::Event::TicketRefused { channel, ends, error } => {
                    if let Some(what) = self.ticket_refused(Refuser::Service, error) {
                        self.around(self.now, ends, pipe_of(channel), what);
                    }
                }
                rpc::Event::Unanswered(asked) => self.unanswered(*asked),
                rpc::Event::Lost { ends, .. } => self.lose(ends),
            }
        }
        self.rpc_events = events;
    }

    /// A call with its stubs decoded, and who carried it.
    fn decode(&mut self, call: rpc::Call) -> Call {
        let pipe = pipe_of(call.channel).and_then(|pipe| self.smb.pipe(pipe));
        let carrier = self.machines.carrier(&call, pipe);
        Call::new(call, carrier, self.registry)
    }

    /// A bind was answered.
    fn bound(&mut self, bound: rpc::Bound) {
        let rpc::Bound { channel, ends, time, frame, mut interfaces, auth, answer } = bound;
        if let Some(refusal) = self.refusal(interfaces.first(), answer) {
            self.counts.see_refusal(refusal);
        }
        // Whoever does not know how a bind was protected knows too little of it.
        if auth.is_none() {
            interfaces.clear();
        }
        let pipe = pipe_of(channel);
        let name = pipe.and_then(|pipe| self.smb.pipe(pipe)?.name.clone());
        let auth = auth.unwrap_or(Auth::NONE);
        let mut tell = |interface| {
            let (pipe_name, auth) = (name.clone(), auth.clone());
            let tcp = pipe.is_none();
            let bound = Bound { channel, pipe: pipe_name, tcp, interface, auth, answer };
            self.around((frame, time), ends, pipe, What::Bound(Box::new(bound)));
        };
        if interfaces.is_empty() {
            tell(None);
        } else {
            interfaces.into_iter().map(Some).for_each(tell);
        }
    }

    /// A bind will have no answer.
    fn unanswered(&mut self, asked: rpc::Unanswered) {
        let rpc::Unanswered { channel, ends, frame, interfaces } = asked;
        let pipe = pipe_of(channel);
        let name = pipe.and_then(|pipe| self.smb.pipe(pipe)?.name.clone());
        let tcp = pipe.is_none();
        let what = What::BindUnanswered { channel, pipe: name, tcp, interfaces };
        self.around((frame, self.now.1), ends, pipe, what);
    }

    /// How the refusal of a bind is counted.
    fn refusal(&self, interface: Option<&rpc::SyntaxId>, answer: BindAnswer) -> Option<String> {
        Some(match answer {
            BindAnswer::Accepted => return None,
            BindAnswer::Nak(reason) => format!("bind: {}", named(REJECT_REASONS, reason.into())),
            BindAnswer::Fault(status) => format!("bind: fault {}", named(FAULTS, status.into())),
            BindAnswer::Refused(result, reason) => {
                let interface = interface?;
                let known = self.registry.interface(interface.uuid, interface.major);
                let name = known
                    .map_or_else(|| interface.uuid.to_string(), |known| known.name.to_string());
                let result = named(RESULTS, result.into());
                let reason = named(PROVIDER_REASONS, reason.into());
                format!("bind to {name}: {result}, {reason}")
            }
        })
    }

    /// When `message` was complete; now, if there is none.
    pub(super) fn moment(&self, message: Option<View<'_>>) -> Moment {
        let Some(message) = message else { return self.now };
        let last = message.pieces().map(|piece| (piece.frame, piece.time)).max();
        last.map_or(self.now, |(frame, time)| (Some(frame), time))
    }

    /// Bytes of a connection are missing; told once for each frame that shows it.
    pub(super) fn lose(&mut self, ends: Ends) {
        let here = Some((ends, self.now.0));
        if self.lost != here {
            self.lost = here;
            self.around(self.now, ends, None, What::Lost);
        }
    }

    /// Something happened between the two, on the pipe if there is one.
    pub(super) fn around(
        &mut self,
        (frame, time): Moment,
        ends: Ends,
        pipe: Option<PipeId>,
        what: What,
    ) {
        let of_pipe = pipe.and_then(|pipe| self.smb.pipe(pipe)?.server_name.clone());
        let server_name = of_pipe.or_else(|| self.machines.of(ends.server.ip()));
        // One that says nothing is known by no other name than it was looked for.
        let looked_for = matches!(what, What::Unreachable { .. });
        let server_name =
            server_name.or_else(|| self.names.of(ends.server.ip()).filter(|_| looked_for));
        let Ends { client, server } = ends;
        self.events.push(Event::Around(Box::new(Around {
            time,
            frame,
            client,
            server,
            server_name,
            what,
        })));
    }
}
