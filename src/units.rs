//! Quantities as people write them: `250ms`, `120/s`, `2GiB`, `5%`, `4x`.
//!
//! Simulated time is a whole number of nanoseconds ([`Nanos`]), so that sums do not depend on their
//! order. What a file says is a newtype ([`Span`], [`Rate`], [`Bytes`], [`Share`], [`Factor`]) that
//! refuses numbers without a unit. Every newtype has two texts: `Serialize` and [`Span::exact`] and
//! its siblings write a text that parses back to the very same value; `Display` is for people and
//! rounds long numbers to four digits.

mod text;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use text::{TextVisitor, Words, exact_whole, rounded, scaled, short, split_number, unit_of};

/// Simulated time in nanoseconds: a moment since the start of the run, or a length.
pub type Nanos = u64;

/// One microsecond in [`Nanos`].
pub const MICROSECOND: Nanos = 1_000;
/// One millisecond in [`Nanos`].
pub const MILLISECOND: Nanos = 1_000 * MICROSECOND;
/// One second in [`Nanos`].
pub const SECOND: Nanos = 1_000 * MILLISECOND;
/// One minute in [`Nanos`].
pub const MINUTE: Nanos = 60 * SECOND;
/// One hour in [`Nanos`].
pub const HOUR: Nanos = 60 * MINUTE;
/// One day in [`Nanos`]; words in files only.
const DAY: Nanos = 24 * HOUR;
/// A moment that never comes. Add to moments with `saturating_add`, so that "never" stays never.
pub const NEVER: Nanos = u64::MAX;

/// Longest [`Span`] that a file may say: two years of 365 days.
const LONGEST: Nanos = 2 * 365 * DAY;
/// Largest [`Rate`] that a file may say, per second: one event per nanosecond, the clock's
/// resolution.
const FASTEST: f64 = 1e9;
/// Largest [`Bytes`] that a file may say: 1 PiB.
const LARGEST: u64 = 1 << 50;

/// Nanoseconds as seconds.
#[inline]
#[must_use]
pub fn seconds(nanos: Nanos) -> f64 {
    nanos as f64 / SECOND as f64
}

/// Seconds as nanoseconds, rounded to the nearest. Negative numbers and NaN give 0, numbers beyond
/// the range (also infinity) give [`NEVER`].
#[inline]
#[must_use]
pub fn from_seconds(seconds: f64) -> Nanos {
    nearest(seconds * SECOND as f64)
}

/// The whole number of nanoseconds nearest to this many; halves go up. Negative numbers and NaN
/// give 0, large ones [`NEVER`]. (`f64::round` is a call into the C library on the baseline
/// processor.)
#[inline]
#[must_use]
pub fn nearest(nanos: f64) -> Nanos {
    /// From here on every float is a whole number, and adding a half would not be exact.
    const WHOLE: f64 = (1u64 << SIGNIFICAND) as f64;
    /// Bits of a float's significand, without the leading one, and the exponent of 1.
    const SIGNIFICAND: u32 = 52;
    const ONE: u64 = 1023;
    // Floats are ordered as their bits are; those of negative numbers and NaN are beyond.
    if nanos.to_bits() < WHOLE.to_bits() {
        // The whole part of a float is what its exponent leaves of its significand. (A cast does
        // the same, but a processor needs more steps for it, as it saturates.)
        let bits = (nanos + 0.5).to_bits();
        let (significand, exponent) = (bits & ((1 << SIGNIFICAND) - 1), bits >> SIGNIFICAND);
        return (1 << SIGNIFICAND | significand) >> (ONE + u64::from(SIGNIFICAND) - exponent);
    }
    nearest_of_any(nanos)
}

/// What is negative, not a number, or so large that it is whole.
#[cold]
#[inline(never)]
fn nearest_of_any(nanos: f64) -> Nanos {
    if nanos < 0.0 { 0 } else { nanos as Nanos }
}

/// A length of time in nanoseconds: `250ms`, `1.5s`, `1h30min`. Between 0 and two years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Nanos);

/// Events per second: `120/s`, `3/min`, `10/h`, `5/d`. Not negative, at most 10⁹ per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

/// An amount of memory or data in bytes: `512MiB`, `2GB`. At most 1 PiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

/// A part of a whole, between 0 and 1: `5%` or `1/100`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Share(pub f64);

