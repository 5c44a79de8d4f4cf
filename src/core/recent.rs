//! A bounded memory of recently used values, each with a short life.
//!
//! Two generations instead of a linked list: what is used moves to the young one; when that is full, the old
//! one is dropped whole. So at most twice the capacity is held and anything used recently stays.

use std::collections::HashMap;

use crate::core::time::Millis;

/// The memory; `V` should be cheap to clone.
#[derive(Debug)]
pub struct Recent<V> {
    young: HashMap<String, (Millis, V)>,
    old: HashMap<String, (Millis, V)>,
    capacity: usize,
}

impl<V: Clone> Recent<V> {
    /// A memory that holds `capacity` values, and at most twice as many for a while.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), capacity: capacity.max(1) }
    }

    /// The value, unless its life is over.
    pub fn get(&mut self, name: &str, now: Millis) -> Option<V> {
        if let Some((until, value)) = self.young.get(name) {
            return (now < *until).then(|| value.clone());
        }
        let (name, (until, value)) = self.old.remove_entry(name)?;
        if now >= until {
            return None;
        }
        self.insert(name, until, value.clone());
        Some(value)
    }

    /// Remembers a value until `until`.
    pub fn put(&mut self, name: &str, until: Millis, value: V) {
        self.old.remove(name);
        self.insert(name.to_owned(), until, value);
    }

    /// Forgets a value.
    pub fn forget(&mut self, name: &str) {
        self.young.remove(name);
        self.old.remove(name);
    }

    fn insert(&mut self, name: String, until: Millis, value: V) {
        if self.young.len() >= self.capacity && !self.young.contains_key(&name) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name, (until, value));
    }

    /// How many values are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lives_until_its_end() {
        let mut recent = Recent::new(2);
        recent.put("a", Millis(10), 1);
        assert_eq!(recent.get("a", Millis(9)), Some(1));
        assert_eq!(recent.get("a", Millis(10)), None);
        recent.put("a", Millis(20), 2);
        assert_eq!(recent.get("a", Millis(10)), Some(2));
        recent.forget("a");
        assert_eq!(recent.get("a", Millis(10)), None);
    }

    #[test]
    fn it_is_bounded_and_keeps_what_is_used() {
        let mut recent = Recent::new(100);
        for n in 0..10_000 {
            recent.put(&n.to_string(), Millis(10), n);
            recent.put("used", Millis(10), -1);
            assert_eq!(recent.get("used", Millis(0)), Some(-1));
            assert!(recent.len() <= 200);
        }
        let mut recent = Recent::new(100);
        recent.put("used", Millis(10), -1);
        for n in 0..10_000 {
            recent.put(&n.to_string(), Millis(10), n);
            assert_eq!(recent.get("used", Millis(0)), Some(-1), "{n}");
        }
        assert_eq!(recent.get("5", Millis(0)), None);
    }
}
