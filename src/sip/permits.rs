use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A fixed number of places for calls. Admission by permit cannot over-admit, however many
/// INVITEs arrive at once, which sampling the load can.
#[derive(Debug, Clone)]
pub struct Permits {
    free: Arc<Semaphore>,
    total: usize,
}

/// One place, given back on drop. Hold it as long as the call holds anything.
#[derive(Debug)]
pub struct Permit {
    _place: OwnedSemaphorePermit,
}

impl Permits {
    /// `total` places.
    pub fn new(total: usize) -> Self {
        let total = total.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(total)), total }
    }

    /// A place, or `None` when all are taken: reject with 503 and Retry-After.
    pub fn try_acquire(&self) -> Option<Permit> {
        let place = self.free.clone().try_acquire_owned().ok()?;
        Some(Permit { _place: place })
    }

    /// How many places there are.
    pub fn total(&self) -> usize {
        self.total
    }

    /// How many are taken now.
    pub fn in_use(&self) -> usize {
        self.total - self.free.available_permits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_out_no_more_than_there_are() {
        let permits = Permits::new(2);
        let held: Vec<_> = std::iter::from_fn(|| permits.try_acquire()).collect();
        assert_eq!(held.len(), 2);
        assert_eq!(permits.in_use(), 2);
    }

    #[test]
    fn a_dropped_permit_is_free_again() {
        let permits = Permits::new(1);
        let first = permits.try_acquire();
        assert!(permits.try_acquire().is_none());
        drop(first);
        assert!(permits.try_acquire().is_some());
    }
}
