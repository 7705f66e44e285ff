//! What people and programs get to see. Takes decoded calls, units and summaries, writes text and
//! JSON; decides nothing.

pub mod brief;
mod epm;
pub mod json;
mod missing;
pub mod rules;
pub mod show;
pub mod text;
pub mod value;
