use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

use hound::{SampleFormat, WavSpec, WavWriter};
use serde::Serialize;

use super::{AudioError, CallTime, Hz8k, Pcm, Rate};

/// The header on disk is brought up to date this often, in samples: a process that dies loses at
/// most one second.
const FLUSH_EVERY: u64 = Hz8k::HZ as u64;

/// Records a call as a stereo WAV file at 8 kHz, caller left and bot right, while it goes on.
/// Sample `n` of the file is the call at `CallTime(n)`.
pub struct StereoRecorder {
    path: PathBuf,
    writer: WavWriter<BufWriter<File>>,
    position: CallTime,
    flushed: CallTime,
}

/// A finished recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordingSummary {
    /// The file.
    pub path: PathBuf,
    /// Its length in samples per channel, at 8 kHz.
    pub samples: u64,
}

impl StereoRecorder {
    /// Creates the file, replacing one that is there.
    ///
    /// # Errors
    /// [`AudioError::Recording`] when it cannot be created.
    pub fn create(path: &Path) -> Result<Self, AudioError> {
        let spec = WavSpec {
            channels: 2,
            sample_rate: Hz8k::HZ,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let writer = WavWriter::create(path, spec).map_err(|e| failed(path, e))?;
        Ok(Self { path: path.into(), writer, position: CallTime::ZERO, flushed: CallTime::ZERO })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the next audio goes.
    pub fn position(&self) -> CallTime {
        self.position
    }

    /// Writes what both sides said in one tick; the shorter one is filled up with silence.
    ///
    /// # Errors
    /// [`AudioError::Recording`] when the file cannot be written.
    pub fn push(&mut self, caller: &Pcm<Hz8k>, bot: &Pcm<Hz8k>) -> Result<(), AudioError> {
        self.push_samples(caller.samples(), bot.samples())
    }

    /// As [`push`](Self::push), samples at 8 kHz.
    ///
    /// # Errors
    /// [`AudioError::Recording`] when the file cannot be written.
    pub fn push_samples(&mut self, caller: &[i16], bot: &[i16]) -> Result<(), AudioError> {
        self.write(caller, bot)
    }

    /// Writes silence on both sides up to `at`; does nothing when the recording is already there.
    ///
    /// # Errors
    /// [`AudioError::Recording`] when the file cannot be written.
    pub fn skip_to(&mut self, at: CallTime) -> Result<(), AudioError> {
        let silence = [0; 160];
        while self.position < at {
            let left = at.samples() - self.position.samples();
            self.write(&silence[..left.min(silence.len() as u64) as usize], &[])?;
        }
        Ok(())
    }

    /// Completes the file.
    ///
    /// # Errors
    /// [`AudioError::Recording`] when the file cannot be written.
    pub fn finish(self) -> Result<RecordingSummary, AudioError> {
        let Self { path, writer, position, .. } = self;
        writer.finalize().map_err(|e| failed(&path, e))?;
        Ok(RecordingSummary { path, samples: position.samples() })
    }

    fn write(&mut self, left: &[i16], right: &[i16]) -> Result<(), AudioError> {
        let len = left.len().max(right.len());
        // All at once: sample by sample, hound takes five times as long.
        let mut samples = self.writer.get_i16_writer(2 * len as u32);
        for i in 0..len {
            for side in [left, right] {
                samples.write_sample(side.get(i).copied().unwrap_or(0));
            }
        }
        samples.flush().map_err(|e| failed(&self.path, e))?;
        self.position.0 += len as u64;
        if self.position.samples() - self.flushed.samples() >= FLUSH_EVERY {
            self.writer.flush().map_err(|e| failed(&self.path, e))?;
            self.flushed = self.position;
        }
        Ok(())
    }
}

fn failed(path: &Path, error: hound::Error) -> AudioError {
    AudioError::Recording { path: path.into(), problem: error.to_string() }
}

#[cfg(test)]
mod tests {
    use hound::WavReader;

    use super::*;

    fn frame(value: i16) -> Pcm<Hz8k> {
        Pcm::new(vec![value; 160])
    }

    fn samples(path: &Path) -> Vec<i16> {
        WavReader::open(path).unwrap().into_samples().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn the_caller_is_left_and_the_bot_is_right() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("call.wav");
        let mut recorder = StereoRecorder::create(&path).unwrap();
        recorder.push(&frame(7), &frame(-7)).unwrap();
        recorder.push(&frame(8), &Pcm::silence(0)).unwrap();
        let summary = recorder.finish().unwrap();
        assert_eq!(summary, RecordingSummary { path: path.clone(), samples: 320 });
        let expected: Vec<_> = [[7, -7]; 160].into_iter().chain([[8, 0]; 160]).flatten().collect();
        assert_eq!(samples(&path), expected);
    }

    #[test]
    fn skipped_time_is_silence_and_never_goes_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("call.wav");
        let mut recorder = StereoRecorder::create(&path).unwrap();
        recorder.skip_to(CallTime(1_001)).unwrap();
        recorder.skip_to(CallTime(500)).unwrap();
        recorder.push(&frame(1), &frame(2)).unwrap();
        assert_eq!(recorder.position(), CallTime(1_161));
        recorder.finish().unwrap();
        let samples = samples(&path);
        assert!(samples[..2_002].iter().all(|&s| s == 0));
        assert_eq!(samples[2_002..2_004], [1, 2]);
    }

    #[test]
    fn a_recording_whose_process_died_is_a_valid_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("call.wav");
        let mut recorder = StereoRecorder::create(&path).unwrap();
        for _ in 0..120 {
            recorder.push(&frame(3), &frame(4)).unwrap();
        }
        // No destructor runs in a process that is killed.
        std::mem::forget(recorder);
        assert_eq!(samples(&path).len(), 2 * 16_000);
    }

    #[test]
    fn the_error_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("no/such/folder/call.wav");
        let error = StereoRecorder::create(&path).err().unwrap().to_string();
        assert!(error.contains("no/such/folder/call.wav"), "{error}");
    }
}
