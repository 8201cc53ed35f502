//! The codecs of a call. Audio is 8 kHz on our side whatever is on the wire: wideband codecs are
//! resampled here, as a stream, so that no frame border clicks.

mod g722;
#[cfg(feature = "opus")]
mod opus;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Hz8k, Law, Pcm, g711};

/// An audio codec that we can send and receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722 at 64 kbit/s: 16 kHz audio, but its RTP clock counts 8 kHz (RFC 3551, section 4.5.2).
    G722,
    /// Opus, mono, with in-band forward error correction (RFC 7587). Needs the feature `opus`.
    #[cfg(feature = "opus")]
    Opus,
}

impl Codec {
    /// All codecs of this build. G.711 first: our audio is 8 kHz, and nothing carries that
    /// clearer and cheaper over a network that does not lose packets.
    pub const ALL: &[Self] = &[
        Self::Pcmu,
        Self::Pcma,
        Self::G722,
        #[cfg(feature = "opus")]
        Self::Opus,
    ];

    /// The encoding name in SDP and in call records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => Law::Mu.name(),
            Self::Pcma => Law::A.name(),
            Self::G722 => "G722",
            #[cfg(feature = "opus")]
            Self::Opus => "opus",
        }
    }

    /// The RTP clock rate in Hz, which is not always the rate of the audio.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 8_000,
            #[cfg(feature = "opus")]
            Self::Opus => 48_000,
        }
    }

    /// RTP clock units in one of our 8 kHz samples.
    pub const fn clock_scale(self) -> u32 {
        self.clock_rate() / 8_000
    }

    /// The static RTP payload type (RFC 3551, table 4); `None` for a dynamic one.
    pub const fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Pcmu => Some(Law::Mu.payload_type()),
            Self::Pcma => Some(Law::A.payload_type()),
            Self::G722 => Some(9),
            #[cfg(feature = "opus")]
            Self::Opus => None,
        }
    }

    /// The longest packet that we may send for a peer that wants `ptime_ms` (10 to 60) in each,
    /// in 8 kHz samples. Opus knows no packets of 30 or 50 ms.
    pub const fn packet_len(self, ptime_ms: u32) -> usize {
        let tens = if ptime_ms < 20 { 1 } else { ptime_ms / 10 } as usize;
        let tens = if tens > 6 { 6 } else { tens };
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => tens * 80,
            #[cfg(feature = "opus")]
            Self::Opus if tens > 1 => tens / 2 * 160,
            #[cfg(feature = "opus")]
            Self::Opus => 80,
        }
    }

    /// How many 8 kHz samples a packet with this payload lasts; `None` when it is malformed.
    pub fn samples(self, payload: &[u8]) -> Option<usize> {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => Some(payload.len()),
            #[cfg(feature = "opus")]
            Self::Opus => opus::samples(payload),
        }
        .filter(|&n| n > 0)
    }
}

impl Codec {
    /// How many 8 kHz samples right before a packet the copy covers that it carries of them (its
    /// forward error correction); `None` when it has none.
    pub fn copied_before(self, payload: &[u8]) -> Option<usize> {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => {
                let _ = payload;
                None
            }
            #[cfg(feature = "opus")]
            Self::Opus => opus::copied_before(payload),
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Codec {
    type Err = String;

    /// From its name, in upper or lower case.
    fn from_str(name: &str) -> Result<Self, String> {
        let known =
            || Self::ALL.iter().map(|c| c.name().to_lowercase()).collect::<Vec<_>>().join(", ");
        let found = Self::ALL.iter().copied().find(|c| c.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| format!("there is no codec {name:?}; there are {}", known()))
    }
}

/// Compresses one stream.
pub struct Encoder(Enc);

enum Enc {
    G711(Law),
    G722(Box<g722::Encoder>),
    #[cfg(feature = "opus")]
    Opus(opus::Encoder),
}

impl Encoder {
    /// An encoder at the beginning of a stream.
    pub fn new(codec: Codec) -> Self {
        Self(match codec {
            Codec::Pcmu => Enc::G711(Law::Mu),
            Codec::Pcma => Enc::G711(Law::A),
            Codec::G722 => Enc::G722(Box::default()),
            #[cfg(feature = "opus")]
            Codec::Opus => Enc::Opus(opus::Encoder::new()),
        })
    }

    /// Compresses the next stretch of the stream into one packet's payload. Its length must be a
    /// multiple of 80 samples and for Opus 80, 160, 320 or 480; of anything else Opus makes an
    /// empty payload.
    pub fn encode(&mut self, pcm: &Pcm<Hz8k>) -> Vec<u8> {
        match &mut self.0 {
            Enc::G711(law) => g711::encode(*law, pcm),
            Enc::G722(g722) => g722.encode(pcm),
            #[cfg(feature = "opus")]
            Enc::Opus(opus) => opus.encode(pcm),
        }
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

/// Expands one stream, whose packets must come in order.
pub struct Decoder {
    codec: Codec,
    dec: Dec,
}

enum Dec {
    G711(Law),
    G722(Box<g722::Decoder>),
    #[cfg(feature = "opus")]
    Opus(opus::Decoder),
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new(codec: Codec) -> Self {
        let dec = match codec {
            Codec::Pcmu => Dec::G711(Law::Mu),
            Codec::Pcma => Dec::G711(Law::A),
            Codec::G722 => Dec::G722(Box::default()),
            #[cfg(feature = "opus")]
            Codec::Opus => Dec::Opus(opus::Decoder::new()),
        };
        Self { codec, dec }
    }

    /// What it decodes.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Expands the next packet to exactly [`Codec::samples`]; `None` when it is malformed.
    pub fn decode(&mut self, payload: &[u8]) -> Option<Pcm<Hz8k>> {
        match &mut self.dec {
            Dec::G711(law) => Some(g711::decode(*law, payload)),
            Dec::G722(g722) => Some(g722.decode(payload)),
            #[cfg(feature = "opus")]
            Dec::Opus(opus) => opus.decode(payload),
        }
    }

    /// Makes up `n` samples (at most 960) in place of lost ones by the codec's own means; `None`
    /// when it has none.
    pub fn conceal(&mut self, n: usize) -> Option<Pcm<Hz8k>> {
        match &mut self.dec {
            Dec::G711(_) | Dec::G722(_) => None,
            #[cfg(feature = "opus")]
            Dec::Opus(opus) => opus.conceal(n),
        }
    }

    /// Recovers the `n` lost samples right before the packet `next` from the copy that it
    /// carries; `None` when it has none, or one of another length.
    pub fn recover(&mut self, n: usize, next: &[u8]) -> Option<Pcm<Hz8k>> {
        match &mut self.dec {
            Dec::G711(_) | Dec::G722(_) => {
                let _ = (n, next);
                None
            }
            #[cfg(feature = "opus")]
            Dec::Opus(opus) => opus.recover(n, next),
        }
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("codec", &self.codec).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
