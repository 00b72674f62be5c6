//! Numbers as a reader wants to see them.

use crate::study::table::{Estimate, Fact};

/// What stands for a number that does not exist.
pub const NONE: &str = "–";

/// A number with about three significant digits, thousands separated, with a true minus sign.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return NONE.into();
    }
    let size = value.abs();
    let decimals = match size {
        s if s >= 99.95 || s == 0.0 => 0,
        s if s >= 9.995 => 1,
        s if s >= 0.9995 => 2,
        s => (2.0 - s.log10().floor()).min(9.0) as usize,
    };
    let mut text = format!("{size:.decimals$}");
    if text.contains('.') {
        text = text.trim_end_matches('0').trim_end_matches('.').to_string();
    }
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, format!(".{fraction}")),
        None => (text.as_str(), String::new()),
    };
    let negative = value < 0.0 && text != "0";
    format!("{}{}{fraction}", if negative { "−" } else { "" }, thousands(whole))
}

fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A fraction in percent, without the sign: whole percents, with a decimal only close to 0 and 100.
fn percent(fraction: f64) -> String {
    if !fraction.is_finite() {
        return NONE.into();
    }
    let percent = fraction * 100.0;
    let edge = percent.abs().min((100.0 - percent.abs()).abs());
    let text =
        if (1e-9..9.5).contains(&edge) { format!("{percent:.1}") } else { format!("{percent:.0}") };
    let text = text.strip_suffix(".0").unwrap_or(&text).replace('-', "−");
    if text == "−0" { "0".into() } else { text }
}

/// A number without its unit, in the form in which its unit is shown.
pub fn bare(value: f64, unit: &str) -> String {
    match unit {
        "1" => percent(value),
        "min" | "users" | "requests" if value.abs() >= 9.95 => number(value.round()),
        // Tenths of a minute are fine enough for an outage.
        "min" => number((value * 10.0).round() / 10.0),
        _ => number(value),
    }
}

/// The unit as it is shown: fractions are shown in percent.
pub fn unit_shown(unit: &str) -> &str {
    if unit == "1" { "%" } else { unit }
}

/// What was reported about a fact: `135 min`, `≤ 15 min`, or a dash.
pub fn reported(fact: &Fact) -> String {
    match fact.reported {
        Some(figure) => format!("{}{}", fact.bound.sign(), quantity(figure, &fact.unit)),
        None => NONE.into(),
    }
}

/// A number with its unit: `131 min`, `79 %`, which a line break does not part.
pub fn quantity(value: f64, unit: &str) -> String {
    if !value.is_finite() {
        return NONE.into();
    }
    if unit == "s" && value != 0.0 && value.abs() < 0.9995 {
        return format!("{}\u{a0}ms", number(value * 1000.0));
    }
    let unit_text = unit_shown(unit);
    let space = if unit_text.is_empty() { "" } else { "\u{a0}" };
    format!("{}{space}{unit_text}", bare(value, unit))
}

/// A difference with its sign, without its unit.
pub fn signed(value: f64, unit: &str) -> String {
    let text = bare(value, unit);
    if value > 0.0 && text != "0" { format!("+{text}") } else { text }
}

/// Two bounds and their unit: `104 to 158 min`.
pub fn range(low: f64, high: f64, unit: &str) -> String {
    format!("{} to {}", bare(low, unit), quantity(high, unit))
}

/// The centre of an estimate: the mean of a probability, the median of a quantity.
pub fn centre(estimate: &Estimate) -> f64 {
    match estimate.kind {
        crate::study::table::Kind::Probability => estimate.mean,
        crate::study::table::Kind::Quantity => estimate.median,
    }
}

/// The name of a measure as words: `user_outage` becomes `User outage`.
pub fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_significant_digits_and_separated_thousands() {
        let cases =
            [(1234567.0, "1,234,567"), (131.4, "131"), (12.0, "12"), (12.34, "12.3"), (1.5, "1.5")];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!(number(0.01234), "0.0123");
        assert_eq!(number(-1234.0), "−1,234");
        assert_eq!(number(f64::NAN), NONE);
        assert_eq!(number(-0.0), "0");
    }

    #[test]
    fn fractions_are_shown_in_percent_and_short_seconds_in_milliseconds() {
        assert_eq!(quantity(0.7931, "1"), "79\u{a0}%");
        assert_eq!(quantity(0.968, "1"), "96.8\u{a0}%");
        assert_eq!(quantity(1.0, "1"), "100\u{a0}%");
        assert_eq!(quantity(0.25, "s"), "250\u{a0}ms");
        assert_eq!(quantity(131.2, "min"), "131\u{a0}min");
        assert_eq!(range(104.0, 158.0, "min"), "104 to 158\u{a0}min");
        assert_eq!(signed(4.0, "min"), "+4");
        assert_eq!(signed(-7.37, "min"), "−7.4");
    }

    #[test]
    fn names_of_measures_become_words() {
        assert_eq!(title("user_minutes_lost"), "User minutes lost");
    }
}
