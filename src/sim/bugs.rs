//! Bugs strike, and middleware is passed.

use super::story::What;
use super::task::Next;
use super::world::{Later, World};
use crate::mitigation::{Ask, Context, Layer, LazyLuck, Told};
use crate::plan::{BugId, BugPlan, ComponentId, NONE, RateTrigger};
use crate::status::Status;
use crate::units::Nanos;

/// What a bug made of the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Struck {
    /// It goes on.
    GoesOn,
    /// It goes on after so long.
    Delayed(Nanos),
    /// It ends with this status.
    Ends(Status),
    /// It hangs, or died with its process: nothing more to do now.
    Gone,
}

impl World<'_> {
    /// Whether a bug is there in the version that an instance runs.
    pub fn bug_is_present(&self, bug: BugId, version: u32) -> bool {
        let plan = &self.plan.bugs[bug as usize];
        let state = &self.bugs[bug as usize];
        let in_version = plan.versions & (1 << version) != 0;
        !state.fixed && in_version && (plan.present || state.switched_on > 0)
    }

    /// The component's own bugs.
    pub fn own_bugs_strike(&mut self, index: u32) -> Next {
        let instance = self.tasks[index].instance;
        let component = self.stations[instance as usize].component;
        match self.bugs_strike(index, component, false) {
            Struck::GoesOn => Some(index),
            Struck::Delayed(by) => self.schedule_work(index, by),
            Struck::Gone => None,
            Struck::Ends(status) => self.end_task(index, status),
        }
    }

    /// The bugs of a middleware.
    pub fn meet_middleware(&mut self, index: u32, middleware: ComponentId) -> Next {
        if self.components[middleware as usize].disabled {
            return Some(index);
        }
        let instance = self.tasks[index].instance;
        // A host with a fallback for its middleware catches what the middleware throws.
        let caught = self.stations[instance as usize].door.iter().any(|l| l.is_for_middleware());
        match self.bugs_strike(index, middleware, caught) {
            Struck::GoesOn => Some(index),
            Struck::Delayed(by) => self.schedule_work(index, by),
            Struck::Gone => None,
            Struck::Ends(status) => {
                // An API that can do without the middleware goes on behind it (fallback on
                // middleware, open).
                if let Some(instead) = self.door_fallback(index, status) {
                    if instead.is_good() {
                        self.tasks[index].degraded |= instead == Status::Degraded;
                        self.tasks[index].op += 1;
                        return Some(index);
                    }
                    return self.end_task(index, instead);
                }
                self.end_task(index, status)
            }
        }
    }

    /// The layers and the work of a middleware.
    pub fn pass_middleware(&mut self, index: u32, middleware: ComponentId) -> Next {
        if self.components[middleware as usize].disabled {
            return Some(index);
        }
        let host = self.component_of(self.tasks[index].instance);
        let place = host.middleware.iter().position(|m| *m == middleware).unwrap_or(0);
        if let Some(status) = self.ask_list(index, Some(place)) {
            return self.end_task(index, status);
        }
        match self.plan.components[middleware as usize].work {
            Some(work) => self.work(index, work),
            None => Some(index),
        }
    }

    fn bugs_strike(&mut self, index: u32, component: ComponentId, caught: bool) -> Struck {
        let plan = self.plan;
        let mut delay: Nanos = 0;
        for &bug in &plan.components[component as usize].bugs {
            if !self.bug_strikes(index, bug) {
                continue;
            }
            match self.strike(index, bug, component, caught) {
                Struck::GoesOn => {}
                Struck::Delayed(by) => delay = delay.saturating_add(by),
                end => return end,
            }
        }
        if delay > 0 { Struck::Delayed(delay) } else { Struck::GoesOn }
    }

    fn bug_strikes(&mut self, index: u32, bug: BugId) -> bool {
        let plan = &self.plan.bugs[bug as usize];
        let task = &self.tasks[index];
        let (instance, identity) = (task.instance, task.identity);
        let version = match self.stations[instance as usize].component == plan.component {
            true => self.stations[instance as usize].version,
            false => 0, // A middleware has the base version.
        };
        if !self.bug_is_present(bug, version) {
            return false;
        }
        let class = &self.plan.classes[identity.class as usize];
        let meets = (plan.client == NONE || plan.client == class.client)
            && (plan.classes.is_empty() || plan.classes[identity.class as usize])
            && (plan.endpoint == NONE || plan.endpoint == task.endpoint)
            && (plan.share >= 1.0 || task.luck.at(plan.luck).unit() < plan.share);
        meets && plan.rate.is_none_or(|rate| self.rate_is_above(bug, rate, instance))
    }

    /// An exact sliding log of the last `count` + 1 requests.
    fn rate_is_above(&mut self, bug: BugId, rate: RateTrigger, instance: u32) -> bool {
        let logs = &mut self.bugs[bug as usize].logs;
        let place = if rate.per_component { 0 } else { instance as usize };
        while logs.len() <= place {
            logs.push(Default::default());
        }
        let log = &mut logs[place];
        log.push_back(self.now);
        if log.len() as u32 > rate.count + 1 {
            log.pop_front();
        }
        // More than `count` within (now - window, now]: the one `count` before this one is still in
        // it.
        log.len() as u32 == rate.count + 1 && self.now - log[0] < rate.window
    }

    fn strike(&mut self, index: u32, bug: BugId, component: ComponentId, caught: bool) -> Struck {
        let plan: &BugPlan = &self.plan.bugs[bug as usize];
        let instance = self.tasks[index].instance;
        let host = self.stations[instance as usize].component;
        self.bugs[bug as usize].strikes += 1;
        if self.bugs[bug as usize].strikes == 1 {
            self.meter.tell(self.now, What::BugStruck { bug, instance });
        }
        if plan.log != NONE {
            self.meter.logs[plan.log as usize] += 1;
        }
        if plan.error.is_some() || plan.exception.is_some() {
            self.meter.components[component as usize].exceptions += 1;
            if host != component {
                self.meter.components[host as usize].exceptions += 1;
            }
        }
        if plan.slow != 1.0 || plan.calls_again > 0 {
            self.tasks[index].is_struck = true;
            let extra = self.tasks.extra_mut(index);
            extra.slow *= plan.slow;
            if plan.calls_again > 0 {
                (extra.again, extra.again_lane) = (plan.calls_again, plan.again_lane);
            }
        }
        if caught && plan.exception.is_some() {
            return Struck::Ends(Status::ServerError);
        }
        let held = plan.exception.map_or(0, |e| e.1);
        let leaks = plan.leaks_memory + held;
        if leaks > 0 {
            self.stations[instance as usize].leaked += leaks;
            self.look_at_memory(instance);
        }
        if plan.crash {
            // The process dies when this event is done; until then the request does nothing more.
            self.hang(index);
            self.later.push(Later::Crash(instance, bug));
            return Struck::Gone;
        }
        match plan.exception {
            Some((true, _)) => {
                self.hang(index);
                return Struck::Gone;
            }
            Some((false, _)) => return Struck::Ends(Status::ServerError),
            None => {}
        }
        if let Some(status) = plan.error {
            return Struck::Ends(status);
        }
        if plan.delay > 0 { Struck::Delayed(plan.delay) } else { Struck::GoesOn }
    }

    /// Asks the layers at the door of the task's instance. Some status: it is refused.
    pub fn ask_door(&mut self, index: u32) -> Option<Status> {
        self.ask_list(index, None)
    }

    /// Asks a list of layers: those of the door, or those of a middleware of the chain.
    fn ask_list(&mut self, index: u32, chain: Option<usize>) -> Option<Status> {
        let task = &self.tasks[index];
        let client = self.plan.client_of(task.identity.class);
        let station = &mut self.stations[task.instance as usize];
        let list = match chain {
            None => &mut station.door,
            Some(place) => &mut station.chain[place],
        };
        for number in 0..list.len() {
            let mut door = DoorScratch::default();
            let mut cx = door.cx(self.now, task, (client, number));
            match list[number].ask(&mut cx) {
                Ask::Pass | Ask::Wait(_) => {}
                Ask::Answer(status) => {
                    // The layers outside of this one have let it in: they learn how it ended.
                    for (number, layer) in list[..number].iter_mut().enumerate().rev() {
                        let mut door = DoorScratch::inside();
                        let _ = layer.told(&mut door.cx(self.now, task, (client, number)), status);
                    }
                    return Some(status);
                }
            }
        }
        None
    }

    /// Tells the layers at the door how a task ended; gives the status that goes out.
    pub fn tell_door(&mut self, index: u32, mut status: Status) -> Status {
        let task = &self.tasks[index];
        let client = self.plan.client_of(task.identity.class);
        let station = &mut self.stations[task.instance as usize];
        for (number, layer) in station.door.iter_mut().enumerate().rev() {
            let mut door = DoorScratch::inside();
            let mut cx = door.cx(self.now, task, (client, number));
            if let Told::Instead(other) = layer.told(&mut cx, status) {
                status = other;
            }
        }
        status
    }

    /// What the host answers instead when a middleware of its chain failed, if it has a fallback
    /// for that.
    fn door_fallback(&mut self, index: u32, status: Status) -> Option<Status> {
        let task = &self.tasks[index];
        let luck = task.luck.at(super::call::luck::LAYER);
        let station = &self.stations[task.instance as usize];
        station.door.iter().find_map(|layer| layer.middleware_failed(status, luck.unit()))
    }
}

/// What a layer at a door may keep for one request: nothing that lasts.
#[derive(Default)]
struct DoorScratch {
    memo: u32,
    pause: u64,
    is_final: bool,
}

impl DoorScratch {
    /// For a request that the layer has let in: it holds the one permit that there can be at a
    /// door.
    fn inside() -> DoorScratch {
        DoorScratch { memo: 1, ..DoorScratch::default() }
    }

    fn cx<'a>(
        &'a mut self,
        now: u64,
        task: &super::records::Task,
        (client, number): (u32, usize),
    ) -> Context<'a> {
        Context {
            now,
            luck: LazyLuck {
                call: task.luck,
                attempt: super::call::luck::LAYER,
                layer: number as u64,
            },
            attempts: 0,
            began: task.came,
            sent: task.came,
            memo: &mut self.memo,
            pause: &mut self.pause,
            is_final: &mut self.is_final,
            last: None,
            client,
            user: task.identity.user,
            key: task.identity.key,
        }
    }
}
