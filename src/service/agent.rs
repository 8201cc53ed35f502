//! The SIP user agent as the configuration wants it.

use std::time::Duration;

use super::{Config, ServiceError, Trunk};
use crate::sip::{SessionTimerConfig, UserAgentConfig};

/// Listeners, trunks and session timers.
pub(super) fn agent_config(config: &Config) -> Result<UserAgentConfig, ServiceError> {
    let seconds = |s: u32| Duration::from_secs(s.into());
    let min = seconds(config.sip.min_session_expires_s.max(1));
    if let Some(name) = &config.transfer.trunk
        && config.trunks.iter().all(|trunk| trunk.name != *name)
    {
        let problem = "transfer.trunk names it, but there is no [[trunk]] of that name".to_owned();
        return Err(ServiceError::Trunk { trunk: name.clone(), problem });
    }
    let trunks = config.trunks.iter().map(Trunk::config).collect::<Result<_, _>>()?;
    Ok(UserAgentConfig {
        listen: config.sip.listen.clone(),
        tls: config.sip.tls.clone(),
        external: config.sip.external,
        session_timer: SessionTimerConfig {
            expires: seconds(config.sip.session_expires_s).max(min),
            min,
        },
        trunks,
        ..UserAgentConfig::new(([0, 0, 0, 0], 0).into())
    })
}
