//! Changes come and go in the world.

use super::agenda::Event;
use super::cache::clear;
use super::story::{Death, What};
use super::world::{Later, Process, World};
use crate::change::InProgress;
use crate::change::knob::{Knobs, Turn};
use crate::dist::Sampler;
use crate::plan::{ChangeAction, InstanceId, NONE, Plan};
use crate::rng::Stream;
use crate::units::{NEVER, Nanos};

/// One change, or one instance's part of a change that comes to each instance by itself.
#[derive(Debug)]
pub struct TurnState {
    /// Index of the change in the plan.
    pub change: u32,
    /// The only instance concerned, or [`NONE`] for all that the change names.
    pub only: InstanceId,
    /// Whether it is on.
    pub active: bool,
    /// The luck of the replica is that it never happens.
    pub never: bool,
    /// Deploys: instances done.
    pub done: u32,
    /// Watched deploys: when the next batch is due.
    pub due: Nanos,
    /// Luck of its times.
    pub luck: Stream,
}

/// All changes.
#[derive(Debug)]
pub struct TurnTable {
    /// In the order of the plan.
    pub turns: Vec<TurnState>,
}

impl TurnTable {
    /// Nothing is on; the luck of each change is ready.
    pub fn new(plan: &Plan) -> TurnTable {
        let mut turns = Vec::new();
        for (change, spec) in plan.changes.iter().enumerate() {
            let each = match (&spec.recurring, &spec.action) {
                (Some((_, _, true)), ChangeAction::Turn { component, count, .. }) => {
                    let component = &plan.components[*component as usize];
                    Some((component.first_instance, (*count).min(component.instances)))
                }
                _ => None,
            };
            let state = |only: InstanceId| TurnState {
                change: change as u32,
                only,
                active: false,
                never: false,
                done: 0,
                due: 0,
                luck: Stream::new(0, 0, "", ""),
            };
            match each {
                Some((first, count)) => turns.extend((first..first + count).map(state)),
                None => turns.push(state(NONE)),
            }
        }
        TurnTable { turns }
    }
}

