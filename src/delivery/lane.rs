//! The events of one call on their way to a sink: one after the other.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use time::OffsetDateTime;

use super::{Answer, Metrics, Rules, Sink};
use crate::store::Delivery;

/// The first pause before an event is tried again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// What is to be delivered of one call.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) items: VecDeque<Item>,
}

/// An event; `waited` says that the store has a row for its delivery.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) delivery: Delivery,
    pub(super) waited: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Cursors of rows that are no longer needed.
    pub(super) taken: Vec<u64>,
    /// What was not taken.
    pub(super) left: Vec<Delivery>,
    /// The sink takes nothing now.
    pub(super) away: Option<(String, Option<Duration>)>,
}

impl Lane {
    /// Delivers in order; what comes after an event that was not taken waits with it.
    pub(super) async fn run(mut self, sink: Arc<Sink>, rules: Rules, metrics: Metrics) -> Done {
        let mut done = Done::default();
        while let Some(Item { mut delivery, waited }) = self.items.pop_front() {
            let answer = sink.deliver(&delivery.event, rules.timeout).await;
            metrics.attempt(&rules.name, &answer);
            match answer {
                Answer::Taken => {
                    done.taken.extend(waited.then_some(delivery.event.cursor));
                    continue;
                }
                Answer::Refused(why) => {
                    delivery.attempts += 1;
                    done.left.push(bury(delivery, why, &rules.name));
                    continue;
                }
                Answer::Failed(why) => {
                    delivery.attempts += 1;
                    if delivery.attempts >= rules.tries {
                        done.left.push(bury(delivery, why, &rules.name));
                        continue;
                    }
                    let pause = jittered(pause(delivery.attempts), rand::random());
                    delivery.next_at = OffsetDateTime::now_utc() + pause;
                    delivery.problem = why;
                }
                Answer::Away { why, after } => {
                    delivery.next_at = OffsetDateTime::UNIX_EPOCH;
                    delivery.problem.clone_from(&why);
                    done.away = Some((why, after));
                }
            }
            done.left.push(delivery);
            break;
        }
        done.left.extend(self.waiting());
        done
    }

    /// Everything that is left, as it was; after what is before it.
    pub(super) fn waiting(self) -> impl Iterator<Item = Delivery> {
        self.items.into_iter().map(|item| item.delivery)
    }
}

fn bury(delivery: Delivery, why: String, sink: &str) -> Delivery {
    tracing::error!(
        %sink, call = %delivery.event.call, seq = delivery.event.seq, attempts = delivery.attempts, %why,
        "an event goes to the dead letters: `hotline outbox list` shows them"
    );
    Delivery { dead: true, problem: why, ..delivery }
}

/// Doubles with each attempt.
fn pause(attempts: u32) -> Duration {
    let (first, longest) = PAUSES;
    first
        .saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX))
        .min(longest)
}

/// Half of it to all of it, so that those who failed together do not come back together.
pub(super) fn jittered(pause: Duration, random: u8) -> Duration {
    pause.mul_f64(0.5 + f64::from(random) / 510.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let seconds = |attempts| pause(attempts).as_secs();
        assert_eq!([1, 2, 3, 9].map(seconds), [1, 2, 4, 256]);
        assert_eq!([10, 33, 4_000_000].map(seconds), [300, 300, 300]);
    }

    #[test]
    fn a_pause_is_shortened_by_half_at_most() {
        let of = |random| jittered(Duration::from_secs(10), random).as_millis();
        assert_eq!((of(0), of(255)), (5_000, 10_000));
    }
}
