//! The nearest word: what a mistyped name probably meant. Refuses to guess where nothing is near.

/// The candidate that takes the least change from `word`, upper and lower case alike; `None` where even that
/// one takes more changes than it has letters. Added letters count 1, dropped ones 2, since people shorten names
/// more often than they lengthen them; a replaced letter is one of each.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The weighted edit distance from `a` to `b`, in one row of memory.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (1..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let (mut diagonal, mut left) = (2 * i, 2 * i + 2);
        for (cell, y) in row.iter_mut().zip(b.chars()) {
            let up = *cell;
            left = if x == y { diagonal } else { (up + 2).min(left + 1) };
            diagonal = up;
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(2 * a.chars().count())
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distances_are_weighted_edits() {
        for (a, b, wanted) in [
            ("kitten", "sitting", 7),
            ("", "abc", 3),
            ("abc", "", 6),
            ("lidar", "lidar", 0),
            ("flaw", "lawn", 3),
        ] {
            assert_eq!(distance(a, b), wanted, "{a} {b}");
        }
    }

    #[test]
    fn the_nearest_is_found_and_the_far_is_not_guessed() {
        let words = ["arming_ms", "latch_ms", "dark_frames"];
        assert_eq!(nearest("armnig_ms", words), Some("arming_ms"));
        assert_eq!(nearest("ARMING_MS", words), Some("arming_ms"));
        assert_eq!(nearest("colour", words), None);
        assert_eq!(
            nearest("FRONT_CAMERA", ["LEFT_CAMERA", "FRONT_FACING_CAMERA"]),
            Some("FRONT_FACING_CAMERA")
        );
    }
}
