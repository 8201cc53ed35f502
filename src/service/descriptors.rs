//! Room for the sockets and files of all calls: many systems allow a process 1,024 until it asks for more.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// A call has two sockets and two files, and two sockets more while it is handed over.
const A_CALL: u64 = 6;
/// Listeners, database, dialplans, connections of streams.
const OURS: u64 = 256;

/// Asks the system for what `calls` at once need; says so when it does not give that.
pub(super) fn allow(calls: usize) {
    let wanted = OURS + A_CALL * calls as u64;
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return };
    let Some(limit) = limit(wanted, soft, hard) else { return };
    let raised = setrlimit(Resource::RLIMIT_NOFILE, limit, hard);
    if raised.is_err() || limit < wanted {
        tracing::warn!(
            wanted,
            allowed = if raised.is_ok() { limit } else { soft },
            "sip.max_calls need more open files than this process may have: raise its hard limit (ulimit -Hn, LimitNOFILE)"
        );
    }
}

/// What to set the soft limit to; `None` when it will do.
fn limit(wanted: u64, soft: u64, hard: u64) -> Option<u64> {
    (soft < wanted).then(|| wanted.min(hard))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_raised_as_far_as_it_is_needed_and_may_be() {
        assert_eq!(limit(856, 1_024, 4_096), None);
        assert_eq!(limit(3_256, 1_024, 4_096), Some(3_256));
        assert_eq!(limit(9_256, 1_024, 4_096), Some(4_096));
    }
}
