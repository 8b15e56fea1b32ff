use super::check::TIMEOUT_MS_MAX;
use super::*;

fn good() -> Config {
    Config {
        login_url: "https://lgsp.gialai.example/VXPAdapter/RestService/forward/mapi/login"
            .to_owned(),
        data_url: "https://lgsp.gialai.example/VXPAdapter/RestService/forward/mapi/g".to_owned(),
        username: "H21".to_owned(),
        password: Private::new("mật khẩu".to_owned()),
        ..Config::default()
    }
}

fn keys(config: &Config) -> Vec<String> {
    config.check().into_iter().map(|fault| fault.key).collect()
}

#[test]
fn only_addresses_and_credentials_have_no_default() {
    assert_eq!(
        keys(&Config::default()),
        ["login_url", "data_url", "username", "password"]
    );
    assert_eq!(good().check(), []);
}

#[test]
fn every_fault_is_named_at_once() {
    let config = Config {
        login_url: "http://10.0.0.1/mapi/login".to_owned(),
        data_url: "https://user:secret@example.vn/".to_owned(),
        dstcode: "VN:GOV&x=1".to_owned(),
        headers: BTreeMap::from([("tên".to_owned(), Private::new("a\nb".to_owned()))]),
        session_seconds: 0,
        connect_timeout_ms: TIMEOUT_MS_MAX + 1,
        body_bytes_max: 1,
        meanings: Meanings {
            success_codes: vec!["0".to_owned(), "-1".to_owned()],
            busy_phrases: vec![String::new()],
            overload_codes: vec!["quá tải".to_owned()],
            retry_statuses: vec![503],
            ..Meanings::default()
        },
        cuts: BTreeMap::from([("TrichYeuHoSo".to_owned(), 0)]),
        ..good()
    };
    let expected = [
        "login_url",
        "data_url",
        "dstcode",
        "headers",
        "headers",
        "session_seconds",
        "connect_timeout_ms",
        "body_bytes_max",
        "meanings.busy_phrases",
        "meanings.overload_codes",
        "meanings.success_codes",
        "meanings.retry_statuses",
        "cuts",
    ];
    assert_eq!(keys(&config), expected);
    assert!(!format!("{:?}", config.check()).contains("secret"));
}

#[test]
fn plaintext_is_taken_only_when_it_is_allowed() {
    let plain = Config {
        login_url: "http://127.0.0.1/mapi/login".to_owned(),
        ..good()
    };
    assert_eq!(keys(&plain), ["login_url"]);
    assert_eq!(
        keys(&Config {
            allow_plaintext: true,
            ..plain
        }),
        Vec::<String>::new()
    );
    let other = Config {
        login_url: "ftp://a/b".to_owned(),
        allow_plaintext: true,
        ..good()
    };
    assert_eq!(keys(&other), ["login_url"]);
}

#[test]
fn a_file_sets_what_it_names_and_unknown_keys_are_refused() {
    let text = r#"
        login_url = "https://a.vn/mapi/login"
        password = "bí mật"
        dstcode_in = "both"
        agency = { fixed = "000.00.00.H21" }
        headers = { ApiKey = "khóa" }
        [meanings]
        generic_error = "retry"
        [cuts]
        TrichYeuHoSo = 1000
    "#;
    let config: Config = toml::from_str(text).unwrap();
    assert_eq!(config.dstcode_in, DstcodePlace::Both);
    assert_eq!(
        config.agency,
        Agency::Fixed(AgencyCode::parse("000.00.00.H21").unwrap())
    );
    assert_eq!(config.meanings.generic_error, GenericError::Retry);
    assert_eq!(config.meanings.success_codes, ["0", "00"]);
    assert_eq!(config.session_seconds, 600);
    let printed = format!("{config:?}");
    assert!(
        !printed.contains("bí mật") && !printed.contains("khóa"),
        "{printed}"
    );
    assert!(toml::from_str::<Config>("login = 1").is_err());
}
