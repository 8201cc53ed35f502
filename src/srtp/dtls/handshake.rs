use std::{
    collections::VecDeque,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use rtc_dtls::{
    config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig},
    endpoint::{Endpoint, EndpointEvent},
    extension::extension_use_srtp::SrtpProtectionProfile,
};
use rtc_shared::TransportProtocol;

use super::{DtlsRole, Fingerprint, Identity};
use crate::srtp::{MasterKey, SecureStream, SrtpError, Suite};

/// What stays unanswered for so long is sent again. RFC 6347 begins with a second; a caller would
/// hear that.
const RESEND: Duration = Duration::from_millis(500);
/// The same flight is sent so often at most by ourselves; the library counts for itself.
const MOST_RESENDS: u32 = 20;
/// Datagrams that are looked at before the handshake is over, and after it: anybody can send them,
/// and the library keeps what they bring.
const MOST_DATAGRAMS: u32 = 400;
const MOST_AFTERWARDS: u32 = 40;
/// The label of RFC 5764, section 4.2.
const LABEL: &str = "EXTRACTOR-dtls_srtp";
/// The library tells peers apart by address; here there is only one.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// One handshake with one peer, sans I/O: datagrams and times in, datagrams and in the end a
/// protected stream out.
pub struct Handshake {
    endpoint: Endpoint,
    role: DtlsRole,
    config: Arc<HandshakeConfig>,
    fingerprints: Vec<Fingerprint>,
    /// What is to be sent.
    outbox: VecDeque<Vec<u8>>,
    /// What was sent last, since the peer last made us go on.
    flight: Vec<Vec<u8>>,
    flight_due: Instant,
    resent: u32,
    datagrams: u32,
    done: bool,
    /// What went wrong last, if the handshake should never end.
    problem: Option<String>,
}

impl Handshake {
    /// A handshake in which the peer must show a certificate with one of `fingerprints`. The active
    /// side begins with the first [`tick`](Self::tick).
    ///
    /// # Errors
    /// [`SrtpError::Handshake`] when the library does not take our certificate.
    pub fn new(
        identity: &Identity,
        role: DtlsRole,
        fingerprints: Vec<Fingerprint>,
        now: Instant,
    ) -> Result<Self, SrtpError> {
        let config = Arc::new(config(identity, role)?);
        let endpoint = endpoint(role, &config);
        Ok(Self {
            endpoint,
            role,
            config,
            fingerprints,
            outbox: VecDeque::new(),
            flight: Vec::new(),
            flight_due: now,
            resent: 0,
            datagrams: 0,
            done: false,
            problem: None,
        })
    }

    /// Takes a datagram of the peer's. Returns the stream at the end of the handshake, once.
    ///
    /// # Errors
    /// [`SrtpError::Handshake`] when the peer is somebody else than its fingerprint says, or shares
    /// no suite with us. What is merely malformed is passed over: anybody may have sent it.
    pub fn receive(
        &mut self,
        now: Instant,
        datagram: &[u8],
    ) -> Result<Option<SecureStream>, SrtpError> {
        let most = if self.done { MOST_AFTERWARDS } else { MOST_DATAGRAMS };
        if self.datagrams >= most {
            return Ok(None);
        }
        self.datagrams += 1;
        let events = self.endpoint.read(now, PEER, None, BytesMut::from(datagram));
        self.collect(now);
        let completed = match events {
            Ok(events) => events.iter().any(|e| matches!(e, EndpointEvent::HandshakeComplete)),
            Err(error) => {
                self.problem = Some(error.to_string());
                return Ok(None);
            }
        };
        if !completed || self.done {
            return Ok(None);
        }
        self.done = true;
        self.datagrams = 0;
        self.stream().map(Some)
    }

    /// Lets time pass: begins, or sends again what was not answered.
    pub fn tick(&mut self, now: Instant) {
        if self.done {
            return;
        }
        match self.endpoint.poll_timeout(&PEER) {
            Some(due) if due <= now => {
                if let Err(error) = self.endpoint.handle_timeout(PEER, now) {
                    self.problem = Some(error.to_string());
                    return self.restart();
                }
                self.collect(now);
            }
            Some(_) => {}
            None if self.endpoint.get_connection_state(PEER).is_none() => self.begin(now),
            // The library forgets its timer when the peer repeats itself, which it does because our
            // answer was lost.
            None if now >= self.flight_due && self.resent < MOST_RESENDS => {
                self.resent += 1;
                self.flight_due = now + RESEND;
                self.outbox.extend(self.flight.iter().cloned());
            }
            None => {}
        }
    }

    /// The next datagram to send to the peer.
    pub fn transmit(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }

    /// What to say of a handshake that did not end in time.
    #[must_use]
    pub fn overdue(&self, patience: Duration) -> SrtpError {
        let seconds = patience.as_secs();
        let last =
            self.problem.as_ref().map(|problem| format!("; the last problem was: {problem}"));
        let came = if self.datagrams == 0 { ", and nothing of it came" } else { "" };
        let last = last.unwrap_or_default();
        SrtpError::Handshake { problem: format!("it was not over after {seconds} s{came}{last}") }
    }

    fn begin(&mut self, now: Instant) {
        if self.role == DtlsRole::Active {
            let begun = self.endpoint.connect(now, PEER, Arc::clone(&self.config), None);
            self.problem = begun.err().map(|error| error.to_string());
            self.collect(now);
        }
    }

    /// Nothing that was sent so far was of any use: from the beginning.
    fn restart(&mut self) {
        self.endpoint = endpoint(self.role, &self.config);
        self.flight.clear();
    }

    fn collect(&mut self, now: Instant) {
        let sent: Vec<Vec<u8>> = std::iter::from_fn(|| self.endpoint.poll_transmit())
            .map(|t| t.message.to_vec())
            .collect();
        if sent.is_empty() {
            return;
        }
        self.outbox.extend(sent.iter().cloned());
        self.flight = sent;
        self.flight_due = now + RESEND;
        self.resent = 0;
    }

    /// The stream that the handshake agreed on, with whom the SDP named.
    fn stream(&self) -> Result<SecureStream, SrtpError> {
        let failed = |problem: String| SrtpError::Handshake { problem };
        let state = self.endpoint.get_connection_state(PEER);
        let state = state.ok_or_else(|| failed("it has no state".into()))?;
        let shown = state.peer_certificates.first();
        let shown = shown.ok_or_else(|| failed("the peer showed no certificate".into()))?;
        if !self.fingerprints.iter().any(|wanted| wanted.matches(shown)) {
            let wanted: Vec<_> = self.fingerprints.iter().map(ToString::to_string).collect();
            return Err(failed(format!(
                "the peer is not who its SDP says: its certificate has the fingerprint {}, not {}",
                Fingerprint::of(shown),
                wanted.join(" or ")
            )));
        }
        let suite = suite(state.srtp_protection_profile())
            .ok_or_else(|| failed("the peer has no SRTP suite of ours".into()))?;
        let (key, salt) = (suite.master_len(), suite.key_len() - suite.master_len());
        let material = state.export_keying_material(LABEL, &[], 2 * (key + salt));
        let material = material.map_err(|error| failed(format!("it has no keys: {error}")))?;
        let material = material.into_bytes();
        let (keys, salts) = material.split_at(2 * key);
        let part = |nth: usize| {
            let bytes = [&keys[nth * key..(nth + 1) * key], &salts[nth * salt..(nth + 1) * salt]];
            MasterKey::new(suite, bytes.concat())
        };
        let keys = part(0).zip(part(1));
        let (client, server) = keys.ok_or_else(|| failed("its keys are cut".into()))?;
        match self.role {
            DtlsRole::Active => SecureStream::new(&client, &server),
            DtlsRole::Passive => SecureStream::new(&server, &client),
        }
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("role", &self.role)
            .field("done", &self.done)
            .field("problem", &self.problem)
            .finish_non_exhaustive()
    }
}

/// Both sides show certificates; nobody has signed them, so there is no chain to check.
fn config(identity: &Identity, role: DtlsRole) -> Result<HandshakeConfig, SrtpError> {
    ConfigBuilder::default()
        .with_crypto_provider(Arc::new(rtc_crypto::providers::RingProvider::new()))
        .with_certificates(vec![identity.certificate()])
        .with_srtp_protection_profiles(PROFILES.map(|(profile, _)| profile).to_vec())
        .with_extended_master_secret(ExtendedMasterSecretType::Request)
        .with_insecure_skip_verify(true)
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        .with_flight_interval(RESEND)
        .with_server_name("hotline".to_owned())
        .build(role == DtlsRole::Active, None)
        .map_err(|error| SrtpError::Handshake { problem: error.to_string() })
}

fn endpoint(role: DtlsRole, config: &Arc<HandshakeConfig>) -> Endpoint {
    let server = (role == DtlsRole::Passive).then(|| Arc::clone(config));
    Endpoint::new(PEER, TransportProtocol::UDP, server)
}

/// The suites that handshakes may agree on, best first.
const PROFILES: [(SrtpProtectionProfile, Suite); 3] = [
    (SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm, Suite::AeadAes256Gcm),
    (SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, Suite::AeadAes128Gcm),
    (SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80, Suite::AesCm128HmacSha1_80),
];

fn suite(agreed: SrtpProtectionProfile) -> Option<Suite> {
    PROFILES.iter().find(|(profile, _)| *profile == agreed).map(|(_, suite)| *suite)
}
