//! What is far off: entries that nobody needs in order yet.
//!
//! A key is read as a number with digits of six bits. An entry lies in a slot that is named by the
//! highest digit in which its key differs from a base, and by the value of that digit there: the
//! slots of higher digits hold what is later, and as much more of it as is far off. When a slot
//! comes up it is small already, or its entries are spread over the slots of the digits below. So
//! an entry is moved a few times, however many there are, and compared with few. (A monotone
//! bucket queue: Ahuja, Mehlhorn, Orlin and Tarjan 1990, "Faster Algorithms for the Shortest Path
//! Problem". Varghese and Lauck 1987 have the same slots as a hierarchy of timer wheels; this one
//! needs no width that fits the model.)

use super::packed::{Entry, Packed};

const DIGIT_BITS: u32 = 6;
const DIGITS: usize = 1 << DIGIT_BITS;
/// Digits of a key of 128 bits.
const LEVELS: usize = 22;
/// A slot with so many entries at most is worth no spreading.
const FEW: u32 = 8;
/// Entries in one block.
const BLOCK: usize = 64;
/// No block.
const NONE: u32 = u32::MAX;

/// A few entries of one slot. Blocks that are no longer needed serve other slots.
#[derive(Debug, Clone, Copy)]
struct Block {
    entries: [Entry; BLOCK],
    next: u32,
}

/// Entries of one slot: those of its newest block, which may have free places, and those of the
/// blocks behind it.
#[derive(Debug, Clone, Copy)]
struct Slot {
    newest: u32,
    len: u32,
}

/// The slot with the first entries.
#[derive(Debug, Clone, Copy)]
pub(super) struct FirstSlot {
    /// Number of its entries.
    pub len: usize,
    /// No key of any entry is below.
    pub begins: u128,
    /// No key of its entries is as high, nor is one of another slot below.
    pub ends: u128,
    /// Whether it has more than a few entries, and slots below it to spread them over.
    pub can_be_spread: bool,
}

const EMPTY: Slot = Slot { newest: NONE, len: 0 };

/// Entries to come, in no order but that of their slots.
#[derive(Debug)]
pub(super) struct Far {
    /// No key is below.
    base: u128,
    slots: Box<[[Slot; DIGITS]; LEVELS]>,
    /// Which slots of a level have entries, and which levels have such slots.
    occupied: [u64; LEVELS],
    levels: u32,
    blocks: Vec<Block>,
    free: u32,
    len: usize,
}

