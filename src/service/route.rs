//! Which `[[number]]` answers a call.

use super::config::Number;

/// A pattern of numbers: digits stand for themselves, `x` for any digit, and a `*` at the end for
/// any rest. `+` and the other keys of a number stand for themselves too.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern<'a> {
    head: &'a str,
    open: bool,
}

impl<'a> Pattern<'a> {
    fn new(text: &'a str) -> Self {
        match text.strip_suffix('*') {
            Some(head) => Self { head, open: true },
            None => Self { head: text, open: false },
        }
    }

    fn fits(&self, number: &str) -> bool {
        let (asked, given) = (self.head.chars().count(), number.chars().count());
        let long_enough = if self.open { given >= asked } else { given == asked };
        let same = |(p, c): (char, char)| p == c || (p == 'x' && c.is_ascii_digit());
        long_enough && self.head.chars().zip(number.chars()).all(same)
    }

    /// How much of a number it fixes: exact digits before `x`, closed before open.
    fn precision(&self) -> (usize, usize, bool) {
        let fixed = self.head.chars().filter(|c| *c != 'x').count();
        (fixed, self.head.chars().count(), !self.open)
    }
}

/// Whether `number` is one of those that `pattern` stands for.
pub(super) fn fits(pattern: &str, number: &str) -> bool {
    pattern == number || Pattern::new(pattern).fits(number)
}

/// The entry that answers `number` called by `trunk`: of those that fit, one for the trunk before
/// one for any, then the most precise, then the first.
pub(super) fn find<'a>(
    numbers: impl Iterator<Item = &'a Number>,
    number: &str,
    trunk: Option<&str>,
) -> Option<usize> {
    let fitting = numbers.enumerate().filter_map(|(at, entry)| {
        let of_trunk = entry.trunk.as_deref();
        let pattern = Pattern::new(&entry.number);
        // A number written out is itself, also when it ends in a star or has an x in it.
        let exact = entry.number == number;
        let fits = (exact || pattern.fits(number)) && (of_trunk.is_none() || of_trunk == trunk);
        fits.then(|| ((of_trunk.is_some(), exact, pattern.precision()), at))
    });
    let best = fitting.max_by(|(a, at), (b, bt)| a.cmp(b).then(bt.cmp(at)));
    best.map(|(_, at)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(pattern: &str, trunk: Option<&str>) -> Number {
        Number {
            number: pattern.to_owned(),
            trunk: trunk.map(str::to_owned),
            tenant: crate::store::DEFAULT_TENANT.to_owned(),
            dialplan: "d.yaml".into(),
            before_answer: None,
            record: true,
            trial: None,
        }
    }

    fn found<'a>(patterns: &[&'a str], called: &str) -> Option<&'a str> {
        let numbers: Vec<Number> = patterns.iter().map(|p| number(p, None)).collect();
        find(numbers.iter(), called, None).map(|at| patterns[at])
    }

    #[test]
    fn the_most_precise_pattern_answers() {
        let patterns = ["*", "40*", "400x", "4001", "+8610xxxxxxxx"];
        for (called, pattern) in [
            ("4001", "4001"),
            ("4002", "400x"),
            ("40025", "40*"),
            ("5", "*"),
            ("+861085551234", "+8610xxxxxxxx"),
            ("+86108555123", "*"),
            ("", "*"),
        ] {
            assert_eq!(found(&patterns, called), Some(pattern), "{called}");
        }
    }

    #[test]
    fn what_fits_nothing_is_not_answered() {
        assert_eq!(found(&["4001", "400x"], "4"), None);
        assert_eq!(found(&["400x"], "400a"), None);
    }

    #[test]
    fn of_two_that_are_the_same_the_first_answers() {
        let numbers = [number("4001", None), number("4001", None)];
        assert_eq!(find(numbers.iter(), "4001", None), Some(0));
    }

    #[test]
    fn an_entry_for_the_trunk_comes_before_one_for_any_and_not_for_others() {
        let numbers = [number("4001", None), number("4*", Some("carrier"))];
        assert_eq!(find(numbers.iter(), "4001", Some("carrier")), Some(1));
        assert_eq!(find(numbers.iter(), "4001", Some("pbx")), Some(0));
        assert_eq!(find(numbers.iter(), "4001", None), Some(0));
    }
}
