//! Claims as people write them: checked, with every fault named and no value repeated.

use lienthong_domain::fault::Reason;
use lienthong_domain::identity::{BirthDate, FullName, IdNumber, OldNumber, Sex};
use lienthong_domain::text::Text;
use lienthong_proto::identity::v1 as proto;

use crate::input::Fault;

/// Longest place in words, in characters. Source: `Claims` of the contract.
const PLACE_CHARS_MAX: usize = 250;

/// One claim of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    Number,
    FullName,
    BirthDate,
    Sex,
    Ethnicity,
    OldNumber,
    HomeTown,
    PermanentResidence,
}

/// How many claims there are.
pub(crate) const CLAIMS: usize = 8;

impl Claim {
    /// Every claim, in the order of the contract.
    pub(crate) const ALL: [Self; CLAIMS] = [
        Self::Number,
        Self::FullName,
        Self::BirthDate,
        Self::Sex,
        Self::Ethnicity,
        Self::OldNumber,
        Self::HomeTown,
        Self::PermanentResidence,
    ];

    /// Names of its column in English and Vietnamese.
    pub(crate) const fn columns(self) -> [&'static str; 2] {
        match self {
            Self::Number => ["number", "so_dinh_danh"],
            Self::FullName => ["full_name", "ho_ten"],
            Self::BirthDate => ["birth_date", "ngay_sinh"],
            Self::Sex => ["sex", "gioi_tinh"],
            Self::Ethnicity => ["ethnicity", "dan_toc"],
            Self::OldNumber => ["old_number", "so_cmnd"],
            Self::HomeTown => ["home_town", "que_quan"],
            Self::PermanentResidence => ["permanent_residence", "thuong_tru"],
        }
    }

    /// Whether nothing can be asked without it.
    pub(crate) const fn is_required(self) -> bool {
        matches!(self, Self::Number | Self::FullName | Self::BirthDate)
    }
}

/// What somebody wrote, one text per claim in the order of [`Claim::ALL`]; blank means no claim.
pub(crate) type Draft<'a> = [&'a str; CLAIMS];

/// How `03/04/1990` may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlashDates {
    /// As day and month, the order in Vietnam.
    DayFirst,
    /// Not at all where day and month could be exchanged: another date of the same file can only be
    /// month and day.
    Doubtful,
}

/// Claims as the contract takes them, in NFC.
///
/// # Errors
/// Every fault, each with the name that `label` has for its claim.
pub(crate) fn read<'l>(
    draft: &Draft<'_>,
    dates: SlashDates,
    label: impl Fn(Claim) -> &'l str,
) -> Result<proto::Claims, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut claims = proto::Claims::default();
    for (claim, written) in Claim::ALL.into_iter().zip(draft) {
        if written.trim().is_empty() && !claim.is_required() {
            continue;
        }
        if let Err(wrong) = put(&mut claims, claim, written, dates) {
            faults.push(wrong.fault(label(claim)));
        }
    }
    if claims.number.len() == 9 && !claims.old_number.is_empty() {
        let reason = Reason::Conflict {
            with: Claim::Number.columns()[0],
        };
        faults.push(Wrong::Reason(reason).fault(label(Claim::OldNumber)));
    }
    if faults.is_empty() {
        Ok(claims)
    } else {
        Err(faults)
    }
}

/// What is wrong with one text.
enum Wrong {
    Reason(Reason),
    Ambiguous,
}

impl From<Reason> for Wrong {
    fn from(reason: Reason) -> Self {
        Self::Reason(reason)
    }
}

impl Wrong {
    fn fault(&self, field: &str) -> Fault {
        let (reason, vi, en) = match self {
            Self::Reason(reason) => (reason.name(), reason.vi(), reason.en()),
            Self::Ambiguous => (
                "AMBIGUOUS_DATE",
                "Không rõ đâu là ngày, đâu là tháng vì tệp có cả ngày dạng tháng/ngày; hãy viết YYYY-MM-DD."
                    .to_owned(),
                "Day and month cannot be told apart, since the file also has dates with the month first; write YYYY-MM-DD."
                    .to_owned(),
            ),
        };
        Fault {
            field: field.to_owned(),
            reason: reason.to_owned(),
            vi,
            en,
        }
    }
}

