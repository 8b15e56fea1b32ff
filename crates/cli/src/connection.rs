//! Where the gateway is and who we are.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use lienthong_domain::Clock;
use lienthong_transport::{
    ChannelTimeouts, ClientTls, ClientTlsFiles, IdentityFiles, TlsClock, grpc_channel,
};
use sha2::{Digest as _, Sha256};
use tonic::Request;
use tonic::transport::Channel;

use crate::errors::CliError;

/// How long one unary call may take in all.
const CALL_SECONDS_MAX: u64 = 30;
/// How long one call may take that uploads a part of a job.
const UPLOAD_SECONDS_MAX: u64 = 60;
/// Longest key file that is read, in bytes.
const KEY_BYTES_MAX: u64 = 64 << 10;
const FILES_MISSING: &str =
    "--ca, --cert and --key (or LIENTHONG_CA, LIENTHONG_CERT, LIENTHONG_KEY) must name PEM files";

/// How to reach the gateway. Every option can also come from the environment.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// Address of the gateway
    #[arg(
        long,
        global = true,
        env = "LIENTHONG_ENDPOINT",
        default_value = "https://127.0.0.1:8443"
    )]
    pub endpoint: String,
    /// PEM file with the authorities that issue the gateway's certificate
    #[arg(long, global = true, env = "LIENTHONG_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// PEM file with our certificate
    #[arg(long, global = true, env = "LIENTHONG_CERT", value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// PEM file with the key of our certificate
    #[arg(long, global = true, env = "LIENTHONG_KEY", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Name to expect in the gateway's certificate, when it is not the host of the endpoint
    #[arg(
        long,
        global = true,
        env = "LIENTHONG_SERVER_NAME",
        value_name = "NAME"
    )]
    pub server_name: Option<String>,
}

impl Connection {
    /// A channel that connects at its first call.
    ///
    /// # Errors
    /// [`CliError::Settings`] when a file is not named, [`CliError::Transport`] when one cannot be
    /// used or the endpoint has the wrong form.
    pub(crate) fn channel(&self, clock: &Clock) -> Result<Channel, CliError> {
        self.channel_within(clock, &ChannelTimeouts::default())
    }

    /// A channel for calls that are answered at the end of an upload only.
    ///
    /// # Errors
    /// As [`Self::channel`].
    pub(crate) fn upload_channel(&self, clock: &Clock) -> Result<Channel, CliError> {
        let timeouts = ChannelTimeouts {
            request: Some(Duration::from_secs(UPLOAD_SECONDS_MAX)),
            ..ChannelTimeouts::default()
        };
        self.channel_within(clock, &timeouts)
    }

    /// SHA-256 of the file with our private key: a secret that only this participant can repeat.
    ///
    /// # Errors
    /// [`CliError::Settings`] when no file is named, [`CliError::File`] when it cannot be read.
    pub(crate) fn secret(&self) -> Result<[u8; 32], CliError> {
        let path = self.key.as_ref().ok_or(CliError::Settings(FILES_MISSING))?;
        let file = File::open(path).and_then(|file| {
            let mut content = Vec::new();
            file.take(KEY_BYTES_MAX).read_to_end(&mut content)?;
            Ok(content)
        });
        let content = file.map_err(|source| CliError::File {
            action: "read",
            path: path.clone(),
            source,
        })?;
        Ok(Sha256::digest(content).into())
    }

    fn channel_within(
        &self,
        clock: &Clock,
        timeouts: &ChannelTimeouts,
    ) -> Result<Channel, CliError> {
        let (Some(ca), Some(cert), Some(key)) = (&self.ca, &self.cert, &self.key) else {
            return Err(CliError::Settings(FILES_MISSING));
        };
        let files = ClientTlsFiles {
            roots: ca.clone(),
            identity: Some(IdentityFiles {
                certificate_chain: cert.clone(),
                private_key: key.clone(),
            }),
            server_name: self.server_name.clone(),
        };
        let clock = clock.clone();
        let tls = ClientTls::load(&files, TlsClock::new(move || clock.now()))?;
        Ok(grpc_channel(&self.endpoint, tls, timeouts)?)
    }
}

/// A unary request with its deadline.
pub(crate) fn unary<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(Duration::from_secs(CALL_SECONDS_MAX));
    request
}
