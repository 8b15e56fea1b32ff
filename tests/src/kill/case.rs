//! The dossiers of the load: every event is a pure function of seed, province and number, so that the same
//! event can be made again at the end and offered once more under its key.

use lienthong_domain::Timestamp;
use lienthong_domain::time::portal_from_timestamp;
use lienthong_proto::dossier::v1 as proto;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::checker::Offer;

/// A province that pushes: its participant id, its name, and the units whose dossiers it reports.
#[derive(Clone, Copy, Debug)]
pub struct Province {
    /// Agency code, as in its certificate.
    pub id: &'static str,
    /// Name.
    pub name: &'static str,
    units: &'static [(&'static str, &'static str)],
}

/// Three provinces, two of them with a unit of a province merged into them.
pub const PROVINCES: [Province; 3] = [
    Province {
        id: "H21",
        name: "Tỉnh Gia Lai",
        units: &[
            ("H21.17", "UBND xã Ia Grai"),
            ("H08.12", "UBND phường Quy Nhơn"),
        ],
    },
    Province {
        id: "H56",
        name: "Tỉnh Thanh Hóa",
        units: &[
            ("H56.14", "Sở Tư pháp tỉnh Thanh Hóa"),
            ("H56.30", "UBND phường Hạc Thành"),
        ],
    },
    Province {
        id: "H29",
        name: "Thành phố Hồ Chí Minh",
        units: &[
            ("H29.5", "UBND phường Bến Thành"),
            ("H06.3", "UBND phường Vũng Tàu"),
        ],
    },
];

/// Lives of dossiers, as the portal's statuses.
const PATHS: [&[u8]; 6] = [
    &[1, 2, 4, 9, 10],
    &[2, 4, 5, 4, 9, 10],
    &[1, 2, 6, 4, 9, 10],
    &[2, 4, 4, 4, 9, 10],
    &[1, 2, 5, 2, 4, 4, 9, 10],
    &[1, 3],
];
const OFFICERS: [&str; 4] = [
    "Nguyễn Thị Ánh",
    "Trần Hữu Đức",
    "Lê Thuỳ Dung",
    "Võ Trọng Nghĩa",
];
const SECONDS_PER_STEP: i64 = 3_600;
/// Dossiers with numbers of one day, so that a code's number has four digits.
const NUMBERS_PER_DAY: u32 = 9_999;
const SECONDS_PER_DAY: i64 = 86_400;

/// One dossier.
#[derive(Clone, Debug)]
pub struct Case {
    code: String,
    unit: &'static str,
    path: &'static [u8],
    opened_at: Timestamp,
    key: String,
    officer: usize,
}

