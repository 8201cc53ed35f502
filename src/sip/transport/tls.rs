use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use tokio_rustls::rustls::{
    self, ClientConfig, RootCertStore, ServerConfig,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{
        CertificateDer, PrivateKeyDer, ServerName, UnixTime,
        pem::{self, PemObject},
    },
    server::WebPkiClientVerifier,
};

use crate::sip::SipError;

/// Files of TLS, all in PEM.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsFiles {
    /// Our certificate and those between it and the authority: what a `tls:` listener shows.
    pub certificate: Option<PathBuf>,
    /// The key of the certificate: PKCS#8, PKCS#1 or SEC1, without a passphrase.
    pub key: Option<PathBuf>,
    /// Authorities to trust instead of the system's.
    pub ca: Option<PathBuf>,
    /// Whether peers that connect to us must show a certificate from `ca`.
    pub client_certificate: bool,
    /// Whether to trust any certificate of a peer that we call; for tests only.
    pub insecure: bool,
}

impl TlsFiles {
    /// The paths, to be made absolute.
    pub fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.certificate.iter_mut().chain(&mut self.key).chain(&mut self.ca)
    }
}

/// What the files amount to.
pub(in crate::sip) struct TlsSettings {
    /// For listeners; `None` without a certificate.
    pub(in crate::sip) server: Option<Arc<ServerConfig>>,
    /// For calls.
    pub(in crate::sip) client: Arc<ClientConfig>,
}

impl TlsSettings {
    /// Reads the files.
    ///
    /// # Errors
    /// [`SipError::Tls`] with the file and what is wrong with it.
    pub(in crate::sip) fn load(files: &TlsFiles) -> Result<Self, SipError> {
        let provider = Arc::new(ring::default_provider());
        let roots = Arc::new(roots(files)?);
        let identity = identity(files)?;
        let client = client(files, &provider, &roots, identity.as_ref())?;
        let server = match identity {
            Some(identity) => Some(server(files, &provider, &roots, identity)?),
            None => None,
        };
        Ok(Self { server, client: Arc::new(client) })
    }
}

struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    file: PathBuf,
}

fn bad(path: &Path, problem: impl ToString) -> SipError {
    SipError::Tls { path: path.to_owned(), problem: problem.to_string() }
}

fn roots(files: &TlsFiles) -> Result<RootCertStore, SipError> {
    let mut roots = RootCertStore::empty();
    match &files.ca {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|e| bad(path, e))?;
            }
        }
        // A machine without authorities can still listen; a call over TLS then says why it fails.
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

fn identity(files: &TlsFiles) -> Result<Option<Identity>, SipError> {
    match (&files.certificate, &files.key) {
        (None, None) => Ok(None),
        (Some(file), Some(key)) => Ok(Some(Identity {
            chain: certificates(file)?,
            key: PrivateKeyDer::from_pem_file(key).map_err(|e| bad(key, explain(&e, "key")))?,
            file: file.clone(),
        })),
        (Some(file), None) => Err(bad(file, "its key is missing: set sip.tls.key")),
        (None, Some(key)) => Err(bad(key, "its certificate is missing: set sip.tls.certificate")),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, SipError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let chain: Vec<_> = read.map_err(|e| bad(path, explain(&e, "certificate")))?;
    if chain.is_empty() {
        return Err(bad(path, explain(&pem::Error::NoItemsFound, "certificate")));
    }
    Ok(chain)
}

fn explain(error: &pem::Error, what: &str) -> String {
    match error {
        pem::Error::NoItemsFound => {
            format!("no {what} in it: it must be PEM, with a line -----BEGIN ...-----")
        }
        other => other.to_string(),
    }
}

fn client(
    files: &TlsFiles,
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    identity: Option<&Identity>,
) -> Result<ClientConfig, SipError> {
    let shown = |e: rustls::Error| bad(&files.certificate.clone().unwrap_or_default(), e);
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(shown)?;
    let builder = if files.insecure {
        tracing::warn!("sip.tls.insecure is set: certificates of peers are not verified");
        let anybody = Arc::new(Anybody(provider.clone()));
        builder.dangerous().with_custom_certificate_verifier(anybody)
    } else if roots.is_empty() {
        builder.with_root_certificates(roots.clone())
    } else {
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone()).build();
        builder.with_webpki_verifier(
            verifier.map_err(|e| bad(&files.ca.clone().unwrap_or_default(), e))?,
        )
    };
    match identity {
        Some(own) => {
            builder.with_client_auth_cert(own.chain.clone(), own.key.clone_key()).map_err(shown)
        }
        None => Ok(builder.with_no_client_auth()),
    }
}

fn server(
    files: &TlsFiles,
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    Identity { chain, key, file }: Identity,
) -> Result<Arc<ServerConfig>, SipError> {
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| bad(&file, e))?;
    let builder = if files.client_certificate {
        let Some(ca) = &files.ca else {
            return Err(bad(
                &file,
                "sip.tls.client_certificate needs sip.tls.ca: whose certificates are good?",
            ));
        };
        let verifier =
            WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build();
        builder.with_client_cert_verifier(verifier.map_err(|e| bad(ca, e))?)
    } else {
        builder.with_no_client_auth()
    };
    let config = builder.with_single_cert(chain, key).map_err(|e| bad(&file, e))?;
    Ok(Arc::new(config))
}

/// Takes any certificate; signatures must still be right.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
