use lienthong_domain::DestinationName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const PATIENCE: Duration = Duration::from_secs(5);
const PASSWORD: &str = "mật khẩu";

fn broker(text: &str) -> BrokerUrl {
    text.parse().unwrap()
}

#[test]
fn a_protected_password_stays_protected() {
    let table = [
        ("amqps://u:p@b/v", "https://b:15671", Ok(false)),
        ("amqps://u:p@b/v", "https://b/rabbit/", Ok(false)),
        ("amqps://u:p@b/v", "http://b:15672", Err("is http://")),
        ("amqps://u:p@b/v", "http://127.0.0.1:15672", Ok(true)),
        ("amqps://u:p@b/v", "http://[::1]:15672", Ok(true)),
        ("amqps://u:p@b/v", "http://localhost:15672", Ok(true)),
        (
            "amqps://u:p@b/v",
            "http://localhost.b:15672",
            Err("is http://"),
        ),
        ("amqp://u:p@b/v", "http://b:15672", Ok(true)),
        ("amqp://u:p@b/v", "https://b:15671", Err("is https://")),
        ("amqp://u:p@b/v", "b:15672", Err("is neither")),
        ("amqp://u:p@b/v", "/api", Err("is not a whole")),
        ("amqp://u:p@b/v", "http://u:p@b", Err("holds credentials")),
    ];
    for (url, text, expected) in table {
        let found = ManagementUrl::parse(text, &broker(url));
        match (found, expected) {
            (Ok(found), Ok(plain)) => assert_eq!(found.is_plain(), plain, "{url} {text}"),
            (Err(found), Err(begin)) => assert!(found.starts_with(begin), "{text}: {found}"),
            (found, expected) => panic!("{url} {text}: {found:?}, not {expected:?}"),
        }
    }
}

/// What was asked, up to the end of its head.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap().into());
    }
    head
}

fn response(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

/// Asks a plugin that gives these answers in turn, and then hears nothing more; with what it was asked.
async fn ask(
    answers: &[String],
    patience: Duration,
) -> (Result<Vec<Override>, ManagementError>, Vec<String>) {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .ok();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let broker = broker("amqp://u:m%E1%BA%ADt%20kh%E1%BA%A9u@b/a%2Fb");
    let url = ManagementUrl::parse(&format!("http://{address}/rabbit/"), &broker).unwrap();
    let topology = Topology {
        destinations: vec![DestinationName::parse("dvcqg").unwrap()],
        queue_messages_max: 10_000,
        timeout: PATIENCE,
    };
    let http = Client::builder().no_proxy().build().unwrap();
    let plugin = Plugin {
        http: &http,
        url: &url,
        broker: &broker,
        deadline: Instant::now() + patience,
    };
    let mut heads = Vec::new();
    let serve = async {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            heads.push(head(&mut stream).await);
            // Whoever has read enough hangs up.
            stream.write_all(answer.as_bytes()).await.ok();
        }
        std::future::pending::<()>().await;
    };
    let found = tokio::select! {
        found = plugin.overrides(&topology) => found,
        () = serve => unreachable!("it serves for ever"),
    };
    (found, heads)
}

#[tokio::test]
async fn queues_and_exchange_are_asked_for_what_applies_to_them() {
    let untold = response("200 OK", "{}");
    let work = r#"{"policy":"tất cả","operator_policy":"trần","effective_policy_definition":{"message-ttl":5}}"#;
    let dead = r#"{"policy":null,"operator_policy":null,"effective_policy_definition":{}}"#;
    let exchange = r#"{"policy":"tất cả"}"#;
    let policies = r#"[{"name":"khác","definition":{"expires":1}},
        {"name":"tất cả","definition":{"alternate-exchange":"amq.fanout","message-ttl":5}}]"#;
    let told = [work, dead, exchange, policies].map(|body| response("200 OK", body));
    let answers = [vec![untold], told.to_vec()].concat();
    let (found, heads) = ask(&answers, PATIENCE).await;
    let found = found.unwrap();
    let keys: Vec<_> = found
        .iter()
        .map(|found| (found.objects[0].as_str(), found.key.as_str()))
        .collect();
    let expected = [
        ("queue work.dvcqg", "message-ttl"),
        ("exchange lienthong.work", "alternate-exchange"),
    ];
    assert_eq!(keys, expected);
    assert_eq!(found[0].set_by.operator_policy.as_deref(), Some("trần"));
    let paths: Vec<_> = heads
        .iter()
        .map(|head| head.split(['?', ' ']).nth(1).unwrap())
        .collect();
    let expected = [
        "/rabbit/api/queues/a%2Fb/work.dvcqg",
        "/rabbit/api/queues/a%2Fb/work.dvcqg",
        "/rabbit/api/queues/a%2Fb/lienthong.dead",
        "/rabbit/api/exchanges/a%2Fb/lienthong.work",
        "/rabbit/api/policies/a%2Fb",
    ];
    assert_eq!(paths, expected, "it asks again where nothing was told");
    // `u:mật khẩu` in UTF-8.
    let basic = "authorization: Basic dTpt4bqtdCBraOG6qXU=\r\n";
    assert!(heads.iter().all(|head| head.contains(basic)), "{heads:?}");
}

#[tokio::test]
async fn what_is_no_answer_is_told_as_what_it_is() {
    let long = "x".repeat(ANSWER_BYTES_MAX + 1);
    let table = [
        (response("401 Unauthorized", "{}"), "it answers 401"),
        (response("403 Forbidden", "{}"), "it answers 403"),
        (
            response("404 Not Found", "{}"),
            "find queues/a/b/work.dvcqg",
        ),
        (response("302 Found", ""), "status 302"),
        (response("200 OK", "<html>"), "no JSON"),
        (response("200 OK", &long), "more than 1048576 bytes"),
        ("\0".to_owned(), "reach RabbitMQ's management plugin"),
    ];
    for (answer, expected) in table {
        let (found, _) = ask(&[answer], PATIENCE).await;
        let told = found.unwrap_err().to_string();
        assert!(told.contains(expected), "{expected}: {told}");
        assert!(!told.contains(PASSWORD), "{told}");
    }
    let brief = Duration::from_millis(50);
    let (silent, _) = ask(&[], brief).await;
    assert!(
        matches!(silent, Err(ManagementError::TimedOut)),
        "{silent:?}"
    );
    let (untold, _) = ask(&[response("200 OK", "{}")], Duration::from_millis(900)).await;
    assert!(
        matches!(untold, Err(ManagementError::NotTold(_))),
        "{untold:?}"
    );
}
