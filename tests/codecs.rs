//! Our codecs against FFmpeg's, which are not ours nor our libraries'; skipped where there is no
//! `ffmpeg`. Its recorded output (tests/data/codecs) is compared with in src/audio.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{fs, path::Path, process::Command};

use hotline::audio::{
    Codec, Hz8k, Hz16k, Law, Pcm, Resampler,
    codec::{Decoder, Encoder},
    g711, read_8k,
};

/// What FFmpeg makes of `input`, with these arguments before and after `-i`; `None` without FFmpeg.
fn ffmpeg(before: &[&str], input: &[u8], after: &[&str]) -> Option<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("in"), dir.path().join("out"));
    fs::write(&from, input).unwrap();
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y"]).args(before).arg("-i").arg(&from).args(after).arg(&to);
    let Ok(done) = command.output() else {
        println!("skipped: ffmpeg is not installed");
        return None;
    };
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(fs::read(&to).unwrap())
}

fn samples(bytes: &[u8]) -> Vec<i16> {
    bytes.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect()
}

/// The recorded callers, one after the other.
fn speech() -> Pcm<Hz8k> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/callers");
    let mut all = Pcm::silence(0);
    for lang in ["en", "zh"] {
        for file in fs::read_dir(dir.join(lang)).unwrap() {
            all.extend(&read_8k(&file.unwrap().path()).unwrap());
        }
    }
    assert!(all.len() > 10 * 8_000, "the recorded callers are missing");
    all
}

/// Signal-to-noise ratio in dB, where `heard` may come up to 20 ms later or earlier.
fn snr(clean: &[i16], heard: &[i16]) -> f64 {
    let at_lag = |lag: isize| {
        let (mut signal, mut noise) = (0.0, 1.0);
        for (i, &c) in clean.iter().enumerate().skip(400) {
            let Some(&h) = heard.get((i as isize + lag) as usize) else { break };
            signal += f64::from(c).powi(2);
            noise += (f64::from(c) - f64::from(h)).powi(2);
        }
        10.0 * (signal / noise).log10()
    };
    (-160..=160).map(at_lag).fold(f64::MIN, f64::max)
}

#[test]
fn g711_codes_mean_the_same() {
    for (law, format) in [(Law::Mu, "mulaw"), (Law::A, "alaw")] {
        let codes: Vec<u8> = (0..=u8::MAX).collect();
        let before = ["-f", format, "-ar", "8000", "-ac", "1"];
        let Some(theirs) = ffmpeg(&before, &codes, &["-f", "s16le"]) else { return };
        assert_eq!(g711::decode(law, &codes).samples(), samples(&theirs), "{format}");
    }
}

#[test]
fn g711_speech_is_coded_as_well() {
    let clean = speech();
    let raw: Vec<u8> = clean.samples().iter().flat_map(|s| s.to_le_bytes()).collect();
    for (law, format) in [(Law::Mu, "mulaw"), (Law::A, "alaw")] {
        let before = ["-f", "s16le", "-ar", "8000", "-ac", "1"];
        let Some(theirs) = ffmpeg(&before, &raw, &["-f", format]) else { return };
        let ours = g711::encode(law, &clean);
        let equal = ours.iter().zip(&theirs).filter(|(a, b)| a == b).count();
        let snr_of = |codes: &[u8]| snr(clean.samples(), g711::decode(law, codes).samples());
        let (ours_db, theirs_db) = (snr_of(&ours), snr_of(&theirs));
        println!(
            "{format}: {ours_db:.2} dB, FFmpeg {theirs_db:.2} dB, {equal} of {} equal",
            ours.len()
        );
        assert!(ours_db > theirs_db - 0.1);
    }
}

#[test]
fn g722_is_decoded_to_the_bit_whoever_coded_it() {
    let clean = speech();
    let mut encoder = Encoder::new(Codec::G722);
    let frames = clean.samples().chunks_exact(160);
    let ours: Vec<u8> = frames.flat_map(|f| encoder.encode(&Pcm::new(f.to_vec()))).collect();
    let raw: Vec<u8> = clean.samples().iter().flat_map(|s| s.to_le_bytes()).collect();
    let before = ["-f", "s16le", "-ar", "8000", "-ac", "1"];
    let after = ["-ar", "16000", "-c:a", "g722", "-f", "g722"];
    let Some(theirs) = ffmpeg(&before, &raw, &after) else { return };
    for (coder, bytes) in [("us", ours), ("FFmpeg", theirs)] {
        let wide = ffmpeg(&["-f", "g722"], &bytes, &["-f", "s16le"]).unwrap();
        // The same resampler on both sides: this is about the codec.
        let mut down = Resampler::<Hz16k, Hz8k>::new();
        let reference = down.push(&Pcm::new(samples(&wide)));
        let mut decoder = Decoder::new(Codec::G722);
        let decoded: Vec<i16> = bytes
            .chunks_exact(160)
            .flat_map(|p| decoder.decode(p).unwrap().into_samples())
            .collect();
        println!("G.722 by {coder}: {:.1} dB from the speech", snr(clean.samples(), &decoded));
        let lag = first_lag(reference.samples(), &decoded);
        println!("decoded: {} samples, {lag:?} later than FFmpeg's", decoded.len());
        assert!(lag.is_some(), "our decoding is not FFmpeg's, coded by {coder}");
    }
}

/// By how many samples, 20 ms at most, `decoded` comes later than `reference` and is otherwise the
/// same.
fn first_lag(reference: &[i16], decoded: &[i16]) -> Option<usize> {
    (0..160).find(|lag| {
        let (a, b) = (reference, &decoded[*lag..]);
        a.len().min(b.len()) > 8_000 && a.iter().zip(b).all(|(a, b)| a == b)
    })
}
