//! The runs that corrective measures need beside the variants, and what comes of their rows.

use super::break_even::break_even;
use super::check::{CheckedBreakEven, CheckedNormal, Corrective};
use super::pairs;
use super::rank::ranking;
use super::table::{BreakEven, Pairs, Prices, Ranking};
use super::words::Is;
use crate::study::caution::{Caution, of_extra_replicas};
use crate::study::check::is_shown;
use crate::study::estimate::estimate;
use crate::study::result::{VariantRows, describe};
use crate::study::setup::Setup;

/// The rows beside those of the variants.
#[derive(Debug, Default)]
pub struct Rows {
    /// Normal operation: the baseline, then the corrective variants.
    pub normal: Vec<VariantRows>,
    /// The pairs that fit together.
    pub pairs: Vec<VariantRows>,
    /// The points of all break-evens.
    pub points: Vec<VariantRows>,
    /// The best pair in normal operation.
    pub best_pair: Option<VariantRows>,
}

/// What a study says about corrective measures.
#[derive(Debug, Default)]
pub struct Found {
    pub ranking: Option<Ranking>,
    pub pairs: Option<Pairs>,
    pub prices: Option<Prices>,
    pub break_evens: Vec<BreakEven>,
    pub cautions: Vec<Caution>,
}

impl Corrective {
    /// What is run beside the variants, with numbers of replicas where the file says some: normal
    /// operation, then the pairs that fit, then the points of the break-evens.
    pub fn setups(&self) -> impl Iterator<Item = (&Setup, Option<u64>)> {
        let normal = self.normal.iter().flat_map(|normal| {
            normal.variants.iter().map(move |(_, setup)| (setup, normal.replicas))
        });
        let pairs = self.pairs_that_fit().map(|(setup, _)| (setup, self.pairs_replicas));
        let points = self
            .break_evens
            .iter()
            .flat_map(|asked| asked.points.iter().map(move |(.., setup)| (setup, asked.replicas)));
        normal.chain(pairs).chain(points)
    }

    /// The models of the pairs that fit together, and the same in normal operation.
    pub fn pairs_that_fit(&self) -> impl Iterator<Item = &(Setup, Option<Setup>)> {
        self.pairs.iter().filter_map(|pair| pair.setup.as_ref().ok())
    }

    /// The best pair in normal operation, from the rows of the pairs that fit.
    pub fn best_pair_in_normal(&self, pairs: &[VariantRows]) -> Option<&Setup> {
        self.pairs_that_fit().nth(pairs::best(pairs)?)?.1.as_ref()
    }

    /// Takes the rows of [`Corrective::setups`].
    pub fn take(&self, rows: &mut impl Iterator<Item = VariantRows>) -> Rows {
        let mut next = |count: usize| rows.by_ref().take(count).collect();
        Rows {
            normal: next(self.normal.as_ref().map_or(0, |normal| normal.variants.len())),
            pairs: next(self.pairs_that_fit().count()),
            points: next(self.break_evens.iter().map(|asked| asked.points.len()).sum()),
            best_pair: None,
        }
    }

    /// What the rows say.
    pub fn found(
        &self,
        setups: &[Setup],
        variants: &[VariantRows],
        rows: &Rows,
        seed: u64,
    ) -> Found {
        let ranking = ranking(&self.roles, variants);
        let pairs = pairs::table(self, variants, &rows.pairs, ranking.as_ref());
        let prices = self.normal.as_ref().map(|normal| self.prices(normal, rows));
        let mut points = rows.points.as_slice();
        let mut break_evens = Vec::new();
        for asked in &self.break_evens {
            let (own, rest) = points.split_at(asked.points.len());
            points = rest;
            break_evens.push(one(asked, own, setups, variants, ranking.as_ref(), seed));
        }
        let cautions = self.cautions(variants, rows);
        Found { ranking, pairs, prices, break_evens, cautions }
    }

