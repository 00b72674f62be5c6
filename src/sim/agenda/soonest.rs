//! The soonest entries in order, the others in slots by how far off they are.
//!
//! Most models have a few dozen events to come. They stand in the leaves of a tournament (Knuth
//! 1998, "The Art of Computer Programming", vol. 3, 5.4.1): each node knows which of the leaves
//! below it has the smallest key. The place of an event that has been taken is free for the next
//! one that is put in, as most events schedule exactly one, and only the matches on the way from
//! there to the root are played again: as many for every entry, each decided without a branch that
//! could be guessed wrong.
//!
//! Where there are more entries than the tournament holds, the later ones wait in [`Far`]. From
//! there they come as a run, a few dozen at once and in order. What is put in before the end of the
//! run stands in the tournament, and the next entry is the sooner of the two.

use super::far::{self, Far, Keyed};
use super::packed::Packed;
use crate::units::Nanos;

/// So many entries are in the tournament at most. Nodes and leaves are then numbers of 8 bits,
/// which index lists of [`BYTE`] places without a check.
const MOST: usize = 128;
const BYTE: usize = 256;
/// So many leaves it has at first; it grows by doubling.
const FIRST: u8 = 4;
/// A run gets entries until it has so many; the last slot taken may make it a few more.
const RUN: usize = 56;
const LONGEST_RUN: usize = RUN - 1 + far::FEW as usize;
/// The records that so many events are about do not fit into the caches.
const MANY: usize = 8192;
/// No leaf.
const NONE: u8 = u8::MAX;
/// The key of an empty leaf: after every other.
const EMPTY: u128 = u128::MAX;

/// Entries in the order of their keys.
#[derive(Debug)]
pub(super) struct Soonest {
    /// By leaf.
    keys: [u128; BYTE],
    /// The first and the second words of their events.
    events: [[u64; BYTE]; 2],
    /// By node, the root being 1 and the leaves beginning at `leaves`: the leaf that wins there.
    winners: [u8; BYTE],
    /// The leaf that wins at the root.
    first: u8,
    /// A power of two.
    leaves: u8,
    /// Leaves that are empty.
    free: [u8; BYTE],
    free_leaves: u8,
    /// The leaf of the entry that was taken last, whose matches have not been played again;
    /// [`NONE`] where there is none.
    vacant: u8,
    /// Entries in the order of their keys, those before `run_at` having been taken.
    run: Vec<Keyed>,
    run_at: usize,
    /// Whether the next entry, whose time has been shown, is that of the run.
    is_of_run: bool,
    /// What comes after everything in the tournament and in the run.
    far: Far,
    /// No key of those that are far off is below.
    bound: u128,
}

impl Soonest {
    pub fn new() -> Soonest {
        let mut new = Soonest {
            keys: [EMPTY; BYTE],
            events: [[0; BYTE]; 2],
            winners: [0; BYTE],
            first: 0,
            leaves: FIRST,
            free: [0; BYTE],
            free_leaves: 0,
            vacant: NONE,
            run: Vec::new(),
            run_at: 0,
            is_of_run: false,
            far: Far::new(),
            bound: u128::MAX,
        };
        new.arrange(&[], FIRST);
        new
    }

    pub fn len(&self) -> usize {
        let empty = self.free_leaves + u8::from(self.vacant != NONE);
        usize::from(self.leaves - empty) + (self.run.len() - self.run_at) + self.far.len()
    }

    pub fn capacity(&self) -> usize {
        BYTE + self.run.capacity() + self.far.capacity()
    }

