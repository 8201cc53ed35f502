//! A language model behind real HTTP: one that streams, stalls, dies, refuses and talks nonsense.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod llm_support;
mod service_support;
mod sip_support;

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use hotline::{
    audio::{CallTime, Manner},
    dialog::{ActionOffer, BargeIn, Generate, Generated, Say, Speaker, Utterance},
    llm::{Llm, LlmConfig},
    service::Config,
    text::{Lang, Phrase},
};
use llm_support::{Act, FakeModel, call, content, finish};
use serde_json::json;
use service_support::Running;
use tokio::{net::TcpListener, sync::oneshot, time::timeout};

fn config(url: &str) -> LlmConfig {
    let toml = format!("url = \"{url}\"\nmodel = \"test-7b\"\n");
    toml::from_str(&toml).unwrap()
}

fn llm(config: LlmConfig) -> Llm {
    Llm::new(&BTreeMap::from([("default".to_owned(), config)])).unwrap()
}

fn said(by: Speaker, text: &str) -> Utterance {
    Utterance { by, at: CallTime::ZERO, text: text.to_owned() }
}

fn request() -> Generate {
    let phrase = Phrase { lang: Lang::En, pieces: Vec::new() };
    let filler =
        Say { phrase, barge_in: BargeIn::Any, node: "main.talk".into(), manner: Manner::USUAL };
    Generate {
        model: None,
        lang: Lang::En,
        instructions: "Be brief.".into(),
        history: vec![
            said(Speaker::Bot, "Hello."),
            said(Speaker::Caller, "Hi."),
            said(Speaker::Caller, "Is it late?"),
        ],
        actions: vec![ActionOffer {
            name: "renew".into(),
            description: "keep it longer".into(),
            parameters: json!({"type": "object"}),
        }],
        first_word: Duration::from_millis(400),
        deadline: Duration::from_millis(1_200),
        filler,
        withheld: Vec::new(),
    }
}

/// All parts of the answer of a model that does `acts`.
async fn answer(acts: Vec<Act>) -> Vec<Generated> {
    let fake = FakeModel::serve(vec![acts]).await;
    let mut answer = llm(config(&fake.url())).ask(request());
    let mut parts = Vec::new();
    loop {
        let part = timeout(Duration::from_secs(5), answer.next()).await.expect("no end");
        let last = !matches!(part, Generated::Sentence(_));
        parts.push(part);
        if last {
            return parts;
        }
    }
}

fn sentence(text: &str) -> Generated {
    Generated::Sentence(text.to_owned())
}

/// The problem of an answer that failed after those sentences.
fn problem(parts: &[Generated]) -> (usize, &str) {
    match parts {
        [sentences @ .., Generated::Failed(problem)] => (sentences.len(), problem),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_is_asked_in_the_protocol_of_openai() {
    let fake =
        FakeModel::serve(vec![vec![Act::Stream(vec![content("Yes."), finish("stop")])]]).await;
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    fs::write(&key, "s3cret\n").unwrap();
    let mut config = config(&fake.url());
    config.key_file = Some(key);
    config.extra = serde_json::from_value(json!({"top_p": 0.9})).unwrap();
    let mut answer = llm(config).ask(request());
    assert_eq!(answer.next().await, sentence("Yes."));
    assert_eq!(answer.next().await, Generated::Finished);
    let seen = fake.seen();
    let (head, body) = &seen[0];
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("authorization: bearer s3cret\r\n"), "{head}");
    assert_eq!(body["model"], "test-7b");
    assert_eq!((&body["stream"], &body["top_p"]), (&json!(true), &json!(0.9)));
    assert_eq!(
        body["messages"],
        json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "(calls)"},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "Hi. Is it late?"},
        ])
    );
    assert_eq!(body["tools"][0]["function"]["name"], "renew");
}

#[tokio::test]
async fn the_first_sentence_is_there_before_the_server_has_finished() {
    let (go_on, gate) = oneshot::channel();
    let acts = vec![
        Act::Stream(vec![content("It is late."), content(" But")]),
        Act::Gate(gate),
        Act::Stream(vec![content(" free."), finish("stop")]),
    ];
    let fake = FakeModel::serve(vec![acts]).await;
    let mut answer = llm(config(&fake.url())).ask(request());
    assert_eq!(answer.next().await, sentence("It is late."));
    // Only now does the server write on.
    go_on.send(()).unwrap();
    assert_eq!(answer.next().await, sentence("But free."));
    assert_eq!(answer.next().await, Generated::Finished);
}

