//! G.711 companding, the codec of the telephone network.

use serde::{Deserialize, Serialize};

use super::{Hz8k, Pcm};

/// The companding law of G.711.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    /// mu-law, RTP encoding name `PCMU`, static payload type 0.
    Mu,
    /// A-law, RTP encoding name `PCMA`, static payload type 8.
    A,
}

impl Law {
    /// The static RTP payload type (RFC 3551, table 4).
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Mu => 0,
            Self::A => 8,
        }
    }

    /// The encoding name in SDP and in call records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mu => "PCMU",
            Self::A => "PCMA",
        }
    }
}

/// Compresses `pcm`, one byte a sample (ITU-T G.711).
pub fn encode(law: Law, pcm: &Pcm<Hz8k>) -> Vec<u8> {
    let encode = match law {
        Law::Mu => encode_mu,
        Law::A => encode_a,
    };
    pcm.samples().iter().map(|&sample| encode(sample)).collect()
}

/// Expands G.711 bytes, one sample a byte.
pub fn decode(law: Law, bytes: &[u8]) -> Pcm<Hz8k> {
    let levels = match law {
        Law::Mu => &MU_LEVELS,
        Law::A => &A_LEVELS,
    };
    Pcm::new(bytes.iter().map(|&byte| levels[usize::from(byte)]).collect())
}

/// What each code means.
const MU_LEVELS: [i16; 256] = levels(Law::Mu);
const A_LEVELS: [i16; 256] = levels(Law::A);

const fn levels(law: Law) -> [i16; 256] {
    let mut levels = [0; 256];
    let mut code = 0;
    while code < 256 {
        levels[code] = match law {
            Law::Mu => decode_mu(code as u8),
            Law::A => decode_a(code as u8),
        };
        code += 1;
    }
    levels
}

/// mu-law as ITU-T G.191 computes it: on 14 bits, with a bias of 33.
const fn encode_mu(sample: i16) -> u8 {
    let biased = (if sample < 0 { !sample } else { sample } >> 2) as u16 + 33;
    let biased = if biased > 0x1FFF { 0x1FFF } else { biased };
    // The leading one is bit 5 in the first segment.
    let segment = biased.ilog2() as u16 - 5;
    let code = (segment << 4) | ((biased >> (segment + 1)) & 0x0F);
    let sign = if sample < 0 { 0x80 } else { 0 };
    !(code as u8 | sign)
}

const fn decode_mu(code: u8) -> i16 {
    let code = !code;
    let (segment, step) = ((code >> 4) & 7, (code & 0x0F) as i16);
    let magnitude = ((step * 2 + 33) << (segment + 2)) - 33 * 4;
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

/// A-law as ITU-T G.191 computes it.
const fn encode_a(sample: i16) -> u8 {
    let magnitude = (if sample < 0 { !sample } else { sample } >> 4) as u16;
    let code = if magnitude < 16 {
        magnitude
    } else {
        let exponent = magnitude.ilog2() as u16 - 3;
        (exponent << 4) + ((magnitude >> (exponent - 1)) - 16)
    };
    let sign = if sample < 0 { 0 } else { 0x80 };
    (code as u8 | sign) ^ 0x55
}

const fn decode_a(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (segment, step) = ((code >> 4) & 7, (code & 0x0F) as i16);
    let magnitude = match segment {
        0 => step * 16 + 8,
        segment => (step * 16 + 8 + 256) << (segment - 1),
    };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (linear, code) from the ITU-T G.191 reference `g711.c`.
    const A_LAW: [(i16, u8); 8] = [
        (0, 0xD5),
        (-1, 0x55),
        (16, 0xD4),
        (-17, 0x54),
        (1_000, 0xFA),
        (-1_000, 0x7A),
        (i16::MAX, 0xAA),
        (i16::MIN, 0x2A),
    ];
    const MU_LAW: [(i16, u8); 7] = [
        (0, 0xFF),
        (8, 0xFE),
        (-8, 0x7E),
        (1_000, 0xCE),
        (-1_000, 0x4E),
        (i16::MAX, 0x80),
        (i16::MIN, 0x00),
    ];

    #[test]
    fn reference_samples_have_the_reference_codes() {
        for (law, table) in [(Law::A, &A_LAW[..]), (Law::Mu, &MU_LAW[..])] {
            for &(sample, code) in table {
                assert_eq!(encode(law, &Pcm::new(vec![sample])), [code], "{law:?} {sample}");
            }
        }
    }

    #[test]
    fn every_code_means_the_same_in_another_implementation() {
        let codes: Vec<u8> = (0..=u8::MAX).collect();
        for (law, theirs) in [
            (Law::Mu, &include_bytes!("../../tests/data/codecs/mulaw.s16")[..]),
            (Law::A, &include_bytes!("../../tests/data/codecs/alaw.s16")[..]),
        ] {
            let theirs: Vec<i16> =
                theirs.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
            assert_eq!(decode(law, &codes).samples(), theirs, "{law:?}");
        }
    }

    #[test]
    fn every_code_but_negative_zero_survives_decoding_and_encoding() {
        for law in [Law::Mu, Law::A] {
            for code in (0..=u8::MAX).filter(|&c| !(law == Law::Mu && c == 0x7F)) {
                assert_eq!(encode(law, &decode(law, &[code])), [code], "{law:?}");
            }
        }
    }

    #[test]
    fn no_sample_is_further_from_its_level_than_half_a_step() {
        for law in [Law::Mu, Law::A] {
            let mut levels: Vec<i32> = decode(law, &(0..=u8::MAX).collect::<Vec<_>>())
                .into_samples()
                .into_iter()
                .map(i32::from)
                .collect();
            levels.sort_unstable();
            levels.dedup();
            for sample in levels[0]..=levels[levels.len() - 1] {
                let code = encode(law, &Pcm::new(vec![sample as i16]));
                let level = i32::from(decode(law, &code).samples()[0]);
                let i = levels.binary_search(&level).unwrap();
                let below = level - levels[i.saturating_sub(1)];
                let above = levels[(i + 1).min(levels.len() - 1)] - level;
                let error = (level - sample).abs();
                assert!(error <= below.max(above) / 2, "{law:?} {sample} -> {level}");
            }
        }
    }
}
