//! What happens in calls just now.

use serde_json::Value;
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::CallsService;
use crate::{
    api::{
        ask,
        gate::identity,
        own::own_call,
        redacted::{redacted, redacted_json},
    },
    call::live::{Happening, LiveEvent},
    proto::{
        BotSaying, CallAnswered, CallEnded, CallNote, CallsWatchRequest, CallsWatchResponse,
        calls_watch_response::What,
    },
    store::Identity,
};

/// Happenings that wait for a slow watcher, beside those that the calls keep.
const QUEUE: usize = 64;

pub(super) type WatchStream = ReceiverStream<Result<CallsWatchResponse, Status>>;

impl CallsService {
    pub(super) async fn watched(
        &self,
        request: Request<CallsWatchRequest>,
    ) -> Result<Response<WatchStream>, Status> {
        let who = identity(request.extensions())?.clone();
        let asked = request.into_inner().call_id;
        // Watching begins before it is asked whether the call is there, so that nothing falls in between.
        let happenings = self.parts.live.watch();
        let only = (!asked.is_empty()).then(|| ask::call_id(&asked).map(str::to_owned));
        let only = only.transpose()?;
        if let Some(id) = &only
            && self.parts.calls.get(id).is_none_or(|status| *status.tenant != *who.tenant)
        {
            own_call(&self.parts.store, &who, id).await?;
            return Err(Status::failed_precondition(format!("call_id: call {id} is over")));
        }
        let (sender, stream) = mpsc::channel(QUEUE);
        let watcher = Watcher { who, only, sender };
        tokio::spawn(watcher.watch(happenings));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

struct Watcher {
    who: Identity,
    only: Option<String>,
    sender: mpsc::Sender<Result<CallsWatchResponse, Status>>,
}

impl Watcher {
    /// Until the watcher is gone, or the call that is watched is over.
    async fn watch(self, mut happenings: broadcast::Receiver<LiveEvent>) {
        loop {
            let event = tokio::select! {
                event = happenings.recv() => event,
                () = self.sender.closed() => return,
            };
            let (call_id, what, last) = match event {
                Ok(event) if !self.sees(&event) => continue,
                Ok(event) => {
                    let over = matches!(event.what, Happening::Ended { .. });
                    let last = over && self.only.is_some();
                    let Some(what) = told(event.what) else { continue };
                    (event.call, what, last)
                }
                Err(broadcast::error::RecvError::Lagged(lost)) => {
                    (String::new(), What::Lagged(lost), false)
                }
                Err(broadcast::error::RecvError::Closed) => return,
            };
            let message = CallsWatchResponse { call_id, what: Some(what) };
            if self.sender.send(Ok(message)).await.is_err() || last {
                return;
            }
        }
    }

    /// Whether an event is of a call that may be seen, and is asked for.
    fn sees(&self, event: &LiveEvent) -> bool {
        *event.tenant == *self.who.tenant
            && self.only.as_ref().is_none_or(|only| event.call == *only)
    }
}

fn told(what: Happening) -> Option<What> {
    Some(match what {
        Happening::Answered { dialplan } => What::Answered(CallAnswered { dialplan }),
        Happening::Saying { text } => What::Saying(BotSaying { text: redacted(&text) }),
        Happening::Ended { disposition, .. } => What::Ended(CallEnded { disposition }),
        Happening::Note(note) => {
            let mut data = serde_json::to_value(&note).ok()?;
            let kind = data.as_object_mut()?.remove("kind")?.as_str()?.to_owned();
            note_of(kind, data)
        }
        // Ringing, holding, handing over: by their own names.
        other => match serde_json::to_value(&other).ok()? {
            Value::String(kind) => note_of(kind, Value::Null),
            Value::Object(fields) => {
                let (kind, data) = fields.into_iter().next()?;
                note_of(kind, data)
            }
            _ => return None,
        },
    })
}

fn note_of(kind: String, mut data: Value) -> What {
    redacted_json(&mut data);
    What::Note(CallNote { kind, data_json: data.to_string() })
}
