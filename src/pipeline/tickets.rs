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
        krb::ticket_shown(token).map(|ticket| self.leading_to(ticket)).unwrap_or_default()
    }

    fn leading_to(&self, ticket: TicketId) -> Frames {
        let mut frames = Frames::new();
        let mut next = Some(ticket);
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

#[cfg(test)]
mod tests {
    use super::*;

    const TGT: TicketId = [1; 32];
    const TICKET: TicketId = [2; 32];

    fn ends(port: u16) -> Ends {
        let at = |host, port| SocketAddr::from(([10, 0, 0, host], port));
        Ends { client: at(1, port), server: at(2, 88) }
    }

    fn of(user: &str) -> (String, String) {
        (user.to_owned(), "LAB".to_owned())
    }

    /// What was said in frames 1, 2, …, each by its client's port.
    fn told(steps: impl IntoIterator<Item = (u16, Step)>) -> Tickets {
        let mut tickets = Tickets::default();
        for (frame, (port, step)) in (1..).zip(steps) {
            tickets.take(ends(port), step, Frames::from([FrameNo(frame)]));
        }
        tickets
    }

    #[track_caller]
    fn leads(tickets: &Tickets, ticket: TicketId, frames: &[u64]) {
        let found: Vec<u64> = tickets.leading_to(ticket).into_iter().map(|frame| frame.0).collect();
        assert_eq!(found, frames);
    }

    #[test]
    fn only_what_leads_to_a_ticket_is_taken() {
        let first = || Step::Asked { with: None };
        let further = || Step::Asked { with: Some(TGT) };
        let tickets = told([
            (1, first()),
            (1, Step::Salts { client: of("ANN") }),
            (2, first()),
            (2, Step::Salts { client: of("bob") }),
            (3, first()),
            (3, Step::Given { ticket: TGT, client: Some(of("ann")) }),
            // Over UDP it is asked twice, and answered twice.
            (4, further()),
            (4, further()),
            (4, Step::Given { ticket: TICKET, client: None }),
            (4, Step::Given { ticket: TICKET, client: None }),
            // The next question of the same port is another.
            (4, further()),
            (4, Step::Given { ticket: [3; 32], client: None }),
        ]);
        leads(&tickets, TGT, &[1, 2, 5, 6]);
        leads(&tickets, TICKET, &[1, 2, 5, 6, 7, 8, 9]);
        leads(&tickets, [3; 32], &[1, 2, 5, 6, 11, 12]);
        leads(&tickets, [4; 32], &[]);
        assert_eq!(tickets.behind(b"no token"), Frames::new());
    }

    #[test]
    fn a_ring_of_tickets_ends_and_a_flood_is_bounded() {
        let give = |ticket, with| {
            [(1, Step::Asked { with: Some(with) }), (1, Step::Given { ticket, client: None })]
        };
        let ring = told([give(TGT, TICKET), give(TICKET, TGT)].concat());
        leads(&ring, TGT, &[1, 2, 3, 4]);
        let flood = told((0..1000).map(|_| (1, Step::Asked { with: Some(TGT) })));
        let asked = flood.asked.get(&[ends(1).client, ends(1).server]).unwrap();
        assert_eq!(asked.frames.len(), MAX_FRAMES);
    }
}
