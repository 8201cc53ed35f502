//! Opus (RFC 6716) through libopus. It codes at 8 kHz itself, so nothing is resampled.

use ::opus::{Application, Bitrate, Channels, packet};

use crate::audio::{Hz8k, Pcm};

const HZ: u32 = 8_000;
/// Narrowband speech is transparent here, with room for the copies of forward error correction.
const BITRATE: i32 = 20_000;
/// Copies are only sent to a peer that is thought to lose packets.
const EXPECTED_LOSS_PERCENT: i32 = 10;
/// Enough for speech, at half the cost of the default.
const COMPLEXITY: i32 = 5;
/// More than a packet of 60 ms at this bit rate takes.
const MAX_PACKET: usize = 1_000;
/// The longest packet, 120 ms.
const MAX_SAMPLES: usize = 960;
/// Concealment comes in steps of 2.5 ms.
const STEP: usize = 20;

/// Duration of a packet in samples.
pub(super) fn samples(payload: &[u8]) -> Option<usize> {
    packet::get_nb_samples(payload, HZ).ok().filter(|&n| n <= MAX_SAMPLES)
}

pub(super) struct Encoder(::opus::Encoder);

impl Encoder {
    #[expect(clippy::expect_used, reason = "fails only for arguments out of range or no memory")]
    pub(super) fn new() -> Self {
        let mut opus = ::opus::Encoder::new(HZ, Channels::Mono, Application::Voip)
            .expect("8 kHz mono is supported");
        opus.set_bitrate(Bitrate::Bits(BITRATE)).expect("in range");
        opus.set_complexity(COMPLEXITY).expect("in range");
        opus.set_inband_fec(true).expect("in range");
        opus.set_packet_loss_perc(EXPECTED_LOSS_PERCENT).expect("in range");
        Self(opus)
    }

    pub(super) fn encode(&mut self, pcm: &Pcm<Hz8k>) -> Vec<u8> {
        self.0.encode_vec(pcm.samples(), MAX_PACKET).unwrap_or_default()
    }
}

pub(super) struct Decoder(::opus::Decoder);

impl Decoder {
    #[expect(clippy::expect_used, reason = "fails only for arguments out of range or no memory")]
    pub(super) fn new() -> Self {
        Self(::opus::Decoder::new(HZ, Channels::Mono).expect("8 kHz mono is supported"))
    }

    pub(super) fn decode(&mut self, payload: &[u8]) -> Option<Pcm<Hz8k>> {
        self.run(payload, samples(payload)?, false)
    }

    pub(super) fn conceal(&mut self, n: usize) -> Option<Pcm<Hz8k>> {
        let mut made = self.run(&[], n.next_multiple_of(STEP).min(MAX_SAMPLES), false)?;
        made = Pcm::new(made.into_samples().into_iter().take(n).collect());
        (made.len() == n).then_some(made)
    }

    pub(super) fn recover(&mut self, n: usize, next: &[u8]) -> Option<Pcm<Hz8k>> {
        (copied_before(next) == Some(n)).then(|| self.run(next, n, true)).flatten()
    }

    /// libopus takes an empty payload for a lost packet of `n` samples.
    fn run(&mut self, payload: &[u8], n: usize, copy: bool) -> Option<Pcm<Hz8k>> {
        let mut samples = vec![0; n];
        let len = self.0.decode(payload, &mut samples, copy).ok()?;
        (len == n).then(|| Pcm::new(samples))
    }
}

/// How many samples before a packet its copy covers: one frame.
pub(super) fn copied_before(packet: &[u8]) -> Option<usize> {
    packet::get_samples_per_frame(packet, HZ).ok().filter(|_| carries_copy(packet))
}

