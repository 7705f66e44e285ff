//! What people and programs get to see. Takes decoded calls, units and summaries, writes text and
//! JSON; decides nothing.

pub mod brief;
pub mod causes;
pub mod check;
mod epm;
mod excerpt;
mod finding;
pub mod json;
pub mod machine;
pub mod matrix;
mod missing;
mod opening;
mod outcome;
mod prose;
pub mod rules;
pub mod show;
pub mod text;
pub mod value;
