//! Trying a trunk from end to end before calls depend on it: `hotline check --trunk`.

mod finding;
mod line;
mod media;
mod signalling;

use std::time::Duration;

pub use finding::{Finding, Verdict};
pub use line::TrunkLine;

use super::{Config, ServiceError};
use crate::audio::{Hz8k, Pcm};

/// A real call to be placed by the trunk.
#[derive(Debug, Clone)]
pub struct TestCall {
    /// Whom to call: digits, `+`, `*`, `#`.
    pub number: String,
    /// What the callee hears, over and over.
    pub audio: Pcm<Hz8k>,
    /// How long the call lasts; RTCP of the other side takes some 5 s to come.
    pub time: Duration,
}

/// Looks up the trunk's targets, asks each by OPTIONS, registers and takes it back, sends RTP to
/// ourselves at the address that we would tell, and places `call` if there is one. Tells each
/// finding as soon as it is there.
///
/// # Errors
/// [`ServiceError`] when the configuration cannot be used, or there is no trunk `name`.
pub async fn check_trunk(
    config: &Config,
    name: &str,
    call: Option<&TestCall>,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> Result<(), ServiceError> {
    let line = TrunkLine::open(config, name).await?;
    if line.beside {
        tell(Finding::note(
            "sip.listen is in use, by the service I suppose: checking from other ports",
        ));
    }
    if line.trunk.targets.is_empty() {
        tell(Finding::note("it has no targets: calls only come in by it, nothing can be tried"));
        return Ok(());
    }
    let Some(best) = signalling::check(&line, tell).await? else {
        tell(Finding::note("media and calls are not tried: no target answers"));
        return Ok(());
    };
    let registration = signalling::register(&line, tell).await;
    media::check(&line, &best, tell).await?;
    if let Some(call) = call {
        media::place(&line, call, tell).await?;
    }
    if let Some(registration) = registration
        && let Err(error) = registration.take_back().await
    {
        tell(Finding::doubtful(error));
    }
    line.close().await;
    Ok(())
}
