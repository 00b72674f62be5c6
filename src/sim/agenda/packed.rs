//! Events as two words, as they lie in the agenda and come out of it.
//!
//! Two words travel in registers. An enum of this size would go by way of memory, written in small
//! pieces and read in large ones, and such a read waits for the writes.

use super::{Event, Response};

/// An event and its lane. The first word holds two ids; the second one, from the lowest bit: 8 bits
/// for the kind, 16 for an attempt, 8 for a status, 16 for the lane. They are written and
/// read one by one: a processor that reads in one piece what was just written in two waits for the
/// writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    ids: u64,
    rest: u64,
}

const LANE_SHIFT: u32 = 32;

#[inline]
fn two(a: u32, b: u32) -> u64 {
    u64::from(a) | u64::from(b) << 32
}

macro_rules! kinds {
    ($($kind:ident = $number:literal),* $(,)?) => {
        $(#[doc = "A kind of event: see the member of [`Event`] with this name."]
        pub const $kind: u64 = $number;)*
    };
}

kinds! {
    TURN = 0, PROCESS_UP = 1, WORK_DONE = 2, CPU_DONE = 3, DELIVER = 4, ANSWER = 5, TIMEOUT = 6,
    DEADLINE = 7, LINE_WAIT = 8, POOL_WAIT = 9, RESUME = 10, ARRIVAL = 11, THINK = 12, PROBE = 13,
    SCRAPE = 14, EVALUATE = 15, PAGE = 16, LOOK = 17, STAGE = 18, BUCKET = 19, WARM = 20,
    HEDGE = 21, PLAIN_DONE = 22, PLAIN_TIMEOUT = 23,
    NOTHING = 255,
}

impl Event {
    #[inline(always)]
    pub(super) fn packed(self, lane: u16) -> Packed {
        let attempts = |attempt: u16| u64::from(attempt) << 8;
        let (kind, ids) = match self {
            Event::Turn(turn) => (TURN, two(turn, 0)),
            Event::ProcessUp { instance, life } => (PROCESS_UP, two(instance, life)),
            Event::WorkDone { task, epoch } => (WORK_DONE, two(task, epoch)),
            Event::PlainDone { plain } => (PLAIN_DONE, two(plain, 0)),
            Event::PlainTimeout { plain, life } => (PLAIN_TIMEOUT, two(plain, life)),
            Event::CpuDone { instance, epoch } => (CPU_DONE, two(instance, epoch)),
            Event::Deliver { task, epoch } => (DELIVER, two(task, epoch)),
            Event::Answer { call, life, attempt, status } => {
                (ANSWER | attempts(attempt) | u64::from(status) << 24, two(call, life))
            }
            Event::Timeout { call, life, attempt } => {
                (TIMEOUT | attempts(attempt), two(call, life))
            }
            Event::Deadline { call, life } => (DEADLINE, two(call, life)),
            Event::LineWait { task, epoch } => (LINE_WAIT, two(task, epoch)),
            Event::PoolWait { call, life, attempt } => {
                (POOL_WAIT | attempts(attempt), two(call, life))
            }
            Event::Resume { call, life, turn } => (RESUME | attempts(turn), two(call, life)),
            Event::Hedge { call, life, timer } => (HEDGE | attempts(timer), two(call, life)),
            Event::Arrival { client, epoch } => (ARRIVAL, two(client, epoch)),
            Event::Think { visit, life } => (THINK, two(visit, life)),
            Event::Probe { instance } => (PROBE, two(instance, 0)),
            Event::Response(Response::Scrape(alert)) => (SCRAPE, two(alert, 0)),
            Event::Response(Response::Evaluate(alert)) => (EVALUATE, two(alert, 0)),
            Event::Response(Response::Page(alert)) => (PAGE, two(alert, 0)),
            Event::Response(Response::Look) => (LOOK, 0),
            Event::Response(Response::Stage { epoch }) => (STAGE, two(epoch, 0)),
            Event::Bucket => (BUCKET, 0),
            Event::Warm => (WARM, 0),
        };
        Packed { ids, rest: kind | u64::from(lane) << LANE_SHIFT }
    }
}

impl Packed {
    /// The two words.
    #[inline(always)]
    pub(super) fn words(self) -> [u64; 2] {
        [self.ids, self.rest]
    }

    /// The event of two words.
    #[inline(always)]
    pub(super) fn of([ids, rest]: [u64; 2]) -> Packed {
        Packed { ids, rest }
    }

    /// No event.
    pub const NOTHING: Packed =
        Packed { ids: 0, rest: NOTHING | (super::NO_LANE as u64) << LANE_SHIFT };

    /// Whether it is [`Packed::NOTHING`].
    #[inline(always)]
    pub fn is_nothing(self) -> bool {
        self.kind() == NOTHING
    }