fn put(
    claims: &mut proto::Claims,
    claim: Claim,
    written: &str,
    dates: SlashDates,
) -> Result<(), Wrong> {
    let place = |written| Text::<PLACE_CHARS_MAX>::parse(written).map(Text::into_string);
    match claim {
        Claim::Number => IdNumber::parse(written)?
            .as_str()
            .clone_into(&mut claims.number),
        Claim::FullName => FullName::parse(written)?
            .as_str()
            .clone_into(&mut claims.full_name),
        Claim::BirthDate => claims.birth_date = birth(written, dates)?.iso(),
        Claim::Sex => claims.sex = sex(written)?.into(),
        Claim::Ethnicity => claims.ethnicity_code = ethnicity(written)?,
        Claim::OldNumber => OldNumber::parse(written)?
            .as_str()
            .clone_into(&mut claims.old_number),
        Claim::HomeTown => claims.home_town = place(written)?,
        Claim::PermanentResidence => claims.permanent_residence = place(written)?,
    }
    Ok(())
}

fn birth(written: &str, dates: SlashDates) -> Result<BirthDate, Wrong> {
    let expected = "YYYY-MM-DD | dd/MM/yyyy | YYYY";
    let Some((day, month, year)) = slash_parts(written) else {
        return BirthDate::parse(written).map_err(|reason| match reason {
            Reason::BadForm { .. } => Reason::BadForm { expected }.into(),
            other => other.into(),
        });
    };
    if dates == SlashDates::Doubtful && day <= 12 && month <= 12 && day != month {
        return Err(Wrong::Ambiguous);
    }
    Ok(BirthDate::parse(&format!("{year}-{month:02}-{day:02}"))?)
}

/// Whether a date can only have been written with the month first: `12/31/1990`.
pub(crate) fn is_month_first(written: &str) -> bool {
    slash_parts(written).is_some_and(|(first, second, _)| first <= 12 && second > 12)
}

/// Whether a date is written with slashes and would be read so.
pub(crate) fn has_slashes(written: &str) -> bool {
    slash_parts(written).is_some()
}

/// The parts of `d/M/yyyy` with one or two digits each and a year of four; nothing else.
fn slash_parts(written: &str) -> Option<(u8, u8, &str)> {
    let (day, rest) = written.trim().split_once('/')?;
    let (month, year) = rest.split_once('/')?;
    let number = |part: &str| {
        let fits = matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| part.parse().ok()).flatten()
    };
    let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    is_year.then_some((number(day)?, number(month)?, year))
}

fn sex(written: &str) -> Result<proto::Sex, Reason> {
    let word = Text::<20>::parse(written)?.as_str().to_lowercase();
    match word.as_str() {
        "male" | "nam" => Ok(proto::Sex::Male),
        "female" | "nữ" => Ok(proto::Sex::Female),
        code => match code.parse().ok().and_then(Sex::from_code) {
            Some(Sex::Male) => Ok(proto::Sex::Male),
            Some(Sex::Female) => Ok(proto::Sex::Female),
            None => Err(Reason::BadForm {
                expected: "male | female | nam | nữ | 1 | 2",
            }),
        },
    }
}

