use super::*;
use crate::audio::{
    level::rms_dbfs,
    test_signals::{power_at, tone},
};

/// A tone through a codec in frames of `len`, without the settling at the start.
fn through(codec: Codec, hz: f64, len: usize) -> Pcm<Hz8k> {
    let (mut encoder, mut decoder) = (Encoder::new(codec), Decoder::new(codec));
    let mut heard = Pcm::silence(0);
    for frame in tone::<Hz8k>(hz, 8_000.0, 9_600).samples().chunks(len) {
        let payload = encoder.encode(&Pcm::new(frame.to_vec()));
        assert_eq!(codec.samples(&payload), Some(len), "{codec}");
        heard.extend(&decoder.decode(&payload).unwrap());
    }
    Pcm::new(heard.samples()[1_600..].to_vec())
}

#[test]
fn every_codec_carries_a_tone_at_its_level_in_packets_of_every_length() {
    for &codec in Codec::ALL {
        for ptime in [10, 20, 30, 40, 50, 60] {
            let heard = through(codec, 440.0, codec.packet_len(ptime));
            let level = rms_dbfs(&heard);
            let sent = rms_dbfs(&tone::<Hz8k>(440.0, 8_000.0, 8_000));
            assert!((level - sent).abs() < 1.5, "{codec} at {ptime} ms: {level} for {sent} dBFS");
            let share = power_at(&heard, 440.0)
                / power_at(&tone::<Hz8k>(440.0, 8_000.0, heard.len()), 440.0);
            assert!((0.7..1.4).contains(&share), "{codec} at {ptime} ms: {share}");
        }
    }
}

#[test]
fn packets_are_as_long_as_the_peer_wants_or_a_little_shorter() {
    assert_eq!([10, 20, 30, 45, 60].map(|ms| Codec::Pcmu.packet_len(ms)), [80, 160, 240, 320, 480]);
    #[cfg(feature = "opus")]
    assert_eq!([10, 20, 30, 50, 60].map(|ms| Codec::Opus.packet_len(ms)), [80, 160, 160, 320, 480]);
}

#[test]
fn an_empty_payload_lasts_no_time() {
    for &codec in Codec::ALL {
        assert_eq!(codec.samples(&[]), None);
    }
}

#[test]
fn names_in_the_configuration_are_lower_case() {
    for &codec in Codec::ALL {
        let json = serde_json::to_string(&codec).unwrap();
        assert_eq!(json, format!("\"{}\"", codec.name().to_lowercase()));
    }
}
