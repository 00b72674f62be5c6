//! Names to ids. What is unknown is reported with the name that was probably meant.

use super::builder::Builder;
use crate::component::Kind;
use crate::model::Model;
use crate::plan::{BugId, ClassId, ClientId, ComponentId};
use crate::text::{Name, Problem, suggest, unknown};
use std::collections::BTreeMap;

/// The name of the version that every component has.
pub(super) const BASE: &str = "base";
/// The name of the only class of a client that names none.
pub(super) const ONLY_CLASS: &str = "request";

/// The ids of everything that has a name.
pub(super) struct Names<'m> {
    pub clients: BTreeMap<&'m str, ClientId>,
    pub components: BTreeMap<&'m str, ComponentId>,
    /// Endpoints of each component: of the base version, then new ones of the other versions. A
    /// balancer has those of its backends.
    pub endpoints: Vec<Vec<&'m str>>,
    /// Versions of each component; the first one is [`BASE`].
    pub versions: Vec<Vec<&'m str>>,
    /// Bugs by component and name, numbered by component: first the base version's, then those of
    /// the other versions.
    pub bugs: BTreeMap<(ComponentId, &'m str), BugId>,
    /// Classes of all clients by name.
    pub classes: BTreeMap<&'m str, Vec<ClassId>>,
    /// Number of classes of all clients.
    pub class_count: u32,
}

impl<'m> Names<'m> {
    /// Numbers everything. Balancers that have only each other behind them are reported.
    pub fn new(model: &'m Model, removed: &[String], problems: &mut Vec<Problem>) -> Names<'m> {
        let mut names = Names {
            clients: number(model.clients.names()),
            components: number(model.components.names()),
            endpoints: Vec::new(),
            versions: Vec::new(),
            bugs: BTreeMap::new(),
            classes: BTreeMap::new(),
            class_count: 0,
        };
        names.number_classes(model);
        let mut bugs = 0;
        for (id, (name, component)) in (0..).zip(&model.components) {
            let mut versions = vec![BASE];
            versions.extend(component.versions.names());
            names.versions.push(versions);
            let lists = component.versions.iter().map(|(_, version)| &version.bugs);
            for (bug, _) in std::iter::once(&component.bugs).chain(lists).flatten() {
                // A second one of the same name is reported where bugs are compiled.
                names.bugs.entry((id, bug.value.as_str())).or_insert(bugs);
                bugs += 1;
            }
            let endpoints = names.endpoints_of(model, id).unwrap_or_else(|| {
                let what = format!("behind `{}` there are only balancers in a circle", name.value);
                if !removed.contains(&name.value) {
                    problems.push(Problem::new(what).at(name.mark).help("name a server behind it"));
                }
                Vec::new()
            });
            names.endpoints.push(endpoints);
        }
        names
    }

    fn number_classes(&mut self, model: &'m Model) {
        for (_, client) in &model.clients {
            let classes: Vec<&str> = match client.requests.is_empty() {
                true => vec![ONLY_CLASS],
                false => client.requests.names().collect(),
            };
            for class in classes {
                self.classes.entry(class).or_default().push(self.class_count);
                self.class_count += 1;
            }
        }
    }

    /// The endpoints of a component, through any balancers; None if that never ends.
    fn endpoints_of(&self, model: &'m Model, id: ComponentId) -> Option<Vec<&'m str>> {
        let mut component = &model.components.0[id as usize].1;
        for _ in 0..=model.components.len() {
            if component.kind != Kind::Balancer {
                let mut all: Vec<&str> = component.endpoints.names().collect();
                for (_, version) in &component.versions {
                    for endpoint in version.endpoints.names() {
                        if !all.contains(&endpoint) {
                            all.push(endpoint);
                        }
                    }
                }
                return Some(all);
            }
            let next =
                component.backends.as_ref().and_then(|name| model.components.get(&name.value));
            match next {
                Some(next) => component = next,
                // Missing or unknown backends are reported with the balancer.
                None => return Some(Vec::new()),
            }
        }
        None
    }

    /// The number of an endpoint of a component.
    pub fn endpoint(&self, component: ComponentId, endpoint: &str) -> Option<u32> {
        let known = &self.endpoints[component as usize];
        known.iter().position(|known| *known == endpoint).map(|index| index as u32)
    }
}

fn number<'m>(names: impl Iterator<Item = &'m str>) -> BTreeMap<&'m str, u32> {
    names.zip(0..).collect()
}

