//! The orderly end of a service: running calls come to theirs, new ones go elsewhere.

use std::{future::Future, time::Duration};

use tokio::{task::JoinSet, time::timeout};

use super::{RETRY_AFTER, refuse};
use crate::sip::{Rejection, UserAgent};

/// How long calls that were cut off are given to say BYE and to write their records.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Refuses new INVITEs and OPTIONS (503 with Retry-After) and waits for `calls`, up to `deadline`
/// or until `cut` resolves; then ends those that are left with BYE, and closes the agent.
pub(super) async fn drain(
    mut agent: UserAgent,
    mut calls: JoinSet<()>,
    deadline: Duration,
    cut: impl Future<Output = ()>,
) {
    agent.refuse_new();
    let seconds = deadline.as_secs();
    tracing::info!(calls = calls.len(), seconds, "stopping: waiting for running calls to end");
    let deadline = tokio::time::sleep(deadline);
    tokio::pin!(deadline, cut);
    while !calls.is_empty() {
        tokio::select! {
            Some(_) = calls.join_next() => {
                tracing::info!(calls = calls.len(), "stopping: calls still running");
            }
            // It was there before we were told to stop.
            Some(mut leg) = agent.next_invite() => {
                calls.spawn(async move { refuse(&mut leg, Rejection::busy(RETRY_AFTER)).await });
            }
            () = &mut deadline => {
                tracing::warn!(calls = calls.len(), "stopping: time is up, calls are cut off");
                break;
            }
            () = &mut cut => {
                tracing::warn!(calls = calls.len(), "stopping at once: calls are cut off");
                break;
            }
        }
    }
    let grace = if calls.is_empty() { Duration::from_secs(2) } else { Duration::ZERO };
    agent.shutdown(grace).await;
    let written = async { while calls.join_next().await.is_some() {} };
    if timeout(LAST_WORDS, written).await.is_err() {
        tracing::warn!("some calls' records were not finished in time");
    }
    tracing::info!("stopped");
}
