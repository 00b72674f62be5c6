//! Words in files: YAML with positions, every problem at once, and patches.
//!
//! A file is read in two steps. [`read()`] turns its text into a [`Node`]: plain data in which
//! every key and value knows its place ([`Mark`]). A [`Patch`] changes such a tree, whatever kind
//! of file it came from. [`decode()`] turns it into a Rust type by serde and, other than serde
//! alone, reports *all* that is wrong with it: it sets the offending part aside and decodes again.
//!
//! ```text
//! text --read--> Node --apply patches--> Node --decode--> T, or every Problem with its place
//! ```
//!
//! Nothing here prints, and nothing here depends on a terminal: [`plain()`] renders problems as
//! text, and a richer front end can draw them from the same [`Problem`]s and [`Sources`].

mod at;
mod de;
mod decode;
mod error;
mod node;
mod patch;
mod path;
mod plain;
mod read;
mod source;
mod words;

pub use at::{At, Name, Named};
pub use decode::{Decoded, MAX_PROBLEMS, decode};
pub use error::HELP;
pub use node::{Key, Node, Value};
pub use patch::{Patch, apply, parse_set_argument};
pub use plain::plain;
pub use read::{MAX_DEPTH, MAX_FILE_BYTES, MAX_NODES, read};
pub use source::{Mark, Problem, SourceId, Sources};
pub use words::{suggest, unknown};

#[cfg(test)]
mod tests;
