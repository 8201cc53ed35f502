//! ITU-T G.722 at 64 kbit/s: one byte for two samples at 16 kHz, the lower half of the band in six
//! bits and the upper in two.

mod adpcm;
mod qmf;

use std::collections::VecDeque;

use adpcm::{Lower, Upper};
use qmf::Qmf;

use crate::audio::{Hz8k, Hz16k, Pcm, Resampler};

/// From 8 kHz.
pub(super) struct Encoder {
    up: Resampler<Hz8k, Hz16k>,
    qmf: Qmf,
    lower: Lower,
    upper: Upper,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { up: Resampler::new(), qmf: Qmf::new(), lower: Lower::new(), upper: Upper::new() }
    }
}

impl Encoder {
    pub(super) fn encode(&mut self, pcm: &Pcm<Hz8k>) -> Vec<u8> {
        let wide = self.up.push(pcm);
        self.encode_16k(&wide)
    }

    fn encode_16k(&mut self, wide: &Pcm<Hz16k>) -> Vec<u8> {
        let pairs = wide.samples().chunks_exact(2);
        pairs
            .map(|pair| {
                let (lower, upper) = self.qmf.split([pair[0], pair[1]]);
                self.upper.encode(upper) << 6 | self.lower.encode(lower)
            })
            .collect()
    }
}

/// To 8 kHz.
pub(super) struct Decoder {
    qmf: Qmf,
    lower: Lower,
    upper: Upper,
    down: Resampler<Hz16k, Hz8k>,
    /// What the resampler, which works in blocks of 10 ms, has made and nobody has taken.
    ready: VecDeque<i16>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            qmf: Qmf::new(),
            lower: Lower::new(),
            upper: Upper::new(),
            down: Resampler::new(),
            ready: VecDeque::new(),
        }
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
        let join =
            |&code: &u8| self.qmf.join(self.lower.decode(code), self.upper.decode(code >> 6));
        Pcm::new(payload.iter().flat_map(join).collect())
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
    /// What FFmpeg's coder makes of that.
    const CODED_AGAIN: &[u8] =
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/codecs/speech.again.g722"));

    fn decoded() -> Pcm<Hz16k> {
        Pcm::new(DECODED.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect())
    }

    #[test]
    fn speech_decodes_to_the_bit_as_in_another_implementation() {
        assert_eq!(Decoder::default().decode_16k(CODED), decoded());
    }

    #[test]
    fn speech_is_coded_to_the_bit_as_in_another_implementation() {
        assert_eq!(Encoder::default().encode_16k(&decoded()), CODED_AGAIN);
    }

    #[test]
    fn every_code_in_any_order_decodes() {
        let codes: Vec<u8> =
            (0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(Decoder::default().decode_16k(&codes).len(), 200_000);
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
