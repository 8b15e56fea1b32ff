//! `[console]` and `[console.openid]`: where the console listens, and who may sign in.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use lienthong_domain::OperatorRole;
use serde::Deserialize;

use crate::origin::Origin;

/// `[console]`; the default file of the gateway comments every setting.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it listens; `None` offers no console. Port 0 takes a free one.
    pub address: Option<SocketAddr>,
    /// As browsers reach it, such as `https://lienthong.example`; empty: the address.
    pub public_url: String,
    /// PEM: the certificate chain for browsers.
    pub certificate: Option<PathBuf>,
    /// PEM: its key.
    pub key: Option<PathBuf>,
    /// A proxy on the way speaks TLS, and tells the reader's address in `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// Local accounts; `None` has none.
    pub accounts_file: Option<PathBuf>,
    /// Sign-in at an identity provider.
    pub openid: OpenIdConfig,
}

/// `[console.openid]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenIdConfig {
    /// The provider, exactly as it names itself; empty: not offered.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there; empty for a public client.
    pub client_secret: String,
    /// What the button is called, such as the name of the ministry's sign-in.
    pub name: String,
    /// PEM: the authorities that vouch for the provider.
    pub ca_file: Option<PathBuf>,
    /// Whether `http://` will do: a simulator, or a provider on this machine.
    pub allow_plaintext: bool,
    /// What is asked for; `openid` is always among it.
    pub scopes: Vec<String>,
    /// Where the ID token lists roles or groups, dotted: `realm_access.roles`.
    pub roles_claim: String,
    /// Where it says the name written into actions.
    pub name_claim: String,
    /// Roles or groups that make a viewer.
    pub viewer_roles: Vec<String>,
    /// Roles or groups that make an operator.
    pub operator_roles: Vec<String>,
    /// Roles or groups that make an approver.
    pub approver_roles: Vec<String>,
}

/// The secret is not for logs.
impl fmt::Debug for OpenIdConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenIdConfig")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl Default for Config {
    /// On a free port of loopback, with no way to sign in.
    fn default() -> Self {
        Self {
            address: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            public_url: String::new(),
            certificate: None,
            key: None,
            behind_proxy: false,
            accounts_file: None,
            openid: OpenIdConfig::default(),
        }
    }
}

impl Default for OpenIdConfig {
    fn default() -> Self {
        let role = |role: OperatorRole| vec![format!("lienthong-{role}")];
        Self {
            issuer: String::new(),
            client_id: String::new(),
            client_secret: String::new(),
            name: "OpenID Connect".to_owned(),
            ca_file: None,
            allow_plaintext: false,
            scopes: vec!["openid".to_owned(), "profile".to_owned()],
            roles_claim: "realm_access.roles".to_owned(),
            name_claim: "preferred_username".to_owned(),
            viewer_roles: role(OperatorRole::Viewer),
            operator_roles: role(OperatorRole::Operator),
            approver_roles: role(OperatorRole::Approver),
        }
    }
}

impl Config {
    /// Whether browsers speak TLS with this process.
    pub fn has_tls(&self) -> bool {
        self.certificate.is_some()
    }

    /// Every fault: key below `console`, and what would be right.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let Some(address) = self.address else {
            return faults;
        };
        let mut push = |key, text: &str| faults.push((key, text.to_owned()));
        if self.certificate.is_some() != self.key.is_some() {
            push("key", "name both certificate and key, or neither");
        }
        if !address.ip().is_loopback() && !self.has_tls() && !self.behind_proxy {
            push(
                "address",
                "passwords would cross the network readable: name certificate and key, or set behind_proxy where a proxy speaks TLS",
            );
        }
        match Origin::parse(&self.public_url) {
            _ if self.public_url.is_empty() => {
                if address.ip().is_unspecified() {
                    push(
                        "public_url",
                        "say how browsers reach the console: https://host[:port]",
                    );
                } else if self.behind_proxy {
                    push(
                        "public_url",
                        "say how browsers reach the proxy: https://host[:port]",
                    );
                }
            }
            None => push(
                "public_url",
                "write https://host[:port] and nothing after it",
            ),
            Some(origin) if self.has_tls() && !origin.is_https() => {
                push(
                    "public_url",
                    "must begin with https://, as certificate is set",
                );
            }
            Some(origin) if !origin.is_https() && !origin.is_loopback() => push(
                "public_url",
                "must begin with https://: browsers give secure cookies to nothing else",
            ),
            Some(_) => {}
        }
        if self.accounts_file.is_none() && !self.openid.is_offered() {
            push(
                "accounts_file",
                "nobody could sign in: name a file of accounts, or an issuer in [console.openid]",
            );
        }
        self.openid.push_faults(&mut push);
        faults
    }
}

