use std::time::Duration;

use super::{Sink, message};
use crate::store::Event;

/// What came of handing an event to a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The sink has it.
    Taken,
    /// The sink does not want it: asking again would not help.
    Refused(String),
    /// The sink could not take this one: it is tried again some times.
    Failed(String),
    /// The sink takes nothing now: everything waits until it does.
    Away {
        /// Why.
        why: String,
        /// How long it wants to be left alone, if it says so.
        after: Option<Duration>,
    },
}

impl Sink {
    /// Hands an event over.
    pub(super) async fn deliver(&self, event: &Event, timeout: Duration) -> Answer {
        match self {
            Self::Webhook(webhook) => webhook.deliver(event).await,
            Self::Crm(crm) => {
                let (message, key) = (message(event), event.key());
                match crm.deliver(message, key, timeout).await {
                    Ok(()) => Answer::Taken,
                    Err(status) => of_status(&status),
                }
            }
        }
    }
}

fn of_status(status: &tonic::Status) -> Answer {
    use tonic::Code;
    let why = format!("{:?}: {}", status.code(), status.message());
    match status.code() {
        Code::Unavailable => Answer::Away { why, after: None },
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented => Answer::Refused(why),
        _ => Answer::Failed(why),
    }
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};

    use super::*;

    #[test]
    fn a_status_says_whether_asking_again_may_help() {
        let of = |code| of_status(&Status::new(code, "x"));
        assert!(matches!(of(Code::Unavailable), Answer::Away { .. }));
        assert!(matches!(of(Code::DeadlineExceeded), Answer::Failed(_)));
        assert!(matches!(of(Code::Internal), Answer::Failed(_)));
        assert!(matches!(of(Code::Unauthenticated), Answer::Failed(_)));
        assert!(matches!(of(Code::InvalidArgument), Answer::Refused(_)));
    }
}
