//! What comes before a conversation, and may be why there is none: a server that cannot be reached, a
//! name that does not resolve, a ticket that is not given.

use std::net::SocketAddr;

use super::above::Above;
use super::names::News;
use super::reach::Failure;
use super::{Refuser, What};
use crate::bytes::{Ends, FrameNo, Side, Time, View};
use crate::net::dns::{self, Resolver};
use crate::net::{Undelivered, UserDatagram};
use crate::security::kerberos;
use crate::tcp::{Flow, Flows, Segment};

/// UDP and TCP port of a KDC.
const KDC: u16 = 88;

impl Above<'_> {
    /// A segment with SYN or RST, before it is given to `flows`.
    pub(super) fn handshake(&mut self, segment: &Segment<'_>, flows: &Flows) {
        if segment.header.syn {
            self.syn(segment);
        }
        self.reach.segment(segment, flows);
        self.unreachable();
    }

    /// ICMP says that a segment was not delivered.
    pub(super) fn undelivered(&mut self, told: &Undelivered, frame: FrameNo) {
        self.reach.undelivered(told, frame);
    }

    /// Tells of the connects that have failed by `now`.
    pub(super) fn expire(&mut self, now: Time, flows: &Flows) {
        self.reach.expire(now, flows);
        self.unreachable();
    }

    /// Tells of the connects that have failed when the capture ends.
    pub(super) fn give_up(&mut self, flows: &Flows) {
        self.reach.finish(flows);
        self.unreachable();
    }

    fn unreachable(&mut self) {
        for Failure { ends, how, syns, since, frame } in self.reach.take() {
            self.counts.see_refusal(format!("connection to {}: {how}", ends.server));
            let what = What::Unreachable { how, syns, since };
            self.around((Some(frame), self.now.1), ends, None, what);
        }
    }

    /// A packet from one end was seen.
    pub(super) fn hear(&mut self, from: SocketAddr, to: SocketAddr) {
        self.reach.hear(from, to);
    }

    /// A datagram: the answer of a resolver or of a KDC, perhaps.
    pub(super) fn user_datagram(&mut self, udp: &UserDatagram, payload: View<'_>) {
        self.hear(udp.src, udp.dst);
        if payload.holes().next().is_some() {
            return;
        }
        let ends = Ends { client: udp.dst, server: udp.src };
        if udp.src.port() == KDC {
            self.kdc_said(ends, payload.bytes());
        } else if let Some(by) = Resolver::of(udp.src.port())
            && let Some(answer) = dns::answer(by, payload.bytes())
        {
            let news = self.names.answer(udp.dst.ip(), by, &answer, self.now.1);
            let dns::Answer { name, code, .. } = answer;
            let what = match news {
                Some(News::Unknown) => {
                    let said =
                        code.name(by).map_or_else(|| format!("error {}", code.0), str::to_owned);
                    self.counts.see_refusal(format!("name {name}: {said} ({by})"));
                    What::NameUnknown { name, by, code }
                }
                Some(News::Found) => What::NameFound { name, by },
                None => return,
            };
            self.around(self.now, ends, None, what);
        }
    }

    /// Bytes of a connection to a KDC. An error is read if one segment carries it: none is longer.
    pub(super) fn kdc(&mut self, flow: &Flow, side: Side, view: View<'_>) {
        // RFC 4120 7.2.2: four octets of length, big-endian.
        let bytes = view.bytes();
        if side == Side::Server
            && let Some((length, message)) = bytes.split_first_chunk()
            && usize::try_from(u32::from_be_bytes(*length)) == Ok(message.len())
        {
            self.kdc_said(flow.ends, message);
        }
    }

    fn kdc_said(&mut self, ends: Ends, message: &[u8]) {
        let Some(error) = kerberos::error(message) else { return };
        if let Some(what) = self.ticket_refused(Refuser::Kdc, Box::new(error)) {
            self.around(self.now, ends, None, what);
        }
    }
}

/// Whether a KDC is usually at this port.
pub(super) fn is_kdc(flow: &Flow) -> bool {
    flow.ends.server.port() == KDC
}
