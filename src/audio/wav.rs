use std::{fs, io::Cursor, path::Path};

use hound::{SampleFormat, WavReader};

use super::{AudioError, Hz8k, Pcm, g711, g711::Law, resample::convert_hz};

/// WAVE format tags that hound does not read.
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;
const EXTENSIBLE: u16 = 0xFFFE;
/// Sample rates that are audio.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;

/// Reads a WAV file as telephone audio: 8, 16, 24 or 32-bit PCM, 32-bit float, mu-law or A-law,
/// at any rate, mixed down to one channel. A file cut short is read as far as it goes.
///
/// # Errors
/// [`AudioError::File`] when it cannot be read, [`AudioError::Wav`] when it is not such a file.
pub fn read_8k(path: &Path) -> Result<Pcm<Hz8k>, AudioError> {
    let bytes = fs::read(path).map_err(|source| AudioError::File {
        path: path.into(),
        doing: "read",
        source,
    })?;
    parse_8k(bytes).map_err(|problem| AudioError::Wav { path: path.into(), problem })
}

/// [`read_8k`] from memory. The error says what is wrong.
fn parse_8k(mut bytes: Vec<u8>) -> Result<Pcm<Hz8k>, String> {
    let format = Format::find(&bytes)?;
    if !RATES.contains(&format.rate) {
        return Err(format!("has a sample rate of {} Hz", format.rate));
    }
    if format.channels == 0 {
        return Err("has no channel".into());
    }
    let data = Chunk::find(&bytes, b"data").ok_or("has no data chunk")?;
    let interleaved = match format.tag {
        A_LAW => g711::decode(Law::A, data.body(&bytes)).to_f32(),
        MU_LAW => g711::decode(Law::Mu, data.body(&bytes)).to_f32(),
        _ => {
            data.correct_length(&mut bytes, format.frame_bytes);
            read_linear(&bytes)?
        }
    };
    let channels = usize::from(format.channels);
    let mono: Vec<f32> = interleaved
        .chunks_exact(channels)
        .map(|frame| frame.iter().sum::<f32>() / channels as f32)
        .collect();
    // As `to_f32` divides by 32,768, so that 16-bit samples at 8 kHz come through unchanged.
    let scaled = convert_hz(&mono, format.rate, 8_000).into_iter().map(|x| x * 32_768.0);
    Ok(Pcm::new(scaled.map(super::level::clip).collect()))
}

/// All samples, interleaved, as `-1.0..1.0`.
fn read_linear(bytes: &[u8]) -> Result<Vec<f32>, String> {
    let mut reader = WavReader::new(Cursor::new(bytes)).map_err(|e| e.to_string())?;
    let spec = reader.spec();
    let samples: Result<Vec<f32>, _> = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect(),
        SampleFormat::Int => {
            let full_scale = 2_f32.powi(i32::from(spec.bits_per_sample) - 1);
            reader.samples::<i32>().map(|s| s.map(|s| s as f32 / full_scale)).collect()
        }
    };
    samples.map_err(|e| e.to_string())
}

/// What the `fmt ` chunk says.
struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    /// Bytes of one sample of all channels.
    frame_bytes: usize,
}

impl Format {
    fn find(bytes: &[u8]) -> Result<Self, String> {
        if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
            return Err("is not a WAV file".into());
        }
        let body = Chunk::find(bytes, b"fmt ").ok_or("has no fmt chunk")?.body(bytes);
        let u16_at = |i| Some(u16::from_le_bytes(*body.get(i..)?.first_chunk()?));
        let u32_at = |i| Some(u32::from_le_bytes(*body.get(i..)?.first_chunk()?));
        let parse = || {
            let tag = u16_at(0)?;
            // An extensible format has the real tag at the head of its sub-format.
            let tag = if tag == EXTENSIBLE { u16_at(24)? } else { tag };
            let frame_bytes = usize::from(u16_at(12)?);
            Some(Self { tag, channels: u16_at(2)?, rate: u32_at(4)?, frame_bytes })
        };
        parse().ok_or_else(|| "has a fmt chunk that is too short".into())
    }
}

/// Where a RIFF chunk's body lies.
struct Chunk {
    start: usize,
    end: usize,
}

