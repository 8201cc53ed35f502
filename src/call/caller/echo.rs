use std::{collections::VecDeque, time::Duration};

use super::FRAME;
use crate::audio::{Hz8k, Pcm};

/// A phone that returns what it plays: as if its loudspeaker were heard by its microphone.
#[derive(Debug, Clone)]
pub struct EchoPath {
    gain: f32,
    /// What was played and has not come back yet.
    played: VecDeque<i16>,
}

impl EchoPath {
    /// An echo `loss_db` quieter than what is played, `delay` later.
    pub fn new(loss_db: f32, delay: Duration) -> Self {
        let samples = delay.as_millis() as usize * FRAME / 20;
        Self { gain: 10f32.powf(-loss_db / 20.0), played: VecDeque::from(vec![0; samples]) }
    }

    /// What the phone sends while its user says `said` and it plays `heard`; both are 20 ms.
    pub(super) fn mix(&mut self, said: Pcm<Hz8k>, heard: &Pcm<Hz8k>) -> Pcm<Hz8k> {
        self.played.extend(heard.samples());
        let echo = self.played.drain(..heard.len());
        let mixed = said.samples().iter().zip(echo);
        let mix = |(said, echo): (&i16, i16)| {
            said.saturating_add((f32::from(echo) * self.gain).round() as i16)
        };
        Pcm::new(mixed.map(mix).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_played_comes_back_later_and_quieter() {
        let mut path = EchoPath::new(20.0, Duration::from_millis(30));
        let said = || Pcm::new(vec![5; FRAME]);
        let first = path.mix(said(), &Pcm::new(vec![1_000; FRAME]));
        assert!(first.samples().iter().all(|sample| *sample == 5));
        let second = path.mix(said(), &Pcm::silence(FRAME));
        assert_eq!((second.samples()[79], second.samples()[80]), (5, 105));
        let third = path.mix(said(), &Pcm::silence(FRAME));
        assert_eq!((third.samples()[79], third.samples()[80]), (105, 5));
    }
}
