//! The call's task does what it is told.

use super::{CallState, Command, ControlError, Request, Side};
use crate::{
    call::{EndReason, task::Call},
    conversation::{Input, Order},
    dialog::{Transfer, TransferMode, TransferResult},
    sip::Leg,
};

/// Most keys that one command presses.
const MOST_KEYS: usize = 64;
/// A key sounds for so many ticks of 20 ms.
const KEY_TICKS: u16 = 5;

impl<L: Leg> Call<L> {
    pub(in crate::call) fn requested(&mut self, Request { command, reply }: Request) {
        let name = command.name();
        let result = match command {
            Command::Hold => return self.ask_hold(true, reply),
            Command::Resume => return self.ask_hold(false, reply),
            command => self.obey(command),
        };
        if let Err(error) = &result {
            tracing::info!(command = name, %error, "a command was refused");
        }
        // Whoever asked may have stopped waiting; what was accepted is done all the same.
        let _ = reply.send(result);
    }

    fn obey(&mut self, command: Command) -> Result<(), ControlError> {
        if self.end.is_some() {
            return Err(ControlError::refused("the call is ending"));
        }
        let name = command.name();
        match command {
            Command::HangUp { disposition } => {
                if let Some(disposition) = disposition {
                    let disposition = label(disposition)?;
                    self.record.outcome(self.conversation.outcome(&disposition));
                }
                self.told(name);
                self.end = Some(EndReason::Ordered);
                Ok(())
            }
            Command::Say { text, lang, interrupt, barge_in } => {
                self.order(name, Order::Say { text, lang, interrupt, barge_in })
            }
            Command::Play { name: clip_name, audio, interrupt } => {
                let clip_name = label(clip_name)?;
                let clip = self.controls.keep_clip(audio);
                let ordered = self.order(name, Order::Play { clip, name: clip_name, interrupt });
                if ordered.is_err() {
                    self.controls.take_clip(clip);
                }
                ordered
            }
            Command::SendKeys { keys } => self.send_keys(name, &keys),
            Command::Transfer { mode: TransferMode::TakeOver, .. } => {
                Err(ControlError::refused("to take a call over is a command of its own"))
            }
            Command::Transfer { to, mode, ring } => {
                self.order(name, Order::HandOver(Transfer { to: callee(to)?, mode, ring }))
            }
            Command::TakeOver { by, ring } => {
                let mode = TransferMode::TakeOver;
                let by =
                    by.map(|to| Ok::<_, ControlError>(Transfer { to: callee(to)?, mode, ring }));
                self.order(name, Order::TakeOver(by.transpose()?))?;
                if self.conversation.is_taken_over() {
                    self.controls.state(CallState::TakenOver);
                }
                Ok(())
            }
            Command::GiveBack => self.give_back(name),
            // The other phone has a say in it.
            Command::Hold | Command::Resume => Ok(()),
            Command::Mute { side: Side::Caller, on } => {
                self.controls.mute_caller(on);
                self.told(name);
                Ok(())
            }
            Command::Mute { side: Side::Bot, on } => self.order(name, Order::MuteBot(on)),
            Command::SetVariable { slot, value } => self.order(name, Order::Set { slot, value }),
            Command::Record { on } => {
                if !self.archive.pause(!on) {
                    return Err(ControlError::refused("the call is not recorded"));
                }
                self.told(name);
                Ok(())
            }
        }
    }

    /// What changes the dialog is an input of the conversation.
    fn order(&mut self, name: &'static str, order: Order) -> Result<(), ControlError> {
        self.conversation.check(&order)?;
        self.told(name);
        let now = self.now();
        self.step(now, Input::Order(order));
        Ok(())
    }

    fn give_back(&mut self, name: &'static str) -> Result<(), ControlError> {
        if !self.conversation.is_taken_over() && !self.transfers.takes_over() {
            return Err(ControlError::refused("the call was not taken over"));
        }
        self.told(name);
        self.transferred(TransferResult::GivenBack);
        Ok(())
    }

    fn send_keys(&mut self, name: &'static str, keys: &str) -> Result<(), ControlError> {
        let known = |key| matches!(key, '0'..='9' | '*' | '#' | 'A'..='D');
        if keys.is_empty() || keys.len() > MOST_KEYS || !keys.chars().all(known) {
            let why = format!("press 1 to {MOST_KEYS} keys of 0-9, *, #, A-D");
            return Err(ControlError::Refused { why });
        }
        for key in keys.chars() {
            if !self.media.press(key, KEY_TICKS) {
                return Err(ControlError::refused(
                    "the other phone takes no keys: its session has no telephone events (RFC 4733)",
                ));
            }
        }
        self.told(name);
        Ok(())
    }

    fn told(&mut self, name: &'static str) {
        let now = self.now();
        self.record.command(now, name);
    }
}

/// A word for the record, if it is one.
fn label(text: String) -> Result<String, ControlError> {
    let fits = (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then_some(text).ok_or_else(|| ControlError::refused("name it in 1 to 100 characters"))
}

/// Whom to call, if that may be: what is in it ends up in a SIP message.
fn callee(to: String) -> Result<String, ControlError> {
    let fits = (1..=256).contains(&to.len()) && to.chars().all(|c| c.is_ascii_graphic());
    fits.then_some(to).ok_or_else(|| ControlError::refused("give a number or a SIP URI to call"))
}