    /// The time of the next entry. Where entries come from far off for it, and many stay there,
    /// `ahead` is shown those that are next now.
    #[inline(always)]
    pub fn first(&mut self, ahead: impl FnOnce(&[Packed])) -> Option<Nanos> {
        if self.vacant != NONE {
            self.close();
        }
        if self.run_at < self.run.len() {
            return Some(self.first_with_run());
        }
        if self.free_leaves == self.leaves {
            let (count, events) = self.fill();
            if count == 0 {
                return None;
            }
            if self.far.len() >= MANY {
                ahead(&events[..count]);
            }
            return Some(self.first_with_run());
        }
        Some((self.keys[usize::from(self.first)] >> 64) as Nanos)
    }

    /// The time of the next entry, where there is a run.
    #[inline(never)]
    fn first_with_run(&mut self) -> Nanos {
        let (of_run, of_tournament) = (self.run[self.run_at].0, self.keys[usize::from(self.first)]);
        self.is_of_run = of_run < of_tournament;
        (of_run.min(of_tournament) >> 64) as Nanos
    }

    /// Takes the next entry; [`Soonest::first`] has just shown its time.
    #[inline(always)]
    pub fn take_first(&mut self) -> Packed {
        if self.is_of_run {
            return self.take_of_run();
        }
        self.vacant = self.first;
        self.event(self.vacant)
    }

    #[inline(never)]
    fn take_of_run(&mut self) -> Packed {
        self.is_of_run = false;
        self.run_at += 1;
        self.run[self.run_at - 1].1
    }

    #[inline(always)]
    fn event(&self, leaf: u8) -> Packed {
        Packed::of([0, 1].map(|word: usize| self.events[word][usize::from(leaf)]))
    }

    #[inline(always)]
    fn set_event(&mut self, leaf: u8, event: Packed) {
        let [first, second] = event.words();
        self.events[0][usize::from(leaf)] = first;
        self.events[1][usize::from(leaf)] = second;
    }

    /// Puts an entry in.
    #[inline(always)]
    pub fn push(&mut self, key: u128, event: Packed) {
        if key >= self.bound {
            return self.far.push(key, event);
        }
        let mut leaf = self.vacant;
        if leaf == NONE {
            if self.free_leaves == 0 {
                return self.push_into_full(key, event);
            }
            self.free_leaves -= 1;
            leaf = self.free[usize::from(self.free_leaves)];
        }
        self.vacant = NONE;
        self.set_event(leaf, event);
        self.play(leaf, key);
    }

    /// A leaf has a new key: plays the matches between it and the root.
    #[inline(always)]
    fn play(&mut self, leaf: u8, key: u128) {
        self.keys[usize::from(leaf)] = key;
        let (mut best, mut winner) = (key, leaf);
        // The best of all others, found without the new key, which may not be worked out yet.
        let (mut rest, mut second) = (EMPTY, leaf);
        let mut node = self.leaves | leaf;
        while node > 1 {
            let rival = self.winners[usize::from(node ^ 1)];
            let other = self.keys[usize::from(rival)];
            let is_second = other < rest;
            rest = if is_second { other } else { rest };
            second = if is_second { rival } else { second };
            let loses = other < best;
            best = if loses { other } else { best };
            winner = if loses { rival } else { winner };
            node /= 2;
            self.winners[usize::from(node)] = winner;
        }
        self.first = second;
        if key < rest {
            self.lead(leaf);
        }
    }

    /// A new entry is before all others. A function of its own, so that this is a branch: where
    /// many events are to come the next one is seldom new, and the processor goes on before the
    /// new key is known.
    #[cold]
    #[inline(never)]
    fn lead(&mut self, leaf: u8) {
        self.first = leaf;
    }

    /// Nothing was put in the place of the entry that was taken last: its leaf is empty.
    #[inline(never)]
    fn close(&mut self) {
        let leaf = std::mem::replace(&mut self.vacant, NONE);
        self.free[usize::from(self.free_leaves)] = leaf;
        self.free_leaves += 1;
        self.play(leaf, EMPTY);
    }

