//! The demo's folder: certificates of a development authority, the participants file, store and record,
//! and the configuration that ties them together.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use lienthong_console::Accounts;
use lienthong_domain::province::Province;
use lienthong_domain::{OperatorRole, Private, Random, Timestamp};
use lienthong_transport::{DevelopmentCa, IdentityFiles, IdentityPolicy, Overwrite};
use tempfile::TempDir;

use super::{citizens, traffic};
use crate::config::{BrokerKind, Config, PopulationKind};

/// The participant and system that operators of the demo act as.
const OPERATOR: (&str, &str) = ("G22", "van-hanh");
/// The system of each province.
const SYSTEM: &str = "motcua";
/// Days the certificates are good for.
const DAYS: u16 = DevelopmentCa::DAYS_MAX;
/// The account at the simulated portal.
pub(super) const PORTAL_ACCOUNT: (&str, &str) = ("lienthong", "demo");

/// Who signs in to the demo's console.
const CONSOLE_ACCOUNTS: [(&str, &str, OperatorRole); 2] = [
    ("van-hanh", "Nguyễn Thị An", OperatorRole::Operator),
    ("phe-duyet", "Trần Văn Bình", OperatorRole::Approver),
];

/// An account of the console, for whoever watches the demo.
pub(super) struct Login {
    /// What is typed.
    pub(super) name: &'static str,
    /// What the person is called.
    pub(super) title: &'static str,
    /// How far it reaches.
    pub(super) role: OperatorRole,
    /// Of this run only.
    pub(super) password: String,
}

/// Where everything lies. A temporary folder goes away with this.
pub(super) struct Folder {
    path: PathBuf,
    _temporary: Option<TempDir>,
}

impl Folder {
    /// Makes a temporary folder, or uses `keep`, which must be empty or absent.
    ///
    /// # Errors
    /// The folder cannot be made or is in use.
    pub(super) fn create(keep: Option<&Path>) -> anyhow::Result<Self> {
        let Some(keep) = keep else {
            let temporary = tempfile::Builder::new().prefix("lienthong-demo-").tempdir();
            let temporary = temporary.context("failed to make a temporary folder")?;
            return Ok(Self {
                path: temporary.path().to_owned(),
                _temporary: Some(temporary),
            });
        };
        let named = || format!("failed to use the folder {}", keep.display());
        fs::create_dir_all(keep).with_context(named)?;
        let is_empty = fs::read_dir(keep).with_context(named)?.next().is_none();
        anyhow::ensure!(is_empty, "{}: it is not empty", named());
        Ok(Self {
            path: keep.canonicalize().with_context(named)?,
            _temporary: None,
        })
    }

    /// Issues the certificates and writes the participants file.
    ///
    /// # Errors
    /// A certificate cannot be issued, or a file not be written.
    pub(super) fn furnish(
        &self,
        provinces: &[&'static Province],
        rate_per_second_max: u32,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let policy = IdentityPolicy::new(
            &Config::default().tls.trust_domain,
            IdentityPolicy::VALIDITY_DAYS_MAX_DEFAULT,
        )?;
        let certs = self.certs();
        let ca = DevelopmentCa::create(now)?;
        ca.save(&certs, Overwrite::No)?;
        ca.issue_server(&["localhost", "127.0.0.1"], now, DAYS)?
            .save(&certs, Overwrite::No)?;
        let systems = provinces
            .iter()
            .map(|province| (province.code().to_string(), SYSTEM));
        let operator = (OPERATOR.0.to_owned(), OPERATOR.1);
        for (participant, system) in systems.chain([operator]) {
            ca.issue_participant(&policy, (&participant, system), now, DAYS)?
                .save(&certs, Overwrite::No)?;
        }
        let text = participants(provinces, rate_per_second_max);
        fs::write(self.participants(), text).context("failed to write the participants file")
    }

    /// Makes the accounts of the console, with passwords of this run.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn admit(&self, now: Timestamp) -> anyhow::Result<Vec<Login>> {
        let logins = CONSOLE_ACCOUNTS.map(|(name, title, role)| Login {
            name,
            title,
            role,
            password: password(&Random::system()),
        });
        Accounts::edit(&self.accounts(), |accounts| {
            logins.iter().try_for_each(|login| {
                accounts.add((login.name, login.title), login.role, &login.password, now)
            })
        })?;
        Ok(logins.into())
    }

