//! An arena of records with a free list. An id is an index and a *life*: a slot that has been freed
//! and taken again has another life, so that whoever kept the old id can see that it is stale.

/// A record that knows its life.
#[derive(Debug)]
struct Slot<T> {
    life: u32,
    taken: bool,
    value: T,
}

/// Records in slots; freed slots are taken again, last freed first (their memory is warm).
#[derive(Debug)]
pub struct Arena<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T> Arena<T> {
    /// An empty arena.
    pub fn new() -> Arena<T> {
        Arena { slots: Vec::new(), free: Vec::new() }
    }

    /// Takes a slot for the value; returns (index, life).
    #[inline]
    pub fn take(&mut self, value: T) -> (u32, u32) {
        if let Some(index) = self.free.pop() {
            let slot = &mut self.slots[index as usize];
            debug_assert!(!slot.taken, "a slot on the free list is taken");
            slot.taken = true;
            slot.value = value;
            return (index, slot.life);
        }
        let index = self.slots.len() as u32;
        self.slots.push(Slot { life: 0, taken: true, value });
        (index, 0)
    }

    /// Frees a slot. Ids with its life are stale from here on.
    #[inline]
    pub fn free(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        assert!(slot.taken, "a slot is freed twice");
        slot.taken = false;
        slot.life = slot.life.wrapping_add(1);
        self.free.push(index);
    }

    /// Whether the id is of a record that is still there.
    #[inline]
    pub fn is_live(&self, index: u32, life: u32) -> bool {
        self.slots.get(index as usize).is_some_and(|s| s.life == life && s.taken)
    }

    /// The life of the record in a slot.
    #[inline]
    pub fn life(&self, index: u32) -> u32 {
        self.slots[index as usize].life
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of slots, free ones included.
    pub fn slots(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Whether a slot holds a record.
    pub fn is_taken(&self, index: u32) -> bool {
        self.slots[index as usize].taken
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot<T>>() + self.free.capacity() * size_of::<u32>()
    }
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena::new()
    }
}

impl<T> std::ops::Index<u32> for Arena<T> {
    type Output = T;
    #[inline]
    fn index(&self, index: u32) -> &T {
        &self.slots[index as usize].value
    }
}

impl<T> std::ops::IndexMut<u32> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut T {
        &mut self.slots[index as usize].value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_taken_again_has_another_life() {
        let mut arena = Arena::new();
        let (a, life) = arena.take("first");
        arena.free(a);
        assert!(!arena.is_live(a, life));
        let (b, next) = arena.take("second");
        assert_eq!(a, b);
        assert!(arena.is_live(b, next) && !arena.is_live(b, life));
        assert_eq!((arena.len(), arena.slots()), (1, 1));
    }

    #[test]
    #[should_panic(expected = "freed twice")]
    fn a_slot_cannot_be_freed_twice() {
        let mut arena = Arena::new();
        let (a, _) = arena.take(0);
        arena.free(a);
        arena.free(a);
    }
}
