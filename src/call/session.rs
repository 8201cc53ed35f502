//! Our side of a call's session: what we said of it last, and changes that the peer asks for.

use super::media::Media;
use crate::{
    sdp::{self, Direction, Keying, LocalMedia, Negotiated, SdpError, Security},
    sip::Reinvite,
    srtp::SrtpError,
};

/// Our descriptions of one call's session. The version of the origin line rises with each that
/// differs from the one before, and only then (RFC 3264 section 8): a refresh changes nothing.
#[derive(Debug)]
pub(super) struct Session {
    local: LocalMedia,
    /// What protection we began with.
    policy: Security,
    last: Option<String>,
}

impl Session {
    pub(super) fn new(local: LocalMedia) -> Self {
        Self { policy: local.security.clone(), local, last: None }
    }

    /// What we said last; empty before anything was said.
    pub(super) fn described(&self) -> String {
        self.last.clone().unwrap_or_default()
    }

    /// Our answer to `offer`, and what it agrees on.
    ///
    /// # Errors
    /// [`SdpError`] when nothing can be agreed on; nothing has changed then.
    pub(super) fn answer(&mut self, offer: &str) -> Result<(String, Negotiated), SdpError> {
        let (_, peer) = sdp::answer(offer, &self.local)?;
        self.agreed(&peer);
        let answer = self.describe(|local| Ok(sdp::answer(offer, local)?.0))?;
        Ok((answer, peer))
    }

    /// As [`answer`](Self::answer), to somebody who takes the peer's place: what was agreed with the
    /// peer about protection binds nobody else.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub(super) fn answer_another(&mut self, offer: &str) -> Result<(String, Negotiated), SdpError> {
        let before = std::mem::replace(&mut self.local.security, self.policy.clone());
        self.answer(offer).inspect_err(|_| self.local.security = before)
    }

    /// What the peer's answer to our offer agrees on.
    ///
    /// # Errors
    /// [`SdpError`] when it cannot be used; nothing has changed then.
    pub(super) fn accept(&mut self, answer: &str) -> Result<Negotiated, SdpError> {
        let peer = sdp::accept(answer, &self.local)?;
        self.agreed(&peer);
        Ok(peer)
    }

    /// Our part in a handshake stays for as long as the call lasts, and our offers are then of
    /// nothing else.
    fn agreed(&mut self, peer: &Negotiated) {
        let security = &mut self.local.security;
        if let (Some(dtls), Some(Keying::Dtls(terms))) = (&mut security.dtls, &peer.srtp) {
            dtls.role = Some(terms.role);
            dtls.offered = true;
            security.required = true;
        }
    }

    /// Our offer.
    pub(super) fn offer(&mut self) -> String {
        // Making an offer cannot fail.
        self.describe(|local| Ok(sdp::offer(local))).unwrap_or_default()
    }

    /// Our offer that puts the peer on hold, or takes it back.
    pub(super) fn hold(&mut self, on: bool) -> String {
        let direction = if on { Direction::SendOnly } else { Direction::SendRecv };
        self.describe(|local| Ok(sdp::offer_as(local, direction))).unwrap_or_default()
    }

    /// Answers a change that the peer asks for, and changes the media; true when it was changed.
    pub(super) fn reinvited(&mut self, change: Reinvite, media: &mut Media) -> bool {
        let Some(offer) = change.offer.clone() else {
            change.accept(self.offer());
            return false;
        };
        let agreed = self.answer(&offer).map_err(|error| error.to_string());
        match agreed.and_then(|(answer, peer)| {
            media.renegotiated(&peer).map_err(|error| error.to_string())?;
            Ok(answer)
        }) {
            Ok(answer) => {
                change.accept(answer);
                true
            }
            Err(error) => {
                tracing::info!(%error, "session change refused");
                change.reject(488);
                false
            }
        }
    }

    /// Takes the peer's answer to the offer that we gave it in a change; true when it could be
    /// used.
    pub(super) fn answered_in_ack(&mut self, answer: &str, media: &mut Media) -> bool {
        let changed = self.accept(answer).map_err(|error| error.to_string()).and_then(|peer| {
            media.renegotiated(&peer).map_err(|error: SrtpError| error.to_string())
        });
        if let Err(error) = &changed {
            tracing::warn!(%error, "the answer to our offer cannot be used");
        }
        changed.is_ok()
    }

    fn describe(
        &mut self,
        make: impl Fn(&LocalMedia) -> Result<String, SdpError>,
    ) -> Result<String, SdpError> {
        let mut sdp = make(&self.local)?;
        if self.last.as_ref().is_some_and(|last| *last != sdp) {
            self.local.version += 1;
            sdp = make(&self.local)?;
        }
        self.last = Some(sdp.clone());
        Ok(sdp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{call::SrtpPolicy, sdp::Capabilities};

    fn session() -> Session {
        Session::new(LocalMedia {
            address: [192, 0, 2, 1].into(),
            port: 4_000,
            session_id: 7,
            version: 1,
            security: Security::default(),
            capabilities: Capabilities::default(),
        })
    }

    fn offer(direction: &str) -> String {
        format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n\
             m=audio 5000 RTP/AVP 0\r\na={direction}\r\n"
        )
    }

    #[test]
    fn an_unchanged_description_keeps_its_version() {
        let mut session = session();
        let (first, _) = session.answer(&offer("sendrecv")).unwrap();
        let (again, _) = session.answer(&offer("sendrecv")).unwrap();
        assert!(first.contains("o=hotline 7 1 "), "{first}");
        assert_eq!(again, first);
    }

    #[test]
    fn each_change_raises_the_version_by_one() {
        let mut session = session();
        session.answer(&offer("sendrecv")).unwrap();
        let (held, _) = session.answer(&offer("sendonly")).unwrap();
        let (resumed, _) = session.answer(&offer("sendrecv")).unwrap();
        assert!(held.contains("o=hotline 7 2 ") && held.contains("a=recvonly"), "{held}");
        assert!(resumed.contains("o=hotline 7 3 "), "{resumed}");
        assert!(session.offer().contains("o=hotline 7 4 "), "an offer of all codecs is another");
        assert!(session.offer().contains("o=hotline 7 4 "));
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let mut session = session();
        let (first, _) = session.answer(&offer("sendrecv")).unwrap();
        session.answer("v=0\r\n").unwrap_err();
        assert_eq!(session.answer(&offer("sendrecv")).unwrap().0, first);
    }

    #[test]
    fn what_a_handshake_protects_stays_so_until_another_takes_the_peers_place() {
        let mut ours = session();
        ours.local.security = SrtpPolicy::Optional.security();
        ours.policy = ours.local.security.clone();
        let peer = LocalMedia { security: SrtpPolicy::Dtls.security(), ..session().local };
        ours.answer(&sdp::offer(&peer)).unwrap();
        let again = ours.offer();
        assert!(again.contains("UDP/TLS/RTP/SAVP") && again.contains("a=setup:actpass"), "{again}");
        ours.answer(&offer("sendrecv")).unwrap_err();
        let (_, agreed) = ours.answer_another(&offer("sendrecv")).unwrap();
        assert_eq!(agreed.srtp, None);
    }
}
