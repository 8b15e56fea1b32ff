//! A population database that behaves by script and remembers every question.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use lienthong_domain::Random;
use lienthong_domain::identity::{
    BirthDate, CitizenNumber, Claims, FieldSet, FullName, IdNumber, NameLevel, Verdict,
    Verification,
};
use lienthong_ports::{LookUp, PopulationRegistry, Question, RegistryError};
use tokio::time::Instant;

/// How the database is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Weather {
    /// It answers after so many milliseconds.
    Fine(u64),
    /// It answers after up to 20 seconds.
    Slow,
    /// It wants to be left alone for so many seconds.
    Busy(u64),
    /// Nobody answers.
    Down,
    /// Its answers cannot be read.
    Garbage,
    /// It does not accept the gateway.
    Refusing,
    /// Asking it makes the asker panic.
    Poisonous,
    /// Anything of the above but the last two, drawn for each question.
    Mixed,
}

/// One question.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) number: String,
    pub(crate) began: Instant,
    /// How it ended; `None` while it is under way, and for ever if the asker vanished.
    pub(crate) answered: Option<bool>,
}

pub(crate) struct Database {
    random: Random,
    moving: Mutex<Moving>,
}

struct Moving {
    weather: Weather,
    /// How it is for single persons.
    spots: HashMap<String, Weather>,
    calls: Vec<Call>,
    under_way: usize,
    under_way_max: usize,
}

/// Counts a question as under way until it is dropped.
struct UnderWay<'a>(&'a Database);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.moving().under_way -= 1;
    }
}

impl Database {
    pub(crate) fn new(random: Random) -> Self {
        let moving = Moving {
            weather: Weather::Fine(20),
            spots: HashMap::new(),
            calls: Vec::new(),
            under_way: 0,
            under_way_max: 0,
        };
        Self {
            random,
            moving: Mutex::new(moving),
        }
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        self.moving().weather = weather;
    }

    /// From now on it is so for this person, whatever it is for others.
    pub(crate) fn set_spot(&self, claims: &Claims, weather: Weather) {
        let number = claims.number.as_str().to_owned();
        self.moving().spots.insert(number, weather);
    }

    /// How often it was asked about this person.
    pub(crate) fn asked_about(&self, claims: &Claims) -> usize {
        let moving = self.moving();
        let calls = moving.calls.iter();
        calls
            .filter(|call| call.number == claims.number.as_str())
            .count()
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.moving().calls.clone()
    }

    /// The most questions that were under way at once.
    pub(crate) fn under_way_max(&self) -> usize {
        self.moving().under_way_max
    }

    fn moving(&self) -> MutexGuard<'_, Moving> {
        self.moving.lock().expect("nothing panics with it in hand")
    }

    fn begin(&self, claims: &Claims) -> (usize, Weather) {
        let mut moving = self.moving();
        moving.under_way += 1;
        moving.under_way_max = moving.under_way_max.max(moving.under_way);
        moving.calls.push(Call {
            number: claims.number.as_str().to_owned(),
            began: Instant::now(),
            answered: None,
        });
        let spot = moving.spots.get(claims.number.as_str()).copied();
        (moving.calls.len() - 1, spot.unwrap_or(moving.weather))
    }

    fn draw(&self, weather: Weather) -> Weather {
        match (weather, self.random.below(10)) {
            (Weather::Mixed, 0) => Weather::Slow,
            (Weather::Mixed, 1) => Weather::Busy(2),
            (Weather::Mixed, 2) => Weather::Down,
            (Weather::Mixed, 3) => Weather::Garbage,
            (Weather::Mixed, _) => Weather::Fine(30),
            (weather, _) => weather,
        }
    }
}

#[async_trait]
impl PopulationRegistry for Database {
    async fn verify(
        &self,
        _question: &Question,
        claims: &Claims,
        timeout: Duration,
    ) -> Result<Verification, RegistryError> {
        let (call, weather) = self.begin(claims);
        let _under_way = UnderWay(self);
        let weather = self.draw(weather);
        let takes = match weather {
            Weather::Fine(ms) => Duration::from_millis(ms),
            Weather::Slow => Duration::from_millis(self.random.below(20_000)),
            _ => Duration::from_millis(10),
        };
        tokio::time::sleep(takes.min(timeout)).await;
        assert_ne!(weather, Weather::Poisonous, "a person nobody survives");
        let answer = match weather {
            _ if takes >= timeout => {
                Err(RegistryError::Unavailable("no answer in time".to_owned()))
            }
            Weather::Down => Err(RegistryError::Unavailable("connection refused".to_owned())),
            Weather::Busy(seconds) => Err(RegistryError::Busy {
                retry_after: Some(Duration::from_secs(seconds)),
            }),
            Weather::Garbage => Err(RegistryError::BadAnswer("not XML".to_owned())),
            Weather::Refusing => Err(RegistryError::Refused("an unknown hash".to_owned())),
            _ => Ok(truth(claims)),
        };
        self.moving().calls[call].answered = Some(answer.is_ok());
        answer
    }

    async fn look_up(
        &self,
        _question: &Question,
        _claims: &Claims,
        _fields: FieldSet,
        _timeout: Duration,
    ) -> Result<LookUp, RegistryError> {
        Err(RegistryError::Refused("jobs look nothing up".to_owned()))
    }

    async fn check(&self, _timeout: Duration) -> Result<(), String> {
        Ok(())
    }
}

/// What the database says of these claims, decided by the last digit of the number.
pub(crate) fn truth(claims: &Claims) -> Verification {
    let verdict = match claims.number.as_str().as_bytes().last() {
        Some(b'0') => Verdict::NoMatch,
        Some(b'1') => Verdict::Undecided,
        _ => Verdict::Match,
    };
    Verification::of_key(claims, verdict, NameLevel::Exact)
}

/// The claims about invented person number `index`, below 1,000,000.
pub(crate) fn person(index: u32) -> Claims {
    let number = format!("001090{index:06}");
    let number = CitizenNumber::parse(&number).expect("12 digits of Hà Nội");
    let name = FullName::parse("Nguyễn Thị Ánh Tuyết").expect("a name");
    let birth = BirthDate::parse("1990-05-19").expect("a date");
    Claims::key(IdNumber::Citizen(number), name, birth)
}

/// A person whom the database knows.
pub(crate) fn known(index: u32) -> Claims {
    person(index * 10 + 5)
}

/// Claims that are wrong.
pub(crate) fn wrong(index: u32) -> Claims {
    person(index * 10)
}
