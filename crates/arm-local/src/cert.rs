//! The certificate of the HTTPS side: made at first start, kept beside the state, good for loopback names only.

use std::path::Path;
use std::sync::Arc;

use dsvm_files::Readers;
use rcgen::{CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose, SanType};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate and its key, both PEM.
pub struct Certificate {
    /// To be trusted by clients (`REQUESTS_CA_BUNDLE`).
    pub ca_pem: String,
    key_pem: String,
}

impl Certificate {
    /// Reads the pair from `dir`, or makes one and writes it there.
    ///
    /// # Errors
    /// A sentence: the files cannot be written, or the key cannot be made.
    pub fn load_or_make(dir: Option<&Path>) -> Result<Self, String> {
        if let Some(dir) = dir {
            let (ca, key) = (dir.join("ca.pem"), dir.join("key.pem"));
            if let (Ok(ca_pem), Ok(key_pem)) = (std::fs::read_to_string(&ca), std::fs::read_to_string(&key)) {
                return Ok(Self { ca_pem, key_pem });
            }
            let made = Self::make().map_err(|error| format!("no certificate could be made: {error}"))?;
            dsvm_files::replace(&key, made.key_pem.as_bytes(), Readers::Owner)
                .map_err(|error| format!("{} cannot be written: {error}", key.display()))?;
            dsvm_files::replace(&ca, made.ca_pem.as_bytes(), Readers::Usual)
                .map_err(|error| format!("{} cannot be written: {error}", ca.display()))?;
            return Ok(made);
        }
        Self::make().map_err(|error| format!("no certificate could be made: {error}"))
    }

    fn make() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.subject_alt_names.push(SanType::IpAddress(std::net::IpAddr::from([127, 0, 0, 1])));
        params.subject_alt_names.push(SanType::IpAddress(std::net::Ipv6Addr::LOCALHOST.into()));
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, "dsvmc local endpoint (not Azure)");
        params.distinguished_name = name;
        // its own authority, for this one server: strict clients want the basic constraint and the key usages
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.use_authority_key_identifier_extension = true;
        params.not_before = rcgen::date_time_ymd(2024, 1, 1);
        params.not_after = rcgen::date_time_ymd(2044, 1, 1);
        let certificate = params.self_signed(&key)?;
        Ok(Self { ca_pem: certificate.pem(), key_pem: key.serialize_pem() })
    }

    /// The configuration of the TLS server.
    ///
    /// # Errors
    /// A sentence: the stored pair cannot be read.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, String> {
        let broken = |error: &dyn std::fmt::Display| {
            format!("the stored certificate cannot be used ({error}); remove ca.pem and key.pem")
        };
        let certificates = CertificateDer::pem_slice_iter(self.ca_pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| broken(&error))?;
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).map_err(|error| broken(&error))?;
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| broken(&error))?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(|error| broken(&error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}
