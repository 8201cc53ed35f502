//! WAV files: any bytes give audio no longer than they can hold, and what is written comes back.

use std::{fs, path::PathBuf};

use crate::audio::read_8k;
use hound::{SampleFormat, WavSpec, WavWriter};

/// Checks one input.
pub fn check(data: &[u8]) {
    let path = scratch();
    fs::write(&path, data).expect("there is room");
    if let Ok(audio) = read_8k(&path) {
        // From 4 kHz, the lowest rate we take, 8-bit audio doubles; the resampler rounds up.
        assert!(audio.len() <= 2 * data.len() + 2_000, "{} from {}", audio.len(), data.len());
    }
    let samples: Vec<i16> =
        data.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
    let (sample_rate, sample_format) = (8_000, SampleFormat::Int);
    let spec = WavSpec { channels: 1, sample_rate, bits_per_sample: 16, sample_format };
    let mut writer = WavWriter::create(&path, spec).expect("there is room");
    samples.iter().for_each(|&s| writer.write_sample(s).expect("there is room"));
    writer.finalize().expect("there is room");
    assert_eq!(read_8k(&path).expect("it was just written").samples(), samples);
}

/// A file of this process, in memory where the system has such a place.
fn scratch() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let dir = if memory.is_dir() { memory } else { std::env::temp_dir() };
    dir.join(format!("hotline-fuzz-{}.wav", std::process::id()))
}
