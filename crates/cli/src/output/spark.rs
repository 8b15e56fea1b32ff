//! A row of figures as a line of blocks, one character each.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// `figures`, oldest first, in at most `width` characters; the highest of those drawn together is drawn.
/// Nothing that is above zero looks like nothing.
pub(crate) fn spark(figures: &[f64], width: usize) -> String {
    if figures.is_empty() || width == 0 {
        return String::new();
    }
    let columns = width.min(figures.len());
    let column = |index: usize| {
        let (from, to) = (
            index * figures.len() / columns,
            (index + 1) * figures.len() / columns,
        );
        figures[from..to].iter().copied().fold(0.0, f64::max)
    };
    let drawn: Vec<f64> = (0..columns).map(column).collect();
    let top = drawn.iter().copied().fold(0.0, f64::max);
    drawn.iter().map(|value| block(*value, top)).collect()
}

fn block(value: f64, top: f64) -> char {
    // Negative figures do not exist; NaN compares false and is drawn as nothing.
    if value > 0.0 && top > 0.0 {
        let steps = BLOCKS.iter().enumerate().skip(1);
        let mut highest = BLOCKS[1];
        for (step, found) in steps {
            let share = f64::from(u8::try_from(step).unwrap_or(u8::MAX)) / 8.0;
            if value / top >= share {
                highest = *found;
            }
        }
        highest
    } else {
        BLOCKS[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_reaches_the_top_and_nothing_stays_at_the_bottom() {
        assert_eq!(spark(&[0.0, 0.01, 4.0, 8.0], 10), "▁▂▅█");
        assert_eq!(spark(&[0.0, 0.0], 10), "▁▁");
        assert_eq!(spark(&[f64::NAN, 1.0], 10), "▁█");
        assert_eq!(spark(&[], 10), "");
    }

    #[test]
    fn a_peak_is_not_lost_where_there_is_little_room() {
        let mut figures = vec![1.0; 180];
        figures[90] = 100.0;
        let drawn = spark(&figures, 20);
        assert_eq!(drawn.chars().count(), 20);
        assert_eq!(drawn.chars().filter(|drawn| *drawn == '█').count(), 1);
    }
}
