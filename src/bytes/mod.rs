//! Bytes that remember where they came from, and the one way to read them.
//!
//! Takes nothing, knows no protocol. Everything above reads its fields through [`Reader`], hands
//! bytes on as [`View`]s, and says through [`Stop`] where and why reading ended.
//!
//! ```text
//!  frames of a capture      View (bytes + Pieces + Holes)      Reader ──► value
//!  ┌────┐ ┌─────┐ ┌────┐    ┌────────────┬───┬─────────┐          │
//!  │ 17 │ │ 18  │ │ 21 │ ─► │ frame 17   │18 │ hole    │ ─────────┼────► Sink (rows of a tree)
//!  └────┘ └─────┘ └────┘    └────────────┴───┴─────────┘          └────► Stop (where, why)
//! ```
//!
//! INVARIANT: a byte is covered by exactly one [`Piece`] (it travelled in that frame), or, if it was
//! made by decompression, by one for each frame it was made from (of very many, for the first and the
//! last), or by one [`Hole`] (it was never seen; the byte in its place is a zero that nobody may read).

mod buffer;
#[macro_use]
mod fields;
mod link;
mod reader;
mod side;
mod stream;
mod time;
mod tree;

pub use buffer::{Buffer, FrameNo, Hole, Missing, Piece, Span, View};
pub use link::LinkType;
pub use reader::{Order, Reader, Stop, Why};
pub use side::{Both, Ends, Side};
pub use stream::{Framed, Layer, Stream};
pub use time::{Time, millionths};
pub use tree::{Field, Format, Node, Scalar, Sink, Tree, first_invisible, is_invisible, printable};

/// A globally unique identifier; printed lower-case and hyphenated everywhere.
pub type Guid = uuid::Uuid;

/// `usize` to `u32`; what does not fit is clamped, which every cap in the program makes impossible.
pub fn clamp(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// `u32` to `usize`, lossless on every platform this program runs on.
pub fn index(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
