//! Reliable provisional responses, the callee's side (RFC 3262, section 3): one at a time is sent
//! again and again until its PRACK comes. Pure: the time is passed in.

use std::time::Duration;

use rsipstack::sip::{Header, Headers, Method};
use tokio::time::Instant;

use super::message;

/// First interval between two transmissions; doubles each time.
const T1: Duration = Duration::from_millis(500);
/// Without a PRACK for this long the call fails.
const GIVE_UP: Duration = Duration::from_secs(32);

/// What the RAck header of a PRACK acknowledges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rack {
    pub(super) rseq: u32,
    pub(super) cseq: u32,
    pub(super) method: Method,
}

impl Rack {
    /// Reads the RAck header; `None` when there is none or it cannot be read.
    pub(super) fn of(headers: &Headers) -> Option<Self> {
        Self::parse(message::header(headers, "RAck")?)
    }

    fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_whitespace();
        let rack = Self {
            rseq: words.next()?.parse().ok()?,
            cseq: words.next()?.parse().ok()?,
            method: words.next()?.parse().ok()?,
        };
        words.next().is_none().then_some(rack)
    }
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due<R> {
    /// Send this once more.
    Again(R),
    /// Refuse the INVITE: the PRACK did not come.
    GiveUp,
}

/// The reliable responses to one INVITE; `R` is the response.
#[derive(Debug)]
pub(super) struct Reliable<R> {
    next: u32,
    agreed: bool,
    pending: Option<Pending<R>>,
}

#[derive(Debug)]
struct Pending<R> {
    rseq: u32,
    response: R,
    has_sdp: bool,
    first_sent: Instant,
    again: Instant,
    interval: Duration,
    settled: bool,
}

impl<R: Clone> Reliable<R> {
    /// `first` is the first RSeq, 1..2^31.
    pub(super) fn new(first: u32) -> Self {
        Self { next: first, agreed: false, pending: None }
    }

    /// Whether the next may be sent: the one before is acknowledged.
    pub(super) fn is_free(&self) -> bool {
        self.pending.is_none()
    }

    /// Whether a 2xx must wait: a description was sent and is not acknowledged.
    pub(super) fn holds_answer(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.has_sdp)
    }

    /// The headers that make the next response reliable.
    pub(super) fn headers(&self) -> Vec<Header> {
        vec![Header::Require("100rel".into()), Header::RSeq(self.next.to_string().into())]
    }

    /// The response with [`Self::headers`] was sent at `now`.
    pub(super) fn sent(&mut self, response: R, has_sdp: bool, now: Instant) {
        let rseq = self.next;
        self.next += 1;
        self.pending = Some(Pending {
            rseq,
            response,
            has_sdp,
            first_sent: now,
            again: now + T1,
            interval: T1,
            settled: false,
        });
    }

    /// When [`Self::due`] is to be asked next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let pending = self.pending.as_ref().filter(|pending| !pending.settled)?;
        Some(pending.again.min(pending.first_sent + GIVE_UP))
    }

    /// What is due at `now`.
    pub(super) fn due(&mut self, now: Instant) -> Option<Due<R>> {
        let pending = self.pending.as_mut().filter(|pending| !pending.settled)?;
        if now >= pending.first_sent + GIVE_UP {
            return Some(Due::GiveUp);
        }
        if now < pending.again {
            return None;
        }
        pending.interval *= 2;
        pending.again = now + pending.interval;
        Some(Due::Again(pending.response.clone()))
    }

    /// A PRACK with this RSeq has come; `false` when nothing waits for it.
    pub(super) fn acknowledge(&mut self, rseq: u32) -> bool {
        let acknowledged = self.pending.take_if(|pending| pending.rseq == rseq);
        self.agreed |= acknowledged.as_ref().is_some_and(|pending| pending.has_sdp);
        acknowledged.is_some()
    }

    /// Whether the session is agreed on: a description was sent and is acknowledged.
    pub(super) fn agreed(&self) -> bool {
        self.agreed
    }

    /// A final response was sent: nothing is sent again, but a PRACK is still known.
    pub(super) fn settle(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.settled = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn ringing(at: Instant) -> Reliable<&'static str> {
        let mut reliable = Reliable::new(7);
        reliable.sent("180", false, at);
        reliable
    }

    #[test]
    fn it_is_sent_again_at_doubling_intervals() {
        let start = Instant::now();
        let mut reliable = ringing(start);
        let mut sent = Vec::new();
        while let Some(at) = reliable.deadline() {
            match reliable.due(at) {
                Some(Due::Again("180")) => sent.push((at - start).as_millis()),
                Some(Due::GiveUp) => {
                    sent.push((at - start).as_millis());
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(sent, [500, 1_500, 3_500, 7_500, 15_500, 31_500, 32_000]);
    }

    #[test]
    fn its_prack_ends_that_and_frees_the_next_number() {
        let start = Instant::now();
        let mut reliable = ringing(start);
        assert!(!reliable.is_free());
        assert!(reliable.acknowledge(7));
        assert!(reliable.is_free() && reliable.deadline().is_none());
        assert_eq!(reliable.headers()[1].to_string(), "RSeq: 8");
    }

    #[test]
    fn a_prack_for_another_response_changes_nothing() {
        let mut reliable = ringing(Instant::now());
        assert!(!reliable.acknowledge(8) && !reliable.acknowledge(6));
        assert!(reliable.acknowledge(7));
        assert!(!reliable.acknowledge(7), "once is enough");
    }

    #[test]
    fn only_a_description_holds_the_answer_back() {
        let start = Instant::now();
        let mut reliable = ringing(start);
        assert!(!reliable.holds_answer());
        reliable.acknowledge(7);
        reliable.sent("183", true, start + ms(10));
        assert!(reliable.holds_answer());
    }

    #[test]
    fn after_the_final_response_a_prack_is_still_known() {
        let mut reliable = ringing(Instant::now());
        reliable.settle();
        assert_eq!(reliable.deadline(), None);
        assert!(reliable.acknowledge(7));
    }

    #[test]
    fn rack_is_read_as_written() {
        let rack = Rack::parse("776656 1 INVITE").unwrap();
        assert_eq!((rack.rseq, rack.cseq, rack.method), (776_656, 1, Method::Invite));
        for bad in ["", "1", "1 2", "a 1 INVITE", "1 -1 INVITE", "1 2 INVITE 3"] {
            assert_eq!(Rack::parse(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_rack_is_survived(value in "\\PC{0,40}") {
            let _ = Rack::parse(&value);
        }
    }
}