fn ethnicity(written: &str) -> Result<String, Reason> {
    let code = written.trim();
    let fits = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| code.to_owned())
        .ok_or(Reason::BadForm { expected: "01" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: Draft<'_> = [
        "038191012345",
        "Lê Thị Hoà",
        "1991-04-30",
        "",
        "",
        "",
        "",
        "",
    ];

    fn label(claim: Claim) -> &'static str {
        claim.columns()[1]
    }

    fn with(claim: Claim, written: &'static str) -> Draft<'static> {
        let mut draft = RIGHT;
        draft[Claim::ALL.iter().position(|found| *found == claim).unwrap()] = written;
        draft
    }

    fn reason(
        claim: Claim,
        written: &'static str,
        dates: SlashDates,
    ) -> Result<proto::Claims, String> {
        read(&with(claim, written), dates, label).map_err(|faults| {
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert_eq!(faults[0].field, label(claim));
            for told in [&faults[0].vi, &faults[0].en] {
                // One or two letters are in every sentence.
                let is_repeated = written.len() > 2 && told.contains(written);
                assert!(!is_repeated, "the value is repeated: {told}");
            }
            faults[0].reason.clone()
        })
    }

    #[test]
    fn birth_dates_are_read_as_day_month_year_and_never_guessed() {
        let right = [
            ("1991-04-30", "1991-04-30"),
            ("30/04/1991", "1991-04-30"),
            (" 3/4/1991 ", "1991-04-03"),
            ("1931", "1931"),
        ];
        for (written, iso) in right {
            let read = reason(Claim::BirthDate, written, SlashDates::DayFirst).unwrap();
            assert_eq!(read.birth_date, iso);
        }
        let wrong = [
            ("12/31/1991", "NOT_A_DATE"),
            ("31/04/1991", "NOT_A_DATE"),
            ("30/04/91", "BAD_FORM"),
            ("1991/04/30", "BAD_FORM"),
            ("30-04-1991", "BAD_FORM"),
            ("30.04.1991", "BAD_FORM"),
            ("030/4/1991", "BAD_FORM"),
            ("33358", "BAD_FORM"),
            ("00/04/1991", "NOT_A_DATE"),
            ("30/04/1891", "OUT_OF_RANGE"),
        ];
        for (written, name) in wrong {
            let found = reason(Claim::BirthDate, written, SlashDates::DayFirst);
            assert_eq!(found.unwrap_err(), name, "{written}");
        }
        let doubtful = |written| reason(Claim::BirthDate, written, SlashDates::Doubtful);
        assert_eq!(doubtful("3/4/1991").unwrap_err(), "AMBIGUOUS_DATE");
        assert_eq!(doubtful("30/4/1991").unwrap().birth_date, "1991-04-30");
        assert_eq!(doubtful("4/4/1991").unwrap().birth_date, "1991-04-04");
        assert!(is_month_first("4/30/1991") && !is_month_first("30/4/1991"));
    }

    #[test]
    fn other_claims_are_read_in_the_words_of_both_languages() {
        for (written, sex) in [("Nữ", 2), ("nam", 1), ("FEMALE", 2), ("1", 1)] {
            let read = reason(Claim::Sex, written, SlashDates::DayFirst).unwrap();
            assert_eq!(read.sex, sex, "{written}");
        }
        let decomposed = "Nu\u{31b}\u{303}";
        let read = reason(Claim::Sex, decomposed, SlashDates::DayFirst).unwrap();
        assert_eq!(read.sex(), proto::Sex::Female);
        let wrong = [
            (Claim::Sex, "3"),
            (Claim::Sex, "nu"),
            (Claim::Ethnicity, "1"),
            (Claim::Number, "38191012345"),
            (Claim::OldNumber, "0123456789"),
        ];
        for (claim, written) in wrong {
            let found = reason(claim, written, SlashDates::DayFirst);
            assert_eq!(found.unwrap_err(), "BAD_FORM", "{written}");
        }
    }

    #[test]
    fn every_fault_of_a_person_is_named_and_an_old_number_stands_once() {
        let draft = ["", "", "x", "x", "", "", "", ""];
        let faults = read(&draft, SlashDates::DayFirst, label).unwrap_err();
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["so_dinh_danh", "ho_ten", "ngay_sinh", "gioi_tinh"]);

        let mut draft = with(Claim::Number, "012345678");
        draft[5] = "012345678";
        let faults = read(&draft, SlashDates::DayFirst, label).unwrap_err();
        assert_eq!(faults[0].reason, "CONFLICT");
    }

    #[test]
    fn decomposed_names_are_sent_composed() {
        let draft = with(Claim::FullName, "Le\u{302} Thi\u{323} Hoa\u{300}");
        let read = read(&draft, SlashDates::DayFirst, label).unwrap();
        assert_eq!(read.full_name, "Lê Thị Hoà");
    }
}