impl OpenIdConfig {
    /// Whether a provider is configured.
    pub fn is_offered(&self) -> bool {
        !self.issuer.is_empty()
    }

    fn push_faults(&self, push: &mut impl FnMut(&'static str, &str)) {
        if !self.is_offered() {
            return;
        }
        let is_plain = self.issuer.starts_with("http://");
        if !is_plain && !self.issuer.starts_with("https://") {
            push(
                "openid.issuer",
                "write it exactly as the provider names itself: https://...",
            );
        }
        if is_plain && !self.allow_plaintext {
            push(
                "openid.issuer",
                "must begin with https://, but for simulators (allow_plaintext)",
            );
        }
        if !is_plain && self.ca_file.is_none() {
            push(
                "openid.ca_file",
                "name the authorities that vouch for the provider (PEM)",
            );
        }
        if self.client_id.is_empty() {
            push(
                "openid.client_id",
                "say which client this is at the provider",
            );
        }
        if self.roles_claim.is_empty() {
            push(
                "openid.roles_claim",
                "say where the ID token lists roles, such as realm_access.roles",
            );
        }
        if self.name_claim.is_empty() {
            push(
                "openid.name_claim",
                "say where the ID token has the name, such as preferred_username",
            );
        }
        let roles = [
            &self.viewer_roles,
            &self.operator_roles,
            &self.approver_roles,
        ];
        if roles.iter().all(|names| names.is_empty()) {
            push(
                "openid.operator_roles",
                "nobody could sign in: name the provider's roles",
            );
        }
    }

    /// The furthest role that any of these names gives.
    pub(crate) fn role(&self, names: &[String]) -> Option<OperatorRole> {
        let gives = |role: &OperatorRole| {
            let wanted = match role {
                OperatorRole::Viewer => &self.viewer_roles,
                OperatorRole::Operator => &self.operator_roles,
                OperatorRole::Approver => &self.approver_roles,
            };
            names.iter().any(|name| wanted.contains(name))
        };
        OperatorRole::ALL.into_iter().rev().find(gives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(config: &Config) -> Vec<&'static str> {
        config.faults().into_iter().map(|(key, _)| key).collect()
    }

    fn good() -> Config {
        Config {
            accounts_file: Some("accounts.toml".into()),
            ..Config::default()
        }
    }

    #[test]
    fn a_console_for_the_network_needs_tls_or_a_proxy() {
        assert_eq!(keys(&good()), [""; 0]);
        let open = Config {
            address: Some("10.0.0.5:8080".parse().unwrap()),
            ..good()
        };
        assert_eq!(keys(&open), ["address"]);
        let proxied = Config {
            behind_proxy: true,
            public_url: "https://lienthong.example".to_owned(),
            ..open.clone()
        };
        assert_eq!(keys(&proxied), [""; 0]);
        let half = Config {
            certificate: Some("a.pem".into()),
            ..open
        };
        assert_eq!(keys(&half), ["key"]);
    }

    #[test]
    fn the_public_url_is_an_origin_and_nothing_more() {
        for (url, faulty) in [
            ("http://127.0.0.1:8080", false),
            ("http://localhost:8080", false),
            ("https://lienthong.example", false),
            ("https://lienthong.example/console", true),
            ("http://lienthong.example", true),
            ("lienthong.example", true),
        ] {
            let config = Config {
                public_url: url.to_owned(),
                ..good()
            };
            assert_eq!(!keys(&config).is_empty(), faulty, "{url}");
        }
    }

    #[test]
    fn a_console_that_nobody_can_enter_is_a_fault_and_no_console_is_none() {
        assert_eq!(keys(&Config::default()), ["accounts_file"]);
        let none = Config {
            address: None,
            ..Config::default()
        };
        assert_eq!(keys(&none), [""; 0]);
        let openid = Config {
            openid: OpenIdConfig {
                issuer: "http://provider.example".to_owned(),
                ..OpenIdConfig::default()
            },
            ..Config::default()
        };
        assert_eq!(keys(&openid), ["openid.issuer", "openid.client_id"]);
    }

    #[test]
    fn the_furthest_of_several_roles_counts_and_other_names_give_none() {
        let config = OpenIdConfig::default();
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let role = |given: &[&str]| config.role(&names(given));
        assert_eq!(role(&[]), None);
        assert_eq!(role(&["operator", "lienthong-admin"]), None);
        assert_eq!(role(&["lienthong-viewer"]), Some(OperatorRole::Viewer));
        assert_eq!(
            role(&["lienthong-viewer", "lienthong-approver"]),
            Some(OperatorRole::Approver)
        );
    }
}
