//! [`Association`]: a bound pipe or connection, and the calls on it.

use std::io;
use std::rc::Rc;

use super::film::{Film, Phase};
use super::guard::Protection;
use super::reach::Presented;
use super::session::{Asked, Session};
use super::settings::{Auth, Settings, Trailer};
use super::steps::{Answer, BindAnswer, Call, Stub};
use super::wire::auth::{self, OID_KERBEROS, OID_NTLM};
use super::wire::kerberos;
use super::wire::octets::{chance, noise};
use super::wire::rpc::{self, Asks, Cut, Head, SyntaxId, Verifier, ptype};
use super::wire::smb::{self, FileId, command};
use crate::bytes::{Guid, Side};
use crate::ndr::Direction;
use crate::smb::Status;

/// Octets of an answer a client has room for.
const MOST: u32 = 0x1_0000;

/// A pipe or connection on which an interface was bound.
pub(super) struct Association {
    /// The interface it is for.
    pub(super) interface: Guid,
    pub(super) syntax_id: SyntaxId,
    carrier: Carrier,
    pub(super) settings: Rc<Settings>,
    /// Port it was opened to, where it belongs to DCOM.
    pub(super) port: Option<u16>,
    /// Presentation contexts that were accepted, by interface and transfer syntax. Binds add, as many
    /// as statements ask for.
    pub(super) contexts: Vec<Presented>,
    /// The number of the next context that is offered.
    pub(super) next_context: u16,
    /// Whether a bind was accepted on it.
    pub(super) bound: bool,
    pub(super) call_id: u32,
    protection: Protection,
    /// Whether the trailer was sent.
    trailed: bool,
    /// A call waits for its answer.
    pub(super) busy: bool,
    /// The READ that a bind's answer would have come with.
    pub(super) unanswered: Option<Asked>,
    pub(super) seed: u64,
}

#[derive(Clone, Copy, Debug)]
enum Carrier {
    Pipe { tree: u32, file: FileId },
    Tcp { channel: usize },
}

/// A request that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// Which of the session's associations it is on.
    pub(super) association: usize,
    head: Head,
    /// The SMB request that is answered with the first fragment.
    asked: Option<Asked>,
    pub(super) opnum: u16,
    /// The context it was asked on.
    presented: Presented,
}

impl Association {
    /// Opens a pipe, or a connection, for an interface. `None` if the server refuses the pipe.
    pub(super) fn open(
        session: &mut Session,
        film: &mut Film<'_>,
        settings: &Rc<Settings>,
        (interface, syntax_id): (Guid, SyntaxId),
        pipe: &str,
        refused: Option<u32>,
    ) -> io::Result<Option<Self>> {
        let port = None;
        Self::open_to(session, film, settings, (interface, syntax_id), (pipe, refused, port))
    }

    /// The same, to a port of DCOM.
    pub(super) fn open_to(
        session: &mut Session,
        film: &mut Film<'_>,
        settings: &Rc<Settings>,
        (interface, syntax_id): (Guid, SyntaxId),
        (pipe, refused, port): (&str, Option<u32>, Option<u16>),
    ) -> io::Result<Option<Self>> {
        let carrier = if settings.direct() {
            Carrier::Tcp { channel: session.open(film, port)? }
        } else {
            session.log_on(film)?;
            let tree = session.ipc(film)?;
            match session.create(film, tree, pipe, refused)? {
                Some(file) => Carrier::Pipe { tree, file },
                None => return Ok(None),
            }
        };
        let number = session.number();
        let seed = chance(session.seed() ^ u64::from(number) << 20);
        Ok(Some(Self {
            interface,
            syntax_id,
            carrier,
            settings: settings.clone(),
            port,
            contexts: Vec::new(),
            next_context: 0,
            bound: false,
            unanswered: None,
            call_id: 1,
            protection: Protection::new(seed),
            trailed: false,
            busy: false,
            seed,
        }))
    }

    /// What is bound next, and how.
    pub(super) fn rename(&mut self, syntax_id: SyntaxId, settings: &Rc<Settings>) {
        (self.interface, self.syntax_id) = (syntax_id.0, syntax_id);
        self.settings = settings.clone();
    }

    pub(super) fn head(&self) -> Head {
        Head { order: self.settings.order, call_id: self.call_id }
    }

