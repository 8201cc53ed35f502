use std::{fs, path::PathBuf, time::Duration};

use serde::Deserialize;
use tonic::{
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

use super::CrmError;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);
/// Pings keep a connection known to be alive, so that a dead CRM is found out between calls.
const PING: Duration = Duration::from_secs(20);
const PONG: Duration = Duration::from_secs(5);

/// The CRM: where it is and how it knows us.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrmConfig {
    /// Where it answers gRPC; without one, every tool fails.
    pub url: Option<String>,
    /// Whether it is told of callers before they are handed over: it implements `ScreenPop` then.
    pub screen_pop: bool,
    /// Whether it gets events, too: it implements `EventSink` then.
    pub events: bool,
    /// Kinds of events that it gets, such as `call.ended`, or `call.*`; all without it.
    pub event_kinds: Vec<String>,
    /// Whose events it gets, when that is not tenant `default`.
    pub event_tenant: Option<String>,
    /// A file with a token, sent as `authorization: Bearer`.
    pub token_file: Option<PathBuf>,
    /// Authorities to trust in place of the system's, for `https:`.
    pub ca: Option<PathBuf>,
    /// Our certificate, for a CRM that asks for one (mutual TLS).
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
}

impl CrmConfig {
    /// A channel that connects when it is first used and again whenever it is lost.
    pub(super) fn channel(&self, url: &str) -> Result<Channel, CrmError> {
        let wrong = |problem: &dyn ToString| CrmError::Url {
            url: url.to_owned(),
            problem: problem.to_string(),
        };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(wrong(&"it has no scheme"));
        }
        let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|error| wrong(&error))?;
        let endpoint = endpoint
            .connect_timeout(CONNECT)
            .http2_keep_alive_interval(PING)
            .keep_alive_timeout(PONG)
            .keep_alive_while_idle(true);
        if url.starts_with("http://") {
            return Ok(endpoint.connect_lazy());
        }
        let endpoint = endpoint.tls_config(self.tls()?);
        Ok(endpoint.map_err(|error| CrmError::Tls(error.to_string()))?.connect_lazy())
    }

    fn tls(&self) -> Result<ClientTlsConfig, CrmError> {
        let mut tls = ClientTlsConfig::new();
        tls = match &self.ca {
            Some(path) => tls.ca_certificate(Certificate::from_pem(read("ca", path)?)),
            None => tls.with_native_roots(),
        };
        if let (Some(certificate), Some(key)) = (&self.certificate, &self.key) {
            let certificate = read("certificate", certificate)?;
            tls = tls.identity(Identity::from_pem(certificate, read("key", key)?));
        }
        Ok(tls)
    }

    /// What is sent as `authorization`.
    pub(super) fn authorization(&self) -> Result<Option<MetadataValue<Ascii>>, CrmError> {
        let Some(path) = &self.token_file else { return Ok(None) };
        let token = read("token_file", path)?;
        let wrong = || CrmError::Token { path: path.clone() };
        let token = token.trim();
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(wrong());
        }
        let mut value: MetadataValue<Ascii> =
            format!("Bearer {token}").parse().map_err(|_| wrong())?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

fn read(option: &'static str, path: &PathBuf) -> Result<String, CrmError> {
    fs::read_to_string(path).map_err(|source| CrmError::File { option, path: path.clone(), source })
}
