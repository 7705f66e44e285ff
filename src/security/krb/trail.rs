//! [`step`]: what of a conversation with a KDC leads to the session key of a ticket, by what is told in
//! clear. Pure: no key is needed to say which messages it would take.

use super::message::{self, AS_REQ, KdcMessage};
use super::session::unframed;
use crate::security::keys::{self, TicketId};
use crate::security::tokens::carried;

/// One message of a conversation with a KDC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// RFC 4120 5.4.1: a client asks.
    Asked {
        /// The ticket that it asks with; `None` in an `AS-REQ`.
        with: Option<TicketId>,
    },
    /// RFC 4120 5.4.2: a KDC gives a ticket.
    Given {
        /// The ticket.
        ticket: TicketId,
        /// To whom: user and realm, if the user's own secret opens the answer, which is an `AS-REP`.
        client: Option<(String, String)>,
    },
    /// RFC 4120 5.9.1: a KDC says which salts there are.
    Salts {
        /// Whose: user and realm. The user is empty where the KDC does not repeat it.
        client: (String, String),
    },
}

/// What a message of either side is, without the length that TCP has before it; `None` for one that
/// nothing follows from.
pub fn step(message: &[u8]) -> Option<Step> {
    if message.first() == Some(&AS_REQ) {
        return Some(Step::Asked { with: None });
    }
    Some(match message::kdc_message(message)? {
        KdcMessage::TgsReq(asked) => {
            Step::Asked { with: Some(keys::id(asked.ticket.sealed.cipher)) }
        }
        KdcMessage::Rep(answer) => Step::Given {
            ticket: keys::id(answer.ticket.sealed.cipher),
            client: answer.initial.then_some((answer.client, answer.realm)),
        },
        KdcMessage::Salts { realm, client, .. } => Step::Salts { client: (client, realm) },
    })
}

/// The ticket that a client shows in a token, whatever wraps it.
pub fn ticket_shown(token: &[u8]) -> Option<TicketId> {
    let asked = message::ap_req(unframed(carried(token)?.inner?))?;
    Some(keys::id(asked.ticket.sealed.cipher))
}
