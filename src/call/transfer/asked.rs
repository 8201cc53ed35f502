//! The caller's side, or the desk that a caller was handed over to, asks us to connect the caller
//! elsewhere (REFER).

use std::time::Duration;

use tokio::time::Instant;

use super::{Handover, Second, Stage, Transfers};
use crate::{
    audio::Ringback,
    call::{control::CallState, jobs::Done, task::Call},
    conversation::Input,
    dialog::TransferMode,
    sip::{Leg, LegEvent, Redacted, ReferReports, ReferRequest},
};

/// How long whoever is called may ring.
const RING: Duration = Duration::from_secs(60);
/// A desk that has handed its caller on hangs up when it hears so; after this we do.
const LEAVE: Duration = Duration::from_secs(4);

/// A referral that is under way. Until it is answered, the call goes on as it was.
pub(super) struct Asked {
    uri: String,
    reports: ReferReports,
    second: Option<Second>,
    until: Instant,
}

impl Asked {
    pub(super) fn second(&mut self) -> Option<&mut Second> {
        self.second.as_mut()
    }
}

impl Transfers {
    /// Lets go of what has had its time.
    pub(in crate::call) fn expire(&mut self) {
        let now = Instant::now();
        if let Some(asked) = self.asked.take_if(|asked| now >= asked.until) {
            asked.end(408);
        }
        self.leaving.take_if(|(_, until)| now >= *until);
    }
}

impl Asked {
    fn end(mut self, code: u16) {
        tracing::info!(code, "the caller was not connected elsewhere");
        self.reports.report(code);
    }
}

impl<L: Leg> Call<L> {
    /// Calls whom a REFER names, unless a hand-over is being rung out.
    pub(in crate::call) fn asked_elsewhere(&mut self, request: ReferRequest) {
        let ringing = self.transfers.stage().is_some_and(|stage| stage != Stage::Talking);
        if ringing || self.transfers.asked.is_some() {
            return tracing::info!("603: the caller is being handed over already");
        }
        let referral = request.referral.clone();
        tracing::info!(to = %Redacted(&referral.to), "the caller is to be connected elsewhere");
        self.transfers.asked = Some(Asked {
            uri: referral.to.clone(),
            reports: request.accept(),
            second: None,
            until: Instant::now() + RING,
        });
        let desk = self.transfers.desk.clone();
        self.jobs.spawn(async move {
            let dialled = Second::dial_referred(&desk, &referral).await;
            Done::Referred(Box::new(dialled.map_err(|error| error.to_string())))
        });
    }

    /// The new leg is on its way, or could not be made.
    pub(in crate::call) fn referral_dialled(&mut self, second: Result<Second, String>) {
        match (second, &mut self.transfers.asked) {
            (Ok(second), Some(asked)) => asked.second = Some(second),
            // Given up meanwhile: the leg is dropped, and so cancelled.
            (Ok(_), None) => {}
            (Err(problem), _) => {
                tracing::warn!(%problem, "a referral could not be dialled");
                self.not_connected(503);
            }
        }
    }

    /// Something came from whom a REFER named.
    pub(in crate::call) fn heard_asked(&mut self, heard: Option<LegEvent>) {
        let Some(asked) = &mut self.transfers.asked else { return };
        match heard {
            Some(LegEvent::Ringing | LegEvent::EarlyMedia { .. }) => {
                asked.reports.report(180);
            }
            Some(LegEvent::Answered { sdp }) => self.connected(&sdp),
            Some(LegEvent::Rejected { code, .. }) => self.not_connected(code),
            None | Some(LegEvent::HungUp { .. } | LegEvent::Failed { .. } | LegEvent::Shutdown) => {
                self.not_connected(503)
            }
            // Its media begins with the answer.
            Some(_) => {}
        }
    }

    fn not_connected(&mut self, code: u16) {
        if let Some(asked) = self.transfers.asked.take() {
            asked.end(code);
        }
    }

    /// From now on the caller talks to whom the REFER named; the bot, or the desk before, is out.
    fn connected(&mut self, sdp: &str) {
        let Some(mut asked) = self.transfers.asked.take() else { return };
        let Some(mut second) = asked.second.take() else { return };
        if let Err(problem) = second.described(sdp) {
            tracing::warn!(%problem, "the answer to a referral cannot be used");
            return asked.end(488);
        }
        tracing::info!("the caller is connected elsewhere");
        self.controls.state(CallState::HandedOver);
        asked.reports.report(200);
        let handover = Handover {
            mode: TransferMode::Bridge,
            uri: asked.uri,
            stage: Stage::Talking,
            second: Some(second),
            until: Instant::now(),
            rings: false,
            tone: Ringback::default(),
        };
        if let Some(before) = self.transfers.under_way.replace(handover) {
            // The dialog has handed its caller over, and waits for the end of that.
            self.transfers.leaving = before.second.map(|desk| (desk, Instant::now() + LEAVE));
            return;
        }
        let now = self.now();
        for ended in self.player.stop() {
            self.step(now, ended);
        }
        // To a dialog that was still talking, the caller has left.
        self.step(now, Input::HungUp);
    }
}
