//! DTLS-SRTP on a call's sockets (RFC 5763, RFC 5764): handshakes, and the streams that come of them.

use std::time::{Duration, Instant};

use super::Port;
use crate::{
    sdp::DtlsTerms,
    srtp::{Handshake, SecureStream, SrtpError},
};

/// How long the peer has for its handshake: several of its retransmissions.
const PATIENCE: Duration = Duration::from_secs(10);

/// The protection of a call that has, or will have, its keys from handshakes: from one when RTP
/// and RTCP share a port (RFC 5761), from one each otherwise (RFC 5764, section 3).
#[derive(Debug)]
pub(in crate::call) struct Keyed {
    terms: DtlsTerms,
    since: Instant,
    rtp: Line,
    rtcp: Option<Line>,
}

/// One socket.
#[derive(Debug)]
struct Line {
    handshake: Handshake,
    stream: Option<SecureStream>,
    failure: Option<SrtpError>,
}

impl Keyed {
    pub(super) fn new(terms: DtlsTerms, shared: bool, now: Instant) -> Result<Self, SrtpError> {
        let rtp = Line::new(&terms, now)?;
        let rtcp = if shared { None } else { Some(Line::new(&terms, now)?) };
        Ok(Self { terms, since: now, rtp, rtcp })
    }

    pub(super) fn terms(&self) -> &DtlsTerms {
        &self.terms
    }

    fn line(&mut self, port: Port) -> &mut Line {
        match (port, &mut self.rtcp) {
            (Port::Rtcp, Some(rtcp)) => rtcp,
            _ => &mut self.rtp,
        }
    }

    /// What protects the packets of that socket; `None` until its handshake is over.
    pub(super) fn stream(&mut self, port: Port) -> Option<&mut SecureStream> {
        self.line(port).stream.as_mut()
    }

    pub(super) fn receive(&mut self, port: Port, datagram: &[u8], now: Instant) -> bool {
        self.line(port).receive(datagram, now)
    }

    pub(super) fn due(&mut self, now: Instant) -> Vec<(Port, Vec<u8>)> {
        let mut due = Vec::new();
        let lines = [(Port::Rtp, Some(&mut self.rtp)), (Port::Rtcp, self.rtcp.as_mut())];
        for (port, line) in lines.into_iter().filter_map(|(port, line)| Some((port, line?))) {
            line.handshake.tick(now);
            due.extend(std::iter::from_fn(|| line.handshake.transmit()).map(|sent| (port, sent)));
        }
        due
    }

    pub(super) fn wait_from(&mut self, now: Instant) {
        self.since = now;
    }

    /// RTCP is not waited for.
    pub(super) fn is_ready(&self) -> bool {
        self.rtp.stream.is_some()
    }

    pub(super) fn failure(&self, now: Instant) -> Option<SrtpError> {
        if self.is_ready() {
            return None;
        }
        let late = now.saturating_duration_since(self.since) > PATIENCE;
        self.rtp.failure.clone().or_else(|| late.then(|| self.rtp.handshake.overdue(PATIENCE)))
    }
}

impl Line {
    fn new(terms: &DtlsTerms, now: Instant) -> Result<Self, SrtpError> {
        let DtlsTerms { identity, role, fingerprints } = terms;
        let handshake = Handshake::new(identity, *role, fingerprints.clone(), now)?;
        Ok(Self { handshake, stream: None, failure: None })
    }

    fn receive(&mut self, datagram: &[u8], now: Instant) -> bool {
        match self.handshake.receive(now, datagram) {
            Ok(None) => true,
            Ok(Some(stream)) => {
                tracing::debug!(?stream, "DTLS handshake done");
                self.stream = Some(stream);
                true
            }
            Err(error) => {
                self.failure = Some(error);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::srtp::{DtlsRole, Fingerprint, Identity};

    fn keyed(role: DtlsRole, shared: bool, now: Instant) -> Keyed {
        let identity = Arc::new(Identity::generate().unwrap());
        let fingerprints = vec![Fingerprint::of(b"somebody")];
        Keyed::new(DtlsTerms { identity, role, fingerprints }, shared, now).unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "tests count from some moment, whatever it is")]
    fn beginning() -> Instant {
        Instant::now()
    }

    #[test]
    fn ports_that_are_not_shared_have_handshakes_of_their_own() {
        let now = beginning();
        let begun = |shared| keyed(DtlsRole::Active, shared, now).due(now);
        let ports =
            |sent: Vec<(Port, Vec<u8>)>| -> Vec<Port> { sent.iter().map(|s| s.0).collect() };
        assert_eq!(ports(begun(true)), [Port::Rtp]);
        assert_eq!(ports(begun(false)), [Port::Rtp, Port::Rtcp]);
        assert_eq!(ports(keyed(DtlsRole::Passive, false, now).due(now)), []);
    }

    #[test]
    fn patience_begins_again_with_the_answer() {
        let (now, second) = (beginning(), Duration::from_secs(1));
        let mut keyed = keyed(DtlsRole::Passive, true, now);
        assert_eq!(keyed.failure(now + 10 * second), None);
        let overdue = keyed.failure(now + 11 * second).unwrap().to_string();
        assert!(overdue.contains("nothing of it came"), "{overdue}");
        keyed.wait_from(now + 11 * second);
        assert_eq!(keyed.failure(now + 20 * second), None);
        assert!(!keyed.is_ready() && keyed.stream(Port::Rtp).is_none());
    }
}
