use crate::audio::{Hz8k, Pcm};

/// Audio for one tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playout {
    /// Exactly 160 samples.
    pub audio: Pcm<Hz8k>,
    /// Where they come from.
    pub kind: PlayoutKind,
}

/// Where the audio of a tick comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayoutKind {
    /// From the peer.
    Heard,
    /// At least partly made up in place of packets that did not arrive in time.
    Concealed,
    /// Comfort noise that the peer described (RFC 3389): it is silent, and nothing is lost.
    Noise,
    /// Nothing is being received; silence.
    Silence,
}
