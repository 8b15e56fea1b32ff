//! What the gateway's configuration says about RabbitMQ.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use lapin::uri::AMQPUri;

/// The vhost of a URL that names none.
pub const VHOST_DEFAULT: &str = "lienthong";
/// After two of these without a sign of life a connection counts as lost.
const HEARTBEAT_SECONDS: u16 = 20;

/// Where the broker is and with whose credentials; prints itself without the password.
#[derive(Clone)]
pub struct BrokerUrl(pub(crate) AMQPUri);

/// Why a URL of a broker could not be read. It never repeats the URL, which holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read the URL of RabbitMQ: expected amqp[s]://user:password@host[:port][/vhost]")]
pub struct BadUrl;

impl FromStr for BrokerUrl {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let mut uri: AMQPUri = text.parse().map_err(|_| BadUrl)?;
        // A vhost "/" is written %2f in a URL; a bare slash or nothing names none.
        let (_, rest) = text.split_once("://").ok_or(BadUrl)?;
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        if path.split('?').next().is_none_or(str::is_empty) {
            VHOST_DEFAULT.clone_into(&mut uri.vhost);
        }
        uri.query.heartbeat = Some(HEARTBEAT_SECONDS);
        Ok(Self(uri))
    }
}

impl BrokerUrl {
    /// The vhost, readable: `/` is `/`.
    pub fn vhost(&self) -> &str {
        &self.0.vhost
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri {
            scheme,
            authority,
            vhost,
            ..
        } = &self.0;
        write!(
            f,
            "{scheme}://{}:{}/{vhost}",
            authority.host, authority.port
        )
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The files of a TLS connection, as PEM text.
#[derive(Clone)]
pub struct Tls {
    /// The only authorities that may vouch for the broker.
    pub ca_pem: String,
    /// The gateway's certificate chain and its PKCS#8 key, if the broker asks for one.
    pub client: Option<(String, String)>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("client", &self.client.is_some())
            .finish_non_exhaustive()
    }
}

/// How to use one RabbitMQ.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it is.
    pub url: BrokerUrl,
    /// Needed for `amqps`; system authorities are never trusted.
    pub tls: Option<Tls>,
    /// Most messages published and not yet confirmed.
    pub window: usize,
    /// How long a confirm may take before the message counts as unknown and the channel as broken.
    pub confirm_timeout: Duration,
    /// How long connecting, declaring, acknowledging or closing may take.
    pub step_timeout: Duration,
    /// Most messages in the work queue of one destination; the broker refuses more.
    pub queue_messages_max: u32,
}

impl Config {
    /// The usual settings for the broker at `url`.
    pub fn new(url: BrokerUrl) -> Self {
        Self {
            url,
            tls: None,
            window: 256,
            confirm_timeout: Duration::from_secs(15),
            step_timeout: Duration::from_secs(10),
            queue_messages_max: 10_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_vhost_or_gets_ours() {
        for (text, vhost) in [
            ("amqp://u:p@broker", "lienthong"),
            ("amqp://u:p@broker/", "lienthong"),
            ("amqp://u:p@broker:5673?channel_max=9", "lienthong"),
            ("amqps://u:p@broker/?channel_max=9", "lienthong"),
            ("amqp://u:p@broker/%2f", "/"),
            ("amqp://u:p@broker/so-hoa", "so-hoa"),
        ] {
            assert_eq!(text.parse::<BrokerUrl>().unwrap().vhost(), vhost, "{text}");
        }
    }

    #[test]
    fn a_password_never_shows() {
        let url: BrokerUrl = "amqp://gateway:mat-khau@broker/x".parse().unwrap();
        let config = Config::new(url.clone());
        for text in [format!("{url}"), format!("{url:?}"), format!("{config:?}")] {
            assert!(
                !text.contains("mat-khau") && !text.contains("gateway:"),
                "{text}"
            );
        }
        let bad = "mat-khau@broker".parse::<BrokerUrl>().unwrap_err();
        assert!(!bad.to_string().contains("mat-khau"));
    }
}
