//! What an experiment says about corrective measures, with every model compiled.

use super::words::{BreakEven, Is, Normal};
use crate::study::check::{Checker, MAX_POINTS, is_shown, text_of};
use crate::study::draw::{number, words_of};
use crate::study::experiment::{BASELINE, Variant};
use crate::study::patches::edits;
use crate::study::setup::Setup;
use crate::text::{Mark, Name, Named, Node, Patch, Problem, apply, unknown};

/// By which measure the corrective measures are ranked.
pub const RANKED_BY: &str = "user_minutes_lost";

/// All that is said about corrective measures.
#[derive(Debug, Default)]
pub struct Corrective {
    /// What each variant is for; the baseline first.
    pub roles: Vec<RoleOf>,
    /// Normal operation.
    pub normal: Option<CheckedNormal>,
    /// Every two of the measures that are ranked; empty if nobody asks for them.
    pub pairs: Vec<CheckedPair>,
    /// Replicas of the pairs.
    pub pairs_replicas: Option<u64>,
    /// Break-evens.
    pub break_evens: Vec<CheckedBreakEven>,
}

/// What a variant is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleOf {
    /// As the file says.
    pub is: Is,
    /// Names of the assumed variants that it is or contains.
    pub assumed: Vec<String>,
    /// Whether it contains other corrective variants.
    pub is_combination: bool,
}

impl RoleOf {
    /// Whether it is one corrective measure whose effect is simulated.
    #[must_use]
    pub fn is_ranked(&self) -> bool {
        self.is == Is::Corrective && self.assumed.is_empty() && !self.is_combination
    }
}

/// Normal operation, compiled.
#[derive(Debug)]
pub struct CheckedNormal {
    pub about: String,
    pub replicas: Option<u64>,
    /// Names, perhaps with a `*` at the end; empty for the usual ones.
    pub measures: Vec<String>,
    /// The baseline, and the places and models of the corrective variants.
    pub variants: Vec<(usize, Setup)>,
}

/// Two measures, compiled.
#[derive(Debug)]
pub struct CheckedPair {
    /// Places of the two among the variants.
    pub of: [usize; 2],
    /// Paths at which the second one changes what the first one has done.
    pub overridden: Vec<String>,
    /// The model with both and, where normal operation is described, the same there; or why there
    /// is none.
    pub setup: Result<(Setup, Option<Setup>), String>,
}

/// A break-even, its points compiled.
#[derive(Debug)]
pub struct CheckedBreakEven {
    /// Place of the assumed variant.
    pub variant: usize,
    /// Place of the variant that it is compared with; none for the one that saves most.
    pub against: Option<usize>,
    pub measure: String,
    pub input: String,
    /// How a number of the axis is said.
    pub say: fn(f64) -> String,
    pub replicas: Option<u64>,
    /// The values as text and as numbers, and the model, in the order of the numbers.
    pub points: Vec<(String, f64, Setup)>,
}

