//! A simulated database, adapters in front of it, and its people as the domain knows them.

use std::time::Duration;

use lienthong_domain::identity::citizen::RecordText;
use lienthong_domain::identity::name::tone_variants;
use lienthong_domain::identity::{
    BirthDate, Citizen, CitizenNumber, Claims, FullName, IdNumber, OldNumber, Place, Relative, Sex,
};
use lienthong_domain::{Clock, Private, Text};
use lienthong_population::config::{Access, TimestampUnit};
use lienthong_population::{SoapConfig, SoapRegistry};
use lienthong_ports::conformance::population::{Cast, PEOPLE_MIN, claims_of};
use lienthong_simulators::population::{
    self as simulated, Fault, FaultRule, FaultScript, Gate, Layout, LayoutChoice, PopulationConfig,
    PopulationHandle, PopulationSimulator, When,
};
use lienthong_transport::{TlsClock, http_client};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Enough for anything that is not meant to hang.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);
/// Enough for a call on this machine, and soon over.
pub(crate) const SHORT: Duration = Duration::from_millis(300);
const CITIZENS: u32 = 20_000;

/// A running database.
pub(crate) struct Database {
    pub(crate) handle: PopulationHandle,
    pub(crate) endpoint: String,
    pub(crate) token_url: String,
    /// Ends the simulator when it is dropped.
    _running: JoinSet<()>,
}

impl Database {
    pub(crate) async fn start(config: PopulationConfig) -> Self {
        let config = PopulationConfig {
            seed: 7,
            citizens: CITIZENS,
            started_at_ms: Clock::system().now().as_millisecond(),
            ..config
        };
        let address = "127.0.0.1:0".parse().unwrap();
        let bound = PopulationSimulator::bind(config, address).await.unwrap();
        let (handle, endpoint) = (bound.handle(), bound.endpoint());
        let token_url = bound.token_url();
        let mut running = JoinSet::new();
        running.spawn(async move { bound.run(CancellationToken::new()).await.unwrap() });
        Self {
            handle,
            endpoint,
            token_url,
            _running: running,
        }
    }

    /// A database that admits everybody and compares as strictly as it can.
    pub(crate) async fn open() -> Self {
        Self::start(PopulationConfig::default()).await
    }

    pub(crate) fn registry(&self, change: impl FnOnce(&mut SoapConfig)) -> SoapRegistry {
        let mut config = SoapConfig {
            url: self.endpoint.clone(),
            ..config()
        };
        change(&mut config);
        registry(config)
    }

    pub(crate) fn strike(&self, fault: Fault, when: When) {
        let services = Vec::new();
        let rules = vec![FaultRule {
            fault,
            when,
            services,
        }];
        self.handle
            .set_faults(FaultScript { seed: 0, rules })
            .unwrap();
    }

    pub(crate) fn heal(&self) {
        self.handle.set_faults(FaultScript::default()).unwrap();
    }

    /// People with everything that the promises ask for.
    pub(crate) fn cast(&self) -> Cast {
        let population = self.handle.population();
        let all: Vec<_> = (0..3_000)
            .map(|index| person(&population.citizen(index)))
            .filter(|person| matches!(person.birth_date, Some(BirthDate::Full(_))))
            .collect();
        let has_town = |person: &Citizen| {
            person
                .home_town
                .as_ref()
                .is_some_and(|town| town.detail.is_some())
        };
        let styled = all
            .iter()
            .filter(|person| !tone_variants(&claims_of(person).name).is_empty());
        let told = all
            .iter()
            .filter(|person| person.old_number.is_some() && has_town(person));
        let people: Vec<_> = styled
            .take(5)
            .chain(told.take(5))
            .chain(&all)
            .take(PEOPLE_MIN)
            .cloned()
            .collect();
        let mut nobody = claims_of(&people[0]);
        nobody.number = free_number(population);
        let bare = people
            .iter()
            .map(claims_of)
            .find(|claims| !claims.name.as_str().is_ascii());
        let mut bare = bare.unwrap();
        bare.name = FullName::parse(&bare_letters(bare.name.as_str())).unwrap();
        Cast {
            people,
            nobody,
            bare,
        }
    }
}

/// Settings without an address.
pub(crate) fn config() -> SoapConfig {
    SoapConfig {
        allow_plaintext: true,
        default_procedure: "1.001193".to_owned(),
        failed_token_pause_ms: 50,
        ..SoapConfig::default()
    }
}

pub(crate) fn registry(config: SoapConfig) -> SoapRegistry {
    let clock = Clock::system();
    let now = clock.clone();
    let http = http_client(
        &config.http_client_config(),
        TlsClock::new(move || now.now()),
    );
    SoapRegistry::new(config, http.unwrap(), clock).unwrap()
}

