//! Uncertain inputs: quantities of a model that are drawn once for each replica.

use crate::dist::{Dist, Quantity, Sampler};
use crate::rng::Stream;
use crate::text::{Key, Mark, Name, Named, Node, Patch, Problem, Value, decode};
use crate::units::{Bytes, Factor, Rate, Share, Span};

/// An uncertain input.
#[derive(Debug, Clone)]
pub struct Draw {
    /// Path of the quantity in the model.
    pub path: Name,
    sampler: Sampler,
    /// Makes the value in the base unit what a file would say: the value after rounding, its text.
    node: fn(f64) -> (f64, Value),
}

impl Draw {
    /// Reads the distribution of an input; its kind of quantity follows from its units.
    ///
    /// # Errors
    /// What is wrong with the distribution.
    pub fn new(
        path: &Name,
        dist: &Node,
        read_file: &mut dyn FnMut(&str) -> Result<String, String>,
    ) -> Result<Draw, Vec<Problem>> {
        let read = match kind(dist) {
            QuantityKind::Rate => draw::<Rate>,
            QuantityKind::Share => draw::<Share>,
            QuantityKind::Factor => draw::<Factor>,
            QuantityKind::Bytes => draw::<Bytes>,
            QuantityKind::Span => draw::<Span>,
            QuantityKind::Number => draw::<f64>,
        };
        read(path, dist, read_file)
    }

    /// The value of a replica in its base unit, and the patch that sets it. Every variant of the
    /// replica draws the same value, because its stream belongs to the path alone.
    #[must_use]
    pub fn patch(&self, seed: u64, replica: u64) -> (f64, Patch) {
        let mut stream = Stream::new(seed, replica, "uncertain", &self.path.value);
        let (value, text) = (self.node)(self.sampler.sample(&mut stream));
        let value_node = Node { mark: self.path.mark, value: text };
        (value, Patch::Set { path: self.path.clone(), value: value_node })
    }
}

/// Kinds of quantities that a file can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum QuantityKind {
    Rate,
    Share,
    Factor,
    Bytes,
    Span,
    Number,
}

/// The kind of the first quantity with a unit inside; a number if there is none.
fn kind(node: &Node) -> QuantityKind {
    fn find(node: &Node) -> Option<QuantityKind> {
        match &node.value {
            Value::Text(text) => of_text(text),
            Value::List(items) => items.iter().find_map(find),
            Value::Map(entries) => entries.iter().find_map(|(_, node)| find(node)),
            _ => None,
        }
    }
    fn of_text(text: &str) -> Option<QuantityKind> {
        Some(match text {
            _ if text.parse::<Rate>().is_ok() => QuantityKind::Rate,
            _ if text.parse::<Share>().is_ok() => QuantityKind::Share,
            _ if text.parse::<Factor>().is_ok() => QuantityKind::Factor,
            _ if text.parse::<Bytes>().is_ok() => QuantityKind::Bytes,
            _ if text.parse::<Span>().is_ok() => QuantityKind::Span,
            _ => return None,
        })
    }
    find(node).unwrap_or(QuantityKind::Number)
}

/// How the numbers of an axis are said, if all values of the axis are quantities of one kind.
#[must_use]
pub fn words_of(values: &[Node]) -> Option<fn(f64) -> String> {
    fn say<Q: Quantity>(number: f64) -> String {
        Q::from_f64(number).to_string()
    }
    let first = kind(values.first()?);
    let fits = |node: &Node| number(node).is_some_and(f64::is_finite) && kind(node) == first;
    values.iter().all(fits).then_some(match first {
        QuantityKind::Rate => say::<Rate>,
        QuantityKind::Share => say::<Share>,
        QuantityKind::Factor => say::<Factor>,
        QuantityKind::Bytes => say::<Bytes>,
        QuantityKind::Span => say::<Span>,
        QuantityKind::Number => crate::study::quantity::plain_number,
    })
}