    /// The gateway's configuration.
    pub(super) fn config(
        &self,
        (portal_url, database_url): (&str, &str),
        rabbitmq: Option<&str>,
    ) -> Config {
        let mut config = Config::default();
        config.listen.address = SocketAddr::from(([127, 0, 0, 1], 0));
        config.metrics.address = Some(config.listen.address);
        config.console.address = Some(config.listen.address);
        config.console.accounts_file = Some(self.accounts());
        config.listen.reflection = true;
        config.tls.certificate = self.certs().join("server.pem");
        config.tls.key = self.certs().join("server-key.pem");
        config.tls.client_ca = self.ca();
        config.participants.file = self.participants();
        config.store.path = self.path.join("data").join("lienthong.db");
        config.vault.keys_file = self.path.join("keys.toml");
        config.population.kind = PopulationKind::Soap;
        database_url.clone_into(&mut config.population.soap.url);
        config.population.soap.allow_plaintext = true;
        "1.001193".clone_into(&mut config.population.soap.default_procedure);
        if let Some(url) = rabbitmq {
            config.broker.kind = BrokerKind::Rabbitmq;
            url.clone_into(&mut config.broker.rabbitmq.url);
        }
        config.portal.login_url = format!("{portal_url}/mapi/login");
        config.portal.data_url = format!("{portal_url}/mapi/g");
        config.portal.allow_plaintext = true;
        PORTAL_ACCOUNT.0.clone_into(&mut config.portal.username);
        config.portal.password = Private::new(PORTAL_ACCOUNT.1.to_owned());
        // A demo has seconds where a deployment has days: the same schedule, with shorter waits.
        config.delivery.workers.retry_delays_seconds = vec![1, 2, 4, 8, 15, 30];
        config.delivery.workers.overload_delay_seconds = 1;
        config
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The authority's certificate.
    pub(super) fn ca(&self) -> PathBuf {
        self.certs().join("ca.pem")
    }

    /// Certificate and key of a province.
    pub(super) fn province(&self, province: &Province) -> IdentityFiles {
        self.identity(province.code().as_str(), SYSTEM)
    }

    /// Certificate and key of the operator.
    pub(super) fn operator(&self) -> IdentityFiles {
        self.identity(OPERATOR.0, OPERATOR.1)
    }

    /// What the simulated portal applied.
    pub(super) fn record(&self) -> PathBuf {
        self.path.join("portal-record.ndjson")
    }

    /// What the gateway logs.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("gateway.log")
    }

    fn certs(&self) -> PathBuf {
        self.path.join("certs")
    }

    fn accounts(&self) -> PathBuf {
        self.path.join("accounts.toml")
    }

    fn participants(&self) -> PathBuf {
        self.path.join("participants.toml")
    }

    fn identity(&self, participant: &str, system: &str) -> IdentityFiles {
        let file = |end| {
            self.certs()
                .join(format!("{participant}-{system}{end}.pem"))
        };
        IdentityFiles {
            certificate_chain: file(""),
            private_key: file("-key"),
        }
    }
}

/// Sixteen letters and digits that are not mistaken for each other: nearly 80 bits, easy to type.
fn password(random: &Random) -> String {
    const LETTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let letter = || {
        let index = usize::try_from(random.below(LETTERS.len() as u64));
        char::from(LETTERS[index.expect("below 31")])
    };
    let group = || (0..4).map(|_| letter()).collect::<String>();
    [group(), group(), group(), group()].join("-")
}

