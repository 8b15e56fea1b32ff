//! A browser of the smallest kind: one request per connection, and a jar of cookies.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// Fails unless every text is on the page.
    #[track_caller]
    pub(crate) fn has(&self, expected: &[&str]) -> &Self {
        for text in expected {
            assert!(self.body.contains(text), "{text} is not in {}", self.body);
        }
        self
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The value of a field that is not shown.
    #[track_caller]
    pub(crate) fn hidden(&self, name: &str) -> String {
        let begin = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.body.split_once(&begin).expect("the field is there");
        let (value, _) = rest.split_once('"').expect("a value ends");
        value.to_owned()
    }
}

/// A browser, in one language.
pub(crate) struct Browser {
    address: SocketAddr,
    language: &'static str,
    cookies: Vec<(String, String)>,
    csrf: String,
}

impl Browser {
    pub(crate) fn new(address: SocketAddr, language: &'static str) -> Self {
        Self {
            address,
            language,
            cookies: Vec::new(),
            csrf: String::new(),
        }
    }

    pub(crate) async fn sign_in(&mut self, name: &str, password: &str) {
        let pairs = [("name", name), ("password", password)];
        self.post("/sign-in", &pairs).await.is(303);
        let page = self.get("/").await;
        page.is(200);
        self.csrf = page.hidden("csrf");
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    /// Sends a form, with the session's token.
    pub(crate) async fn post(&mut self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let token = ("csrf", self.csrf.clone());
        let own = pairs
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(own.chain([token]));
        let body = form.finish();
        self.ask("POST", path, &body).await
    }

    async fn ask(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let (address, language, length) = (self.address, self.language, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nSec-Fetch-Site: same-origin\r\n\
             Accept-Language: {language}\r\nCookie: {cookies}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        let mut stream = TcpStream::connect(address)
            .await
            .expect("the console listens");
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it takes requests");
        let mut bytes = Vec::new();
        stream
            .read_to_end(&mut bytes)
            .await
            .expect("it answers and closes");
        let answer = read(&String::from_utf8(bytes).expect("pages are UTF-8"));
        self.keep_cookies(&answer);
        answer
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        let set = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie");
        for (_, cookie) in set {
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a name");
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}

fn read(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let header = |line: &str| {
        let (name, value) = line.split_once(':').expect("a header");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    Answer {
        status: status
            .and_then(|status| status.parse().ok())
            .expect("a status"),
        headers: lines.map(header).collect(),
        body: body.to_owned(),
    }
}
