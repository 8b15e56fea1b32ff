//! What the portal says: a code, a sentence and sometimes a payload.

use serde_json::{Value, json};

use super::config::ErrorCodeStyle;

/// `error_code` of success.
pub(crate) const CODE_DONE: i64 = 0;
/// `error_code` of everything that went wrong without a code of its own.
pub(crate) const CODE_FAILED: i64 = -1;
/// `error_code` of an insert whose dossier is there already.
pub(crate) const CODE_EXISTS: i64 = 3;

/// One answer, before it is written in the configured style.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) code: i64,
    pub(crate) message: String,
    /// `session` of a login, `result` of a look-up.
    pub(crate) payload: Option<(&'static str, Value)>,
}

impl Answer {
    pub(crate) fn done() -> Self {
        Self {
            code: CODE_DONE,
            message: "Thành công".to_owned(),
            payload: None,
        }
    }

    pub(crate) fn done_with(name: &'static str, value: Value) -> Self {
        Self {
            payload: Some((name, value)),
            ..Self::done()
        }
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self {
            code: CODE_FAILED,
            message: message.into(),
            payload: None,
        }
    }

    pub(crate) fn exists() -> Self {
        let message = "Hồ sơ đã tồn tại".to_owned();
        Self {
            code: CODE_EXISTS,
            message,
            payload: None,
        }
    }

    pub(crate) fn session_over() -> Self {
        Self::refused("Phiên làm việc không hợp lệ hoặc đã hết hạn, vui lòng đăng nhập lại")
    }

    pub(crate) fn is_done(&self) -> bool {
        self.code == CODE_DONE
    }

    /// The JSON text of the answer; `number` picks the style when styles alternate.
    pub(crate) fn to_json(&self, style: ErrorCodeStyle, number: u64) -> String {
        let mut body = json!({
            "error_code": written_code(self.code, style, number),
            "message": self.message,
        });
        if let Some((name, value)) = &self.payload {
            body[*name] = value.clone();
        }
        body.to_string()
    }
}

fn written_code(code: i64, style: ErrorCodeStyle, number: u64) -> Value {
    match style {
        ErrorCodeStyle::Number => json!(code),
        ErrorCodeStyle::PaddedText if code == CODE_DONE => json!("00"),
        ErrorCodeStyle::Text | ErrorCodeStyle::PaddedText => json!(code.to_string()),
        ErrorCodeStyle::Alternate => {
            let styles = [
                ErrorCodeStyle::Number,
                ErrorCodeStyle::Text,
                ErrorCodeStyle::PaddedText,
            ];
            let turn = usize::try_from(number % 3).expect("a number below 3 fits");
            written_code(code, styles[turn], number)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_of_the_code_takes_its_turn() {
        let written = |style| {
            (0..3)
                .map(|n| written_code(0, style, n))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            written(ErrorCodeStyle::Alternate),
            [json!(0), json!("0"), json!("00")]
        );
        assert_eq!(
            written(ErrorCodeStyle::Number),
            [json!(0), json!(0), json!(0)]
        );
        assert_eq!(written_code(-1, ErrorCodeStyle::PaddedText, 0), json!("-1"));
        assert_eq!(written_code(3, ErrorCodeStyle::Alternate, 1), json!("3"));
    }
}
