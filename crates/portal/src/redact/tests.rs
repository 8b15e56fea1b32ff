use serde_json::Value;

use super::*;
use crate::map::tests::full;

/// What may be repeated: codes, names of procedures, fees and offices, times and switches.
const PUBLIC: [&str; 25] = [
    "procedure_code",
    "procedure_name",
    "field_code",
    "field_name",
    "receipt_number",
    "handling_unit",
    "filed_at_code",
    "database_links",
    "submitted_documents.id",
    "submitted_documents.component_code",
    "submitted_documents.replacing_result_code",
    "fees.name",
    "fees.code",
    "fees.collection_code",
    "fees.kind_code",
    "other_papers.kind_code",
    "supplements.id",
    "supplements.requested_at",
    "supplements.received_at",
    "supplements.state_code",
    "supplements.due_before",
    "supplements.due_after",
    "results.component_code",
    "results.id",
    "results.result_code",
];
const TIMES: [&str; 5] = [
    "submitted_at",
    "received_at",
    "due_at",
    "finished_at",
    "returned_at",
];

/// Every string in `value` with the names that lead to it.
fn leaves<'a>(path: &str, value: &'a Value, found: &mut Vec<(String, &'a str)>) {
    match value {
        Value::String(text) => found.push((path.to_owned(), text)),
        Value::Array(items) => items.iter().for_each(|item| leaves(path, item, found)),
        Value::Object(object) => {
            for (name, field) in object {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                leaves(&path, field, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn every_text_of_a_full_dossier_is_hidden_unless_it_is_public() {
    let details = full();
    let mut texts = Texts::default();
    texts.add_details(&details);
    let written = serde_json::to_value(&details).unwrap();
    let mut found = Vec::new();
    leaves("", &written, &mut found);
    let mut hidden = 0;
    for (path, text) in found {
        let said = redact(&format!("Lỗi «{text}»."), texts.0.iter().copied());
        if PUBLIC.contains(&path.as_str()) || TIMES.contains(&path.as_str()) {
            assert_eq!(said, format!("Lỗi «{text}»."), "{path}");
        } else {
            assert_eq!(said, "Lỗi «…».", "{path}");
            hidden += 1;
        }
    }
    assert_eq!(hidden, 21, "private texts of the full dossier");
}

#[test]
fn case_form_and_line_breaks_do_not_matter() {
    let name = "Nguyễn Thị Ánh Tuyết";
    let decomposed: String = "NGUYỄN THỊ ÁNH TUYẾT".nfd().collect();
    let cases = [
        "bà NGUYỄN THỊ ÁNH TUYẾT đã có",
        "bà nguyễn thị ánh tuyết đã có",
        "bà Nguyễn  Thị\n\tÁnh\u{A0}Tuyết đã có",
        &format!("bà {decomposed} đã có"),
    ];
    for said in cases {
        assert_eq!(redact(said, [name]), "bà … đã có", "{said:?}");
    }
    let other = "bà Nguyễn Thị Anh Tuyết đã có";
    assert_eq!(redact(other, [name]), other, "a tone makes another name");
}

#[test]
fn a_text_within_another_leaves_nothing_of_it() {
    let texts = ["Lê Ánh", "Đăng ký khai sinh cho Lê Ánh, thôn 2"];
    let said = "Trích yếu Đăng ký khai sinh cho Lê Ánh, thôn 2: sai; Lê Ánh";
    assert_eq!(redact(said, texts), "Trích yếu …: sai; …");
}

#[test]
fn a_shortened_text_is_hidden_as_far_as_it_goes() {
    let summary = "Đăng ký khai sinh cho con của bà Nguyễn Thị Hoà và ông Lê Văn Đức";
    let said = "TrichYeuHoSo quá dài: đăng ký khai sinh cho con của bà Nguyễn Thị Ho...";
    assert_eq!(redact(said, [summary]), "TrichYeuHoSo quá dài: …...");
}

#[test]
fn a_long_text_is_seen_whole_and_a_message_is_bounded() {
    let papers: Vec<_> = (1..500).map(|number| format!("Đơn {number}")).collect();
    let text = papers.join(", ");
    assert!(
        text.chars().count() > 4_000,
        "longer than any text of a dossier"
    );
    let said = format!("Tệp {text}: sai. {}", "x".repeat(50_000));
    let redacted = redact(&said, [text.as_str()]);
    assert!(redacted.starts_with("Tệp …: sai. xxx"));
    assert!(redacted.chars().count() <= MESSAGE_CHARS_MAX);
}

#[test]
fn texts_of_two_letters_and_odd_letters_do_no_harm() {
    assert_eq!(redact("An được nhận", ["An", "", "  "]), "An được nhận");
    assert_eq!(redact("Anh được nhận", ["anh"]), "… được nhận");
    // The lower case of this letter is two characters.
    assert_eq!(redact("tỉnh İĐỨC x", ["Đức"]), "tỉnh İ… x");
    assert_eq!(redact("", ["Đức"]), "");
}
