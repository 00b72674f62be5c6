//! The waiting line of an instance.
//!
//! Entries of requests that have left by another way (their wait was over, a cancellation) stay
//! until they come up and are then passed over; when they outnumber the others the line is swept.

use super::records::Id;
use crate::component::Discipline;
use crate::rng::Stream;
use std::collections::VecDeque;

/// Requests that wait for a worker.
#[derive(Debug)]
#[repr(C)]
pub struct Line {
    /// Requests that really wait. It stands first: to know that nobody waits is most often enough.
    len: u32,
    /// Entries in the queues.
    entries: u32,
    discipline: Discipline,
    /// The queue; for the discipline `priority` that of the first priority.
    queue: VecDeque<Id>,
    /// Those of the other priorities.
    lower: Vec<VecDeque<Id>>,
}

impl Line {
    /// Where the number of those who wait ends in it, in bytes.
    #[cfg(test)]
    pub const WHERE_LEN_ENDS: usize = std::mem::offset_of!(Line, entries);

    /// An empty line.
    pub fn new(discipline: Discipline) -> Line {
        Line { discipline, queue: VecDeque::new(), lower: Vec::new(), len: 0, entries: 0 }
    }

    /// Number of requests that wait.
    #[inline]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// True when nobody waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts a request of the first priority into the line, or any where priorities do not matter.
    #[inline]
    pub fn push(&mut self, id: Id) {
        self.queue.push_back(id);
        self.len += 1;
        self.entries += 1;
    }

    /// Puts a request into the line.
    pub fn push_with(&mut self, id: Id, priority: u8) {
        match (self.discipline, usize::from(priority)) {
            (Discipline::Priority, priority @ 1..) => {
                if self.lower.len() < priority {
                    self.lower.resize_with(priority, VecDeque::new);
                }
                self.lower[priority - 1].push_back(id);
                self.len += 1;
                self.entries += 1;
            }
            _ => self.push(id),
        }
    }

    /// Those of the first priority, the first one first; some may have left by another way.
    pub fn coming(&self) -> impl Iterator<Item = Id> {
        self.queue.iter().copied()
    }

    /// Takes the request whose turn it is.
    #[inline(always)]
    pub fn pop(&mut self, luck: &mut Stream, waits: impl Fn(Id) -> bool) -> Option<Id> {
        // Without this, stale entries would spend the luck of a random line.
        while self.len > 0 {
            let queue = match self.queue.is_empty() {
                false => &mut self.queue,
                true => self.lower.iter_mut().find(|queue| !queue.is_empty())?,
            };
            let id = match self.discipline {
                Discipline::Fifo | Discipline::Priority => queue.pop_front(),
                Discipline::Lifo => queue.pop_back(),
                Discipline::Random => {
                    let at = (luck.unit() * queue.len() as f64) as usize;
                    queue.swap_remove_back(at.min(queue.len() - 1))
                }
            }?;
            self.entries -= 1;
            if waits(id) {
                self.len -= 1;
                return Some(id);
            }
        }
        None
    }

    /// Says that a request which waited has left by another way; its entry is stale from now on.
    pub fn left(&mut self, waits: impl Fn(Id) -> bool) {
        self.len -= 1;
        if self.entries > 64 && self.entries > 2 * self.len {
            let mut queues = std::iter::once(&mut self.queue).chain(&mut self.lower);
            queues.by_ref().for_each(|queue| queue.retain(|id| waits(*id)));
            let lower: usize = self.lower.iter().map(VecDeque::len).sum();
            self.entries = (self.queue.len() + lower) as u32;
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.lower.iter_mut().for_each(VecDeque::clear);
        (self.len, self.entries) = (0, 0);
    }
}
