//! Many calls at once, to find out how many a service can take: what `hotline load` is made of.
//!
//! Each call has a socket of its own, sends recorded speech and looks at the pace and the wholeness
//! of what comes back. It decodes nothing and is woken by no packet: each tick it reads what has come,
//! and when that came is known from the kernel. So one core of it loads one core of the service, and
//! a generator that is late does not make the service seem so.

mod report;

use std::{net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    net::UdpSocket,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout},
};

pub use report::LoadReport;

use self::report::{Heard, Tally};
use super::{CallError, caller, socket::PolledSocket};
use crate::{
    audio::{Codec, Hz8k, Law, Pcm, g711},
    sdp::{self, Capabilities, LocalMedia, Negotiated, Security},
    sip::{DialRequest, HangUpCause, Leg, LegEvent, SipLeg, UserAgent},
};

const TICK: Duration = Duration::from_millis(20);
/// Payload bytes of one packet: 20 ms of G.711.
const PAYLOAD: usize = 160;
const HEADER: usize = 12;
const RING: Duration = Duration::from_secs(32);
/// Larger than any packet of the calls.
const DATAGRAM: usize = 2_048;
/// Packets read in a tick: more than a service can be behind.
const MAX_WAITING: usize = 512;

/// What to do.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// Whom to call, such as `sip:1000@192.0.2.1`.
    pub uri: String,
    /// Our address for media and in SIP.
    pub address: IpAddr,
    /// Calls in all.
    pub calls: u32,
    /// Calls begun in a second.
    pub rate: f64,
    /// How long each lasts after its answer.
    pub hold: Duration,
    /// What the callers say, over and over; silence when empty.
    pub speech: Pcm<Hz8k>,
}

/// Places the calls of `plan` through `agent` and waits for all of them.
pub async fn run(agent: &UserAgent, plan: LoadPlan) -> LoadReport {
    let plan = Arc::new(plan);
    let speech: Arc<[u8]> = g711::encode(Law::Mu, &plan.speech).into();
    let begin = Instant::now();
    let mut calls = JoinSet::new();
    let mut tally = Tally::default();
    for n in 0..plan.calls {
        sleep_until(begin + Duration::from_secs_f64(f64::from(n) / plan.rate)).await;
        let dialled = dial(agent, &plan).await;
        let (plan, speech) = (Arc::clone(&plan), Arc::clone(&speech));
        match dialled {
            Ok((leg, socket, local)) => {
                calls.spawn(async move { one_call(leg, socket, &local, &plan, &speech).await });
            }
            Err(error) => tally.add(Err(error)),
        }
        while let Some(Ok(done)) = calls.try_join_next() {
            tally.add(done);
        }
    }
    while let Some(Ok(done)) = calls.join_next().await {
        tally.add(done);
    }
    tally.report()
}

async fn dial(
    agent: &UserAgent,
    plan: &LoadPlan,
) -> Result<(SipLeg, UdpSocket, LocalMedia), CallError> {
    let broken = |error: std::io::Error| CallError::Broken { why: error.to_string() };
    let socket = UdpSocket::bind((plan.address, 0)).await.map_err(broken)?;
    let local = LocalMedia {
        address: plan.address,
        port: socket.local_addr().map_err(broken)?.port(),
        session_id: rand::random::<u32>().into(),
        version: 1,
        security: Security::default(),
        capabilities: Capabilities { codecs: vec![Codec::Pcmu], comfort_noise: false },
    };
    let from = format!("sip:load@{}", agent.local_addr());
    let leg = agent.dial(DialRequest::new(&plan.uri, &from, sdp::offer(&local))).await?;
    Ok((leg, socket, local))
}

async fn one_call(
    mut leg: SipLeg,
    socket: UdpSocket,
    local: &LocalMedia,
    plan: &LoadPlan,
    speech: &[u8],
) -> Result<Heard, CallError> {
    let dialled = Instant::now();
    let answer = timeout(RING, caller::answered(&mut leg))
        .await
        .map_err(|_| CallError::NoAnswer { seconds: RING.as_secs() })??;
    let setup = dialled.elapsed();
    let mut stream = Stream::new(socket, &sdp::accept(&answer, local)?)?;
    let heard = stream.run(&mut leg, plan.hold, speech).await;
    leg.hang_up(HangUpCause::Normal).await?;
    while leg.next_event().await.is_some() {}
    heard.map(|()| Heard { setup, ..stream.heard })
}

