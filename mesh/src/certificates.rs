//! The certificate of this process and whom it trusts: mutual TLS between services, for those who have no mesh around
//! them. The files may change while it runs; connections made from then on use what they hold now.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use kit::BoxError;
use observability::chain;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// How old what was read may be before the files are looked at again.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// A peer that does not end its part of the handshake has this long.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(5);
const HTTP2: &[u8] = b"h2";

/// Where the parts are, in PEM, and the name under which services are certified.
#[derive(Clone, Debug)]
pub struct CertificateFiles {
    /// The chain of this process, its own certificate first: `spiffe://<domain>/<service>` among its names for those
    /// that it calls, and `<service>` as a DNS name for those that call it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities whose certificates are believed.
    pub authority: PathBuf,
    /// The trust domain: "shop".
    pub domain: String,
}

/// The present content of the files. Clones share it.
#[derive(Clone)]
pub struct Certificates {
    inner: Arc<Inner>,
}

/// What makes certificates unusable.
#[derive(Debug, thiserror::Error)]
#[error("the certificates cannot be used: {0}")]
pub struct CertificateError(String);

struct Inner {
    files: CertificateFiles,
    loaded: Mutex<Loaded>,
}

#[derive(Clone)]
struct Loaded {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    changed: [SystemTime; 3],
    looked: Instant,
}

impl Certificates {
    /// Reads the files, which must be in order at the start.
    pub fn load(files: CertificateFiles) -> Result<Self, CertificateError> {
        let loaded = files.read().map_err(|error| CertificateError(chain(&*error)))?;
        Ok(Self { inner: Arc::new(Inner { files, loaded: Mutex::new(loaded) }) })
    }

    /// The server's part of a handshake. Nobody gets through who is not certified.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<server::TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(self.present().server);
        in_time(acceptor.accept(stream)).await
    }

    /// The client's part, with the service that is to be at the other end.
    pub(crate) async fn connect(
        &self,
        service: &'static str,
        stream: TcpStream,
    ) -> io::Result<client::TlsStream<TcpStream>> {
        let name = ServerName::try_from(service).map_err(io::Error::other)?;
        let connector = TlsConnector::from(self.present().client);
        in_time(connector.connect(name, stream)).await
    }

    /// The service that the other end is certified to be: `spiffe://<domain>/<service>`, or `…/partner/<name>` for one of
    /// somebody else's.
    pub(crate) fn name_of(&self, stream: &server::TlsStream<TcpStream>) -> Option<String> {
        let (_, connection) = stream.get_ref();
        let certificate = webpki::EndEntityCert::try_from(connection.peer_certificates()?.first()?).ok()?;
        let prefix = format!("spiffe://{}/", self.inner.files.domain);
        let mut names = certificate.valid_uri_names();
        let name = names.find_map(|name| name.strip_prefix(&prefix))?;
        Some(name.replacen("partner/", "partner:", 1))
    }

    fn present(&self) -> Loaded {
        let mut loaded = self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if loaded.looked.elapsed() > LOOK_INTERVAL {
            loaded.looked = Instant::now();
            let files = &self.inner.files;
            // Files that are being replaced may not fit together for a moment: then the old ones go on.
            match files.changed().map_err(BoxError::from) {
                Ok(changed) if changed == loaded.changed => {}
                Ok(_) => match files.read() {
                    Ok(fresh) => *loaded = fresh,
                    Err(error) => tell(&*error),
                },
                Err(error) => tell(&*error),
            }
        }
        loaded.clone()
    }
}

fn tell(error: &(dyn std::error::Error + 'static)) {
    let error = chain(error);
    tracing::error!(
        { observability::names::ERROR } = error.as_str(),
        "the certificates have changed and cannot be read, so the earlier ones go on: {error}"
    );
}

impl CertificateFiles {
    fn read(&self) -> Result<Loaded, BoxError> {
        let changed = self.changed()?;
        let chain = CertificateDer::pem_file_iter(&self.certificate)?.collect::<Result<Vec<_>, _>>()?;
        let mut authorities = RootCertStore::empty();
        for authority in CertificateDer::pem_file_iter(&self.authority)? {
            authorities.add(authority?)?;
        }
        let authorities = Arc::new(authorities);
        let provider = Arc::new(ring::default_provider());

        let clients =
            WebPkiClientVerifier::builder_with_provider(authorities.clone(), provider.clone()).build()?;
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain.clone(), PrivateKeyDer::from_pem_file(&self.key)?)?;
        server.alpn_protocols = vec![HTTP2.to_vec()];
        // Each connection proves anew who it is: a resumed one would outlive its certificate.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;

        let mut client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(authorities)
            .with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(&self.key)?)?;
        client.alpn_protocols = vec![HTTP2.to_vec()];
        Ok(Loaded { server: Arc::new(server), client: Arc::new(client), changed, looked: Instant::now() })
    }

    fn changed(&self) -> io::Result<[SystemTime; 3]> {
        let at = |path: &PathBuf| std::fs::metadata(path)?.modified();
        Ok([at(&self.certificate)?, at(&self.key)?, at(&self.authority)?])
    }
}

async fn in_time<T>(handshake: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(HANDSHAKE_TIME_MAX, handshake).await?
}
