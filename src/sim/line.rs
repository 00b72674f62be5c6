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
pub struct Line {
    discipline: Discipline,
    /// One queue; for the discipline `priority` one for each priority.
    queues: Vec<VecDeque<Id>>,
    /// Requests that really wait.
    len: u32,
    /// Entries in the queues.
    entries: u32,
}

impl Line {
    /// An empty line.
    pub fn new(discipline: Discipline) -> Line {
        Line { discipline, queues: vec![VecDeque::new()], len: 0, entries: 0 }
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

    /// Puts a request into the line.
    #[inline]
    pub fn push(&mut self, id: Id, priority: u8) {
        let queue = match self.discipline {
            Discipline::Priority => usize::from(priority),
            _ => 0,
        };
        while self.queues.len() <= queue {
            self.queues.push(VecDeque::new());
        }
        self.queues[queue].push_back(id);
        self.len += 1;
        self.entries += 1;
    }

    /// Takes the request whose turn it is.
    #[inline]
    pub fn pop(&mut self, luck: &mut Stream, waits: impl Fn(Id) -> bool) -> Option<Id> {
        // Without this, stale entries would spend the luck of a random line.
        while self.len > 0 {
            let queue = self.queues.iter_mut().find(|q| !q.is_empty())?;
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
            for queue in &mut self.queues {
                queue.retain(|id| waits(*id));
            }
            self.entries = self.queues.iter().map(|q| q.len() as u32).sum();
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.queues.iter_mut().for_each(VecDeque::clear);
        (self.len, self.entries) = (0, 0);
    }
}
