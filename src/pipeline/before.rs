//! What comes before a conversation, and may be why there is none: a server that cannot be reached, a
//! name that does not resolve, a ticket that is not given.

use std::net::SocketAddr;

use super::above::Above;
use super::flow::OnFlow;
use super::names::News;
use super::reach::Failure;
use super::{Refuser, What};
use crate::bytes::{Ends, FrameNo, Framed, Layer, Missing, Side, Span, Stream, Time, View, clamp};
use crate::net::dns::{self, Resolver};
use crate::net::{Undelivered, UserDatagram};
use crate::security::{kerberos, krb};
use crate::tcp::{Flow, Flows, Segment};

/// UDP and TCP port of a KDC.
const KDC: u16 = 88;
/// Octets of a message over TCP; what claims to be longer is none. Tickets with many groups are long.
const KDC_MESSAGE_MAX: u32 = 64 << 10;

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
            self.kdc_said(ends, Side::Server, payload);
        } else if udp.dst.port() == KDC {
            self.kdc_said(ends.swapped(), Side::Client, payload);
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

    /// Bytes of a connection to a KDC.
    pub(super) fn kdc(&mut self, flow: &Flow, side: Side, view: View<'_>) {
        self.on_kdc(flow, side, |stream, layer| stream.feed(view, layer));
    }

    /// Bytes of a connection to a KDC are missing.
    pub(super) fn kdc_gap(&mut self, flow: &Flow, side: Side, len: u64, why: Missing) {
        self.on_kdc(flow, side, |stream, layer| stream.gap(len, why, layer));
    }

    fn on_kdc(&mut self, flow: &Flow, side: Side, act: impl FnOnce(&mut Stream, &mut OnKdc<'_>)) {
        let Some(OnFlow::Kdc { streams }) = self.flows.get_mut(&flow.id) else { return };
        let mut stream = std::mem::take(&mut streams[side]);
        let mut messages = OnKdc { take: &mut |message| self.kdc_said(flow.ends, side, message) };
        act(&mut stream, &mut messages);
        if let Some(OnFlow::Kdc { streams }) = self.flows.get_mut(&flow.id) {
            streams[side] = stream;
        }
    }

    fn kdc_said(&mut self, ends: Ends, side: Side, message: View<'_>) {
        let now = self.now.0;
        self.watch.setup(|setup| setup.kdc(ends, message, now));
        let message = message.bytes();
        self.kdc.message(message, &self.keys);
        let error = (side == Side::Server).then(|| kerberos::error(message)).flatten();
        let Some(error) = error else { return };
        if let Some(what) = self.ticket_refused(Refuser::Kdc, Box::new(error)) {
            self.around(self.now, ends, None, what);
        }
    }
}

/// One direction of a connection to a KDC: RFC 4120 7.2.2, messages behind four octets of length,
/// big-endian.
struct OnKdc<'a> {
    take: &'a mut dyn FnMut(View<'_>),
}

impl OnKdc<'_> {
    /// The length of the message behind the four octets at the start of `bytes`.
    fn length(bytes: &[u8]) -> Option<u32> {
        let length = u32::from_be_bytes(*bytes.first_chunk()?);
        (1..=KDC_MESSAGE_MAX).contains(&length).then_some(length)
    }
}

impl Layer for OnKdc<'_> {
    const HEADER: u32 = 4;

    fn frame(&mut self, head: View<'_>) -> Framed {
        if head.len() < Self::HEADER {
            return Framed::Need(Self::HEADER);
        }
        Self::length(head.bytes())
            .and_then(|length| length.checked_add(Self::HEADER))
            .map_or(Framed::Foreign, Framed::Whole)
    }

    fn unit(&mut self, unit: View<'_>, _: u32) {
        if unit.holes().next().is_none() {
            (self.take)(unit.slice(Span::new(Self::HEADER, unit.len())));
        }
    }

    fn resync(&mut self, bytes: &[u8]) -> Option<u32> {
        let begins = |bytes: &[u8]| {
            let message = bytes.get(4..).unwrap_or_default();
            Self::length(bytes).is_some() && krb::is_kdc_message(message)
        };
        bytes.windows(5).position(begins).map(clamp)
    }

    fn desync(&mut self, _: u32) {}
}

/// Whether a KDC is usually at this port.
pub(super) fn is_kdc(flow: &Flow) -> bool {
    flow.ends.server.port() == KDC
}
