//! `Feedback`: what agents say of the bot, for the review queue.

use serde_json::json;
use tonic::{Request, Response, Status};

use super::{
    ask,
    gate::identity,
    own::{end_of, own_call, unreadable},
    writes::{Write, Writes},
};
use crate::{
    proto::{FeedbackGiveRequest, FeedbackGiveResponse, feedback_server::Feedback},
    store::{CallEvent, Store},
};

pub(super) struct FeedbackService {
    pub(super) store: Store,
    pub(super) writes: Writes,
}

#[tonic::async_trait]
impl Feedback for FeedbackService {
    async fn give(
        &self,
        request: Request<FeedbackGiveRequest>,
    ) -> Result<Response<FeedbackGiveResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let asked = request.into_inner();
        let write = Write {
            who: who.clone(),
            action: "Feedback.Give",
            object: asked.call_id.clone(),
            key: asked.idempotency_key.clone(),
        };
        let (store, new) = (self.store.clone(), asked.clone());
        let work = async move {
            let utterance = ask::text("utterance", &new.utterance, 1_000)?;
            let should_be = ask::text("should_be", &new.should_be, 2_000)?;
            let understood_as = ask::at_most("understood_as", &new.understood_as, 200)?;
            let record = own_call(&store, &who, &new.call_id).await?;
            let data = json!({
                "utterance": utterance,
                "understood_as": understood_as,
                "should_be": should_be,
                "by": who.token_id,
            });
            let event = CallEvent::now(end_of(&record), "feedback", data);
            store.append_later(&new.call_id, event).await.map_err(|e| unreadable(&e))?;
            Ok(FeedbackGiveResponse {})
        };
        self.writes.once(write, &asked, work).await
    }
}
