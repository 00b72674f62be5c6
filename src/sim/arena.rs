//! An arena of records with a free list. An id is an index and a *life*: a slot that has been freed
//! and taken again has another life, so that whoever kept the old id can see that it is stale.
//!
//! A record is in two parts. The first one is what every record needs; it lies in the slot, and is
//! written there in place when the slot is taken. The second one, the *extra*, is what few need: it
//! is made when it is first written, so that records without one cost neither time nor memory.

/// A record that knows its life. (Calls and tasks take 96 bytes: where such a slot begins at a
/// multiple of 32 it lies in two cache lines, and otherwise often in three.)
#[derive(Debug)]
#[repr(align(32))]
struct Slot<T> {
    /// Odd while the slot is taken.
    life: u32,
    /// Whether its extra is valid.
    has_extra: bool,
    value: T,
}

/// With so many slots, growth makes room for [`AHEAD`] more at once, where the system lets it: to
/// grow is to copy all slots, and room that has not been used yet takes no memory but addresses.
const MANY: usize = 4096;
const AHEAD: usize = 1 << 20;

/// Records in slots; freed slots are taken again, last freed first (their memory is warm).
#[derive(Debug)]
pub struct Arena<T, X = ()> {
    slots: Vec<Slot<T>>,
    /// By slot the life of the record in it, or of the next one if it is free. Whether an id is
    /// stale is known from here, without its record, which has often left the caches.
    lives: Vec<u32>,
    /// By slot, as far as any was ever needed.
    extras: Vec<X>,
    free: Vec<u32>,
}

impl<T, X: Default> Arena<T, X> {
    /// An empty arena.
    pub fn new() -> Arena<T, X> {
        Arena { slots: Vec::new(), lives: Vec::new(), extras: Vec::new(), free: Vec::new() }
    }

    /// Takes a slot, without an extra; returns (index, life) and the place for the value, which
    /// still holds what was there before. (A value that is handed over is made elsewhere and
    /// copied; one that is assigned to its place is made there.)
    #[inline(always)]
    pub fn take(&mut self) -> (u32, u32, &mut T)
    where
        T: Default,
    {
        let index = match self.free.pop() {
            Some(index) => index,
            None => self.new_slot(),
        };
        let slot = &mut self.slots[index as usize];
        slot.life = slot.life.wrapping_add(1);
        debug_assert_eq!(self.lives[index as usize], slot.life);
        slot.has_extra = false;
        (index, slot.life, &mut slot.value)
    }

    #[inline(never)]
    #[cold]
    fn new_slot(&mut self) -> u32
    where
        T: Default,
    {
        let len = self.slots.len();
        if len == self.slots.capacity() && len >= MANY {
            // Where it cannot, the slots double.
            let _ = self.slots.try_reserve_exact(len.max(AHEAD));
        }
        self.slots.push(Slot { life: 0, has_extra: false, value: T::default() });
        self.lives.push(1);
        len as u32
    }

    /// Frees a slot. Ids with its life are stale from here on.
    #[inline(always)]
    pub fn free(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        assert!(slot.life & 1 == 1, "a slot is freed twice");
        slot.life = slot.life.wrapping_add(1);
        self.lives[index as usize] = slot.life.wrapping_add(1);
        self.free.push(index);
    }

    /// Whether the id is of a record that is still there.
    #[inline]
    pub fn is_live(&self, index: u32, life: u32) -> bool {
        // No id has the life of a record to come.
        self.lives.get(index as usize) == Some(&life)
    }

    /// The record of an id, if it is still there.
    #[inline(always)]
    pub fn get_mut(&mut self, index: u32, life: u32) -> Option<&mut T> {
        self.slots.get_mut(index as usize).filter(|s| s.life == life).map(|s| &mut s.value)
    }

    /// The record of an id, if it is still there.
    #[inline(always)]
    pub fn get(&self, index: u32, life: u32) -> Option<&T> {
        self.slots.get(index as usize).filter(|s| s.life == life).map(|s| &s.value)
    }

    /// The record in a slot, if there is one.
    #[inline(always)]
    pub fn taken(&self, index: u32) -> Option<&T> {
        let slot = &self.slots[index as usize];
        (slot.life & 1 == 1).then_some(&slot.value)
    }

