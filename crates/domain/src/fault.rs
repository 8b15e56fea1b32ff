//! What is wrong with input: a [`Reason`] per field, gathered so that a sender sees every fault at
//! once.
//!
//! Neither type holds the offending value, because it may be personal; both can be logged.

use std::fmt;

/// Faults kept per input; the rest are only counted.
pub const FAULTS_MAX: usize = 64;

/// Why one value was refused.
///
/// A `&'static str` inside is a form, a list or a field name that reads the same in both
/// languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A required value is absent or blank.
    Missing,
    /// Text exceeds `max` Unicode scalar values, counted after normalisation.
    TooLong {
        /// Scalar values allowed.
        max: usize,
        /// Scalar values found.
        actual: usize,
    },
    /// A list exceeds `max` items.
    TooMany {
        /// Items allowed.
        max: usize,
        /// Items found.
        actual: usize,
    },
    /// The value does not have the expected form.
    BadForm {
        /// The form, usually as an example: `H56.14-240823-0001`.
        expected: &'static str,
    },
    /// A code that its list does not contain.
    UnknownCode {
        /// The list, under its official name: `TrangThaiHoSo`.
        what: &'static str,
    },
    /// Text that must already be in Unicode form NFC is not.
    NotNfcText,
    /// A control character or line break where the text allows none.
    ControlCharacter,
    /// A letter from outside the Vietnamese alphabet.
    ForeignScript,
    /// A character that changes the direction of writing.
    BidiControl,
    /// A zero-width character, which makes unequal texts look equal.
    InvisibleCharacter,
    /// A code point that Unicode does not assign, or keeps for private use.
    UnassignedCharacter,
    /// A date or time that the calendar does not have.
    NotADate,
    /// A time later than now.
    InFuture,
    /// A time earlier than one it must follow.
    BeforeOther {
        /// Field that must come first.
        other: &'static str,
    },
    /// The value makes sense only together with another field.
    Needs {
        /// Field that must be present too.
        other: &'static str,
    },
    /// A number outside its bounds, both inclusive.
    OutOfRange {
        /// Smallest allowed.
        min: i64,
        /// Largest allowed.
        max: i64,
    },
    /// Something other than the ASCII digits 0-9.
    NotDigits,
    /// Not an absolute `http` or `https` address.
    NotUrl,
    /// The value contradicts another field.
    Conflict {
        /// Field it contradicts.
        with: &'static str,
    },
}

