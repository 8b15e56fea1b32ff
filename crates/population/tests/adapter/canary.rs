//! Nothing of a person in any error or log line, at any level, whatever the database does.

use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex};

use lienthong_domain::identity::{FieldSet, FullName};
use lienthong_population::config::VerifyBy;
use lienthong_ports::conformance::population::{claims_of, question, unique};
use lienthong_ports::{PopulationRegistry as _, RegistryError};
use lienthong_simulators::population::{Fault, Gate, When};
use tracing_subscriber::fmt::MakeWriter;

use crate::desk::Desk;
use crate::support::{Database, SHORT, TIMEOUT, config, plain, registry};

/// Gathers what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    /// Follows what this thread logs, at every level.
    fn follow(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Everything that prints of what came back.
fn shown<T: Debug>(answer: Result<T, RegistryError>) -> String {
    let printed = format!("{answer:?}");
    match answer {
        Ok(_) => printed,
        Err(error) => format!("{printed} {error}"),
    }
}

fn assert_silent(said: &str, secrets: &[String]) {
    for secret in secrets {
        let at = said.find(secret.as_str());
        assert!(
            at.is_none(),
            "a canary sings: {:.300}",
            said.get(at.unwrap_or(0)..).unwrap_or_default()
        );
    }
}

#[tokio::test]
async fn people_are_in_no_line_and_no_error() {
    let lines = Lines::default();
    let following = lines.follow();
    let database = Database::start(plain(Gate::FoldDiacritics)).await;
    let cast = database.cast();
    let person = &cast.people[0];
    let mut said = String::new();
    let mut claims = claims_of(person);
    claims.sex = person.sex;
    let faults = [
        None,
        Some(Fault::Garbage),
        Some(Fault::Truncated),
        Some(Fault::OtherPerson),
        Some(Fault::Cut),
        Some(Fault::CutMidAnswer),
        Some(Fault::HalfOpen),
        Some(Fault::Status { code: 500 }),
        Some(Fault::SoapFault {
            message: format!("Sai: {} {}", claims.number.as_str(), claims.name.upper()),
        }),
    ];
    for verify_by in [VerifyBy::Match, VerifyBy::LookUp] {
        let registry = database.registry(|config| config.verify_by = verify_by);
        for fault in &faults {
            let timeout = match fault {
                Some(Fault::HalfOpen) => SHORT,
                _ => TIMEOUT,
            };
            match fault {
                Some(fault) => database.strike(fault.clone(), When::Always),
                None => database.heal(),
            }
            let verified = registry
                .verify(&question(&unique()), &claims, timeout)
                .await;
            let found = registry
                .look_up(&question(&unique()), &claims, FieldSet::all(), timeout)
                .await;
            said.push_str(&shown(verified));
            said.push_str(&shown(found));
        }
    }
    drop(following);
    said += &lines.text();
    assert!(
        said.contains("the population database answered"),
        "the log was followed"
    );
    assert_silent(&said, &secrets(&claims));
}

#[tokio::test]
async fn broken_fields_are_named_without_their_values() {
    let lines = Lines::default();
    let following = lines.follow();
    let desk = Desk::start().await;
    let adapter = registry(lienthong_population::SoapConfig {
        url: desk.url.clone(),
        verify_by: VerifyBy::LookUp,
        ..config()
    });
    let mut claims = crate::desk::hoa();
    claims.name = FullName::parse("Lê Thị Hoà").unwrap();
    let person =
        crate::desk::record("<DanToc>CHIMHOANGYEN mười</DanToc><GioiTinh>CHIMHOANGYEN</GioiTinh>");
    desk.says(200, &person);
    let found = adapter
        .look_up(&question(&unique()), &claims, FieldSet::all(), TIMEOUT)
        .await;
    let mut said = shown(found);
    let broken = person.replace("038191012345", "CHIMHOANGYEN");
    desk.says(200, &broken);
    let found = adapter
        .look_up(&question(&unique()), &claims, FieldSet::all(), TIMEOUT)
        .await;
    said.push_str(&shown(found));
    drop(following);
    said += &lines.text();
    assert!(
        said.contains("GioiTinh") && said.contains("BadAnswer"),
        "{said:.2000}"
    );
    let mut secrets = secrets(&claims);
    secrets.push("CHIMHOANGYEN".to_owned());
    assert_silent(&said, &secrets);
}

fn secrets(claims: &lienthong_domain::identity::Claims) -> Vec<String> {
    vec![
        claims.number.as_str().to_owned(),
        claims.name.as_str().to_owned(),
        claims.name.upper(),
        claims.birth.iso(),
        claims.birth.compact(),
    ]
}
