//! Names as the peoples of Việt Nam form them, always in NFC.

use super::draw::Draw;
use super::name_tables::{
    Custom, ETHNICITIES_BY_REGION, Ethnicity, GIVEN_FEMALE, GIVEN_MALE, HIGHLAND_FEMALE,
    HIGHLAND_MALE, MIDDLE_FEMALE, MIDDLE_MALE, MONG_FEMALE, MONG_MALE, NEW_AND_OLD_TONES,
};
use super::provinces::Region;
use crate::population::{Name, Sex};

/// What a family hands down.
#[derive(Clone, Copy)]
pub(super) struct Lineage {
    ethnicity: &'static Ethnicity,
    family: &'static str,
}

impl Lineage {
    pub(super) fn ethnicity(self) -> &'static str {
        self.ethnicity.code
    }
}

/// The people and family name of a family of this region.
pub(super) fn lineage(draw: &mut Draw, region: Region) -> Lineage {
    let (_, ethnicities) = ETHNICITIES_BY_REGION
        .iter()
        .find(|(of_region, _)| *of_region == region)
        .expect("the table has every region");
    let ethnicity = draw.weighted(ethnicities);
    Lineage {
        ethnicity,
        family: draw.weighted(ethnicity.families),
    }
}

/// A name for somebody of that family born in that year.
pub(super) fn name(draw: &mut Draw, lineage: Lineage, sex: Sex, year: u16) -> Name {
    let family = lineage.family;
    match lineage.ethnicity.custom {
        Custom::Viet => viet(draw, family, sex, year),
        Custom::Mong => mong(draw, family, sex),
        Custom::Ede => ede(draw, family, sex),
        Custom::Jarai => jarai(draw, family, sex),
        Custom::Koho => koho(draw, sex),
    }
}

fn viet(draw: &mut Draw, family: &str, sex: Sex, year: u16) -> Name {
    let (givens, middles) = match sex {
        Sex::Male => (GIVEN_MALE, MIDDLE_MALE),
        Sex::Female => (GIVEN_FEMALE, MIDDLE_FEMALE),
    };
    let given = draw.pick(givens);
    let marker = match sex {
        Sex::Male => "Văn",
        Sex::Female => "Thị",
    };
    // The markers of sex, Văn and Thị, go out of fashion.
    let marker_share = match year {
        ..1970 => 800,
        1970..1990 => 620,
        1990..2005 => 380,
        2005.. => 200,
    };
    let has_marker = draw.permille(marker_share);
    let first = other_than(draw, middles, &[given]);
    let middle = match draw.below(1_000) {
        // Two syllables: no middle name at all.
        0..60 => None,
        60..660 if has_marker => Some(marker.to_owned()),
        60..660 => Some(first.to_owned()),
        660..970 if has_marker => Some(format!("{marker} {first}")),
        660..970 => {
            let second = other_than(draw, middles, &[given, first]);
            Some(format!("{first} {second}"))
        }
        // Five syllables: the mother's family name comes in.
        _ => {
            let mothers = draw.pick(&["Lê", "Phạm", "Hoàng", "Võ", "Vũ", "Đặng", "Trần"]);
            Some(format!("{mothers} {marker} {first}"))
        }
    };
    let is_old_style = draw.permille(400);
    let styled = |text: &str| tone_styled(text, is_old_style);
    Name {
        family: Some(family.to_owned()),
        middle: middle.as_deref().map(styled),
        given: styled(given),
    }
}

/// One of `items`, the next one if it is in `taken`.
fn other_than(draw: &mut Draw, items: &[&'static str], taken: &[&str]) -> &'static str {
    let chosen = draw.pick(items);
    let mut from_there = items
        .iter()
        .cycle()
        .skip_while(|item| **item != chosen)
        .take(items.len());
    from_there
        .find(|item| !taken.contains(item))
        .copied()
        .unwrap_or(chosen)
}

/// The tables are in the new style (hòa, thúy); this writes the old one (hoà, thuý) on request.
fn tone_styled(text: &str, is_old_style: bool) -> String {
    let syllables = text.split(' ').map(|syllable| {
        let pair = NEW_AND_OLD_TONES
            .iter()
            .find_map(|(new, old)| syllable.strip_suffix(new).map(|start| (start, old)));
        match pair {
            // In "qu" the u belongs to the consonant, and both styles write Quý.
            Some((start, old)) if is_old_style && !start.ends_with(['q', 'Q']) => {
                format!("{start}{old}")
            }
            _ => syllable.to_owned(),
        }
    });
    syllables.collect::<Vec<_>>().join(" ")
}

fn mong(draw: &mut Draw, family: &str, sex: Sex) -> Name {
    let (middle, given) = match sex {
        Sex::Male => ("A", draw.pick(MONG_MALE)),
        Sex::Female => ("Thị", draw.pick(MONG_FEMALE)),
    };
    Name {
        family: Some(family.to_owned()),
        middle: draw.permille(880).then(|| middle.to_owned()),
        given: given.to_owned(),
    }
}

/// Y Blô Niê, H'Hen Niê: the clan comes last, so the whole is given as one.
fn ede(draw: &mut Draw, family: &str, sex: Sex) -> Name {
    only(match sex {
        Sex::Male => format!("Y {} {family}", draw.pick(HIGHLAND_MALE)),
        Sex::Female => format!("H'{} {family}", draw.pick(HIGHLAND_FEMALE)),
    })
}

/// Siu Y Blik, Rơ Châm H'Yéo.
fn jarai(draw: &mut Draw, family: &str, sex: Sex) -> Name {
    let given = match sex {
        Sex::Male if draw.permille(500) => format!("Y {}", draw.pick(HIGHLAND_MALE)),
        Sex::Male => draw.pick(HIGHLAND_MALE).to_owned(),
        Sex::Female => format!("H'{}", draw.pick(HIGHLAND_FEMALE)),
    };
    Name {
        family: Some(family.to_owned()),
        middle: None,
        given,
    }
}

/// K'Brôi, Ka Duyên: no family name.
fn koho(draw: &mut Draw, sex: Sex) -> Name {
    only(match sex {
        Sex::Male => format!("K'{}", draw.pick(HIGHLAND_MALE)),
        Sex::Female => format!("Ka {}", draw.pick(HIGHLAND_FEMALE)),
    })
}

fn only(given: String) -> Name {
    Name {
        family: None,
        middle: None,
        given,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_style_moves_the_mark_of_open_syllables_only() {
        for (new, old) in [
            ("Hòa", "Hoà"),
            ("Thúy", "Thuý"),
            ("Thủy", "Thuỷ"),
            ("Thị Thùy", "Thị Thuỳ"),
            ("Quý", "Quý"),
            ("Hoàng", "Hoàng"),
            ("Thị", "Thị"),
        ] {
            assert_eq!(tone_styled(new, true), old);
            assert_eq!(tone_styled(new, false), new);
        }
    }
}