impl Chunk {
    fn find(bytes: &[u8], id: &[u8; 4]) -> Option<Self> {
        let mut at = 12;
        loop {
            let header: [u8; 8] = *bytes.get(at..)?.first_chunk()?;
            let [i0, i1, i2, i3, len @ ..] = header;
            let start = at + 8;
            let end = start.saturating_add(u32::from_le_bytes(len) as usize);
            if [i0, i1, i2, i3] == *id {
                // Recorders that died and programs that write to a pipe leave a wrong length.
                return Some(Self { start, end: end.min(bytes.len()) });
            }
            at = end.saturating_add(end % 2);
        }
    }

    fn body<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start..self.end]
    }

    /// Makes the header's length that of the whole samples in the file.
    fn correct_length(&self, bytes: &mut [u8], frame_bytes: usize) {
        let len = self.end - self.start;
        let whole = len - len.checked_rem(frame_bytes).unwrap_or(0);
        bytes[self.start - 4..self.start].copy_from_slice(&(whole as u32).to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use hound::{WavSpec, WavWriter};
    use proptest::prelude::*;

    use super::*;
    use crate::audio::{Hz16k, Rate, level::rms_dbfs, test_signals::tone};

    fn wav<S: hound::Sample>(spec: WavSpec, samples: impl Iterator<Item = S>) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
        for sample in samples {
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    fn int(channels: u16, sample_rate: u32, bits_per_sample: u16) -> WavSpec {
        WavSpec { channels, sample_rate, bits_per_sample, sample_format: SampleFormat::Int }
    }

    fn g711_wav(tag: u16, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x12\0\0\0".to_vec();
        bytes.extend(tag.to_le_bytes());
        bytes.extend(b"\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0\0\0");
        bytes.extend(b"LIST\x03\0\0\0abc\0data");
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn telephone_pcm_is_read_unchanged() {
        let samples = [0, 1, -1, i16::MAX, i16::MIN, 1234];
        let read = parse_8k(wav(int(1, 8_000, 16), samples.iter().copied())).unwrap();
        assert_eq!(read.samples(), samples);
    }

    #[test]
    fn g711_files_are_expanded() {
        let pcm = tone::<Hz8k>(440.0, 8_000.0, 100);
        for (tag, law) in [(MU_LAW, Law::Mu), (A_LAW, Law::A)] {
            let bytes = g711::encode(law, &pcm);
            assert_eq!(parse_8k(g711_wav(tag, &bytes)).unwrap(), g711::decode(law, &bytes));
        }
    }

    #[test]
    fn stereo_is_mixed_and_other_rates_are_converted() {
        let left = tone::<Hz16k>(1_000.0, 8_000.0, 16_000);
        let both = left.samples().iter().flat_map(|&s| [s, 0]);
        let read = parse_8k(wav(int(2, Hz16k::HZ, 16), both)).unwrap();
        assert_eq!(read.len(), 8_000);
        assert!((rms_dbfs(&read) - rms_dbfs(&left) + 6.02).abs() < 0.1);
        let cd = parse_8k(wav(int(1, 44_100, 24), (0..44_100).map(|_| 0_i32))).unwrap();
        assert_eq!(cd.len(), 8_000);
    }

    #[test]
    fn float_files_are_read() {
        let spec = WavSpec { sample_format: SampleFormat::Float, ..int(1, 8_000, 32) };
        let read = parse_8k(wav(spec, [0.5_f32, -0.5].into_iter())).unwrap();
        assert_eq!(read.samples(), [16_384, -16_384]);
    }

    #[test]
    fn a_file_cut_short_is_read_as_far_as_it_goes() {
        let mut bytes = wav(int(1, 8_000, 16), (0..100).map(|i| i as i16));
        bytes.truncate(bytes.len() - 51);
        assert_eq!(parse_8k(bytes).unwrap().len(), 74);
    }

    #[test]
    fn the_error_names_the_file_and_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("song.wav");
        fs::write(&path, "ID3 not a wave").unwrap();
        let error = read_8k(&path).unwrap_err().to_string();
        assert!(error.contains("song.wav") && error.contains("sox"), "{error}");
        let error = read_8k(&dir.path().join("none.wav")).unwrap_err().to_string();
        assert!(error.contains("none.wav"), "{error}");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
            fmt in any::<[u8; 24]>(),
        ) {
            let mut file = b"RIFF\0\0\0\0WAVEfmt \x18\0\0\0".to_vec();
            file.extend(fmt);
            file.append(&mut bytes);
            let _ = parse_8k(file);
        }
    }
}
