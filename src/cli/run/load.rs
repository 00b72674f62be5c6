//! What is to be run: a model or a replica of an experiment, as it is and changed.

use super::super::{input, problems::Refusal};
use super::Args;
use crate::plan::{Plan, load_and_compile};
use crate::sim::warm_up::{self, Pilot};
use crate::study::{self, Checked, Options};
use crate::text::{Mark, Name, Patch, Problem, Sources, parse_set_argument, read};

/// The files and the arguments, read.
pub struct Loaded<'a> {
    args: &'a Args,
    sources: Sources,
    sets: Vec<Patch>,
    variant: Option<Name>,
    /// Of a model.
    text: String,
    /// Of an experiment.
    checked: Option<Box<Checked>>,
}

impl<'a> Loaded<'a> {
    /// Reads what the arguments name.
    pub fn new(args: &'a Args) -> Result<Loaded<'a>, Refusal> {
        let mut sources = Sources::default();
        let (mut sets, mut problems) = (Vec::new(), Vec::new());
        for set in &args.sets {
            match parse_set_argument(&mut sources, set) {
                Ok(patch) => sets.push(patch),
                Err(problem) => problems.push(problem),
            }
        }
        let variant = args.variant.as_ref().map(|name| {
            let source = sources.add("--variant", name);
            Name { value: name.clone(), mark: Mark { source, start: 0, end: name.len() as u32 } }
        });
        let text = match input::text(&mut sources, &args.model) {
            Ok(text) => text,
            Err(problem) => {
                problems.push(problem);
                return Err(Refusal::new(problems, sources));
            }
        };
        let name = args.model.display().to_string();
        let mut checked = None;
        if has_key(&name, &text, "model") {
            match study::check(&mut sources, &name, &text, &mut input::data) {
                Ok(good) => checked = Some(Box::new(good)),
                Err(more) => problems.extend(more),
            }
        } else if let Some(variant) = &variant {
            let what = format!("{name} is a model, and a model has no variants");
            let help = "give the experiment, such as `experiments/....yaml`, in its place";
            problems.push(Problem::new(what).help(help).at(variant.mark));
        }
        let mut loaded = Loaded { args, sources, sets, variant, text, checked };
        problems.extend(loaded.nothing_to_compare());
        if problems.is_empty() {
            return Ok(loaded);
        }
        // All problems at once: those of the model with the patches that could be read, too.
        if loaded.checked.is_none() && loaded.variant.is_none() {
            problems.extend(loaded.of_model(true).err().unwrap_or_default());
        }
        Err(Refusal::new(problems, loaded.sources))
    }

    /// A comparison wants a change.
    fn nothing_to_compare(&self) -> Option<Problem> {
        let baseline = study::experiment::BASELINE;
        let is_changed = !self.args.sets.is_empty()
            || self.variant.as_ref().is_some_and(|v| v.value != baseline);
        if !self.args.diff || is_changed {
            return None;
        }
        let variants = self.checked.iter().flat_map(|checked| &checked.variants).skip(1);
        let known: Vec<String> =
            variants.map(|setup| format!("`{}`", setup.name)).take(20).collect();
        let help = match known.is_empty() {
            true => "add `--set PATH=VALUE`, or give an experiment and `--variant NAME`".to_owned(),
            false => format!(
                "add `--set PATH=VALUE` or `--variant NAME`; variants: {}",
                known.join(", ")
            ),
        };
        Some(Problem::new("`--diff` compares with a change, and nothing is changed").help(help))
    }

    /// What makes the changed model of the other, in words, one for each variant and patch.
    pub fn changes(&self) -> Vec<String> {
        let mut all = Vec::new();
        if let Some(variant) = &self.variant {
            let variants = self.checked.iter().map(|checked| &checked.experiment.variants);
            let about = variants.filter_map(|all| all.get(&variant.value)?.about.clone()).next();
            all.push(match about {
                Some(about) => format!("`{}`: {}", variant.value, about.trim()),
                None => format!("`{}`", variant.value),
            });
        }
        all.extend(self.args.sets.iter().map(|set| format!("--set {set}")));
        all
    }

    /// What the changed run is called.
    pub fn name_of_changed(&self) -> String {
        match &self.variant {
            Some(variant) if self.args.sets.is_empty() => variant.value.clone(),
            _ => "changed".to_owned(),
        }
    }

    /// The plan of the replica, changed or as it is, and what its own pilot run found.
    pub fn plan(&mut self, changed: bool) -> Result<(Plan, Option<Pilot>), Refusal> {
        let found = match &self.checked {
            Some(checked) => self.of_experiment(checked, changed).map(|plan| (plan, None)),
            None => self.of_model(changed),
        };
        found.map_err(|problems| Refusal::new(problems, std::mem::take(&mut self.sources)))
    }

    fn of_experiment(&self, checked: &Checked, changed: bool) -> Result<Plan, Vec<Problem>> {
        let options = Options { seed: self.args.seed, ..Options::default() };
        if !changed {
            return checked.plan_of(&checked.variants[0], self.args.replica, &options);
        }
        let (variant, sets) = (self.variant.as_ref(), self.sets.clone());
        let setup = checked.changed(variant, sets, &mut input::data)?;
        checked.plan_of(&setup, self.args.replica, &options)
    }

    fn of_model(&mut self, changed: bool) -> Result<(Plan, Option<Pilot>), Vec<Problem>> {
        let patches = if changed { &self.sets[..] } else { &[] };
        let (path, seed) = (&self.args.model, self.args.seed.unwrap_or(1));
        let name = path.display().to_string();
        let mut read = input::beside(path);
        let (_, _, mut plan) =
            load_and_compile(&mut self.sources, &name, &self.text, patches, seed, &mut read)?;
        let pilot = warm_up::settle(&mut plan);
        Ok((plan, pilot))
    }
}

/// Whether a file has a key. One that cannot be read has none; the model's reader says what is
/// wrong with it.
fn has_key(name: &str, text: &str, key: &str) -> bool {
    read(&mut Sources::default(), name, text).is_ok_and(|root| root.get(key).is_some())
}