#[tokio::test]
async fn an_action_comes_with_its_arguments() {
    let acts = vec![Act::Stream(vec![
        content("Sure."),
        call("renew", "{\"da"),
        call("", "ys\": 3}"),
        finish("tool_calls"),
    ])];
    let action = Generated::Action { name: "renew".into(), arguments: "{\"days\": 3}".into() };
    assert_eq!(answer(acts).await, [sentence("Sure."), action]);
}

#[tokio::test]
async fn a_model_that_never_begins_fails_when_the_first_word_is_due() {
    let (_keep, gate) = oneshot::channel();
    let parts = answer(vec![Act::Stream(vec![]), Act::Gate(gate)]).await;
    assert_eq!(problem(&parts), (0, "no first word in time"));
}

#[tokio::test]
async fn a_model_that_thinks_too_long_has_not_begun() {
    let (_keep, gate) = oneshot::channel();
    let parts = answer(vec![Act::Stream(vec![content("<think>Well,")]), Act::Gate(gate)]).await;
    assert_eq!(problem(&parts), (0, "no first word in time"));
}

#[tokio::test]
async fn a_model_that_stalls_in_the_middle_fails_at_the_deadline() {
    let (_keep, gate) = oneshot::channel();
    let parts = answer(vec![Act::Stream(vec![content("It is late. But")]), Act::Gate(gate)]).await;
    assert_eq!(problem(&parts), (1, "its answer took too long"));
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_has_failed() {
    let parts = answer(vec![Act::Stream(vec![content("It is late. But")]), Act::Die]).await;
    let (sentences, problem) = problem(&parts);
    assert_eq!(sentences, 1);
    assert!(problem.starts_with("the answer broke off"), "{problem}");
    // An end in good order, but of half an answer, is none either.
    let parts = answer(vec![Act::Stream(vec![content("It is late. But")])]).await;
    assert_eq!(self::problem(&parts), (1, "the answer broke off"));
}

#[tokio::test]
async fn garbage_is_no_answer() {
    let parts = answer(vec![Act::Stream(vec!["<html>".to_owned()])]).await;
    assert_eq!(problem(&parts), (0, "this is no part of an answer: <html>"));
    let parts =
        answer(vec![Act::Raw("\x16\x03\x01 not HTTP at all\r\n\r\n".into()), Act::Die]).await;
    assert_eq!(problem(&parts).0, 0);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello";
    let parts = answer(vec![Act::Raw(head.into())]).await;
    assert_eq!(problem(&parts).1, "it answers with text/html, not with a stream of events");
}

#[tokio::test]
async fn a_refusal_is_told_in_the_servers_words() {
    let head =
        "HTTP/1.1 500 Oops\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nout of memory";
    let parts = answer(vec![Act::Raw(head.into())]).await;
    assert_eq!(problem(&parts).1, "HTTP 500: out of memory");
}

#[tokio::test]
async fn a_server_that_is_not_there_fails_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut answer = llm(config(&format!("http://{address}/v1"))).ask(request());
    let Generated::Failed(problem) = answer.next().await else { panic!("it answered") };
    assert!(problem.starts_with("it cannot be reached"), "{problem}");
    let mut answer = Llm::default().ask(request());
    let none = "no language model `default` is configured: add [llm.default]";
    assert_eq!(answer.next().await, Generated::Failed(none.into()));
}

#[tokio::test]
async fn over_tls_it_is_asked_when_its_authority_is_trusted() {
    let acts = || vec![Act::Stream(vec![content("Yes."), finish("stop")])];
    let (fake, certificate) = FakeModel::serve_tls(vec![acts(), acts()]).await;
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    fs::write(&ca, certificate).unwrap();
    let mut answer = llm(config(&fake.tls_url())).ask(request());
    let Generated::Failed(problem) = answer.next().await else { panic!("it trusts anybody") };
    assert!(problem.starts_with("TLS: "), "{problem}");
    let mut answer = llm(LlmConfig { ca: Some(ca), ..config(&fake.tls_url()) }).ask(request());
    assert_eq!(answer.next().await, sentence("Yes."));
    assert_eq!(answer.next().await, Generated::Finished);
}