impl Far {
    pub fn new() -> Far {
        Far {
            base: 0,
            slots: Box::new([[EMPTY; DIGITS]; LEVELS]),
            occupied: [0; LEVELS],
            levels: 0,
            blocks: Vec::new(),
            free: NONE,
            len: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Places for entries, in use or not.
    pub fn capacity(&self) -> usize {
        self.blocks.capacity() * BLOCK
    }

    /// Puts an entry in. A key below the base costs a move of all entries; it takes a run of events
    /// that each put others before everything that was to come.
    #[inline]
    pub fn push(&mut self, key: u128, event: Packed) {
        if key < self.base {
            self.lower_base(key);
        }
        self.len += 1;
        self.place(key, event);
    }

    #[inline(always)]
    fn place(&mut self, key: u128, event: Packed) {
        let highest = 127 - ((key ^ self.base) | 1).leading_zeros();
        let level = (highest / DIGIT_BITS) as usize;
        let digit = (key >> (level as u32 * DIGIT_BITS)) as usize % DIGITS;
        let Slot { newest, len } = self.slots[level][digit];
        let at = len as usize % BLOCK;
        let block = if at == 0 { self.new_block(newest) } else { newest };
        self.blocks[block as usize].entries[at].set(key, event);
        self.slots[level][digit] = Slot { newest: block, len: len + 1 };
        self.occupied[level] |= 1 << digit;
        self.levels |= 1 << level;
    }

    #[inline]
    fn new_block(&mut self, next: u32) -> u32 {
        let block = self.free;
        match self.blocks.get_mut(block as usize) {
            Some(found) => {
                self.free = std::mem::replace(&mut found.next, next);
                block
            }
            None => {
                self.blocks.push(Block { entries: [Entry::default(); BLOCK], next });
                self.blocks.len() as u32 - 1
            }
        }
    }

    /// What is known of the slot with the first entries, if there are any.
    #[inline]
    pub fn first_slot(&self) -> Option<FirstSlot> {
        let (level, digit) = self.first()?;
        let (begins, ends) = self.reach(level, digit);
        let len = self.slots[level][digit].len as usize;
        Some(FirstSlot { len, begins, ends, can_be_spread: level > 0 && len > FEW as usize })
    }

    /// Takes the entries of the first slot away, in no order.
    pub fn take_first_slot(&mut self, mut to: impl FnMut(u128, Packed)) {
        let Some((level, digit)) = self.first() else { return };
        let slot = self.slots[level][digit];
        self.empty(level, digit);
        self.len -= slot.len as usize;
        self.hand_out(slot, |_, key, event| to(key, event));
    }

    /// Spreads the entries of the first slot over the slots of the digits below.
    pub fn spread_first_slot(&mut self) {
        let Some((level, digit)) = self.first() else { return };
        let slot = self.slots[level][digit];
        self.empty(level, digit);
        self.base = self.reach(level, digit).0;
        self.hand_out(slot, |far, key, event| far.place(key, event));
    }

    /// Level and digit of the slot with the first entries.
    #[inline]
    fn first(&self) -> Option<(usize, usize)> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        Some((level, self.occupied[level].trailing_zeros() as usize))
    }

    /// The first key of a slot, and the first one after it.
    fn reach(&self, level: usize, digit: usize) -> (u128, u128) {
        let shift = level as u32 * DIGIT_BITS;
        let above = self.base.checked_shr(shift + DIGIT_BITS).unwrap_or(0);
        let above = above.checked_shl(shift + DIGIT_BITS).unwrap_or(0);
        let begins = above | (digit as u128) << shift;
        (begins, begins.saturating_add(1 << shift))
    }

    fn empty(&mut self, level: usize, digit: usize) {
        self.slots[level][digit] = EMPTY;
        self.occupied[level] &= !(1 << digit);
        if self.occupied[level] == 0 {
            self.levels &= !(1 << level);
        }
    }

    /// Hands out the entries of a slot, which has been emptied; its blocks are free afterwards.
    #[inline(always)]
    fn hand_out(&mut self, slot: Slot, mut to: impl FnMut(&mut Far, u128, Packed)) {
        let Slot { newest: mut block, len: mut left } = slot;
        while left > 0 {
            let count = (left - 1) as usize % BLOCK + 1;
            // Read before it is needed: what is far off has often left the caches.
            let behind = self.blocks[block as usize].next;
            std::hint::black_box(
                self.blocks.get(behind as usize).map(|next| next.entries[0].key()),
            );
            for at in 0..count {
                let entry = self.blocks[block as usize].entries[at];
                to(self, entry.key(), entry.event());
            }
            left -= count as u32;
            let behind = std::mem::replace(&mut self.blocks[block as usize].next, self.free);
            self.free = std::mem::replace(&mut block, behind);
        }
    }

    /// Moves all entries to where they lie over a lower base.
    #[cold]
    #[inline(never)]
    fn lower_base(&mut self, base: u128) {
        let mut all = Vec::with_capacity(self.len);
        while let Some((level, digit)) = self.first() {
            let slot = self.slots[level][digit];
            self.empty(level, digit);
            self.hand_out(slot, |_, key, event| all.push((key, event)));
        }
        self.base = base;
        all.into_iter().for_each(|(key, event)| self.place(key, event));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::*;

    fn event(number: u64) -> Packed {
        Event::Turn(number as u32).packed(0)
    }

    /// Takes slots until there are so many entries. Gives a key that is after all of them and not
    /// after any that stays.
    fn take(far: &mut Far, run: &mut Vec<(u128, Packed)>, wanted: usize) -> u128 {
        run.clear();
        let mut after = u128::MAX;
        while run.len() < wanted
            && let Some(slot) = far.first_slot()
        {
            if slot.can_be_spread {
                far.spread_first_slot();
                continue;
            }
            let before = run.len();
            far.take_first_slot(|key, event| run.push((key, event)));
            assert_eq!(run.len() - before, slot.len);
            run[before..].sort_unstable_by_key(|(key, _)| *key);
            assert!(run[before..].iter().all(|(key, _)| (slot.begins..slot.ends).contains(key)));
            after = slot.ends;
        }
        if far.len() == 0 { u128::MAX } else { after }
    }

    /// The slow twin is a sorted list. Keys are near and far, many at one time, and now and then
    /// before all others.
    #[test]
    fn entries_are_taken_in_the_order_of_their_keys() {
        let mut luck = crate::rng::Stream::new(1, 0, "test", "far");
        let (mut far, mut list) = (Far::new(), Vec::new());
        let (mut run, mut now, mut order) = (Vec::new(), 0u64, 0u64);
        let (mut most, mut below_base) = (0, 0);
        for round in 0..4000u64 {
            let pushes = if round % 800 < 400 { 60.0 } else { 5.0 };
            for _ in 0..(luck.unit() * pushes) as u64 {
                order += 1;
                let ahead = if luck.unit() < 0.2 { 0 } else { 1u64 << (luck.unit() * 50.0) as u64 };
                let time = now + ahead;
                // Some come before what has the same time.
                let rank = (luck.unit() * 4.0) as u64;
                let key = u128::from(time) << 64 | u128::from(rank << 60 | order);
                below_base += u32::from(key < far.base);
                far.push(key, event(order));
                list.push(key);
            }
            list.sort_unstable();
            most = most.max(list.len());
            assert_eq!(far.len(), list.len());
            if luck.unit() < 0.2 && far.first_slot().is_some_and(|slot| slot.can_be_spread) {
                far.spread_first_slot(); // What comes next may be before what is in it.
            } else if luck.unit() < 0.5 {
                continue;
            }
            let after = take(&mut far, &mut run, 30);
            let taken: Vec<u128> = list.drain(..run.len()).collect();
            assert_eq!(run.iter().map(|(key, _)| *key).collect::<Vec<_>>(), taken);
            assert!(run.iter().all(|(key, e)| *e == event(*key as u64 & ((1 << 60) - 1))));
            assert!(taken.last().is_none_or(|last| *last < after));
            assert!(list.first().is_none_or(|first| after <= *first));
            assert!(run.is_empty() == taken.is_empty() && (list.is_empty() || !run.is_empty()));
            now = taken.last().map_or(now, |last| (last >> 64) as u64);
        }
        assert!(most > 1000 && below_base > 10, "{most}, {below_base}");
    }

    #[test]
    fn the_last_keys_there_are_have_a_place() {
        let mut far = Far::new();
        for key in [u128::MAX - 1, 1 << 127, u128::MAX - (1 << 66), 1] {
            far.push(key, event(0));
        }
        let (mut run, mut all) = (Vec::new(), Vec::new());
        while far.len() > 0 {
            take(&mut far, &mut run, 1);
            all.extend(run.iter().map(|(key, _)| *key));
        }
        assert_eq!(all, [1, 1 << 127, u128::MAX - (1 << 66), u128::MAX - 1]);
    }

    #[test]
    fn blocks_serve_again() {
        let mut far = Far::new();
        let (mut run, mut at_first) = (Vec::new(), 0);
        for round in 0..100u64 {
            for number in 0..1000 {
                far.push(u128::from(round) << 80 | u128::from(number) << 40, event(number));
            }
            while far.len() > 0 {
                take(&mut far, &mut run, 30);
            }
            if round == 0 {
                at_first = far.capacity();
            }
        }
        assert!(at_first >= 1000);
        assert_eq!(far.capacity(), at_first);
    }
}
