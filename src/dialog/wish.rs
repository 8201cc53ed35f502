//! What callers ask of the bot itself: again, slower, louder, patience.

use std::{sync::Arc, time::Duration};

use super::{Event, Machine, Output, Say};
use crate::{
    audio::Manner,
    dialplan::model::{NodeId, PromptBargeIn, Wish},
};

/// A step slower, and the slowest.
const SLOWER_PERCENT: u16 = 15;
const SLOWEST_PERCENT: u16 = 70;
/// A step louder, and the loudest.
const LOUDER_DB: i8 = 6;
const LOUDEST_DB: i8 = 12;
/// For the elderly.
const ELDERLY: Manner = Manner { rate_percent: 80, gain_db: LOUDER_DB };
const ELDERLY_PATIENCE_PERCENT: u16 = 200;
const ELDERLY_NO_INPUT: Duration = Duration::from_secs(8);

/// How the bot speaks to this caller and waits for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Care {
    pub(super) manner: Manner,
    elderly: bool,
}

impl Care {
    /// How long pauses are that end a turn, in percent of the usual.
    pub(super) fn patience_percent(self) -> u16 {
        if self.elderly { ELDERLY_PATIENCE_PERCENT } else { 100 }
    }

    /// Silence that counts as no input, where `usual` does for most callers.
    pub(super) fn no_input(self, usual: Duration) -> Duration {
        if self.elderly { usual.max(ELDERLY_NO_INPUT) } else { usual }
    }
}

impl Machine {
    /// Does what the caller wishes; the question of `node` stays open.
    pub(super) fn grant(&mut self, wish: Wish, node: NodeId, out: &mut Vec<Output>) {
        let Manner { rate_percent, gain_db } = self.care.manner;
        match wish {
            Wish::Wait => return self.wait(node, out),
            Wish::Repeat => {}
            Wish::Slower => {
                let slower = rate_percent.saturating_sub(SLOWER_PERCENT).max(SLOWEST_PERCENT);
                self.speak(Manner { rate_percent: slower, gain_db }, out);
            }
            Wish::Louder => {
                let louder = gain_db.saturating_add(LOUDER_DB).min(LOUDEST_DB);
                self.speak(Manner { rate_percent, gain_db: louder }, out);
            }
            Wish::Elderly => self.mode(true, out),
        }
        self.repeat(node, out);
    }

    /// Speaks and waits as the elderly need it, or as usual.
    pub(super) fn mode(&mut self, elderly: bool, out: &mut Vec<Output>) {
        self.care.elderly = elderly;
        self.speak(if elderly { ELDERLY } else { Manner::USUAL }, out);
    }

    fn speak(&mut self, manner: Manner, out: &mut Vec<Output>) {
        self.care.manner = manner;
        let Manner { rate_percent, gain_db } = manner;
        let elderly = self.care.elderly;
        out.push(Output::Note(Event::Manner { rate_percent, gain_db, elderly }));
    }

    /// Says everything since the last turn again.
    fn repeat(&mut self, node: NodeId, out: &mut Vec<Output>) {
        let manner = self.care.manner;
        let again = self.said.iter().cloned().map(|say| Output::Say(Say { manner, ..say }));
        out.extend(again);
        self.listen(node, out);
    }

    /// Gives the caller time.
    fn wait(&mut self, node: NodeId, out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let model = plan.model();
        let name = &model.node(node).name;
        // Not remembered: `repeat` is for the question.
        out.push(Output::Say(self.compose(name, &model.waiting.say, PromptBargeIn::Any)));
        self.listen(node, out);
        if let Some(Output::Listen(listen)) = out.last_mut() {
            listen.no_input = listen.no_input.max(model.waiting.no_input);
        }
    }
}
