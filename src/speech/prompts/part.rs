//! What a prompt is made of.

use crate::text::Style;

/// One step of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Words of the dialplan: rendered ahead, kept on disk.
    Clip(String),
    /// Words with a caller's data in them: rendered in the call, kept in memory only.
    Sentence(String),
    /// One unit of a Chinese value: cut out of a [`Line`] rendered ahead, kept on disk.
    Unit(Unit),
    /// A recorded prompt.
    Recording(Recording),
    /// How what follows is said.
    Style(Style),
    /// Silence in ms.
    Pause(u32),
}

/// A recording, and its words for when it is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recording {
    /// SHA-256 of its file.
    pub(super) hash: String,
    pub(super) words: String,
}

/// One unit of a Chinese value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Unit {
    pub(super) text: String,
    /// Whether a pause follows: it is then spoken longer, and its pitch ends.
    pub(super) last: bool,
}

/// Units spoken in one utterance, to be cut apart: in company they sound as they do in a number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line(pub(super) Vec<Unit>);

impl Part {
    /// Whether something is heard.
    pub(super) fn sounds(&self) -> bool {
        !matches!(self, Self::Pause(_) | Self::Style(_))
    }
}
