//! The plain way: requests of which only what everybody needs has to be known.
//!
//! At a plain component (see [`Plan::mark_plain`](crate::plan::Plan::mark_plain)) an attempt is a
//! record of two thirds of a task's size, and what cannot happen there is not looked for. On a
//! plain call site that record is the call as well. As soon as something else than a good answer
//! comes of its attempt (it times out, it fails) and layers stand around the call, or the attempt
//! is refused, the caller's side becomes an ordinary call, and `call` goes on with it as with any
//! other; its later attempts are plain records, which it waits for. Everything is counted, drawn
//! and scheduled in the same order as in the general way, so that the outcome is the same to the
//! last bit.

mod caller;

use super::agenda::Event;
use super::ahead;
use super::arena::Arena;
use super::call::{attempt_luck, choose};
use super::records::{Id, Identity, Task};
use super::task::{Next, passed_on};
use super::world::{Later, World};
use crate::plan::{EdgeId, InstanceId, NONE, Op, OpId, PASSES};
use crate::rng::Luck;
use crate::status::Status;
use crate::units::Nanos;

/// All plain requests. Extra of one that waits: what its first work will take.
pub type Plains = Arena<Plain, Nanos>;

/// A plain request: an attempt, and the call as well if it is its first one.
#[derive(Debug, Clone, Copy)]
pub struct Plain {
    /// The luck of the call.
    pub call_luck: Luck,
    /// When the attempt came to the instance, which is when it was sent.
    pub came: Nanos,
    /// What it is for.
    pub identity: Identity,
    /// Who waits for the answer.
    pub awaits: Awaits,
    /// The call site.
    pub edge: EdgeId,
    /// The instance.
    pub instance: InstanceId,
    /// The next operation.
    pub op: OpId,
    /// Number of the attempt in its call.
    pub attempt: u16,
    /// Number of its endpoint at the component, if its call site does not say which.
    passed: u8,
    /// [`WAITS`] and [`DEGRADED`].
    marks: u8,
}

/// Mark of a plain request: it waits for a worker; otherwise it has one.
const WAITS: u8 = 1;
/// Mark of a plain request: its answer is degraded at best.
const DEGRADED: u8 = 2;

/// Who waits for the answer of a plain request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaits {
    /// The caller of this call, a plain stream: nobody waits.
    Stream,
    /// The caller of this call, a user's visit.
    Visit(u32),
    /// The caller of this call, another plain request, with nothing to be done there.
    Plain(u32),
    /// The caller of this call, another plain request, which gave up its worker for it or gave it a
    /// connection.
    PlainWithCare(u32),
    /// The caller of this call, a task, which names it as its child.
    Task(Id),
    /// A call with a record of its own.
    Call(Id),
    /// Nobody any more: the attempt was given up.
    Nobody,
}

impl Default for Plain {
    /// A plain request of nobody: what stands in a slot before its first one.
    #[inline(always)]
    fn default() -> Plain {
        Plain {
            call_luck: Luck::new(0),
            came: 0,
            identity: Identity { class: NONE, user: NONE, key: NONE },
            awaits: Awaits::Nobody,
            edge: NONE,
            instance: NONE,
            op: NONE,
            attempt: 0,
            passed: 0,
            marks: 0,
        }
    }
}

impl Plain {
    /// Whether it is a call that is out, and not an attempt only.
    #[inline(always)]
    pub fn is_a_call(&self) -> bool {
        !matches!(self.awaits, Awaits::Call(_) | Awaits::Nobody)
    }

    /// Whether it waits for a worker; otherwise it has one.
    #[inline(always)]
    pub fn waits(&self) -> bool {
        self.marks & WAITS != 0
    }

    /// The luck of the attempt.
    #[inline(always)]
    pub fn luck(&self) -> Luck {
        attempt_luck(self.call_luck, self.attempt)
    }
}

