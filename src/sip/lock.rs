use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks what stays whole even when a holder panics, so that a poisoned lock is still good.
pub(super) fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}
