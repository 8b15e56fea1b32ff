//! Who somebody of the provider is in the record of actions. Names at a provider change and are given to others; issuer
//! and subject are not.
//!
//! Source: `OpenID` Connect Core 1.0, 5.7.

use sha2::{Digest, Sha256};

/// Bytes of the hash that tells people apart, two hex digits each.
const PERSON_BYTES: usize = 4;

/// `openid:NAME#ID`.
pub(super) fn by(name: &str, (issuer, subject): (&str, &str)) -> String {
    // An issuer is an address, so no other pair reads the same around the NUL.
    let person = Sha256::digest([issuer, "\0", subject].concat());
    format!("openid:{name}#{}", hex::encode(&person[..PERSON_BYTES]))
}

#[cfg(test)]
mod tests {
    use lienthong_domain::operator::is_same_person;

    use super::*;

    #[test]
    fn a_person_stays_one_under_another_name_and_differs_from_a_namesake() {
        let provider = "https://provider.example";
        let sen = by("sen", (provider, "7f"));
        let table = [
            (sen.clone(), true),
            (by("sen#1.moi", (provider, "7f")), true),
            (by("sen", (provider, "80")), false),
            (by("sen", ("https://other.example", "7f")), false),
            ("account:sen".to_owned(), true),
            ("account:lan".to_owned(), false),
        ];
        for (other, is_same) in table {
            assert_eq!(is_same_person(&sen, &other), is_same, "{other}");
            assert_eq!(is_same_person(&other, &sen), is_same, "{other}");
        }
        assert!(by(&"ế".repeat(100), (provider, "7f")).chars().count() <= 200);
    }
}