    /// The client sends PDUs; gives the SMB request that is to be answered, on a pipe.
    pub(super) fn send(
        &self,
        session: &mut Session,
        film: &mut Film<'_>,
        pdus: &[Vec<u8>],
        transceive: bool,
    ) -> io::Result<Option<Asked>> {
        let Some((last, before)) = pdus.split_last() else { return Ok(None) };
        match self.carrier {
            Carrier::Tcp { channel } => {
                for pdu in pdus {
                    film.phase = Phase::Request;
                    session.say(film, channel, Side::Client, pdu)?;
                }
                film.phase = Phase::Between;
                Ok(None)
            }
            Carrier::Pipe { tree, file } => {
                for pdu in before {
                    film.phase = Phase::Request;
                    session.write(film, tree, file, pdu, None)?;
                }
                film.phase = Phase::Request;
                let asked = if transceive {
                    let body = smb::transceive(file, last, MOST);
                    session.ask(film, command::IOCTL, tree, &body)?
                } else {
                    session.write(film, tree, file, last, None)?;
                    session.ask(film, command::READ, tree, &smb::read(file, MOST))?
                };
                film.phase = Phase::Between;
                Ok(Some(asked))
            }
        }
    }

    /// The server sends PDUs: the first in answer to `asked`, each other in answer to a READ.
    fn receive(
        &self,
        session: &mut Session,
        film: &mut Film<'_>,
        asked: Option<&Asked>,
        pdus: &[Vec<u8>],
    ) -> io::Result<()> {
        let mut first = asked;
        for pdu in pdus {
            match self.carrier {
                Carrier::Tcp { channel } => {
                    film.phase = Phase::Answer;
                    session.say(film, channel, Side::Server, pdu)?;
                }
                Carrier::Pipe { tree, file } => {
                    let read;
                    let asked = if let Some(asked) = first.take() {
                        asked
                    } else {
                        read = session.ask(film, command::READ, tree, &smb::read(file, MOST))?;
                        &read
                    };
                    let body = if asked.is_transceive() {
                        smb::transceived(file, pdu)
                    } else {
                        smb::read_answer(pdu)
                    };
                    film.phase = Phase::Answer;
                    session.answer(film, asked, Status::SUCCESS, &body)?;
                }
            }
            film.phase = Phase::Between;
        }
        Ok(())
    }

    /// The pipe fails instead of giving an answer; there is none where TCP carries RPC.
    fn fail(
        session: &mut Session,
        film: &mut Film<'_>,
        asked: Option<&Asked>,
        status: u32,
    ) -> io::Result<()> {
        film.phase = Phase::Answer;
        if let Some(asked) = asked {
            session.answer(film, asked, Status(status), &smb::error())?;
        }
        film.phase = Phase::Between;
        Ok(())
    }

    /// A PDU of the client that has no answer: `rpc_auth_3`.
    fn tell(&self, session: &mut Session, film: &mut Film<'_>, pdu: &[u8]) -> io::Result<()> {
        match self.carrier {
            Carrier::Tcp { channel } => session.say(film, channel, Side::Client, pdu),
            Carrier::Pipe { tree, file } => session.write(film, tree, file, pdu, None),
        }
    }

    pub(super) fn round(
        &self,
        session: &mut Session,
        film: &mut Film<'_>,
        request: Vec<u8>,
        answer: Vec<u8>,
    ) -> io::Result<()> {
        // Windows writes and reads its binds, whatever it does with requests.
        let asked = self.send(session, film, &[request], false)?;
        film.tick(200);
        self.receive(session, film, asked.as_ref(), &[answer])
    }

