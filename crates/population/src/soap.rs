//! The population database behind SOAP: which calls a question makes, and what leaves of their answers.

mod access;
mod answer;
mod faults;
mod link;
mod record;
mod request;
mod talk;
mod tokens;
mod verdict;
mod xml;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use lienthong_domain::Clock;
use lienthong_domain::identity::name::tone_variants;
use lienthong_domain::identity::{Claims, FieldSet, NameLevel, Verdict, Verification};
use lienthong_ports::{LookUp, PopulationRegistry, Question, RegistryError};
use reqwest::{Client, Url};

use self::access::Credentials;
use self::answer::Judge;
use self::faults::Rules;
use self::link::Link;
use self::talk::Talk;
use self::tokens::Tokens;
use self::verdict::Key;
use crate::config::{Service, SoapConfig, VerifyBy};
use crate::error::PopulationError;
use crate::failure::Failure;

/// Other spellings of a name that are asked for.
const VARIANTS_MAX: usize = 2;

/// The national population database behind SOAP, or behind a JSON envelope around its XML.
pub struct SoapRegistry {
    config: SoapConfig,
    look_up_url: Url,
    matching_url: Url,
    link: Link,
    credentials: Credentials,
    judge: Judge,
    tokens: Tokens,
    clock: Clock,
}

impl SoapRegistry {
    /// A database behind `http`, which the caller builds out of [`SoapConfig::http_client_config`]. `clock` dates
    /// signatures and reads dates in Retry-After.
    ///
    /// # Errors
    /// Every fault of the configuration at once.
    pub fn new(config: SoapConfig, http: Client, clock: Clock) -> Result<Self, PopulationError> {
        let faults = config.check();
        let credentials = Credentials::new(&config);
        let urls = address(&config, &config.look_up).zip(address(&config, &config.matching));
        let (Some(credentials), Some(urls), []) = (credentials, urls, faults.as_slice()) else {
            return Err(PopulationError::Config { faults });
        };
        let timeout = Duration::from_millis(config.request_timeout_ms_max);
        Ok(Self {
            link: Link::new(http, timeout, config.body_bytes_max),
            judge: Judge::new(config.form, Rules::new(&config.faults)),
            tokens: Tokens::new(Duration::from_millis(config.failed_token_pause_ms)),
            look_up_url: urls.0,
            matching_url: urls.1,
            credentials,
            config,
            clock,
        })
    }

    async fn verify_by_match(
        &self,
        question: &Question,
        claims: &Claims,
    ) -> Result<Verification, Failure> {
        let mut talk = Talk::new(self, question, claims);
        let mut spellings = vec![(claims.name.clone(), NameLevel::Exact)];
        let variants = tone_variants(&claims.name).into_iter().take(VARIANTS_MAX);
        spellings.extend(variants.map(|name| (name, NameLevel::ToneStyle)));
        for (name, level) in spellings {
            if !talk.exists(&name).await? {
                continue;
            }
            let mut verification = Verification::of_key(claims, Verdict::Match, level);
            if !claims.optional_fields().is_empty() {
                let record = talk.record(&name).await?;
                let record = record.ok_or_else(|| {
                    Failure::bad_answer("it matched a person and then did not find the record")
                })?;
                if Key::of(claims, &record)?.contradicts() {
                    let cause = "it matched a person and then showed another record";
                    return Err(Failure::bad_answer(cause));
                }
                verdict::add_optional(&mut verification, claims, &record);
            }
            return Ok(verification);
        }
        Ok(Verification::no_match(claims))
    }

    async fn verify_by_look_up(
        &self,
        question: &Question,
        claims: &Claims,
    ) -> Result<Verification, Failure> {
        let mut talk = Talk::new(self, question, claims);
        let Some(record) = talk.record(&claims.name).await? else {
            return Ok(Verification::no_match(claims));
        };
        let key = Key::of(claims, &record)?;
        Ok(verdict::verification(claims, &record, key))
    }

    async fn find(
        &self,
        question: &Question,
        claims: &Claims,
        fields: FieldSet,
    ) -> Result<LookUp, Failure> {
        let mut talk = Talk::new(self, question, claims);
        let Some(record) = talk.record(&claims.name).await? else {
            return Ok(LookUp::NotFound);
        };
        // The database compares too, but how strictly is not documented.
        if !Key::of(claims, &record)?.opens_the_record() {
            return Ok(LookUp::Mismatch);
        }
        Ok(LookUp::Found(Box::new(record.masked(fields))))
    }
}

fn address(config: &SoapConfig, service: &Service) -> Option<Url> {
    Url::parse(config.url_of(service)).ok()
}

/// Ends a question when its time is up.
async fn within<T>(
    timeout: Duration,
    asking: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    // A timer of nothing would still let a quick answer through.
    if timeout.is_zero() {
        return Err(Failure::out_of_time());
    }
    match tokio::time::timeout(timeout, asking).await {
        Ok(answer) => answer,
        Err(_elapsed) => Err(Failure::out_of_time()),
    }
}

#[async_trait]
impl PopulationRegistry for SoapRegistry {
    async fn verify(
        &self,
        question: &Question,
        claims: &Claims,
        timeout: Duration,
    ) -> Result<Verification, RegistryError> {
        let verified = match self.config.verify_by {
            VerifyBy::Match => within(timeout, self.verify_by_match(question, claims)).await,
            VerifyBy::LookUp => within(timeout, self.verify_by_look_up(question, claims)).await,
        };
        Ok(verified?)
    }

    async fn look_up(
        &self,
        question: &Question,
        claims: &Claims,
        fields: FieldSet,
        timeout: Duration,
    ) -> Result<LookUp, RegistryError> {
        Ok(within(timeout, self.find(question, claims, fields)).await?)
    }

    /// Gets a token where calls carry one, then sends an empty question: a SOAP fault that blames the sender shows
    /// that the database was reached and took our credentials. It is asked about nobody.
    async fn check(&self, timeout: Duration) -> Result<(), String> {
        let host = self.look_up_url.host_str().unwrap_or_default();
        let checked = within(timeout, self.ask_nothing()).await;
        checked.map_err(|failure| {
            let error = RegistryError::from(failure);
            format!("The population database behind {host} cannot be asked: failed to {error}")
        })
    }
}

impl fmt::Debug for SoapRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoapRegistry")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
