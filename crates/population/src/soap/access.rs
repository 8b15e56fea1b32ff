//! How a call proves who we are: the headers of C06, and what the two kinds of LGSP ask for. Source: domain.md §3.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use lienthong_domain::identity::OfficialId;
use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::config::{Access, Form, SoapConfig, TimestampUnit};
use crate::failure::Failure;

const TIMESTAMP: HeaderName = HeaderName::from_static("timestamp");
const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");
const LGSP_TOKEN: HeaderName = HeaderName::from_static("lgspaccesstoken");
const AUTH_HASH: HeaderName = HeaderName::from_static("authhash");
/// What token endpoints are asked for.
pub(crate) const TOKEN_REQUEST: &str = "grant_type=client_credentials";

/// Writes headers; secrets are marked, so that they do not print.
pub(crate) struct Credentials {
    access: Access,
    /// What every call carries.
    common: HeaderMap,
    /// `lgspaccesstoken`.
    lgsp: Option<HeaderValue>,
    token_url: Option<Url>,
}

impl Credentials {
    /// `None` when the configuration has faults; `SoapConfig::check` names them.
    pub(crate) fn new(config: &SoapConfig) -> Option<Self> {
        let access = config.access.clone();
        let (token_url, lgsp) = match &access {
            Access::None | Access::C06 { .. } => (None, None),
            Access::Lgsp { token_url, .. } => {
                (Some(Url::parse(token_url).ok()?), Some(lgsp_keys(&access)?))
            }
            Access::Wso2 { token_url, .. } => (Some(Url::parse(token_url).ok()?), None),
        };
        Some(Self {
            common: common(config)?,
            access,
            lgsp,
            token_url,
        })
    }

    /// Where to ask for a token, if calls carry one.
    pub(crate) fn token_url(&self) -> Option<&Url> {
        self.token_url.as_ref()
    }

    /// The headers of a request for a token.
    pub(crate) fn token_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, form);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(keys) = &self.lgsp {
            headers.insert(LGSP_TOKEN, keys.clone());
        }
        if let Access::Wso2 {
            client_id,
            client_secret,
            ..
        } = &self.access
        {
            headers.insert(AUTHORIZATION, basic(client_id, client_secret.expose()));
        }
        headers
    }

    /// The headers of a call to `url`, for an official or for nobody.
    ///
    /// # Errors
    /// [`Failure::Refused`] for an official without a key where officials have keys.
    pub(crate) fn headers(
        &self,
        url: &str,
        official: Option<&OfficialId>,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<HeaderMap, Failure> {
        let mut headers = self.common.clone();
        if let Some(token) = token {
            let bearer = HeaderValue::try_from(format!("Bearer {token}"));
            let bearer = bearer.map_err(|_| Failure::bad_answer("its token is no header"))?;
            headers.insert(AUTHORIZATION, secret(bearer));
        }
        if let Some(keys) = &self.lgsp {
            headers.insert(LGSP_TOKEN, keys.clone());
        }
        match &self.access {
            Access::C06 {
                user,
                secret: password,
                service_url,
                timestamp,
            } => {
                let url = if service_url.is_empty() {
                    url
                } else {
                    service_url
                };
                let stamp = match timestamp {
                    TimestampUnit::Milliseconds => now.as_millisecond(),
                    TimestampUnit::Seconds => now.as_second(),
                };
                let hash = signature([url, user, &stamp.to_string(), password.expose()]);
                headers.insert(AUTHORIZATION, basic(user, &hash));
                headers.insert(TIMESTAMP, HeaderValue::from(stamp));
            }
            Access::Lgsp {
                official_keys,
                default_key,
                ..
            } => {
                let own = official.and_then(|official| official_keys.get(official.as_str()));
                let key = own.unwrap_or(default_key).expose();
                if !key.is_empty() {
                    headers.insert(AUTH_HASH, encoded("", key));
                } else if official.is_some() && !official_keys.is_empty() {
                    return Err(Failure::refused("the official has no key for AuthHash"));
                }
            }
            Access::None | Access::Wso2 { .. } => {}
        }
        Ok(headers)
    }
}

fn common(config: &SoapConfig) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    match config.form {
        Form::Soap => {
            headers.insert(
                CONTENT_TYPE,
                HeaderValue::try_from(&config.content_type).ok()?,
            );
            headers.insert(
                SOAP_ACTION,
                HeaderValue::try_from(&config.soap_action).ok()?,
            );
        }
        Form::Json => {
            let json = HeaderValue::from_static("application/json; charset=utf-8");
            headers.insert(CONTENT_TYPE, json);
        }
    }
    for (name, value) in &config.headers {
        let value = HeaderValue::try_from(value.expose()).ok()?;
        headers.insert(HeaderName::try_from(name).ok()?, secret(value));
    }
    Some(headers)
}

fn lgsp_keys(access: &Access) -> Option<HeaderValue> {
    let Access::Lgsp {
        access_key,
        secret_key,
        app_name,
        partner_code,
        partner_code_cus,
        ..
    } = access
    else {
        return None;
    };
    let keys = json!({
        "AccessKey": access_key.expose(),
        "SecretKey": secret_key.expose(),
        "AppName": app_name,
        "PartnerCode": partner_code,
        "PartnerCodeCus": partner_code_cus,
    });
    Some(encoded("", &keys.to_string()))
}

