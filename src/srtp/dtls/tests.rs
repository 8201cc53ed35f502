use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::srtp::{SecureStream, SrtpError};

const STEP: Duration = Duration::from_millis(20);

/// Both sides of a call on a network, in steps of 20 ms.
struct Call {
    now: Instant,
    sides: [(Handshake, Option<SecureStream>); 2],
    failures: Vec<SrtpError>,
    packets: u8,
}

impl Call {
    /// The first side is active. `named` is whose fingerprint the second expects of it; its own if
    /// `None`.
    fn new(named: Option<&Identity>) -> Self {
        let now = beginning();
        let [active, passive] = [(); 2].map(|()| Identity::generate().unwrap());
        let named = named.unwrap_or(&active).fingerprint().clone();
        let theirs = passive.fingerprint().clone();
        let first = Handshake::new(&active, DtlsRole::Active, vec![theirs], now).unwrap();
        let second = Handshake::new(&passive, DtlsRole::Passive, vec![named], now).unwrap();
        Self { now, sides: [(first, None), (second, None)], failures: Vec::new(), packets: 0 }
    }

    /// Lets so many steps pass; `passes` says whether the nth datagram of a side arrives.
    fn run(&mut self, steps: u32, mut passes: impl FnMut(usize, u32) -> bool) -> &mut Self {
        let mut sent = [0; 2];
        for _ in 0..steps {
            self.now += STEP;
            for (from, sent) in sent.iter_mut().enumerate() {
                self.sides[from].0.tick(self.now);
                while let Some(datagram) = self.sides[from].0.transmit() {
                    *sent += 1;
                    if passes(from, *sent) {
                        self.deliver(1 - from, &datagram);
                    }
                }
            }
        }
        self
    }

    fn deliver(&mut self, to: usize, datagram: &[u8]) {
        assert!(is_dtls(datagram));
        match self.sides[to].0.receive(self.now, datagram) {
            Ok(Some(stream)) => self.sides[to].1 = Some(stream),
            Ok(None) => {}
            Err(error) => self.failures.push(error),
        }
    }

    /// Whether both can hear each other.
    fn talks(&mut self) -> bool {
        let [(_, Some(a)), (_, Some(b))] = &mut self.sides else { return false };
        self.packets += 1;
        let packet = [0x80, 0, 0, self.packets, 0, 0, 0, 1, 0, 0, 0, 7, 1, 2, 3, 4];
        let (there, back) = (a.protect(&packet).unwrap(), b.protect(&packet).unwrap());
        [b.unprotect(&there), a.unprotect(&back)].iter().all(|p| p.as_deref() == Ok(&packet[..]))
    }
}

#[test]
fn both_sides_come_to_the_same_keys_in_three_round_trips() {
    let mut call = Call::new(None);
    call.run(4, |_, _| true);
    assert!(call.talks(), "{:?}", call.failures);
}

#[test]
fn whatever_single_datagram_is_lost_the_handshake_ends() {
    for loser in 0..2 {
        for lost in 1..=4 {
            let mut call = Call::new(None);
            call.run(200, |from, nth| (from, nth) != (loser, lost));
            assert!(call.talks(), "side {loser} lost datagram {lost}: {:?}", call.failures);
        }
    }
}

#[test]
fn every_third_datagram_may_be_lost() {
    for phase in 0..3 {
        let mut call = Call::new(None);
        call.run(400, |_, nth| nth % 3 != phase);
        assert!(call.talks(), "{phase}: {:?}", call.failures);
    }
}

#[test]
fn a_peer_that_is_late_by_seconds_is_waited_for() {
    let mut call = Call::new(None);
    // Nothing arrives for 9 s.
    let mut step = 0;
    call.run(450, |_, _| false);
    assert!(!call.talks());
    call.run(100, |_, _| {
        step += 1;
        true
    });
    assert!(call.talks(), "{step} datagrams, {:?}", call.failures);
}

#[test]
fn somebody_else_gets_no_stream_and_the_reason_names_both_fingerprints() {
    let expected = Identity::generate().unwrap();
    let mut call = Call::new(Some(&expected));
    call.run(50, |_, _| true);
    assert!(!call.talks() && call.sides[1].1.is_none());
    let failure = call.failures[0].to_string();
    assert!(failure.contains("the peer is not who its SDP says"), "{failure}");
    assert!(failure.contains(&expected.fingerprint().to_string()), "{failure}");
}

#[test]
fn a_handshake_that_never_ends_says_what_came() {
    let mut call = Call::new(None);
    call.run(10, |_, _| false);
    let overdue = call.sides[1].0.overdue(Duration::from_secs(10)).to_string();
    assert!(overdue.contains("not over after 10 s, and nothing of it came"), "{overdue}");
}

#[test]
fn noise_of_strangers_neither_ends_nor_bends_it() {
    let mut call = Call::new(None);
    let alert = [21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40];
    let junk = [22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 3, 0, 1, 9];
    for datagram in [&alert[..], &junk, &[22], &[63; 400]] {
        for side in 0..2 {
            call.deliver(side, datagram);
        }
    }
    call.run(100, |_, _| true);
    assert!(call.talks(), "{:?}", call.failures);
    // Afterwards a flood costs nothing.
    for _ in 0..1_000 {
        call.deliver(1, &junk);
    }
    assert!(call.talks());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_datagram_makes_it_panic(
        datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8),
        after in 0_u32..4,
    ) {
        let mut call = Call::new(None);
        call.run(after, |_, _| true);
        for (i, datagram) in datagrams.iter().enumerate() {
            let framed = [&[22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 1, i as u8], &datagram[..]].concat();
            for datagram in [datagram, &framed] {
                let _ = call.sides[i % 2].0.receive(call.now, datagram);
            }
        }
    }

    #[test]
    fn a_bent_flight_never_makes_another_stream(side in 0_usize..2, nth in 1_u32..5, at in 0_usize..600, flip in 1_u8..) {
        let mut call = Call::new(None);
        let mut sent = [0; 2];
        for _ in 0..100 {
            call.now += STEP;
            for (from, sent) in sent.iter_mut().enumerate() {
                call.sides[from].0.tick(call.now);
                while let Some(mut datagram) = call.sides[from].0.transmit() {
                    *sent += 1;
                    if (from, *sent) == (side, nth) {
                        let len = datagram.len();
                        datagram[13.min(len - 1) + at % (len - 13.min(len - 1))] ^= flip;
                    }
                    let _ = call.sides[1 - from].0.receive(call.now, &datagram)
                        .map(|stream| if let Some(stream) = stream { call.sides[1 - from].1 = Some(stream) });
                }
            }
        }
        // It may fail, but two streams are one.
        if call.sides.iter().all(|side| side.1.is_some()) {
            prop_assert!(call.talks());
        }
    }
}
