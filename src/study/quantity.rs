//! Quantities of experiment files, read in the unit of the measure that they are about, and said in
//! evidence.

use crate::measure::unit;
use crate::text::{Node, Value};
use crate::units::{Bytes, Factor, Rate, Share, Span, seconds};

/// What a claim compares with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// A value in the unit of the measure.
    Value(f64),
    /// A part of what is compared with: -0.3 for `-30%`.
    Part(f64),
    /// A multiple of what is compared with.
    Times(f64),
}

/// A quantity in the unit of a measure.
///
/// # Errors
/// What is wrong and what to write instead, for a person.
pub fn read(node: &Node, unit: &str) -> Result<f64, String> {
    match &node.value {
        Value::Text(text) => value(text, unit),
        Value::Int(number) => plain(*number as f64, unit),
        Value::Float(number) => plain(*number, unit),
        _ => Err(format!("this is not a quantity; write {}", example(unit))),
    }
}

/// A limit of a difference: a signed quantity, or a signed part with a percent sign. For shares,
/// quantities are written in `points`.
///
/// # Errors
/// What is wrong and what to write instead, for a person.
pub fn read_difference(node: &Node, unit: &str) -> Result<Limit, String> {
    let Value::Text(text) = &node.value else { return read(node, unit).map(Limit::Value) };
    let text = text.trim();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest.trim_start()),
        None => (1.0, text.strip_prefix('+').unwrap_or(text).trim_start()),
    };
    if let Some(number) = rest.strip_suffix('%') {
        let part = number.trim().parse::<f64>().ok().filter(|part| part.is_finite());
        let wrong = || format!("`{text}` is not a part; write for example `-30%`");
        return part.map(|part| Limit::Part(sign * part / 100.0)).ok_or_else(wrong);
    }
    if unit == unit::SHARE {
        let points = rest.strip_suffix("points").and_then(|n| n.trim().parse::<f64>().ok());
        let wrong = || {
            format!(
                "`{text}` is not a difference of shares; write `-7 points`, or `-30%` for a part \
                 of the mean that it is compared with"
            )
        };
        let points = points.filter(|points| points.is_finite()).ok_or_else(wrong)?;
        return Ok(Limit::Value(sign * points / 100.0));
    }
    Ok(Limit::Value(sign * value(rest, unit)?))
}

/// A multiple, such as `0.5x`.
///
/// # Errors
/// What is wrong and what to write instead, for a person.
pub fn read_factor(node: &Node) -> Result<Limit, String> {
    match &node.value {
        Value::Text(text) => text.parse::<Factor>().map(|factor| Limit::Times(factor.0)),
        _ => Err("this is not a multiple; write for example `0.5x`".to_owned()),
    }
}

fn value(text: &str, unit: &str) -> Result<f64, String> {
    match unit {
        unit::MINUTES => text.parse::<Span>().map(|span| seconds(span.0) / 60.0),
        unit::SECONDS => text.parse::<Span>().map(|span| seconds(span.0)),
        unit::SHARE => text.parse::<Share>().map(|share| share.0),
        unit::PER_SECOND => text.parse::<Rate>().map(|rate| rate.0),
        unit::MEBIBYTES => text.parse::<Bytes>().map(|b| b.0 as f64 / f64::from(1 << 20)),
        _ => {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            number.ok_or_else(|| format!("`{text}` is not a number; write {}", example(unit)))
        }
    }
}

fn plain(number: f64, unit: &str) -> Result<f64, String> {
    match unit {
        unit::REQUESTS | unit::COUNT => Ok(number),
        _ => Err(format!("{number} is a number without unit; write {}", example(unit))),
    }
}

fn example(unit: &str) -> &'static str {
    match unit {
        unit::MINUTES => "a length of time such as `10min`",
        unit::SECONDS => "a length of time such as `250ms`",
        unit::SHARE => "a share such as `10%`",
        unit::PER_SECOND => "a rate such as `8/s`",
        unit::MEBIBYTES => "an amount of memory such as `512MiB`",
        _ => "a number such as `100`",
    }
}

/// User-minutes with their interval, to whole ones and with thousands separated where they are
/// many: `67,927 user-minutes (95 %: 60,146 to 75,708)`.
#[must_use]
pub fn say_user_minutes(centre: f64, (low, high): (f64, f64)) -> String {
    let one = |minutes: f64| match minutes.abs() >= 99.5 && minutes.is_finite() {
        true => thousands(minutes),
        false => say(minutes, unit::COUNT),
    };
    let interval = match low.is_finite() && high.is_finite() {
        true => format!(" (95 %: {} to {})", one(low), one(high)),
        false => String::new(),
    };
    format!("{} user-minutes{interval}", one(centre))
}

