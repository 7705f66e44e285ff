//! The terminal UI without a terminal: what is selected, what is drawn, and that nothing breaks it.

mod anew;
mod fixture;
mod random;
mod screens;
mod selection;