#[tokio::test]
async fn an_answer_that_nobody_wants_ends_the_connection() {
    let (_keep, gate) = oneshot::channel();
    let fake =
        FakeModel::serve(vec![vec![Act::Stream(vec![content("One. Two")]), Act::Gate(gate)]]).await;
    let mut answer = llm(config(&fake.url())).ask(request());
    assert_eq!(answer.next().await, sentence("One."));
    drop(answer);
    fake.closed().await;
}

#[test]
fn wrong_configuration_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let absent = Some(dir.path().join("absent"));
    for (config, said) in [
        (config("127.0.0.1:8080"), "llm.default.url `127.0.0.1:8080`"),
        (config("ftp://example.net"), "it does not begin with http: or https:"),
        (config("http://me:pw@example.net/v1"), "it has a query or a user in it"),
        (LlmConfig { key_file: absent.clone(), ..config("http://h/v1") }, "llm.default.key_file"),
        (LlmConfig { ca: absent, ..config("https://h/v1") }, "check llm.default.ca"),
    ] {
        let models = BTreeMap::from([("default".to_owned(), config)]);
        let Err(error) = Llm::new(&models) else { panic!("{said}: it was taken") };
        assert!(error.to_string().contains(said), "{error}");
    }
}

const PLAN: &str = r#"dialplan: talk
version: 1
language: en
voices: {en: en-hibari}
start: main.talk
defaults: {wait: 5s, no_input: ["Hello?"], no_match: ["Sorry?"], give_up: main.bye}
flows:
  main:
    talk: {llm: "Greet the caller.", deadline: 30s, first_word: 20s, fail: bye}
    bye: {say: "Goodbye.", hang_up: no_model}
"#;

fn with_model(config: &mut Config, dir: &Path, url: &str) {
    let dialplan = dir.join("talk.yaml");
    fs::write(&dialplan, PLAN).unwrap();
    config.numbers.truncate(1);
    config.numbers[0].dialplan = dialplan;
    config.llm.insert("default".to_owned(), self::config(url));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_call_its_first_sentence_sounds_before_the_server_has_finished() {
    let (go_on, gate) = oneshot::channel();
    let acts = vec![
        Act::Stream(vec![content("Good morning."), content(" How")]),
        Act::Gate(gate),
        Act::Stream(vec![content(" can I help?"), finish("stop")]),
    ];
    let fake = FakeModel::serve(vec![acts]).await;
    let dir = tempfile::tempdir().unwrap();
    let configure = |config: &mut Config| with_model(config, dir.path(), &fake.url());
    let Some(service) = Running::new(39_000, configure).await else { return };
    let mut live = service.live.watch();
    let caller = service.call("talk").await;
    // The server does not write on before this has sounded.
    llm_support::told(&mut live, "Good morning.").await;
    go_on.send(()).unwrap();
    llm_support::told(&mut live, "How can I help?").await;
    caller.ask("BYE", 2, "bye", "", "").await;
    let record = service.record("talk").await;
    let events: Vec<String> =
        record.events.iter().map(|e| format!("{} {}", e.kind, e.data)).collect();
    assert!(events.iter().any(|e| e.contains("model_asked")), "{events:#?}");
    let journal = fs::read_to_string(record.journal.unwrap()).unwrap();
    assert_eq!(hotline::conversation::journal::replay(&journal).unwrap().difference, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_call_a_server_that_dies_leads_to_the_fall_back() {
    let fake = FakeModel::serve(vec![vec![Act::Stream(vec![content("Good")]), Act::Die]]).await;
    let dir = tempfile::tempdir().unwrap();
    let configure = |config: &mut Config| with_model(config, dir.path(), &fake.url());
    let Some(service) = Running::new(40_000, configure).await else { return };
    let caller = service.call("dies").await;
    let bye = caller.request("BYE").await;
    caller.respond(&bye, "200 OK", "", "").await;
    let record = service.record("dies").await;
    assert_eq!(record.summary.disposition.as_deref(), Some("no_model"));
}
