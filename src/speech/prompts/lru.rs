use std::collections::{BTreeMap, HashMap};

/// Values with a size, the least recently used of which leave when the sum passes a limit.
pub(super) struct Lru<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// Key by time of last use; the first is the next to leave.
    by_use: BTreeMap<u64, K>,
    clock: u64,
    size: u64,
    limit: u64,
}

struct Entry<V> {
    value: V,
    size: u64,
    used: u64,
}

impl<K: Copy + Eq + std::hash::Hash, V> Lru<K, V> {
    pub(super) fn new(limit: u64) -> Self {
        Self { entries: HashMap::new(), by_use: BTreeMap::new(), clock: 0, size: 0, limit }
    }

    /// The value of `key`, which counts as used now.
    pub(super) fn get(&mut self, key: &K) -> Option<&V> {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        self.by_use.remove(&entry.used);
        entry.used = self.clock;
        self.by_use.insert(self.clock, *key);
        Some(&entry.value)
    }

    /// Stores a value and returns the keys that had to leave for it; `key` itself stays even when
    /// it alone is over the limit.
    pub(super) fn insert(&mut self, key: K, value: V, size: u64) -> Vec<K> {
        self.remove(&key);
        self.clock += 1;
        self.size += size;
        self.entries.insert(key, Entry { value, size, used: self.clock });
        self.by_use.insert(self.clock, key);
        let mut gone = Vec::new();
        while self.size > self.limit && self.entries.len() > 1 {
            let Some((_, &oldest)) = self.by_use.first_key_value() else { break };
            self.remove(&oldest);
            gone.push(oldest);
        }
        gone
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.by_use.remove(&entry.used);
            self.size -= entry.size;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_least_recently_used_leaves_first() {
        let mut lru = Lru::new(20);
        lru.insert('a', 1, 10);
        lru.insert('b', 2, 10);
        assert_eq!(lru.get(&'a'), Some(&1));
        assert_eq!(lru.insert('c', 3, 10), ['b']);
        assert_eq!(lru.get(&'b'), None);
    }

    #[test]
    fn a_value_over_the_limit_is_kept_alone() {
        let mut lru = Lru::new(5);
        lru.insert('a', 1, 1);
        assert_eq!(lru.insert('b', 2, 50), ['a']);
        assert_eq!(lru.get(&'b'), Some(&2));
    }

    proptest! {
        #[test]
        fn the_size_is_the_sum_of_what_is_there(
            steps in prop::collection::vec((0_u8..8, 0_u64..10, any::<bool>()), 0..60)
        ) {
            let mut lru = Lru::new(25);
            for (key, size, insert) in steps {
                if insert { lru.insert(key, (), size); } else { lru.get(&key); }
                prop_assert_eq!(lru.size, lru.entries.values().map(|e| e.size).sum::<u64>());
                prop_assert_eq!(lru.by_use.len(), lru.entries.len());
                prop_assert!(lru.size <= 25 || lru.entries.len() == 1);
            }
        }
    }
}