impl Checker<'_> {
    /// Reads and compiles all that is said about corrective measures.
    pub(in crate::study) fn corrective(&mut self, variants: &[Option<Setup>]) -> Corrective {
        let roles = roles(&self.experiment.variants);
        let normal = self.experiment.normal.as_ref();
        let checked = normal.and_then(|normal| self.normal(normal, &roles, variants));
        let (pairs, pairs_replicas) = match &self.experiment.pairs {
            None => (Vec::new(), None),
            Some(pairs) => {
                self.replicas(pairs.replicas);
                (self.pairs(&roles, variants, normal), pairs.replicas)
            }
        };
        let asked = &self.experiment.break_even;
        let break_evens = asked.iter().filter_map(|b| self.break_even(b, &roles, variants));
        let break_evens = break_evens.collect();
        Corrective { roles, normal: checked, pairs, pairs_replicas, break_evens }
    }

    fn normal(
        &mut self,
        normal: &Normal,
        roles: &[RoleOf],
        variants: &[Option<Setup>],
    ) -> Option<CheckedNormal> {
        self.replicas(normal.replicas);
        let own: Vec<Patch> = edits(&normal.set, &normal.add, &normal.remove).collect();
        let Some(mark) = own.first().map(|patch| patch.path().mark) else {
            let problem = Problem::new("`normal` changes nothing: the trigger is still there");
            self.problems.push(problem.help("take it away, with `remove`, `set` or `add`"));
            return None;
        };
        if !roles.iter().any(|role| role.is == Is::Corrective) {
            let what = "there is no corrective variant that could have a price in `normal`";
            let help = "write `is: corrective` at the variants that are corrective measures";
            self.problems.push(Problem::new(what).help(help).at(mark));
        }
        let name = Name { value: BASELINE.to_owned(), mark };
        let baseline = self.setup(&name, own)?;
        for name in &normal.measures {
            let known = || baseline.measures.iter().map(|measure| measure.name.as_str());
            if !known().any(|measure| is_shown(&name.value, measure)) {
                self.problems.push(unknown("measure", name, known()));
            }
        }
        let mut compiled = vec![(0, baseline)];
        for (place, setup) in variants.iter().enumerate() {
            let Some(setup) = setup.as_ref().filter(|_| roles[place].is == Is::Corrective) else {
                continue;
            };
            match self.in_normal(normal, &setup.name, &setup.patches) {
                Ok(setup) => compiled.push((place, setup)),
                Err(problems) => self.problems.extend(problems),
            }
        }
        Some(CheckedNormal {
            about: normal.about.clone().unwrap_or_else(|| "normal operation".to_owned()),
            replicas: normal.replicas,
            measures: normal.measures.iter().map(|name| name.value.clone()).collect(),
            variants: compiled,
        })
    }

    /// A variant in normal operation: its patches, then the edits.
    fn in_normal(
        &mut self,
        normal: &Normal,
        name: &str,
        patches: &[Patch],
    ) -> Result<Setup, Vec<Problem>> {
        let mut all = patches.to_vec();
        let mut root = self.base.clone();
        // What cannot be applied is told when the variant is compiled.
        let mut apply = |patch: &Patch| apply(&mut root, patch).is_ok();
        for patch in patches {
            let _ = apply(patch);
        }
        for patch in edits(&normal.set, &normal.add, &normal.remove) {
            let is_applied = apply(&patch);
            let is_gone = matches!(patch, Patch::Remove { .. })
                && patches.iter().any(|own| own.changes_the_place_of(&patch));
            if is_applied || !is_gone {
                all.push(patch);
            }
        }
        self.try_setup(name, all).map_err(|problems| {
            let help = format!("change `normal` or `{name}`, so that both can be applied");
            let told = |problem: Problem| Problem {
                what: format!("in normal operation with `{name}`: {}", problem.what),
                help: problem.help.or_else(|| Some(help.clone())),
                ..problem
            };
            problems.into_iter().map(told).collect()
        })
    }

    fn pairs(
        &mut self,
        roles: &[RoleOf],
        variants: &[Option<Setup>],
        normal: Option<&Normal>,
    ) -> Vec<CheckedPair> {
        let ranked: Vec<usize> = (1..roles.len()).filter(|&i| roles[i].is_ranked()).collect();
        if ranked.len() < 2 {
            let what = format!("`pairs` needs two corrective measures, and there are {}", {
                ranked.len()
            });
            let help = "write `is: corrective` at variants that contain no other measure and are \
                not `assumed`";
            self.problems.push(Problem::new(what).help(help));
        }
        let mut pairs = Vec::new();
        for (index, &first) in ranked.iter().enumerate() {
            for &second in &ranked[index + 1..] {
                let (Some(a), Some(b)) = (&variants[first], &variants[second]) else { continue };
                let mut overridden: Vec<String> = Vec::new();
                for patch in &b.patches {
                    let path = &patch.path().value;
                    let is_hit = a.patches.iter().any(|earlier| patch.overrides(earlier));
                    if is_hit && !overridden.contains(path) {
                        overridden.push(path.clone());
                    }
                }
                let patches = [&a.patches[..], &b.patches[..]].concat();
                let name = format!("{} + {}", a.name, b.name);
                let setup = self.pair(&name, &patches, normal);
                pairs.push(CheckedPair { of: [first, second], overridden, setup });
            }
        }
        pairs
    }

    /// The model with both measures, and the same in normal operation.
    fn pair(
        &mut self,
        name: &str,
        patches: &[Patch],
        normal: Option<&Normal>,
    ) -> Result<(Setup, Option<Setup>), String> {
        let why = |problems: Vec<Problem>| {
            problems.into_iter().next().map_or_else(String::new, |problem| problem.what)
        };
        let setup = self.try_setup(name, patches.to_vec()).map_err(why)?;
        let normal = match normal {
            None => None,
            Some(normal) => Some(self.in_normal(normal, name, patches).map_err(why)?),
        };
        Ok((setup, normal))
    }

    fn break_even(
        &mut self,
        asked: &BreakEven,
        roles: &[RoleOf],
        variants: &[Option<Setup>],
    ) -> Option<CheckedBreakEven> {
        self.replicas(asked.replicas);
        let variant = self.variant(Some(&asked.variant))?;
        let is_assumed = self.is_assumed(&asked.variant, &roles[variant]);
        let against = match &asked.against {
            Some(name) => Some(self.against(name, variant, roles)?),
            None if roles.iter().any(RoleOf::is_ranked) => None,
            None => {
                let what = "there is no corrective measure to compare it with";
                let help = "write `is: corrective` at one that is not `assumed`, or give `against`";
                self.problems.push(Problem::new(what).help(help).at(asked.variant.mark));
                return None;
            }
        };
        let setup = variants[variant].as_ref();
        let default = Name::nowhere(RANKED_BY.to_owned());
        let measure = asked.measure.as_ref().unwrap_or(&default);
        self.unit(measure, setup)?;
        if let Some(other) = against.and_then(|place| variants[place].as_ref()) {
            self.unit(measure, Some(other))?;
        }
        let (input, values) = self.axis(asked)?;
        let mut points = self.break_even_points(asked, setup?, values)?;
        points.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (input, say) = (input.value.clone(), words_of(values)?);
        is_assumed.then(|| CheckedBreakEven {
            variant,
            against,
            measure: measure.value.clone(),
            input,
            say,
            replicas: asked.replicas,
            points,
        })
    }

    fn is_assumed(&mut self, name: &Name, role: &RoleOf) -> bool {
        let is_assumed = !role.assumed.is_empty();
        if !is_assumed {
            let what = format!("`{}` is not assumed: its effect is simulated", name.value);
            let help = "write `assumed: yes` at the variant, or use `sweep` to vary its input";
            self.problems.push(Problem::new(what).help(help).at(name.mark));
        }
        is_assumed
    }

    fn against(&mut self, name: &Name, variant: usize, roles: &[RoleOf]) -> Option<usize> {
        let place = self.variant(Some(name))?;
        let what = match () {
            () if place == variant => "a variant cannot break even with itself".to_owned(),
            () if !roles[place].assumed.is_empty() => {
                format!("the effect of `{}` is assumed, too", name.value)
            }
            () => return Some(place),
        };
        let help = "compare it with a variant whose effect is simulated";
        self.problems.push(Problem::new(what).help(help).at(name.mark));
        None
    }

    /// The name and the values of the axis; all lists must be as long.
    fn axis<'b>(&mut self, asked: &'b BreakEven) -> Option<(&'b Name, &'b [Node])> {
        let mark = asked.variant.mark;
        let Some((input, values)) = asked.axis.iter().chain(asked.over.iter()).next() else {
            let problem = Problem::new("this break-even has no input");
            let help = "write `over: {PATH: [VALUES]}`";
            self.problems.push(problem.help(help).at(mark));
            return None;
        };
        let lists = || asked.axis.iter().chain(asked.over.iter());
        let mut wrong = |what: String, help: &str, mark: Mark| {
            self.problems.push(Problem::new(what).help(help).at(mark));
        };
        if asked.axis.len() > 1 || asked.over.is_empty() {
            let what = format!("{} axes over {} paths", asked.axis.len(), asked.over.len());
            wrong(what, "give one axis at most, and one path at least", input.mark);
            return None;
        }
        if !(2..=MAX_POINTS).contains(&values.len()) {
            let what = format!("a break-even between {} points", values.len());
            wrong(what, "give two at least", input.mark);
            return None;
        }
        if let Some((path, other)) = lists().find(|(_, list)| list.len() != values.len()) {
            let (known, own) = (values.len(), other.len());
            let what =
                format!("`{}` has {own} values, and `{}` has {known}", path.value, input.value);
            wrong(what, "inputs that change together have as many values each", path.mark);
            return None;
        }
        let numbers: Vec<f64> = values.iter().filter_map(number).collect();
        let is_twice = (1..numbers.len()).any(|i| numbers[..i].contains(&numbers[i]));
        if words_of(values).is_none() || is_twice {
            let what =
                format!("the values of `{}` are not different quantities of one kind", input.value);
            let help = "say by `axis: {WORDS: [NUMBERS]}` what is counted";
            wrong(what, help, input.mark);
            return None;
        }
        Some((input, values))
    }

    fn break_even_points(
        &mut self,
        asked: &BreakEven,
        setup: &Setup,
        values: &[Node],
    ) -> Option<Vec<(String, f64, Setup)>> {
        let mut points = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let mut patches = setup.patches.clone();
            patches.extend(
                asked.over.iter().map(|(path, list)| Patch::Set {
                    path: path.clone(),
                    value: list[index].clone(),
                }),
            );
            let text = text_of(value);
            let name = Name { value: format!("{} at {text}", setup.name), mark: value.mark };
            points.push((text, number(value)?, self.setup(&name, patches)?));
        }
        Some(points)
    }
}

/// What each variant is for, the baseline first.
fn roles(variants: &Named<Variant>) -> Vec<RoleOf> {
    let mut roles = vec![RoleOf::default()];
    for (name, variant) in variants {
        let mut inside = Vec::new();
        collect(variants, &name.value, variant, &mut inside);
        let parts = || inside.iter().filter_map(|part| Some((part, variants.get(part)?)));
        let assumed = parts().filter(|(_, part)| part.assumed);
        roles.push(RoleOf {
            is: variant.is,
            assumed: assumed.map(|(part, _)| part.clone()).collect(),
            is_combination: parts()
                .any(|(part, found)| *part != name.value && found.is == Is::Corrective),
        });
    }
    roles
}

/// A variant and all that it contains, each once.
fn collect(variants: &Named<Variant>, name: &str, variant: &Variant, seen: &mut Vec<String>) {
    if seen.iter().any(|known| known == name) {
        return;
    }
    seen.push(name.to_owned());
    for part in &variant.all_of {
        if let Some(found) = variants.get(&part.value) {
            collect(variants, &part.value, found, seen);
        }
    }
}
