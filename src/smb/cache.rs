//! [`Cache`]: a map with a cap, which forgets what was not asked for longest.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// A map of at most `cap` entries.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    map: FxHashMap<K, (u64, V)>,
    cap: usize,
    /// Counts uses; an entry keeps the count at its last.
    clock: u64,
}

impl<K: Copy + Eq + Hash, V> Cache<K, V> {
    pub(super) fn new(cap: usize) -> Self {
        Self { map: FxHashMap::default(), cap, clock: 0 }
    }

    /// Looks without counting it as a use.
    pub(super) fn peek(&self, key: &K) -> Option<&V> {
        self.map.get(key).map(|(_, value)| value)
    }

    pub(super) fn get(&mut self, key: &K) -> Option<&mut V> {
        self.clock += 1;
        let (used, value) = self.map.get_mut(key)?;
        *used = self.clock;
        Some(value)
    }

    /// Puts an entry in; gives those that had to go (the one replaced is dropped).
    pub(super) fn insert(&mut self, key: K, value: V) -> Vec<(K, V)> {
        self.clock += 1;
        self.map.insert(key, (self.clock, value));
        if self.map.len() > self.cap {
            return self.evict();
        }
        Vec::new()
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.map.remove(key).map(|(_, value)| value)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.map.iter_mut().map(|(key, (_, value))| (key, value))
    }

    /// Removes and gives all whose key `matches`.
    pub(super) fn drain(&mut self, matches: impl Fn(&K, &V) -> bool) -> Vec<(K, V)> {
        let drained = self.map.extract_if(|key, (_, value)| matches(key, value));
        drained.map(|(key, (_, value))| (key, value)).collect()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    /// Removes an eighth at once, so that a full map does not look for its oldest every time.
    fn evict(&mut self) -> Vec<(K, V)> {
        let mut uses: Vec<u64> = self.map.values().map(|(used, _)| *used).collect();
        let eighth = uses.len() / 8;
        let (_, limit, _) = uses.select_nth_unstable(eighth);
        let limit = *limit;
        let old = self.map.extract_if(|_, (used, _)| *used <= limit);
        old.map(|(key, (_, value))| (key, value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_holds_and_the_oldest_go() {
        let mut cache = Cache::new(16);
        let mut gone = Vec::new();
        for n in 0..1000 {
            let old = cache.insert(n, n * 2);
            assert!(old.iter().all(|(key, _)| key + 12 < n), "{old:?} at {n}");
            gone.extend(old);
            assert!(cache.len() <= 16);
            assert_eq!(cache.get(&0), Some(&mut 0), "used every time, never old");
        }
        assert_eq!(gone.len() + cache.len(), 1000);
    }

    #[test]
    fn a_cache_of_one_works() {
        let mut cache = Cache::new(1);
        assert!(cache.insert(1, ()).is_empty());
        assert!(!cache.insert(2, ()).is_empty());
        assert_eq!(cache.drain(|_, ()| true).len(), cache.len() + 1);
    }
}
