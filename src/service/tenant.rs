//! Whose calls they are, and how many each may have.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Config, ServiceError};
use crate::{
    sip::{Permit, Permits},
    store::DEFAULT_TENANT,
};

/// Somebody whose numbers, calls and events are kept apart from those of others.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Its name, in `[[number]]`, tokens and events: letters, digits, `-` and `_`.
    pub name: String,
    /// Calls at once, both ways; more get 503 with Retry-After. Without it, `sip.max_calls` alone counts.
    pub max_calls: Option<usize>,
}

impl Tenant {
    fn problem(&self) -> Option<&'static str> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.name.is_empty() || !self.name.chars().all(fits) {
            return Some("its name may have letters, digits, - and _ alone");
        }
        (self.max_calls == Some(0)).then_some("max_calls is 0: it could never have a call")
    }
}

/// The tenants of a service and their places for calls. Clones share them.
#[derive(Debug, Clone)]
pub struct Tenants(BTreeMap<String, Option<Permits>>);

impl Tenants {
    /// Those of a configuration.
    ///
    /// # Errors
    /// [`ServiceError::Tenant`] for one that cannot be, is there twice, or is named by a number and not there.
    pub fn new(config: &Config) -> Result<Self, ServiceError> {
        let mut tenants = BTreeMap::from([(DEFAULT_TENANT.to_owned(), None)]);
        let mut seen = Vec::new();
        for tenant in &config.tenants {
            let wrong = |problem: &str| ServiceError::Tenant {
                tenant: tenant.name.clone(),
                problem: problem.to_owned(),
            };
            if let Some(problem) = tenant.problem() {
                return Err(wrong(problem));
            }
            if seen.contains(&&tenant.name) {
                return Err(wrong("there are two of that name"));
            }
            seen.push(&tenant.name);
            tenants.insert(tenant.name.clone(), tenant.max_calls.map(Permits::new));
        }
        let tenants = Self(tenants);
        tenants.check_numbers(config)?;
        Ok(tenants)
    }

    /// That numbers name tenants that are there.
    ///
    /// # Errors
    /// [`ServiceError::Tenant`] for the first that does not.
    pub(super) fn check_numbers(&self, config: &Config) -> Result<(), ServiceError> {
        let mut numbers = config.numbers.iter();
        numbers.try_for_each(|n| self.check(&n.tenant, &format!("number {}", n.number)))
    }

    /// That there is one of that name.
    ///
    /// # Errors
    /// [`ServiceError::Tenant`], saying that `who` names it.
    pub fn check(&self, name: &str, who: &str) -> Result<(), ServiceError> {
        match self.0.contains_key(name) {
            true => Ok(()),
            false => Err(ServiceError::Tenant {
                tenant: name.to_owned(),
                problem: format!("{who} names it, but there is no [[tenant]] of that name"),
            }),
        }
    }

    /// A place for a call; `Err` says how many it may have, and has.
    ///
    /// # Errors
    /// The number of places, when all are taken.
    pub fn admit(&self, tenant: &str) -> Result<Option<Permit>, usize> {
        match self.0.get(tenant) {
            Some(Some(places)) => places.try_acquire().map(Some).ok_or(places.total()),
            _ => Ok(None),
        }
    }

    /// Calls at once that a tenant may have; `None` where only those of all count.
    pub fn max_calls(&self, tenant: &str) -> Option<usize> {
        self.0.get(tenant)?.as_ref().map(Permits::total)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
