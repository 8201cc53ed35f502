//! What is heard before the answer: the network's announcements, ring-back tones, a voice-mail greeting.

use std::{path::PathBuf, time::Duration};

use tokio::time::{Instant, sleep_until};

use crate::{
    audio::{AudioError, CallTime, Pcm, StereoRecorder},
    call::{media::Media, player::FRAME},
};

const TICK: Duration = Duration::from_millis(20);
/// Of more than a minute before the answer, the beginning is kept; samples.
const MOST: usize = 60 * 8_000;

/// Audio from before the answer, on a grid of its own.
#[derive(Debug, Default)]
pub(super) struct EarlyAudio {
    begun: Option<Instant>,
    ticks: u32,
    heard: Vec<i16>,
}

impl EarlyAudio {
    /// Audio flows from now on.
    pub(super) fn begin(&mut self) {
        self.begun.get_or_insert_with(Instant::now);
    }

    /// When there is something to do; never, before audio flows. Cancel-safe.
    pub(super) async fn due(&self) {
        match self.begun {
            Some(begun) => sleep_until(begun + TICK * self.ticks).await,
            None => std::future::pending().await,
        }
    }

    /// 20 ms: what is heard is kept, and silence is sent, which opens the way back through a NAT.
    pub(super) fn tick(&mut self, media: &mut Media) {
        let Some(begun) = self.begun else { return };
        let line = CallTime::ZERO + TICK * self.ticks;
        self.ticks += 1;
        media.take_waiting(CallTime::ZERO + begun.elapsed());
        let heard = media.pull().audio;
        if self.heard.len() < MOST {
            self.heard.extend_from_slice(heard.samples());
        }
        media.send(line, &Pcm::silence(FRAME));
    }

    /// The call is answered: its media counts from zero again.
    pub(super) fn end(&self, media: &mut Media) {
        if let Some(begun) = self.begun {
            media.restart(begun.elapsed());
        }
    }

    /// Milliseconds that were kept.
    pub(super) fn kept_ms(&self) -> u64 {
        CallTime(self.heard.len() as u64).as_ms()
    }

    /// Writes it to a WAV file: the callee on the left, as on recordings.
    pub(super) async fn write(self, path: PathBuf) -> Result<(), AudioError> {
        let file = path.clone();
        let write = move || {
            let mut recorder = StereoRecorder::create(&path)?;
            recorder.push_samples(&self.heard, &vec![0; self.heard.len()])?;
            recorder.finish().map(|_| ())
        };
        tokio::task::spawn_blocking(write).await.unwrap_or_else(|stopped| {
            Err(AudioError::Recording { path: file, problem: stopped.to_string() })
        })
    }
}