impl<'m> Builder<'m, '_> {
    /// Checks that names can be told apart, also in dotted words such as `component.endpoint`.
    pub fn check_names(&mut self) {
        let model = self.model;
        let mut dotted: Vec<&Name> = model.clients.iter().map(|(name, _)| name).collect();
        for (name, component) in &model.components {
            dotted.push(name);
            dotted.extend(component.endpoints.iter().map(|(name, _)| name));
            dotted.extend(component.bugs.iter().map(|(name, _)| name));
            for (_, version) in &component.versions {
                dotted.extend(version.endpoints.iter().map(|(name, _)| name));
                dotted.extend(version.bugs.iter().map(|(name, _)| name));
            }
            if model.clients.get(&name.value).is_some() {
                self.problem_at(name, format!("`{}` is also the name of a client", name.value))
                    .help("give the component or the client another name");
            }
        }
        for name in dotted {
            if name.value.contains('.') || name.value.is_empty() {
                self.problem_at(name, format!("`{}` cannot be a name here", name.value)).help(
                    "dots stand between names, as in `component.endpoint`; write `-` instead",
                );
            }
        }
    }

    /// A component by name.
    pub fn component(&mut self, name: &Name) -> Option<ComponentId> {
        let found = self.names.components.get(name.value.as_str()).copied();
        if found.is_none() && !self.is_removed(&name.value) {
            let model = self.model;
            self.push(unknown("component", name, model.components.names()));
        }
        found
    }

    /// A component by name that has instances of its own; `verb` says what is done to it.
    pub fn station(&mut self, name: &Name, verb: &str) -> Option<ComponentId> {
        let id = self.component(name)?;
        if self.model.components.0[id as usize].1.kind == Kind::Middleware {
            self.problem_at(name, format!("`{}` is middleware and cannot be {verb}", name.value))
                .help("it lives inside the servers that name it; name one of them");
            return None;
        }
        Some(id)
    }

    /// A client by name.
    pub fn client(&mut self, name: &Name) -> Option<ClientId> {
        let found = self.names.clients.get(name.value.as_str()).copied();
        if found.is_none() && !self.is_removed(&name.value) {
            let model = self.model;
            self.push(unknown("client", name, model.clients.names()));
        }
        found
    }

    /// A middleware by name.
    pub fn middleware(&mut self, name: &Name) -> Option<ComponentId> {
        let found = self.names.components.get(name.value.as_str()).copied();
        let model = self.model;
        let is = |id: ComponentId| model.components.0[id as usize].1.kind == Kind::Middleware;
        if found.is_some_and(is) {
            return found;
        }
        if !self.is_removed(&name.value) {
            let all = model.components.iter().filter(|(_, c)| c.kind == Kind::Middleware);
            let mut problem = unknown("middleware", name, all.map(|(name, _)| name.value.as_str()));
            if found.is_some() {
                problem.what = format!("`{}` is not middleware", name.value);
            }
            self.push(problem);
        }
        None
    }

    /// An endpoint of a component; `name` stands where it is asked for.
    pub fn endpoint(&mut self, component: ComponentId, name: &Name) -> Option<u32> {
        let found = self.names.endpoint(component, &name.value);
        let of = &self.model.components.0[component as usize].0.value;
        if found.is_none() && !self.is_removed(&name.value) && !self.is_removed(of) {
            let known = self.names.endpoints[component as usize].clone();
            let mut problem = unknown("endpoint", name, known.into_iter());
            problem.what = format!("`{of}` has no endpoint `{}`", name.value);
            self.push(problem);
        }
        found
    }

    /// A bug by `component.bug`.
    pub fn bug(&mut self, name: &Name) -> Option<BugId> {
        let parts = name.value.split_once('.');
        let found = parts.and_then(|(component, bug)| {
            let id = self.names.components.get(component)?;
            self.names.bugs.get(&(*id, bug)).copied()
        });
        let lost = parts.is_some_and(|(c, bug)| self.is_removed(c) || self.is_removed(bug));
        if found.is_none() && !lost {
            let all: Vec<String> = self.bug_names();
            self.push(unknown("bug", name, all.iter().map(String::as_str)));
        }
        found
    }

    fn bug_names(&self) -> Vec<String> {
        let mut all: Vec<_> = self.names.bugs.iter().collect();
        all.sort_by_key(|(_, id)| **id);
        let component = |id: ComponentId| &self.model.components.0[id as usize].0.value;
        all.iter().map(|((c, bug), _)| format!("{}.{bug}", component(*c))).collect()
    }

    /// All classes of a name, as a bit set; unknown ones are reported.
    pub fn classes(&mut self, name: &Name) -> Vec<bool> {
        let mut set = vec![false; self.names.class_count as usize];
        match self.names.classes.get(name.value.as_str()) {
            Some(ids) => ids.iter().for_each(|id| set[*id as usize] = true),
            None if self.is_removed(&name.value) => {}
            None => {
                let known: Vec<&str> = self.names.classes.keys().copied().collect();
                self.push(unknown("class of requests", name, known.into_iter()));
            }
        }
        set
    }

    /// "did you mean", for words that are none of a fixed list.
    pub fn nearest(word: &str, known: &[&str]) -> String {
        match suggest(word, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let list: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
                format!("known: {}", list.join(", "))
            }
        }
    }
}
