//! The agenda: what happens next.
//!
//! Total order: (time, rank, sequence). The rank is a written rule, so that ties at one nanosecond
//! never depend on who scheduled first: knobs turn, then work is done, then answers travel, then
//! time-outs strike, then requests arrive, and sampling sees the result. Within one rank: first
//! scheduled, first served.
//!
//! Delays that are constant for a policy (most time-outs) come out in order by themselves. They
//! wait in first-in-first-out lanes, and only the head of each lane stands among the rest; entries
//! that have become stale by then (the attempt was answered long ago) are thrown away in bulk when
//! the lane moves up, so that a time-out which does not strike costs next to nothing.

mod buckets;
mod calendar;
mod far;
pub mod packed;
mod ring;

use crate::units::Nanos;
use calendar::Calendar;
pub use packed::Packed;
use ring::Ring;

/// What happens. Small and `Copy`; ids carry a generation or an epoch, so that a stale event is
/// recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are ids, and what tells a stale event from a live one")]
pub enum Event {
    /// A change begins, ends, or moves on (index into the world's table of turns).
    Turn(u32),
    /// A process comes up.
    ProcessUp { instance: u32, life: u32 },
    /// A work step or wait of a task is done.
    WorkDone { task: u32, epoch: u32 },
    /// A plain request has done its work.
    PlainDone { plain: u32 },
    /// The attempt of a plain request times out.
    PlainTimeout { plain: u32, life: u32 },
    /// The CPU of an instance finishes a job.
    CpuDone { instance: u32, epoch: u32 },
    /// An attempt reaches its instance.
    Deliver { task: u32, epoch: u32 },
    /// An answer reaches its caller.
    Answer { call: u32, life: u32, attempt: u16, status: u8 },
    /// An attempt times out.
    Timeout { call: u32, life: u32, attempt: u16 },
    /// A call's deadline passes.
    Deadline { call: u32, life: u32 },
    /// A task has waited too long in a line.
    LineWait { task: u32, epoch: u32 },
    /// A call has waited too long for a connection of a pool.
    PoolWait { call: u32, life: u32, attempt: u16 },
    /// A call goes on after a delay (back-off, wait for a token).
    Resume { call: u32, life: u32, turn: u16 },
    /// A copy of a call is due (hedge).
    Hedge { call: u32, life: u32, timer: u16 },
    /// The next request or visit of an open client.
    Arrival { client: u32, epoch: u32 },
    /// A user has thought.
    Think { visit: u32, life: u32 },
    /// A health probe of an instance is due.
    Probe { instance: u32 },
    /// A scrape or an evaluation of an alert, or a step of the responder.
    Response(Response),
    /// A bucket of the meters is full.
    Bucket,
    /// The warm-up is over.
    Warm,
}

/// Events of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are ids, and what tells a stale event from a live one")]
pub enum Response {
    /// An alert's scrape.
    Scrape(u32),
    /// An alert's evaluation.
    Evaluate(u32),
    /// The page of an alert arrives.
    Page(u32),
    /// People look around once a minute.
    Look,
    /// The responder's current stage ends.
    Stage { epoch: u32 },
}

impl Event {
    /// The rank among events of one nanosecond.
    #[inline(always)]
    fn rank(&self) -> u64 {
        match self {
            Event::Turn(_) | Event::ProcessUp { .. } => 0,
            Event::WorkDone { .. } | Event::PlainDone { .. } | Event::CpuDone { .. } => 1,
            Event::Deliver { .. } | Event::Answer { .. } => 2,
            Event::Timeout { .. }
            | Event::PlainTimeout { .. }
            | Event::Deadline { .. }
            | Event::LineWait { .. }
            | Event::PoolWait { .. } => 3,
            Event::Resume { .. } | Event::Hedge { .. } => 4,
            Event::Arrival { .. } | Event::Think { .. } | Event::Probe { .. } => 5,
            Event::Response(_) => 6,
            Event::Bucket | Event::Warm => 7,
        }
    }
}

/// Sequence numbers take the lower bits of `order`; the rank stands above them.
const RANK_SHIFT: u32 = 60;
const NO_LANE: u16 = u16::MAX;
/// The records that so many events are about do not fit into the caches.
const MANY: usize = 8192;
/// So many are shown at once.
const SHOWN: usize = 64;
/// A lane with fewer entries is not shown. (It holds one kind of event; who looks at what is shown
/// knows whether all records together are many.)
const LONG: usize = 1024;

/// Time above, rank and sequence below: one comparison orders two entries.
#[inline]
fn key(time: Nanos, order: u64) -> u128 {
    (u128::from(time) << 64) | u128::from(order)
}

