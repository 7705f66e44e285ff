//! What people and programs get to see. Takes decoded calls, units and summaries, writes text and
//! JSON; decides nothing.

pub mod brief;
pub mod causes;
pub mod check;
mod dcom;
pub mod diff;
mod epm;
mod excerpt;
mod finding;
pub mod gate;
pub mod json;
pub mod junit;
pub mod machine;
pub mod matrix;
mod missing;
mod opening;
mod outcome;
pub mod pages;
mod prose;
pub mod rules;
pub mod sarif;
mod scmp;
pub mod sealed;
pub mod show;
mod size;
mod storage;
pub mod text;
mod timeline;
pub mod unseen;
pub mod value;
