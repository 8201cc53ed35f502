//! A new version of a dialplan for some of a number's callers.

use std::path::PathBuf;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::route;

/// Another dialplan for some callers of a number: by their numbers, or for a share of all.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The dialplan that they get.
    pub dialplan: PathBuf,
    /// How many of a hundred callers get it. A caller always gets the same of the two.
    #[serde(default)]
    pub percent: u8,
    /// Numbers of callers who get it in any case, with `x` for any digit and a `*` at the end for any rest.
    #[serde(default)]
    pub callers: Vec<String>,
}

impl Trial {
    /// What is wrong with it.
    pub(super) fn problem(&self) -> Option<String> {
        if self.percent > 100 {
            return Some(format!("trial.percent is {}: write 0 to 100", self.percent));
        }
        let nobody = self.percent == 0 && self.callers.is_empty();
        nobody.then(|| "trial is for nobody: add `percent` or `callers`".to_owned())
    }

    /// Whether `caller` gets it.
    pub(super) fn is_for(&self, caller: &str) -> bool {
        self.callers.iter().any(|pattern| route::fits(pattern, caller))
            || share(caller) < self.percent
    }
}

/// Where a caller stands among a hundred: the same in every call, and evenly spread over callers.
fn share(caller: &str) -> u8 {
    let digest = Sha256::digest(caller.as_bytes());
    let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    (number % 100) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(percent: u8, callers: &[&str]) -> Trial {
        let callers = callers.iter().map(|c| (*c).to_owned()).collect();
        Trial { dialplan: "new.yaml".into(), percent, callers }
    }

    #[test]
    fn a_share_of_callers_gets_it_and_each_always_the_same() {
        let trial = trial(10, &[]);
        let caller = |n: u32| format!("1390000{n:04}");
        let chosen = (0..10_000).filter(|n| trial.is_for(&caller(*n))).count();
        assert!((900..=1_100).contains(&chosen), "{chosen} of 10000");
        assert_eq!(trial.is_for("13900001234"), trial.is_for("13900001234"));
        assert!((0..100).all(|n| self::trial(100, &[]).is_for(&caller(n))));
    }

    #[test]
    fn named_callers_get_it_in_any_case() {
        let trial = trial(0, &["1390000*", "4155550134"]);
        assert!(trial.is_for("13900001234") && trial.is_for("4155550134"));
        assert!(!trial.is_for("4155550135"));
    }

    #[test]
    fn a_trial_for_nobody_or_for_more_than_all_is_refused() {
        assert!(trial(0, &[]).problem().is_some());
        assert!(trial(101, &[]).problem().is_some());
        assert_eq!(trial(5, &[]).problem(), None);
    }
}
