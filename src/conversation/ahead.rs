//! Thinking ahead: the answer is worked out while it is not yet certain that the turn is over.

use super::{Conversation, contract::Output};
use crate::{
    audio::CallTime,
    dialog::{self, Machine},
};

/// The dialog's answer to a turn that is probably over, computed before that is decided.
#[derive(Debug, Clone)]
pub(super) struct Ahead {
    pub(super) input: dialog::Input,
    pub(super) machine: Machine,
    pub(super) outputs: Vec<dialog::Output>,
}

impl Conversation {
    /// Lets a copy of the dialog answer, so that its prompts can be made ready during the pause.
    pub(super) fn think_ahead(
        &mut self,
        now: CallTime,
        input: dialog::Input,
        out: &mut Vec<Output>,
    ) {
        if self.ahead.as_ref().is_some_and(|ahead| ahead.input == input) {
            return;
        }
        let ahead = Ahead::of(&self.machine, now, input);
        out.extend(ahead.outputs.iter().filter_map(|output| match output {
            dialog::Output::Say(say) => {
                Some(Output::Prepare { phrase: say.phrase.clone(), manner: say.manner })
            }
            _ => None,
        }));
        self.ahead = Some(Box::new(ahead));
    }
}

impl Ahead {
    /// What a dialog would answer.
    pub(super) fn of(machine: &Machine, now: CallTime, input: dialog::Input) -> Self {
        let mut machine = machine.clone();
        let outputs = machine.step(now, input.clone());
        Self { input, machine, outputs }
    }

    /// Whether the dialog makes something of the turn.
    pub(super) fn understood(&self) -> bool {
        let failed = |output: &dialog::Output| {
            matches!(output, dialog::Output::Note(dialog::Event::NoMatch { .. }))
        };
        !self.outputs.iter().any(failed)
    }
}
