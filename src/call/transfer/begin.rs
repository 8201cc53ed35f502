//! A hand-over begins: whoever takes the caller is told of the call, and then called.

use tokio::time::Instant;

use super::{Handover, Second, Stage};
use crate::{
    audio::Ringback,
    call::{
        control::CallState,
        hand_over::{Told, tell},
        jobs::Done,
        live::{Happening, TransferState},
        task::Call,
    },
    dialog::{Transfer, TransferMode, TransferResult},
    sip::Leg,
};

impl<L: Leg> Call<L> {
    pub(in crate::call) fn transfer(&mut self, transfer: Transfer) {
        let hand_over = self.hand_over(&transfer);
        let uri = self.transfers.desk.uri(&transfer.to);
        self.controls.state(CallState::HandingOver);
        self.record.tell(Happening::Transfer(TransferState::Calling));
        let Transfer { mode, ring, to } = transfer;
        self.transfers.under_way = Some(Handover {
            mode,
            uri,
            stage: Stage::Calling,
            second: None,
            until: Instant::now() + ring,
            rings: false,
            tone: Ringback::default(),
        });
        let (whom, desk) = (self.screen_pop.clone(), self.transfers.desk.clone());
        if mode == TransferMode::Refer && whom.is_none() {
            return self.told_and_referred(None);
        }
        // Told first: the caller is on the screen when the phone rings.
        self.jobs.spawn(async move {
            let told = tell(whom, hand_over).await;
            if mode == TransferMode::Refer {
                return Done::Told(told);
            }
            let dialled = Second::dial(&desk, &to).await;
            Done::Dialled(told, Box::new(dialled.map_err(|error| error.to_string())))
        });
    }

    /// Whom the caller's side is asked to call has been told of the caller.
    pub(in crate::call) fn told_and_referred(&mut self, told: Told) {
        self.told_of_hand_over(told);
        if let Some(handover) = &self.transfers.under_way {
            let uri = handover.uri.clone();
            self.transfers.refer(uri, None);
        }
    }

    /// The callee's leg is on its way, or could not be made.
    pub(in crate::call) fn dialled(&mut self, told: Told, second: Result<Second, String>) {
        self.told_of_hand_over(told);
        match (second, &mut self.transfers.under_way) {
            (Ok(second), Some(handover)) => handover.second = Some(second),
            // The caller did not wait; the leg is dropped, and so cancelled.
            (Ok(_), None) => {}
            (Err(problem), _) => {
                tracing::warn!(%problem, "the transfer could not be dialled");
                self.transferred(TransferResult::Failed);
            }
        }
    }
}
