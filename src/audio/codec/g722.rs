//! ITU-T G.722 at 64 kbit/s: one byte for two samples at 16 kHz.

use std::collections::VecDeque;

use audio_codec::{
    Decoder as _, Encoder as _,
    g722::{G722Decoder, G722Encoder},
};

use crate::audio::{Hz8k, Hz16k, Pcm, Resampler};

/// From 8 kHz.
pub(super) struct Encoder {
    up: Resampler<Hz8k, Hz16k>,
    g722: G722Encoder,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { up: Resampler::new(), g722: G722Encoder::new() }
    }
}

impl Encoder {
    pub(super) fn encode(&mut self, pcm: &Pcm<Hz8k>) -> Vec<u8> {
        let wide = self.up.push(pcm);
        let mut bytes = vec![0; wide.len() / 2 + 1];
        // Cannot fail: the only error is a buffer that is too short.
        let len = self.g722.encode_into(wide.samples(), &mut bytes).unwrap_or(0);
        bytes.truncate(len);
        bytes
    }
}

/// To 8 kHz.
pub(super) struct Decoder {
    g722: G722Decoder,
    down: Resampler<Hz16k, Hz8k>,
    /// What the resampler, which works in blocks of 10 ms, has made and nobody has taken.
    ready: VecDeque<i16>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { g722: G722Decoder::new(), down: Resampler::new(), ready: VecDeque::new() }
    }
}

impl Decoder {
    pub(super) fn decode(&mut self, payload: &[u8]) -> Pcm<Hz8k> {
        let wide = self.decode_16k(payload);
        self.ready.extend(self.down.push(&wide).samples());
        // Packets of other lengths than whole blocks leave us up to 10 ms behind; that much
        // delay is put in once, and from then on there is enough.
        let missing = payload.len().saturating_sub(self.ready.len());
        for _ in 0..missing {
            self.ready.push_front(0);
        }
        Pcm::new(self.ready.drain(..payload.len()).collect())
    }

    fn decode_16k(&mut self, payload: &[u8]) -> Pcm<Hz16k> {
        let mut wide = vec![0; payload.len() * 2];
        // Cannot fail: the only error is a buffer that is too short.
        let len = self.g722.decode_into(payload, &mut wide).unwrap_or(0);
        wide.truncate(len);
        Pcm::new(wide)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODED: &[u8] =
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/codecs/speech.g722"));
    /// What FFmpeg's decoder makes of it: 16 kHz, little endian.
    const DECODED: &[u8] =
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/codecs/speech.g722.s16"));

    #[test]
    fn half_a_second_of_speech_decodes_as_in_another_implementation() {
        let decoded = Decoder::default().decode_16k(CODED);
        let expected: Vec<i16> =
            DECODED.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
        // Not to the bit: audio-codec begins with a step size of 0 where the standard has 32 and 8,
        // and adaptive prediction forgets that only slowly.
        let power = |x: &mut dyn Iterator<Item = f64>| x.map(|v| v * v).sum::<f64>();
        let noise = power(
            &mut decoded
                .samples()
                .iter()
                .zip(&expected)
                .map(|(&a, &b)| f64::from(a) - f64::from(b)),
        );
        let snr = 10.0 * (power(&mut expected.iter().map(|&s| s.into())) / noise).log10();
        assert!(snr > 30.0, "{snr:.1} dB");
    }

    #[test]
    fn packets_of_any_length_give_exactly_their_duration() {
        let mut decoder = Decoder::default();
        let mut at = 0;
        for len in [160, 80, 37, 1, 240, 33, 160, 160].iter().cycle().take(30) {
            let packet = &CODED[at..at + len];
            assert_eq!(decoder.decode(packet).len(), *len);
            at += len;
        }
    }
}