    fn prices(&self, normal: &CheckedNormal, rows: &Rows) -> Prices {
        let base = &rows.normal[0];
        let measures = measures_of_price(normal, base);
        let mut variants = Vec::new();
        for ((place, setup), own) in normal.variants.iter().zip(&rows.normal) {
            let mut variant = describe(setup, own, (*place > 0).then_some(base), &measures);
            let role = &self.roles[*place];
            (variant.is, variant.assumed) = (role.is, !role.assumed.is_empty());
            variants.push(variant);
        }
        if let Some((setup, own)) =
            self.best_pair_in_normal(&rows.pairs).zip(rows.best_pair.as_ref())
        {
            let variant = describe(setup, own, Some(base), &measures);
            variants.push(crate::study::table::Variant { is: Is::Corrective, ..variant });
        }
        Prices { about: normal.about.clone(), measures, variants }
    }

    fn cautions(&self, variants: &[VariantRows], rows: &Rows) -> Vec<Caution> {
        let mut all = Vec::new();
        for own in rows.normal.iter().chain(&rows.best_pair) {
            let name = format!("{} in normal operation", own.name);
            all.extend(of_extra_replicas(&name, own.rows.iter().map(|row| &row.doubts)));
        }
        for own in rows.pairs.iter().chain(&rows.points) {
            all.extend(of_extra_replicas(&own.name, own.rows.iter().map(|row| &row.doubts)));
        }
        if let Some(base) = rows.normal.first() {
            let seen = base.values("incident");
            let count = seen.iter().filter(|value| **value > 0.5).count();
            if count > 0 {
                all.push(Caution::IncidentInNormal { count, of: seen.len() });
            }
        }
        for (place, role) in self.roles.iter().enumerate() {
            let is_asked = self.break_evens.iter().any(|asked| asked.variant == place);
            let is_assumed = role.is == Is::Corrective && !role.assumed.is_empty();
            if is_assumed && !role.is_combination && !is_asked {
                all.push(Caution::NoBreakEven { variant: variants[place].name.clone() });
            }
        }
        all
    }
}

/// A break-even from the rows of its points.
fn one(
    asked: &CheckedBreakEven,
    points: &[VariantRows],
    setups: &[Setup],
    variants: &[VariantRows],
    ranking: Option<&Ranking>,
    seed: u64,
) -> BreakEven {
    let first = || {
        let name = &ranking?.measures.first()?.name;
        variants.iter().position(|rows| rows.name == *name)
    };
    let against = asked.against.or_else(first).unwrap_or(0);
    let setup = &setups[asked.variant];
    let measure = setup.column(&asked.measure).map(|column| &setup.measures[column]);
    let of_measure = measure.map_or(("", crate::measure::Better::Lower), |m| (m.unit, m.better));
    let values: Vec<Vec<f64>> = points.iter().map(|rows| rows.values(&asked.measure)).collect();
    let other = variants[against].values(&asked.measure);
    let names = (variants[asked.variant].name.as_str(), variants[against].name.as_str());
    break_even(asked, names, (&values, &other), of_measure, seed)
}

/// The names of the measures that make the price.
fn measures_of_price(normal: &CheckedNormal, base: &VariantRows) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |wanted: &str| {
        for name in base.measures.iter().filter(|name| is_shown(wanted, name)) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    };
    if !normal.measures.is_empty() {
        normal.measures.iter().for_each(|wanted| add(wanted));
        return names;
    }
    ["latency_p50", "latency_p99", "loss.*"].iter().for_each(|wanted| add(wanted));
    let busy = base.measures.iter().filter(|name| name.starts_with("utilisation."));
    let busy = busy.map(|name| (name, estimate(&base.values(name)).mean));
    // The first one of those that are as busy.
    let busiest = busy
        .filter(|(_, mean)| !mean.is_nan())
        .reduce(|best, next| if next.1 > best.1 { next } else { best });
    if let Some((name, _)) = busiest {
        add(name);
    }
    add("instances");
    names
}
