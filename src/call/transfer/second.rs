//! The second leg of a call that is handed over.

use std::{net::IpAddr, net::SocketAddr, sync::Arc};

use tokio::net::UdpSocket;

use crate::{
    call::{CallError, MediaOptions, PortRange, SrtpPolicy, media::Media, session::Session},
    sdp::{Capabilities, LocalMedia},
    sip::{
        DialRequest, Dialer, Leg, LegEvent, Referral, Route, SipError, SipLeg, Transport, TrunkCall,
    },
};

/// What second legs of one call are made with.
#[derive(Clone)]
pub(in crate::call) struct Desk {
    pub(in crate::call) dialer: Dialer,
    pub(in crate::call) ports: Arc<PortRange>,
    pub(in crate::call) capabilities: Capabilities,
    pub(in crate::call) srtp: SrtpPolicy,
    pub(in crate::call) options: MediaOptions,
    /// Our address as the caller sees it.
    pub(in crate::call) local_ip: IpAddr,
    /// Where the call came from.
    pub(in crate::call) remote: SocketAddr,
    pub(in crate::call) transport: Transport,
    /// The trunk that numbers are called by; without one, where the call came from.
    pub(in crate::call) trunk: Option<String>,
    /// The caller's number; empty when there is none.
    pub(in crate::call) caller: String,
    /// Our number in calls by a trunk; the trunk's own when it is not given.
    pub(in crate::call) caller_id: Option<String>,
    /// What tells the callee of the call: its id, and where its summary is.
    pub(in crate::call) context: Vec<(String, String)>,
}

impl Desk {
    /// Whom to call, or where to send the caller's side: a URI, or a number at the place that the
    /// call came from.
    pub(super) fn uri(&self, to: &str) -> String {
        if is_uri(to) { to.to_owned() } else { number_at(to, self.remote, self.transport) }
    }

    /// Whom to call for `to`.
    fn callee(&self, to: &str) -> Callee {
        match &self.trunk {
            Some(trunk) if !is_uri(to) => {
                Callee::Number { number: to.to_owned(), trunk: trunk.clone() }
            }
            _ => Callee::Uri(self.uri(to)),
        }
    }

    async fn route(&self, callee: &Callee) -> Result<Route, SipError> {
        match callee {
            Callee::Number { trunk, .. } => self.dialer.route_by(trunk).await,
            Callee::Uri(uri) => self.dialer.route_to(uri).await,
        }
    }

    async fn dial(
        &self,
        callee: Callee,
        offer: String,
        headers: Vec<(String, String)>,
    ) -> Result<SipLeg, SipError> {
        match callee {
            Callee::Number { number, trunk } => {
                let caller_id = self.caller_id.clone();
                let call = TrunkCall { number, offer, caller_id, headers };
                self.dialer.dial_trunk(&trunk, call).await
            }
            Callee::Uri(uri) => {
                let request = DialRequest::new(&uri, &self.from(), offer);
                self.dialer.dial(DialRequest { headers, ..request }).await
            }
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

/// Whom to call, and how.
enum Callee {
    Number { number: String, trunk: String },
    Uri(String),
}

fn is_uri(to: &str) -> bool {
    to.contains(':')
}

/// A number at a peer. What is on the other side of a stream listens elsewhere than where its
/// connection came from: at the usual port, as far as we know.
fn number_at(number: &str, peer: SocketAddr, transport: Transport) -> String {
    let number = number.replace('#', "%23");
    match (transport, peer.ip()) {
        (Transport::Udp, _) => format!("sip:{number}@{peer}"),
        (stream, IpAddr::V4(ip)) => format!("sip:{number}@{ip};transport={stream}"),
        (stream, IpAddr::V6(ip)) => format!("sip:{number}@[{ip}];transport={stream}"),
    }
}

/// The callee's side: signalling, and media as soon as there is any.
pub(in crate::call) struct Second {
    pub(in crate::call) leg: SipLeg,
    pub(in crate::call) media: Option<Media>,
    pub(super) session: Session,
    sockets: Option<(UdpSocket, UdpSocket)>,
    options: MediaOptions,
}

impl Second {
    /// Calls `to`, a SIP URI or a number.
    pub(in crate::call) async fn dial(desk: &Desk, to: &str) -> Result<Self, CallError> {
        Self::call(desk, desk.callee(to), desk.context.clone()).await
    }

    /// Calls whom a REFER names: by the trunk, when it is one of a trunk's; in the place of the
    /// call that the REFER names, if it names one (RFC 3891).
    pub(super) async fn dial_referred(desk: &Desk, referral: &Referral) -> Result<Self, CallError> {
        let mut headers = desk.context.clone();
        headers.extend(referral.headers.iter().cloned());
        if let Some(replaces) = &referral.replaces {
            headers.push(("Replaces".to_owned(), replaces.to_string()));
            headers.push(("Require".to_owned(), "replaces".to_owned()));
        }
        let callee = match desk.dialer.trunk_at(&referral.to) {
            Some((trunk, number)) => Callee::Number { number, trunk },
            None => Callee::Uri(referral.to.clone()),
        };
        Self::call(desk, callee, headers).await
    }

    async fn call(
        desk: &Desk,
        callee: Callee,
        headers: Vec<(String, String)>,
    ) -> Result<Self, CallError> {
        // What the callee reaches us at may be another address than what the caller does.
        let route = desk.route(&callee).await?;
        let (rtp, rtcp) = desk.ports.bind(route.bind_ip).await?;
        let mut session = Session::new(LocalMedia {
            address: route.local_ip,
            port: rtp.local_addr().map_err(CallError::Socket)?.port(),
            session_id: rand::random::<u32>().into(),
            version: 1,
            security: desk.srtp.security(),
            capabilities: desk.capabilities.clone(),
        });
        let offer = session.offer();
        let leg = desk.dial(callee, offer, headers).await?;
        Ok(Self { leg, media: None, session, sockets: Some((rtp, rtcp)), options: desk.options })
    }

    /// Its leg, its media if that was described, and its session.
    pub(in crate::call) fn into_parts(self) -> (SipLeg, Option<Media>, Session) {
        (self.leg, self.media, self.session)
    }

    /// Waits for the callee's signalling. Cancel-safe.
    pub(in crate::call) async fn next(&mut self) -> Option<LegEvent> {
        self.leg.next_event().await
    }

    /// The callee described its media: before its answer, or in it.
    pub(in crate::call) fn described(&mut self, sdp: &str) -> Result<(), String> {
        if sdp.is_empty() && self.media.is_some() {
            return Ok(()); // said already, with its early media
        }
        let peer = self.session.accept(sdp).map_err(|e| e.to_string())?;
        if let Some(media) = &mut self.media {
            return media.renegotiated(&peer).map_err(|e| e.to_string());
        }
        let (rtp, rtcp) = self.sockets.take().ok_or("its media failed before")?;
        let media = Media::new(rtp, rtcp, &peer, self.options).map_err(|e| e.to_string())?;
        self.media = Some(media);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_called_where_the_call_came_from() {
        let at = |peer: &str, transport| number_at("40#", peer.parse().unwrap(), transport);
        assert_eq!(at("192.0.2.1:5080", Transport::Udp), "sip:40%23@192.0.2.1:5080");
        assert_eq!(at("192.0.2.1:49152", Transport::Tcp), "sip:40%23@192.0.2.1;transport=tcp");
        let v6 = at("[2001:db8::1]:49152", Transport::Tls);
        assert_eq!(v6, "sip:40%23@[2001:db8::1];transport=tls");
    }
}
