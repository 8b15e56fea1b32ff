//! Sets of fields.

use lienthong_domain::identity::{Field, FieldSet};
use lienthong_domain::{Faults, Reason};

/// The fields in the contract's form.
pub fn fields_to_proto(fields: FieldSet) -> Vec<i32> {
    fields.iter().map(|field| i32::from(field.code())).collect()
}

/// The fields of a request; one that is named twice counts once.
///
/// # Errors
/// A fault for each number that means no field, and one for a list longer than there are fields.
pub fn fields_from_proto(numbers: &[i32]) -> Result<FieldSet, Faults> {
    let max = Field::ALL.len();
    if numbers.len() > max {
        let actual = numbers.len();
        return Err(Faults::one("", Reason::TooMany { max, actual }));
    }
    let mut faults = Faults::new();
    let mut fields = FieldSet::EMPTY;
    for (index, number) in numbers.iter().enumerate() {
        let unknown = Reason::UnknownCode {
            what: "CitizenField",
        };
        let field = Field::from_code(*number).ok_or(unknown);
        if let Some(field) = faults.check(format!("[{index}]"), field) {
            fields.insert(field);
        }
    }
    faults.into_result(fields)
}
