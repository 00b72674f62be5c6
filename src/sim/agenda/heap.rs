//! A heap of four children, smallest key first.
//!
//! Keys and events lie in two lists, so that the keys of four children share a cache line, and all
//! moves are of whole words. (A list of structs is copied in vector registers, and a copy that
//! follows the stores of its fields too closely waits for them: a third of the time of the agenda.)
//!
//! An event that has been taken leaves its place empty until it is known whether another one is
//! put in: most events schedule exactly one, which then sinks from the top at once.

use super::packed::Packed;

#[derive(Debug)]
pub(super) struct Heap {
    keys: Vec<u128>,
    events: Vec<Packed>,
    /// Whether the place at the top is empty.
    vacant: bool,
}

impl Heap {
    pub fn with_capacity(capacity: usize) -> Heap {
        let (keys, events) = (Vec::with_capacity(capacity), Vec::with_capacity(capacity));
        Heap { keys, events, vacant: false }
    }

    pub fn len(&self) -> usize {
        self.keys.len() - usize::from(self.vacant)
    }

    pub fn capacity(&self) -> usize {
        self.keys.capacity()
    }

    /// The entry with the smallest key.
    #[inline]
    pub fn first(&mut self) -> Option<(u128, Packed)> {
        if self.vacant {
            self.close();
        }
        Some((*self.keys.first()?, *self.events.first()?))
    }

    /// Takes that entry away; [`Heap::first`] has just shown it.
    #[inline]
    pub fn take_first(&mut self) {
        debug_assert!(!self.vacant && !self.keys.is_empty(), "there is a first entry");
        self.vacant = true;
    }

    #[inline]
    pub fn push(&mut self, key: u128, event: Packed) {
        if self.vacant {
            self.vacant = false;
            return self.sink(key, event);
        }
        self.keys.push(key);
        self.events.push(event);
        self.rise(key, event);
    }

    /// The last entry goes to the empty place at the top.
    fn close(&mut self) {
        self.vacant = false;
        if let (Some(key), Some(event)) = (self.keys.pop(), self.events.pop())
            && !self.keys.is_empty()
        {
            self.sink(key, event);
        }
    }

    /// Finds the place of an entry whose place is now the last one.
    #[inline]
    fn rise(&mut self, key: u128, event: Packed) {
        let (keys, events) = (&mut self.keys[..], &mut self.events[..]);
        let mut at = keys.len() - 1;
        while at > 0 {
            let parent = (at - 1) / 4;
            if keys[parent] <= key {
                break;
            }
            keys[at] = keys[parent];
            events[at] = events[parent];
            at = parent;
        }
        keys[at] = key;
        events[at] = event;
    }

    /// Finds the place of an entry from the top down.
    #[inline]
    fn sink(&mut self, key: u128, event: Packed) {
        let (keys, events) = (&mut self.keys[..], &mut self.events[..]);
        let mut at = 0;
        loop {
            let child = 4 * at + 1;
            let Some(children) = keys.get(child..(child + 4).min(keys.len())) else { break };
            let Some((&first, others)) = children.split_first() else { break };
            let (mut least, mut place) = (first, child);
            for (other, &candidate) in (child + 1..).zip(others) {
                if candidate < least {
                    (least, place) = (candidate, other);
                }
            }
            if key <= least {
                break;
            }
            keys[at] = least;
            events[at] = events[place];
            at = place;
        }
        keys[at] = key;
        events[at] = event;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::*;

    /// The slow twin is a sorted list.
    #[test]
    fn entries_come_in_the_order_of_their_keys_however_puts_and_takes_alternate() {
        let mut heap = Heap::with_capacity(4);
        let mut list: Vec<u128> = Vec::new();
        let mut luck = crate::rng::Stream::new(1, 0, "test", "heap");
        for round in 0..20_000u32 {
            let key = u128::from(luck.next_u64() % 1000) << 64 | u128::from(round);
            if luck.unit() < 0.5 {
                heap.push(key, Event::Turn(round).packed(0));
                list.push(key);
            } else {
                list.sort_unstable();
                let expected = (!list.is_empty()).then(|| list.remove(0));
                let found = heap.first();
                assert_eq!(found.map(|(key, _)| key), expected);
                if let Some((key, event)) = found {
                    assert_eq!(event.event(), Event::Turn(key as u32), "a key keeps its event");
                    heap.take_first();
                }
            }
            assert_eq!(heap.len(), list.len());
        }
    }
}