impl Reason {
    /// Stable name for programs, `UPPER_SNAKE`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "MISSING",
            Self::TooLong { .. } => "TOO_LONG",
            Self::TooMany { .. } => "TOO_MANY",
            Self::BadForm { .. } => "BAD_FORM",
            Self::UnknownCode { .. } => "UNKNOWN_CODE",
            Self::NotNfcText => "NOT_NFC_TEXT",
            Self::ControlCharacter => "CONTROL_CHARACTER",
            Self::ForeignScript => "FOREIGN_SCRIPT",
            Self::BidiControl => "BIDI_CONTROL",
            Self::InvisibleCharacter => "INVISIBLE_CHARACTER",
            Self::UnassignedCharacter => "UNASSIGNED_CHARACTER",
            Self::NotADate => "NOT_A_DATE",
            Self::InFuture => "IN_FUTURE",
            Self::BeforeOther { .. } => "BEFORE_OTHER",
            Self::Needs { .. } => "NEEDS",
            Self::OutOfRange { .. } => "OUT_OF_RANGE",
            Self::NotDigits => "NOT_DIGITS",
            Self::NotUrl => "NOT_URL",
            Self::Conflict { .. } => "CONFLICT",
        }
    }

    /// Vietnamese sentence: what is wrong and what to do.
    pub fn vi(self) -> String {
        match self {
            Self::Missing => "Thiếu giá trị; hãy điền trường này.".into(),
            Self::TooLong { max, actual } => {
                format!("Dài {actual} ký tự; hãy rút gọn còn tối đa {max} ký tự.")
            }
            Self::TooMany { max, actual } => {
                format!("Có {actual} mục; hãy gửi tối đa {max} mục.")
            }
            Self::BadForm { expected } => format!("Sai định dạng; hãy viết theo dạng {expected}."),
            Self::UnknownCode { what } => {
                format!("Mã không có trong danh mục {what}; hãy dùng mã trong danh mục.")
            }
            Self::NotNfcText => "Văn bản chưa ở dạng Unicode dựng sẵn (NFC); hãy chuyển mã.".into(),
            Self::ControlCharacter => {
                "Có ký tự điều khiển hoặc xuống dòng; hãy xóa các ký tự đó.".into()
            }
            Self::ForeignScript => "Có ký tự ngoài bảng chữ cái tiếng Việt; hãy gõ lại.".into(),
            Self::BidiControl => "Có ký tự đổi hướng chữ; hãy xóa các ký tự đó.".into(),
            Self::InvisibleCharacter => "Có ký tự ẩn không độ rộng; hãy xóa hoặc gõ lại.".into(),
            Self::UnassignedCharacter => {
                "Có ký tự không thuộc chuẩn Unicode (thường do phông chữ riêng); hãy gõ lại.".into()
            }
            Self::NotADate => "Ngày giờ không có thật; hãy kiểm tra lại lịch.".into(),
            Self::InFuture => {
                "Thời điểm ở tương lai; hãy kiểm tra giá trị và đồng hồ máy gửi.".into()
            }
            Self::BeforeOther { other } => {
                format!("Thời điểm sớm hơn {other}; hãy sửa một trong hai giá trị.")
            }
            Self::Needs { other } => format!("Cần có thêm {other}; hãy điền cả hai trường."),
            Self::OutOfRange { min, max } => {
                format!("Giá trị ngoài khoảng cho phép; hãy nhập từ {min} đến {max}.")
            }
            Self::NotDigits => "Có ký tự không phải chữ số; hãy chỉ dùng các chữ số 0-9.".into(),
            Self::NotUrl => {
                "Không phải địa chỉ đầy đủ; hãy dùng địa chỉ bắt đầu bằng http:// hoặc https://."
                    .into()
            }
            Self::Conflict { with } => {
                format!("Mâu thuẫn với {with}; hãy sửa một trong hai giá trị.")
            }
        }
    }

    /// English sentence: what is wrong and what to do.
    pub fn en(self) -> String {
        match self {
            Self::Missing => "The value is missing; fill in this field.".into(),
            Self::TooLong { max, actual } => {
                format!("The text has {actual} characters; shorten it to {max} at most.")
            }
            Self::TooMany { max, actual } => {
                format!("The list has {actual} items; send {max} at most.")
            }
            Self::BadForm { expected } => {
                format!("The form is wrong; write it in the form {expected}.")
            }
            Self::UnknownCode { what } => {
                format!("The code is not in the list {what}; use a code of that list.")
            }
            Self::NotNfcText => "The text is not in Unicode form NFC; convert it.".into(),
            Self::ControlCharacter => {
                "The text holds a control character or line break; remove it.".into()
            }
            Self::ForeignScript => {
                "The text holds a letter outside the Vietnamese alphabet; type it again.".into()
            }
            Self::BidiControl => {
                "The text holds a character that turns the writing direction; remove it.".into()
            }
            Self::InvisibleCharacter => {
                "The text holds an invisible character; remove it or type it again.".into()
            }
            Self::UnassignedCharacter => {
                "The text holds a character that Unicode does not define; type it again.".into()
            }
            Self::NotADate => "No such date or time exists; check it against a calendar.".into(),
            Self::InFuture => {
                "The time lies in the future; check it and the sending machine's clock.".into()
            }
            Self::BeforeOther { other } => {
                format!("The time is earlier than {other}; correct one of the two.")
            }
            Self::Needs { other } => format!("This also needs {other}; fill in both fields."),
            Self::OutOfRange { min, max } => {
                format!("The value is out of range; give one from {min} to {max}.")
            }
            Self::NotDigits => "Only digits are allowed; use 0-9 and nothing else.".into(),
            Self::NotUrl => {
                "This is not a full address; use one that starts with http:// or https://.".into()
            }
            Self::Conflict { with } => {
                format!("The value contradicts {with}; correct one of the two.")
            }
        }
    }
}

/// The English sentence.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en())
    }
}

impl std::error::Error for Reason {}