/// Where a plain request enters a component: its first operation, and its endpoint if its call site
/// does not say which (otherwise 0).
pub type Entry = (OpId, u8);

/// Work is drawn ahead for so many who wait.
const DRAWN_AT_MOST: u32 = 32;

/// Tells a plain request that goes on from a task, which has the same kind of number.
const PLAIN: u32 = 1 << 31;

/// A plain request goes on.
#[inline(always)]
fn goes_on(plain: u32) -> Next {
    Some(plain | PLAIN)
}

/// The plain request that goes on, if who goes on is one.
#[inline(always)]
pub fn of(next: u32) -> Option<u32> {
    (next & PLAIN != 0).then_some(next & !PLAIN)
}

/// The child of a task that has a plain call out.
#[inline(always)]
fn child(index: u32, life: u32) -> Id {
    Id { index: index | PLAIN, life }
}

impl World<'_> {
    /// A new call on a plain call site; its first attempt goes out at once. (Where there is a pool,
    /// it has a connection.)
    #[inline(always)]
    pub fn open_plain(
        &mut self,
        edge_id: EdgeId,
        awaits: Awaits,
        from: InstanceId,
        identity: Identity,
        call_luck: Luck,
        (op, passed): Entry,
    ) -> Next {
        let World { plains, edges, components, agenda, plan, .. } = self;
        let edge = &mut edges[edge_id as usize];
        let (index, life, place) = plains.take();
        if edge.timeout_lane != NONE {
            agenda.after_lane(edge.timeout_lane, Event::PlainTimeout { plain: index, life });
        }
        edge.sent += 1;
        let attempt_luck = attempt_luck(call_luck, 1);
        let who = (from, identity.user, call_luck);
        let chosen = choose(plan, components, edge, who, attempt_luck);
        *place = Plain {
            call_luck,
            came: self.now,
            identity,
            awaits,
            edge: edge_id,
            instance: chosen.unwrap_or(NONE),
            op,
            attempt: 1,
            passed,
            marks: 0,
        };
        if let Awaits::Task(task) = awaits {
            self.tasks[task.index].child = child(index, life);
        }
        match chosen {
            Some(_) => self.come_plainly(index),
            None => self.end_as_call(index, Status::Unavailable),
        }
    }

    /// An attempt of an ordinary call goes out to a plain component; its instance is chosen.
    #[inline(never)]
    pub fn send_plain(&mut self, index: u32) -> Next {
        let (call, life) = self.calls.with_life(index);
        call.task = Id::NONE;
        let (edge, endpoint) = (call.edge, call.endpoint);
        let (op, passed) = match self.edges[edge as usize].plain {
            PASSES => self.entry_of(edge, endpoint),
            op => (op, 0),
        };
        let call = &self.calls[index];
        let (plain, _, place) = self.plains.take();
        *place = Plain {
            call_luck: call.luck,
            came: self.now,
            identity: call.identity,
            awaits: Awaits::Call(Id { index, life }),
            edge: call.edge,
            instance: call.target,
            op,
            attempt: call.attempt,
            passed,
            marks: 0,
        };
        self.come_plainly(plain)
    }

    /// An attempt reaches its instance.
    #[inline(always)]
    fn come_plainly(&mut self, index: u32) -> Next {
        let World { plains, stations, meter, plan, .. } = self;
        let (plain, life) = plains.with_life(index);
        let station = &mut stations[plain.instance as usize];
        let counts = &mut meter.components[station.component as usize];
        counts.requests += 1;
        let at_once = station.serves_at_once();
        if !station.is_open() || !at_once && !station.just_waits() {
            return self.come_to_be_refused(index);
        }
        station.present += 1;
        counts.enters(self.now);
        if at_once {
            station.busy += 1;
            counts.busy_changes(self.now, 1);
            return goes_on(index);
        }
        plain.marks = WAITS;
        station.line.push(Id { index, life });
        counts.line_changes(self.now, 1, station.line.len());
        // What its first work will take is drawn already: nothing waits for that when its turn
        // comes. (It is a function of its luck, and not of when it is drawn.) Where the line is
        // long it may never come.
        if station.line.len() <= DRAWN_AT_MOST
            && let Op::Work(work) = plan.ops[plain.op as usize]
        {
            let takes = plan.works[work as usize].takes_alone(plain.luck());
            plains.set_extra(index, takes);
        }
        None
    }

    /// An attempt finds the line full, or too many requests present. It is refused like any other:
    /// as a task of an ordinary call.
    #[cold]
    #[inline(never)]
    fn come_to_be_refused(&mut self, index: u32) -> Next {
        let plain = self.plains[index];
        let call = match plain.awaits {
            Awaits::Call(call) => call,
            _ => self.make_call(index),
        };
        let endpoint = self.endpoint_of(&plain);
        self.plains.free(index);
        let epoch = self.epoch();
        let (task, life, place) = self.tasks.take();
        *place = Task {
            call,
            instance: plain.instance,
            endpoint,
            epoch,
            attempt: plain.attempt,
            identity: plain.identity,
            luck: plain.luck(),
            came: self.now,
            ..Task::default()
        };
        if let Some(call) = self.calls.get_mut(call.index, call.life) {
            call.task = Id { index: task, life };
        }
        self.arrive_with_care(task)
    }

    /// A plain request has done its work. If nothing else was put off than that its worker passes
    /// to whoever is next, that is done at once.
    #[inline(never)]
    pub fn plain_done(&mut self, index: u32) -> Next {
        let next = self.run_plain_programs(index);
        if next.is_none()
            && let [Later::Pass(instance)] = self.later[..]
        {
            self.later.clear();
            self.pass_worker(instance);
        }
        next
    }

    /// As [`Self::run_plain_programs`], once in the program and not at every place that calls it.
    #[inline(never)]
    pub fn go_plainly(&mut self, index: u32) -> Next {
        self.run_plain_programs(index)
    }

    /// Runs programs of plain requests: that of one until it takes time, then those of plain
    /// requests that go on because of it, until none does.
    #[inline(always)]
    fn run_plain_programs(&mut self, mut index: u32) -> Next {
        loop {
            let plan = self.plan;
            let plain = &mut self.plains[index];
            let at = plain.op;
            plain.op += 1;
            // Matched in its place: a copy goes by way of memory.
            let next = match plan.ops[at as usize] {
                Op::Work(work) => {
                    self.work_plainly(index, work);
                    return None;
                }
                Op::Call(edge) => self.call_plainly(index, edge),
                Op::Reply(status) => self.end_plainly(index, status),
                other => unreachable!("a plain program with {other:?}"),
            };
            match next.and_then(of) {
                Some(plain) => index = plain,
                None => return next,
            }
        }
    }

    /// A work step begins.
    #[inline(always)]
    fn work_plainly(&mut self, index: u32, work: u32) {
        let takes = self.plan.works[work as usize].takes_alone(self.plains[index].luck());
        self.agenda.at(self.now.saturating_add(takes), Event::PlainDone { plain: index });
    }

    /// A plain request makes a call.
    #[inline(always)]
    fn call_plainly(&mut self, index: u32, edge: EdgeId) -> Next {
        let plain = &self.plains[index];
        let luck = plain.luck().at(self.plan.edges[edge as usize].luck).at(0);
        let state = &self.edges[edge as usize];
        if !state.is_simple {
            return self.call_with_care(index, edge, luck);
        }
        let Plain { instance, identity, .. } = *plain;
        self.open_plain(edge, Awaits::Plain(index), instance, identity, luck, (state.plain, 0))
    }

    /// A plain request's call has come back; it has a worker.
    #[inline(always)]
    fn plain_call_returned(&mut self, index: u32, edge: EdgeId, status: Status) -> Next {
        if status != Status::Ok {
            let plan = &self.plan.edges[edge as usize];
            if !status.is_good() && plan.fails_caller {
                return self.end_plainly(index, passed_on(plan, status));
            }
            self.plains[index].marks |= DEGRADED;
        }
        goes_on(index)
    }

    /// A plain request ends: its worker is free, and its answer goes to who waits.
    #[inline(always)]
    fn end_plainly(&mut self, index: u32, mut status: Status) -> Next {
        let World { plains, stations, meter, later, .. } = self;
        let plain = &plains[index];
        if plain.marks & DEGRADED != 0 && status == Status::Ok {
            status = Status::Degraded;
        }
        let plain = *plain;
        let instance = plain.instance;
        let station = &mut stations[instance as usize];
        let warm_up = meter.warm_up();
        let counts = &mut meter.components[station.component as usize];
        station.present -= 1;
        counts.leaves(self.now, plain.came, warm_up);
        if station.line.is_empty() {
            station.busy -= 1;
            counts.busy_changes(self.now, -1);
        } else {
            later.push(Later::Pass(instance));
        }
        station.tally.answer(status);
        counts.answers[status as usize] += 1;
        if status != Status::Ok && plain.is_a_call() && self.edges[plain.edge as usize].minds_bad {
            return self.end_as_call(index, status);
        }
        self.plains.free(index);
        self.hand_over_plainly(plain, status)
    }

    /// What came of a plain request goes to who waits for it.
    #[inline(always)]
    fn hand_over_plainly(&mut self, plain: Plain, status: Status) -> Next {
        let Plain { call_luck, came, identity, awaits, edge, attempt, .. } = plain;
        match awaits {
            Awaits::Plain(caller) => return self.plain_call_returned(caller, edge, status),
            Awaits::PlainWithCare(_) | Awaits::Task(_) => {
                let luck = attempt_luck(call_luck, attempt);
                return self.return_with_care(awaits, edge, luck, status);
            }
            Awaits::Stream => {
                self.request_ends(identity, call_luck, came, attempt, status);
            }
            Awaits::Visit(visit) => {
                let is_content = self.request_ends(identity, call_luck, came, attempt, status);
                self.visit_goes_on(visit, is_content);
            }
            Awaits::Call(call) => return self.answered(call, attempt, status),
            Awaits::Nobody => {}
        }
        None
    }

    /// Workers of a plain instance pass on: all that have become free, before anything else that is
    /// put off from `done` on, as [`World::serve`] does it.
    #[inline(never)]
    pub(super) fn pass_on(&mut self, instance: InstanceId, done: usize) {
        loop {
            self.pass_worker(instance);
            let mut others = self.later[done..].iter();
            let Some(at) = others.position(|later| *later == Later::Pass(instance)) else { return };
            self.later.remove(done + at);
        }
    }

    /// A worker of a plain instance, still in use, passes to the first one in the line.
    #[inline(always)]
    fn pass_worker(&mut self, instance: InstanceId) {
        let World { plains, stations, meter, .. } = self;
        let station = &mut stations[instance as usize];
        let counts = &mut meter.components[station.component as usize];
        // Whoever is in the line waits: nobody leaves it by another way.
        let Some(id) = station.line.pop(&mut station.luck, |_| true) else {
            station.busy -= 1;
            return counts.busy_changes(self.now, -1);
        };
        counts.line_changes(self.now, -1, 0);
        if station.line.len() >= ahead::LONG {
            ahead::look_at_line(station, plains);
        }
        let (plain, drawn) = plains.take_extra(id.index);
        plain.marks = 0; // It has called nobody yet.
        if let Some(takes) = drawn {
            plain.op += 1;
            let until = self.now.saturating_add(takes);
            self.agenda.at_often(until, Event::PlainDone { plain: id.index });
        } else {
            let next = self.run_plain_programs(id.index);
            self.go(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_request_takes_64_bytes_with_its_slot() {
        assert_eq!(Plains::slot_bytes(), 64);
    }
}
