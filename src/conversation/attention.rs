use super::{Conversation, engine::Next};

/// Whether speech can change what happens. While it cannot, nobody needs to look for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    /// It can, now.
    Now,
    /// It cannot as long as the next so many prompts are played, the sounding one among them, for
    /// speech may not cut them short. It can once they end: what is said over their end counts.
    AfterPrompts(usize),
    /// It cannot, whatever is played: no question is open. What began to be said before the next
    /// one does not count.
    Never,
}

impl Conversation {
    /// Whether speech can change anything.
    pub fn attention(&self) -> Attention {
        match self.next {
            Next::Listen(_) => {}
            // It is no answer, but nothing is said over it.
            Next::Invoking(_) => return Attention::Now,
            _ => return Attention::Never,
        }
        match self.ledger.uncut_by_speech() {
            uncut if uncut > 0 && self.turn.is_none() => Attention::AfterPrompts(uncut),
            _ => Attention::Now,
        }
    }

    /// Whether it matters how the caller sounds.
    pub fn wants_voice(&self) -> bool {
        self.machine.wants_voice()
    }

    /// Whether nothing more will be said or heard.
    pub fn is_over(&self) -> bool {
        matches!(self.next, Next::Over)
    }
}