/// A multiple, greater than 0: `4x`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Factor(pub f64);

const SPAN_UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", MICROSECOND),
    ("µs", MICROSECOND),
    ("ms", MILLISECOND),
    ("s", SECOND),
    ("min", MINUTE),
    ("h", HOUR),
    ("d", DAY),
];
const RATE_UNITS: [(&str, u64); 4] = [("/s", 1), ("/min", 60), ("/h", 3_600), ("/d", 86_400)];
const BYTE_UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

impl Span {
    /// The text that parses back to the same value.
    #[must_use]
    pub fn exact(self) -> String {
        if self.0 == 0 { "0s".to_owned() } else { exact_whole(self.0, &SPAN_UNITS) }
    }
}

impl Words for Span {
    const WHAT: &'static str = "a length of time";
    const EXAMPLE: &'static str = "250ms";
    const UNITS: &'static str = "ns us ms s min h d";
}

impl FromStr for Span {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut rest = text.trim();
        if rest.starts_with('-') && Span::from_str(&rest[1..]).is_ok() {
            return Err(Self::absurd(text, "negative, and a length of time is not"));
        }
        let mut total: Nanos = 0;
        loop {
            let (number, after) = split_number(rest).ok_or_else(|| Self::not(text))?;
            let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
            let (name, next) = after.split_at(end);
            let unit = unit_of(&SPAN_UNITS, name).ok_or_else(|| Self::not(text))?;
            total = scaled(number, unit)
                .and_then(|part| total.checked_add(part))
                .filter(|total| *total <= LONGEST)
                .ok_or_else(|| Self::absurd(text, "longer than two years"))?;
            rest = next.trim_start();
            if rest.is_empty() {
                return Ok(Self(total));
            }
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(&short(self.exact(), self.0 as f64, &SPAN_UNITS))
    }
}

impl Rate {
    /// The text that parses back to the same value.
    #[must_use]
    pub fn exact(self) -> String {
        let texts = RATE_UNITS.iter().filter_map(|(unit, size)| {
            let number = self.0 * *size as f64;
            (number / *size as f64 == self.0).then(|| format!("{number}{unit}"))
        });
        texts.min_by_key(String::len).unwrap_or_default()
    }
}

impl Words for Rate {
    const WHAT: &'static str = "a rate";
    const EXAMPLE: &'static str = "120/s";
    const UNITS: &'static str = "/s /min /h /d";
}

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (number, name) = split_number(text.trim()).ok_or_else(|| Self::not(text))?;
        let unit = unit_of(&RATE_UNITS, name).ok_or_else(|| Self::not(text))?;
        let rate = number.parse::<f64>().map_err(|_| Self::not(text))? / unit as f64;
        if rate > FASTEST {
            return Err(Self::absurd(text, "more than one per nanosecond"));
        }
        Ok(Self(rate))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let exact = self.exact();
        if exact.len() <= 9 {
            return f.pad(&exact);
        }
        // The smallest unit of time in which the number is not tiny.
        let (unit, size) = RATE_UNITS
            .iter()
            .find(|(_, size)| self.0 * *size as f64 >= 0.1)
            .unwrap_or(&RATE_UNITS[3]);
        f.pad(&format!("{}{unit}", rounded(self.0 * *size as f64)))
    }
}

impl Bytes {
    /// The text that parses back to the same value.
    #[must_use]
    pub fn exact(self) -> String {
        if self.0 == 0 { "0B".to_owned() } else { exact_whole(self.0, &BYTE_UNITS) }
    }
}

impl Words for Bytes {
    const WHAT: &'static str = "an amount of memory";
    const EXAMPLE: &'static str = "512MiB";
    const UNITS: &'static str = "B KiB MiB GiB TiB kB MB GB TB";
}

impl FromStr for Bytes {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (number, name) = split_number(text.trim()).ok_or_else(|| Self::not(text))?;
        let unit = unit_of(&BYTE_UNITS, name).ok_or_else(|| Self::not(text))?;
        scaled(number, unit)
            .filter(|bytes| *bytes <= LARGEST)
            .map(Self)
            .ok_or_else(|| Self::absurd(text, "more than 1 PiB"))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(&short(self.exact(), self.0 as f64, &BYTE_UNITS[..5]))
    }
}