    /// Binds, with the legs of the authentication.
    pub(super) fn bind(
        &mut self,
        session: &mut Session,
        film: &mut Film<'_>,
        pipe: &str,
        answer: BindAnswer,
    ) -> io::Result<()> {
        self.call_id = self.call_id.saturating_add(1);
        let head = self.head();
        let mut names = session.names_of(film, self.seed);
        if self.port.is_some() {
            names.domain.clone_from(&self.settings.domain);
            names.user.clone_from(&self.settings.user);
            names.secrets.clone_from(&self.settings.secrets);
        }
        let auth = self.settings.auth;
        let verifier = |value: Vec<u8>| {
            let auth = auth?;
            Some(Verifier { provider: auth.provider(), level: auth.level, value })
        };
        let (mechanism, token, challenge) = match auth {
            Some(Auth { kerberos: true, .. }) => {
                (OID_KERBEROS, kerberos::ap_req(&names), kerberos::ap_rep(&names, 2))
            }
            _ => (OID_NTLM, auth::negotiate(), auth::challenge(&names)),
        };
        let spnego = auth.is_some_and(|auth| auth.spnego);
        let (token, challenge) = if spnego {
            let challenge = auth::spnego_response(1, Some(mechanism), &challenge);
            (auth::spnego_init(mechanism, &token), challenge)
        } else {
            (token, challenge)
        };
        let cut = self.settings.fragment.max(1432);
        let group = (cut, 0);
        let mut tokens = vec![(Side::Client, token.clone()), (Side::Server, challenge.clone())];
        let asks = verifier(token);
        let offers = rpc::first_offers(self.syntax_id);
        let request = rpc::bind(head, ptype::BIND, &offers, group, asks.as_ref());
        let verdict = match answer {
            BindAnswer::Ack(verdict) => verdict,
            BindAnswer::Nothing => {
                self.unanswered = self.send(session, film, &[request], false)?;
                self.busy = true;
                return Ok(());
            }
            BindAnswer::Pipe(status) => {
                let asked = self.send(session, film, &[request], false)?;
                return Self::fail(session, film, asked.as_ref(), status);
            }
            BindAnswer::Nak(reason) => {
                return self.round(session, film, request, rpc::bind_nak(head, reason));
            }
            BindAnswer::Fault(status) => {
                return self.round(session, film, request, rpc::fault(head, 0, status, None));
            }
        };
        let secondary = match self.carrier {
            Carrier::Pipe { .. } => format!(r"\PIPE\{pipe}"),
            Carrier::Tcp { .. } => {
                self.port.unwrap_or(session.ends.server.address.port()).to_string()
            }
        };
        // The association group the server gives it.
        let [a, b, ..] = self.seed.to_le_bytes();
        let group = (cut, u32::from(u16::from_le_bytes([a, b])));
        let answers = verifier(challenge);
        let ack = rpc::bind_ack(
            head,
            ptype::BIND_ACK,
            &secondary,
            (&offers, verdict),
            group,
            answers.as_ref(),
        );
        self.round(session, film, request, ack)?;
        self.bound = self.present(&offers, verdict);
        let Some(auth) = auth.filter(|_| self.bound) else { return Ok(()) };
        let last =
            if auth.kerberos { kerberos::ap_rep(&names, 3) } else { auth::authenticate(&names) };
        let last = if auth.spnego { auth::spnego_response(1, None, &last) } else { last };
        tokens.push((Side::Client, last.clone()));
        let tokens: Vec<_> = tokens.iter().map(|(side, token)| (*side, token.as_slice())).collect();
        self.protection.agree(self.settings.keyring(auth.kerberos).as_ref(), &tokens);
        if !auth.spnego {
            let Some(verifier) = verifier(last) else { return Ok(()) };
            return self.tell(session, film, &rpc::auth3(head, &verifier));
        }
        let asks = verifier(last);
        let answers = verifier(auth::spnego_response(0, None, &[]));
        let kind = ptype::ALTER_CONTEXT;
        let offers = rpc::repeated_offer(self.syntax_id);
        let request = rpc::bind(head, kind, &offers, (cut, group.1), asks.as_ref());
        let kind = ptype::ALTER_CONTEXT_RESP;
        let answer = rpc::bind_ack(head, kind, "", (&offers, verdict), group, answers.as_ref());
        self.round(session, film, request, answer)
    }

    /// How a call is authenticated.
    fn auth(&self, call: &Call) -> Option<Auth> {
        let auth = self.settings.auth?;
        let level = call.dcom.as_ref().and_then(|dcom| dcom.level);
        Some(Auth { level: level.unwrap_or(auth.level), ..auth })
    }

    /// Whether a message of a call is changed on its way: the PDU if that is signed, else the message of
    /// SMB that carries it.
    fn tampered(&self, session: &mut Session, call: &Call, side: Side) -> bool {
        let tampered = call.tampered == Some(side);
        let signed = self.auth(call).is_some_and(|auth| auth.level > Auth::CONNECT);
        session.tampered = tampered && !signed;
        tampered
    }

