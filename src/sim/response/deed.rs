//! What people do to the world.

use super::super::agenda::Event;
use super::super::story::What;
use super::super::world::{Process, World};
use super::Stage;
use crate::mitigation::balance::Picker;
use crate::plan::{ActionPlan, ComponentId, DeedPlan};

impl World<'_> {
    /// An action is called for; it is decided on at once, or after some thought.
    pub(super) fn weigh(&mut self, action: u32) {
        let plan = self.plan;
        let Some(responder) = &plan.responder else { return };
        match &responder.actions[action as usize].decided_after {
            None => self.act(action),
            Some(law) => self.begin_stage(Stage::Weighs { action }, Some(law)),
        }
    }

    pub(super) fn act(&mut self, action: u32) {
        let plan = self.plan;
        let Some(responder) = &plan.responder else { return };
        self.meter.tell(self.now, What::Decides { action });
        let stage = Stage::Acts { action, since: self.now };
        self.begin_stage(stage, Some(&responder.actions[action as usize].takes));
    }

    /// Carries out an action. Each process is replaced at most once, whatever asks for it.
    pub(super) fn carry_out(&mut self, action: &ActionPlan) {
        let mut replaced: Vec<ComponentId> = action.replaces.clone();
        for deed in &action.does {
            match *deed {
                DeedPlan::Hotfix(bug) => self.bugs[bug as usize].fixed = true,
                DeedPlan::Disable(middleware) => {
                    self.components[middleware as usize].disabled = true;
                }
                DeedPlan::Rollback(component) => {
                    replaced.retain(|c| *c != component);
                    for instance in self.components[component as usize].instances.clone() {
                        self.bring_out(instance, None);
                    }
                }
                DeedPlan::Reload(component) => {
                    for &instance in &self.components[component as usize].instances {
                        let station = &mut self.stations[instance as usize];
                        std::mem::swap(&mut station.version, &mut station.version_before);
                    }
                }
                DeedPlan::Restart(component) => replaced.push(component),
                DeedPlan::Block(client) => self.clients[client as usize].blocked = true,
                DeedPlan::Scale(component, add) => self.scale(component, add),
            }
        }
        replaced.sort_unstable();
        replaced.dedup();
        for component in replaced {
            for instance in self.components[component as usize].instances.clone() {
                self.replace(instance);
            }
        }
    }

    /// Adds instances to a component; they serve after its `start_takes`.
    fn scale(&mut self, component: ComponentId, add: u32) {
        for _ in 0..add {
            let instance = self.stations.len() as u32;
            let number = self.components[component as usize].instances.len() as u32;
            let mut station = self.new_station(component, number);
            station.set_process(Process::Starting);
            station.version = self.components[component as usize]
                .instances
                .first()
                .map_or(station.version, |first| self.stations[*first as usize].version);
            let law = &self.plan.components[component as usize].start_takes;
            let takes = law.as_ref().map_or(0, |l| l.sample_nanos(&mut station.luck));
            self.stations.push(station);
            let state = &mut self.components[component as usize];
            state.all.push(state.instances.len() as u32);
            state.instances.push(instance);
            self.agenda.at(self.now + takes, Event::ProcessUp { instance, life: 0 });
            if let Some(probe) = &self.plan.components[component as usize].probe {
                self.agenda.at(self.now + takes + probe.interval, Event::Probe { instance });
            }
        }
        self.find_fit(component);
        let instances = self.components[component as usize].instances.len() as u32;
        for (edge, plan) in self.edges.iter_mut().zip(&self.plan.edges) {
            if plan.to == component {
                edge.pickers.fill(Picker::new(&plan.pick, instances));
            }
        }
    }
}
