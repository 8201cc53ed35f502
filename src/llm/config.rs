use std::{fs, path::PathBuf, time::Duration};

use hyper::{Uri, header::HeaderValue};
use serde::Deserialize;

use super::LlmError;

/// A language model: where it is and how it is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LlmConfig {
    /// The server, up to and without `/chat/completions`: `http://127.0.0.1:8080/v1`.
    pub url: String,
    /// The model, as the server names it.
    pub model: String,
    /// A file with a key, sent as `authorization: Bearer`.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// Authorities to trust in place of the system's, for `https:`.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Milliseconds that a connection may take to be made.
    #[serde(default = "default_connect")]
    pub connect_ms: u64,
    /// Most milliseconds to the first word, whatever a dialplan allows.
    #[serde(default = "default_first_word")]
    pub first_word_ms: u64,
    /// Most milliseconds of a whole answer, whatever a dialplan allows.
    #[serde(default = "default_answer")]
    pub answer_ms: u64,
    /// Longest answer, in the model's tokens.
    #[serde(default = "default_max_tokens")]
    pub max_tokens: u32,
    /// How freely the model chooses its words, from 0.
    #[serde(default = "default_temperature")]
    pub temperature: f32,
    /// More fields of the request, as this server knows them.
    #[serde(default)]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

fn default_connect() -> u64 {
    2_000
}

fn default_first_word() -> u64 {
    10_000
}

fn default_answer() -> u64 {
    60_000
}

fn default_max_tokens() -> u32 {
    300
}

fn default_temperature() -> f32 {
    0.2
}

/// Where a server is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// Host and port as HTTP wants them.
    pub(super) authority: String,
    /// The path of chat completions.
    pub(super) path: String,
}

impl LlmConfig {
    /// How long a connection may take to be made.
    pub(super) fn connect(&self) -> Duration {
        Duration::from_millis(self.connect_ms)
    }

    /// Where the server is; messages call the model `name`.
    pub(super) fn place(&self, name: &str) -> Result<Place, LlmError> {
        let wrong = |problem: String| LlmError::Url {
            name: name.to_owned(),
            url: self.url.clone(),
            problem,
        };
        let uri: Uri = self.url.parse().map_err(|e| wrong(format!("{e}")))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("it does not begin with http: or https:".to_owned())),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it names no server".to_owned()))?;
        if uri.query().is_some() || authority.as_str().contains('@') {
            return Err(wrong("it has a query or a user in it".to_owned()));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Place {
            tls,
            host,
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: format!("{}/chat/completions", uri.path().trim_end_matches('/')),
        })
    }

    /// What is sent as `authorization`.
    pub(super) fn authorization(&self, name: &str) -> Result<Option<HeaderValue>, LlmError> {
        let Some(path) = &self.key_file else { return Ok(None) };
        let key = fs::read_to_string(path).map_err(|source| LlmError::File {
            name: name.to_owned(),
            option: "key_file",
            path: path.clone(),
            source,
        })?;
        let wrong = || LlmError::Key { name: name.to_owned(), path: path.clone() };
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(wrong());
        }
        let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| wrong())?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}