/// The media of one call.
struct Stream {
    socket: PolledSocket,
    peer: Negotiated,
    packet: [u8; HEADER + PAYLOAD],
    at: usize,
    heard: Heard,
    last: Option<(u16, Instant)>,
}

impl Stream {
    fn new(socket: UdpSocket, peer: &Negotiated) -> Result<Self, CallError> {
        let socket = PolledSocket::new(socket).map_err(CallError::Socket)?;
        let mut packet = [0; HEADER + PAYLOAD];
        packet[0] = 0x80;
        packet[1] = peer.send.0;
        packet[2..4].copy_from_slice(&rand::random::<u16>().to_be_bytes());
        packet[8..12].copy_from_slice(&rand::random::<u32>().to_be_bytes());
        let (peer, heard) = (peer.clone(), Heard::default());
        Ok(Self { socket, peer, packet, at: 0, heard, last: None })
    }

    /// Sends and listens for `hold`; an error when the callee hangs up before.
    async fn run(
        &mut self,
        leg: &mut SipLeg,
        hold: Duration,
        speech: &[u8],
    ) -> Result<(), CallError> {
        let end = Instant::now() + hold;
        // Calls begun together do not send together.
        let mut tick = interval_at(Instant::now() + TICK.mul_f64(rand::random()), TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        while Instant::now() < end {
            tokio::select! {
                biased;
                _ = tick.tick() => {
                    self.receive();
                    self.send(speech);
                }
                event = leg.next_event() => if matches!(
                    event, None | Some(LegEvent::HungUp { .. } | LegEvent::Failed { .. })
                ) {
                    return Err(CallError::Broken { why: "the callee hung up".into() });
                }
            }
        }
        self.receive();
        Ok(())
    }

    /// Takes what has come since the last tick.
    fn receive(&mut self) {
        let mut buffer = [0; DATAGRAM];
        let now = Instant::now();
        for _ in 0..MAX_WAITING {
            let Some(waiting) = self.socket.receive(&mut buffer) else { return };
            self.take(now - waiting.waited, &buffer[..waiting.len]);
        }
    }

    fn send(&mut self, speech: &[u8]) {
        let payload = &mut self.packet[HEADER..];
        if speech.len() >= PAYLOAD {
            self.at = if self.at + PAYLOAD > speech.len() { 0 } else { self.at };
            payload.copy_from_slice(&speech[self.at..self.at + PAYLOAD]);
            self.at += PAYLOAD;
        } else {
            payload.fill(0xFF);
        }
        self.socket.send(&self.packet, self.peer.remote);
        self.heard.sent += 1;
        let seq = u16::from_be_bytes([self.packet[2], self.packet[3]]).wrapping_add(1);
        self.packet[2..4].copy_from_slice(&seq.to_be_bytes());
        let [a, b, c, d] = [4, 5, 6, 7].map(|i| self.packet[i]);
        let timestamp = u32::from_be_bytes([a, b, c, d]).wrapping_add(PAYLOAD as u32);
        self.packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
    }

    /// Takes a datagram that came `at`.
    fn take(&mut self, at: Instant, datagram: &[u8]) {
        let [first, kind, high, low, ..] = *datagram else { return };
        if first >> 6 != 2 || kind & 0x7F != self.peer.send.0 || datagram.len() < HEADER {
            return;
        }
        let seq = u16::from_be_bytes([high, low]);
        let heard = &mut self.heard;
        heard.received += 1;
        match self.last {
            None => heard.first = Some(at),
            Some((last, before)) => {
                let step = seq.wrapping_sub(last);
                if step == 0 || step > 0x8000 {
                    return;
                }
                heard.lost += u64::from(step - 1);
                let gap = (at - before).as_millis() as usize;
                heard.gaps.count(gap);
            }
        }
        heard.last = Some(at);
        self.last = Some((seq, at));
    }
}