/// Why and how much the demo's provinces may ask about citizens.
const TERMS: &str = r#"# Written by `lienthong demo`.

[[purpose]]
code = "CIVIL_STATUS"
name = "Đăng ký hộ tịch"
legal_basis = "Luật Hộ tịch 60/2014/QH13"
dossier = "required"

[[quota_class]]
name = "office"
participant = { per_second_max = 2000, subjects_per_hour_max = 500000, subjects_per_day_max = 1000000 }
system = { per_second_max = 2000, subjects_per_hour_max = 500000, subjects_per_day_max = 1000000 }
official = { per_second_max = 1000, subjects_per_hour_max = 100000, subjects_per_day_max = 200000 }
official_concurrent_max = 8
dossier_subjects_max = 1000
"#;

/// The participants file; it is also the example that a reader of `--keep` finds.
fn participants(provinces: &[&'static Province], rate_per_second_max: u32) -> String {
    let fields = citizens::GRANTED
        .map(|(_, name)| format!("{name:?}"))
        .join(", ");
    let grant = format!(
        "[[participant.system.grant]]\npurpose = \"{}\"\nmode = \"disclose\"\nfields = [{fields}]\n\
         quota = \"office\"\nvalid_from = \"2025-01-01\"\n",
        citizens::PURPOSE
    );
    let mut text = TERMS.to_owned();
    let mut add = |id: &str, name: &str, system: &str, role: &str, grants: &str| {
        write!(
            text,
            "\n[[participant]]\nid = \"{id}\"\nname = \"{name}\"\n\
             rate_per_second_max = {rate_per_second_max}\n\
             [[participant.system]]\nname = \"{system}\"\nrole = \"{role}\"\n{grants}",
        )
        .expect("writing to a string does not fail");
    };
    for province in provinces {
        let name = traffic::title(province);
        add(province.code().as_str(), &name, SYSTEM, "push", &grant);
    }
    let name = "Đội vận hành trục liên thông";
    add(OPERATOR.0, name, OPERATOR.1, "operator", "");
    text
}

#[cfg(test)]
mod tests {
    use lienthong_services::Registry;

    use super::*;

    #[test]
    fn the_folder_holds_what_the_configuration_names() {
        let parent = tempfile::tempdir().unwrap();
        let keep = parent.path().join("demo");
        let folder = Folder::create(Some(&keep)).unwrap();
        let provinces = ["H21", "H29"].map(|code| Province::by_code(code).unwrap());
        let now = "2025-11-03T02:00:00Z".parse().unwrap();
        folder.furnish(&provinces, 2_000, now).unwrap();

        let logins = folder.admit(now).unwrap();
        assert_ne!(logins[0].password, logins[1].password);

        let config = folder.config(
            ("http://127.0.0.1:9/x", "http://127.0.0.1:9/y"),
            Some("amqp://localhost/demo"),
        );
        assert!(config.faults().is_empty(), "{:?}", config.faults());
        let identity = folder.province(provinces[0]);
        let operator = folder.operator();
        for file in [
            &config.tls.certificate,
            &config.tls.key,
            &config.tls.client_ca,
            &identity.certificate_chain,
            &identity.private_key,
            &operator.private_key,
        ] {
            assert!(file.is_file(), "{}", file.display());
        }
        let accounts = Accounts::read(config.console.accounts_file.as_ref().unwrap()).unwrap();
        for login in &logins {
            assert_eq!(accounts.find(login.name).unwrap().role, login.role);
        }
        let text = fs::read_to_string(&config.participants.file).unwrap();
        let registry = Registry::parse(&text).unwrap();
        assert_eq!(registry.participants().count(), 3);
        assert!(text.contains("Tỉnh Gia Lai") && text.contains("Thành phố Hồ Chí Minh"));

        assert!(
            Folder::create(Some(&keep)).is_err(),
            "a folder in use is left alone"
        );
    }
}
