use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use serde::Deserialize;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use super::ApiError;

/// `[api]`: where the gRPC API is served, and how much of it a token may use.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiConfig {
    /// Where it listens; nowhere without it.
    pub listen: Option<SocketAddr>,
    /// The server's certificate, with those that lead to its authority (PEM). With it, TLS is spoken.
    pub certificate: Option<PathBuf>,
    /// The key of the certificate (PEM).
    pub key: Option<PathBuf>,
    /// Authorities of clients (PEM): with it, a client needs a certificate from one of them, beside its token.
    pub client_ca: Option<PathBuf>,
    /// Requests a second that a token may make on average, and twice as many in one second.
    pub requests_per_second: u32,
    /// Event streams that a tenant may have open at once.
    pub max_subscribers: u32,
    /// Bytes that a request may have; those that bring dialplans or knowledge may have 4 MiB.
    pub max_request_bytes: usize,
    /// Seconds that a request may take, unless its client gives it fewer.
    pub deadline_s: u64,
    /// The folder of announcements that Calls.Play may play.
    pub announcements: Option<PathBuf>,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: None,
            certificate: None,
            key: None,
            client_ca: None,
            requests_per_second: 100,
            max_subscribers: 50,
            max_request_bytes: 64 * 1024,
            deadline_s: 30,
            announcements: None,
        }
    }
}

impl ApiConfig {
    /// Files of it, to be made absolute.
    pub fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let files = [&mut self.certificate, &mut self.key, &mut self.client_ca];
        files.into_iter().chain([&mut self.announcements]).flatten()
    }

    pub(super) fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline_s.max(1))
    }

    /// TLS as configured; `None` for a plain connection.
    pub(super) fn tls(&self) -> Result<Option<ServerTlsConfig>, ApiError> {
        let (certificate, key) = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => (certificate, key),
            (None, None) if self.client_ca.is_none() => return Ok(None),
            _ => return Err(ApiError::HalfTls),
        };
        let identity = Identity::from_pem(read("certificate", certificate)?, read("key", key)?);
        let mut tls = ServerTlsConfig::new().identity(identity);
        if let Some(ca) = &self.client_ca {
            tls = tls.client_ca_root(Certificate::from_pem(read("client_ca", ca)?));
        }
        Ok(Some(tls))
    }
}

fn read(option: &'static str, path: &PathBuf) -> Result<String, ApiError> {
    fs::read_to_string(path).map_err(|source| ApiError::File { option, path: path.clone(), source })
}
