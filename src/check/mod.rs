//! The judge: holds conversations against the specification, and says who broke what.

mod act;
mod bench;
mod breach;
mod catalogue;
mod effect;
mod finding;
mod guards;
pub mod machine;
mod profile;
mod rules;
mod say;
mod server;
mod sets;
mod tracker;
mod tri;
mod world;

pub use bench::Tally;
pub use catalogue::{Catalogue, Needs, Observable, Rule};
pub use finding::{Blame, Certainty, Finding, Related, Severity, Spot};
pub use profile::Profile;
