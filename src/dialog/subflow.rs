//! Going through a sub-flow, with slots of its own, and back.

use super::{Machine, Output};
use crate::dialplan::{
    model::NodeId,
    subflow::{DEEPEST, Do},
};

/// Sub-flows that are open at most, also those of questions that the caller left.
const MOST: usize = 8 * DEEPEST;

/// A sub-flow that the call is in.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    call: Do,
    /// What its own slots held before.
    kept: Vec<(String, Option<String>)>,
}

impl Machine {
    /// Goes into a sub-flow; its first node, `None` where it has none.
    pub(super) fn begin(&mut self, call: &Do, out: &mut Vec<Output>) -> Option<NodeId> {
        let with: Vec<(String, Option<String>)> =
            call.with.iter().map(|(slot, to)| (slot.clone(), self.set_to(slot, to, out))).collect();
        let plan = std::sync::Arc::clone(&self.plan);
        let head = plan.model().flows.get(&call.flow)?;
        let kept = head.kept().map(|slot| (slot.clone(), self.values.take(slot))).collect();
        if self.frames.len() == MOST {
            self.frames.remove(0);
        }
        self.frames.push(Frame { call: call.clone(), kept });
        for (slot, value) in with {
            if let Some(value) = value {
                self.fill_slot(&slot, value, out);
            }
        }
        Some(head.first)
    }

    /// Comes out of the sub-flow `flow`; where the call goes, `None` when it was in none.
    pub(super) fn finish(
        &mut self,
        flow: &str,
        word: &str,
        out: &mut Vec<Output>,
    ) -> Option<NodeId> {
        let depth = self.frames.iter().rposition(|frame| frame.call.flow == flow)?;
        self.unwind(depth + 1);
        let call = self.frames.last()?.call.clone();
        let value = |theirs: &String| self.values.slot(theirs).map(str::to_owned);
        let given: Vec<_> =
            call.gives.iter().map(|(ours, theirs)| (ours.clone(), value(theirs))).collect();
        self.unwind(depth);
        for (slot, value) in given {
            match value {
                Some(value) => self.fill_slot(&slot, value, out),
                None => self.values.clear(&slot),
            }
        }
        call.then.after(word)
    }

    /// Leaves sub-flows until `depth` of them are open, without anything of what they give.
    pub(super) fn unwind(&mut self, depth: usize) {
        while self.frames.len() > depth {
            for (slot, value) in self.frames.pop().map(|frame| frame.kept).unwrap_or_default() {
                match value {
                    Some(value) => self.values.set(&slot, value),
                    None => self.values.clear(&slot),
                }
            }
        }
    }

    /// Leaves the sub-flows that a node of `flow` is not in.
    pub(super) fn leave_for(&mut self, flow: &str) {
        let inside = self.frames.iter().rposition(|frame| frame.call.flow == flow);
        self.unwind(inside.map_or(0, |at| at + 1));
    }
}
