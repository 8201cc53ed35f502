//! What clients order, as calls take it.

use std::{path::Path, sync::Arc, time::Duration};

use prost::Message;
use tonic::Status;

use crate::{
    api::{
        Parts,
        ask::{self, wrong},
    },
    audio::read_8k,
    call::control::{Command, Side},
    dialog,
    proto::{
        CallSide, CallsGiveBackRequest, CallsGiveBackResponse, CallsHangUpRequest,
        CallsHangUpResponse, CallsHoldRequest, CallsHoldResponse, CallsMuteRequest,
        CallsMuteResponse, CallsPlayRequest, CallsPlayResponse, CallsRecordRequest,
        CallsRecordResponse, CallsResumeRequest, CallsResumeResponse, CallsSayRequest,
        CallsSayResponse, CallsSendKeysRequest, CallsSendKeysResponse, CallsSetVariableRequest,
        CallsSetVariableResponse, CallsTakeOverRequest, CallsTakeOverResponse,
        CallsTransferRequest, CallsTransferResponse, TransferMode,
    },
    text::Lang,
};

/// Characters of a sentence.
const SENTENCE: usize = 1_000;
/// Whom to call, in characters.
const ADDRESS: usize = 256;
/// How long it rings unless asked for otherwise, and at most, in seconds.
const RING: (u32, u32) = (30, 180);

/// A request that has a call do something.
#[tonic::async_trait]
pub(super) trait Order: Message + Clone + 'static {
    /// What is answered when the call has taken it.
    type Answer: Message + Default + 'static;

    fn call_id(&self) -> &str;
    fn key(&self) -> &str;
    /// What the call is told.
    async fn command(&self, parts: &Parts) -> Result<Command, Status>;
}

/// How long it may ring.
pub(super) fn ring(seconds: u32) -> Result<Duration, Status> {
    let (usual, most) = RING;
    match seconds {
        0 => Ok(Duration::from_secs(usual.into())),
        s if s <= most => Ok(Duration::from_secs(s.into())),
        s => Err(wrong("ring_seconds", format_args!("is {s}, at most {most} may be"))),
    }
}

/// Whom to call: what is in it ends up in a SIP message.
pub(super) fn address<'a>(field: &str, value: &'a str) -> Result<&'a str, Status> {
    let address = ask::text(field, value, ADDRESS)?;
    match address.chars().all(|c| c.is_ascii_graphic()) {
        true => Ok(address),
        false => Err(wrong(field, "is neither a number nor a SIP URI")),
    }
}

macro_rules! order {
    ($request:ty => $answer:ty, |$this:ident, $parts:ident| $command:expr) => {
        #[tonic::async_trait]
        impl Order for $request {
            type Answer = $answer;

            fn call_id(&self) -> &str {
                &self.call_id
            }

            fn key(&self) -> &str {
                &self.idempotency_key
            }

            async fn command(&self, $parts: &Parts) -> Result<Command, Status> {
                let $this = self;
                $command
            }
        }
    };
}

order!(CallsHangUpRequest => CallsHangUpResponse, |this, _parts| {
    let named = |name: &str| ask::name("disposition", name).map(str::to_owned);
    let disposition = (!this.disposition.is_empty()).then(|| named(&this.disposition));
    Ok(Command::HangUp { disposition: disposition.transpose()? })
});

order!(CallsTransferRequest => CallsTransferResponse, |this, _parts| {
    let mode = match this.mode() {
        TransferMode::Unspecified | TransferMode::Bridge => dialog::TransferMode::Bridge,
        TransferMode::Attended => dialog::TransferMode::Attended,
        TransferMode::Refer => dialog::TransferMode::Refer,
    };
    let to = address("to", &this.to)?.to_owned();
    Ok(Command::Transfer { to, mode, ring: ring(this.ring_seconds)? })
});

order!(CallsHoldRequest => CallsHoldResponse, |_this, _parts| Ok(Command::Hold));

order!(CallsResumeRequest => CallsResumeResponse, |_this, _parts| Ok(Command::Resume));

order!(CallsMuteRequest => CallsMuteResponse, |this, _parts| {
    let side = match this.side() {
        CallSide::Unspecified => return Err(wrong("side", "is needed")),
        CallSide::Caller => Side::Caller,
        CallSide::Bot => Side::Bot,
    };
    Ok(Command::Mute { side, on: this.muted })
});

order!(CallsSendKeysRequest => CallsSendKeysResponse, |this, _parts| {
    let keys = ask::text("keys", &this.keys, 64)?;
    if let Some(key) = keys.chars().find(|key| !matches!(key, '0'..='9' | '*' | '#' | 'A'..='D')) {
        return Err(wrong("keys", format_args!("{key:?} is none of 0-9, *, #, A-D")));
    }
    Ok(Command::SendKeys { keys: keys.to_owned() })
});

order!(CallsSayRequest => CallsSayResponse, |this, _parts| {
    let text = ask::text("text", &this.text, SENTENCE)?.to_owned();
    let lang = match this.language.as_str() {
        "" => None,
        "en" => Some(Lang::En),
        "zh" => Some(Lang::Zh),
        _ => return Err(wrong("language", "is neither en nor zh")),
    };
    let (interrupt, barge_in) = (this.interrupt, this.interruptible);
    Ok(Command::Say { text, lang, interrupt, barge_in })
});

order!(CallsPlayRequest => CallsPlayResponse, |this, parts| {
    let name = ask::name("announcement", &this.announcement)?;
    let folder = parts.announcements.as_deref().ok_or_else(|| {
        Status::failed_precondition("there are no announcements: set api.announcements")
    })?;
    announcement(folder, name, this.interrupt).await
});

order!(CallsRecordRequest => CallsRecordResponse, |this, _parts| Ok(Command::Record { on: this.on }));

order!(CallsSetVariableRequest => CallsSetVariableResponse, |this, _parts| {
    let slot = ask::name("name", &this.name)?.to_owned();
    let value = ask::text("value", &this.value, SENTENCE)?.to_owned();
    Ok(Command::SetVariable { slot, value })
});

order!(CallsTakeOverRequest => CallsTakeOverResponse, |this, _parts| {
    let by = (!this.by.is_empty()).then(|| address("by", &this.by).map(str::to_owned));
    Ok(Command::TakeOver { by: by.transpose()?, ring: ring(this.ring_seconds)? })
});

order!(CallsGiveBackRequest => CallsGiveBackResponse, |_this, _parts| Ok(Command::GiveBack));

/// Reads a WAV file of the folder of announcements, on a thread that may block.
async fn announcement(folder: &Path, name: &str, interrupt: bool) -> Result<Command, Status> {
    // The name has no slash in it, and so is one in the folder; `..` is none.
    let path = folder.join(name);
    let read = tokio::task::spawn_blocking(move || read_8k(&path)).await;
    match read {
        Ok(Ok(audio)) => {
            Ok(Command::Play { name: name.to_owned(), audio: Arc::new(audio), interrupt })
        }
        _ => Err(Status::not_found(format!("announcement: there is no WAV file {name}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ringing_has_a_usual_and_a_longest_time() {
        assert_eq!(ring(0).unwrap(), Duration::from_secs(30));
        assert_eq!(ring(180).unwrap(), Duration::from_secs(180));
        assert!(ring(181).unwrap_err().message().starts_with("ring_seconds: is 181"));
    }

    #[test]
    fn what_is_called_cannot_break_a_message() {
        assert!(address("to", "sip:1000@192.0.2.1").is_ok());
        for bad in ["", "1000\r\nX: y", "a b", "呼叫"] {
            assert!(address("to", bad).is_err(), "{bad}");
        }
    }
}
