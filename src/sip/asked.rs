//! A peer that asks us to go elsewhere (REFER), and hears what came of that (RFC 3515).

use std::fmt;

use tokio::sync::{mpsc, oneshot};

use super::Referral;

/// Reports that may wait to be sent; when there are more, the peer misses some of the ringing.
const REPORTS: usize = 4;

/// The peer wants its caller to be connected elsewhere. Dropping this declines it (603).
#[derive(Debug)]
pub struct ReferRequest {
    /// Where: a SIP URI, the call to be replaced there, and the headers Referred-By and
    /// `X-Hotline-*` of the REFER.
    pub referral: Referral,
    reply: oneshot::Sender<mpsc::Receiver<u16>>,
}

/// Tells the peer how its referral goes. Dropping it before a final status tells 503.
pub struct ReferReports {
    reports: mpsc::Sender<u16>,
    done: bool,
}

impl ReferRequest {
    /// The request, and the end that waits for its acceptance: the channel of reports.
    pub(super) fn new(referral: Referral) -> (Self, oneshot::Receiver<mpsc::Receiver<u16>>) {
        let (reply, accepted) = oneshot::channel();
        (Self { referral, reply }, accepted)
    }

    /// Agrees (202); the peer is told `100 Trying` at once, and what is reported from then on.
    pub fn accept(self) -> ReferReports {
        let (reports, queue) = mpsc::channel(REPORTS);
        // A peer that is gone meanwhile hears nothing; its leg's events say so.
        let _ = self.reply.send(queue);
        ReferReports { reports, done: false }
    }
}

impl ReferReports {
    /// Reports the status of the new call, 180..=699. Of those from 200 on only the first counts.
    pub fn report(&mut self, code: u16) {
        if !self.done {
            self.done = code >= 200;
            let _ = self.reports.try_send(code);
        }
    }
}

impl fmt::Debug for ReferReports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReferReports").field("done", &self.done).finish_non_exhaustive()
    }
}
