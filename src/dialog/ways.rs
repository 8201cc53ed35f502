//! Prompts that can be said in several ways: which it is this time.

use std::collections::BTreeMap;

use super::Machine;
use crate::dialplan::model::Prompt;

/// Which way each prompt was said last.
#[derive(Debug, Clone, Default)]
pub(super) struct Ways(BTreeMap<u64, usize>);

impl Machine {
    /// The way to say `prompt`: another than the last time, the same whenever the same call is played again.
    pub(super) fn way(&mut self, node: &str, prompt: &Prompt) -> usize {
        let Some(ways) = prompt.texts.get(&self.lang).filter(|ways| ways.len() > 1) else {
            return 0;
        };
        let facts = &self.facts;
        let prompt = hash([node, &format!("{ways:?}")]);
        let turn = self.turns.to_string();
        let call = [&facts.caller, &facts.called, &facts.date, &facts.time, &turn];
        let chance = hash(call.map(String::as_str)) ^ prompt;
        let last = self.ways.0.get(&prompt).copied();
        let way = choose(ways.len(), last, chance);
        self.ways.0.insert(prompt, way);
        way
    }
}

/// One of `count`, never `last`.
fn choose(count: usize, last: Option<usize>, chance: u64) -> usize {
    let below = |n: usize| usize::try_from(chance % n.max(1) as u64).unwrap_or(0);
    match last {
        None => below(count),
        Some(last) => (last + 1 + below(count - 1)) % count,
    }
}

/// FNV-1a, the same on every machine.
fn hash<const N: usize>(texts: [&str; N]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // Its low bits alone are weak.
    hash ^ (hash >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_way_is_never_chosen_twice_running_and_every_way_is_chosen() {
        for count in 2..5 {
            let mut seen = vec![0; count];
            let mut last = None;
            for chance in 0..200_u32 {
                let way = choose(count, last, hash([&chance.to_string()]));
                assert_ne!(Some(way), last);
                seen[way] += 1;
                last = Some(way);
            }
            assert!(seen.iter().all(|n| *n > 200 / count / 2), "{seen:?}");
        }
    }
}
