//! What a connection over TLS came to.

use tokio_rustls::rustls::{ClientConnection, ProtocolVersion};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer};

/// How a connection over TLS is protected, and by whose certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secured {
    /// `1.2` or `1.3`.
    pub version: &'static str,
    /// Names that the certificate is for: those of subjectAltName, else its common name.
    pub names: Vec<String>,
    /// Who vouches for it; empty when that cannot be read.
    pub issuer: String,
    /// Until when it is good, in seconds since 1970; `None` when that cannot be read.
    pub until: Option<i64>,
}

impl Secured {
    /// Of a handshake that is done.
    pub(super) fn of(connection: &ClientConnection) -> Self {
        let version = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "1.3",
            _ => "1.2",
        };
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        let read = shown.and_then(|der| X509Certificate::from_der(der).ok());
        match read {
            Some((_, certificate)) => Self { version, ..Self::shown(&certificate) },
            None => Self { version, ..Self::default() },
        }
    }

    fn shown(certificate: &X509Certificate<'_>) -> Self {
        let alternative = certificate.subject_alternative_name().ok().flatten();
        let listed = alternative.iter().flat_map(|names| &names.value.general_names);
        let mut names: Vec<String> = listed.filter_map(name).collect();
        if names.is_empty() {
            let common = certificate.subject().iter_common_name().filter_map(|n| n.as_str().ok());
            names.extend(common.map(str::to_owned));
        }
        Self {
            version: "",
            names,
            issuer: certificate.issuer().to_string(),
            until: Some(certificate.validity().not_after.timestamp()),
        }
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) | GeneralName::URI(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|b| std::net::IpAddr::from(b).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|b| std::net::IpAddr::from(b).to_string()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn shown(params: CertificateParams) -> Secured {
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        Secured::shown(&X509Certificate::from_der(&der).unwrap().1)
    }

    #[test]
    fn a_certificate_tells_its_names_and_its_end() {
        let names = vec!["sbc.example.net".to_owned(), "192.0.2.1".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let secured = shown(params);
        assert_eq!(secured.names, ["sbc.example.net", "192.0.2.1"]);
        assert_eq!(secured.until, Some(1_893_456_000));
    }

    #[test]
    fn without_alternative_names_the_common_name_counts() {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "pbx");
        assert_eq!(shown(params).names, ["pbx"]);
    }
}