fn thousands(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0.0 { format!("−{text}") } else { text }
}

/// A number with its unit, for evidence: four significant digits, shares in percent.
#[must_use]
pub fn say(number: f64, unit: &str) -> String {
    match unit {
        unit::SHARE => format!("{} %", digits(number * 100.0, 3)),
        unit::COUNT => digits(number, 4),
        _ => format!("{} {unit}", digits(number, 4)),
    }
}

/// A number without unit, with four significant digits.
#[must_use]
pub fn plain_number(number: f64) -> String {
    say(number, unit::COUNT)
}

/// A mean or an estimate with its interval: `3.1 % (95 %: 2.2 to 4.4 %)`.
#[must_use]
pub fn say_interval(centre: f64, (low, high): (f64, f64), unit: &str) -> String {
    let low = say(low, unit);
    // The unit stands once, at the end.
    let low = low.split(' ').next().unwrap_or_default();
    format!("{} (95 %: {low} to {})", say(centre, unit), say(high, unit))
}

/// A difference with its unit: that of two shares is in percentage points.
#[must_use]
pub fn say_difference(difference: f64, unit: &str) -> String {
    let text = say(difference, unit);
    if unit == unit::SHARE { text.replace('%', "points") } else { text }
}

/// A difference with its interval.
#[must_use]
pub fn say_difference_interval(difference: f64, interval: (f64, f64), unit: &str) -> String {
    let text = say_interval(difference, interval, unit);
    match unit {
        // The percent sign of the 95 % stays.
        unit::SHARE => text.replacen('%', "points", 1).replace(" %)", " points)"),
        _ => text,
    }
}

fn digits(number: f64, significant: i32) -> String {
    if !number.is_finite() {
        return match number {
            f64::INFINITY => "∞".to_owned(),
            f64::NEG_INFINITY => "−∞".to_owned(),
            _ => "–".to_owned(),
        };
    }
    let magnitude = if number == 0.0 { 0 } else { number.abs().log10().floor() as i32 };
    let decimals = (significant - 1 - magnitude).clamp(0, 9) as usize;
    let text = format!("{:.decimals$}", number.abs());
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    if number < 0.0 && text != "0" { format!("−{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Node {
        Node::from_json(&text.into())
    }

    #[test]
    fn a_quantity_is_read_in_the_unit_of_its_measure() {
        assert_eq!(read(&text("135min"), "min"), Ok(135.0));
        assert_eq!(read(&text("90s"), "min"), Ok(1.5));
        assert_eq!(read(&text("80%"), "1"), Ok(0.8));
        assert_eq!(read(&text("8/s"), "requests/s"), Ok(8.0));
        assert_eq!(read(&Node::from_json(&3.into()), ""), Ok(3.0));
        assert!(read(&text("80%"), "min").unwrap_err().contains("length of time"));
        assert!(read(&Node::from_json(&3.into()), "min").unwrap_err().contains("`10min`"));
    }

    #[test]
    fn differences_have_signs_parts_and_points() {
        assert_eq!(read_difference(&text("-30%"), "min"), Ok(Limit::Part(-0.3)));
        assert_eq!(read_difference(&text("-5min"), "min"), Ok(Limit::Value(-5.0)));
        assert_eq!(read_difference(&text("+5min"), "min"), Ok(Limit::Value(5.0)));
        assert_eq!(read_difference(&text("-7 points"), "1"), Ok(Limit::Value(-0.07)));
        assert_eq!(read_difference(&text("-7%"), "1"), Ok(Limit::Part(-0.07)));
        assert!(read_difference(&text("0.1"), "1").unwrap_err().contains("points"));
        assert_eq!(read_factor(&text("0.5x")), Ok(Limit::Times(0.5)));
    }

    #[test]
    fn evidence_is_rounded_and_has_its_unit_once() {
        assert_eq!(say_interval(0.0312, (0.0221, 0.0439), "1"), "3.12 % (95 %: 2.21 to 4.39 %)");
        assert_eq!(
            say_difference_interval(0.112, (0.085, 0.139), "1"),
            "11.2 points (95 %: 8.5 to 13.9 points)"
        );
        assert_eq!(say_difference(-0.07, "1"), "−7 points");
        assert_eq!(say(-8123.4, "min"), "−8123 min");
        assert_eq!(say(f64::INFINITY, "min"), "∞ min");
        assert_eq!(say(0.0, ""), "0");
        let many = say_user_minutes(-67_926.7, (-75_708.0, -146.4));
        assert_eq!(many, "−67,927 user-minutes (95 %: −75,708 to −146)");
        assert_eq!(say_user_minutes(0.5, (f64::NAN, f64::NAN)), "0.5 user-minutes");
    }
}
