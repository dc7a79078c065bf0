//! The order in which people number files: `frame_9` before `frame_10`.

use std::cmp::Ordering;

/// A piece of a name, as it is compared.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece<'a> {
    /// A run of digits without leading zeros: the longer is the larger.
    Number(usize, &'a [u8]),
    /// Any other byte.
    Byte(u8),
}

/// Compares names, with every run of digits taken as one number; names that are then alike (`7` and `007`)
/// are in the order of their bytes.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    pieces(left).cmp(pieces(right)).then_with(|| left.cmp(right))
}

fn pieces(name: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = name.as_bytes();
    std::iter::from_fn(move || {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            let (byte, after) = rest.split_first()?;
            rest = after;
            return Some(Piece::Byte(*byte));
        }
        let (run, after) = rest.split_at_checked(digits)?;
        rest = after;
        let zeros = run.iter().take_while(|byte| **byte == b'0').count();
        let number = run.get(zeros..)?;
        Some(Piece::Number(number.len(), number))
    })
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn numbers_count_as_numbers() {
        let mut names =
            ["frame_10.jpg", "frame_9.jpg", "b2", "a10b2", "a10b1", "007", "7", "a", "frame_0010.jpg"];
        names.sort_by(|a, b| compare(a, b));
        let wanted =
            ["007", "7", "a", "a10b1", "a10b2", "b2", "frame_9.jpg", "frame_0010.jpg", "frame_10.jpg"];
        assert_eq!(names, wanted);
        // Longer than any integer type.
        let (small, large) = ("9".repeat(40), format!("1{}", "0".repeat(40)));
        assert!(compare(&small, &large).is_lt());
    }
}
