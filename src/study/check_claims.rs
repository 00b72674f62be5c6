//! Reading claims: names to measures and variants, limits in the unit of the measure.

use super::check::{CheckedClaim, Checker, Unless};
use super::claim::{Condition, Statistic, Test};
use super::experiment::{Claim, Edits, Event};
use super::quantity::{Limit, read, read_difference, read_factor};
use super::setup::Setup;
use crate::measure::unit;
use crate::text::{Mark, Name, Node, Problem, Value};

/// How a limit is read.
type Read = fn(&Node, &str) -> Result<Limit, String>;

impl Checker<'_> {
    pub(super) fn claims(&mut self, variants: &[Option<Setup>]) -> Vec<CheckedClaim> {
        let experiment = self.experiment;
        experiment.expect.iter().filter_map(|claim| self.claim(claim, variants)).collect()
    }

    fn claim(&mut self, claim: &Claim, variants: &[Option<Setup>]) -> Option<CheckedClaim> {
        let kinds = [
            claim.probability.is_some(),
            claim.mean.is_some(),
            claim.quantile.is_some(),
            claim.spread.is_some(),
            claim.difference.is_some(),
            claim.ratio.is_some(),
        ];
        if kinds.iter().filter(|is_there| **is_there).count() != 1 {
            let what = format!("the claim `{}` does not say what it means", claim.claim.value);
            let help = "give exactly one of `probability`, `mean`, `quantile`, `spread`, \
                `difference` and `ratio`";
            self.problems.push(Problem::new(what).help(help).at(claim.claim.mark));
            return None;
        }
        let (test, variant, against) = self.test(claim, variants)?;
        let unless = match &claim.unless {
            None => None,
            Some(edits) => {
                let about = edits.about.clone().unwrap_or_else(|| {
                    let paths = edits.set.names().chain(edits.add.names());
                    let paths = paths.chain(edits.remove.iter().map(|path| path.value.as_str()));
                    paths.collect::<Vec<_>>().join(", ")
                });
                let of = variants[variant].as_ref()?;
                let changed = self.without(&claim.claim.value, of, edits)?;
                let against = match against == variant {
                    true => None,
                    false => {
                        let of = variants[against].as_ref()?;
                        let nothing = Edits::default();
                        let edits = if edits.variant_only { &nothing } else { edits };
                        Some(self.without(&claim.claim.value, of, edits)?)
                    }
                };
                Some(Unless { about, variant: changed, against })
            }
        };
        let (said_by, claim) = (claim.said_by, claim.claim.value.clone());
        Some(CheckedClaim { claim, test, variant, against, unless, said_by })
    }

    /// The test, the variant, and the variant that it is compared with (itself if with none).
    fn test(&mut self, claim: &Claim, variants: &[Option<Setup>]) -> Option<(Test, usize, usize)> {
        let value: Read = |node, unit| read(node, unit).map(Limit::Value);
        if let Some(p) = &claim.probability {
            let variant = self.variant(p.variant.as_ref())?;
            let (measure, condition) = self.event(&p.of, variants[variant].as_ref())?;
            let statistic = Statistic::Probability(condition);
            let limits = (p.above.as_ref(), p.below.as_ref());
            let test = self.limits(claim, statistic, measure, unit::SHARE, limits, value)?;
            return Some((test, variant, variant));
        }
        if let Some(q) = &claim.quantile {
            let variant = self.variant(q.variant.as_ref())?;
            let unit = self.unit(&q.of, variants[variant].as_ref())?;
            let limits = (q.above.as_ref(), q.below.as_ref());
            let statistic = Statistic::Quantile(q.at.0);
            let test = self.limits(claim, statistic, q.of.value.clone(), unit, limits, value)?;
            return Some((test, variant, variant));
        }
        if let Some(d) = claim.difference.as_ref().or(claim.ratio.as_ref()) {
            let variant = self.variant(Some(&d.variant))?;
            let against = self.variant(d.against.as_ref())?;
            let unit = self.unit(&d.of, variants[variant].as_ref())?;
            self.unit(&d.of, variants[against].as_ref())?;
            let read: Read = match claim.ratio {
                Some(_) => |node, _| read_factor(node),
                None => read_difference,
            };
            let limits = (d.above.as_ref(), d.below.as_ref());
            let measure = d.of.value.clone();
            let test = self.limits(claim, Statistic::Difference, measure, unit, limits, read)?;
            return Some((test, variant, against));
        }
        let (m, statistic, read): (_, _, Read) = match (&claim.mean, &claim.spread) {
            (Some(mean), _) => (mean, Statistic::Mean, value),
            (None, Some(spread)) => (spread, Statistic::Spread, read_width),
            (None, None) => return None,
        };
        let variant = self.variant(m.variant.as_ref())?;
        let unit = self.unit(&m.of, variants[variant].as_ref())?;
        let limits = (m.above.as_ref(), m.below.as_ref());
        let test = self.limits(claim, statistic, m.of.value.clone(), unit, limits, read)?;
        Some((test, variant, variant))
    }

    /// Reads the limits of a claim; at least one must be there.
    fn limits(
        &mut self,
        claim: &Claim,
        statistic: Statistic,
        measure: String,
        unit: &'static str,
        (above, below): (Option<&Node>, Option<&Node>),
        read: Read,
    ) -> Option<Test> {
        if above.is_none() && below.is_none() {
            let what = format!("the claim `{}` has no limit", claim.claim.value);
            let problem = Problem::new(what).help("add `above: ...` or `below: ...`");
            self.problems.push(problem.at(claim.claim.mark));
            return None;
        }
        let mut limit = |node: Option<&Node>| match node.map(|node| (node, read(node, unit))) {
            None => Some(None),
            Some((_, Ok(limit))) => Some(Some(limit)),
            Some((node, Err(what))) => {
                self.problems.push(Problem::new(what).at(node.mark));
                None
            }
        };
        let (above, below) = (limit(above), limit(below));
        Some(Test { statistic, measure, unit, above: above?, below: below? })
    }

    /// The measure of an event and what must be true of it.
    fn event(&mut self, event: &Event, variant: Option<&Setup>) -> Option<(String, Condition)> {
        match event {
            Event::Helped(action) => {
                let value = format!("helped.{}", action.value);
                self.unit(&Name { value: value.clone(), mark: action.mark }, variant)?;
                Some((value, Condition::True))
            }
            Event::Measure(measure) => {
                self.happens(measure, variant)?;
                Some((measure.value.clone(), Condition::True))
            }
            Event::Text(text) => self.comparison(text, variant),
        }
    }

    /// `MEASURE below 10min`, or the bare name of a measure that is 0 or 1.
    fn comparison(&mut self, text: &Name, variant: Option<&Setup>) -> Option<(String, Condition)> {
        let split = |word: &str| text.value.rsplit_once(word);
        let (measure, limit, is_below) = match (split(" below "), split(" above ")) {
            (Some((measure, limit)), _) => (measure, limit, true),
            (None, Some((measure, limit))) => (measure, limit, false),
            (None, None) => {
                self.happens(text, variant)?;
                return Some((text.value.clone(), Condition::True));
            }
        };
        let measure = measure.trim().to_owned();
        let unit = self.unit(&Name { value: measure.clone(), mark: text.mark }, variant)?;
        let limit = limit.trim();
        let node = match limit.parse::<f64>() {
            Ok(number) => Node { mark: Mark::NONE, value: Value::Float(number) },
            Err(_) => Node { mark: Mark::NONE, value: Value::Text(limit.to_owned()) },
        };
        match read(&node, unit) {
            Ok(limit) if is_below => Some((measure, Condition::Below(limit))),
            Ok(limit) => Some((measure, Condition::Above(limit))),
            Err(what) => {
                self.problems.push(Problem::new(what).at(text.mark));
                None
            }
        }
    }

    /// The measure must be there and be one that happens or not.
    fn happens(&mut self, measure: &Name, variant: Option<&Setup>) -> Option<()> {
        self.unit(measure, variant)?;
        let known = variant.map_or(&self.measures, |setup| &setup.measures);
        let found = known.iter().find(|m| m.name == measure.value)?;
        if found.kind == crate::measure::Kind::Probability {
            return Some(());
        }
        let what = format!("`{}` is a quantity, and not something that happens", measure.value);
        let help = format!("compare it with something: `{} below ...`", measure.value);
        self.problems.push(Problem::new(what).help(help).at(measure.mark));
        None
    }
}

/// The limit of a spread: a difference in the unit, or a ratio such as `2x`.
fn read_width(node: &Node, unit: &str) -> Result<Limit, String> {
    match &node.value {
        Value::Text(text) if text.trim().ends_with('x') => read_factor(node),
        _ => read(node, unit).map(Limit::Value),
    }
}
