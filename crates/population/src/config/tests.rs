use super::*;

fn soap(text: &str) -> SoapConfig {
    toml::from_str(text).unwrap()
}

fn keys(faults: &[ConfigFault]) -> Vec<&str> {
    faults.iter().map(|fault| fault.key.as_str()).collect()
}

#[test]
fn the_defaults_lack_only_what_nobody_can_know() {
    assert_eq!(
        keys(&SoapConfig::default().check()),
        ["url", "default_procedure"]
    );
    let missing = ["endpoints", "ca", "certificate", "key"];
    assert_eq!(keys(&RemoteConfig::default().check()), missing);
    assert_eq!(keys(&ServerConfig::default().check()), ["peers"]);
}

#[test]
fn a_whole_file_is_read() {
    let config = soap(
        r#"
        url = "https://lgsp.gialai.example/dv"
        default_procedure = "1.001193"
        verify_by = "look_up"
        form = "json"
        unit = "participant"
        account = "official"
        phone = { fixed = "0269" }
        look_up = { element = "TraCuu", code = "037", url = "https://lgsp.gialai.example/tracuu" }
        faults = [{ code = "E17", meaning = "busy" }, { phrase = "khoá", meaning = "refused" }]
        [headers]
        ApiKey = "khoa"
        [access]
        kind = "lgsp"
        token_url = "https://lgsp.gialai.example/token"
        access_key = "a"
        secret_key = "bi-mat"
        app_name = "c"
        partner_code = "d"
        partner_code_cus = "e"
        official_keys = { "hoa.tuphap" = "khoa-rieng" }
        "#,
    );
    assert_eq!(config.check(), []);
    assert_eq!(config.phone, Filled::Fixed("0269".to_owned()));
    assert_eq!(
        config.url_of(&config.look_up),
        "https://lgsp.gialai.example/tracuu"
    );
    assert_eq!(
        config.url_of(&config.matching),
        "https://lgsp.gialai.example/dv"
    );
    let shown = format!("{config:?}");
    for secret in ["bi-mat", "khoa-rieng", "\"khoa\""] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(toml::from_str::<SoapConfig>("ulr = 'x'").is_err());
    assert!(
        toml::from_str::<SoapConfig>(
            "access = { kind = 'c06', user = 'a', secret = 'b', odd = 1 }"
        )
        .is_err()
    );
}

#[test]
fn every_fault_is_named_at_once() {
    let config = soap(
        r#"
        url = "http://khong-ma-hoa"
        certificate = "a.pem"
        soap_action = "hai\ndòng"
        default_procedure = "\u0007"
        look_up = { element = "Tra Cuu", code = "", url = "ftp://x" }
        faults = [{ meaning = "busy" }]
        body_bytes_max = 0
        request_timeout_ms_max = 600001
        [headers]
        "X Y" = "z"
        [access]
        kind = "c06"
        user = "a:b"
        secret = ""
        service_url = "x"
        "#,
    );
    let expected = [
        "url",
        "key",
        "access.secret",
        "access.user",
        "access.service_url",
        "headers",
        "soap_action",
        "default_procedure",
        "look_up.element",
        "look_up.code",
        "look_up.url",
        "faults",
        "request_timeout_ms_max",
        "body_bytes_max",
    ];
    assert_eq!(keys(&config.check()), expected);
    let user = "url = 'https://a:b@c/d'\ndefault_procedure = 'x'\naccess = { kind = 'wso2', token_url = '', client_id = '', client_secret = '' }";
    assert_eq!(
        keys(&soap(user).check()),
        [
            "url",
            "access.token_url",
            "access.client_id",
            "access.client_secret"
        ]
    );
    let remote = RemoteConfig {
        endpoints: vec!["https://a:1".to_owned(); 17],
        avoid_ms: 60_000,
        ..RemoteConfig::default()
    };
    let expected = [
        "endpoints",
        "endpoints",
        "ca",
        "certificate",
        "key",
        "avoid_ms",
    ];
    assert_eq!(keys(&remote.check()), expected);
    let server: ServerConfig = toml::from_str(
        "listen = '[::1]:8444'\ncalls_max = 0\ndeadline_ms_default = 40000\npeers = [{ participant = 'G01', system = '' }]",
    )
    .unwrap();
    assert_eq!(
        keys(&server.check()),
        ["peers.system", "calls_max", "deadline_ms_default"]
    );
}

#[test]
fn plain_http_and_a_certificate_reach_the_http_client() {
    let config = soap(
        "url = 'http://127.0.0.1:1/dv'\nallow_plaintext = true\ndefault_procedure = 'x'\ncertificate = 'a.pem'\nkey = 'b.pem'",
    );
    assert_eq!(config.check(), []);
    let http = config.http_client_config();
    assert!(http.allow_plaintext && http.identity.is_some());
}
