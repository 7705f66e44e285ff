//! What comes before a connection, or instead of it: names, tickets, SYNs in vain.

use std::io;
use std::net::{IpAddr, SocketAddr};

use super::film::Film;
use super::session::Session;
use super::steps::{Lookup, Ticket, Vain};
use super::wire::dns::{Question, Verdict};
use super::wire::kerberos;
use super::wire::net::{datagram, prohibited};
use super::wire::octets::chance;
use crate::bytes::{Both, Side};

/// Microseconds from one SYN to the next, as Windows waits: a second, then each time twice as long.
const PAUSES: [u32; 4] = [1_000_000, 2_000_000, 4_000_000, 8_000_000];
/// Microseconds after the last until it gives up.
const GIVES_UP: u32 = 6_000_000;
/// Microseconds in which somebody near answers.
const NEAR: u32 = 300;

const DNS: u16 = 53;
const NETBIOS: u16 = 137;
const KDC: u16 = 88;

impl Session {
    /// A TCP connection that comes to nothing; a router at `router` may say so.
    pub(super) fn connect_in_vain(
        &self,
        film: &mut Film<'_>,
        (how, port): (Vain, Option<u16>),
        router: IpAddr,
    ) -> io::Result<()> {
        let mut connection = self.connection(film, port);
        match how {
            Vain::Reset => {
                for frame in connection.refuse() {
                    film.frame(&frame)?;
                    film.tick(150);
                }
            }
            Vain::Icmp => {
                let syn = connection.syn();
                film.frame(&syn)?;
                film.tick(NEAR);
                film.frame(&prohibited(router, self.ends.client.address.ip(), &syn))?;
            }
            Vain::Silence => {
                film.frame(&connection.syn())?;
                for pause in PAUSES {
                    film.tick(pause);
                    film.frame(&connection.syn())?;
                }
                film.tick(GIVES_UP);
            }
        }
        Ok(())
    }

    /// The client asks for the address of a name.
    pub(super) fn ask_name(
        &self,
        film: &mut Film<'_>,
        asked: &Lookup,
        resolver: IpAddr,
        verdict: Verdict,
    ) -> io::Result<()> {
        let port = film.port();
        let (from, to) = if asked.netbios { (NETBIOS, NETBIOS) } else { (port, DNS) };
        let (client, resolver) =
            (SocketAddr::new(self.ends.client.address.ip(), from), SocketAddr::new(resolver, to));
        let v6 = resolver.ip().is_ipv6();
        let question = Question { id: port, name: &asked.name, netbios: asked.netbios, v6 };
        film.tick(NEAR);
        film.frame(&datagram(client, resolver, &question.ask()))?;
        film.tick(NEAR);
        film.frame(&datagram(resolver, client, &question.answer(verdict)))
    }

    /// The client asks for a ticket, and the KDC gives none.
    pub(super) fn ask_ticket(
        &self,
        film: &mut Film<'_>,
        asked: &Ticket,
        kdc: IpAddr,
    ) -> io::Result<()> {
        let seed = chance(self.seed() ^ u64::from(asked.error));
        let names = self.names_of(film, seed);
        let request = kerberos::tgs_req(&names, &asked.service);
        let error = kerberos::error(&names, &asked.service, asked.error);
        let kdc = SocketAddr::new(kdc, KDC);
        film.tick(NEAR);
        if asked.udp {
            let client = SocketAddr::new(self.ends.client.address.ip(), film.port());
            film.frame(&datagram(client, kdc, &request))?;
            film.tick(NEAR);
            return film.frame(&datagram(kdc, client, &error));
        }
        let ends = Both { client: self.ends.client.address, server: kdc };
        let mut connection = self.connection_of(film, ends);
        let mut frames = connection.open().to_vec();
        frames.extend(connection.say(Side::Client, &kerberos::with_length(&request)));
        frames.extend(connection.say(Side::Server, &kerberos::with_length(&error)));
        frames.extend(connection.close());
        for frame in frames {
            film.frame(&frame)?;
            film.tick(NEAR);
        }
        Ok(())
    }
}
