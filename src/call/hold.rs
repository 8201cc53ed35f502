//! We put the caller on hold, and take them back: a re-INVITE that says we only send (RFC 3264 section 8.4). As in a hold by
//! the peer, the call's own time stands still; the caller hears music, or silence.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{
    control::{Command, ControlError},
    player::FRAME,
    task::Call,
};
use crate::{
    audio::{Hz8k, Pcm},
    sip::Leg,
};

type Reply = oneshot::Sender<Result<(), ControlError>>;

/// Our hold of the caller.
#[derive(Debug, Default)]
pub(super) struct OurHold {
    on: bool,
    /// Has yet to be sent.
    wanted: Option<(bool, Reply)>,
    /// Has been sent, and not been answered.
    asked: Option<(bool, Reply)>,
    music: Option<Arc<Pcm<Hz8k>>>,
    at: usize,
}

impl OurHold {
    /// With the music that callers hear, over and over.
    pub(super) fn new(music: Option<Arc<Pcm<Hz8k>>>) -> Self {
        Self { music: music.filter(|music| !music.is_empty()), ..Self::default() }
    }

    /// Whether we hold the caller.
    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    /// The next 20 ms that the caller hears meanwhile.
    pub(super) fn music(&mut self) -> Pcm<Hz8k> {
        let Some(music) = self.music.as_ref().filter(|_| self.on) else {
            return Pcm::silence(FRAME);
        };
        let samples = music.samples().iter().cycle().skip(self.at).take(FRAME).copied().collect();
        self.at = (self.at + FRAME) % music.len();
        Pcm::new(samples)
    }
}

impl<L: Leg> Call<L> {
    /// Somebody wants the caller held, or taken back. The answer is the other phone's to give.
    pub(super) fn ask_hold(&mut self, on: bool, reply: Reply) {
        let hold = &mut self.our_hold;
        let refused = if hold.wanted.is_some() || hold.asked.is_some() {
            "the call is being held or resumed already"
        } else if hold.on == on {
            if on { "the call is on hold already" } else { "the call is not on hold" }
        } else {
            hold.wanted = Some((on, reply));
            return;
        };
        let _ = reply.send(Err(ControlError::Refused { why: refused.to_owned() }));
    }

    /// Sends what is wanted.
    pub(super) async fn send_hold(&mut self) {
        let Some((on, reply)) = self.our_hold.wanted.take() else { return };
        let offer = self.session.hold(on);
        match self.leg.change(offer).await {
            Ok(()) => self.our_hold.asked = Some((on, reply)),
            Err(error) => {
                let _ = reply.send(Err(ControlError::Refused { why: error.to_string() }));
            }
        }
    }

    /// The other phone answered.
    pub(super) fn hold_answered(&mut self, answer: Result<String, u16>) {
        let Some((on, reply)) = self.our_hold.asked.take() else { return };
        let result = match answer {
            Ok(sdp) if self.session.answered_in_ack(&sdp, &mut self.media) => {
                self.our_hold.on = on;
                let name = if on { Command::Hold } else { Command::Resume }.name();
                let now = self.now();
                self.record.command(now, name);
                self.follow_hold(true);
                Ok(())
            }
            Ok(_) => Err("the other phone's answer cannot be used".to_owned()),
            Err(491) => {
                Err("the other phone changes the call at the same time: try again".to_owned())
            }
            Err(code) => Err(format!("the other phone refused: {code}")),
        };
        let _ = reply.send(result.map_err(|why| ControlError::Refused { why }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn music_sounds_over_and_over_while_we_hold() {
        let mut hold = OurHold::new(Some(Arc::new(Pcm::new((0..250).collect()))));
        assert_eq!(hold.music(), Pcm::silence(FRAME));
        hold.on = true;
        assert_eq!(hold.music().samples()[..2], [0, 1]);
        let second = hold.music();
        assert_eq!((second.samples()[0], second.samples()[90]), (160, 0));
        assert_eq!(hold.music().samples()[0], 70);
    }

    #[test]
    fn without_music_the_caller_hears_silence() {
        for music in [None, Some(Arc::new(Pcm::silence(0)))] {
            let mut hold = OurHold { on: true, ..OurHold::new(music) };
            assert_eq!(hold.music(), Pcm::silence(FRAME));
        }
    }
}
