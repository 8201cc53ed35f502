//! What waits, in order of urgency, and the threads' side of it.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::time::Instant;

use super::{Class, QueueFull, SchedulerStats};

pub(super) type Run = Box<dyn FnOnce() + Send>;

struct Job {
    /// Threads that it keeps busy.
    threads: usize,
    /// Most urgent first; the number keeps jobs of one deadline in the order they came.
    order: (Class, Instant, u64),
    queued: Instant,
    cancelled: Arc<AtomicBool>,
    run: Run,
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Job {}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Job {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order.cmp(&other.order)
    }
}

#[derive(Default)]
struct Queue {
    jobs: BinaryHeap<Reverse<Job>>,
    submitted: u64,
    /// Threads that the running jobs keep busy.
    busy: usize,
    closed: bool,
    stats: SchedulerStats,
}

/// The queue as the threads and the scheduler share it.
pub(super) struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
    /// Threads that running jobs may keep busy.
    threads: usize,
    /// Jobs that may wait.
    limit: usize,
}

impl Shared {
    /// An empty queue in which `limit` jobs may wait, for `threads` threads.
    pub(super) fn new(threads: usize, limit: usize) -> Self {
        Self { queue: Mutex::new(Queue::default()), work: Condvar::new(), threads, limit }
    }

    /// Jobs are neither run nor dropped under the lock: they are others' code.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a job, unless too many wait.
    pub(super) fn push(
        &self,
        class: Class,
        deadline: Instant,
        threads: usize,
        cancelled: Arc<AtomicBool>,
        run: Run,
    ) -> Result<(), QueueFull> {
        let mut queue = self.lock();
        let unwanted = if queue.jobs.len() >= self.limit { queue.cancelled() } else { Vec::new() };
        if queue.jobs.len() >= self.limit {
            queue.stats.refused += 1;
            return Err(QueueFull(queue.jobs.len()));
        }
        queue.submitted += 1;
        let order = (class, deadline, queue.submitted);
        let threads = threads.clamp(1, self.threads);
        queue.jobs.push(Reverse(Job { threads, order, queued: Instant::now(), cancelled, run }));
        drop(queue);
        self.work.notify_one();
        drop(unwanted);
        Ok(())
    }

    /// What each thread does.
    pub(super) fn work(&self) {
        while let Some(job) = self.next() {
            let threads = job.threads;
            (job.run)();
            self.lock().busy -= threads;
            self.work.notify_all();
        }
    }

    /// Skips what waits and lets the threads end.
    pub(super) fn close(&self) {
        let waiting = {
            let mut queue = self.lock();
            queue.closed = true;
            std::mem::take(&mut queue.jobs)
        };
        self.work.notify_all();
        // Outside the lock: dropping a job runs code of its submitter.
        drop(waiting);
    }

    /// Queue depth and waits.
    pub(super) fn stats(&self) -> SchedulerStats {
        let queue = self.lock();
        SchedulerStats { waiting: queue.jobs.len(), ..queue.stats }
    }

    /// Accounts for a job that ran, whether to its end or to a panic.
    pub(super) fn ended(&self, finished: bool) {
        let stats = &mut self.lock().stats;
        stats.running -= 1;
        stats.finished += u64::from(finished);
        stats.panicked += u64::from(!finished);
    }

    /// Waits until the most urgent job has the threads it wants; `None` when the scheduler shuts down.
    /// A less urgent job that wants fewer does not go first: the other would never have its turn.
    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        while !queue.closed {
            let unwanted = queue.unwanted();
            if !unwanted.is_empty() {
                // Outside the lock: dropping a job runs code of its submitter.
                drop(queue);
                drop(unwanted);
                queue = self.lock();
                continue;
            }
            let free = self.threads.saturating_sub(queue.busy);
            if queue.jobs.peek().is_some_and(|Reverse(job)| job.threads <= free)
                && let Some(Reverse(job)) = queue.jobs.pop()
            {
                queue.started(&job);
                return Some(job);
            }
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }
}

impl Queue {
    /// Accounts for a job that begins to run.
    fn started(&mut self, job: &Job) {
        let wait = job.queued.elapsed();
        self.busy += job.threads;
        self.stats.running += 1;
        self.stats.waited += wait;
        self.stats.longest_wait = self.stats.longest_wait.max(wait);
    }

    /// Takes out the most urgent jobs that nobody wants any more.
    fn unwanted(&mut self) -> Vec<Job> {
        let mut unwanted = Vec::new();
        while self.jobs.peek().is_some_and(|Reverse(job)| job.cancelled.load(Ordering::Relaxed)) {
            unwanted.extend(self.jobs.pop().map(|Reverse(job)| job));
        }
        self.stats.skipped += unwanted.len() as u64;
        unwanted
    }

    /// Takes out what nobody wants, so that it does not keep out what somebody does.
    fn cancelled(&mut self) -> Vec<Job> {
        let (unwanted, wanted) = std::mem::take(&mut self.jobs)
            .into_iter()
            .partition(|Reverse(job)| job.cancelled.load(Ordering::Relaxed));
        self.jobs = wanted;
        let unwanted: BinaryHeap<Reverse<Job>> = unwanted;
        self.stats.skipped += unwanted.len() as u64;
        unwanted.into_iter().map(|Reverse(job)| job).collect()
    }
}
