use std::sync::Arc;

use super::{
    Event, Machine, Output, Transfer, TransferMode, TransferResult,
    machine::{Failures, Phase},
};
use crate::dialplan::model::{self, NodeId, NodeKind};

impl Machine {
    /// Hands the caller over at `node` and waits for what comes of it.
    pub(super) fn transfer(&mut self, node: NodeId, out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let name = &plan.model().node(node).name;
        let NodeKind::Transfer(step) = &plan.model().node(node).kind else {
            return self.enter(node, out);
        };
        if let Some(say) = &step.say {
            self.say(name, say, step.barge_in, out);
        }
        self.phase = Phase::Transferring(node);
        let transfer = Transfer {
            to: self.values.fill(&step.to, &plan, &self.facts),
            mode: match step.mode {
                model::TransferMode::Bridge => TransferMode::Bridge,
                model::TransferMode::Attended => TransferMode::Attended,
                model::TransferMode::Refer => TransferMode::Refer,
            },
            ring: step.ring,
        };
        out.push(Output::Note(Event::Transfer(transfer.clone())));
        out.push(Output::Transfer(transfer));
    }

    /// The transfer at `node` came to `result`: the end, or the fall-back.
    pub(super) fn transferred(
        &mut self,
        node: NodeId,
        result: TransferResult,
        out: &mut Vec<Output>,
    ) {
        let plan = Arc::clone(&self.plan);
        out.push(Output::Note(Event::Transferred { result }));
        let NodeKind::Transfer(step) = &plan.model().node(node).kind else { return };
        self.said.clear();
        self.failures = Failures::default();
        match result {
            TransferResult::Done => self.hang_up("transferred", out),
            TransferResult::Busy => self.enter(step.busy, out),
            TransferResult::NoAnswer => self.enter(step.no_answer, out),
            TransferResult::Failed | TransferResult::GivenBack => self.enter(step.failed, out),
        }
    }
}
