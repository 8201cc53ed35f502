use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use ureq::{
    Agent, Body,
    http::{Response, StatusCode},
    tls::{RootCerts, TlsConfig},
};

use super::{ModelsError, Progress};

/// Failures in a row without a byte gained before giving up.
const MAX_TRIES: u32 = 5;
const BUFFER: usize = 1 << 16;

/// Why a download stopped.
pub(super) enum HttpError {
    /// The server answered and does not hand it out.
    Refused(StatusCode),
    /// It kept failing.
    Failed {
        /// Failures in a row.
        tries: u32,
        /// The last one.
        problem: String,
    },
    /// Our own disk.
    Disk(ModelsError),
}

/// Downloads files, going on where an earlier try or run stopped.
pub(super) struct Http {
    agent: Agent,
    backoff: Duration,
}

impl Http {
    /// With the system's certificates (or `SSL_CERT_FILE`) and the proxy of the environment;
    /// waits `backoff` after a first failure and twice as long after each further one.
    pub(super) fn new(backoff: Duration) -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .user_agent(concat!("hotline/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(30)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .timeout_per_read(Some(Duration::from_secs(60)))
            .build();
        Self { agent: config.into(), backoff }
    }

    /// Downloads `url` to `target`; `true` when all of it came now, in one go.
    ///
    /// Until it is whole it is `target.part`, which a later call goes on from.
    pub(super) fn download(
        &self,
        url: &str,
        target: &Path,
        progress: &mut dyn Progress,
    ) -> Result<bool, HttpError> {
        let mut part = Part::open(target).map_err(HttpError::Disk)?;
        let mut fresh = part.size == 0;
        let (mut tries, mut wait) = (0, self.backoff);
        loop {
            let before = part.size;
            let problem = match self.attempt(url, &mut part, progress) {
                Ok(()) => {
                    part.finish(target).map_err(HttpError::Disk)?;
                    return Ok(fresh);
                }
                Err(Attempt::Stop(error)) => return Err(error),
                Err(Attempt::Again(problem)) => problem,
            };
            fresh = false;
            if part.size > before {
                (tries, wait) = (0, self.backoff);
            } else {
                (tries, wait) = (tries + 1, wait * 2);
            }
            if tries == MAX_TRIES {
                return Err(HttpError::Failed { tries, problem });
            }
            std::thread::sleep(wait);
        }
    }

    fn attempt(
        &self,
        url: &str,
        part: &mut Part,
        progress: &mut dyn Progress,
    ) -> Result<(), Attempt> {
        let mut request = self.agent.get(url);
        if part.size > 0 {
            request = request.header("Range", format!("bytes={}-", part.size));
            if let Some(etag) = &part.etag {
                // Another file under the same address comes whole instead of being glued on.
                request = request.header("If-Range", etag);
            }
        }
        let response = request.call().map_err(|error| match error {
            ureq::Error::BadUri(problem) => Attempt::Stop(HttpError::Failed { tries: 1, problem }),
            error => Attempt::Again(error.to_string()),
        })?;
        let left = content_length(&response);
        match response.status() {
            StatusCode::OK => part.restart(etag(&response)).map_err(Attempt::disk)?,
            StatusCode::PARTIAL_CONTENT if range_start(&response) == Some(part.size) => {}
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                part.restart(None).map_err(Attempt::disk)?;
                return Err(Attempt::Again("the server could not go on where it was".to_owned()));
            }
            status @ (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => {
                return Err(Attempt::Again(format!("the server answered {status}")));
            }
            status if status.is_server_error() => {
                return Err(Attempt::Again(format!("the server answered {status}")));
            }
            status => return Err(Attempt::Stop(HttpError::Refused(status))),
        }
        let total = left.map(|left| part.size + left);
        progress.begin(&file_name(url), total);
        let copied = copy(response, part, progress);
        progress.end();
        copied?;
        match total {
            Some(total) if part.size != total => Err(Attempt::Again(format!(
                "the connection ended at {} of {total} bytes",
                part.size
            ))),
            _ => Ok(()),
        }
    }
}

enum Attempt {
    Again(String),
    Stop(HttpError),
}

impl Attempt {
    fn disk(error: ModelsError) -> Self {
        Self::Stop(HttpError::Disk(error))
    }
}

fn copy(
    response: Response<Body>,
    part: &mut Part,
    progress: &mut dyn Progress,
) -> Result<(), Attempt> {
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; BUFFER];
    loop {
        match body.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                part.append(&buffer[..count]).map_err(Attempt::disk)?;
                progress.position(part.size);
            }
            Err(error) => return Err(Attempt::Again(error.to_string())),
        }
    }
}

/// What has arrived so far, with the server's mark of which version it is.
struct Part {
    path: PathBuf,
    etag_path: PathBuf,
    file: File,
    size: u64,
    etag: Option<String>,
}

impl Part {
    fn open(target: &Path) -> Result<Self, ModelsError> {
        let path = target.with_added_extension("part");
        let etag_path = path.with_added_extension("etag");
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(ModelsError::io(&path))?;
        let size = file.metadata().map_err(ModelsError::io(&path))?.len();
        let etag = fs::read_to_string(&etag_path).ok().filter(|etag| !etag.is_empty());
        Ok(Self { path, etag_path, file, size, etag })
    }

    fn restart(&mut self, etag: Option<String>) -> Result<(), ModelsError> {
        self.file.set_len(0).map_err(ModelsError::io(&self.path))?;
        self.size = 0;
        let kept = etag.as_deref().unwrap_or_default();
        fs::write(&self.etag_path, kept).map_err(ModelsError::io(&self.etag_path))?;
        self.etag = etag;
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), ModelsError> {
        self.file.write_all(bytes).map_err(ModelsError::io(&self.path))?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    fn finish(self, target: &Path) -> Result<(), ModelsError> {
        self.file.sync_all().map_err(ModelsError::io(&self.path))?;
        fs::rename(&self.path, target).map_err(ModelsError::io(target))?;
        let _ = fs::remove_file(&self.etag_path);
        Ok(())
    }
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

fn content_length(response: &Response<Body>) -> Option<u64> {
    header(response, "Content-Length")?.parse().ok()
}

/// A strong entity tag; a weak one does not promise the same bytes (RFC 9110, section 8.8.3).
fn etag(response: &Response<Body>) -> Option<String> {
    header(response, "ETag").filter(|etag| etag.starts_with('"')).map(str::to_owned)
}

/// First byte of a partial answer (RFC 9110, section 14.4).
fn range_start(response: &Response<Body>) -> Option<u64> {
    header(response, "Content-Range")?.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

/// The last step of an address's path.
pub(super) fn file_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The address without user name, password, query and fragment, which may hold secrets.
pub(super) fn without_credentials(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = path.split_once("://") else { return path.to_owned() };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}/{path}")
}

/// Scheme, host and port of an address, to tell whether two are on the same server.
pub(super) fn origin(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    url.get(..scheme.len() + 3 + host.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_an_address_are_not_told() {
        let url = "https://user:word@host:8443/a/b.whl?token=x#sha256=y";
        assert_eq!(without_credentials(url), "https://host:8443/a/b.whl");
        assert_eq!(file_name(url), "b.whl");
    }

    #[test]
    fn the_origin_is_scheme_host_and_port() {
        assert_eq!(origin("http://h:1/a/b"), Some("http://h:1"));
        assert_eq!(origin("http://h"), Some("http://h"));
        assert_eq!(origin("h/a"), None);
    }
}
