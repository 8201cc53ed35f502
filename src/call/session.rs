//! Our side of a call's session: what we said of it last, and changes that the peer asks for.

use super::media::Media;
use crate::{
    sdp::{self, Direction, LocalMedia, Negotiated, SdpError},
    sip::Reinvite,
    srtp::SrtpError,
};

/// Our descriptions of one call's session. The version of the origin line rises with each that
/// differs from the one before, and only then (RFC 3264 section 8): a refresh changes nothing.
#[derive(Debug)]
pub(super) struct Session {
    local: LocalMedia,
    last: Option<String>,
}

impl Session {
    pub(super) fn new(local: LocalMedia) -> Self {
        Self { local, last: None }
    }

    /// What our descriptions are made from.
    pub(super) fn local(&self) -> &LocalMedia {
        &self.local
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
        let answer = self.describe(|local| Ok(sdp::answer(offer, local)?.0))?;
        Ok((answer, peer))
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
        let changed =
            sdp::accept(answer, &self.local).map_err(|error| error.to_string()).and_then(|peer| {
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
    use crate::sdp::{Capabilities, Security};

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
}
