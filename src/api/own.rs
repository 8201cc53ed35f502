//! A tenant's own calls: those of others are not there.

use tonic::Status;

use super::ask;
use crate::{
    audio::CallTime,
    store::{CallRecord, Identity, Store, StoreError},
};

/// The record of a call of the tenant's; one of another tenant is NOT_FOUND like one that never was.
pub(super) async fn own_call(
    store: &Store,
    who: &Identity,
    id: &str,
) -> Result<CallRecord, Status> {
    let id = ask::call_id(id)?;
    let found = match store.call_of(&who.tenant, id).await {
        // The store finds a call by the beginning of its id, too; here an id is an id.
        Ok(found) => found.filter(|record| record.summary.id == id),
        Err(StoreError::Ambiguous { .. }) => None,
        Err(error) => return Err(unreadable(&error)),
    };
    found.ok_or_else(|| Status::not_found(format!("call_id: there is no call {id}")))
}

/// When a call ended, on its own clock.
pub(super) fn end_of(record: &CallRecord) -> CallTime {
    CallTime::from_ms(record.summary.duration_ms)
}

/// The database fails. What it says goes into the log, not to the client.
pub(super) fn unreadable(error: &StoreError) -> Status {
    tracing::error!(%error, "the API cannot use the database");
    Status::unavailable("the database cannot be used now: try again")
}