#[cold]
#[inline(never)]
fn past(time: Nanos, now: Nanos, event: Packed) -> ! {
    panic!("an event in the past: {:?} at {time}, now {now}", event.event());
}

/// What happens next, in total order.
#[derive(Debug)]
pub struct Agenda {
    posted: Calendar,
    lanes: Vec<Lane>,
    sequence: u64,
}

#[derive(Debug)]
struct Lane {
    delay: Nanos,
    /// Whether the head of the lane stands among the rest.
    posted: bool,
    /// Entries taken since the next ones were shown. (As wide as it is so that it is not read
    /// together with `posted`: what is written in two pieces and read in one waits for the writes.)
    taken: u32,
    waiting: Ring,
}

impl Lane {
    /// Shows the next entries, if there are many.
    #[inline(never)]
    fn show(&mut self, ahead: &impl Fn(&[Packed])) {
        self.taken = 0;
        if self.waiting.len() >= LONG {
            let mut events = [Packed::NOTHING; SHOWN];
            self.waiting.copy_next(&mut events);
            ahead(&events);
        }
    }
}

impl Agenda {
    /// An empty agenda with a lane for each of the given constant delays.
    pub fn new(lanes: &[Nanos]) -> Agenda {
        let lane = |&delay| Lane { delay, posted: false, taken: 0, waiting: Ring::default() };
        Agenda { posted: Calendar::new(), lanes: lanes.iter().map(lane).collect(), sequence: 0 }
    }

    /// The time of the last event taken.
    #[inline]
    pub fn now(&self) -> Nanos {
        self.posted.now()
    }

    #[inline(always)]
    fn order(&mut self, rank: u64) -> u64 {
        self.sequence += 1;
        (rank << RANK_SHIFT) | self.sequence
    }

    /// Puts an event at a time, which must not be in the past.
    #[inline(always)]
    pub fn at(&mut self, time: Nanos, event: Event) {
        // What is known of the event where it is made is worked out there.
        self.put(time, event.rank(), event.packed(NO_LANE));
    }

    /// As [`Agenda::at`], for the few places that most events come from: its code is copied there.
    #[inline(always)]
    pub fn at_often(&mut self, time: Nanos, event: Event) {
        self.put_here(time, event.rank(), event.packed(NO_LANE));
    }

    #[inline(never)]
    fn put(&mut self, time: Nanos, rank: u64, event: Packed) {
        self.put_here(time, rank, event);
    }

    #[inline(always)]
    fn put_here(&mut self, time: Nanos, rank: u64, event: Packed) {
        if time < self.now() {
            past(time, self.now(), event);
        }
        let order = self.order(rank);
        self.posted.push(key(time, order), event);
    }

    /// Puts an event after the constant delay of a lane.
    #[inline(always)]
    pub fn after_lane(&mut self, lane: u32, event: Event) {
        let order = self.order(event.rank());
        let at = &mut self.lanes[lane as usize];
        let key = key(self.posted.now() + at.delay, order);
        let event = event.packed(lane as u16);
        if at.posted {
            at.waiting.push(key, event);
        } else {
            at.posted = true;
            self.posted.push(key, event);
        }
    }

    /// Takes the next event, if it is soon found and at or before `until`; otherwise it gives
    /// [`Packed::NOTHING`], and [`Self::next_of_several`] looks further. If the event has a lane,
    /// that [moves up](Self::move_up) next.
    #[inline(always)]
    pub fn next_at_once(&mut self, until: Nanos) -> Packed {
        self.posted.next_at_once(until)
    }

    /// Takes the next event at or before `until`, or [`Packed::NOTHING`]. Where many events are far
    /// off, `ahead` is shown those that come from there, before they are next.
    #[inline(always)]
    pub fn next_of_several(&mut self, until: Nanos, ahead: impl Fn(&[Packed])) -> Packed {
        self.posted.next_of_several(until, &ahead)
    }

    /// The first event of a lane has been taken: the next one that still matters, as `is_live`
    /// says, takes its place. Where many wait in the lane, `ahead` is shown those that come up.
    #[inline(never)]
    pub fn move_up(
        &mut self,
        lane: u16,
        is_live: impl Fn(Packed) -> bool,
        ahead: &impl Fn(&[Packed]),
    ) {
        let lane = &mut self.lanes[usize::from(lane)];
        lane.posted = false;
        while let Some((key, event)) = lane.waiting.pop() {
            lane.taken += 1;
            if lane.taken as usize == SHOWN {
                lane.show(ahead);
            }
            if is_live(event) {
                lane.posted = true;
                self.posted.push(key, event);
                return;
            }
        }
    }

    /// Number of entries waiting, stale ones included.
    pub fn len(&self) -> usize {
        self.posted.len() + self.lanes.iter().map(|l| l.waiting.len()).sum::<usize>()
    }

