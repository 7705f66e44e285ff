//! How an association is protected: its security contexts, and what they open.

use rustc_hash::FxHashMap;

use super::names::{AUTH_TYPES, named};
use super::part::Seal;
use super::pdu::{Body, HEADER, PacketType, Pdu, SEC_TRAILER, Verifier};
use super::{Auth, Closed, Common};
use crate::bytes::{Both, Buffer, Missing, Side, Span, View, Why};
use crate::security::kerberos::KrbError;
use crate::security::{Context, Need, Opened, Protected, Verdict, ntlm, peek};

/// Security contexts of one association.
const MAX_SECURITY_CONTEXTS: usize = 256;
/// Reasons that are told of what stays closed, in all associations together.
const MAX_REASONS: usize = 256;
/// `RPC_C_AUTHN_GSS_NEGOTIATE`, `RPC_C_AUTHN_WINNT`, `RPC_C_AUTHN_GSS_KERBEROS`.
const OPENED: [u8; 3] = [9, 10, 16];
/// `RPC_C_AUTHN_LEVEL_CONNECT`
const LEVEL_CONNECT: u8 = 2;
/// `RPC_C_AUTHN_LEVEL_CALL`: the lowest at which PDUs are signed.
const LEVEL_CALL: u8 = 3;
/// `RPC_C_AUTHN_LEVEL_PKT_PRIVACY`
const LEVEL_PRIVACY: u8 = 6;
/// \[MS-RPCE\] 2.2.2.3 `PFC_SUPPORT_HEADER_SIGN`, in PDUs that bind.
const SUPPORT_HEADER_SIGN: u8 = 0x04;

/// The security contexts of an association.
#[derive(Debug, Default)]
pub(super) struct Protection {
    /// By their id. Added by the first security trailer that names one.
    guards: FxHashMap<u32, Guard>,
    /// Whether the bind was seen that tells how calls without a trailer are protected.
    pub(super) begun: bool,
    /// Who has said that headers are to be signed.
    header_sign: Both<bool>,
}

/// One security context.
#[derive(Debug)]
struct Guard {
    auth: Auth,
    context: Context,
}

/// What became of a PDU with a signature.
pub(super) struct Unsealed {
    pub(super) verdict: Verdict,
    /// The stub in clear, if it was sealed and its signature is right.
    pub(super) stub: Option<Buffer>,
}

impl Protection {
    /// Notes what a PDU says of its protection; gives the error of Kerberos in its token.
    pub(super) fn note(
        &mut self,
        side: Side,
        pdu: &Pdu<'_>,
        common: &Common,
    ) -> Option<Box<KrbError>> {
        let header = &pdu.header;
        // Only these carry tokens; the others carry signatures.
        let binds = matches!(
            header.ptype,
            PacketType::BIND
                | PacketType::BIND_ACK
                | PacketType::ALTER_CONTEXT
                | PacketType::ALTER_CONTEXT_RESP
        );
        if binds {
            self.header_sign[side] |= header.flags & SUPPORT_HEADER_SIGN != 0;
        }
        let verifier = pdu.verifier.as_ref()?;
        if self.guards.len() >= MAX_SECURITY_CONTEXTS
            && !self.guards.contains_key(&verifier.context_id)
        {
            return None;
        }
        let guard = self
            .guards
            .entry(verifier.context_id)
            .or_insert_with(|| Guard { auth: Auth::NONE, context: Context::default() });
        guard.auth.auth_type = verifier.auth_type;
        guard.auth.level = verifier.auth_level;
        let token = binds || header.ptype == PacketType::AUTH3;
        if !token || verifier.value.holes().next().is_some() {
            return None;
        }
        guard.context.token(side, verifier.value.bytes(), &common.keys);
        if let Some(client) = guard.context.client() {
            guard.auth.principal = Some(client);
        }
        let token = peek(verifier.value.bytes())?;
        guard.auth.mechanism = Some(token.mechanism);
        if let (Side::Client, Some(ntlm::Message::Authenticate(message))) = (side, token.ntlm) {
            guard.auth.principal = Some(message.account());
        }
        token.refusal.map(Box::new)
    }

    /// Whether the stub of a PDU is encrypted. Where its trailer is missing, the others of the
    /// association tell.
    pub(super) fn seal(&self, pdu: &Pdu<'_>) -> Seal {
        let missing = match pdu.stop.as_ref().map(|stop| &stop.why) {
            Some(Why::Missing(why)) => *why,
            _ => Missing::Lost,
        };
        let privacy = |level| if level == LEVEL_PRIVACY { Seal::Closed } else { Seal::Open };
        match &pdu.verifier {
            _ if pdu.header.ptype == PacketType::FAULT || pdu.header.auth_length == 0 => Seal::Open,
            Some(verifier) => privacy(verifier.auth_level),
            None => {
                let highest = self.guards.values().map(|guard| guard.auth.level).max();
                highest.map_or(Seal::Untold(missing), privacy)
            }
        }
    }

