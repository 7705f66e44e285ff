//! Whether signatures of SMB 2 and 3 are right: 3.2.5.1.3 and 3.3.5.2.4 Verifying the Signature.

use super::super::model::{Chain, SessionKey, Unit};
use super::super::{Command, Event, Message, Smb, Status};
use super::Signer;
use crate::bytes::{Side, Span, View};
use crate::security::Verdict;

impl Smb {
    /// Looks at the signature of a message, and counts what it finds.
    pub(in super::super) fn verify(
        &mut self,
        unit: Unit<'_>,
        chain: &mut Chain,
        session: u64,
        m: &Message,
        out: &mut Vec<Event>,
    ) {
        // What is encrypted is not signed, whatever the flag says (3.2.4.1.1).
        if unit.sealed || !m.header.is_signed() {
            return;
        }
        let key = self.key(unit, session);
        let mut verdict = self.verdict(unit, key, m);
        // These are not verified by who gets them.
        let loose = m.header.status == Status::PENDING || m.header.message_id == u64::MAX;
        if loose && verdict == Verdict::BadSignature {
            verdict = Verdict::NotVerifiable;
        }
        self.counters.signed(verdict);
        if verdict == Verdict::BadSignature && !std::mem::replace(&mut chain.bad, true) {
            let user = self.sessions.peek(&key).and_then(|session| session.user.clone());
            let by = if m.header.is_response() { Side::Server } else { Side::Client };
            let command = m.header.command.to_string();
            out.push(Event::BadSignature { session_id: session, user, by, command });
        }
    }

    fn verdict(&mut self, unit: Unit<'_>, key: SessionKey, m: &Message) -> Verdict {
        let Some(message) = whole_message(unit, m.span) else {
            return Verdict::NotVerifiable;
        };
        let logs_on = m.header.command == Command::SESSION_SETUP;
        if !logs_on {
            self.settle(unit.connection, key);
        }
        let Some(session) = self.sessions.get(&key) else {
            return Verdict::NotVerifiable;
        };
        let all = &mut session.protection.signers;
        if let Some(signers) = all.get_mut(&unit.connection) {
            return judge(signers, message);
        }
        // A connection that joins the session signs with that of another until it has its own.
        if logs_on && all.values_mut().any(|signers| judge(signers, message) == Verdict::Verified) {
            return Verdict::Verified;
        }
        Verdict::NotVerifiable
    }
}

/// The octets of a message, if all of them are here.
pub(in super::super) fn whole_message(unit: Unit<'_>, span: Span) -> Option<&[u8]> {
    let view: View<'_> = unit.view.slice(span);
    (unit.complete && view.holes().next().is_none()).then(|| view.bytes())
}

/// What the keys of a connection say of a message; once one of them is right, no other is.
fn judge(signers: &mut Vec<Signer>, message: &[u8]) -> Verdict {
    let Some(at) = signers.iter().position(|signer| signer.verifies(message)) else {
        let proven = signers.iter().any(|signer| signer.proven);
        return if proven { Verdict::BadSignature } else { Verdict::NotVerifiable };
    };
    signers.swap(0, at);
    signers.truncate(1);
    for signer in signers {
        signer.proven = true;
    }
    Verdict::Verified
}

impl Signer {
    /// Whether the signature of a message is made with this key.
    pub(super) fn verifies(&self, message: &[u8]) -> bool {
        /// 2.2.1 `Signature`
        const SIGNATURE: std::ops::Range<usize> = 48..64;
        let told = message.get(SIGNATURE);
        let made = self.signing.sign(&self.key, message);
        made.is_some_and(|made| told == Some(&made[..]))
    }
}
