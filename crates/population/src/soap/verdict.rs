//! Claims against a record: whose record it is, and what each claim is worth.

use lienthong_domain::identity::matching::{self, Verdict};
use lienthong_domain::identity::name::level;
use lienthong_domain::identity::{
    Citizen, Claims, Field, FullName, IdNumber, NameLevel, Place, Verification,
};

use crate::failure::Failure;

/// How number, name and birth date of a record agree with the claimed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Undecided where the record tells no number of the kind that was asked.
    number: Verdict,
    /// `None` where the record tells no name.
    name: Option<NameLevel>,
    birth: Verdict,
}

impl Key {
    /// Compares.
    ///
    /// # Errors
    /// [`Failure::BadAnswer`] for the record of another number: it answers a question that was not asked.
    pub(crate) fn of(claims: &Claims, record: &Citizen) -> Result<Self, Failure> {
        let told = match claims.number {
            IdNumber::Citizen(asked) => record.citizen_number.map(|told| told == asked),
            IdNumber::Old(asked) => record.old_number.map(|told| told == asked),
        };
        let number = match told {
            Some(true) => Verdict::Match,
            Some(false) => return Err(Failure::bad_answer("it is about another person")),
            None => Verdict::Undecided,
        };
        let name = record.full_name.as_ref();
        let birth = record.birth_date;
        Ok(Self {
            number,
            name: name.map(|told| name_level(&claims.name, told.expose().as_str())),
            birth: birth.map_or(Verdict::Undecided, |told| {
                matching::birth(claims.birth, told)
            }),
        })
    }

    pub(crate) fn verdict(self) -> Verdict {
        let name = self.name.map_or(Verdict::Undecided, Verdict::from);
        self.number.and(name).and(self.birth)
    }

    /// Whether name or birth date are those of somebody else.
    pub(crate) fn contradicts(self) -> bool {
        self.verdict() == Verdict::NoMatch
    }

    /// Whether the record may be shown: number, name and birth date each match. A name without its diacritics, a
    /// mere year, or a record without its number prove nothing, and a record must not tell what a verification
    /// leaves undecided.
    pub(crate) fn opens_the_record(self) -> bool {
        self.verdict() == Verdict::Match
    }

    /// Whether the record is certainly about the asked person: by its number, or where it tells none, by name and
    /// birth date.
    fn is_certain(self) -> bool {
        let name = self.name.map(Verdict::from);
        self.number == Verdict::Match
            || (name == Some(Verdict::Match) && self.birth == Verdict::Match)
    }
}

/// The answer to all claims, out of the record that `key` compares them with.
pub(crate) fn verification(claims: &Claims, record: &Citizen, key: Key) -> Verification {
    if !key.is_certain() {
        // Perhaps it is somebody else. That there is a record at all must not show.
        return Verification::no_match(claims);
    }
    let verdict = key.verdict();
    let level = key.name.unwrap_or(NameLevel::NoDiacritics);
    let mut verification = Verification::of_key(claims, verdict, level);
    if key.name.is_none() {
        verification.name_level = None;
    }
    // Nothing matches of a person who is not matched: an undecided key must not become a way to test the rest.
    if verdict == Verdict::Match {
        add_optional(&mut verification, claims, record);
    }
    verification
}

/// Writes the verdicts on optional claims into the answer about a person who is matched.
pub(crate) fn add_optional(verification: &mut Verification, claims: &Claims, record: &Citizen) {
    let optional = claims.optional_fields();
    for (field, verdict) in &mut verification.fields {
        if optional.contains(*field) {
            *verdict = optional_verdict(*field, claims, record);
        }
    }
}

fn optional_verdict(field: Field, claims: &Claims, record: &Citizen) -> Verdict {
    match field {
        Field::Sex => same(claims.sex, record.sex),
        Field::OldNumber => same(claims.old_number, record.old_number),
        Field::Ethnicity => {
            let number = |code: &str| code.trim_start_matches('0').to_owned();
            let claimed = claims.ethnicity.as_ref().map(|code| number(code.as_str()));
            let told = record.ethnicity.as_ref().map(|code| number(code.as_str()));
            same(claimed, told)
        }
        Field::HomeTown => {
            let claimed = claims.home_town.as_ref().map(|text| text.expose().as_str());
            place(claimed, record.home_town.as_ref())
        }
        Field::PermanentResidence => {
            let claimed = claims.permanent_residence.as_ref();
            let claimed = claimed.map(|text| text.expose().as_str());
            place(claimed, record.permanent_residence.as_ref())
        }
        _ => Verdict::Undecided,
    }
}

fn same<T: PartialEq>(claimed: Option<T>, told: Option<T>) -> Verdict {
    match (claimed, told) {
        (Some(claimed), Some(told)) if claimed == told => Verdict::Match,
        (Some(_), Some(_)) => Verdict::NoMatch,
        _ => Verdict::Undecided,
    }
}

/// A record tells province and commune as codes and only the rest in words. So a claim that goes on after the
/// same words, with the commune's and province's names, is undecided and not wrong.
fn place(claimed: Option<&str>, told: Option<&Place>) -> Verdict {
    let claimed = claimed.unwrap_or_default();
    let detail = told.and_then(|place| place.detail.as_ref());
    let detail = detail.map(|text| text.expose().as_str());
    let verdict = matching::text(claimed, detail);
    let begins_alike = || {
        let ends = claimed.match_indices([',', ';', '-']).map(|(end, _)| end);
        let mut beginnings = ends.filter_map(|end| claimed.get(..end));
        beginnings.any(|beginning| {
            let has_words = beginning.chars().any(char::is_alphanumeric);
            has_words && matching::text(beginning, detail) != Verdict::NoMatch
        })
    };
    if verdict == Verdict::NoMatch && begins_alike() {
        return Verdict::Undecided;
    }
    verdict
}

/// A record may hold a name that we would not take from a caller; it is compared as text.
fn name_level(claimed: &FullName, told: &str) -> NameLevel {
    if let Ok(told) = FullName::parse(told) {
        return level(claimed, &told);
    }
    match matching::text(claimed.as_str(), Some(told)) {
        Verdict::Match => NameLevel::Exact,
        Verdict::Undecided => NameLevel::NoDiacritics,
        Verdict::NoMatch => NameLevel::Different,
    }
}

#[cfg(test)]
mod tests;