impl World<'_> {
    /// Puts the beginnings of all changes on the agenda.
    pub fn first_turns(&mut self) {
        for index in 0..self.turns.turns.len() {
            let turn = &mut self.turns.turns[index];
            let plan = &self.plan.changes[turn.change as usize];
            let name = match turn.only {
                NONE => plan.name.clone(),
                only => format!("{}.{}", plan.name, self.stations[only as usize].number),
            };
            turn.luck = Stream::new(self.plan.seed, self.replica, "change", &name);
            // A stream of its own: a chance shifts no other number.
            let mut luck = Stream::new(self.plan.seed, self.replica, "chance", &plan.name);
            if plan.chance < 1.0 && luck.unit() >= plan.chance {
                turn.never = true;
                continue;
            }
            let mut at = plan.at.sample_nanos(&mut turn.luck);
            if let Some((up, _, _)) = &plan.recurring {
                at = at.saturating_add(up.sample_nanos(&mut turn.luck));
                if at >= plan.until.unwrap_or(NEVER) {
                    continue;
                }
            }
            self.agenda.at(at, Event::Turn(index as u32));
        }
    }

    /// A change begins or ends.
    pub fn turn(&mut self, index: u32) {
        let plan = self.plan;
        let turn = &mut self.turns.turns[index as usize];
        let change = turn.change;
        let spec = &plan.changes[change as usize];
        if matches!(spec.action, ChangeAction::Deploy { .. }) {
            return self.roll_out(index);
        }
        turn.active = !turn.active;
        let active = turn.active;
        let after = |law: &Sampler, luck: &mut Stream| law.sample_nanos(luck);
        let next = match (&spec.recurring, active) {
            (Some((_, down, _)), true) => {
                let end = self.now.saturating_add(after(down, &mut turn.luck));
                Some(end.min(spec.until.unwrap_or(NEVER)))
            }
            (Some((up, _, _)), false) => {
                let begin = self.now.saturating_add(after(up, &mut turn.luck));
                (begin < spec.until.unwrap_or(NEVER)).then_some(begin)
            }
            (None, true) => {
                let lasts = spec.lasts.as_ref().map(|law| after(law, &mut turn.luck));
                spec.until.or(lasts.map(|l| self.now.saturating_add(l)))
            }
            (None, false) => None,
        };
        let only = turn.only;
        if let Some(next) = next {
            self.agenda.at(next.max(self.now), Event::Turn(index));
        }
        self.meter.change(self.now, change, active);
        self.meter.tell(self.now, What::Change { change, begins: active });
        self.take_effect(change, only, active);
    }

    fn take_effect(&mut self, change: u32, only: InstanceId, active: bool) {
        let plan = self.plan;
        let spec = &plan.changes[change as usize];
        match &spec.action {
            ChangeAction::Turn { component, count, .. } => {
                for instance in self.targets(*component, *count, only) {
                    self.set_knobs(instance, spec.in_progress);
                }
            }
            ChangeAction::Surge { client, .. } => self.set_rate(*client),
            ChangeAction::Link { .. } => self.set_links(),
            ChangeAction::Bug(bug) => {
                let state = &mut self.bugs[*bug as usize];
                if active { state.switched_on += 1 } else { state.switched_on -= 1 }
            }
            ChangeAction::Flush { component, count } => {
                for instance in self.targets(*component, *count, only) {
                    self.flush(instance);
                }
            }
            ChangeAction::EmptyCaches { component, count } => {
                for instance in self.targets(*component, *count, only) {
                    clear(&mut self.stations[instance as usize].caches);
                }
                clear(&mut self.components[*component as usize].caches);
            }
            ChangeAction::Deploy { .. } => {}
        }
    }

    fn targets(&self, component: u32, count: u32, only: InstanceId) -> Vec<InstanceId> {
        if only != NONE {
            return vec![only];
        }
        let all = &self.components[component as usize].instances;
        all.iter().copied().take(count as usize).collect()
    }

    /// Folds the active turns of an instance anew and does what the difference asks for.
    pub fn set_knobs(&mut self, instance: InstanceId, in_progress: InProgress) {
        let station = &self.stations[instance as usize];
        let (component, before) = (station.component, *station.knobs());
        let place =
            self.components[component as usize].instances.iter().position(|i| *i == instance);
        let place = place.unwrap_or(0) as u32;
        let turns: Vec<Turn> = self
            .turns
            .turns
            .iter()
            .filter(|t| t.active && (t.only == NONE || t.only == instance))
            .filter_map(|t| match &self.plan.changes[t.change as usize].action {
                ChangeAction::Turn { component: c, count, turn }
                    if *c == component && place < *count =>
                {
                    Some(*turn)
                }
                _ => None,
            })
            .collect();
        let knobs = Knobs::fold(turns.into_iter());
        self.stations[instance as usize].set_knobs(knobs);
        if knobs.slower != before.slower {
            if let Some(cpu) = &mut self.stations[instance as usize].cpu {
                cpu.set_speed(self.now, if knobs.frozen { 0.0 } else { 1.0 / knobs.slower });
                self.plan_cpu(instance);
            } else if in_progress == InProgress::Rescaled {
                self.rescale(instance, knobs.slower / before.slower);
            }
        }
        if knobs.frozen != before.frozen {
            self.freeze(instance, knobs.frozen);
        }
        let workers = self.component_of(instance).workers.min(knobs.workers);
        if workers != self.stations[instance as usize].workers {
            self.stations[instance as usize].workers = workers;
            self.later.push(Later::Serve(instance));
        }
        if before.up && !knobs.up {
            self.kill(instance, Death::Change);
        }
        if !before.up && knobs.up && self.stations[instance as usize].down_by_change {
            let station = &mut self.stations[instance as usize];
            station.set_process(Process::Starting);
            let life = station.life;
            self.process_up(instance, life);
        }
    }

    /// Folds the surges of a client anew.
    fn set_rate(&mut self, client: u32) {
        let (mut by, mut to) = (1.0, None);
        for turn in self.turns.turns.iter().filter(|t| t.active) {
            if let ChangeAction::Surge { client: c, to: t, by: b } =
                &self.plan.changes[turn.change as usize].action
                && *c == client
            {
                by *= b;
                to = t.or(to);
            }
        }
        self.rate_changes(client, by, to);
    }

    /// Folds cuts and delays of all call sites anew.
    fn set_links(&mut self) {
        for (edge, plan) in self.edges.iter_mut().zip(&self.plan.edges) {
            let (mut cuts, mut delays) = (0, 0);
            for turn in self.turns.turns.iter().filter(|t| t.active) {
                let ChangeAction::Link { from, from_client, to, delay } =
                    &self.plan.changes[turn.change as usize].action
                else {
                    continue;
                };
                let any = *from == NONE && *from_client == NONE;
                let fits = any
                    || (*from != NONE && plan.from == *from)
                    || (*from_client != NONE && plan.from_client == *from_client);
                if fits && plan.to == *to {
                    match delay {
                        Some(delay) => delays += delay,
                        None => cuts += 1,
                    }
                }
            }
            edge.set_way(cuts, delays);
        }
    }

    /// Empties the line of an instance.
    fn flush(&mut self, instance: InstanceId) {
        for index in self.tasks_on(instance) {
            if self.tasks[index].state == super::records::TaskState::Waits {
                self.reset_waiting(index);
            }
        }
    }
    /// When changes were on, up to now: for hypotheses about faults.
    pub fn active_changes(&self) -> impl Iterator<Item = &ChangeAction> {
        let active = self.turns.turns.iter().filter(|t| t.active);
        active.map(|t| &self.plan.changes[t.change as usize].action)
    }
}
