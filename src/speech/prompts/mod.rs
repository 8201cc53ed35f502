//! Prompt audio: rendered ahead, cached by content, values spliced from units.
