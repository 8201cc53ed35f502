//! The server itself: health, reflection, TLS, limits.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod api_support;

use std::{fs, path::PathBuf};

use api_support::{Served, with_token};
use hotline::{
    api::{Api, ApiConfig, ApiError},
    proto::{
        CallsListRequest, DialplanSource, DialplansSimulateRequest, DialplansValidateRequest,
        FeedbackGiveRequest, Severity, calls_client::CallsClient,
        dialplans_client::DialplansClient, feedback_client::FeedbackClient,
    },
    store::Role,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tonic::{
    Code,
    transport::{Certificate, Channel, ClientTlsConfig, Identity},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

#[tokio::test]
async fn health_is_told_without_a_token_and_follows_the_service() {
    let served = Served::new().await;
    let mut client = HealthClient::new(served.channel().await);
    let mut status = async || {
        let request = HealthCheckRequest { service: String::new() };
        client.check(request).await.unwrap().into_inner().status
    };
    served.api.ready(true).await;
    assert_eq!(status().await, 1);
    served.api.ready(false).await;
    assert_eq!(status().await, 2);
}

#[tokio::test]
async fn services_and_their_comments_are_found_by_reflection() {
    let served = Served::new().await;
    let mut client = ServerReflectionClient::new(served.channel().await);
    let ask = |message_request| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(message_request),
    };
    let requests = vec![
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol("hotline.v1.Calls".to_owned())),
    ];
    let mut answers =
        client.server_reflection_info(tokio_stream::iter(requests)).await.unwrap().into_inner();
    let first = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(listed) = first else { panic!("{first:?}") };
    let names: Vec<&str> = listed.service.iter().map(|s| s.name.as_str()).collect();
    for name in ["hotline.v1.Calls", "hotline.v1.Events", "grpc.health.v1.Health"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let second = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::FileDescriptorResponse(files) = second else { panic!("{second:?}") };
    let text = String::from_utf8_lossy(&files.file_descriptor_proto[0]).into_owned();
    assert!(text.contains("Has the bot say a sentence"), "comments come along");
}

#[tokio::test]
async fn a_token_that_asks_too_often_is_told_to_wait() {
    let served = Served::with(|config| config.requests_per_second = 5).await;
    let (channel, token) = (served.channel().await, served.token("acme", Role::Operator).await);
    let mut client = CallsClient::new(channel);
    let mut refused = None;
    for _ in 0..100 {
        let request = with_token(&token, CallsListRequest::default());
        if let Err(status) = client.list(request).await {
            refused = Some(status);
            break;
        }
    }
    let refused = refused.expect("a hundred requests at once are too many");
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.message().contains("try again in"), "{}", refused.message());
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused_except_where_dialplans_come() {
    let served = Served::new().await;
    let (channel, token) = (served.channel().await, served.token("acme", Role::Admin).await);
    let large = "x".repeat(100_000);
    let request = FeedbackGiveRequest { utterance: large.clone(), ..Default::default() };
    let mut feedback = FeedbackClient::new(channel.clone());
    let refused = feedback.give(with_token(&token, request)).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{}", refused.message());
    let source = Some(DialplanSource { text: format!("# {large}"), ..Default::default() });
    let mut dialplans = DialplansClient::new(channel);
    let request = with_token(&token, DialplansValidateRequest { source });
    let found = dialplans.validate(request).await.unwrap().into_inner();
    assert!(!found.valid && !found.findings.is_empty());
}

#[tokio::test]
async fn a_dialplan_is_checked_and_tried_before_it_answers_anybody() {
    let served = Served::new().await;
    let token = served.token("acme", Role::Integrator).await;
    let mut client = DialplansClient::new(served.channel().await);
    let text = "dialplan: desk\nversion: 1\nlanguage: zh\nvoices: {zh: zh-xiaoxiao}\nstart: main.ask\n\
        defaults: {no_input: [您好？], no_match: [请再说一遍。], give_up: main.bye}\n\
        intents: {hours: [几点上班, 办公时间]}\n\
        flows:\n  main:\n    ask: {ask: 请问有什么可以帮您？, on: {hours: answer}}\n    \
        answer: {say: 上午九点到下午五点。, hang_up: resolved}\n    bye: {say: 再见。, hang_up: gave_up}\n";
    let source = |text: &str| Some(DialplanSource { text: text.to_owned(), ..Default::default() });
    let request = DialplansValidateRequest { source: source(&text.replace("main.ask", "main.ak")) };
    let found = client.validate(with_token(&token, request)).await.unwrap().into_inner();
    let finding = &found.findings[0];
    assert!(!found.valid);
    assert_eq!((finding.severity(), finding.line), (Severity::Error, 5), "{finding:?}");
    assert!(finding.help.contains("main.ask"), "{finding:?}");

    let request = DialplansSimulateRequest {
        source: source(text),
        turns: vec!["你们几点上班".to_owned()],
        ..Default::default()
    };
    let played = client.simulate(with_token(&token, request)).await.unwrap().into_inner();
    assert_eq!(played.disposition, "resolved", "{played:?}");
    assert_eq!(played.lines.last().unwrap().text, "hangs up: resolved");
    let bot: Vec<&str> =
        played.lines.iter().filter(|l| l.speaker == 2).map(|l| l.text.as_str()).collect();
    assert_eq!(bot, ["请问有什么可以帮您？", "上午九点到下午五点。"]);
}

/// A certificate authority, and what it has issued: files in a folder.
struct Authority {
    dir: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        fs::write(dir.path().join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { dir, issuer: Issuer::new(params, key) }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn issue(&self, name: &str) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.file(&format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(self.file(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

#[tokio::test]
async fn tls_is_spoken_and_clients_without_a_certificate_are_refused_where_one_is_wanted() {
    let authority = Authority::new();
    authority.issue("server");
    authority.issue("client");
    let served = Served::with(|config| {
        config.certificate = Some(authority.file("server.pem"));
        config.key = Some(authority.file("server.key"));
        config.client_ca = Some(authority.file("ca.pem"));
    })
    .await;
    let token = served.token("acme", Role::Operator).await;
    let read = |name: &str| fs::read_to_string(authority.file(name)).unwrap();
    let url = format!("https://localhost:{}", served.address.port());
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read("ca.pem")));
    let ask = async |tls: ClientTlsConfig| {
        let endpoint = Channel::from_shared(url.clone()).unwrap().tls_config(tls).unwrap();
        let mut client = CallsClient::new(endpoint.connect_lazy());
        client.list(with_token(&token, CallsListRequest::default())).await
    };
    let identity = Identity::from_pem(read("client.pem"), read("client.key"));
    ask(tls.clone().identity(identity)).await.unwrap();
    let refused = ask(tls).await.unwrap_err();
    assert!(matches!(refused.code(), Code::Unavailable | Code::Unknown), "{refused:?}");
}

#[tokio::test]
async fn half_of_tls_and_a_missing_file_are_named() {
    let served = Served::new().await;
    let parts = served.parts.clone();
    let listen = Some(([127, 0, 0, 1], 0).into());
    let half = ApiConfig { listen, key: Some("k.pem".into()), ..ApiConfig::default() };
    assert!(matches!(Api::start(&half, parts.clone()).await.err(), Some(ApiError::HalfTls)));
    let missing = ApiConfig {
        listen,
        key: Some("no/k.pem".into()),
        certificate: Some("no/c.pem".into()),
        ..ApiConfig::default()
    };
    let error = Api::start(&missing, parts.clone()).await.err().unwrap().to_string();
    assert!(error.starts_with("api.certificate no/c.pem:"), "{error}");
    let taken = ApiConfig { listen: Some(served.address), ..ApiConfig::default() };
    let error = Api::start(&taken, parts).await.err().unwrap().to_string();
    assert!(error.contains("cannot be listened on"), "{error}");
}
