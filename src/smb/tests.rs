//! Tests at the boundary of the module: bytes in, rows and events out.

mod files;
mod lab;
mod messages;
mod noise;
mod pipes;
mod session;
mod v1;
mod wire;
