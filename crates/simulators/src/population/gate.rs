//! Whether the person whom a request describes is the one whom the number names.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::config::Gate;
use super::register::Person;
use super::request::{BirthClaim, Request};

/// Compares what `gate` says; the number was compared by finding the person.
pub(crate) fn lets_pass(gate: Gate, request: &Request, person: &Person) -> bool {
    let name = || person.name.upper();
    match gate {
        Gate::NumberOnly => true,
        Gate::Exact => is_birth_right(request, person) && request.name == name(),
        Gate::FoldDiacritics => {
            is_birth_right(request, person) && folded(&request.name) == folded(&name())
        }
    }
}

/// A year is compared with the year; a whole date never fits a person of whom only the year is known.
fn is_birth_right(request: &Request, person: &Person) -> bool {
    match &request.birth {
        BirthClaim::Date(date) => person.birth.date().as_ref() == Some(date),
        BirthClaim::Year(year) => person.birth.year == *year,
    }
}

fn folded(upper: &str) -> String {
    let plain = upper.nfd().filter(|letter| !is_combining_mark(*letter));
    plain
        .map(|letter| if letter == 'Đ' { 'D' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_leaves_bare_letters() {
        assert_eq!(folded("NGUYỄN THỊ THUÝ ĐÀO"), "NGUYEN THI THUY DAO");
        assert_eq!(folded("HOÀ"), folded("HÒA"));
        assert_ne!(folded("HOÀNG"), folded("HOÀN"));
    }
}
