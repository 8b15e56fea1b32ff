//! What rows of the identity tables hold: numbers of items, sealed claims and answers, askers and jobs.

use std::str::FromStr;
use std::sync::Arc;

use lienthong_domain::identity::{
    BirthDate, Claims, FullName, IdNumber, Inquiry, JobId, JobState, OfficialId, OldNumber,
    PurposeCode, Sex, Verification,
};
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{DossierCode, ErrorCode, Private, Text};
use lienthong_ports::Message;
use lienthong_ports::identity::{Asker, ItemAnswer, ItemDraft, ItemId, JobRow};
use lienthong_vault::{Aad, DataKey, Vault, WrappedKey};
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::rows::{Cells, corrupt, from_json};

/// Numbers of items per job; [`lienthong_domain::identity::job::ITEMS_MAX`] is below.
const ITEMS_PER_JOB: i64 = 1 << 20;

/// An item waits to be claimed.
pub(crate) const READY: i64 = 1;
/// An item has a message on its way.
pub(crate) const SENT: i64 = 2;
/// An item is being asked.
pub(crate) const CALLING: i64 = 3;
/// An item is answered, or given up.
pub(crate) const ANSWERED: i64 = 4;

/// The number of a job's item.
pub(crate) fn item_id(job: i64, position: u32) -> i64 {
    job.saturating_mul(ITEMS_PER_JOB)
        .saturating_add(i64::from(position))
}

/// The place of an item in its job.
pub(crate) fn position_of(item: i64) -> u32 {
    u32::try_from(item.rem_euclid(ITEMS_PER_JOB)).expect("a remainder by 2^20 fits")
}

/// The items that `messages` mean, with their fences; `None` for a delivery's.
pub(crate) fn item_of(message: Message) -> Option<i64> {
    ItemId::of_delivery(message.delivery).map(|item| item.0)
}

/// A sealed column of `job_item`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sealed {
    Claims,
    Answer,
}

impl Sealed {
    const fn name(self) -> &'static str {
        match self {
            Self::Claims => "claims",
            Self::Answer => "answer",
        }
    }

    pub(crate) fn seal(self, key: &DataKey, item: i64, json: &[u8]) -> Vec<u8> {
        key.seal(self.place(item), json)
    }

    fn place(self, row: i64) -> Aad {
        Aad {
            table: "job_item",
            column: self.name(),
            row,
        }
    }

    fn open<T: for<'de> Deserialize<'de>>(
        self,
        key: &DataKey,
        item: i64,
        sealed: &[u8],
    ) -> Result<T, Failure> {
        let fault = |fault: String| corrupt("job_item", self.name(), item, fault);
        let json = key
            .open(self.place(item), sealed)
            .map_err(|_| fault("was changed, moved, or sealed with another key".into()))?;
        from_json(&json).map_err(fault)
    }
}

/// The data key of a job as its row holds it.
#[derive(Debug)]
pub(crate) struct JobKey {
    pub(crate) job: i64,
    /// `None` once it was destroyed.
    wrapped: Option<Vec<u8>>,
}

impl JobKey {
    pub(crate) fn read(cells: &Cells<'_>, index: usize, job: i64) -> Result<Self, Failure> {
        let wrapped = cells.joined("job", job).get(index, "data_key")?;
        Ok(Self { job, wrapped })
    }

    pub(crate) fn unwrap(&self, vault: &Vault) -> Result<DataKey, Failure> {
        let fault = |fault| corrupt("job", "data_key", self.job, fault);
        let missing = || fault("is missing, though something is sealed with it");
        let wrapped = self.wrapped.as_deref().ok_or_else(missing)?;
        WrappedKey::from_bytes(wrapped)
            .and_then(|wrapped| vault.unwrap(&wrapped, &owner(self.job)))
            .map_err(|_| fault("was changed, moved, or wrapped under a key that is not at hand"))
    }
}

/// `key`, wrapped for a job.
pub(crate) fn wrap(vault: &Vault, key: &DataKey, job: i64) -> WrappedKey {
    vault.wrap(key, &owner(job))
}

fn owner(job: i64) -> String {
    format!("job/{job}")
}

/// An item to be added, its claims as they will be sealed.
pub(crate) struct EncodedItem(pub(crate) Result<Vec<u8>, ErrorCode>);

impl From<&ItemDraft> for EncodedItem {
    fn from(draft: &ItemDraft) -> Self {
        let claims = draft.claims.as_ref().map_err(|code| *code);
        Self(claims.map(|claims| json(&StoredClaims::from(claims))))
    }
}

/// JSON to be sealed.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("strings and lists always serialise")
}

/// Claims as they are sealed. The types of the domain do not serialise themselves, so that none of them
/// is ever written without being asked for by name.
#[derive(Serialize, Deserialize)]
struct StoredClaims {
    number: String,
    name: String,
    birth: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sex: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ethnicity: Option<Text<10>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    home_town: Option<Private<Text<250>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    permanent_residence: Option<Private<Text<250>>>,
}

impl From<&Claims> for StoredClaims {
    fn from(claims: &Claims) -> Self {
        Self {
            number: claims.number.as_str().into(),
            name: claims.name.as_str().into(),
            birth: claims.birth.iso(),
            sex: claims.sex.map(|sex| sex.name().into()),
            ethnicity: claims.ethnicity.clone(),
            old_number: claims.old_number.map(|number| number.as_str().into()),
            home_town: claims.home_town.clone(),
            permanent_residence: claims.permanent_residence.clone(),
        }
    }
}