    /// Puts an entry in where all leaves are taken: the tournament grows, or what comes after half
    /// of it is far off.
    #[inline(never)]
    fn push_into_full(&mut self, key: u128, event: Packed) {
        let count = usize::from(self.leaves);
        let mut all = [(key, event); MOST + 1];
        for (entry, leaf) in all.iter_mut().zip(0..count) {
            *entry = (self.keys[leaf], self.event(leaf as u8));
        }
        if count < MOST {
            return self.arrange(&all[..=count], 2 * self.leaves);
        }
        all.sort_unstable_by_key(|(key, _)| *key);
        let (sooner, later) = all.split_at(MOST / 2);
        self.bound = later[0].0;
        let stays = self.run.partition_point(|(key, _)| *key < self.bound).max(self.run_at);
        for &(key, event) in later.iter().chain(&self.run[stays..]) {
            self.far.push(key, event);
        }
        self.run.truncate(stays);
        self.arrange(sooner, MOST as u8);
    }

    /// Gets a run, where neither a run nor the tournament has an entry; gives the number of its
    /// events and them.
    #[inline(never)]
    fn fill(&mut self) -> (usize, [Packed; LONGEST_RUN]) {
        self.bound = self.far.take(&mut self.run, RUN);
        self.run_at = 0;
        let mut events = [Packed::NOTHING; LONGEST_RUN];
        events.iter_mut().zip(&self.run).for_each(|(place, (_, event))| *place = *event);
        if self.leaves > FIRST && !self.run.is_empty() {
            self.arrange(&[], FIRST); // Few will be put in before the end of the run.
        }
        (self.run.len(), events)
    }

    /// Puts entries into the first of so many leaves, and plays all matches.
    fn arrange(&mut self, entries: &[Keyed], leaves: u8) {
        self.leaves = leaves;
        self.vacant = NONE;
        self.free_leaves = 0;
        for leaf in (0..leaves).rev() {
            let place = usize::from(leaf);
            self.keys[place] = EMPTY;
            if let Some(&(key, event)) = entries.get(place) {
                self.keys[place] = key;
                self.set_event(leaf, event);
            } else {
                self.free[usize::from(self.free_leaves)] = leaf;
                self.free_leaves += 1;
            }
            self.winners[usize::from(leaves | leaf)] = leaf;
        }
        for node in (1..usize::from(leaves)).rev() {
            let [one, other] = [self.winners[2 * node], self.winners[2 * node + 1]];
            let wins = self.keys[usize::from(one)] <= self.keys[usize::from(other)];
            self.winners[node] = if wins { one } else { other };
        }
        self.first = self.winners[1];
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::*;

    /// The slow twin is a sorted list without bound. The numbers to come go up and down through all
    /// sizes: none, some in the list, more than it holds.
    #[test]
    fn entries_come_in_the_order_of_their_keys_with_few_and_with_many() {
        let mut soonest = Soonest::new();
        let mut list: Vec<u128> = Vec::new();
        let mut luck = crate::rng::Stream::new(1, 0, "test", "soonest");
        let (mut most, mut times_empty) = (0, 0);
        for round in 0..60_000u32 {
            let wanted = f64::from(round % 10_000) / 10_000.0;
            let key = u128::from(luck.next_u64() % 1000) << 64 | u128::from(round);
            if luck.unit() < 0.75 - 0.5 * wanted {
                soonest.push(key, Event::Turn(round).packed(0));
                let place = list.partition_point(|other| *other > key);
                list.insert(place, key);
            } else {
                let key = list.pop();
                assert_eq!(soonest.first(|_| ()), key.map(|key| (key >> 64) as Nanos));
                if let Some(key) = key {
                    let event = soonest.take_first().event();
                    assert_eq!(event, Event::Turn(key as u32), "a key keeps its event");
                }
            }
            assert_eq!(soonest.len(), list.len());
            most = most.max(list.len());
            times_empty += u32::from(list.is_empty());
        }
        assert!(most > 10 * MOST && times_empty > 10, "all sizes: {most}, {times_empty}");
    }
}
