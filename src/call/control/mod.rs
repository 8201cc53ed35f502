//! Driving calls from outside: which are running, and what they are told to do. The call's own task takes each
//! [`Command`] from a bounded queue, so that it stays the only owner of the call.

mod carry_out;
mod command;
mod controls;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use time::OffsetDateTime;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

pub(super) use command::Request;
pub use command::{Command, ControlError, Side};
pub(super) use controls::Controls;

use crate::store::CallDirection;

/// Commands that one call may have waiting.
const QUEUE: usize = 16;
/// A call answers within a frame, unless its phone has to be asked first.
const ANSWER: Duration = Duration::from_secs(10);

/// What is known of a running call from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallStatus {
    /// Unique id of the call.
    pub id: String,
    /// Whose call it is.
    pub tenant: Arc<str>,
    /// Who called whom.
    pub direction: CallDirection,
    /// The caller's number, in full: show it [masked](crate::store::masked).
    pub caller: String,
    /// The number that was called, in full.
    pub called: String,
    /// Name of the dialplan.
    pub dialplan: String,
    /// When the INVITE came or went.
    pub started_at: OffsetDateTime,
    /// How far it has come.
    pub state: CallState,
}

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// Not answered yet.
    Ringing,
    /// The bot talks to the caller.
    Talking,
    /// Somebody is being called, or asked to call, to whom the caller is handed over.
    HandingOver,
    /// The caller talks to somebody else.
    HandedOver,
    /// The call was taken over from the bot.
    TakenOver,
    /// The caller is on hold.
    Held,
}

/// The running calls of a service. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<Mutex<BTreeMap<String, Running>>>);

#[derive(Debug)]
struct Running {
    status: CallStatus,
    commands: mpsc::Sender<Request>,
}

impl Calls {
    /// The running calls, oldest first.
    pub fn list(&self) -> Vec<CallStatus> {
        self.lock().values().map(|running| running.status.clone()).collect()
    }

    /// One of them; `None` when no such call is running.
    pub fn get(&self, id: &str) -> Option<CallStatus> {
        self.lock().get(id).map(|running| running.status.clone())
    }

    /// Tells a call to do something, and waits until it has said that it does.
    ///
    /// # Errors
    /// [`ControlError`] when there is no such call, or it does not do it.
    pub async fn command(&self, id: &str, command: Command) -> Result<(), ControlError> {
        let gone = || ControlError::NoSuchCall { id: id.to_owned() };
        let commands = self.lock().get(id).map(|running| running.commands.clone());
        let (reply, answer) = oneshot::channel();
        match commands.ok_or_else(gone)?.try_send(Request { command, reply }) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                return Err(ControlError::Busy { id: id.to_owned() });
            }
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(gone()),
        }
        match timeout(ANSWER, answer).await {
            Ok(Ok(result)) => result,
            // The call ended with the command unread.
            Ok(Err(_)) => Err(gone()),
            Err(_) => Err(ControlError::NoAnswer { id: id.to_owned() }),
        }
    }

    /// Enters a call, which is among the running ones until its [`Seat`] is dropped.
    pub(super) fn enter(&self, status: CallStatus) -> Seat {
        let (commands, requests) = mpsc::channel(QUEUE);
        let id = status.id.clone();
        self.lock().insert(id.clone(), Running { status, commands });
        Seat { calls: self.clone(), id, requests }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Running>> {
        // A panic elsewhere leaves the table whole: each change is one insertion or removal.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call's place among the running ones, and what it is told.
#[derive(Debug)]
pub(super) struct Seat {
    calls: Calls,
    id: String,
    requests: mpsc::Receiver<Request>,
}

impl Seat {
    /// The next request; never, while nobody asks. Cancel-safe.
    pub(super) async fn next(&mut self) -> Request {
        match self.requests.recv().await {
            Some(request) => request,
            None => std::future::pending().await,
        }
    }

    /// Waits until somebody ends a call that is not answered yet; other commands are refused. Cancel-safe.
    pub(super) async fn told_to_end(&mut self) {
        loop {
            let Request { command, reply } = self.next().await;
            if matches!(command, Command::HangUp { .. }) {
                // Whoever asked may have stopped waiting.
                let _ = reply.send(Ok(()));
                return;
            }
            let _ = reply.send(Err(ControlError::refused("the call is not answered yet")));
        }
    }

    /// Tells how far the call has come.
    pub(super) fn state(&self, state: CallState) {
        if let Some(running) = self.calls.lock().get_mut(&self.id) {
            running.status.state = state;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.calls.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(id: &str) -> CallStatus {
        CallStatus {
            id: id.to_owned(),
            tenant: "default".into(),
            direction: CallDirection::Inbound,
            caller: "100".to_owned(),
            called: "4001".to_owned(),
            dialplan: "desk".to_owned(),
            started_at: OffsetDateTime::UNIX_EPOCH,
            state: CallState::Ringing,
        }
    }

    #[tokio::test]
    async fn a_call_is_there_until_its_seat_is_dropped() {
        let calls = Calls::default();
        let seat = calls.enter(status("a"));
        seat.state(CallState::Talking);
        assert_eq!(calls.get("a").unwrap().state, CallState::Talking);
        assert_eq!(calls.list().len(), 1);
        drop(seat);
        assert_eq!(calls.get("a"), None);
        let gone = calls.command("a", Command::GiveBack).await;
        assert_eq!(gone, Err(ControlError::NoSuchCall { id: "a".to_owned() }));
    }

    #[tokio::test]
    async fn a_call_that_rings_can_only_be_ended() {
        let calls = Calls::default();
        let mut seat = calls.enter(status("a"));
        let ringing = tokio::spawn(async move { seat.told_to_end().await });
        let refused = calls.command("a", Command::GiveBack).await.unwrap_err();
        assert!(refused.to_string().contains("not answered yet"), "{refused}");
        assert_eq!(calls.command("a", Command::HangUp { disposition: None }).await, Ok(()));
        ringing.await.unwrap();
    }

    #[tokio::test]
    async fn a_call_that_ends_with_a_command_unread_says_so() {
        let calls = Calls::default();
        let seat = calls.enter(status("a"));
        let asked = calls.command("a", Command::GiveBack);
        let (result, ()) = tokio::join!(asked, async move { drop(seat) });
        assert_eq!(result, Err(ControlError::NoSuchCall { id: "a".to_owned() }));
    }

    #[tokio::test]
    async fn no_more_commands_wait_than_may() {
        let calls = Calls::default();
        let _seat = calls.enter(status("a"));
        let commands = calls.lock()["a"].commands.clone();
        for _ in 0..QUEUE {
            let (reply, _) = oneshot::channel();
            commands.try_send(Request { command: Command::GiveBack, reply }).unwrap();
        }
        let busy = calls.command("a", Command::GiveBack).await;
        assert_eq!(busy, Err(ControlError::Busy { id: "a".to_owned() }));
    }
}
