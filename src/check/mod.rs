//! The judge: holds conversations against the specification, and says who broke what.

mod catalogue;
mod finding;
mod judge;

pub use catalogue::{Catalogue, Needs, Observable, Rule, section};
pub use finding::{Blame, Certainty, Finding, Related, Severity, Spot};
pub use judge::{
    Choice, Conformance, Judge, Knowledge, LoadError, Operation, Options, Profiles, Report,
    ServerReport, SetReport, Tally, Verdict,
};