impl Case {
    /// The dossier with this number, from 0, of a province. `base` is the day of the first ones.
    pub fn new(seed: u64, base: Timestamp, province: &Province, number: u32) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let index = province
            .id
            .bytes()
            .fold(0_u64, |sum, byte| sum * 256 + u64::from(byte));
        random.set_stream(index << 32 | u64::from(number));
        let (agency, unit) = province.units[random.random_range(0..province.units.len())];
        let (day, number_of_day) = (number / NUMBERS_PER_DAY, number % NUMBERS_PER_DAY + 1);
        let opened_at = base + jiff_seconds(i64::from(day) * SECONDS_PER_DAY);
        let date = portal_from_timestamp(opened_at);
        let date = date.get(2..8).expect("the portal's times are 14 digits");
        Self {
            code: format!("{agency}-{date}-{number_of_day:04}"),
            unit,
            path: PATHS[random.random_range(0..PATHS.len())],
            opened_at,
            key: format!("{}-{seed:x}-{number}", province.id),
            officer: random.random_range(0..OFFICERS.len()),
        }
    }

    /// The dossier code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Number of its events.
    pub fn event_count(&self) -> usize {
        self.path.len()
    }

    /// What the portal must be told of the event at `place`, from 1.
    pub fn offer(&self, place: usize) -> Offer {
        let occurred = portal_from_timestamp(self.occurred_at(place));
        Offer {
            status: self.path[place - 1],
            occurred: occurred
                .parse()
                .expect("what the domain writes is a time of the portal"),
        }
    }

    /// The event at `place`, from 1.
    pub fn event(&self, place: usize) -> proto::StatusEvent {
        let status = self.path[place - 1];
        let at = Some(stamp(self.occurred_at(place)));
        let officer = (self.officer + place) % OFFICERS.len();
        let mut details = if place == 1 {
            Some(self.first_details())
        } else {
            None
        };
        let dates = matches!(status, 2 | 3 | 9 | 10);
        if dates {
            let details = details.get_or_insert_default();
            match status {
                2 => details.received_at = at,
                3 => details.refused_at = at,
                9 => details.finished_at = at,
                _ => details.returned_at = at,
            }
        }
        proto::StatusEvent {
            idempotency_key: format!("{}-{place}", self.key),
            dossier_code: self.code.clone(),
            status: i32::from(status),
            occurred_at: at,
            source_sequence: self
                .officer
                .is_multiple_of(2)
                .then_some(i64::try_from(place).unwrap_or(0)),
            progress: Some(proto::ProgressLine {
                officer_name: OFFICERS[officer].to_owned(),
                officer_title: "Chuyên viên".to_owned(),
                unit_name: self.unit.to_owned(),
                note: format!("Bước {place}: chuyển hồ sơ sang trạng thái {status}"),
                started_at: at,
                due_at: None,
            }),
            details,
        }
    }

    fn first_details(&self) -> proto::DossierDetails {
        let text = |text: &str| Some(text.to_owned());
        proto::DossierDetails {
            procedure_code: text("1.001193"),
            procedure_name: text("Đăng ký khai sinh"),
            field_code: text("G03-HT01"),
            field_name: text("Hộ tịch"),
            channel: proto::Channel::Online.into(),
            applicant: Some(proto::Applicant {
                name: text("Phạm Thị Ngọc Bích"),
                kind: proto::ApplicantKind::Citizen.into(),
                ..proto::Applicant::default()
            }),
            summary: Some(format!("Đăng ký khai sinh cho con, hồ sơ {}", self.code)),
            submitted_at: Some(stamp(self.opened_at)),
            due_at: Some(stamp(self.opened_at + jiff_seconds(5 * SECONDS_PER_DAY))),
            return_method: proto::ReturnMethod::Counter.into(),
            handling_unit: text(self.unit),
            ..proto::DossierDetails::default()
        }
    }

    fn occurred_at(&self, place: usize) -> Timestamp {
        let steps = i64::try_from(place).unwrap_or(i64::MAX);
        self.opened_at + jiff_seconds(steps * SECONDS_PER_STEP)
    }
}

fn jiff_seconds(seconds: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_secs(seconds)
}

fn stamp(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.as_second(),
        nanos: 0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use lienthong_domain::{DossierCode, DossierStatus};

    use super::*;

    #[test]
    fn dossiers_differ_and_take_allowed_steps_only() {
        let base = Timestamp::from_second(1_785_000_000).unwrap();
        let mut codes = HashSet::new();
        for province in &PROVINCES {
            for number in (0..200).chain(9_990..10_010) {
                let case = Case::new(7, base, province, number);
                DossierCode::parse(case.code()).unwrap();
                assert!(
                    codes.insert(case.code().to_owned()),
                    "{} twice",
                    case.code()
                );
                let statuses: Vec<_> = (1..=case.event_count())
                    .map(|place| DossierStatus::try_from(case.event(place).status).unwrap())
                    .collect();
                for pair in statuses.windows(2) {
                    assert!(pair[1].may_follow(pair[0]), "{pair:?}");
                }
            }
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_event_again() {
        let base = Timestamp::from_second(1_785_000_000).unwrap();
        let case = |seed| Case::new(seed, base, &PROVINCES[1], 12);
        assert_eq!(case(1).event(1), case(1).event(1));
        let keys: HashSet<_> = (1..=case(1).event_count())
            .flat_map(|place| [1, 2].map(|seed| case(seed).event(place.min(2)).idempotency_key))
            .collect();
        assert_eq!(keys.len(), 4);
    }
}
