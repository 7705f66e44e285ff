//! Which objects clients hold: what DCOM's references amount to.
//!
//! Takes the calls to one server in the order in which they end, and what happens around them, and
//! keeps a [`Table`] of the objects that were handed out, one entry per interface pointer. It knows
//! nothing of what the objects are for, and judges nobody.
//!
//! ```text
//!  activation ──► OXID: ports, IRemUnknown
//!       └──────► IPID ◄── out parameters, RemQueryInterface        issued: by which call, how many
//!                  │                                               references, to which client
//!                  ├──► calls on it                                used
//!                  ├──► RemAddRef, RemRelease                      a ledger for each client
//!                  └──► OID ◄── ComplexPing, SimplePing            kept alive
//! ```
//!
//! # What is known, and what is not
//!
//! An object on which somebody calls and that nobody was seen to hand out is *adopted*: of its
//! references nothing is known. Where packets are missing, or calls cannot be read, references may
//! have moved unseen: from then on ledgers are *unsure* ([`Table::forget`]), and objects may have been
//! handed out that are not here ([`Table::is_blind`]). Who reads this table must not conclude anything
//! from what is unsure.
//!
//! References that a client passes on to a process of another machine, and those that another machine
//! passed to it, never show. A ledger is what was seen to come and go between one address and the
//! server.

mod exporter;
mod object;
mod ping;
mod said;
mod table;

pub use exporter::Exporter;
pub use object::{Holder, Object, Origin, Phase};
pub use ping::PingSet;
pub use said::{Activation, Count, Reference, Said, Wanted, interface_pointers};
pub use table::{Moved, Table, Use};

use crate::call::Call;

/// The ports of TCP at which an activation, or the resolver of an OXID, says that objects are.
pub fn ports(call: &Call) -> Vec<u16> {
    let told = match Said::of(call) {
        Some(Said::Activated(activation)) => activation.bindings,
        Some(Said::Resolved { bindings, .. }) => bindings,
        _ => return Vec::new(),
    };
    let mut exporter = Exporter::default();
    exporter.told(&told);
    exporter.ports.into_iter().collect()
}

#[cfg(test)]
mod tests;
