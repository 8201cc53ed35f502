//! What whoever takes a caller is told of the call so far, before their phone rings.

mod progress;
mod summary;

use std::{collections::BTreeMap, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::time::timeout;

use super::task::Call;
use crate::{
    audio::CallTime,
    dialog::{Transfer, TransferMode},
    sip::Leg,
    store::CallDirection,
    text::Lang,
};

pub(super) use progress::Progress;

/// How long the other side may take to accept what it is told; then the call goes on without.
const PATIENCE: Duration = Duration::from_millis(800);

/// What is known of a call when its caller is handed over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HandOver {
    /// The call's id.
    pub call: String,
    /// Whose call it is.
    pub tenant: Arc<str>,
    /// Who called whom.
    pub direction: CallDirection,
    /// The caller's number, in full.
    #[serde(skip)]
    pub caller: String,
    /// The number that was called, in full.
    #[serde(skip)]
    pub called: String,
    /// To whom the caller is handed over: a number or a SIP URI.
    pub to: String,
    /// How.
    pub mode: TransferMode,
    /// The language that the call is in.
    pub lang: Lang,
    /// Why.
    pub reason: HandOverReason,
    /// All of it in a few sentences, in the call's language.
    pub summary: String,
    /// What the caller wanted, in order.
    pub intents: Vec<String>,
    /// What the dialog has collected; values of sensitive slots are masked.
    pub slots: BTreeMap<String, String>,
    /// Who the caller is known to be, as the dialplan's slot `identity` says, such as `verified`; `None` when it says nothing.
    pub identity: Option<String>,
    /// What was said so far, without the values of sensitive slots. Of a long call, the end.
    #[serde(skip)]
    pub transcript: Vec<Utterance>,
}

/// Why a caller is handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HandOverReason {
    /// The caller asked for what leads there.
    Asked {
        /// The intent, as the dialplan names it.
        intent: String,
    },
    /// The bot did not understand the caller.
    NotUnderstood,
    /// The caller said nothing.
    NoInput,
    /// A tool gave nothing that could be used.
    ToolFailed {
        /// Which.
        tool: String,
    },
    /// The dialplan leads there.
    Dialplan,
    /// Somebody outside of the call told it to.
    Operator,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Utterance {
    /// When it began.
    pub at: CallTime,
    /// Who said it.
    pub who: Speaker,
    /// The words; `[4 keys]` for keys.
    pub text: String,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The bot.
    Bot,
    /// Whoever we talk to.
    Caller,
}

/// What a push is waited for.
pub type Pushed<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Tells a CRM who is about to be handed over, so that the caller is on the agent's screen when the phone rings.
pub trait ScreenPop: fmt::Debug + Send + Sync {
    /// Tells it; an error is why it was not accepted. What takes longer than 800 ms is given up, and the caller handed over
    /// all the same.
    fn push(&self, hand_over: HandOver) -> Pushed<'_>;
}

/// What came of telling.
pub(super) type Told = Option<Result<(), String>>;

/// Tells `whom`, if there is somebody to be told.
pub(super) async fn tell(whom: Option<Arc<dyn ScreenPop>>, hand_over: HandOver) -> Told {
    let whom = whom?;
    let told = timeout(PATIENCE, whom.push(hand_over)).await;
    Some(told.unwrap_or_else(|_| Err(format!("no answer within {} ms", PATIENCE.as_millis()))))
}

impl<L: Leg> Call<L> {
    /// What is known now, for whoever takes the caller; the record has it from now on.
    pub(super) fn hand_over(&mut self, transfer: &Transfer) -> HandOver {
        let (outcome, lang) = (self.conversation.outcome(""), self.conversation.lang());
        let slots = outcome.slots;
        let progress = self.record.progress();
        let identity = slots.get("identity").cloned();
        let secrets = self.conversation.secrets();
        let hand_over = HandOver {
            call: self.record.call().to_owned(),
            tenant: self.record.tenant(),
            direction: self.parties.direction,
            caller: self.parties.caller.clone(),
            called: self.parties.called.clone(),
            to: transfer.to.clone(),
            mode: transfer.mode,
            lang,
            reason: progress.reason(),
            summary: summary::summary(lang, progress, &slots, &secrets),
            intents: progress.intents().to_vec(),
            slots,
            identity,
            transcript: progress.transcript(&secrets),
        };
        let now = self.now();
        self.record.entry(now, "hand_over", &hand_over);
        hand_over
    }

    /// What came of telling whoever takes the caller.
    pub(super) fn told_of_hand_over(&mut self, told: Told) {
        let Some(told) = told else { return };
        let problem = told.err();
        if let Some(problem) = &problem {
            tracing::warn!(%problem, "the caller is handed over without a word of the call so far");
        }
        let entry = serde_json::json!({"accepted": problem.is_none(), "problem": problem});
        let now = self.now();
        self.record.entry(now, "screen_pop", &entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Deaf;

    impl ScreenPop for Deaf {
        fn push(&self, _: HandOver) -> Pushed<'_> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test]
    async fn nobody_is_waited_for_longer_than_that() {
        let hand_over = HandOver {
            call: "c".into(),
            tenant: "default".into(),
            direction: CallDirection::Inbound,
            caller: "1001".into(),
            called: "4001".into(),
            to: "4002".into(),
            mode: TransferMode::Bridge,
            lang: Lang::En,
            reason: HandOverReason::Dialplan,
            summary: String::new(),
            intents: Vec::new(),
            slots: BTreeMap::new(),
            identity: None,
            transcript: Vec::new(),
        };
        assert_eq!(tell(None, hand_over.clone()).await, None);
        let told = tell(Some(Arc::new(Deaf)), hand_over).await;
        assert!(told.unwrap().unwrap_err().contains("800 ms"));
    }
}
