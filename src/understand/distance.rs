//! Edit distance with an open start and end, for finding a phrase inside a misheard sentence.

/// How well `needle` is found anywhere in `hay`: 1 when it stands there whole, down to 0, by the
/// fewest edits (insert, delete, substitute) relative to the needle's length.
pub fn found_in<T: PartialEq>(needle: &[T], hay: &[T]) -> f32 {
    if needle.is_empty() {
        return 0.0;
    }
    // Row by row over the needle; the first row is free, so the match may start anywhere.
    let mut above = vec![0_usize; hay.len() + 1];
    for (row, item) in needle.iter().enumerate() {
        let mut current = Vec::with_capacity(hay.len() + 1);
        current.push(row + 1);
        for (column, other) in hay.iter().enumerate() {
            let substituted = above[column] + usize::from(item != other);
            let gap = above[column + 1].min(current[column]) + 1;
            current.push(substituted.min(gap));
        }
        above = current;
    }
    // The match may end anywhere too.
    let edits = above.into_iter().min().unwrap_or(needle.len());
    1.0 - edits as f32 / needle.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_needle_inside_is_found_whole() {
        assert_eq!(found_in(b"kettle", b"er the kettle please"), 1.0);
    }

    #[test]
    fn one_wrong_letter_costs_its_share() {
        assert_eq!(found_in(b"kettle", b"the cettle"), 1.0 - 1.0 / 6.0);
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        assert_eq!(found_in(b"abc", b""), 0.0);
        assert_eq!(found_in(b"", b"abc"), 0.0);
    }
}
