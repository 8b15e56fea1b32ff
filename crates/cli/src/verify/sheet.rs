//! A CSV file of persons, read whole and checked before anything is sent.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use csv::StringRecord;
use lienthong_domain::identity::job::ITEMS_MAX;
use lienthong_proto::identity::v1 as proto;
use sha2::{Digest as _, Sha256};

use super::claims::{self, CLAIMS, Claim, Draft, SlashDates};
use crate::errors::CliError;
use crate::input::Fault;

/// Most persons of one file.
pub(crate) const ROWS_MAX: usize = ITEMS_MAX as usize;
/// Largest file, in bytes: a row of 200,000 may have a good kilobyte.
const FILE_BYTES_MAX: u64 = 256 << 20;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The file.
pub(crate) struct Sheet {
    path: PathBuf,
    /// Whether it began with a byte order mark, as spreadsheets want it.
    pub(crate) has_bom: bool,
    /// Names of its columns, as written.
    pub(crate) heading: Vec<String>,
    columns: [Option<usize>; CLAIMS],
    rows: Vec<Row>,
    dates: SlashDates,
    faulty: BTreeMap<usize, Vec<Fault>>,
    digest: [u8; 32],
    slash_dates: usize,
}

struct Row {
    /// Line of the file where it begins, from 1.
    line: u64,
    cells: StringRecord,
}

impl Sheet {
    /// Reads a file, or stdin for `-`. Blocks.
    ///
    /// # Errors
    /// [`CliError::File`] when it cannot be read, [`CliError::Table`] when it is no such table.
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let mut content = Vec::new();
        let input: io::Result<Box<dyn Read>> = if path.as_os_str() == "-" {
            Ok(Box::new(io::stdin()))
        } else {
            File::open(path).map(|file| Box::new(file) as Box<dyn Read>)
        };
        input
            .and_then(|input| input.take(FILE_BYTES_MAX + 1).read_to_end(&mut content))
            .map_err(|source| CliError::File {
                action: "read",
                path: path.to_owned(),
                source,
            })?;
        Self::parse(path, &content).map_err(|why| CliError::Table {
            path: path.to_owned(),
            why,
        })
    }

    fn parse(path: &Path, content: &[u8]) -> Result<Self, String> {
        if content.len() as u64 > FILE_BYTES_MAX {
            return Err(format!("it is larger than {} MiB", FILE_BYTES_MAX >> 20));
        }
        let has_bom = content.starts_with(BOM);
        let text = utf8(content.strip_prefix(BOM).unwrap_or(content))?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut records = reader.records();
        let first = records
            .next()
            .transpose()
            .map_err(|error| error.to_string())?;
        let heading: Vec<String> = first.iter().flatten().map(str::to_owned).collect();
        let columns = columns(&heading)?;
        let mut rows = Vec::new();
        for record in records {
            let cells = record.map_err(|error| error.to_string())?;
            if rows.len() == ROWS_MAX {
                return Err(format!("it has more than {ROWS_MAX} rows; split it"));
            }
            let line = line_of(&cells, text);
            rows.push(Row { line, cells });
        }
        if rows.is_empty() {
            return Err("it has no row beside its heading".to_owned());
        }
        let mut sheet = Self {
            path: path.to_owned(),
            has_bom,
            heading,
            columns,
            rows,
            dates: SlashDates::DayFirst,
            faulty: BTreeMap::new(),
            digest: Sha256::digest(content).into(),
            slash_dates: 0,
        };
        sheet.check();
        Ok(sheet)
    }

    /// Looks at every row once: first at how dates are written, then for faults.
    fn check(&mut self) {
        let births: Vec<&str> = (0..self.rows.len())
            .map(|row| self.draft(row)[Claim::BirthDate as usize])
            .collect();
        let slash_dates = births
            .iter()
            .filter(|birth| claims::has_slashes(birth))
            .count();
        if births.iter().any(|birth| claims::is_month_first(birth)) {
            self.dates = SlashDates::Doubtful;
        }
        self.slash_dates = slash_dates;
        let faulty = (0..self.rows.len())
            .filter_map(|row| self.claims(row).err().map(|faults| (row, faults)));
        self.faulty = faulty.collect();
    }

    /// Where it was read.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Number of rows beside the heading.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Birth dates that were written with slashes.
    pub(crate) fn slash_dates(&self) -> usize {
        self.slash_dates
    }

    /// Rows that cannot be asked, by index, with every fault.
    pub(crate) fn faulty(&self) -> &BTreeMap<usize, Vec<Fault>> {
        &self.faulty
    }

    /// Indexes of the rows that can be asked: the items of a job, the first at position 1.
    pub(crate) fn items(&self) -> Vec<usize> {
        (0..self.rows.len())
            .filter(|row| !self.faulty.contains_key(row))
            .collect()
    }

    /// Line of the file where a row begins, from 1.
    pub(crate) fn line(&self, row: usize) -> u64 {
        self.rows[row].line
    }

    /// The cells of a row, as many as the heading has.
    pub(crate) fn cells(&self, row: usize) -> impl Iterator<Item = &str> {
        let cells = &self.rows[row].cells;
        (0..self.heading.len()).map(move |column| cells.get(column).unwrap_or_default())
    }

    /// The claims that the file has a column for.
    pub(crate) fn claimed(&self) -> impl Iterator<Item = Claim> {
        let columns = &self.columns;
        Claim::ALL
            .into_iter()
            .filter(move |claim| columns[*claim as usize].is_some())
    }

    /// What a row claims.
    ///
    /// # Errors
    /// Every fault of the row, named by its columns.
    pub(crate) fn claims(&self, row: usize) -> Result<proto::Claims, Vec<Fault>> {
        let (actual, wanted) = (self.rows[row].cells.len(), self.heading.len());
        if actual != wanted {
            return Err(vec![Fault::of_line(
                "WRONG_CELL_COUNT",
                &format!(
                    "Dòng có {actual} ô, tiêu đề có {wanted}; hãy kiểm tra dấu phẩy và dấu ngoặc kép."
                ),
                &format!(
                    "The row has {actual} cells, the heading {wanted}; check commas and quotes."
                ),
            )]);
        }
        claims::read(&self.draft(row), self.dates, |claim| {
            let column = self.columns[claim as usize];
            column.map_or_else(
                || claim.columns()[0],
                |column| self.heading[column].as_str(),
            )
        })
    }

    fn draft(&self, row: usize) -> Draft<'_> {
        let cells = &self.rows[row].cells;
        self.columns.map(|column| {
            column
                .and_then(|column| cells.get(column))
                .unwrap_or_default()
        })
    }

    /// The key of the job of this content for a purpose: the same for the same file, purpose and
    /// `secret`. Keyed, because who sees the key could otherwise try out what a small file holds.
    pub(crate) fn job_key(&self, secret: &[u8; 32], purpose: &str) -> String {
        let hash = Sha256::new()
            .chain_update(b"lienthong verify job\0")
            .chain_update(secret)
            .chain_update(self.digest)
            .chain_update(purpose)
            .finalize();
        format!("csv-{}", hex::encode(&hash[..16]))
    }
}