/// The headers of C06, on both sides.
pub(crate) fn c06(unit: TimestampUnit) -> (simulated::Access, Access) {
    let told = match unit {
        TimestampUnit::Milliseconds => simulated::TimestampUnit::Milliseconds,
        TimestampUnit::Seconds => simulated::TimestampUnit::Seconds,
    };
    let users = [("gialai".to_owned(), "bí mật".to_owned())].into();
    let theirs = simulated::Access::C06 {
        users,
        service_url: None,
        unit: told,
        skew_max: Duration::from_mins(1),
    };
    let ours = Access::C06 {
        user: "gialai".to_owned(),
        secret: Private::new("bí mật".to_owned()),
        service_url: String::new(),
        timestamp: unit,
    };
    (theirs, ours)
}

/// A layout with the given gate.
pub(crate) fn plain(gate: Gate) -> PopulationConfig {
    PopulationConfig {
        gate,
        layout: LayoutChoice::Fixed(Layout::default()),
        ..PopulationConfig::default()
    }
}

fn free_number(population: &simulated::Population) -> IdNumber {
    let numbers = (0..1_000).map(|suffix| format!("052185{suffix:06}"));
    let free = numbers
        .into_iter()
        .find(|number| population.find(number).is_none());
    IdNumber::parse(&free.unwrap()).unwrap()
}

fn bare_letters(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    let letters = text
        .nfd()
        .filter(|letter| !unicode_normalization::char::is_combining_mark(*letter));
    letters
        .map(|letter| match letter {
            'Đ' => 'D',
            'đ' => 'd',
            other => other,
        })
        .collect()
}

/// A simulated citizen as the domain knows one.
pub(crate) fn person(citizen: &simulated::Citizen) -> Citizen {
    let birth = citizen
        .birth
        .date()
        .unwrap_or_else(|| citizen.birth.year.to_string());
    let marital_status = citizen.marital_status.map(|status| match status {
        simulated::MaritalStatus::Single => "1",
        simulated::MaritalStatus::Married => "2",
        simulated::MaritalStatus::Apart => "3",
    });
    let head = citizen.household_head.as_ref().map(|head| Relative {
        relation: Text::parse(head.relation).ok(),
        ..relative(&head.person)
    });
    Citizen {
        citizen_number: Some(CitizenNumber::parse(&citizen.number).unwrap()),
        old_number: citizen
            .old_number
            .as_deref()
            .map(|number| OldNumber::parse(number).unwrap()),
        full_name: Some(text(&citizen.name.full())),
        birth_date: Some(BirthDate::parse_compact(&birth).unwrap()),
        sex: Some(match citizen.sex {
            simulated::Sex::Male => Sex::Male,
            simulated::Sex::Female => Sex::Female,
        }),
        ethnicity: code(Some(citizen.ethnicity)),
        religion: code(citizen.religion),
        marital_status: code(marital_status),
        blood_group: code(citizen.blood_type),
        nationality: code(Some("VN")),
        birth_registration: citizen.birth_registration.as_ref().map(place),
        home_town: citizen.home_town.as_ref().map(place),
        permanent_residence: citizen.permanent_residence.as_ref().map(place),
        current_residence: citizen.current_residence.as_ref().map(place),
        father: citizen.father.as_ref().map(relative),
        mother: citizen.mother.as_ref().map(relative),
        spouse: citizen.spouse.as_ref().map(relative),
        representative: None,
        household_head: head,
        household_number: citizen.household_number.as_deref().map(text),
    }
}

/// The claims that are true of a simulated citizen.
pub(crate) fn claims(citizen: &simulated::Citizen) -> Claims {
    claims_of(&person(citizen))
}

fn place(place: &simulated::Place) -> Place {
    Place {
        province: code(Some(&place.province)),
        district: code(place.district.as_deref()),
        commune: code(Some(&place.commune)),
        detail: place.detail.as_deref().map(text),
        country: code(Some("VN")),
    }
}

fn relative(relative: &simulated::Relative) -> Relative {
    Relative {
        full_name: Some(text(&relative.name.full())),
        citizen_number: relative
            .number
            .as_deref()
            .map(|number| CitizenNumber::parse(number).unwrap()),
        old_number: relative
            .old_number
            .as_deref()
            .map(|number| OldNumber::parse(number).unwrap()),
        nationality: code(Some("VN")),
        relation: None,
    }
}

fn text(text: &str) -> RecordText {
    Private::new(Text::parse(text).unwrap())
}

fn code(code: Option<&str>) -> Option<Text<10>> {
    code.map(|code| Text::parse(code).unwrap())
}
