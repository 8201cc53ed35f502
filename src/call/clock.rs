//! The clock of one call: a 20 ms grid from the answer, and the call's own time, which stands
//! still while the peer holds the call.

use std::time::Duration;

use tokio::time::Instant;

use crate::audio::CallTime;

/// The grid on which audio is sent.
const TICK: Duration = Duration::from_millis(20);

/// Counts frames on a time that is passed in. A held call hears nothing and says nothing: its
/// prompts, its timers and its recording
/// wait for the end of the hold because its time does.
#[derive(Debug)]
pub(super) struct CallClock {
    answered: Instant,
    ticks: u64,
    held_ticks: u64,
    held: bool,
}

impl CallClock {
    /// Starts at `answered`: sample 0 of the recording.
    pub(super) fn new(answered: Instant) -> Self {
        Self { answered, ticks: 0, held_ticks: 0, held: false }
    }

    /// When the next frame is due. A late one does not shift those after it.
    pub(super) fn next_tick(&self) -> Instant {
        self.answered + TICK * (self.ticks as u32 + 1)
    }

    /// Begins a frame and gives the line's time at its start.
    pub(super) fn tick(&mut self) -> CallTime {
        let line = CallTime::ZERO + TICK * self.ticks as u32;
        self.ticks += 1;
        self.held_ticks += u64::from(self.held);
        line
    }

    /// How far the call's own time has come: to the end of the frame that was begun last.
    pub(super) fn reached(&self) -> CallTime {
        CallTime::ZERO + TICK * (self.ticks - self.held_ticks) as u32
    }

    /// The call's own time: samples since the answer, without those of holds.
    pub(super) fn now(&self, at: Instant) -> CallTime {
        if self.held {
            return self.reached();
        }
        let held = TICK * self.held_ticks as u32;
        CallTime::ZERO + at.saturating_duration_since(self.answered).saturating_sub(held)
    }

    /// The line's time: samples since the answer, holds included.
    pub(super) fn line(&self, at: Instant) -> CallTime {
        CallTime::ZERO + at.saturating_duration_since(self.answered)
    }

    /// Stops the call's own time, or lets it go on; true when that is a change.
    pub(super) fn hold(&mut self, held: bool) -> bool {
        std::mem::replace(&mut self.held, held) != held
    }

    /// Whether the call's own time stands still.
    pub(super) fn held(&self) -> bool {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs that many frames and gives the time after them.
    fn run(clock: &mut CallClock, frames: u64) -> Instant {
        let mut at = clock.answered;
        for _ in 0..frames {
            at = clock.next_tick();
            clock.tick();
        }
        at
    }

    #[test]
    fn without_a_hold_both_times_are_the_same() {
        let mut clock = CallClock::new(Instant::now());
        let at = run(&mut clock, 50);
        assert_eq!((clock.now(at).as_ms(), clock.line(at).as_ms()), (1_000, 1_000));
        assert_eq!(clock.reached().as_ms(), 1_000);
    }

    #[test]
    fn a_hold_stops_the_calls_time_and_not_the_lines() {
        let mut clock = CallClock::new(Instant::now());
        run(&mut clock, 50);
        assert!(clock.hold(true));
        assert!(!clock.hold(true), "a second hold changes nothing");
        let at = run(&mut clock, 3_000);
        assert_eq!((clock.now(at).as_ms(), clock.line(at).as_ms()), (1_000, 61_000));
    }

    #[test]
    fn after_a_hold_the_call_goes_on_where_it_was() {
        let mut clock = CallClock::new(Instant::now());
        run(&mut clock, 50);
        clock.hold(true);
        let at = run(&mut clock, 500);
        assert!(clock.hold(false));
        assert_eq!(clock.now(at).as_ms(), 1_000);
        assert_eq!(clock.tick().as_ms(), 11_000, "the line's frames were sent all along");
        assert_eq!(clock.reached().as_ms(), 1_020, "the call's first frame after the hold");
    }

    #[test]
    fn a_call_held_from_the_start_begins_at_zero() {
        let mut clock = CallClock::new(Instant::now());
        clock.hold(true);
        run(&mut clock, 100);
        clock.hold(false);
        clock.tick();
        assert_eq!(clock.reached(), CallTime::from_ms(20));
    }
}