/// Where each claim stands.
fn columns(heading: &[String]) -> Result<[Option<usize>; CLAIMS], String> {
    let mut columns = [None; CLAIMS];
    for (index, written) in heading.iter().enumerate() {
        let name = written.trim().to_lowercase();
        if super::answers::is_added(&name) {
            return Err(format!(
                "its column {name} would be written twice, since the answers have a column of this name; rename it"
            ));
        }
        let known = Claim::ALL
            .into_iter()
            .find(|claim| claim.columns().contains(&name.as_str()));
        let Some(claim) = known else { continue };
        if columns[claim as usize].replace(index).is_some() {
            return Err(format!(
                "it has two columns for {}",
                claim.columns().join(" | ")
            ));
        }
    }
    let missing: Vec<_> = Claim::ALL
        .into_iter()
        .filter(|claim| claim.is_required() && columns[*claim as usize].is_none())
        .map(|claim| claim.columns().join(" | "))
        .collect();
    if missing.is_empty() {
        Ok(columns)
    } else {
        Err(format!(
            "its first line must name the columns, with commas between; these are missing: {}",
            missing.join(", ")
        ))
    }
}

fn utf8(content: &[u8]) -> Result<&str, String> {
    str::from_utf8(content).map_err(|error| {
        let before = &content[..error.valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        format!("line {line} is not UTF-8; save it as CSV UTF-8")
    })
}

/// The line of a record's first character: the reader's own count includes blank lines before it wrongly.
fn line_of(cells: &StringRecord, text: &str) -> u64 {
    let Some(position) = cells.position() else {
        return 0;
    };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let blank = text.as_bytes().get(start..).unwrap_or_default().iter();
    let skipped = blank
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .filter(|byte| **byte == b'\n');
    position.line() + skipped.count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(content: &str) -> Result<Sheet, String> {
        Sheet::parse(Path::new("dân cư.csv"), content.as_bytes())
    }

    const HEADING: &str = "ngay_sinh,ghi chú,ho_ten,so_dinh_danh";

    #[test]
    fn columns_come_in_any_order_and_others_are_carried() {
        let text = format!(
            "\u{feff}{HEADING}\r\n30/4/1991,\"hai\r\ndòng, có phẩy\",Lê Thị Hoà,038191012345\r\n\r\n1931,,Đỗ Văn Bảy,012345678\r\n"
        );
        let sheet = parse(&text).unwrap();
        assert!(sheet.has_bom);
        assert_eq!(
            (sheet.len(), sheet.items(), sheet.slash_dates()),
            (2, vec![0, 1], 1)
        );
        assert_eq!((sheet.line(0), sheet.line(1)), (2, 5));
        let cells: Vec<_> = sheet.cells(0).collect();
        assert_eq!(cells[1], "hai\r\ndòng, có phẩy");
        let claims = sheet.claims(0).unwrap();
        assert_eq!(claims.birth_date, "1991-04-30");
        assert_eq!(sheet.claims(1).unwrap().number, "012345678");
    }

    #[test]
    fn a_wrong_table_is_refused_with_its_reason() {
        let cases = [
            ("", "number | so_dinh_danh"),
            ("number,full_name\n1,2\n", "birth_date | ngay_sinh"),
            ("number;full_name;birth_date\n", "commas"),
            ("number,so_dinh_danh,full_name,birth_date\n", "two columns"),
            ("number,full_name,birth_date,Verdict\n", "rename"),
            ("number,full_name,birth_date\n", "no row"),
        ];
        for (text, part) in cases {
            let why = parse(text).err().unwrap();
            assert!(why.contains(part), "{text:?}: {why}");
        }
        let latin = b"number,full_name,birth_date\n1,L\xea,1\n";
        let why = Sheet::parse(Path::new("-"), latin).err().unwrap();
        assert!(why.contains("line 2 is not UTF-8"), "{why}");
    }

    #[test]
    fn the_bound_of_rows_is_exact() {
        let rows = |count| {
            let row = "1931,,Đỗ Văn Bảy,012345678\n";
            parse(&format!("{HEADING}\n{}", row.repeat(count)))
        };
        assert_eq!(rows(ROWS_MAX).unwrap().items().len(), ROWS_MAX);
        assert!(rows(ROWS_MAX + 1).err().unwrap().contains("200000 rows"));
    }

    #[test]
    fn faulty_rows_are_named_by_line_and_column() {
        let text = format!(
            "{HEADING}\n1931,,Đỗ Văn Bảy,012345678\n31/2/1991,,Lê Thị Hoà,x\n1931,Đỗ Văn Bảy,012345678\n,,,\n"
        );
        let sheet = parse(&text).unwrap();
        let told: Vec<_> = sheet
            .faulty()
            .iter()
            .map(|(row, faults)| {
                let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
                (sheet.line(*row), fields.join(" "))
            })
            .collect();
        let expected = [
            (3, "so_dinh_danh ngay_sinh"),
            (4, ""),
            (5, "so_dinh_danh ho_ten ngay_sinh"),
        ]
        .map(|(line, fields)| (line, fields.to_owned()));
        assert_eq!(told, expected);
        assert_eq!(sheet.items(), [0]);
    }

    #[test]
    fn one_date_with_the_month_first_makes_the_others_doubtful() {
        let text = format!(
            "{HEADING}\n4/30/1991,,Lê Thị Hoà,038191012345\n3/4/1991,,Lê Thị Hoà,038191012345\n"
        );
        let sheet = parse(&text).unwrap();
        let reasons: Vec<_> = sheet
            .faulty()
            .values()
            .map(|faults| &faults[0].reason)
            .collect();
        assert_eq!(reasons, ["NOT_A_DATE", "AMBIGUOUS_DATE"]);
    }

    #[test]
    fn a_key_depends_on_content_purpose_and_participant() {
        let one = parse(&format!("{HEADING}\n1931,,Đỗ Văn Bảy,012345678\n")).unwrap();
        let two = parse(&format!("{HEADING}\n1932,,Đỗ Văn Bảy,012345678\n")).unwrap();
        let key = one.job_key(&[1; 32], "CIVIL_STATUS");
        assert_eq!(key, one.job_key(&[1; 32], "CIVIL_STATUS"));
        for other in [
            two.job_key(&[1; 32], "CIVIL_STATUS"),
            one.job_key(&[2; 32], "CIVIL_STATUS"),
            one.job_key(&[1; 32], "DATA_CLEANING"),
        ] {
            assert_ne!(key, other);
        }
    }
}
