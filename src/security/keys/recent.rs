//! [`Recent`]: a table with a cap, which forgets what is oldest.

use std::collections::VecDeque;
use std::hash::Hash;

use rustc_hash::FxHashMap;

/// The newest `MAX` entries. Added by [`Recent::remember`], which makes the oldest give its place.
#[derive(Debug)]
pub(crate) struct Recent<K, V, const MAX: usize> {
    known: FxHashMap<K, V>,
    /// INVARIANT: the keys of `known`, each once, the oldest first.
    order: VecDeque<K>,
}

impl<K, V, const MAX: usize> Default for Recent<K, V, MAX> {
    fn default() -> Self {
        Self { known: FxHashMap::default(), order: VecDeque::new() }
    }
}

impl<K: Clone + Eq + Hash, V, const MAX: usize> Recent<K, V, MAX> {
    /// Adds an entry; one that is there is replaced, and as old as it was.
    pub(crate) fn remember(&mut self, key: K, value: V) {
        if self.known.insert(key.clone(), value).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.known.get(key)
    }

    pub(crate) fn clear(&mut self) {
        self.known.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let mut recent = Recent::<u8, char, 2>::default();
        for (key, value) in [(1, 'a'), (2, 'b'), (1, 'c'), (3, 'd')] {
            recent.remember(key, value);
            assert_eq!(recent.known.len(), recent.order.len());
        }
        assert_eq!([1, 2, 3].map(|key| recent.get(&key).copied()), [None, Some('b'), Some('d')]);
        recent.clear();
        assert_eq!(recent.get(&3), None);
    }
}
