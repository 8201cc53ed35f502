use time::OffsetDateTime;
use tokio::{sync::oneshot, time::Instant};

use super::{
    CallEnd, CallEvent, NewCall, Store, StoreError,
    books::{Books, Page},
    writer::{Entry, Order, When},
};

impl Store {
    /// Writes that a call has begun, with its event `call.started`. Waits some seconds for a database
    /// that is away.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the id is taken.
    pub async fn begin_call(&self, call: NewCall) -> Result<(), StoreError> {
        self.order(Order::Begin { call: Box::new(call), asked: Instant::now() }).await
    }

    /// Appends events to a call that is under way, in the order given.
    ///
    /// # Errors
    /// [`StoreError::NotUnderWay`] when there is no such call.
    pub async fn append_events(&self, id: &str, events: &[CallEvent]) -> Result<(), StoreError> {
        let when = When::UnderWay;
        self.order(Order::Events { call: id.to_owned(), events: events.to_vec(), when }).await
    }

    /// Appends an event to a call, also when it is over, such as a disposition that was changed.
    ///
    /// # Errors
    /// [`StoreError::NotUnderWay`] when there is no such call.
    pub async fn append_later(&self, id: &str, event: CallEvent) -> Result<(), StoreError> {
        let when = When::Ever;
        self.order(Order::Events { call: id.to_owned(), events: vec![event], when }).await
    }

    /// Gives a call that is over another outcome, with the event that says so: both, or nothing.
    ///
    /// # Errors
    /// [`StoreError::NotUnderWay`] when there is no such call, or it is not over yet.
    pub async fn correct_disposition(
        &self,
        id: &str,
        disposition: &str,
        event: CallEvent,
    ) -> Result<(), StoreError> {
        let (call, disposition) = (id.to_owned(), disposition.to_owned());
        self.order(Order::Correct { call, disposition, event }).await
    }

    /// Has events of a call that is under way written soon, in the order given, and waits for nothing.
    ///
    /// # Errors
    /// Gives them back when too much waits to be written already.
    pub fn log_events(&self, id: &str, events: Vec<CallEvent>) -> Result<(), Vec<CallEvent>> {
        let order = Order::Events { call: id.to_owned(), events, when: When::UnderWay };
        self.orders.try_send(Entry { order, done: None }).map_err(|refused| {
            match refused.into_inner().order {
                Order::Events { events, .. } => events,
                _ => Vec::new(),
            }
        })
    }

    /// Writes that a call is over, with the events not yet appended and `call.ended`: all of it, or
    /// nothing. Waits for a database that is away until it is back.
    ///
    /// # Errors
    /// [`StoreError::NotUnderWay`] when there is no such call, or it is finished already.
    pub async fn finish_call(
        &self,
        id: &str,
        end: CallEnd,
        events: &[CallEvent],
    ) -> Result<(), StoreError> {
        let (call, end, events) = (id.to_owned(), Box::new(end), events.to_vec());
        self.order(Order::Finish { call, end, events }).await
    }

    /// Waits until everything that was ordered before is written.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when the store was closed.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.order(Order::Flush).await
    }

    async fn order(&self, order: Order) -> Result<(), StoreError> {
        let (done, written) = oneshot::channel();
        let entry = Entry { order, done: Some(done) };
        self.orders.send(entry).await.map_err(|_| StoreError::Closed)?;
        written.await.map_err(|_| StoreError::Closed)?
    }

    /// Marks calls that were never finished: those of this node where several services share a database.
    pub(super) async fn mark_interrupted(&self, node: &str) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM calls WHERE end_reason IS NULL AND ($1 IS NULL OR node = $1)",
        )
        .bind(self.db.is_server().then_some(node))
        .fetch_all(&mut *tx)
        .await
        .map_err(|e| self.error(e))?;
        if ids.is_empty() {
            return Ok(());
        }
        let mut books = Books::new(self.db.clone(), node.to_owned());
        let mut page = Page::default();
        for id in &ids {
            books.end_without_record(&mut tx, &mut page, id, "interrupted").await?;
        }
        books.insert(&mut tx, &page).await?;
        tx.commit().await.map_err(|e| self.error(e))?;
        tracing::warn!(calls = ids.len(), "calls were interrupted by a crash");
        Ok(())
    }
}

pub(super) fn unix_ms(t: OffsetDateTime) -> i64 {
    // The years that OffsetDateTime covers fit.
    (t.unix_timestamp_nanos() / 1_000_000) as i64
}

pub(super) fn saturate(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
