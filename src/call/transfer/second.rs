//! The second leg of a call that is handed over.

use std::{io, net::IpAddr, net::SocketAddr, sync::Arc};

use tokio::net::UdpSocket;

use crate::{
    call::{
        MediaOptions, PortRange, SrtpPolicy,
        media::{Datagram, Media},
        session::Session,
    },
    sdp::{self, Capabilities, LocalMedia},
    sip::{DialRequest, Dialer, Leg, LegEvent, SipLeg},
};

/// What second legs of one call are made with.
#[derive(Clone)]
pub(in crate::call) struct Desk {
    pub(in crate::call) dialer: Dialer,
    pub(in crate::call) ports: Arc<PortRange>,
    pub(in crate::call) bind: IpAddr,
    pub(in crate::call) capabilities: Capabilities,
    pub(in crate::call) srtp: SrtpPolicy,
    pub(in crate::call) options: MediaOptions,
    /// Our address as the caller sees it.
    pub(in crate::call) local_ip: IpAddr,
    /// Where the call came from.
    pub(in crate::call) remote: SocketAddr,
    /// The caller's number; empty when there is none.
    pub(in crate::call) caller: String,
    /// What tells the callee of the call: its id, and where its summary is.
    pub(in crate::call) context: Vec<(String, String)>,
}

impl Desk {
    /// Whom to call: a number is called at the place that the call came from.
    pub(super) fn uri(&self, to: &str) -> String {
        match to.contains(':') {
            true => to.to_owned(),
            false => format!("sip:{}@{}", to.replace('#', "%23"), self.remote),
        }
    }

    /// Who calls: the caller, so that the callee sees whom there is to talk to.
    pub(super) fn from(&self) -> String {
        let host = match self.local_ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let user = if self.caller.is_empty() { "anonymous" } else { &self.caller };
        format!("sip:{user}@{host}")
    }
}

/// The callee's side: signalling, and media as soon as there is any.
pub(in crate::call) struct Second {
    pub(super) leg: SipLeg,
    pub(super) media: Option<Media>,
    pub(super) session: Session,
    sockets: Option<(UdpSocket, UdpSocket)>,
    options: MediaOptions,
}

/// What came from the callee.
pub(in crate::call) enum Heard {
    Signal(Option<LegEvent>),
    Datagram(io::Result<Datagram>),
}

impl Second {
    /// Calls `to`, a SIP URI; the text of an error is for the log.
    pub(super) async fn dial(desk: &Desk, to: &str) -> Result<Self, String> {
        let (rtp, rtcp) = desk.ports.bind(desk.bind).await.map_err(|e| e.to_string())?;
        let mut session = Session::new(LocalMedia {
            address: desk.local_ip,
            port: rtp.local_addr().map_err(|e| e.to_string())?.port(),
            session_id: rand::random::<u32>().into(),
            version: 1,
            security: desk.srtp.security(),
            capabilities: desk.capabilities.clone(),
        });
        let offer = session.offer();
        let headers = desk.context.clone();
        let request = DialRequest { headers, ..DialRequest::new(to, &desk.from(), offer) };
        let leg = desk.dialer.dial(request).await.map_err(|e| e.to_string())?;
        Ok(Self { leg, media: None, session, sockets: Some((rtp, rtcp)), options: desk.options })
    }

    /// Waits for the callee. Cancel-safe.
    pub(super) async fn next(&mut self) -> Heard {
        let Some(media) = &mut self.media else {
            return Heard::Signal(self.leg.next_event().await);
        };
        tokio::select! {
            biased;
            event = self.leg.next_event() => Heard::Signal(event),
            datagram = media.receive() => Heard::Datagram(datagram),
        }
    }

    /// The callee described its media: before its answer, or in it.
    pub(super) fn described(&mut self, sdp: &str) -> Result<(), String> {
        if sdp.is_empty() && self.media.is_some() {
            return Ok(()); // said already, with its early media
        }
        let peer = sdp::accept(sdp, self.session.local()).map_err(|e| e.to_string())?;
        if let Some(media) = &mut self.media {
            return media.renegotiated(&peer).map_err(|e| e.to_string());
        }
        let (rtp, rtcp) = self.sockets.take().ok_or("its media failed before")?;
        let media = Media::new(rtp, rtcp, &peer, self.options).map_err(|e| e.to_string())?;
        self.media = Some(media);
        Ok(())
    }
}
