//! A CRM that takes events over gRPC, and goes away and comes back.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use hotline::crm::proto::{
    DeliverRequest, DeliverResponse, Event,
    event_sink_server::{EventSink, EventSinkServer},
};
use tokio::{net::TcpListener, task::JoinSet};
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

type Taken = Arc<Mutex<Vec<(String, Event)>>>;

pub(crate) struct CrmSink {
    at: SocketAddr,
    taken: Taken,
    server: JoinSet<()>,
}

struct Service(Taken);

#[tonic::async_trait]
impl EventSink for Service {
    async fn deliver(
        &self,
        request: Request<DeliverRequest>,
    ) -> Result<Response<DeliverResponse>, Status> {
        let DeliverRequest { event, idempotency_key } = request.into_inner();
        self.0.lock().unwrap().push((idempotency_key, event.unwrap()));
        Ok(Response::new(DeliverResponse {}))
    }
}

impl CrmSink {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let mut sink = Self { at, taken: Taken::default(), server: JoinSet::new() };
        sink.serve(listener);
        sink
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    pub(crate) fn stop(&mut self) {
        self.server = JoinSet::new();
    }

    pub(crate) async fn resume(&mut self) {
        self.serve(TcpListener::bind(self.at).await.unwrap());
    }

    fn serve(&mut self, listener: TcpListener) {
        let service = EventSinkServer::new(Service(Arc::clone(&self.taken)));
        self.server.spawn(async move {
            let incoming = TcpIncoming::from(listener);
            Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
        });
    }

    pub(crate) fn count(&self) -> usize {
        self.taken.lock().unwrap().len()
    }

    pub(crate) fn distinct(&self) -> usize {
        super::distinct(&self.taken.lock().unwrap())
    }
}
