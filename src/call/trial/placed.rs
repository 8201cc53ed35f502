use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::UdpSocket,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    audio::{CallTime, Hz8k, Pcm, level},
    call::{
        CallError, MediaOptions, ToneKeys, caller::answered, ending::statistics, media::Media,
        player::FRAME,
    },
    rtp::RtpStats,
    sdp::{self, LocalMedia},
    sip::{HangUpCause, Leg, LegEvent},
};

const TICK: Duration = Duration::from_millis(20);
/// How long the callee may ring.
const RING: Duration = Duration::from_secs(45);

/// What the media of a test call was like.
#[derive(Debug, Clone)]
pub struct Placed {
    /// From the INVITE to the answer.
    pub rang: Duration,
    /// From the answer to the end.
    pub lasted: Duration,
    /// Whether the callee ended it.
    pub hung_up: bool,
    /// The codec that we send.
    pub codec: &'static str,
    /// Whether the media was protected.
    pub protected: bool,
    /// Where our SDP wants the callee's RTP.
    pub told: SocketAddr,
    /// Where the callee's SDP wants our RTP.
    pub described: SocketAddr,
    /// Where the callee's RTP came from; `None` when none came.
    pub heard_from: Option<SocketAddr>,
    /// The loudest 20 ms that were heard, in dBFS (RMS).
    pub loudest: f32,
    /// Packets both ways, and what the callee reports.
    pub stats: RtpStats,
}

/// Waits for the answer to an outbound leg, plays `audio` over and over for `time`, and hangs up.
/// `local` is what its offer was made from.
///
/// # Errors
/// [`CallError`] when the call is refused, is not answered, or its session cannot be agreed on.
pub async fn place<L: Leg>(
    mut leg: L,
    (rtp, rtcp): (UdpSocket, UdpSocket),
    local: &LocalMedia,
    audio: &Pcm<Hz8k>,
    time: Duration,
) -> Result<Placed, CallError> {
    let dialled = Instant::now();
    let sdp = match timeout(RING, answered(&mut leg)).await {
        Ok(answered) => answered?,
        Err(_) => {
            leg.hang_up(HangUpCause::Normal).await?;
            return Err(CallError::NoAnswer { seconds: RING.as_secs() });
        }
    };
    let rang = dialled.elapsed();
    let comfort_noise = local.capabilities.comfort_noise;
    let options = MediaOptions { comfort_noise, tones: ToneKeys::Off };
    let peer = sdp::accept(&sdp, local)?;
    let mut media = Media::new(rtp, rtcp, &peer, options)?;
    let begun = Instant::now();
    let (hung_up, loudest) = talk(&mut leg, &mut media, audio, time).await;
    if let Some(problem) = media.failure() {
        leg.hang_up(HangUpCause::Unprotected).await?;
        return Err(problem.into());
    }
    let lasted = begun.elapsed();
    let heard_from = media.heard_from();
    let stats = media.finish(CallTime::ZERO + lasted);
    leg.report_media(statistics(&stats));
    leg.hang_up(HangUpCause::Normal).await?;
    let goodbye = async { while leg.next_event().await.is_some() {} };
    let _ = timeout(Duration::from_secs(2), goodbye).await;
    Ok(Placed {
        rang,
        lasted,
        hung_up,
        codec: peer.send.1.name(),
        protected: peer.srtp.is_some(),
        told: SocketAddr::new(local.address, local.port),
        described: peer.remote,
        heard_from,
        loudest,
        stats,
    })
}

/// Sends and listens on a grid of 20 ms; whether the callee hung up, and the loudest level heard.
async fn talk<L: Leg>(
    leg: &mut L,
    media: &mut Media,
    audio: &Pcm<Hz8k>,
    time: Duration,
) -> (bool, f32) {
    let begun = Instant::now();
    let (mut loudest, mut ticks) = (f32::NEG_INFINITY, 0u32);
    let mut frames = audio.samples().chunks(FRAME).cycle();
    loop {
        tokio::select! {
            biased;
            () = sleep_until(begun + TICK * ticks) => {
                let now = CallTime::ZERO + TICK * ticks;
                media.take_waiting(now);
                loudest = loudest.max(level::rms_dbfs(&media.pull().audio));
                let mut frame = frames.next().unwrap_or_default().to_vec();
                frame.resize(FRAME, 0);
                media.send(now, &Pcm::new(frame));
                ticks += 1;
                if TICK * ticks >= time {
                    return (false, loudest);
                }
            }
            event = leg.next_event() => match event {
                None | Some(LegEvent::HungUp { .. } | LegEvent::Failed { .. }) => {
                    return (true, loudest);
                }
                // A change that is not answered is refused, and the session goes on.
                Some(_) => {}
            }
        }
    }
}
