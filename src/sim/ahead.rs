//! What the next events will need, looked at beforehand.
//!
//! Where tens of thousands of requests are in flight, their records do not fit into the caches,
//! and each event would wait for memory several times, one wait after the other. A few dozen
//! records that are read in a row come together: the processor does not wait for one before it asks
//! for the next. Nothing is changed here, and nothing is used of what is read.

use super::agenda::{Packed, packed};
use super::plain::{Awaits, Plains};
use super::records::{Caller, Calls, Id, Task, Tasks};
use super::station::Station;
use crate::plan::NONE;

/// So many events are shown at once at most.
const MOST: usize = 64;
/// So many records do not fit into the second cache of a processor; fewer are not looked at.
const MANY_RECORDS: u32 = 8192;
/// A line with so many requests is long.
pub const LONG: u32 = 1024;
/// So many requests of a long line are looked at at once.
const AT_ONCE: u32 = 32;

/// A request has been taken out of a long line: now and then reads the records of the next ones
/// and what has been drawn for them.
#[cold]
#[inline(never)]
pub fn look_at_line(station: &mut Station, plains: &Plains) {
    station.taken = (station.taken + 1) % AT_ONCE;
    if station.taken != 0 {
        return;
    }
    let mut seen = 0;
    for id in station.line.coming().take(AT_ONCE as usize) {
        seen += u64::from(plains.life(id.index)) + plains.old_extra(id.index);
    }
    std::hint::black_box(seen);
}

/// Reads the records of what may time out, and of what will have done its work: of plain requests,
/// of those that wait for them, of tasks, of the calls that wait for these, of those calls'
/// callers, and of the calls that wait for these; and of their instances.
#[inline(never)]
pub fn look(
    events: &[Packed],
    calls: &Calls,
    tasks: &Tasks,
    plains: &Plains,
    stations: &[Station],
) {
    if plains.slots() + tasks.slots() + calls.slots() < MANY_RECORDS {
        return;
    }
    let (mut seen, mut timeouts) = (0, 0);
    for event in events {
        let (id, life) = (event.id(), event.life());
        seen += match event.kind() {
            packed::PLAIN_TIMEOUT if plains.is_live(id, life) => plains[id].came,
            packed::TIMEOUT if calls.is_live(id, life) => {
                calls[id].began + calls.extra(id).map_or(0, |extra| extra.pause)
            }
            packed::PLAIN_TIMEOUT | packed::TIMEOUT => 0,
            _ => continue,
        };
        timeouts += 1;
    }
    if timeouts == events.len() {
        std::hint::black_box(seen);
        return; // As they are where they come from a lane.
    }
    seen += look_at_plain(events, plains, stations);
    let mut waiting = [(Id::NONE, NONE); MOST];
    for (event, waits) in events.iter().zip(&mut waiting) {
        if event.kind() == packed::WORK_DONE
            && let Some(&Task { call, instance, .. }) = tasks.taken(event.id())
        {
            *waits = (call, instance);
        }
    }
    let mut callers = [Id::NONE; MOST];
    for (&(call, instance), next) in waiting.iter().zip(&mut callers) {
        seen += stations.get(instance as usize).map_or(0, Station::glance);
        if let Some(call) = calls.get(call.index, call.life)
            && let Caller::Task(caller) = call.caller
        {
            *next = caller;
        }
    }
    for (caller, next) in callers.iter().zip(&mut waiting) {
        *next = (Id::NONE, NONE);
        if let Some(&Task { call, instance, .. }) = tasks.get(caller.index, caller.life) {
            *next = (call, instance);
        }
    }
    for (call, instance) in waiting {
        seen += stations.get(instance as usize).map_or(0, Station::glance);
        seen += calls.get(call.index, call.life).map_or(0, |call| call.began);
    }
    std::hint::black_box(seen);
}

/// As [`look`], for plain requests; gives something that hangs on what was read.
fn look_at_plain(events: &[Packed], plains: &Plains, stations: &[Station]) -> u64 {
    let mut seen = 0u64;
    let mut reads = |instance: u32| {
        seen += stations.get(instance as usize).map_or(0, Station::glance);
    };
    let mut callers = [NONE; MOST];
    for (event, caller) in events.iter().zip(&mut callers) {
        if event.kind() == packed::PLAIN_DONE
            && let Some(plain) = plains.taken(event.id())
        {
            reads(plain.instance);
            if let Awaits::Plain(index) | Awaits::PlainWithCare(index) = plain.awaits {
                *caller = index;
            }
        }
    }
    for caller in callers.into_iter().filter(|caller| *caller != NONE) {
        reads(plains[caller].instance);
    }
    seen
}
