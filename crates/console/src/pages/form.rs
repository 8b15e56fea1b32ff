//! Forms: every field has a label, keeps what was typed, and shows its fault beside it.

use http::StatusCode;
use lienthong_domain::{Faults, Reason, Timestamp, time};
use maud::{Markup, Render, html};

use crate::frame::{Frame, Tone};
use crate::layout;

/// What was typed and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faulty {
    faults: Vec<(String, Reason)>,
}

impl Faulty {
    /// The faults of a refusal.
    pub(crate) fn of(faults: &Faults) -> Self {
        let faults = faults
            .iter()
            .map(|fault| (fault.field.clone(), fault.reason));
        Self {
            faults: faults.collect(),
        }
    }

    /// The fault of one field.
    pub(crate) fn of_field(&self, name: &str) -> Option<Reason> {
        let found = self.faults.iter().find(|(field, _)| field == name);
        found.map(|(_, reason)| *reason)
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// Of the page that shows the form again.
    pub(crate) fn status(&self) -> StatusCode {
        if self.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    }
}

/// Reads a field that may stay empty; its fault goes to the others.
pub(crate) fn optional<T>(
    faults: &mut Faults,
    field: &'static str,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, Reason>,
) -> Option<T> {
    if text.is_empty() {
        None
    } else {
        faults.check(field, parse(text))
    }
}

/// The beginning of a day in Vietnam.
pub(crate) fn midnight(text: &str) -> Result<Timestamp, Reason> {
    time::local_midnight(text).ok_or(Reason::NotADate)
}

/// One field with what stands around it.
pub(crate) struct Field<'a> {
    /// Its name in the form; with `prefix` also its id.
    pub(crate) name: &'a str,
    /// What it is.
    pub(crate) label: &'a str,
    /// What was typed.
    pub(crate) value: &'a str,
    /// What to type; empty for nothing to say.
    pub(crate) hint: &'a str,
    /// Keeps ids apart where a page has several forms with this field.
    pub(crate) prefix: &'a str,
    /// Whether it must be filled.
    pub(crate) required: bool,
}

impl<'a> Field<'a> {
    /// A field that may stay empty.
    pub(crate) fn new(name: &'a str, label: &'a str, value: &'a str) -> Self {
        Self {
            name,
            label,
            value,
            hint: "",
            prefix: "",
            required: false,
        }
    }

    /// With a hint.
    pub(crate) fn hint(self, hint: &'a str) -> Self {
        Self { hint, ..self }
    }

    /// In a form whose ids begin so.
    pub(crate) fn within(self, prefix: &'a str) -> Self {
        Self { prefix, ..self }
    }

    /// That must be filled.
    pub(crate) fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// A line of text.
    pub(crate) fn line(&self, frame: &Frame, faulty: &Faulty) -> Markup {
        let fault = faulty.of_field(self.name);
        self.around(
            frame,
            fault,
            &html! {
                input type="text" id=(self.id()) name=(self.name) value=(self.value) maxlength="200"
                    autocomplete="off" required[self.required] aria-invalid=[fault.map(|_| "true")]
                    aria-describedby=[self.described_by(fault)];
            },
        )
    }

    /// A whole number.
    pub(crate) fn number(&self, frame: &Frame, faulty: &Faulty, min: u32, max: u32) -> Markup {
        let fault = faulty.of_field(self.name);
        self.around(frame, fault, &html! {
            input type="number" id=(self.id()) name=(self.name) value=(self.value) min=(min) max=(max)
                inputmode="numeric" required[self.required] aria-invalid=[fault.map(|_| "true")]
                aria-describedby=[self.described_by(fault)];
        })
    }

    /// A day.
    pub(crate) fn day(&self, frame: &Frame, faulty: &Faulty) -> Markup {
        let fault = faulty.of_field(self.name);
        self.around(frame, fault, &html! {
            input type="date" id=(self.id()) name=(self.name) value=(self.value) required[self.required]
                aria-invalid=[fault.map(|_| "true")] aria-describedby=[self.described_by(fault)];
        })
    }