    /// Whether a call's stubs are noise: nobody has told what they are sealed with.
    fn noise(&self, call: &Call) -> bool {
        let level = call.dcom.as_ref().and_then(|dcom| dcom.level);
        let privacy = level.map_or(self.seals(), |level| level == Auth::PRIVACY);
        (call.sealed || privacy) && !(privacy && self.protection.is_real())
    }

    /// Whether it was bound at privacy level.
    pub(super) fn seals(&self) -> bool {
        self.settings.auth.is_some_and(|auth| auth.level == Auth::PRIVACY)
    }

    /// The client asks.
    pub(super) fn request(
        &mut self,
        session: &mut Session,
        film: &mut Film<'_>,
        call: &Call,
        number: usize,
        long: bool,
    ) -> io::Result<Waiting> {
        let presented = self.presented(call);
        let mut stub = self.octets(call, Direction::In, (&call.request, presented.syntax))?;
        let trail = self.settings.trailer != Trailer::Off && !self.trailed;
        if trail && matches!(call.request, Stub::Arguments(_)) {
            let (order, syntax) = (self.settings.order, presented.syntax);
            let mut interface = presented.interface;
            if self.settings.trailer == Trailer::Wrong {
                interface.1 = interface.1.wrapping_add(1);
            }
            stub = rpc::verification_trailer(&stub, order, interface, syntax);
            self.trailed = true;
        }
        // The first request has the call id of the bind.
        let head = self.head();
        self.call_id = self.call_id.saturating_add(1);
        let asks = Asks { context: presented.id, opnum: call.opnum, object: call.object() };
        let fragment = self.settings.fragment;
        let (noise, auth) = (self.noise(call), self.auth(call));
        let tampered = self.tampered(session, call, Side::Client);
        let guard = &mut self.protection.sender(auth, Side::Client, tampered);
        let mut cut = Cut { fragment, guard, noise };
        let pdus = rpc::request(head, asks, &stub, &mut cut);
        let mut asked = self.send(session, film, &pdus, !self.settings.write_read)?;
        if let Some(asked) = asked.as_mut().filter(|_| long) {
            session.interim(film, asked)?;
        }
        self.busy = true;
        Ok(Waiting { association: number, head, asked, opnum: call.opnum, presented })
    }

    /// The server answers.
    pub(super) fn respond(
        &mut self,
        session: &mut Session,
        film: &mut Film<'_>,
        call: &Call,
        waiting: &Waiting,
    ) -> io::Result<()> {
        self.busy = false;
        let head = waiting.head;
        let context = waiting.presented.id;
        let pdus = match &call.answer {
            None => return Ok(()),
            Some(Answer::Pipe(status)) => {
                return Self::fail(session, film, waiting.asked.as_ref(), *status);
            }
            Some(Answer::Fault(status)) => {
                session.tampered = call.tampered == Some(Side::Server);
                vec![rpc::fault(head, context, *status, None)]
            }
            Some(Answer::Response(stub)) => {
                let stub = self.octets(call, Direction::Out, (stub, waiting.presented.syntax))?;
                let fragment = self.settings.fragment;
                let (noise, auth) = (self.noise(call), self.auth(call));
                let tampered = self.tampered(session, call, Side::Server);
                let guard = &mut self.protection.sender(auth, Side::Server, tampered);
                let mut cut = Cut { fragment, guard, noise };
                rpc::response(head, context, &stub, &mut cut)
            }
        };
        self.receive(session, film, waiting.asked.as_ref(), &pdus)
    }

    /// Closes the pipe. A request that waits there is cancelled.
    pub(super) fn close(
        &self,
        session: &mut Session,
        film: &mut Film<'_>,
        waiting: Option<&Waiting>,
    ) -> io::Result<()> {
        let Carrier::Pipe { tree, file } = self.carrier else { return Ok(()) };
        session.close(film, tree, file)?;
        let asked = waiting.and_then(|waiting| waiting.asked.as_ref());
        if let Some(asked) = asked.or(self.unanswered.as_ref()) {
            /// `STATUS_CANCELLED`
            const CANCELLED: Status = Status(0xC000_0120);
            session.answer(film, asked, CANCELLED, &smb::error())?;
        }
        Ok(())
    }

    /// Octets that stand for data of a file.
    pub(super) fn file_data(seed: u64) -> Vec<u8> {
        noise(seed, 512)
    }
}
