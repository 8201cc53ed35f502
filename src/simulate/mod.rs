//! Floor 5: calls in writing. Plays scripted callers against a dialplan, compares, and tells what was covered; no audio, no
//! clock, no sockets.

mod compare;
mod coverage;
mod model;
mod note;
mod pattern;
mod play;
mod played;
mod read;
mod script;
mod tools;

pub use coverage::Coverage;
pub use play::{Player, State};
pub use played::{Line, Played, Problem};
pub use script::{Script, Suite};
pub use tools::{Asked, Tools};
