//! Who is told of events, as the configuration says.

use std::time::Duration;

use super::{Config, ServiceError, Tenants};
use crate::{
    crm::Crm,
    delivery::{Rules, SinkConfig},
    store::DEFAULT_TENANT,
};

/// The name of the CRM among the sinks.
pub(super) const CRM_SINK: &str = "crm";
/// How long the CRM is given to take an event, and how often it is asked to.
const CRM: (Duration, u32) = (Duration::from_secs(10), 12);

/// Webhooks, and the CRM if it wants events.
pub(super) fn sinks(
    config: &Config,
    crm: &Crm,
    tenants: &Tenants,
) -> Result<Vec<SinkConfig>, ServiceError> {
    let mut sinks = Vec::new();
    for webhook in &config.webhooks {
        tenants.check(&webhook.tenant, &format!("webhook `{}`", webhook.name))?;
        sinks.push(SinkConfig::webhook(webhook)?);
    }
    if config.crm.events {
        let tenant = config.crm.event_tenant.as_deref().unwrap_or(DEFAULT_TENANT);
        tenants.check(tenant, "crm.event_tenant")?;
        let (timeout, tries) = CRM;
        let kinds = config.crm.event_kinds.clone();
        let rules =
            Rules { name: CRM_SINK.to_owned(), tenant: tenant.to_owned(), kinds, tries, timeout };
        sinks.push(SinkConfig::crm(crm.clone(), rules));
    }
    Ok(sinks)
}
