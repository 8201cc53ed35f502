//! One request over HTTP/1.1, whose answer is read as it comes.

use std::{path::Path, sync::Arc};

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use super::{LlmConfig, LlmError, answer::brief, config::Place};

/// Of what a server says beside a refusal, so much is read.
const REFUSAL: usize = 2_048;

/// How to reach a server.
#[derive(Clone)]
pub(super) struct Server {
    place: Place,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    authorization: Option<HeaderValue>,
    connect: std::time::Duration,
}

/// The body of an answer. Dropping it ends the connection.
pub(super) struct Body {
    incoming: Incoming,
    _connection: JoinSet<()>,
}

impl Server {
    /// The server of the model that the configuration calls `name`.
    pub(super) fn new(name: &str, config: &LlmConfig) -> Result<Self, LlmError> {
        let place = config.place(name)?;
        let tls = place.tls.then(|| tls(name, &place.host, config.ca.as_deref())).transpose()?;
        let authorization = config.authorization(name)?;
        Ok(Self { place, tls, authorization, connect: config.connect() })
    }

    /// Posts a request; gives the body of the answer to it, which is a stream of events.
    ///
    /// # Errors
    /// What is wrong, for the record.
    pub(super) async fn post(&self, body: Vec<u8>) -> Result<Body, String> {
        let mut connection = JoinSet::new();
        let connecting = timeout(self.connect, self.open(&mut connection)).await;
        let mut sender = connecting.map_err(|_| "it cannot be reached in time".to_owned())??;
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(&self.place.path)
            .header(HOST, &self.place.authority)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "text/event-stream");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(told)?;
        let answer = sender.send_request(request).await.map_err(told)?;
        let (status, kind) = (answer.status(), answer.headers().get(CONTENT_TYPE).cloned());
        let mut body = Body { incoming: answer.into_body(), _connection: connection };
        if status != StatusCode::OK {
            return Err(format!("HTTP {}: {}", status.as_u16(), body.refusal().await));
        }
        let kind = kind.as_ref().and_then(|kind| kind.to_str().ok()).unwrap_or("nothing");
        if !kind.starts_with("text/event-stream") {
            return Err(format!("it answers with {}, not with a stream of events", brief(kind)));
        }
        Ok(body)
    }

    async fn open(&self, connection: &mut JoinSet<()>) -> Result<SendRequest<Full<Bytes>>, String> {
        let Place { host, port, .. } = &self.place;
        let tcp = TcpStream::connect((host.as_str(), *port)).await;
        let tcp = tcp.map_err(|error| format!("it cannot be reached: {error}"))?;
        // Small messages, and somebody waits.
        tcp.set_nodelay(true).map_err(told)?;
        match &self.tls {
            None => handshake(tcp, connection).await,
            Some((connector, name)) => {
                let tls = connector.connect(name.clone(), tcp).await;
                handshake(tls.map_err(|error| format!("TLS: {error}"))?, connection).await
            }
        }
    }
}

impl Body {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// What broke, for the record.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, String> {
        loop {
            match self.incoming.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(format!("the answer broke off: {}", told(error))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    async fn refusal(&mut self) -> String {
        let mut text = Vec::new();
        while let Ok(Some(bytes)) = self.next().await {
            text.extend_from_slice(&bytes);
            if text.len() > REFUSAL {
                break;
            }
        }
        brief(&String::from_utf8_lossy(&text))
    }
}

async fn handshake(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    connection: &mut JoinSet<()>,
) -> Result<SendRequest<Full<Bytes>>, String> {
    let (sender, driver) = http1::handshake(TokioIo::new(io)).await.map_err(told)?;
    connection.spawn(async move {
        // What broke is also told to whoever reads the answer.
        let _ = driver.await;
    });
    Ok(sender)
}

fn tls(
    name: &str,
    host: &str,
    ca: Option<&Path>,
) -> Result<(TlsConnector, ServerName<'static>), LlmError> {
    let wrong = |problem: String| LlmError::Tls { name: name.to_owned(), problem };
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            let shown =
                |error: &dyn ToString| wrong(format!("{}: {}", path.display(), error.to_string()));
            for certificate in CertificateDer::pem_file_iter(path).map_err(|e| shown(&e))? {
                roots.add(certificate.map_err(|e| shown(&e))?).map_err(|e| shown(&e))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e: rustls::Error| wrong(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerName::try_from(host.to_owned()).map_err(|e| wrong(e.to_string()))?;
    Ok((TlsConnector::from(Arc::new(config)), server))
}

fn told(error: impl std::error::Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        told = format!("{told}: {inner}");
        source = inner.source();
    }
    told
}
