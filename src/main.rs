//! The `vshark` program.
fn main() {}
