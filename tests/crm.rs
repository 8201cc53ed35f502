//! What dialplans ask as tools reaches a CRM over gRPC, and comes back in time or not at all.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use hotline::{
    audio::Manner,
    crm::{
        Crm, CrmConfig,
        proto::{
            InvokeRequest, InvokeResponse,
            crm_server::{Crm as Service, CrmServer},
        },
    },
    dialog::{BargeIn, Invoke, InvokeResult, Say},
    text::{Lang, Phrase},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

/// A request, and the token that came with it.
type Seen = (InvokeRequest, Option<String>);

/// A CRM that tells what it was asked.
#[derive(Clone, Default)]
struct FakeCrm {
    seen: Arc<Mutex<Vec<Seen>>>,
    failures: Arc<AtomicU32>,
}

#[tonic::async_trait]
impl Service for FakeCrm {
    async fn invoke(
        &self,
        request: Request<InvokeRequest>,
    ) -> Result<Response<InvokeResponse>, Status> {
        let token = request.metadata().get("authorization").map(|v| v.to_str().unwrap().to_owned());
        let request = request.into_inner();
        self.seen.lock().unwrap().push((request.clone(), token));
        if self.failures.load(Ordering::SeqCst) > 0 {
            self.failures.fetch_sub(1, Ordering::SeqCst);
            return Err(Status::unavailable("starting"));
        }
        match request.tool.as_str() {
            "slow" => tokio::time::sleep(Duration::from_secs(60)).await,
            "locked" => return Err(Status::failed_precondition("the account is locked")),
            _ => {}
        }
        let fields = [("name".to_owned(), "Maria".to_owned())].into();
        Ok(Response::new(InvokeResponse { fields }))
    }
}

impl FakeCrm {
    async fn serve(&self) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        (listener.local_addr().unwrap(), self.serve_on(listener))
    }

    fn serve_on(&self, listener: TcpListener) -> JoinHandle<()> {
        let incoming = TcpIncoming::from(listener);
        let server = Server::builder().add_service(CrmServer::new(self.clone()));
        tokio::spawn(async move { server.serve_with_incoming(incoming).await.unwrap() })
    }
}

fn crm_at(address: SocketAddr) -> Crm {
    Crm::new(&CrmConfig { url: Some(format!("http://{address}")), ..CrmConfig::default() }).unwrap()
}

fn asking(tool: &str, repeatable: bool) -> Invoke {
    let phrase = Phrase { lang: Lang::En, pieces: Vec::new() };
    let filler =
        Say { phrase, barge_in: BargeIn::Any, node: "main.ask".into(), manner: Manner::USUAL };
    Invoke {
        tool: tool.into(),
        arguments: BTreeMap::from([("account".into(), "4417902".into())]),
        deadline: Duration::from_millis(1_500),
        repeatable,
        filler,
    }
}

fn problem(result: InvokeResult) -> String {
    match result {
        InvokeResult::Failed(problem) => problem,
        InvokeResult::Done(fields) => panic!("it gave {fields:?}"),
    }
}

#[tokio::test]
async fn the_crm_is_asked_with_call_arguments_and_key_and_its_fields_come_back() {
    let fake = FakeCrm::default();
    let (address, _server) = fake.serve().await;
    let result = crm_at(address).invoke("call-1", 3, asking("balance_of", false)).await;
    assert_eq!(result, InvokeResult::Done([("name".into(), "Maria".into())].into()));
    let (request, token) = fake.seen.lock().unwrap()[0].clone();
    assert_eq!((request.call_id.as_str(), request.tool.as_str()), ("call-1", "balance_of"));
    assert_eq!(request.arguments["account"], "4417902");
    assert_eq!((request.idempotency_key.as_str(), token), ("call-1/3", None));
}

#[tokio::test]
async fn a_refusal_is_told_in_the_words_of_the_crm() {
    let (address, _server) = FakeCrm::default().serve().await;
    let told = problem(crm_at(address).invoke("call-1", 1, asking("locked", true)).await);
    assert_eq!(told, "FailedPrecondition: the account is locked");
}

#[tokio::test]
async fn a_slow_crm_fails_at_the_deadline() {
    let (address, _server) = FakeCrm::default().serve().await;
    let mut invoke = asking("slow", true);
    invoke.deadline = Duration::from_millis(200);
    let told = problem(crm_at(address).invoke("call-1", 1, invoke).await);
    assert!(told.starts_with("DeadlineExceeded") || told.starts_with("Cancelled"), "{told}");
}

#[tokio::test]
async fn what_may_be_repeated_is_repeated_with_the_same_key() {
    let fake = FakeCrm::default();
    fake.failures.store(2, Ordering::SeqCst);
    let (address, _server) = fake.serve().await;
    let result = crm_at(address).invoke("call-1", 7, asking("balance_of", true)).await;
    assert!(matches!(result, InvokeResult::Done(_)), "{result:?}");
    let seen = fake.seen.lock().unwrap();
    let keys: Vec<&str> = seen.iter().map(|(r, _)| r.idempotency_key.as_str()).collect();
    assert_eq!(keys, ["call-1/7"; 3]);
}

#[tokio::test]
async fn what_may_not_be_repeated_is_asked_once() {
    let fake = FakeCrm::default();
    fake.failures.store(1, Ordering::SeqCst);
    let (address, _server) = fake.serve().await;
    let told = problem(crm_at(address).invoke("call-1", 1, asking("pay", false)).await);
    assert_eq!(told, "Unavailable: starting");
    assert_eq!(fake.seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_crm_that_starts_later_is_found_then() {
    let fake = FakeCrm::default();
    let reserved = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let crm = crm_at(address);
    let told = problem(crm.invoke("a", 1, asking("x", false)).await);
    assert!(told.starts_with("Unavailable"), "{told}");
    let _server = fake.serve_on(TcpListener::bind(address).await.unwrap());
    let result = crm.invoke("a", 2, asking("x", true)).await;
    assert!(matches!(result, InvokeResult::Done(_)), "{result:?}");
}

#[tokio::test]
async fn a_token_is_sent_as_a_bearer() {
    let fake = FakeCrm::default();
    let (address, _server) = fake.serve().await;
    let dir = tempfile::tempdir().unwrap();
    let token_file = dir.path().join("token");
    std::fs::write(&token_file, "s3cret\n").unwrap();
    let config = CrmConfig {
        url: Some(format!("http://{address}")),
        token_file: Some(token_file),
        ..CrmConfig::default()
    };
    Crm::new(&config).unwrap().invoke("call-1", 1, asking("x", false)).await;
    assert_eq!(fake.seen.lock().unwrap()[0].1.as_deref(), Some("Bearer s3cret"));
}

#[tokio::test]
async fn without_a_crm_every_tool_fails_and_says_why() {
    let told = problem(Crm::default().invoke("call-1", 1, asking("x", true)).await);
    assert_eq!(told, "no CRM is configured: set crm.url");
}

#[test]
fn wrong_configuration_is_named() {
    let with = |url: &str| CrmConfig { url: Some(url.into()), ..CrmConfig::default() };
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let token = |path| CrmConfig { token_file: Some(path), ..CrmConfig::default() };
    for (config, said) in [
        (with("127.0.0.1:50051"), "it has no scheme"),
        (with("http://"), "crm.url `http://`"),
        (token(empty), "a token is one line"),
        (token(dir.path().join("absent")), "crm.token_file"),
    ] {
        let error = Crm::new(&config).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}