    /// The lane that it comes from, if it does.
    #[inline(always)]
    pub fn of_lane(self) -> Option<u16> {
        let lane = (self.rest >> LANE_SHIFT) as u16;
        (lane != super::NO_LANE).then_some(lane)
    }

    /// Its kind, one of the constants of this module.
    #[inline]
    pub fn kind(self) -> u64 {
        self.rest & 0xFF
    }

    /// Its first id: of a task, a call, a client and the like.
    #[inline]
    pub fn id(self) -> u32 {
        self.ids as u32
    }

    /// Its second id: a life or an epoch.
    #[inline]
    pub fn life(self) -> u32 {
        (self.ids >> 32) as u32
    }

    /// The number of an attempt, of a turn or of a timer.
    #[inline]
    pub fn attempt(self) -> u16 {
        (self.rest >> 8) as u16
    }

    /// The number of a status.
    #[inline]
    pub fn status(self) -> u8 {
        (self.rest >> 24) as u8
    }

    /// The event, without its lane.
    pub fn event(self) -> Event {
        let (a, b, attempt) = (self.id(), self.life(), self.attempt());
        match self.kind() {
            TURN => Event::Turn(a),
            PROCESS_UP => Event::ProcessUp { instance: a, life: b },
            WORK_DONE => Event::WorkDone { task: a, epoch: b },
            PLAIN_DONE => Event::PlainDone { plain: a },
            PLAIN_TIMEOUT => Event::PlainTimeout { plain: a, life: b },
            CPU_DONE => Event::CpuDone { instance: a, epoch: b },
            DELIVER => Event::Deliver { task: a, epoch: b },
            ANSWER => Event::Answer { call: a, life: b, attempt, status: self.status() },
            TIMEOUT => Event::Timeout { call: a, life: b, attempt },
            DEADLINE => Event::Deadline { call: a, life: b },
            LINE_WAIT => Event::LineWait { task: a, epoch: b },
            POOL_WAIT => Event::PoolWait { call: a, life: b, attempt },
            RESUME => Event::Resume { call: a, life: b, turn: attempt },
            HEDGE => Event::Hedge { call: a, life: b, timer: attempt },
            ARRIVAL => Event::Arrival { client: a, epoch: b },
            THINK => Event::Think { visit: a, life: b },
            PROBE => Event::Probe { instance: a },
            SCRAPE => Event::Response(Response::Scrape(a)),
            EVALUATE => Event::Response(Response::Evaluate(a)),
            PAGE => Event::Response(Response::Page(a)),
            LOOK => Event::Response(Response::Look),
            STAGE => Event::Response(Response::Stage { epoch: a }),
            BUCKET => Event::Bucket,
            _ => Event::Warm,
        }
    }
}

/// An event with its key as words, which are written one by one in their place and read so.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry {
    /// The upper and the lower half of the key.
    key: [u64; 2],
    event: [u64; 2],
}

impl Entry {
    #[inline(always)]
    pub fn set(&mut self, key: u128, event: Packed) {
        let [first, second] = event.words();
        (self.key[0], self.key[1]) = ((key >> 64) as u64, key as u64);
        (self.event[0], self.event[1]) = (first, second);
    }

    #[inline(always)]
    pub fn key(&self) -> u128 {
        u128::from(self.key[0]) << 64 | u128::from(self.key[1])
    }

    #[inline(always)]
    pub fn event(&self) -> Packed {
        Packed::of(self.event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_comes_out_as_it_went_in() {
        let (a, b, attempt) = (u32::MAX, 0x1234_5678, 0xABCD);
        let all = [
            Event::Turn(a),
            Event::ProcessUp { instance: a, life: b },
            Event::WorkDone { task: a, epoch: b },
            Event::PlainDone { plain: a },
            Event::PlainTimeout { plain: a, life: b },
            Event::CpuDone { instance: a, epoch: b },
            Event::Deliver { task: a, epoch: b },
            Event::Answer { call: a, life: b, attempt, status: 200 },
            Event::Timeout { call: a, life: b, attempt },
            Event::Deadline { call: a, life: b },
            Event::LineWait { task: a, epoch: b },
            Event::PoolWait { call: a, life: b, attempt },
            Event::Resume { call: a, life: b, turn: attempt },
            Event::Hedge { call: a, life: b, timer: attempt },
            Event::Arrival { client: a, epoch: b },
            Event::Think { visit: a, life: b },
            Event::Probe { instance: a },
            Event::Response(Response::Scrape(a)),
            Event::Response(Response::Evaluate(a)),
            Event::Response(Response::Page(a)),
            Event::Response(Response::Look),
            Event::Response(Response::Stage { epoch: a }),
            Event::Bucket,
            Event::Warm,
        ];
        for (lane, of_lane) in [(0, Some(0)), (7, Some(7)), (u16::MAX, None)] {
            for event in all {
                let packed = event.packed(lane);
                assert_eq!((packed.event(), packed.of_lane()), (event, of_lane));
            }
        }
    }
}
