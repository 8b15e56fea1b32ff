//! The catalogue of administrative procedures: what a procedure code is called.
//!
//! Any catalogue lags behind the official one (about 5,700 procedures in 2026), so a code that is
//! missing here is worth a warning and never a refusal.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::code::ProcedureCode;
use crate::fault::{Faults, Reason};
use crate::text::Text;

/// Procedures that a catalogue may hold.
pub const PROCEDURES_MAX: usize = 50_000;

/// Unicode scalar values that the name of a procedure or field may have.
pub const PROCEDURE_NAME_CHARS_MAX: usize = 1_000;

static BUILTIN: LazyLock<Catalogue> = LazyLock::new(|| {
    Catalogue::from_csv(include_str!("../data/procedures.csv"))
        .expect("the table is compiled in and a test reads it")
});

/// Names of one procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Procedure {
    /// Name of the procedure.
    pub name: Text<PROCEDURE_NAME_CHARS_MAX>,
    /// Name of the field of administration it belongs to.
    pub field: Text<PROCEDURE_NAME_CHARS_MAX>,
}

/// Procedures by code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue(HashMap<ProcedureCode, Procedure>);

impl Catalogue {
    /// A few real procedures, enough for the demo and for lifelike tests.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Reads a table with a heading line and the columns `code,name,field`; of a code given twice
    /// the last line counts.
    ///
    /// # Errors
    ///
    /// Every fault, under `line[N].column`; [`Reason::TooMany`] beyond [`PROCEDURES_MAX`] lines.
    pub fn from_csv(table: &str) -> Result<Self, Faults> {
        let mut procedures = HashMap::new();
        let mut faults = Faults::new();
        for (index, row) in csv::Reader::from_reader(table.as_bytes())
            .into_records()
            .enumerate()
        {
            let line = index + 2;
            if index >= PROCEDURES_MAX {
                faults.push(
                    "line",
                    Reason::TooMany {
                        max: PROCEDURES_MAX,
                        actual: index + 1,
                    },
                );
                break;
            }
            match read_row(row) {
                Ok((code, procedure)) => drop(procedures.insert(code, procedure)),
                Err(row_faults) => faults.extend_under(&format!("line[{line}]"), row_faults),
            }
        }
        faults.into_result(Self(procedures))
    }

    /// The procedure with exactly this code; a local variant is not found under its number alone.
    pub fn get(&self, code: &ProcedureCode) -> Option<&Procedure> {
        self.0.get(code)
    }

    /// Procedures held.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no procedure is held.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

type Row = Result<csv::StringRecord, csv::Error>;

fn read_row(row: Row) -> Result<(ProcedureCode, Procedure), Faults> {
    let malformed = || {
        Faults::one(
            "",
            Reason::BadForm {
                expected: "code,name,field",
            },
        )
    };
    let row = row.map_err(|_| malformed())?;
    let [code, name, field] = [row.get(0), row.get(1), row.get(2)].map(Option::unwrap_or_default);

    let mut faults = Faults::new();
    let code = faults.check("code", ProcedureCode::parse(code));
    let name = faults.check("name", Text::parse(name));
    let field = faults.check("field", Text::parse(field));
    match (code, name, field) {
        (Some(code), Some(name), Some(field)) => Ok((code, Procedure { name, field })),
        _ => Err(faults),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> ProcedureCode {
        ProcedureCode::parse(text).unwrap()
    }

    #[test]
    fn the_builtin_catalogue_names_common_procedures() {
        let birth = Catalogue::builtin().get(&code("1.001193")).unwrap();
        assert_eq!(
            (birth.name.as_str(), birth.field.as_str()),
            ("Đăng ký khai sinh", "Hộ tịch")
        );
        assert_eq!(Catalogue::builtin().len(), 27);
        assert_eq!(Catalogue::builtin().get(&code("1.999999")), None);
        assert_eq!(Catalogue::builtin().get(&code("1.001193.H56")), None);
    }

    #[test]
    fn every_fault_of_a_table_is_named_by_line_and_column() {
        let table = "code,name,field\n1.000094,Tên,Lĩnh vực\n1.94,,Hộ tịch\n1.000095,Tên\n";
        let faults = Catalogue::from_csv(table).unwrap_err();
        let found: Vec<_> = faults
            .iter()
            .map(|fault| (fault.field.as_str(), fault.reason.name()))
            .collect();
        assert_eq!(
            found,
            [
                ("line[3].code", "BAD_FORM"),
                ("line[3].name", "MISSING"),
                ("line[4]", "BAD_FORM")
            ]
        );
    }
}