    /// How a PDU was protected: by its own trailer, or at connect level by that of the bind.
    pub(super) fn auth(&self, verifier: Option<&Verifier<'_>>) -> Auth {
        if let Some(verifier) = verifier {
            let known = self.guards.get(&verifier.context_id).map(|guard| &guard.auth);
            let of_bind = known.cloned().unwrap_or(Auth::NONE);
            return Auth { auth_type: verifier.auth_type, level: verifier.auth_level, ..of_bind };
        }
        let mut contexts = self.guards.values().map(|guard| &guard.auth);
        match (contexts.next(), contexts.next()) {
            (Some(auth), None) if auth.level == LEVEL_CONNECT => auth.clone(),
            (None, _) if !self.begun => Auth::UNTOLD,
            _ => Auth::NONE,
        }
    }

    /// Whether the client has offered to sign headers; `None` if its bind was not seen, or where nothing
    /// is signed.
    pub(super) fn offered_header_sign(&self) -> Option<bool> {
        (self.begun && !self.guards.is_empty()).then_some(self.header_sign.client)
    }

    /// Opens a PDU, or checks its signature; `None` for one that has none.
    pub(super) fn open(
        &mut self,
        side: Side,
        unit: View<'_>,
        pdu: &Pdu<'_>,
        common: &mut Common,
    ) -> Option<Unsealed> {
        let verifier = pdu.verifier.as_ref()?;
        let (stub, fixed) = match &pdu.body {
            Some(Body::Request { stub, object, .. }) => {
                (*stub, HEADER + if object.is_some() { 24 } else { 8 })
            }
            Some(Body::Response { stub, .. }) => (*stub, HEADER + 8),
            // Whatever its level, what it says is read in clear.
            Some(Body::Fault { .. }) => (unit.slice(Span::default()), HEADER + 16),
            _ => return None,
        };
        if verifier.auth_level < LEVEL_CALL {
            return None;
        }
        let sealed = verifier.auth_level == LEVEL_PRIVACY;
        let end = u32::from(pdu.header.frag_length);
        let signature = end.checked_sub(pdu.header.auth_length.into())?;
        let trailer = signature.checked_sub(SEC_TRAILER)?;
        let whole = unit.len() >= end && unit.holes().next().is_none();
        let fault = pdu.header.ptype == PacketType::FAULT;
        let guard = self.guards.get_mut(&verifier.context_id);
        let mut opened = match guard {
            _ if !whole || fixed > trailer => Opened::closed(Need::of(
                "all octets of the PDU, some of which are not in the capture",
            )),
            _ if !OPENED.contains(&verifier.auth_type) => {
                let provider = named(AUTH_TYPES, verifier.auth_type.into());
                Opened::closed(Need::of(format!(
                    "another provider, NTLM or Kerberos: {provider} cannot be opened"
                )))
            }
            // How much of a fault is sealed, no specification says.
            _ if fault && sealed => Opened::closed(Need::of("a call that is no fault")),
            Some(guard) if guard.context.session_key().is_none() => {
                Opened::closed(guard.context.need())
            }
            Some(guard) => {
                let part = |from, to| unit.slice(Span::new(from, to)).bytes();
                guard.context.open(
                    side,
                    &Protected {
                        sealed,
                        header_signed: self.header_sign.client && self.header_sign.server,
                        head: part(0, fixed),
                        body: part(fixed, trailer),
                        trailer: part(trailer, signature),
                        signature: part(signature, end),
                    },
                )
            }
            None => Opened::closed(Need::of("fewer security contexts in one association")),
        };
        if fault && opened.verdict == Verdict::BadSignature {
            // Nor is what of it is signed.
            opened.verdict = Verdict::NotVerifiable;
        }
        let Opened { verdict, body, why } = opened;
        *common.counters.signatures.entry(verdict).or_default() += 1;
        if let Some(why) = why {
            close(&mut common.counters.closed, why, sealed, unit);
        }
        let stub = body.map(|body| {
            let mut clear = Buffer::default();
            let len = usize::try_from(stub.len()).unwrap_or_default().min(body.len());
            clear.push_made(body.get(..len).unwrap_or_default(), stub);
            clear
        });
        Some(Unsealed { verdict, stub })
    }
}

/// Notes that a PDU stays closed.
fn close(closed: &mut Vec<Closed>, need: Need, sealed: bool, unit: View<'_>) {
    let full = closed.len() >= MAX_REASONS;
    let known =
        closed.iter_mut().rfind(|known| full || (&known.need, known.sealed) == (&need, sealed));
    if let Some(known) = known {
        known.pdus += 1;
        return;
    }
    let first = unit.frames().last().copied();
    closed.push(Closed { need, sealed, pdus: 1, first });
}
