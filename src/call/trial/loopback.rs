use std::{net::IpAddr, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::test_tone;
use crate::{
    audio::CallTime,
    call::{CallError, MediaOptions, PortRange, SrtpPolicy, ToneKeys, media::Media, player::FRAME},
    sdp::{self, Capabilities, LocalMedia},
};

const TICK: Duration = Duration::from_millis(20);
/// One second.
const TICKS: u32 = 50;
/// How long the last packets may be under way.
const LATE: Duration = Duration::from_millis(300);

/// How long a handshake may take: longer than until its first packets are sent again.
const HANDSHAKE: Duration = Duration::from_secs(3);

/// What came of RTP that we sent to ourselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loopback {
    /// The port that it was sent from.
    pub from: u16,
    /// The port that it was sent to.
    pub to: u16,
    /// Packets sent.
    pub sent: u64,
    /// Packets that came.
    pub received: u64,
}

/// Binds two pairs of `ports` on `bind`, as two calls would, and sends a second of tone from one
/// to `advertised` and the port of the other: through our own RTP, protected as `srtp` says.
///
/// # Errors
/// [`CallError::Port`] without free ports.
pub async fn loopback(
    ports: &PortRange,
    bind: IpAddr,
    advertised: IpAddr,
    srtp: SrtpPolicy,
) -> Result<Loopback, CallError> {
    let (here, there) = (ports.bind(bind).await?, ports.bind(bind).await?);
    let port = |rtp: &tokio::net::UdpSocket| rtp.local_addr().map(|a| a.port()).unwrap_or(0);
    let (from, to) = (port(&here.0), port(&there.0));
    let local = |port| LocalMedia {
        address: advertised,
        port,
        session_id: rand::random::<u32>().into(),
        version: 1,
        security: srtp.security(),
        capabilities: Capabilities::default(),
    };
    let (caller, callee) = (local(from), local(to));
    let (answer, heard) = sdp::answer(&sdp::offer(&caller), &callee)?;
    let options = MediaOptions { comfort_noise: false, tones: ToneKeys::Off };
    let mut here = Media::new(here.0, here.1, &sdp::accept(&answer, &caller)?, options)?;
    let mut there = Media::new(there.0, there.1, &heard, options)?;
    shake_hands(&mut here, &mut there).await;
    let begun = Instant::now();
    let tone = test_tone(FRAME);
    for tick in 0..TICKS {
        here.send(CallTime::ZERO + TICK * tick, &tone);
        there.pull();
        take_until(&mut there, begun, begun + TICK * (tick + 1)).await;
    }
    take_until(&mut there, begun, Instant::now() + LATE).await;
    let end = CallTime::ZERO + begun.elapsed();
    Ok(Loopback { from, to, sent: here.finish(end).sent, received: there.finish(end).received })
}

/// Lets both have their keys, when those come from a handshake; gives up after a while, and then
/// nothing will be received.
async fn shake_hands(here: &mut Media, there: &mut Media) {
    let begun = Instant::now();
    while !(here.is_ready() && there.is_ready()) && begun.elapsed() < HANDSHAKE {
        take_until(here, begun, Instant::now()).await;
        take_until(there, begun, Instant::now() + TICK).await;
    }
}

async fn take_until(media: &mut Media, begun: Instant, until: Instant) {
    sleep_until(until).await;
    media.take_waiting(CallTime::ZERO + begun.elapsed());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_sent_to_our_own_address_comes_back_in_the_clear_and_protected() {
        let ports: PortRange = "29880-29899".parse().unwrap();
        let own = IpAddr::from([127, 0, 0, 1]);
        for srtp in [SrtpPolicy::Off, SrtpPolicy::Required, SrtpPolicy::Dtls] {
            let came = loopback(&ports, own, own, srtp).await.unwrap();
            assert_eq!((came.sent, came.received), (50, 50), "{srtp:?}");
        }
    }

    #[tokio::test]
    async fn nothing_comes_back_from_an_address_that_is_not_ours() {
        let ports: PortRange = "29900-29909".parse().unwrap();
        let (own, other) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 77]));
        let came = loopback(&ports, own, other, SrtpPolicy::Off).await.unwrap();
        assert_eq!((came.sent, came.received), (50, 0));
    }
}
