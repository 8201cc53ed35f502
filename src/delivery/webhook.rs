//! Events as signed POST requests.

use std::{fs, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use time::OffsetDateTime;

use super::{Answer, DeliveryError, WebhookConfig, message};
use crate::store::Event;

/// Bytes that a secret has at least.
const SECRET: usize = 16;

/// An address and its secret.
pub(super) struct Webhook {
    url: String,
    secret: Vec<u8>,
    agent: ureq::Agent,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Webhook {
    pub(super) fn new(config: &WebhookConfig) -> Result<Self, DeliveryError> {
        let wrong = |problem: String| DeliveryError::Secret {
            name: config.name.clone(),
            path: config.secret_file.clone(),
            problem,
        };
        let uri = config.url.parse::<ureq::http::Uri>().ok();
        let scheme = uri.as_ref().and_then(|uri| uri.scheme_str());
        if !matches!(scheme, Some("http" | "https")) {
            return Err(DeliveryError::Url { name: config.name.clone(), url: config.url.clone() });
        }
        let secret = fs::read(&config.secret_file).map_err(|e| wrong(e.to_string()))?;
        let secret = secret.trim_ascii().to_vec();
        if secret.len() < SECRET {
            return Err(wrong(format!(
                "it has {} bytes, {SECRET} are too few to guess: openssl rand -hex 32 makes a good one",
                secret.len()
            )));
        }
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(config.timeout_s.max(1))))
            .timeout_connect(Some(Duration::from_secs(5)))
            .http_status_as_error(false)
            // A redirect would take the event where nobody configured it.
            .max_redirects(0)
            .user_agent(concat!("hotline/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { url: config.url.clone(), secret, agent })
    }

    pub(super) async fn deliver(&self, event: &Event) -> Answer {
        let body = message::json(event).to_string();
        let signature = signature(&self.secret, OffsetDateTime::now_utc().unix_timestamp(), &body);
        let (agent, url, key) = (self.agent.clone(), self.url.clone(), event.key());
        // The client blocks; there are few attempts at a time.
        let posted = tokio::task::spawn_blocking(move || {
            agent
                .post(&url)
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", &key)
                .header("X-Hotline-Signature", &signature)
                .send(body.as_bytes())
                .map(|response| {
                    let after = response.headers().get("retry-after");
                    let after = after.and_then(|v| v.to_str().ok()?.parse().ok());
                    (response.status().as_u16(), after.map(Duration::from_secs))
                })
        });
        match posted.await {
            Ok(Ok((status, after))) => of_status(status, after),
            Ok(Err(error)) => of_error(&error),
            Err(error) => Answer::Failed(error.to_string()),
        }
    }
}

fn of_status(status: u16, after: Option<Duration>) -> Answer {
    let why = format!("the receiver answered {status}");
    match status {
        200..=299 => Answer::Taken,
        429 | 503 => Answer::Away { why, after },
        408 | 425 => Answer::Failed(why),
        300..=499 => Answer::Refused(why),
        _ => Answer::Failed(why),
    }
}

fn of_error(error: &ureq::Error) -> Answer {
    use ureq::{Error, Timeout};
    let why = error.to_string();
    match error {
        Error::Io(_)
        | Error::HostNotFound
        | Error::ConnectionFailed
        | Error::Timeout(Timeout::Resolve | Timeout::Connect) => Answer::Away { why, after: None },
        _ => Answer::Failed(why),
    }
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 with the secret over the time, a dot and the body.
fn signature(secret: &[u8], seconds: i64, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        // A key of any length will do.
        return String::new();
    };
    mac.update(format!("{seconds}.{body}").as_bytes());
    let tag = mac.finalize().into_bytes();
    let hex: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_openssl_makes_of_the_same() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let signed = signature(b"0123456789abcdef", 1_700_000_000, "{\"a\":1}");
        assert_eq!(
            signed,
            "t=1700000000,v1=9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23"
        );
    }

    #[test]
    fn a_status_says_whether_asking_again_may_help() {
        let of = |status| of_status(status, None);
        assert_eq!(of(204), Answer::Taken);
        assert!(matches!(of(302), Answer::Refused(_)) && matches!(of(422), Answer::Refused(_)));
        assert!(matches!(of(408), Answer::Failed(_)) && matches!(of(500), Answer::Failed(_)));
        assert!(matches!(of(503), Answer::Away { .. }) && matches!(of(429), Answer::Away { .. }));
    }
}