/// One refused field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path of the field from the root of the input, such as `fees[2].amount`.
    pub field: String,
    /// Why it was refused.
    pub reason: Reason,
}

/// `field: sentence`, in English.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

/// All faults of one input, in the order found; at most [`FAULTS_MAX`] are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    kept: Vec<Fault>,
    dropped: usize,
}

impl Faults {
    /// No faults yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Exactly one fault.
    pub fn one(field: impl Into<String>, reason: Reason) -> Self {
        let mut faults = Self::new();
        faults.push(field, reason);
        faults
    }

    /// Notes a fault of `field`.
    pub fn push(&mut self, field: impl Into<String>, reason: Reason) {
        if self.kept.len() < FAULTS_MAX {
            self.kept.push(Fault {
                field: field.into(),
                reason,
            });
        } else {
            self.dropped += 1;
        }
    }

    /// The value of `result`, or `None` after its reason was noted against `field`.
    pub fn check<T>(&mut self, field: impl Into<String>, result: Result<T, Reason>) -> Option<T> {
        result.map_err(|reason| self.push(field, reason)).ok()
    }

    /// Takes over faults found elsewhere in the same input.
    pub fn extend(&mut self, faults: Self) {
        self.extend_under("", faults);
    }

    /// Takes over the faults of a part whose place in this input is `prefix`.
    pub fn extend_under(&mut self, prefix: &str, faults: Self) {
        for Fault { field, reason } in faults.kept {
            let path = match (prefix, field.as_str()) {
                ("", _) => field,
                (_, "") => prefix.to_owned(),
                (_, index) if index.starts_with('[') => format!("{prefix}{index}"),
                (_, name) => format!("{prefix}.{name}"),
            };
            self.push(path, reason);
        }
        self.dropped += faults.dropped;
    }

    /// Whether nothing was refused.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Faults found, dropped ones included.
    pub fn len(&self) -> usize {
        self.kept.len() + self.dropped
    }

    /// Faults found beyond [`FAULTS_MAX`], of which only the number is known.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// The kept faults, in the order found.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.kept.iter()
    }

    /// `value` if nothing was refused.
    ///
    /// # Errors
    ///
    /// These faults, if there are any.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// All faults on one line, separated by blanks.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(f, "{separator}{fault}")?;
        }
        match self.dropped {
            0 => Ok(()),
            more => write!(f, " ({more} more)"),
        }
    }
}

impl std::error::Error for Faults {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_parts_are_joined_as_a_reader_writes_them() {
        let mut fee = Faults::one("amount", Reason::NotDigits);
        fee.push("", Reason::Missing);
        let mut fees = Faults::new();
        fees.extend_under("[2]", fee);
        let mut dossier = Faults::new();
        dossier.extend_under("fees", fees);
        let paths: Vec<_> = dossier.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(paths, ["fees[2].amount", "fees[2]"]);
    }

    #[test]
    fn faults_beyond_the_bound_are_counted_also_through_parts() {
        let mut part = Faults::new();
        for _ in 0..FAULTS_MAX + 3 {
            part.push("note", Reason::ControlCharacter);
        }
        let mut whole = Faults::one("code", Reason::Missing);
        whole.extend_under("progress", part);
        assert_eq!(whole.iter().count(), FAULTS_MAX);
        assert_eq!((whole.dropped(), whole.len()), (4, FAULTS_MAX + 4));
        assert!(whole.to_string().ends_with("(4 more)"));
    }

    #[test]
    fn only_an_empty_list_lets_the_value_through() {
        let mut faults = Faults::new();
        assert_eq!(faults.check("code", Ok(7)), Some(7));
        assert_eq!(faults.clone().into_result("kept"), Ok("kept"));
        assert_eq!(faults.check::<i32>("code", Err(Reason::Missing)), None);
        let refused = faults.into_result("kept").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "code: The value is missing; fill in this field."
        );
    }

    #[test]
    fn a_sentence_names_its_bounds_in_both_languages() {
        let reason = Reason::TooLong {
            max: 1000,
            actual: 1042,
        };
        for sentence in [reason.vi(), reason.en()] {
            assert!(
                sentence.contains("1000") && sentence.contains("1042"),
                "{sentence}"
            );
        }
        assert_eq!(reason.name(), "TOO_LONG");
    }
}
