//! When the bot begins in a call that we placed: it lets the callee say hello.

use std::time::Duration;

use crate::{
    audio::{CallTime, Hz8k, Pcm, level},
    call::task::{Call, START_AFTER},
    sip::Leg,
};

/// Silence after the callee's first sounds that lets the bot begin.
const PAUSE: Duration = Duration::from_millis(300);
/// The bot begins by then, whatever sounds: music, a noisy street.
const LATEST: CallTime = CallTime::from_ms(3_000);

/// Waits for whoever answers to say hello: until they pause, or say nothing for a second.
#[derive(Debug, Default)]
pub(in crate::call) struct FirstSound {
    last: Option<CallTime>,
}

impl FirstSound {
    /// Takes the 20 ms that end `now`; whether the bot may begin.
    fn heard(&mut self, now: CallTime, callee: &Pcm<Hz8k>) -> bool {
        if level::rms_dbfs(callee) > level::AUDIBLE_DBFS {
            self.last = Some(now);
        }
        let quiet = match self.last {
            Some(last) => now.since(last) >= PAUSE,
            None => now >= START_AFTER,
        };
        quiet || now >= LATEST
    }
}

impl<L: Leg> Call<L> {
    /// Whether the bot may begin.
    pub(in crate::call) fn may_begin(&mut self, now: CallTime, other: &Pcm<Hz8k>) -> bool {
        match &mut self.first_sound {
            Some(first) => first.heard(now, other),
            None => self.acked || now >= START_AFTER,
        }
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "one stretch of sound is a list of one")]
mod tests {
    use super::*;
    use crate::call::player::FRAME;

    /// When the bot begins, ms, of a callee who makes sounds in these stretches of ms.
    fn begins(sounds: &[std::ops::Range<u64>]) -> u64 {
        let mut first = FirstSound::default();
        for at in (20..10_000).step_by(20) {
            let loud = sounds.iter().any(|range| range.contains(&at));
            let frame = Pcm::new(vec![if loud { 3_000 } else { 0 }; FRAME]);
            if first.heard(CallTime::from_ms(at), &frame) {
                return at;
            }
        }
        panic!("the bot never begins");
    }

    #[test]
    fn a_callee_who_says_nothing_is_spoken_to_after_a_second() {
        assert_eq!(begins(&[]), 1_000);
    }

    #[test]
    fn a_callee_who_says_hello_is_heard_out() {
        assert_eq!(
            begins(std::slice::from_ref(&(400..900))),
            1_180,
            "300 ms after the last sound, in the frame at 880"
        );
        assert_eq!(begins(&[200..500, 700..900]), 1_180, "a short gap is none");
    }

    #[test]
    fn noise_does_not_keep_the_bot_silent() {
        assert_eq!(begins(std::slice::from_ref(&(0..10_000))), 3_000);
    }
}
