//! Invented people: common Vietnamese names put together at random, and numbers of the right form.
//! Nobody is meant; a match with a living person is chance.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

const FAMILY_NAMES: [&str; 16] = [
    "Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ",
    "Hồ", "Ngô", "Dương", "Lý",
];
const WOMEN: [(&str, &str); 12] = [
    ("Thị", "Hoa"),
    ("Thị", "Ánh"),
    ("Ngọc", "Bích"),
    ("Thị Thu", "Hà"),
    ("Thuỳ", "Dung"),
    ("Thị Mỹ", "Lệ"),
    ("Kim", "Oanh"),
    ("Thị", "Quỳnh"),
    ("Diệu", "Thuý"),
    ("Thanh", "Trúc"),
    ("Thị", "Yến"),
    ("Phương", "Nhung"),
];
const MEN: [(&str, &str); 12] = [
    ("Văn", "An"),
    ("Hữu", "Đức"),
    ("Quốc", "Cường"),
    ("Minh", "Quân"),
    ("Xuân", "Trường"),
    ("Đình", "Phúc"),
    ("Văn", "Tuấn"),
    ("Gia", "Huy"),
    ("Trọng", "Nghĩa"),
    ("Bá", "Lộc"),
    ("Thế", "Vỹ"),
    ("Công", "Thành"),
];

/// Somebody who files a dossier.
#[derive(Clone)]
pub(super) struct Person {
    /// Family, middle and given name.
    pub(super) name: String,
    /// 12 digits: province of birth, century and sex, year, number.
    pub(super) citizen_number: String,
    /// 10 digits.
    pub(super) phone: String,
}

/// Somebody born in the province with this prefix of citizen numbers.
pub(super) fn person(random: &mut ChaCha8Rng, province_prefix: &str) -> Person {
    let woman = random.random_bool(0.5);
    let year = random.random_range(1950..2008);
    // Source: NĐ 137/2015/NĐ-CP: 0 and 1 for the 20th century, 2 and 3 for the 21st; odd for women.
    let century_and_sex = u32::from(woman) + if year >= 2000 { 2 } else { 0 };
    let number = random.random_range(0..1_000_000);
    Person {
        name: name(random, woman),
        citizen_number: format!(
            "{province_prefix}{century_and_sex}{:02}{number:06}",
            year % 100
        ),
        phone: format!("09{:08}", random.random_range(0..100_000_000)),
    }
}

/// The name of somebody who works in an office.
pub(super) fn officer(random: &mut ChaCha8Rng) -> String {
    let woman = random.random_bool(0.5);
    name(random, woman)
}

fn name(random: &mut ChaCha8Rng, woman: bool) -> String {
    let family = pick(random, &FAMILY_NAMES);
    let (middle, given) = pick(random, if woman { &WOMEN } else { &MEN });
    format!("{family} {middle} {given}")
}

/// One of several, all equally likely.
pub(super) fn pick<T: Copy>(random: &mut ChaCha8Rng, from: &[T]) -> T {
    from[random.random_range(0..from.len())]
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn people_have_names_and_numbers_of_the_right_form() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..200 {
            let person = person(&mut random, "064");
            assert_eq!(person.citizen_number.len(), 12);
            assert!(person.citizen_number.starts_with("064"));
            assert!(
                person
                    .citizen_number
                    .bytes()
                    .all(|byte| byte.is_ascii_digit())
            );
            assert_eq!(person.phone.len(), 10);
            assert!(person.name.split(' ').count() >= 3, "{}", person.name);
            assert!(
                person.name.chars().count() <= 50,
                "the portal cuts officers there"
            );
        }
    }
}
