//! Ids of questions that are asked more than once: the database takes each id only once.

/// Longest id, in characters.
const CHARS_MAX: usize = 64;

/// `id` with a suffix in plain ASCII. Where both do not fit, the front of `id` gives way: the end of an id is what
/// differs most.
pub(crate) fn extended(id: &str, suffix: &str) -> String {
    let cut = (id.chars().count() + suffix.len()).saturating_sub(CHARS_MAX);
    id.chars().skip(cut).chain(suffix.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_id_keeps_its_end_and_its_bound() {
        assert_eq!(extended("0197-a", "-2"), "0197-a-2");
        let long = format!("bat-dau-{}-cuoi", "x".repeat(51));
        assert_eq!(long.len(), 64);
        let second = extended(&long, "-2");
        assert_eq!(second.len(), 64);
        assert!(
            second.starts_with("t-dau-") && second.ends_with("-cuoi-2"),
            "{second}"
        );
        assert_ne!(extended(&second, "-i2"), second);
    }
}
