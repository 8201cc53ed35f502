//! A server that speaks, or misspeaks, the protocol of OpenAI.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use hotline::{
    call::live::{Happening, LiveEvent},
    conversation::Note,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::{broadcast, oneshot},
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// What the server does with a request.
pub(crate) enum Act {
    /// Sends events; the first such act also sends the head.
    Stream(Vec<String>),
    /// Waits until it is told to go on.
    Gate(oneshot::Receiver<()>),
    /// Sends this, in place of HTTP.
    Raw(String),
    /// Closes the connection in the middle.
    Die,
}

/// Text of an answer, as an event.
pub(crate) fn content(text: &str) -> String {
    json!({"choices": [{"index": 0, "delta": {"content": text}}]}).to_string()
}

/// A piece of a call of a function, as an event.
pub(crate) fn call(name: &str, arguments: &str) -> String {
    let call = json!({"index": 0, "function": {"name": name, "arguments": arguments}});
    json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}).to_string()
}

/// The last event.
pub(crate) fn finish(reason: &str) -> String {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}).to_string()
}

/// Head and body of a request.
type Seen = (String, Value);

/// A server on loopback.
pub(crate) struct FakeModel {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    closed: Mutex<Option<oneshot::Receiver<()>>>,
}

impl FakeModel {
    /// Serves so many requests, one after the other.
    pub(crate) async fn serve(scripts: Vec<Vec<Act>>) -> Self {
        Self::listen(scripts, None).await
    }

    /// Serves so many requests over TLS as `localhost`; also gives the certificate, in PEM.
    pub(crate) async fn serve_tls(scripts: Vec<Vec<Act>>) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], PrivateKeyDer::from(key))
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        (Self::listen(scripts, Some(acceptor)).await, made.cert.pem())
    }

    async fn listen(scripts: Vec<Vec<Act>>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (close, closed) = oneshot::channel();
        let requests = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut close = Some(close);
            for acts in scripts {
                let (stream, _) = listener.accept().await.unwrap();
                match &tls {
                    None => answer(stream, acts, &requests, &mut close).await,
                    Some(tls) => {
                        // One who does not trust us goes away.
                        let Ok(stream) = tls.accept(stream).await else { continue };
                        answer(stream, acts, &requests, &mut close).await;
                    }
                }
            }
        });
        Self { address, seen, closed: Mutex::new(Some(closed)) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub(crate) fn tls_url(&self) -> String {
        format!("https://localhost:{}/v1", self.address.port())
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until the other side has closed the connection while the server waited at a gate.
    pub(crate) async fn closed(&self) {
        let closed = self.closed.lock().unwrap().take().unwrap();
        timeout(Duration::from_secs(5), closed).await.expect("still open").unwrap();
    }
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    acts: Vec<Act>,
    requests: &Mutex<Vec<Seen>>,
    close: &mut Option<oneshot::Sender<()>>,
) {
    let request = read(&mut stream).await;
    requests.lock().unwrap().push(request);
    act(stream, acts, close).await;
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Seen {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4_096];
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "half a request");
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = format!("{head}\r\n");
        let length = head.to_lowercase();
        let length = length.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        if body.len() >= length {
            return (head, serde_json::from_str(body).unwrap());
        }
    }
}

async fn act(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    acts: Vec<Act>,
    close: &mut Option<oneshot::Sender<()>>,
) {
    let mut begun = false;
    for act in acts {
        match act {
            Act::Stream(events) => {
                if !std::mem::replace(&mut begun, true) {
                    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
                    stream.write_all(head.as_bytes()).await.unwrap();
                }
                for event in events {
                    let event = format!("data: {event}\n\n");
                    let chunk = format!("{:x}\r\n{event}\r\n", event.len());
                    stream.write_all(chunk.as_bytes()).await.unwrap();
                }
                stream.flush().await.unwrap();
            }
            Act::Gate(gate) => {
                let mut byte = [0];
                tokio::select! {
                    opened = gate => assert!(opened.is_ok(), "nobody opens the gate"),
                    _ = stream.read(&mut byte) => {
                        let _ = close.take().map(|close| close.send(()));
                        return;
                    }
                }
            }
            Act::Raw(text) => {
                stream.write_all(text.as_bytes()).await.unwrap();
                return;
            }
            Act::Die => return,
        }
    }
    // The other side may have gone once it has what it wanted.
    let _ = stream.write_all(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n").await;
    let _ = stream.flush().await;
}

/// Waits until the bot has said this to the end.
pub(crate) async fn told(live: &mut broadcast::Receiver<LiveEvent>, words: &str) {
    let heard = async {
        loop {
            let event = live.recv().await.expect("the call is gone");
            if let Happening::Note(Note::Said { text, complete: true, .. }) = event.what
                && text == words
            {
                return;
            }
        }
    };
    timeout(Duration::from_secs(20), heard).await.unwrap_or_else(|_| panic!("never said: {words}"));
}
