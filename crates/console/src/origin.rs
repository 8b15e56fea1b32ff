//! The console's own address as browsers write it: what `Host` and `Origin` of every request are compared with.

use std::fmt;
use std::net::IpAddr;

use http::Uri;

/// Scheme, host and port, without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    is_https: bool,
    /// Host and port as in `Host`: lower case, without the scheme's own port.
    authority: String,
}

impl Origin {
    /// Reads `https://host[:port]`; `None` for anything more or else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let uri = text.parse::<Uri>().ok()?;
        let is_https = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let is_bare = text.trim_end_matches('/').matches('/').count() == 2;
        let authority = uri.authority()?;
        if !is_bare || uri.query().is_some() || authority.as_str().contains('@') {
            return None;
        }
        let own_port = if is_https { 443 } else { 80 };
        let host = authority.host().to_ascii_lowercase();
        let authority = match authority.port_u16() {
            Some(port) if port != own_port => format!("{host}:{port}"),
            _ => host,
        };
        Some(Self {
            is_https,
            authority,
        })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether browsers take it for this machine and so for trustworthy without TLS.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = match self.authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.authority,
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The port, where it is not the scheme's own.
    pub(crate) fn port(&self) -> Option<&str> {
        let (_, port) = self.authority.rsplit_once(':')?;
        port.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(port)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority)
    }
}

/// Where a sign-in or a switch leads back to: a path of the console, and never another host.
pub(crate) fn safe_path(next: &str) -> &str {
    /// Longest address that is worth coming back to.
    const BYTES_MAX: usize = 2_048;
    let is_path = next.starts_with('/') && !next.starts_with("//");
    // Browsers read a backslash as a slash, and drop line ends.
    let is_plain = next
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_path && is_plain && next.len() <= BYTES_MAX {
        next
    } else {
        "/"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        let cases = [
            (
                "https://Lienthong.Example",
                Some("https://lienthong.example"),
            ),
            (
                "https://lienthong.example:443/",
                Some("https://lienthong.example"),
            ),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("https://a.example/b", None),
            ("https://u@a.example", None),
            ("https://a.example?b", None),
            ("ftp://a.example", None),
            ("a.example", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let read = Origin::parse(text).map(|origin| origin.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for (text, expected) in [
            ("http://127.0.0.1:8080", true),
            ("http://localhost", true),
            ("http://[::1]:1", true),
            ("http://[::1]", true),
            ("http://127.0.0.1.example", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(
                Origin::parse(text).unwrap().is_loopback(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn nothing_leads_to_another_host() {
        for good in [
            "/",
            "/parked?a=b&c=%2F",
            "/dossiers/000.00.01.H21-250701-0001",
        ] {
            assert_eq!(safe_path(good), good);
        }
        for bad in [
            "",
            "parked",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\nb",
            "/a b",
            "/ồ",
        ] {
            assert_eq!(safe_path(bad), "/", "{bad}");
        }
    }
}
