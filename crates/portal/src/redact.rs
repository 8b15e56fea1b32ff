//! Takes out of the portal's words what we told it in confidence, since operators read and store them.

use lienthong_domain::Text;
use lienthong_domain::details::PrivateText;
use lienthong_ports::store::Work;
use unicode_normalization::UnicodeNormalization as _;

/// Shorter values are not looked for: they would be found inside ordinary words.
const VALUE_CHARS_MIN: usize = 4;
/// Characters of a message that are kept; an answer keeps fewer.
const MESSAGE_CHARS_MAX: usize = 1_000;

/// `message` without the session, and without names, addresses and numbers of the people in `work`.
/// Runs of digits are masked later, by `Answer::new`.
pub(crate) fn redact(message: &str, work: &Work, session: &str) -> String {
    let mut message: String = message.nfc().take(MESSAGE_CHARS_MAX).collect();
    let details = &work.details;
    let values = [
        Some(session),
        private(details.applicant_name.as_ref()),
        private(details.applicant_document.as_ref()),
        private(details.applicant_technical_id.as_ref()),
        private(details.email.as_ref()),
        private(details.phone.as_ref()),
        work.progress
            .as_ref()
            .map(|progress| progress.officer_name.expose().as_str()),
    ];
    for value in values.into_iter().flatten() {
        if value.chars().count() >= VALUE_CHARS_MIN && message.contains(value) {
            message = message.replace(value, "…");
        }
    }
    message
}

fn private<const MAX: usize>(value: Option<&PrivateText<MAX>>) -> Option<&str> {
    value.map(|text| Text::as_str(text.expose()))
}