/// Whether a packet carries the low-bit-rate copy of what came before it: a flag after those of
/// voice activity, one for each SILK frame (RFC 6716, section 4.2.3).
fn carries_copy(packet: &[u8]) -> bool {
    let Some(&toc) = packet.first() else { return false };
    let is_celt = toc & 0x80 != 0;
    let stereo = toc & 0x04 != 0;
    if is_celt || stereo {
        return false;
    }
    let silk_frames = match packet::get_samples_per_frame(packet, HZ) {
        Ok(320) => 2,
        Ok(480) => 3,
        _ => 1,
    };
    let first =
        packet::parse(packet).ok().and_then(|p| p.frames.first().map(|f| f.first().copied()));
    first.flatten().is_some_and(|byte| byte >> (7 - silk_frames) & 1 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 31 packets of 20 ms with in-band copies, made by libopus; each after its length in two
    /// bytes.
    const PACKETS: &[u8] = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/codecs/speech.opus.packets"
    ));
    /// What FFmpeg's own decoder makes of them, less the encoder's delay: 8 kHz, little endian.
    const DECODED: &[u8] =
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/codecs/speech.opus.s16"));
    const FRAME: usize = 160;

    fn packets() -> Vec<&'static [u8]> {
        let mut rest = PACKETS;
        let mut packets = Vec::new();
        while let Some((len, after)) = rest.split_first_chunk() {
            let (packet, after) = after.split_at(u16::from_be_bytes(*len).into());
            packets.push(packet);
            rest = after;
        }
        packets
    }

    fn expected() -> Vec<f64> {
        DECODED.chunks_exact(2).map(|b| f64::from(i16::from_le_bytes([b[0], b[1]]))).collect()
    }

    /// Signal-to-noise ratio in dB.
    fn snr(clean: &[f64], heard: &[f64]) -> f64 {
        let signal: f64 = clean.iter().map(|s| s * s).sum();
        let noise: f64 = clean.iter().zip(heard).map(|(a, b)| (a - b) * (a - b)).sum();
        10.0 * (signal / noise.max(1.0)).log10()
    }

    fn floats(pcm: &Pcm<Hz8k>) -> Vec<f64> {
        pcm.samples().iter().map(|&s| s.into()).collect()
    }

    /// Plays all packets, filling the place of packet `lost` with `fill`.
    fn play(lost: usize, fill: impl Fn(&mut Decoder, &[u8]) -> Option<Pcm<Hz8k>>) -> Vec<f64> {
        let (packets, mut decoder) = (packets(), Decoder::new());
        let mut heard = Vec::new();
        for (i, packet) in packets.iter().enumerate() {
            let pcm = match i == lost {
                true => fill(&mut decoder, packets[i + 1]),
                false => decoder.decode(packet),
            };
            heard.extend(floats(&pcm.unwrap()));
        }
        heard
    }

    #[test]
    fn speech_decodes_as_in_another_implementation() {
        let heard = play(usize::MAX, |_, _| None);
        let expected = expected();
        // The two resample to 8 kHz differently, so they agree up to a delay and a filter.
        let best = (0..120)
            .map(|delay| snr(&expected[..4_400], &heard[delay..]))
            .max_by(f64::total_cmp)
            .unwrap();
        assert!(best > 15.0, "{best:.1} dB");
    }

    #[test]
    fn a_lost_frame_is_recovered_from_the_copy_in_the_next_one() {
        let clean = play(usize::MAX, |_, _| None);
        let (mut copies, mut made_up) = (Vec::new(), Vec::new());
        for lost in 3..25 {
            let at = lost * FRAME..(lost + 1) * FRAME;
            if !carries_copy(packets()[lost + 1]) {
                continue;
            }
            let recovered = play(lost, |decoder, next| decoder.recover(FRAME, next));
            copies.push(snr(&clean[at.clone()], &recovered[at.clone()]));
            let concealed = play(lost, |decoder, _| decoder.conceal(FRAME));
            made_up.push(snr(&clean[at.clone()], &concealed[at]));
        }
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        assert!(copies.len() > 10, "{}", copies.len());
        let (copies, made_up) = (mean(&copies), mean(&made_up));
        assert!(copies > made_up + 2.0, "{copies:.1} dB recovered, {made_up:.1} dB made up");
    }

    #[test]
    fn our_own_packets_carry_copies() {
        let mut encoder = Encoder::new();
        let voiced = crate::audio::test_signals::voiced::<Hz8k>(8_000);
        let frames: Vec<_> =
            voiced.samples().chunks(FRAME).map(|f| encoder.encode(&Pcm::new(f.to_vec()))).collect();
        let with_copy = frames[5..].iter().filter(|f| carries_copy(f)).count();
        assert!(with_copy > 25, "{with_copy} of 45");
        assert!(frames.iter().all(|f| f.len() < 100), "{:?}", frames.iter().map(Vec::len).max());
    }

    #[test]
    fn concealment_has_any_length() {
        let mut decoder = Decoder::new();
        decoder.decode(packets()[0]).unwrap();
        for n in [1, 13, 20, 160, 480] {
            assert_eq!(decoder.conceal(n).map(|p| p.len()), Some(n));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_packet_panics(payload in proptest::collection::vec(proptest::num::u8::ANY, 0..120)) {
            let mut decoder = Decoder::new();
            let len = samples(&payload);
            if let Some(pcm) = decoder.decode(&payload) {
                proptest::prop_assert_eq!(Some(pcm.len()), len);
            }
            decoder.recover(FRAME, &payload);
            carries_copy(&payload);
        }
    }
}