/// SHA-256 over the parts, in lower-case hexadecimal.
fn signature(parts: [&str; 4]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hex::encode(hasher.finalize())
}

fn basic(user: &str, password: &str) -> HeaderValue {
    encoded("Basic ", &format!("{user}:{password}"))
}

fn encoded(scheme: &str, text: &str) -> HeaderValue {
    let value = HeaderValue::try_from(format!("{scheme}{}", STANDARD.encode(text)));
    secret(value.expect("Base64 is plain ASCII"))
}

fn secret(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use lienthong_domain::Private;

    use super::*;

    fn credentials(access: Access) -> Credentials {
        let config = SoapConfig {
            access,
            headers: [(
                "X-Road-Client".to_owned(),
                Private::new("VN/GOV/H21".to_owned()),
            )]
            .into(),
            ..SoapConfig::default()
        };
        Credentials::new(&config).unwrap()
    }

    fn shown(headers: &HeaderMap, name: &str) -> Option<String> {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    }

    fn decoded(headers: &HeaderMap, name: &str) -> String {
        let text = shown(headers, name).unwrap();
        let base64 = text.rsplit(' ').next().unwrap();
        String::from_utf8(STANDARD.decode(base64).unwrap()).unwrap()
    }

    #[test]
    fn c06_signs_address_user_and_time() {
        let now = Timestamp::from_millisecond(1_757_900_000_123).unwrap();
        let sign = |timestamp, service_url: &str| {
            let credentials = credentials(Access::C06 {
                user: "gialai".to_owned(),
                secret: Private::new("bí mật".to_owned()),
                service_url: service_url.to_owned(),
                timestamp,
            });
            credentials
                .headers("https://c06.example/dv", None, None, now)
                .unwrap()
        };
        let headers = sign(TimestampUnit::Milliseconds, "");
        let text = "https://c06.example/dvgialai1757900000123bí mật";
        let hash = hex::encode(Sha256::digest(text));
        assert_eq!(shown(&headers, "Timestamp").unwrap(), "1757900000123");
        assert_eq!(decoded(&headers, "Authorization"), format!("gialai:{hash}"));
        assert_eq!(shown(&headers, "SOAPAction").unwrap(), "\"\"");
        assert_eq!(shown(&headers, "Content-Type").unwrap(), "application/xml");
        assert_eq!(shown(&headers, "X-Road-Client").unwrap(), "VN/GOV/H21");

        let headers = sign(TimestampUnit::Seconds, "http://noi-bo/dv");
        let hash = hex::encode(Sha256::digest("http://noi-bo/dvgialai1757900000bí mật"));
        assert_eq!(decoded(&headers, "Authorization"), format!("gialai:{hash}"));
        assert!(
            !format!("{headers:?}").contains(&hash),
            "secrets do not print"
        );
    }

    #[test]
    fn an_lgsp_takes_its_keys_twice_and_a_key_per_official() {
        let key = |text: &str| Private::new(text.to_owned());
        let lgsp = |default_key: &str| {
            credentials(Access::Lgsp {
                token_url: "https://lgsp.example/token".to_owned(),
                access_key: key("a"),
                secret_key: key("b"),
                app_name: "c".to_owned(),
                partner_code: "d".to_owned(),
                partner_code_cus: "e".to_owned(),
                official_keys: [("hoa.tuphap".to_owned(), key("khoá"))].into(),
                default_key: key(default_key),
            })
        };
        let wanted = json!({
            "AccessKey": "a", "SecretKey": "b", "AppName": "c", "PartnerCode": "d", "PartnerCodeCus": "e",
        });
        let keys = |headers: &HeaderMap| decoded(headers, "lgspaccesstoken");
        let strict = lgsp("");
        assert_eq!(keys(&strict.token_headers()), wanted.to_string());
        let hoa = OfficialId::parse("hoa.tuphap").unwrap();
        let other = OfficialId::parse("khac").unwrap();
        let call = |credentials: &Credentials, official| {
            credentials.headers("u", official, Some("t0k3n"), Timestamp::UNIX_EPOCH)
        };
        let headers = call(&strict, Some(&hoa)).unwrap();
        assert_eq!(shown(&headers, "Authorization").unwrap(), "Bearer t0k3n");
        assert_eq!(
            (keys(&headers), decoded(&headers, "AuthHash")),
            (wanted.to_string(), "khoá".to_owned())
        );
        assert!(matches!(
            call(&strict, Some(&other)),
            Err(Failure::Refused(_))
        ));
        assert_eq!(shown(&call(&strict, None).unwrap(), "AuthHash"), None);
        let headers = call(&lgsp("chung"), Some(&other)).unwrap();
        assert_eq!(decoded(&headers, "AuthHash"), "chung");
    }

    #[test]
    fn wso2_takes_client_credentials_for_a_token() {
        let credentials = credentials(Access::Wso2 {
            token_url: "https://lgsp.example/token".to_owned(),
            client_id: "id".to_owned(),
            client_secret: Private::new("bí mật".to_owned()),
        });
        assert_eq!(
            credentials.token_url().unwrap().as_str(),
            "https://lgsp.example/token"
        );
        assert_eq!(
            decoded(&credentials.token_headers(), "Authorization"),
            "id:bí mật"
        );
        let bad = credentials.headers("u", None, Some("hai\ndòng"), Timestamp::UNIX_EPOCH);
        assert!(matches!(bad, Err(Failure::BadAnswer(_))));
    }
}
