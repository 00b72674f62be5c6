//! Entries in the order in which they were put in.

use super::packed::{Entry, Packed};

/// A queue, first in, first out. (That of the standard library takes an entry by way of memory: it
/// is written in words and read in larger pieces, which waits for the writes. This one takes its
/// words.)
#[derive(Debug, Default)]
pub(super) struct Ring {
    /// As many places as a power of two says, or none.
    entries: Vec<Entry>,
    first: usize,
    len: usize,
}

impl Ring {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn capacity(&self) -> usize {
        self.entries.len()
    }

    #[inline(always)]
    pub fn push(&mut self, key: u128, event: Packed) {
        if self.len == self.entries.len() {
            self.grow();
        }
        let place = (self.first + self.len) & (self.entries.len() - 1);
        self.entries[place].set(key, event);
        self.len += 1;
    }

    #[inline(always)]
    pub fn pop(&mut self) -> Option<(u128, Packed)> {
        if self.len == 0 {
            return None;
        }
        let entry = self.entries[self.first];
        self.first = (self.first + 1) & (self.entries.len() - 1);
        self.len -= 1;
        Some((entry.key(), entry.event()))
    }

    /// The next events, as many as there are places for; the other places are left alone.
    pub fn copy_next(&self, events: &mut [Packed]) {
        let places = (0..self.len).map(|n| (self.first + n) & (self.entries.len() - 1));
        events.iter_mut().zip(places).for_each(|(event, at)| *event = self.entries[at].event());
    }

    #[inline(never)]
    #[cold]
    fn grow(&mut self) {
        self.entries.rotate_left(self.first);
        self.first = 0;
        self.entries.resize((2 * self.len).max(16), Entry::default());
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::*;
    use std::collections::VecDeque;

    /// The slow twin is the queue of the standard library.
    #[test]
    fn entries_come_in_the_order_in_which_they_went_in() {
        let (mut ring, mut queue) = (Ring::default(), VecDeque::new());
        let mut luck = crate::rng::Stream::new(1, 0, "test", "ring");
        for round in 0..20_000u32 {
            let (key, event) = (u128::from(luck.next_u64()) << 60, Event::Turn(round).packed(0));
            // More go in than out, then more out than in.
            if luck.unit() < if round % 2000 < 1000 { 0.7 } else { 0.3 } {
                ring.push(key, event);
                queue.push_back((key, event));
            } else {
                assert_eq!(ring.pop(), queue.pop_front());
            }
            assert_eq!(ring.len(), queue.len());
            let mut next = [Packed::NOTHING; 4];
            ring.copy_next(&mut next);
            let expected = queue.iter().map(|(_, event)| *event);
            let expected = expected.chain(std::iter::repeat(Packed::NOTHING));
            assert!(next.into_iter().eq(expected.take(4)));
        }
        assert!(ring.capacity() >= 256, "it has grown: {}", ring.capacity());
    }
}
