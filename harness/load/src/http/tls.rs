//! TLS below a connection.
//!
//! [`Tls`] is what a caller says; `Secured` is one connection's state. The socket does not
//! block: what TLS has to say is written as far as the socket takes it.

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::options::RunError;

/// How TLS is spoken with a server.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The name that the server's certificate has to be for: its host name, as a rule.
    pub server_name: String,
    /// Who may sign certificates.
    pub roots: Roots,
}

/// Who may sign certificates.
#[derive(Clone, Debug)]
pub enum Roots {
    /// Whom the system trusts.
    System,
    /// These authorities and nobody else, in PEM.
    Pem(Vec<u8>),
}

/// What all connections of a load need for TLS.
#[derive(Clone, Debug)]
pub(crate) struct Speaker {
    config: Arc<ClientConfig>,
    server_name: ServerName<'static>,
}

impl Speaker {
    pub(crate) fn new(tls: &Tls) -> Result<Self, RunError> {
        let server_name = ServerName::try_from(tls.server_name.clone())
            .map_err(|_| RunError::NotHttp(format!("server name `{}`", tls.server_name)))?;
        let mut roots = RootCertStore::empty();
        match &tls.roots {
            Roots::System => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            Roots::Pem(pem) => {
                let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
                roots.add_parsable_certificates(certificates.map_err(|_| RunError::NoRoot)?);
            }
        }
        if roots.is_empty() {
            return Err(RunError::NoRoot);
        }
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config), server_name })
    }

    /// The beginning of one connection.
    pub(crate) fn begin(&self) -> Secured {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.server_name.clone());
        Secured(Box::new(connection.expect("the configuration allows some version")))
    }
}

/// TLS on one connection.
#[derive(Debug)]
pub(crate) struct Secured(Box<ClientConnection>);

impl Secured {
    /// Goes on with the handshake as far as the socket allows. What goes wrong with TLS itself
    /// comes back as [`io::ErrorKind::InvalidData`].
    pub(crate) fn shake_hands(&mut self, socket: &mut TcpStream) -> io::Result<()> {
        loop {
            self.flush(socket)?;
            if !self.0.is_handshaking() {
                return Ok(());
            }
            if self.0.read_tls(socket)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let processed = self.0.process_new_packets();
            if let Err(error) = processed {
                // The server is told why, if it can be.
                drop(self.flush(socket));
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        }
    }

    /// Reads decrypted bytes; none at the end of the connection.
    pub(crate) fn read(&mut self, socket: &mut TcpStream, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.reader().read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Without a notice of closing the rest may have been cut off by anybody.
                other => return other,
            }
            self.0.read_tls(socket)?;
            self.0
                .process_new_packets()
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            // New keys, for example, have to be answered.
            unless_blocked(self.flush(socket))?;
        }
    }

    /// Encrypts and writes; says how much of `bytes` it took.
    pub(crate) fn write(&mut self, socket: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
        self.flush(socket)?;
        let taken = self.0.writer().write(bytes)?;
        unless_blocked(self.flush(socket))?;
        Ok(taken)
    }

    /// Writes what is encrypted and still here.
    pub(crate) fn flush(&mut self, socket: &mut TcpStream) -> io::Result<()> {
        while self.0.wants_write() {
            self.0.write_tls(socket)?;
        }
        Ok(())
    }
}

/// What the socket does not take now it takes later.
fn unless_blocked(flushed: io::Result<()>) -> io::Result<()> {
    match flushed {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
