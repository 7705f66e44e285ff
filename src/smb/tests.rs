//! Tests at the boundary of the module: bytes in, rows and events out.

mod compression;
#[path = "../../tests/common/compressors.rs"]
mod compressors;
mod files;
mod lab;
mod messages;
mod noise;
mod pipes;
mod session;
mod transform;
mod v1;
mod wire;