impl StoredClaims {
    /// The claims; `Err` is the field that cannot be read.
    fn parse(self) -> Result<Claims, &'static str> {
        let sex = self.sex.as_deref().map(Sex::parse).transpose();
        let old_number = self.old_number.as_deref().map(OldNumber::parse).transpose();
        Ok(Claims {
            number: IdNumber::parse(&self.number).map_err(|_| "number")?,
            name: FullName::parse(&self.name).map_err(|_| "name")?,
            birth: BirthDate::parse(&self.birth).map_err(|_| "birth")?,
            sex: sex.map_err(|_| "sex")?,
            ethnicity: self.ethnicity,
            old_number: old_number.map_err(|_| "old_number")?,
            home_town: self.home_town,
            permanent_residence: self.permanent_residence,
        })
    }
}

/// The claims of an item.
pub(crate) fn open_claims(key: &DataKey, item: i64, sealed: &[u8]) -> Result<Claims, Failure> {
    let stored: StoredClaims = Sealed::Claims.open(key, item, sealed)?;
    stored.parse().map_err(|field| {
        let fault = format!("has a bad field: {field}");
        corrupt("job_item", "claims", item, fault)
    })
}

/// An answered item: `id, answer, failure, usage`.
pub(crate) fn read_answer(cells: &Cells<'_>, key: &DataKey) -> Result<ItemAnswer, Failure> {
    let sealed: Option<Vec<u8>> = cells.get(1, "answer")?;
    let result = match sealed {
        Some(sealed) => Ok(Sealed::Answer.open::<Verification>(key, cells.id(), &sealed)?),
        None => Err(cells.parsed(2, "failure", ErrorCode::from_str)?),
    };
    Ok(ItemAnswer {
        position: position_of(cells.id()),
        result,
        usage: cells
            .get::<Option<i64>>(3, "usage")?
            .map(lienthong_domain::identity::UsageId),
    })
}

/// The asker whose `participant.code`, `system.name` and `official.name` begin at `index`.
pub(crate) fn read_asker(cells: &Cells<'_>, index: usize) -> Result<Asker, Failure> {
    Ok(Asker {
        participant: cells.parsed(index, "participant", ParticipantId::parse)?,
        system: cells.get::<Arc<str>>(index + 1, "system")?,
        official: cells.parsed(index + 2, "official", OfficialId::parse)?,
    })
}

/// The inquiry of `official` whose `purpose` and `dossier` begin at `index`.
pub(crate) fn read_inquiry(
    cells: &Cells<'_>,
    index: usize,
    official: &OfficialId,
) -> Result<Inquiry, Failure> {
    Ok(Inquiry {
        purpose: cells.parsed(index, "purpose", PurposeCode::parse)?,
        official: official.clone(),
        dossier: read_dossier(cells, index + 1)?,
    })
}

/// A dossier's code, or none.
pub(crate) fn read_dossier(
    cells: &Cells<'_>,
    index: usize,
) -> Result<Option<DossierCode>, Failure> {
    cells.parsed_maybe(index, "dossier", DossierCode::parse)
}

/// An error code, or none.
pub(crate) fn read_code(
    cells: &Cells<'_>,
    index: usize,
    column: &'static str,
) -> Result<Option<ErrorCode>, Failure> {
    cells.parsed_maybe(index, column, ErrorCode::from_str)
}

/// Everything of a job that [`read_job`] reads; `$rest` follows the tables.
macro_rules! jobs_sql {
    ($rest:literal) => {
        concat!(
            "SELECT j.id, j.key, p.code, s.name, o.name, j.purpose, j.dossier, j.state, j.state_reason,
                 j.items_total, j.items_received, j.items_matched, j.items_not_matched, j.items_undecided,
                 j.items_failed, j.created_at, j.finished_at, j.erase_at
             FROM job j JOIN participant p ON p.id = j.participant JOIN system s ON s.id = j.system
                 JOIN official o ON o.id = j.official ",
            $rest
        )
    };
}
pub(crate) use jobs_sql;

/// A row of a query made with `jobs_sql`.
pub(crate) fn read_job(cells: &Cells<'_>) -> Result<JobRow, Failure> {
    let asker = read_asker(cells, 2)?;
    let state = cells.decoded(7, "state", JobState::from_code)?;
    // The row itself has an end, too, but nothing is left in it to be erased.
    let erase_at = match state {
        JobState::Erased => None,
        _ => cells.time_maybe(17, "erase_at")?,
    };
    Ok(JobRow {
        id: JobId(cells.id()),
        key: cells.get(1, "key")?,
        inquiry: read_inquiry(cells, 5, &asker.official)?,
        asker,
        state,
        state_reason: read_code(cells, 8, "state_reason")?,
        items_total: cells.get(9, "items_total")?,
        items_received: cells.get(10, "items_received")?,
        items_matched: cells.get(11, "items_matched")?,
        items_not_matched: cells.get(12, "items_not_matched")?,
        items_undecided: cells.get(13, "items_undecided")?,
        items_failed: cells.get(14, "items_failed")?,
        created_at: cells.time(15, "created_at")?,
        finished_at: cells.time_maybe(16, "finished_at")?,
        erase_at,
    })
}
