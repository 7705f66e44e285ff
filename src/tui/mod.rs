//! The terminal UI: a [`Model`], what is meant ([`Msg`]), what follows from it ([`update()`]), and how it
//! is drawn ([`view()`]).
//!
//! It is a function of a [`Trace`](crate::trace::Trace) and of what the judge says, and knows nothing of
//! terminals, threads and files but what it hands to the program as an [`Effect`]. One selection (a
//! call or a frame, in it a field, in that a byte) is what every pane draws from.
//!
//! ```text
//!  key, mouse, more of the capture ─► Msg ─update─► Model ─view─► screen
//!                                              └──► Effect ─► program (clipboard, file, end)
//! ```
//!
//! | file | what it is for |
//! |---|---|
//! | `model.rs`, `msg.rs` | what is shown; what is meant |
//! | `keys.rs` | which key means what; the help is made of it |
//! | `update/` | what a message does: moving, loading, taking along |
//! | `job.rs` | what takes long, in slices between two keys: filter, search, writing |
//! | `find.rs`, `seek.rs` | what is looked for, and where it is; row after row |
//! | `write.rs` | lists as files |
//! | `detail.rs` | fields and bytes of one call or frame, and the selection in both |
//! | `found.rs` | what was found, in its order |
//! | `list.rs`, `rows.rs`, `ladder.rs`, `objects.rs` | which rows are on the screen, and what is in them |
//! | `line.rs` | the line that is typed: history, completion, errors |
//! | `layout.rs` | where the panes are |
//! | `theme.rs`, `text.rs` | what colours mean; text in columns |
//! | `view/` | the screens |

mod detail;
mod find;
mod found;
mod job;
mod keys;
mod ladder;
mod layout;
mod line;
mod list;
mod model;
mod msg;
mod objects;
mod rows;
mod seek;
mod statistics;
mod text;
mod theme;
mod update;
mod view;
mod write;

pub use keys::named as key_named;
pub use model::{Model, Options};
pub use msg::{Ask, Copied, Digest, Effect, Loaded, Msg, View};
pub use statistics::{OfMethod, OfPair, Statistics};
pub use theme::Theme;
pub use update::update;
pub use view::view;

#[cfg(test)]
mod tests;
