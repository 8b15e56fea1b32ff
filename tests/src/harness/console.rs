//! Somebody at the console without a browser: signs in, opens pages, sends forms with their token.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Client, Response, StatusCode, Url, redirect};

/// Longest wait for a page.
const PAGE_SECONDS_MAX: u64 = 30;

/// A page as it came.
#[derive(Clone, Debug)]
pub struct Page {
    /// The status.
    pub status: StatusCode,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// The HTML, or what else was downloaded.
    pub body: String,
    /// From the request to the last byte.
    pub took: Duration,
}

/// Somebody who is signed in.
pub struct Reader {
    http: Client,
    base: String,
    cookie: String,
}

impl Reader {
    /// Signs in with a local account at `base`, such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// The console cannot be reached or refuses the account.
    pub async fn sign_in(base: &str, name: &str, password: &str) -> anyhow::Result<Self> {
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(PAGE_SECONDS_MAX))
            .build()?;
        let body = form(&[("name", name), ("password", password), ("next", "/")]);
        let answer = http
            .post(format!("{base}/sign-in"))
            .header(ORIGIN, base)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await?;
        let cookie = session_cookie(&answer);
        let status = answer.status();
        let cookie = cookie.with_context(|| format!("the console refuses {name}: {status}"))?;
        let base = base.to_owned();
        Ok(Self { http, base, cookie })
    }

    /// Opens a page.
    ///
    /// # Errors
    /// The console cannot be reached; a refusal is a page too.
    pub async fn get(&self, path: &str) -> anyhow::Result<Page> {
        let request = self.http.get(format!("{}{path}", self.base));
        page(request.header(COOKIE, &self.cookie)).await
    }

    /// Opens a page that must be there.
    ///
    /// # Errors
    /// Any status but 200.
    pub async fn open(&self, path: &str) -> anyhow::Result<Page> {
        let page = self.get(path).await?;
        ensure!(
            page.status == StatusCode::OK,
            "{path}: {}\n{}",
            page.status,
            page.body
        );
        Ok(page)
    }

    /// Sends a form of the page `from` with that page's token.
    ///
    /// # Errors
    /// The console cannot be reached, or the page shows no form.
    pub async fn send(
        &self,
        from: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> anyhow::Result<Page> {
        let shown = self.open(from).await?;
        let token = field_value(&shown.body, "csrf")
            .with_context(|| format!("{from} shows no form with a token"))?;
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .header(COOKIE, &self.cookie)
            .header(ORIGIN, &self.base)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(&all));
        page(request).await
    }
}

async fn page(request: reqwest::RequestBuilder) -> anyhow::Result<Page> {
    let began = Instant::now();
    let answer = request.send().await?;
    let status = answer.status();
    let location = answer.headers().get(LOCATION);
    let location = location.and_then(|value| value.to_str().ok().map(str::to_owned));
    let body = answer.text().await?;
    Ok(Page {
        status,
        location,
        body,
        took: began.elapsed(),
    })
}

/// The value of the first input of that name.
pub fn field_value(html: &str, name: &str) -> Option<String> {
    let (_, rest) = html.split_once(&format!("name=\"{name}\" value=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

fn session_cookie(answer: &Response) -> Option<String> {
    let cookies = answer.headers().get_all(SET_COOKIE).iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .filter_map(|value| value.split(';').next())
        .find(|pair| pair.contains("lienthong") && !pair.ends_with('='))
        .map(str::to_owned)
}

/// Fields as a form sends them, which is how an address carries them too.
fn form(fields: &[(&str, &str)]) -> String {
    let url = Url::parse_with_params("http://form.example", fields);
    let url = url.expect("any text can stand in a query");
    url.query().unwrap_or_default().to_owned()
}
