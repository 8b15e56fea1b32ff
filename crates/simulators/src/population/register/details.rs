//! Everything about a citizen beyond number, name and birth date.

use super::draw::{Draw, Purpose};
use super::provinces::PROVINCES;
use super::{Population, Seat, names};
use crate::population::{Citizen, HouseholdHead, MaritalStatus, Place, Relative, Sex};

/// `TonGiao`: the codes are a guess. None, Buddhist, Catholic, Hòa Hảo, Cao Đài, Protestant.
const RELIGIONS: [(&str, u32); 6] = [
    ("00", 840),
    ("01", 60),
    ("02", 65),
    ("03", 12),
    ("04", 10),
    ("05", 13),
];
const BLOOD_TYPES: [(&str, u32); 4] = [("O", 42), ("B", 31), ("A", 21), ("AB", 6)];
const STREETS: [&str; 12] = [
    "Trần Phú",
    "Lê Lợi",
    "Nguyễn Trãi",
    "Hùng Vương",
    "Quang Trung",
    "Hai Bà Trưng",
    "Phan Đình Phùng",
    "Lý Thường Kiệt",
    "Điện Biên Phủ",
    "Ngô Quyền",
    "Trường Chinh",
    "Hoà Bình",
];
/// Communes of one province that occur.
const COMMUNES: u32 = 90;
/// Born later, a citizen lives in the parents' household.
const CHILD_YEAR_MIN: u16 = 2004;

impl Population {
    pub(super) fn whole(&self, seat: &Seat) -> Citizen {
        let mut draw = self.draw(Purpose::Details, seat);
        // Three in a hundred have an entry that was never completed.
        let is_sparse = draw.permille(30);
        let is_dead = self.is_dead(seat);
        let origin = u32::from(PROVINCES[seat.bucket.province].code);
        let home = draw.permille(200).then(|| elsewhere(&mut draw));
        let home = home.unwrap_or(origin);
        let permanent_residence = place(&mut draw, home);
        let current_residence = if draw.permille(850) {
            permanent_residence.clone()
        } else {
            let province = elsewhere(&mut draw);
            place(&mut draw, province)
        };
        let (marital_status, spouse) = self.marriage(seat);
        let chance = |draw: &mut Draw, share| !is_sparse && draw.permille(share);
        Citizen {
            index: self.index(seat),
            number: self.number(seat),
            old_number: self.old_number(seat),
            name: self.name(seat),
            sex: seat.bucket.sex,
            birth: self.birth(seat),
            ethnicity: self.lineage(seat).ethnicity(),
            religion: chance(&mut draw, 880).then(|| draw.weighted(&RELIGIONS)),
            marital_status: chance(&mut draw, 960).then_some(marital_status),
            blood_type: chance(&mut draw, 250).then(|| draw.weighted(&BLOOD_TYPES)),
            birth_registration: chance(&mut draw, 970).then(|| place(&mut draw, origin)),
            home_town: chance(&mut draw, 980).then(|| place(&mut draw, origin)),
            permanent_residence: (!is_dead && !is_sparse).then_some(permanent_residence),
            current_residence: (!is_dead).then_some(current_residence),
            father: chance(&mut draw, 955).then(|| self.parent(seat, Sex::Male)),
            mother: chance(&mut draw, 970).then(|| self.parent(seat, Sex::Female)),
            spouse: spouse.map(|spouse| self.relative(&spouse)),
            household_head: (!is_dead && chance(&mut draw, 940)).then(|| self.head(seat)),
            household_number: chance(&mut draw, 400)
                .then(|| format!("{:09}", draw.below(1_000_000_000))),
            is_dead,
        }
    }

    fn relative(&self, seat: &Seat) -> Relative {
        Relative {
            name: self.name(seat),
            number: Some(self.number(seat)),
            old_number: self.old_number(seat),
        }
    }

    /// A citizen of the population, or only a name where the parent was born too early for it.
    fn parent(&self, child: &Seat, sex: Sex) -> Relative {
        let seat = match sex {
            Sex::Male => self.father(child),
            Sex::Female => self.mother(child),
        };
        seat.map_or_else(
            || self.parent_by_name(child, sex),
            |seat| self.relative(&seat),
        )
    }

    fn parent_by_name(&self, child: &Seat, sex: Sex) -> Relative {
        let mut draw = self.draw(Purpose::ParentName, child);
        let lineage = match sex {
            Sex::Male => self.lineage(child),
            Sex::Female => names::lineage(&mut draw, PROVINCES[child.bucket.province].region),
        };
        let year = child.bucket.year - 28;
        Relative {
            name: names::name(&mut draw, lineage, sex, year),
            number: None,
            old_number: None,
        }
    }

    fn head(&self, seat: &Seat) -> HouseholdHead {
        let (relation, head) = match (self.marriage(seat), seat.bucket.sex) {
            ((MaritalStatus::Married, Some(husband)), Sex::Female) => ("Vợ", husband),
            _ if seat.bucket.year >= CHILD_YEAR_MIN => self
                .father(seat)
                .filter(|father| !self.is_dead(father))
                .map_or(("Chủ hộ", *seat), |father| ("Con", father)),
            _ => ("Chủ hộ", *seat),
        };
        HouseholdHead {
            relation,
            person: self.relative(&head),
        }
    }
}

/// The code of some province, the populous ones more often.
fn elsewhere(draw: &mut Draw) -> u32 {
    let towns = PROVINCES.map(|province| (province.code, province.weight));
    u32::from(draw.weighted(&towns))
}

fn place(draw: &mut Draw, province: u32) -> Place {
    let commune = province * 300 + draw.below(COMMUNES) * 3 + 1;
    let detail = match draw.below(10) {
        0..3 => Some(format!("Thôn {}", 1 + draw.below(20))),
        3..6 => Some(format!(
            "Số {} đường {}",
            1 + draw.below(400),
            draw.pick(&STREETS)
        )),
        6..9 => Some(format!("Tổ dân phố {}", 1 + draw.below(40))),
        _ => None,
    };
    Place {
        province: format!("{province:02}"),
        district: draw
            .permille(20)
            .then(|| format!("{:03}", 1 + draw.below(970))),
        commune: format!("{commune:05}"),
        detail,
    }
}
