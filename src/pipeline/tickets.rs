//! [`Tickets`]: the frames it takes to find the session key of a Kerberos ticket again.
//!
//! ```text
//!  AS-REQ ─ KRB-ERROR (salts) ─ AS-REQ ─ AS-REP ─ TGS-REQ ─ TGS-REP ─ AP-REQ of a session
//!  └──────── of the user ────┘  └─ gives a TGT ┘  └─ with it, a ticket ┘
//! ```
//!
//! Which they are is told in clear: a ticket is known by its octets wherever it is shown.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::bytes::{Ends, FrameNo};
use crate::security::keys::{Recent, TicketId};
use crate::security::krb::{self, Step};

/// Tickets, clients and ends of conversations that are remembered, each; the oldest makes room.
const MAX_KNOWN: usize = 4096;
/// Frames of what gave one ticket.
const MAX_FRAMES: usize = 256;
/// Tickets that lead to one: other realms refer a client further.
const MAX_STEPS: usize = 16;

type Frames = BTreeSet<FrameNo>;

/// What was said between clients and KDCs.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    /// The last question, by who asks whom.
    asked: Recent<[SocketAddr; 2], Asked, MAX_KNOWN>,
    /// By user and realm in lower case: in which frames salts were told.
    salts: Recent<(String, String), Frames, MAX_KNOWN>,
    given: Recent<TicketId, Given, MAX_KNOWN>,
}

#[derive(Clone, Debug, Default)]
struct Asked {
    with: Option<TicketId>,
    frames: Frames,
    answered: bool,
}

#[derive(Clone, Debug)]
struct Given {
    /// The ticket it was asked for with.
    with: Option<TicketId>,
    frames: Frames,
}

impl Tickets {
    /// Takes the next message of either side, which is read with these frames.
    pub(super) fn take(&mut self, ends: Ends, step: Step, frames: Frames) {
        let of = [ends.client, ends.server];
        let known = self.asked.get(&of);
        match step {
            Step::Asked { with } => {
                // Over UDP a question is asked again until there is an answer.
                let before = known.filter(|asked| !asked.answered && asked.with == with);
                let mut frames = frames;
                frames.extend(before.iter().flat_map(|asked| &asked.frames));
                self.asked.remember(of, Asked { with, frames: few(frames), answered: false });
            }
            Step::Given { ticket, client } => {
                let asked = known.cloned().unwrap_or_default();
                let mut frames = frames;
                frames.extend(&asked.frames);
                if let Some((user, realm)) = client {
                    for user in [user, String::new()] {
                        frames.extend(self.salts.get(&who(&user, &realm)).into_iter().flatten());
                    }
                }
                self.asked.remember(of, Asked { answered: true, ..asked.clone() });
                // The same answer once more says nothing new.
                if self.given.get(&ticket).is_none() {
                    self.given.remember(ticket, Given { with: asked.with, frames: few(frames) });
                }
            }
            Step::Salts { client: (user, realm) } => {
                let asked = known.cloned().unwrap_or_default();
                let mut frames = frames;
                frames.extend(&asked.frames);
                self.asked.remember(of, Asked { answered: true, ..asked });
                self.salts.remember(who(&user, &realm), few(frames));
            }
        }
    }

    /// The frames that lead to the session key of the ticket in a token; none where there is no ticket.
    pub(super) fn behind(&self, token: &[u8]) -> Frames {
        let mut frames = Frames::new();
        let mut next = krb::ticket_shown(token);
        for _ in 0..MAX_STEPS {
            let Some(given) = next.and_then(|ticket| self.given.get(&ticket)) else { break };
            frames.extend(&given.frames);
            next = given.with;
        }
        frames
    }
}

/// Names of Kerberos as they are compared here: case does not matter.
fn who(user: &str, realm: &str) -> (String, String) {
    (user.to_lowercase(), realm.to_lowercase())
}

/// No more than [`MAX_FRAMES`], the latest.
fn few(mut frames: Frames) -> Frames {
    while frames.len() > MAX_FRAMES {
        frames.pop_first();
    }
    frames
}
