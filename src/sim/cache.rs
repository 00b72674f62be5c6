//! Caches: keys with the time of their filling, in the order of their last use.

use super::world::World;
use crate::plan::{CachePlan, NONE};
use crate::units::Nanos;
use std::collections::BTreeMap;

/// One entry, in a list from the one that was used last to the one that was not used for longest.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u64,
    filled: Nanos,
    newer: u32,
    older: u32,
}

/// A cache.
#[derive(Debug)]
pub struct Cache {
    size: usize,
    ttl: Nanos,
    places: BTreeMap<u64, u32>,
    entries: Vec<Entry>,
    newest: u32,
    oldest: u32,
}

impl Cache {
    /// An empty cache.
    pub fn new(plan: &CachePlan) -> Cache {
        Cache {
            size: plan.size as usize,
            ttl: plan.ttl,
            places: BTreeMap::new(),
            entries: Vec::new(),
            newest: NONE,
            oldest: NONE,
        }
    }

    /// Whether a key is there and still good; a hit is a use.
    pub fn look_up(&mut self, now: Nanos, key: u64) -> bool {
        let Some(&place) = self.places.get(&key) else { return false };
        let is_good = now - self.entries[place as usize].filled < self.ttl;
        if is_good {
            self.take_out(place);
            self.put_first(place);
        }
        is_good
    }

    /// Fills the entry of a key, which is a use; the one that was not used for longest makes room.
    pub fn fill(&mut self, now: Nanos, key: u64) {
        let entry = Entry { key, filled: now, newer: NONE, older: NONE };
        let place = match self.places.get(&key) {
            Some(&place) => place,
            None if self.entries.len() < self.size => {
                let place = self.entries.len() as u32;
                self.entries.push(entry);
                self.places.insert(key, place);
                return self.put_first(place);
            }
            None => {
                let place = self.oldest;
                self.places.remove(&self.entries[place as usize].key);
                self.places.insert(key, place);
                place
            }
        };
        self.take_out(place);
        self.entries[place as usize] = entry;
        self.put_first(place);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.places.clear();
        self.entries.clear();
        (self.newest, self.oldest) = (NONE, NONE);
    }

    fn take_out(&mut self, place: u32) {
        let Entry { newer, older, .. } = self.entries[place as usize];
        match newer {
            NONE => self.newest = older,
            newer => self.entries[newer as usize].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.entries[older as usize].newer = newer,
        }
    }

    fn put_first(&mut self, place: u32) {
        let before = std::mem::replace(&mut self.newest, place);
        let entry = &mut self.entries[place as usize];
        (entry.newer, entry.older) = (NONE, before);
        match before {
            NONE => self.oldest = place,
            before => self.entries[before as usize].newer = place,
        }
    }
}

/// Empties caches.
pub fn clear(caches: &mut [Cache]) {
    caches.iter_mut().for_each(Cache::clear);
}

impl World<'_> {
    /// Whether what a task wants is in a cache of its component.
    pub fn is_cached(&mut self, index: u32, cache: u32) -> bool {
        let now = self.now;
        let (cache, key) = self.cache_of(index, cache);
        let hit = cache.look_up(now, key);
        let instance = self.tasks[index].instance;
        let component = self.stations[instance as usize].component;
        let meter = &mut self.meter.components[component as usize];
        meter.lookups += 1;
        meter.hits += u64::from(hit);
        hit
    }

    /// A task has got what was missing. What is degraded is not kept.
    pub fn fill_cache(&mut self, index: u32, cache: u32) {
        if self.tasks[index].degraded {
            return;
        }
        let now = self.now;
        let (cache, key) = self.cache_of(index, cache);
        cache.fill(now, key);
    }

    /// A cache as a task sees it, and the key that the task wants there.
    fn cache_of(&mut self, index: u32, cache: u32) -> (&mut Cache, u64) {
        let task = &self.tasks[index];
        // Keys and classes are numbered apart.
        let key = match task.identity.key {
            NONE => 1 << 32 | u64::from(task.identity.class),
            key => u64::from(key),
        };
        let station = &mut self.stations[task.instance as usize];
        let plan = &self.plan.components[station.component as usize].caches[cache as usize];
        let caches = match plan.shared {
            true => &mut self.components[station.component as usize].caches,
            false => &mut station.caches,
        };
        (&mut caches[cache as usize], key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::NEVER;

    /// The slow twin: a list of (key, filled), the last one used last.
    fn naive(list: &mut Vec<(u64, Nanos)>, plan: &CachePlan, now: Nanos, key: u64) -> bool {
        let place = list.iter().position(|entry| entry.0 == key);
        let good = place.is_some_and(|place| now - list[place].1 < plan.ttl);
        let filled = place.map_or(now, |place| list.remove(place).1);
        if place.is_none() && list.len() == plan.size as usize {
            list.remove(0);
        }
        list.push((key, if good { filled } else { now }));
        good
    }

    #[test]
    fn a_cache_agrees_with_a_list_of_its_keys() {
        for (size, ttl) in [(1, NEVER), (2, NEVER), (3, 20), (5, 7), (u32::MAX, 30)] {
            let plan = CachePlan { size, ttl, shared: false };
            let (mut cache, mut list) = (Cache::new(&plan), Vec::new());
            let mut state = 5_u64;
            let mut hits = 0;
            for now in 0..5_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let key = (state >> 33) % 8;
                let hit = cache.look_up(now, key);
                if !hit {
                    cache.fill(now, key);
                }
                hits += u32::from(hit);
                assert_eq!(hit, naive(&mut list, &plan, now, key), "{plan:?} at {now}");
            }
            assert!((300..4_700).contains(&hits), "{plan:?}: {hits}");
            cache.clear();
            assert!(!cache.look_up(5_000, 0));
        }
    }

    #[test]
    fn an_entry_is_too_old_when_its_time_is_over_to_the_nanosecond() {
        let mut cache = Cache::new(&CachePlan { size: 9, ttl: 10, shared: false });
        cache.fill(100, 1);
        assert!(cache.look_up(109, 1), "a hit");
        assert!(!cache.look_up(110, 1), "a hit does not prolong");
    }
}
