//! Inference threads behind a bounded, deadline-ordered queue.
//!
//! Models run here and never on the async runtime's threads. Live turns go before prefetch and
//! prefetch before batch; within a class the earliest deadline goes first. A deadline orders, it
//! does not expire: who no longer wants a result drops its [`Ticket`].
//!
//! An engine may compute with several threads of its own, which wait for each other in busy loops.
//! More of them than cores, and each waits for one that does not run: telephone numbers in Mandarin,
//! three callers at once, took over 6 s instead of 0.6 s. So a job says how many threads it
//! keeps busy, and only as many run at once as are there.

mod queue;

use std::{
    any::Any,
    future::Future,
    io,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    thread,
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

use queue::Shared;

/// How many threads there are and how much may wait for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchedulerConfig {
    /// Threads that jobs may keep busy at once; as many as there are cores for them.
    pub threads: NonZeroUsize,
    /// Jobs that may wait; one more is refused.
    pub queue: usize,
}

/// Who is waiting for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A caller, now.
    Live,
    /// A caller, perhaps soon.
    Prefetch,
    /// Nobody.
    Batch,
}

/// The queue is full: the caller must do without, or try later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the inference queue is full ({0} jobs wait): raise `queue` or `threads`, or take fewer calls"
)]
pub struct QueueFull(pub usize);

/// Why a job has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// It panicked, saying this.
    #[error("an inference job panicked: {0}")]
    Panicked(String),
    /// It was cancelled, or the scheduler shut down before it ran.
    #[error("an inference job was cancelled before it ran")]
    Cancelled,
}

/// What the scheduler is doing and has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SchedulerStats {
    /// Jobs waiting now.
    pub waiting: usize,
    /// Jobs running now.
    pub running: usize,
    /// Jobs that ran to their end.
    pub finished: u64,
    /// Jobs that panicked.
    pub panicked: u64,
    /// Jobs skipped because nobody wanted them any more.
    pub skipped: u64,
    /// Jobs refused because the queue was full.
    pub refused: u64,
    /// How long the jobs that were started had waited, in all.
    pub waited: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
}

/// Threads that run jobs in order of urgency. Dropping it skips what waits, lets what runs
/// finish, and joins the threads.
pub struct Scheduler {
    shared: Arc<Shared>,
    threads: Vec<thread::JoinHandle<()>>,
}

/// The promise of a job's result: await it. Dropping it cancels the job unless it has started.
#[must_use = "dropping a ticket cancels its job"]
pub struct Ticket<T> {
    result: oneshot::Receiver<Result<T, JobError>>,
    cancel: CancelOnDrop,
}

impl Scheduler {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system has no thread left to give.
    pub fn start(config: SchedulerConfig) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(config.threads.get(), config.queue));
        let mut scheduler = Self { shared, threads: Vec::new() };
        for number in 0..config.threads.get() {
            let shared = Arc::clone(&scheduler.shared);
            let thread = thread::Builder::new().name(format!("inference-{number}"));
            scheduler.threads.push(thread.spawn(move || shared.work())?);
        }
        Ok(scheduler)
    }

    /// Queues a job that should be done by `deadline` and keeps `threads` threads busy; of more than
    /// there are, it has all.
    ///
    /// # Errors
    /// [`QueueFull`] when as many jobs wait as may.
    pub fn submit<T: Send + 'static>(
        &self,
        class: Class,
        deadline: Instant,
        threads: usize,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Ticket<T>, QueueFull> {
        let (sender, result) = oneshot::channel();
        let cancelled = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&self.shared);
        let run = Box::new(move || {
            let outcome = catch_unwind(AssertUnwindSafe(job)).map_err(panic_message);
            shared.ended(outcome.is_ok());
            // Nobody may be waiting any more.
            let _ = sender.send(outcome.map_err(JobError::Panicked));
        });
        self.shared.push(class, deadline, threads, Arc::clone(&cancelled), run)?;
        Ok(Ticket { result, cancel: CancelOnDrop(cancelled) })
    }

    /// Queue depth and waits.
    pub fn stats(&self) -> SchedulerStats {
        self.shared.stats()
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.shared.close();
        for thread in self.threads.drain(..) {
            // A thread ends only when told to: jobs' panics are caught.
            let _ = thread.join();
        }
    }
}

impl<T> Ticket<T> {
    /// Cancels the job unless it has started; the same as dropping the ticket.
    pub fn cancel(self) {
        drop(self.cancel);
    }

    /// Waits on a thread that is not the async runtime's.
    ///
    /// # Errors
    /// As for awaiting the ticket.
    ///
    /// # Panics
    /// When called from an async task.
    pub fn wait(self) -> Result<T, JobError> {
        let Self { result, cancel: _cancel } = self;
        result.blocking_recv().unwrap_or(Err(JobError::Cancelled))
    }
}

impl<T> Future for Ticket<T> {
    type Output = Result<T, JobError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.result)
            .poll(cx)
            .map(|received| received.unwrap_or(Err(JobError::Cancelled)))
    }
}

struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn panic_message(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().map_or("no message", |text| text).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    fn one_thread(queue: usize) -> Scheduler {
        Scheduler::start(SchedulerConfig { threads: NonZeroUsize::MIN, queue }).unwrap()
    }

    fn in_ms(ms: u64) -> Instant {
        Instant::now() + Duration::from_millis(ms)
    }

    /// Keeps the only thread busy until told, so that what follows queues up.
    fn block(scheduler: &Scheduler) -> (SyncSender<()>, Ticket<()>) {
        let (open, gate): (SyncSender<()>, Receiver<()>) = sync_channel(1);
        let (started, running) = sync_channel(1);
        let ticket = scheduler
            .submit(Class::Live, Instant::now(), 1, move || {
                started.send(()).unwrap();
                gate.recv().unwrap();
            })
            .unwrap();
        running.recv().unwrap();
        (open, ticket)
    }

    #[tokio::test]
    async fn a_job_gives_its_result() {
        let scheduler = one_thread(1);
        let ticket = scheduler.submit(Class::Live, in_ms(100), 1, || 6 * 7).unwrap();
        assert_eq!(ticket.await, Ok(42));
        let stats = scheduler.stats();
        assert_eq!((stats.finished, stats.running, stats.waiting), (1, 0, 0));
    }

    #[test]
    fn live_goes_before_prefetch_before_batch_then_the_earliest_deadline() {
        let scheduler = one_thread(8);
        let (open, blocker) = block(&scheduler);
        let (done, order) = sync_channel(8);
        let now = Instant::now();
        let tickets: Vec<Ticket<()>> = [
            (Class::Batch, 10, "batch"),
            (Class::Live, 900, "live, later"),
            (Class::Prefetch, 10, "prefetch"),
            (Class::Live, 100, "live, soon"),
            (Class::Live, 100, "live, soon, second"),
        ]
        .into_iter()
        .map(|(class, ms, name)| {
            let done = done.clone();
            let job = move || done.send(name).unwrap();
            scheduler.submit(class, now + Duration::from_millis(ms), 1, job).unwrap()
        })
        .collect();
        assert_eq!(scheduler.stats().waiting, 5);
        open.send(()).unwrap();
        blocker.wait().unwrap();
        tickets.into_iter().for_each(|ticket| ticket.wait().unwrap());
        assert_eq!(
            order.try_iter().collect::<Vec<_>>(),
            ["live, soon", "live, soon, second", "live, later", "prefetch", "batch"]
        );
    }

    #[test]
    fn jobs_that_want_all_threads_run_one_at_a_time_and_are_not_passed_over() {
        let two = NonZeroUsize::new(2).unwrap();
        let scheduler = Scheduler::start(SchedulerConfig { threads: two, queue: 8 }).unwrap();
        let (open, blocker) = block(&scheduler);
        let (done, order) = sync_channel(8);
        let now = Instant::now();
        let busy = Arc::new(AtomicBool::new(false));
        let tickets: Vec<Ticket<()>> = [(2, "wide"), (1, "narrow"), (9, "too wide")]
            .into_iter()
            .map(|(threads, name)| {
                let (done, busy) = (done.clone(), Arc::clone(&busy));
                let job = move || {
                    assert!(!busy.swap(threads > 1, Ordering::SeqCst), "beside a wide job");
                    done.send(name).unwrap();
                    thread::sleep(Duration::from_millis(5));
                    busy.store(false, Ordering::SeqCst);
                };
                scheduler.submit(Class::Live, now, threads, job).unwrap()
            })
            .collect();
        // One thread is free; the wide job that is first in line keeps it.
        thread::sleep(Duration::from_millis(20));
        assert_eq!((scheduler.stats().running, scheduler.stats().waiting), (1, 3));
        open.send(()).unwrap();
        blocker.wait().unwrap();
        tickets.into_iter().for_each(|ticket| assert_eq!(ticket.wait(), Ok(())));
        assert_eq!(order.try_iter().collect::<Vec<_>>(), ["wide", "narrow", "too wide"]);
    }

    #[test]
    fn a_full_queue_refuses() {
        let scheduler = one_thread(1);
        let (open, blocker) = block(&scheduler);
        let waiting = scheduler.submit(Class::Live, in_ms(1), 1, || ()).unwrap();
        assert_eq!(scheduler.submit(Class::Live, in_ms(1), 1, || ()).err(), Some(QueueFull(1)));
        assert_eq!(scheduler.stats().refused, 1);
        open.send(()).unwrap();
        blocker.wait().unwrap();
        waiting.wait().unwrap();
    }

    #[test]
    fn a_dropped_ticket_skips_its_job_and_makes_room() {
        let scheduler = one_thread(1);
        let (open, blocker) = block(&scheduler);
        let job = || -> u8 { panic!("ran") };
        let unwanted = scheduler.submit(Class::Live, in_ms(1), 1, job).unwrap();
        unwanted.cancel();
        let wanted = scheduler.submit(Class::Batch, in_ms(1), 1, || "wanted").unwrap();
        open.send(()).unwrap();
        blocker.wait().unwrap();
        assert_eq!(wanted.wait(), Ok("wanted"));
        let stats = scheduler.stats();
        assert_eq!((stats.skipped, stats.panicked), (1, 0));
    }

    #[test]
    fn a_panicking_job_does_not_kill_the_thread() {
        let scheduler = one_thread(2);
        let job = || -> u8 { panic!("no such word: {}", 7) };
        let bad = scheduler.submit(Class::Live, in_ms(1), 1, job).unwrap();
        assert_eq!(bad.wait(), Err(JobError::Panicked("no such word: 7".to_owned())));
        let good = scheduler.submit(Class::Live, in_ms(1), 1, || 1).unwrap();
        assert_eq!(good.wait(), Ok(1));
        assert_eq!(scheduler.stats().panicked, 1);
    }

    #[test]
    fn shutting_down_cancels_what_waits_and_finishes_what_runs() {
        let scheduler = one_thread(2);
        let (open, blocker) = block(&scheduler);
        let waiting = scheduler.submit(Class::Live, in_ms(1), 1, || ()).unwrap();
        open.send(()).unwrap();
        // The blocker may end before or after the drop begins; both ways `waiting` ends.
        drop(scheduler);
        assert_eq!(blocker.wait(), Ok(()));
        assert!(matches!(waiting.wait(), Ok(()) | Err(JobError::Cancelled)));
    }
}