/// The number of a quantity in its base unit, for the axis of a sweep; none if it is not one.
#[must_use]
pub fn number(node: &Node) -> Option<f64> {
    fn of<Q: Quantity>(text: &str) -> Option<f64> {
        Q::parse(text).ok().map(Q::to_f64)
    }
    match &node.value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Text(text) => match kind(node) {
            QuantityKind::Rate => of::<Rate>(text),
            QuantityKind::Share => of::<Share>(text),
            QuantityKind::Factor => of::<Factor>(text),
            QuantityKind::Bytes => of::<Bytes>(text),
            QuantityKind::Span => of::<Span>(text),
            QuantityKind::Number => of::<f64>(text),
        },
        _ => None,
    }
}

fn draw<Q: Quantity>(
    path: &Name,
    dist: &Node,
    read_file: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<Draw, Vec<Problem>> {
    // In a map of its own, so that messages name the path.
    let key = Key { text: path.value.clone(), mark: path.mark };
    let map = Node { mark: Mark::NONE, value: Value::Map(vec![(key, dist.clone())]) };
    let decoded = decode::<Named<Dist<Q>>>(&map);
    let law = decoded.value.and_then(|named| named.0.into_iter().next());
    let Some((_, law)) = law.filter(|_| decoded.problems.is_empty()) else {
        return Err(decoded.problems);
    };
    let sampler = law.compile(read_file).map_err(|what| vec![Problem::new(what).at(dist.mark)])?;
    Ok(Draw { path: path.clone(), sampler, node: said::<Q> })
}

/// A value as a file would say it. Whole numbers are written without a point, so that they fit
/// where a count is wanted.
fn said<Q: Quantity>(value: f64) -> (f64, Value) {
    let quantity = Q::from_f64(value);
    let value = quantity.to_f64();
    let node = match serde_json::to_value(quantity) {
        Ok(json) => Node::from_json(&json).value,
        Err(_) => Value::Null,
    };
    match node {
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            (value, Value::Int(number as i64))
        }
        node => (value, node),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Sources, read};

    fn new(dist: &str) -> Result<Draw, Vec<Problem>> {
        let node = read(&mut Sources::default(), "test", dist).unwrap();
        Draw::new(&Name::nowhere("a.b".to_owned()), &node, &mut |_| Err("no files".to_owned()))
    }

    fn set(patch: &Patch) -> &Value {
        match patch {
            Patch::Set { value, .. } => &value.value,
            _ => &Value::Null,
        }
    }

    #[test]
    fn a_draw_keeps_the_kind_of_its_quantity_and_depends_on_the_replica_alone() {
        let rate = new("uniform: [1.0/s, 1.4/s]").unwrap();
        let (value, patch) = rate.patch(1, 7);
        assert!((1.0..=1.4).contains(&value));
        let Value::Text(text) = set(&patch) else { panic!("{patch:?}") };
        assert_eq!(text.parse::<Rate>().unwrap().0, value);
        assert_eq!(rate.patch(1, 7), (value, patch));
        assert_ne!(rate.patch(1, 8).0, value);
        assert_ne!(rate.patch(2, 7).0, value);
        let whole = new("empirical: {values: [2, 3]}").unwrap();
        assert!(matches!(set(&whole.patch(1, 1).1), Value::Int(2 | 3)));
        assert!(new("lognormal: {mean: 10min, cv: 0.3}").is_ok());
    }

    #[test]
    fn a_wrong_distribution_is_explained() {
        let problems = new("uniform: [1/s, 5min]").unwrap_err();
        assert!(problems[0].what.contains("5min"), "{problems:?}");
        let problems = new("lognormal: {mean: 10min}").unwrap_err();
        assert!(problems[0].what.contains("`cv`"), "{problems:?}");
    }

    #[test]
    fn the_values_of_a_sweep_are_numbers_in_base_units() {
        let of = |text: &str| number(&Node::from_json(&text.into()));
        assert_eq!(of("30/min"), Some(0.5));
        assert_eq!(of("250ms"), Some(0.25));
        assert_eq!(of("80%"), Some(0.8));
        assert_eq!(of("fifo"), None);
    }
}
