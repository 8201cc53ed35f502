//! How many requests a token may make, and how many event streams a tenant may have open.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Tokens remembered; those that have rested are forgotten when there are more.
const REMEMBERED: usize = 4_096;

/// Counts what tokens and tenants use; clones count together.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    per_second: u32,
    max_streams: u32,
    used: Arc<Mutex<Used>>,
}

#[derive(Debug, Default)]
struct Used {
    /// Requests that a token has left, and as of when.
    left: HashMap<String, (f64, Instant)>,
    streams: HashMap<String, u32>,
}

/// An open stream; it counts until it is dropped.
#[derive(Debug)]
pub(super) struct Stream {
    tenant: String,
    limits: Limits,
}

impl Limits {
    pub(super) fn new(per_second: u32, max_streams: u32) -> Self {
        Self { per_second: per_second.max(1), max_streams, used: Arc::default() }
    }

    /// Counts a request; when there have been too many, how long to wait.
    pub(super) fn request(&self, token: &str, now: Instant) -> Result<(), Duration> {
        let (rate, most) = (f64::from(self.per_second), f64::from(self.per_second) * 2.0);
        let refilled = |(left, at): (f64, Instant)| {
            (left + now.saturating_duration_since(at).as_secs_f64() * rate).min(most)
        };
        let mut used = self.used();
        if used.left.len() >= REMEMBERED {
            used.left.retain(|_, state| refilled(*state) < most);
        }
        let state = used.left.get(token).copied().unwrap_or((most, now));
        let left = refilled(state);
        if left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - left) / rate));
        }
        used.left.insert(token.to_owned(), (left - 1.0, now));
        Ok(())
    }

    /// Counts a stream of `tenant`; `None` when it has as many as it may.
    pub(super) fn stream(&self, tenant: &str) -> Option<Stream> {
        let mut used = self.used();
        let open = used.streams.entry(tenant.to_owned()).or_default();
        if *open >= self.max_streams {
            return None;
        }
        *open += 1;
        Some(Stream { tenant: tenant.to_owned(), limits: self.clone() })
    }

    /// Streams that `tenant` has open.
    pub(super) fn streams(&self, tenant: &str) -> u32 {
        self.used().streams.get(tenant).copied().unwrap_or_default()
    }

    /// Requests a second that a token may make on average.
    pub(super) fn per_second(&self) -> u32 {
        self.per_second
    }

    /// Streams that a tenant may have open.
    pub(super) fn max_streams(&self) -> u32 {
        self.max_streams
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut used = self.limits.used();
        if let Some(open) = used.streams.get_mut(&self.tenant) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                used.streams.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_may_burst_and_then_goes_at_its_rate() {
        let limits = Limits::new(10, 1);
        let now = Instant::now();
        let granted = (0..100).filter(|_| limits.request("a", now).is_ok()).count();
        assert_eq!(granted, 20);
        assert_eq!(limits.request("a", now), Err(Duration::from_millis(100)));
        assert!(limits.request("b", now).is_ok(), "another token has requests of its own");
        let later = now + Duration::from_millis(500);
        let granted = (0..100).filter(|_| limits.request("a", later).is_ok()).count();
        assert_eq!(granted, 5);
    }

    #[test]
    fn a_stream_counts_until_it_is_dropped() {
        let limits = Limits::new(10, 2);
        let first = limits.stream("acme");
        let _second = limits.stream("acme");
        assert!(first.is_some() && limits.stream("acme").is_none());
        assert!(limits.stream("other").is_some());
        drop(first);
        assert_eq!(limits.streams("acme"), 1);
        assert!(limits.stream("acme").is_some());
    }
}