    /// True when nothing is to come.
    pub fn is_empty(&self) -> bool {
        self.posted.len() == 0
    }

    /// Bytes reserved for entries.
    pub fn bytes(&self) -> usize {
        let waiting = self.lanes.iter().map(|l| l.waiting.capacity()).sum::<usize>();
        (self.posted.capacity() + waiting) * size_of::<(u128, Packed)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(agenda: &mut Agenda) -> Vec<(Nanos, Event)> {
        std::iter::from_fn(|| take(agenda, Nanos::MAX, |_| true).map(|e| (agenda.now(), e)))
            .collect()
    }

    fn take(agenda: &mut Agenda, until: Nanos, is_live: impl Fn(Packed) -> bool) -> Option<Event> {
        let next = match agenda.next_at_once(until) {
            Packed::NOTHING => agenda.next_of_several(until, |_| ()),
            event => event,
        };
        if let Some(lane) = next.of_lane() {
            agenda.move_up(lane, is_live, &|_| ());
        }
        (next != Packed::NOTHING).then(|| next.event())
    }

    #[test]
    fn ties_go_by_rank_and_then_by_order_of_scheduling() {
        let mut agenda = Agenda::new(&[]);
        let arrival = |client| Event::Arrival { client, epoch: 0 };
        agenda.at(5, arrival(1));
        agenda.at(5, Event::Bucket);
        agenda.at(5, arrival(2));
        agenda.at(5, Event::WorkDone { task: 0, epoch: 0 });
        agenda.at(5, Event::Turn(0));
        agenda.at(4, Event::Bucket);
        let order: Vec<Event> = drain(&mut agenda).into_iter().map(|(_, e)| e).collect();
        let expected = [
            Event::Bucket,
            Event::Turn(0),
            Event::WorkDone { task: 0, epoch: 0 },
            arrival(1),
            arrival(2),
            Event::Bucket,
        ];
        assert_eq!(order, expected);
    }

    #[test]
    #[should_panic(expected = "an event in the past")]
    fn an_event_in_the_past_is_refused() {
        let mut agenda = Agenda::new(&[]);
        agenda.at(5, Event::Bucket);
        take(&mut agenda, 9, |_| true);
        agenda.at(4, Event::Bucket);
    }

    /// The slow twin: a sorted list of (time, rank, sequence).
    #[test]
    fn lanes_and_the_rest_together_give_the_order_of_a_sorted_list() {
        let delays = [7u64, 30, 1];
        let mut agenda = Agenda::new(&delays);
        let mut list: Vec<(Nanos, u64, u64, Event)> = Vec::new();
        let mut state = 1u64;
        let mut draw = |n: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        for sequence in 0..20_000u64 {
            let event = match draw(3) {
                0 => Event::Timeout { call: sequence as u32, life: 0, attempt: 0 },
                1 => Event::Arrival { client: sequence as u32, epoch: 0 },
                _ => Event::WorkDone { task: sequence as u32, epoch: 0 },
            };
            let time = if draw(2) == 0 {
                // A lane holds one kind of event, as in the engine.
                let lane = draw(3);
                let event = Event::Timeout { call: sequence as u32, life: 0, attempt: lane as u16 };
                agenda.after_lane(lane as u32, event);
                list.push((agenda.now() + delays[lane as usize], event.rank(), sequence, event));
                continue;
            } else {
                agenda.now() + draw(40)
            };
            agenda.at(time, event);
            list.push((time, event.rank(), sequence, event));
            if draw(2) == 0 {
                list.sort_by_key(|e| (e.0, e.1, e.2));
                let expected = list.remove(0);
                assert_eq!(take(&mut agenda, Nanos::MAX, |_| true), Some(expected.3));
            }
        }
        list.sort_by_key(|e| (e.0, e.1, e.2));
        let rest: Vec<Event> = drain(&mut agenda).into_iter().map(|(_, e)| e).collect();
        assert_eq!(rest, list.into_iter().map(|e| e.3).collect::<Vec<_>>());
    }

    #[test]
    fn stale_entries_of_a_lane_stay_in_it() {
        let mut agenda = Agenda::new(&[10]);
        for call in 0..1000 {
            agenda.after_lane(0, Event::Timeout { call, life: 0, attempt: 0 });
        }
        let last_only = |e: Packed| e.id() == 999;
        assert_eq!(agenda.posted.len(), 1);
        assert_eq!(
            take(&mut agenda, 99, last_only),
            Some(Event::Timeout { call: 0, life: 0, attempt: 0 })
        );
        assert_eq!(
            take(&mut agenda, 99, last_only),
            Some(Event::Timeout { call: 999, life: 0, attempt: 0 })
        );
        assert_eq!(take(&mut agenda, 99, last_only), None);
    }
}
