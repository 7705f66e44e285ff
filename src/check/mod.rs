//! The judge: holds conversations against the specification, and says who broke what.

mod act;
mod bench;
mod breach;
mod catalogue;
mod dock;
mod effect;
mod finding;
mod flight;
mod guards;
mod judge;
mod knowledge;
mod load;
pub mod machine;
mod profile;
mod recognise;
mod report;
mod rules;
mod say;
mod server;
mod sets;
mod tracker;
mod tri;
mod world;

pub use bench::Tally;
pub use catalogue::{Catalogue, Needs, Observable, Rule, section};
pub use finding::{Blame, Certainty, Finding, Related, Severity, Spot};
pub use judge::{Judge, Options};
pub use knowledge::Knowledge;
pub use profile::{Assigned, Choice, Profile, Profiles};
pub use report::{Conformance, Operation, Report, ServerReport, SetReport, Verdict};
