//! The judge: holds conversations against the specification, and says who broke what.

mod catalogue;
mod finding;
mod load;

pub use catalogue::{Catalogue, Needs, Observable, Rule};
pub use finding::{Blame, Certainty, Finding, Related, Severity, Spot};
