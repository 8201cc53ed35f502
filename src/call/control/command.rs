//! What a running call can be told, and why it may not do it.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;

use crate::{
    audio::{Hz8k, Pcm},
    conversation::Refusal,
    dialog::TransferMode,
    text::Lang,
};

/// What a running call is told to do. A command is accepted or refused at once; what comes of it later, such as that
/// nobody answers a transfer, is told by [`Happening`](crate::call::live::Happening)s and stands in the record.
#[derive(Debug, Clone)]
pub enum Command {
    /// End the call, answered or not.
    HangUp {
        /// The outcome for the record; without one, the call has none.
        disposition: Option<String>,
    },
    /// Have the bot say a sentence, after what it is saying and not over the caller. The open question stays open.
    Say {
        /// The sentence, of at most 1,000 characters.
        text: String,
        /// Its language, one of the dialplan's; that of the call, when it is not given.
        lang: Option<Lang>,
        /// Whether it cuts short what is being said, and speaks over the caller.
        interrupt: bool,
        /// Whether the caller may cut it short.
        barge_in: bool,
    },
    /// Play recorded audio likewise.
    Play {
        /// What it is called in the record.
        name: String,
        /// The audio.
        audio: Arc<Pcm<Hz8k>>,
        /// Whether it cuts short what is being said, and sounds over the caller.
        interrupt: bool,
    },
    /// Press keys in the call, for whoever we talk to: `0-9`, `*`, `#`, `A-D`, at most 64.
    SendKeys {
        /// The keys.
        keys: String,
    },
    /// Hand the caller over at once. When that comes to nothing, the dialog goes on at the open question.
    Transfer {
        /// A number or a SIP URI.
        to: String,
        /// How; [`TransferMode::TakeOver`] is [`Command::TakeOver`]'s.
        mode: TransferMode,
        /// How long it may ring.
        ring: Duration,
    },
    /// Take the call over from the bot, which falls silent and stops listening.
    TakeOver {
        /// Who talks to the caller: a number or a SIP URI, which is called and bridged. Without it, the bot says what
        /// [`Command::Say`] and [`Command::Play`] tell it.
        by: Option<String>,
        /// How long that may ring; then the dialog goes on.
        ring: Duration,
    },
    /// Give a call that was taken over back to the dialog, which goes on at the open question.
    GiveBack,
    /// Put the caller on hold: the dialog and the recording wait, and the caller hears music. Answered when the other phone
    /// has agreed.
    Hold,
    /// Take the caller from hold: everything goes on where it was.
    Resume,
    /// Let one side be heard no more, or again. Keys still count.
    Mute {
        /// Whose voice.
        side: Side,
        /// Whether it is muted.
        on: bool,
    },
    /// Give a slot a value; the open question stays open.
    SetVariable {
        /// The slot.
        slot: String,
        /// The value, as dialplans write it: digits, `2026-11-28`, `14:30`, `132.48`, the name of an option.
        value: String,
    },
    /// Record silence in place of what is heard and said, or go on recording.
    Record {
        /// Whether what is heard and said is recorded.
        on: bool,
    },
}

/// One side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Whoever we talk to: not heard by the bot, by whom they were handed over to, nor on the recording.
    Caller,
    /// The bot: what it has to say waits.
    Bot,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// There is no such call, or it is over.
    #[error("no call {id} is running")]
    NoSuchCall {
        /// The id that was given.
        id: String,
    },
    /// The call has too many commands waiting.
    #[error("call {id} has too many commands waiting: try again")]
    Busy {
        /// The call.
        id: String,
    },
    /// The call gave no answer in time; the command may still be carried out.
    #[error("call {id} did not answer in time; the command may still be carried out")]
    NoAnswer {
        /// The call.
        id: String,
    },
    /// The dialog cannot do it now.
    #[error(transparent)]
    Dialog(#[from] Refusal),
    /// The call cannot do it now, or not at all.
    #[error("{why}")]
    Refused {
        /// Why, and what to do.
        why: String,
    },
}

impl ControlError {
    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self::Refused { why: why.into() }
    }
}

impl Command {
    /// Its name in records and live events.
    pub fn name(&self) -> &'static str {
        match self {
            Self::HangUp { .. } => "hang_up",
            Self::Say { .. } => "say",
            Self::Play { .. } => "play",
            Self::SendKeys { .. } => "send_keys",
            Self::Transfer { .. } => "transfer",
            Self::TakeOver { .. } => "take_over",
            Self::GiveBack => "give_back",
            Self::Hold => "hold",
            Self::Resume => "resume",
            Self::Mute { side: Side::Caller, on: true } => "mute_caller",
            Self::Mute { side: Side::Caller, on: false } => "unmute_caller",
            Self::Mute { side: Side::Bot, on: true } => "mute_bot",
            Self::Mute { side: Side::Bot, on: false } => "unmute_bot",
            Self::SetVariable { .. } => "set_variable",
            Self::Record { on: true } => "resume_recording",
            Self::Record { on: false } => "pause_recording",
        }
    }
}

/// A command on its way to its call.
#[derive(Debug)]
pub(in crate::call) struct Request {
    pub(in crate::call) command: Command,
    pub(in crate::call) reply: oneshot::Sender<Result<(), ControlError>>,
}