    /// A reason, at most 500 characters. It may be typed in several lines; [`Params::line`] reads them as one.
    ///
    /// [`Params::line`]: super::params::Params::line
    pub(crate) fn reason(&self, frame: &Frame, faulty: &Faulty) -> Markup {
        let fault = faulty.of_field(self.name);
        self.around(frame, fault, &html! {
            textarea id=(self.id()) name=(self.name) rows="2" maxlength="500" required[self.required]
                aria-invalid=[fault.map(|_| "true")] aria-describedby=[self.described_by(fault)] {
                (self.value)
            }
        })
    }

    /// One of several; each a value and its name.
    pub(crate) fn choice<V: AsRef<str>, N: Render>(
        &self,
        frame: &Frame,
        faulty: &Faulty,
        options: impl IntoIterator<Item = (V, N)>,
    ) -> Markup {
        let fault = faulty.of_field(self.name);
        self.around(
            frame,
            fault,
            &html! {
                select id=(self.id()) name=(self.name) aria-invalid=[fault.map(|_| "true")]
                    aria-describedby=[self.described_by(fault)] {
                    @for (value, name) in options {
                        @let value = value.as_ref();
                        option value=(value) selected[value == self.value] { (name) }
                    }
                }
            },
        )
    }

    fn around(&self, frame: &Frame, fault: Option<Reason>, control: &Markup) -> Markup {
        html! {
            div.field {
                label for=(self.id()) {
                    (self.label)
                    @if self.required {
                        " " span.required { "(" (frame.t("bắt buộc", "required")) ")" }
                    }
                }
                (control)
                @if !self.hint.is_empty() { p.hint id=(format!("{}-hint", self.id())) { (self.hint) } }
                @if let Some(fault) = fault {
                    p.error id=(format!("{}-error", self.id())) { (frame.t(fault.vi(), fault.en())) }
                }
            }
        }
    }

    fn id(&self) -> String {
        if self.prefix.is_empty() {
            self.name.to_owned()
        } else {
            format!("{}-{}", self.prefix, self.name)
        }
    }

    fn described_by(&self, fault: Option<Reason>) -> Option<String> {
        let id = self.id();
        let hint = (!self.hint.is_empty()).then(|| format!("{id}-hint"));
        let error = fault.map(|_| format!("{id}-error"));
        let ids = [hint, error].into_iter().flatten().collect::<Vec<_>>();
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}

/// What a form refused, told once above it for those who would miss the fault beside the field.
pub(crate) fn told(frame: &Frame, faulty: &Faulty) -> Markup {
    html! {
        @if !faulty.is_empty() {
            (layout::note(Tone::Bad, html! {
                (frame.t("Chưa thực hiện: hãy sửa trường được đánh dấu bên dưới.",
                    "Nothing was done yet: correct the field that is marked below."))
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use lienthong_domain::OperatorRole;

    use super::*;
    use crate::language::Language;
    use crate::pages::sample;

    #[test]
    fn a_fault_stands_beside_its_field_and_the_value_is_kept() {
        let frame = sample::frame(Language::Vietnamese, OperatorRole::Operator);
        let faulty = Faulty::of(&Faults::one("reason", Reason::Missing));
        let field = Field::new("reason", "Lý do", "</textarea><script>")
            .within("replay")
            .required();
        let html = field.reason(&frame, &faulty).into_string();
        for expected in [
            "<label for=\"replay-reason\">",
            "id=\"replay-reason-error\"",
            "aria-describedby=\"replay-reason-error\"",
            "aria-invalid=\"true\"",
            "&lt;/textarea&gt;&lt;script&gt;",
            "Thiếu giá trị",
        ] {
            assert!(html.contains(expected), "{expected} is not in {html}");
        }
        assert!(Faulty::default().is_empty() && !faulty.is_empty());
    }
}
