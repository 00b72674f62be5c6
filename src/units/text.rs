//! How quantities are read from text and written to it.

use serde::de::{self, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// Names of units and their sizes in the smallest unit, smallest first.
pub(super) type Units = [(&'static str, u64)];

/// What a kind of quantity is called in messages.
pub(super) trait Words: Sized + FromStr<Err = String> {
    const WHAT: &'static str;
    const EXAMPLE: &'static str;
    const UNITS: &'static str;

    /// The message for a text that is not such a quantity.
    fn not(text: &str) -> String {
        let (what, example, units) = (Self::WHAT, Self::EXAMPLE, Self::UNITS);
        if !text.is_empty() && text.parse::<f64>().is_ok() {
            return Self::without_unit(text);
        }
        format!("`{text}` is not {what}; write for example `{example}` (units: {units})")
    }

    /// The message for a plain number.
    fn without_unit(number: impl fmt::Display) -> String {
        format!("{number} is a number without unit; write for example `{}`", Self::EXAMPLE)
    }

    /// The message for a value out of range.
    fn absurd(text: &str, why: &str) -> String {
        format!("`{text}` is {why}; write for example `{}`", Self::EXAMPLE)
    }
}

/// Splits `1.5ms…` into the decimal number `1.5` and the rest. No sign and no exponent: a sign is
/// always an error here, and an exponent is never needed beside a unit.
pub(super) fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    number.parse::<f64>().ok()?;
    Some((number, rest.trim_start()))
}

/// `number` times `unit`, rounded to the nearest whole; exact for whole numbers.
pub(super) fn scaled(number: &str, unit: u64) -> Option<u64> {
    match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(unit),
        // Beyond 2^64 the cast saturates; every caller has a lower limit than that.
        Err(_) => Some((number.parse::<f64>().ok()? * unit as f64).round() as u64),
    }
}

pub(super) fn unit_of(units: &Units, name: &str) -> Option<u64> {
    units.iter().find(|(unit, _)| *unit == name).map(|&(_, size)| size)
}

/// The text of a whole value in the unit that divides it and gives the smallest number.
pub(super) fn exact_whole(value: u64, units: &Units) -> String {
    units
        .iter()
        .filter(|(unit, size)| value.is_multiple_of(*size) && unit.is_ascii())
        .map(|(unit, size)| (value / size, unit))
        .min_by_key(|(number, _)| *number)
        .map_or_else(String::new, |(number, unit)| format!("{number}{unit}"))
}

/// A number for people: four significant digits.
pub(super) fn rounded(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let digits = 3 - value.abs().log10().floor() as i32;
    let text = format!("{value:.*}", digits.clamp(0, 12) as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// `exact` if it is short, else the value in the largest unit that it fills at least once, rounded.
pub(super) fn short(exact: String, value: f64, units: &Units) -> String {
    if exact.len() <= 7 {
        return exact;
    }
    let (unit, size) = units
        .iter()
        .filter(|(unit, size)| unit.is_ascii() && *size as f64 <= value)
        .max_by_key(|(_, size)| *size)
        .unwrap_or(&units[0]);
    format!("{}{unit}", rounded(value / *size as f64))
}

/// Accepts a text with a unit and explains everything else.
pub(super) struct TextVisitor<Q>(pub(super) PhantomData<Q>);

impl<Q: Words> Visitor<'_> for TextVisitor<Q> {
    type Value = Q;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} such as `{}`", Q::WHAT, Q::EXAMPLE)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Q, E> {
        text.parse().map_err(E::custom)
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Q, E> {
        Err(E::custom(Q::without_unit(number)))
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Q, E> {
        Err(E::custom(Q::without_unit(number)))
    }
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Q, E> {
        Err(E::custom(Q::without_unit(number)))
    }
}
