use super::*;

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, Vec<ConfigFault>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lienthong.toml");
    std::fs::write(&file, text).unwrap();
    let environment = environment
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Config::load(Some(&file), environment).map_err(|faults| faults.0)
}

const GOOD: &str = r#"
    [portal]
    login_url = "https://portal.example/mapi/login"
    data_url = "https://portal.example/mapi/g"
    ca_file = "portal-ca.pem"
    username = "000.00.00.H21"
    password = "mật khẩu"
"#;

fn keys(faults: Vec<ConfigFault>) -> Vec<String> {
    faults.into_iter().map(|fault| fault.key).collect()
}

#[test]
fn the_default_file_reads_and_lacks_only_what_each_site_must_say() {
    let faults = keys(Config::default().faults());
    assert!(!faults.is_empty());
    assert!(
        faults.iter().all(|key| key.starts_with("portal.")),
        "{faults:?}"
    );
    assert!(load(GOOD, &[]).is_ok());
}

#[test]
fn the_delivery_defaults_in_the_file_are_those_of_the_code() {
    let file = format!("{:?}", Config::default().delivery.workers);
    assert_eq!(file, format!("{:?}", lienthong_delivery::Config::default()));
}

#[test]
fn the_portals_defaults_in_the_file_are_those_of_the_code() {
    let file = format!("{:?}", Config::default().portal);
    assert_eq!(file, format!("{:?}", lienthong_portal::Config::default()));
}

#[test]
fn the_identity_defaults_in_the_file_are_those_of_the_code() {
    let file = Config::default();
    let code = lienthong_identity::Config::default();
    assert_eq!(format!("{:?}", file.identity), format!("{code:?}"));
}

#[test]
fn the_population_defaults_in_the_file_are_those_of_the_code() {
    let file = Config::default().population;
    let soap = lienthong_population::SoapConfig::default();
    assert_eq!(format!("{:?}", file.soap), format!("{soap:?}"));
    let remote = lienthong_population::RemoteConfig::default();
    assert_eq!(format!("{:?}", file.remote), format!("{remote:?}"));
    let server = lienthong_population::ServerConfig::default();
    assert_eq!(format!("{:?}", file.server), format!("{server:?}"));
}

#[test]
fn a_population_database_needs_what_its_kind_needs() {
    let soap = format!("{GOOD}\n[population]\nkind = \"soap\"\n");
    let faults = keys(load(&soap, &[]).unwrap_err());
    assert!(
        faults.iter().any(|key| key == "population.soap.url"),
        "{faults:?}"
    );
    let secret = [("LIENTHONG__POPULATION__SOAP__ACCESS__SECRET", "bí mật")];
    let access = "[population.soap]\nurl = \"https://c06.example/x\"\nca_file = \"c06.pem\"\n\
                  default_procedure = \"1.001193\"\n\
                  [population.soap.access]\nkind = \"c06\"\nuser = \"truc\"\n";
    let config = load(&format!("{soap}{access}"), &secret).unwrap();
    assert!(!format!("{config:?}").contains("bí mật"));
    let remote = format!("{GOOD}\n[population]\nkind = \"remote\"\n");
    let faults = keys(load(&remote, &[]).unwrap_err());
    assert!(
        faults
            .iter()
            .all(|key| key.starts_with("population.remote.")),
        "{faults:?}"
    );
}

#[test]
fn the_environment_wins_over_the_file_and_is_read_by_type() {
    let config = load(
        &format!("{GOOD}\n[store]\nreaders = 3\n"),
        &[
            ("LIENTHONG__STORE__READERS", "5"),
            ("LIENTHONG__DELIVERY__BREAKER__PROBE_STAGES", "[2, 4]"),
            ("LIENTHONG__BROKER__RABBITMQ__URL", "amqp://u:p@host/v"),
            ("LIENTHONG__PORTAL__HEADERS__X-KEY", "abc"),
            ("LIENTHONG_ENDPOINT", "not ours"),
        ],
    )
    .unwrap();
    assert_eq!(config.store.readers, 5);
    assert_eq!(config.delivery.workers.breaker.probe_stages, [2, 4]);
    assert_eq!(config.broker.rabbitmq.url, "amqp://u:p@host/v");
    assert_eq!(config.portal.headers.len(), 1);
}

#[test]
fn every_fault_is_named_at_once() {
    let text = r#"
        [store]
        reader = 3
        path = 7
        [lisen]
        address = "x"
        [broker]
        kind = 1
    "#;
    let faults = load(
        text,
        &[
            ("LIENTHONG__STORE__READERS", "many"),
            ("LIENTHONG__NO__SUCH", "1"),
        ],
    );
    let mut keys = keys(faults.unwrap_err());
    keys.sort();
    let expected = [
        "LIENTHONG__NO__SUCH",
        "LIENTHONG__STORE__READERS",
        "broker.kind",
        "lisen",
        "store.path",
        "store.reader",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn values_out_of_bounds_are_named_by_section_or_key() {
    let text = format!("{GOOD}\n[listen]\naddress = \"nowhere\"\n[broker]\nkind = \"kafka\"\n");
    assert_eq!(keys(load(&text, &[]).unwrap_err()), ["broker", "listen"]);
    let text =
        format!("{GOOD}\n[metrics]\naddress = \"nowhere\"\n[operators]\napproval_above = -1\n");
    assert_eq!(
        keys(load(&text, &[]).unwrap_err()),
        ["metrics", "operators"]
    );
    let text = format!("{GOOD}\n[store]\nreaders = 0\n[broker]\nkind = \"rabbitmq\"\n");
    assert_eq!(
        keys(load(&text, &[]).unwrap_err()),
        ["broker.rabbitmq.url", "store.readers"]
    );
}

#[test]
fn a_password_is_never_repeated() {
    let text = "[portal]\npassword = 12345\n";
    let faults = load(text, &[]).unwrap_err();
    assert!(
        faults
            .iter()
            .all(|fault| !fault.to_string().contains("12345"))
    );
    let config = load(
        GOOD,
        &[("LIENTHONG__BROKER__RABBITMQ__URL", "amqp://u:secret@h")],
    )
    .unwrap();
    assert!(!format!("{config:?}").contains("secret"));
    assert!(!format!("{config:?}").contains("mật khẩu"));
}

#[test]
fn the_management_plugin_is_not_told_a_protected_password_in_the_clear() {
    let with = |url: &str, management: &str| {
        let section =
            format!("[broker]\nkind = \"rabbitmq\"\n[broker.rabbitmq]\nurl = \"{url}\"\n");
        load(
            &format!("{GOOD}{section}management_url = \"{management}\"\n"),
            &[],
        )
    };
    let protected = "amqps://lienthong:secret@broker.example/lienthong";
    let faults = with(protected, "http://broker.example:15672").unwrap_err();
    assert_eq!(
        faults[0].key, "broker.rabbitmq.management_url",
        "{faults:?}"
    );
    assert!(!faults[0].text.contains("secret"), "{faults:?}");
    assert!(with(protected, "https://broker.example:15671").is_ok());
    assert!(with("amqp://u:p@broker.example", "http://broker.example:15672").is_ok());
    assert!(with("amqp://u:p@broker.example", "").is_ok());
}