    /// The record in a slot, and its life.
    #[inline(always)]
    pub fn with_life(&mut self, index: u32) -> (&mut T, u32) {
        let slot = &mut self.slots[index as usize];
        (&mut slot.value, slot.life)
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
    #[inline]
    pub fn is_taken(&self, index: u32) -> bool {
        self.slots[index as usize].life & 1 == 1
    }

    /// All records, in the order of their slots.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter(|slot| slot.life & 1 == 1).map(|slot| &slot.value)
    }

    /// The extra of a record, if it has one.
    #[inline(always)]
    pub fn extra(&self, index: u32) -> Option<&X> {
        if self.slots[index as usize].has_extra { self.extras.get(index as usize) } else { None }
    }

    /// The extra of a record; one that has none gets the default.
    #[inline]
    pub fn extra_mut(&mut self, index: u32) -> &mut X {
        if !self.slots[index as usize].has_extra {
            self.make_extra(index);
        }
        &mut self.extras[index as usize]
    }

    /// Sets the extra of a record.
    #[inline(always)]
    pub fn set_extra(&mut self, index: u32, extra: X) {
        self.slots[index as usize].has_extra = true;
        if self.extras.len() <= index as usize {
            self.grow_extras(index);
        }
        self.extras[index as usize] = extra;
    }

    /// A record, and its extra, which it has no more.
    #[inline(always)]
    pub fn take_extra(&mut self, index: u32) -> (&mut T, Option<X>)
    where
        X: Copy,
    {
        let slot = &mut self.slots[index as usize];
        let had = std::mem::replace(&mut slot.has_extra, false);
        (&mut slot.value, had.then(|| self.extras[index as usize]))
    }

    /// What stands in the place of a record's extra, which may be of another record before it.
    pub fn old_extra(&self, index: u32) -> X
    where
        X: Copy,
    {
        self.extras.get(index as usize).copied().unwrap_or_default()
    }

    #[cold]
    #[inline(never)]
    fn grow_extras(&mut self, index: u32) {
        self.extras.resize_with(index as usize + 1, X::default);
    }

    fn make_extra(&mut self, index: u32) {
        self.set_extra(index, X::default());
    }

    /// Bytes of one slot.
    #[cfg(test)]
    pub fn slot_bytes() -> usize {
        size_of::<Slot<T>>()
    }

    /// Bytes of its slots, and those reserved for the rest. (Room for slots to come has not been
    /// touched and takes none.)
    pub fn bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot<T>>()
            + self.lives.len() * size_of::<u32>()
            + self.extras.capacity() * size_of::<X>()
            + self.free.capacity() * size_of::<u32>()
    }
}

impl<T, X: Default> Default for Arena<T, X> {
    fn default() -> Self {
        Arena::new()
    }
}

impl<T, X> std::ops::Index<u32> for Arena<T, X> {
    type Output = T;
    #[inline]
    fn index(&self, index: u32) -> &T {
        &self.slots[index as usize].value
    }
}

impl<T, X> std::ops::IndexMut<u32> for Arena<T, X> {
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
        let mut arena: Arena<&str> = Arena::new();
        let (a, life, place) = arena.take();
        *place = "first";
        assert!(arena.is_live(a, life) && arena.is_taken(a));
        arena.free(a);
        assert!(!arena.is_live(a, life) && !arena.is_taken(a));
        let (b, next, _) = arena.take();
        assert_eq!(a, b);
        assert!(arena.is_live(b, next) && !arena.is_live(b, life));
        assert_eq!((arena.len(), arena.slots()), (1, 1));
    }

    #[test]
    #[should_panic(expected = "freed twice")]
    fn a_slot_cannot_be_freed_twice() {
        let mut arena: Arena<u32> = Arena::new();
        let (a, ..) = arena.take();
        arena.free(a);
        arena.free(a);
    }

    #[test]
    fn a_record_in_a_slot_that_had_an_extra_has_none() {
        let mut arena: Arena<&str, u32> = Arena::new();
        let (a, ..) = arena.take();
        let (b, ..) = arena.take();
        *arena.extra_mut(b) += 7;
        *arena.extra_mut(b) += 1;
        assert_eq!((arena.extra(a), arena.extra(b)), (None, Some(&8)));
        arena.free(b);
        let (again, ..) = arena.take();
        assert_eq!((again, arena.extra(again)), (b, None));
        assert_eq!(*arena.extra_mut(again), 0, "an extra begins anew");
        arena.set_extra(a, 9);
        assert_eq!(arena.take_extra(a), (&mut "", Some(9)));
        assert_eq!(arena.take_extra(a), (&mut "", None), "it is taken once");
    }
}
