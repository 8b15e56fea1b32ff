//! Citizen identity: who may ask what about whom, and how claims are compared with a record.
//!
//! Numbers, names, dates and records never print themselves.

pub mod birth;
pub mod citizen;
pub mod field;
pub mod grant;
pub mod inquiry;
pub mod job;
pub mod matching;
pub mod name;
pub mod number;
pub mod purpose;
pub mod usage;

pub use birth::BirthDate;
pub use citizen::{Citizen, Place, Relative};
pub use field::{Field, FieldSet};
pub use grant::{Grant, Mode};
pub use inquiry::{Claims, Inquiry, OfficialId, Verification};
pub use job::{JobId, JobState};
pub use matching::Verdict;
pub use name::{FullName, NameLevel};
pub use number::{CitizenNumber, IdNumber, OldNumber, Sex};
pub use purpose::{Binding, Purpose, PurposeCode};
pub use usage::{Pseudonym, UsageId, UsageKind, UsageOutcome};