impl Share {
    /// The text that parses back to the same value. The decimal point is moved in the text, because
    /// `value * 100` would round.
    #[must_use]
    pub fn exact(self) -> String {
        let text = format!("{}", self.0);
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let padded = format!("{fraction:0<2}");
        let (percent, rest) = padded.split_at(2);
        let digits = format!("{whole}{percent}");
        let digits = match digits.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        if rest.is_empty() { format!("{digits}%") } else { format!("{digits}.{rest}%") }
    }
}

impl Words for Share {
    const WHAT: &'static str = "a share";
    const EXAMPLE: &'static str = "5%";
    const UNITS: &'static str = "%, or a fraction such as 1/100";
}

impl FromStr for Share {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (number, rest) = split_number(text.trim()).ok_or_else(|| Self::not(text))?;
        let share = if rest == "%" {
            // Rounds once: 7% is the same value as 0.07.
            format!("{number}e-2").parse::<f64>().ok()
        } else {
            let whole = rest.strip_prefix('/').and_then(|whole| whole.trim().parse::<u32>().ok());
            let part = number.parse::<f64>().ok();
            whole.zip(part).map(|(whole, part)| part / f64::from(whole))
        };
        let share = share.ok_or_else(|| Self::not(text))?;
        // Also refuses 0/0, which is NaN.
        if !(0.0..=1.0).contains(&share) {
            return Err(Self::absurd(text, "not between 0% and 100%"));
        }
        Ok(Self(share))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let exact = self.exact();
        if exact.len() <= 7 {
            f.pad(&exact)
        } else {
            f.pad(&format!("{}%", rounded(self.0 * 100.0)))
        }
    }
}

impl Factor {
    /// The text that parses back to the same value.
    #[must_use]
    pub fn exact(self) -> String {
        format!("{}x", self.0)
    }
}

impl Words for Factor {
    const WHAT: &'static str = "a multiple";
    const EXAMPLE: &'static str = "4x";
    const UNITS: &'static str = "x";
}

impl FromStr for Factor {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (number, rest) = split_number(text.trim()).ok_or_else(|| Self::not(text))?;
        let factor = number.parse::<f64>().ok().filter(|_| rest == "x");
        match factor.ok_or_else(|| Self::not(text))? {
            factor if factor > 0.0 && factor.is_finite() => Ok(Self(factor)),
            _ => Err(Self::absurd(text, "not a multiple greater than 0")),
        }
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(&format!("{}x", rounded(self.0)))
    }
}

/// Implements reading, writing and the schema of a quantity by its text.
macro_rules! reads_and_writes_text {
    ($quantity:ident, $pattern:literal, $description:literal, $examples:expr) => {
        impl<'de> Deserialize<'de> for $quantity {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(TextVisitor(std::marker::PhantomData))
            }
        }

        impl Serialize for $quantity {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.exact())
            }
        }

        impl schemars::JsonSchema for $quantity {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($quantity).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "description": $description,
                    "pattern": $pattern,
                    "examples": $examples,
                })
            }
        }
    };
}

reads_and_writes_text!(
    Span,
    r"^\s*([0-9]*\.?[0-9]+\s*(ns|us|µs|ms|s|min|h|d)\s*)+$",
    "A length of time with its unit: ns us ms s min h d; at most two years.",
    ["250ms", "1.5s", "1h30min"]
);
reads_and_writes_text!(
    Rate,
    r"^\s*[0-9]*\.?[0-9]+\s*/(s|min|h|d)\s*$",
    "Events per second, minute, hour or day.",
    ["120/s", "3/min", "10/h"]
);
reads_and_writes_text!(
    Bytes,
    r"^\s*[0-9]*\.?[0-9]+\s*([KMGT]iB|[kMGT]?B)\s*$",
    "An amount of memory: B, KiB MiB GiB TiB (powers of 1024), kB MB GB TB (powers of 1000).",
    ["512MiB", "2GB"]
);
reads_and_writes_text!(
    Share,
    r"^\s*[0-9]*\.?[0-9]+\s*(%|/\s*[0-9]+)\s*$",
    "A part of a whole between 0% and 100%, as a percentage or a fraction.",
    ["5%", "1/100"]
);
reads_and_writes_text!(
    Factor,
    r"^\s*[0-9]*\.?[0-9]+\s*x\s*$",
    "A multiple greater than 0.",
    ["4x", "0.5x"]
);

#[cfg(test)]
mod tests;
