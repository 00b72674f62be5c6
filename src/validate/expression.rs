//! Expressions over measures: `sqrt(lifo:wait.second_moment - lifo:wait.mean^2)`.
//!
//! Numbers, measures (`measure` or `RUN:measure`), `+ - * / ^ ( )`, comparisons (1 if they hold,
//! else 0), `sqrt`, `min`, `max`, `share(a, b)`, and `each(...)`, which is evaluated in each
//! replica and averaged. `share(a, b)` is `a / b` for numbers of events of which the first are
//! among the second; its interval is known even if none was seen. A minus between two values has a
//! blank on both sides, because names may contain hyphens. A value that does not apply (NaN) makes
//! whatever it is used in not apply.

/// An expression over leaves of a kind: names while it is read, places of columns afterwards.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr<L> {
    /// A number.
    Number(f64),
    /// A measure.
    Leaf(L),
    /// The mean over replicas of what each of them yields.
    Each(Box<Expr<L>>),
    /// A change of sign.
    Negative(Box<Expr<L>>),
    /// Two values and what is done with them.
    Both(Op, Box<Expr<L>>, Box<Expr<L>>),
    /// The square root.
    Sqrt(Box<Expr<L>>),
}

/// What is done with two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// The sum.
    Plus,
    /// The difference.
    Minus,
    /// The product.
    Times,
    /// The quotient.
    Over,
    /// The quotient of two numbers of events, the first of them among the second.
    Share,
    /// The power.
    Power,
    /// The smaller one.
    Min,
    /// The larger one.
    Max,
    /// Whether the first is smaller.
    Less,
    /// Whether the first is not larger.
    AtMost,
    /// Whether the first is larger.
    More,
    /// Whether the first is not smaller.
    AtLeast,
    /// Whether they are equal.
    Equal,
}

/// A measure as it is written, with its place in the text (bytes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The run, if one is named.
    pub run: Option<String>,
    /// The measure.
    pub measure: String,
    /// Where the name begins and ends.
    pub at: (usize, usize),
}

/// What is wrong with a text, where (bytes), and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub help: String,
    /// Where it begins and ends.
    pub at: (usize, usize),
}

impl Op {
    /// The result; not a number if one of the values is not.
    #[must_use]
    pub fn of(self, a: f64, b: f64) -> f64 {
        if a.is_nan() || b.is_nan() {
            return f64::NAN;
        }
        let truth = |holds: bool| f64::from(u8::from(holds));
        match self {
            Op::Plus => a + b,
            Op::Minus => a - b,
            Op::Times => a * b,
            Op::Over | Op::Share => a / b,
            Op::Power => a.powf(b),
            Op::Min => a.min(b),
            Op::Max => a.max(b),
            Op::Less => truth(a < b),
            Op::AtMost => truth(a <= b),
            Op::More => truth(a > b),
            Op::AtLeast => truth(a >= b),
            Op::Equal => truth(a == b),
        }
    }
}

impl<L> Expr<L> {
    /// Its value, given those of its leaves. `each` is the identity: whoever evaluates over
    /// replicas has put a leaf in its place.
    pub fn value(&self, of: &impl Fn(&L) -> f64) -> f64 {
        match self {
            Expr::Number(number) => *number,
            Expr::Leaf(leaf) => of(leaf),
            Expr::Each(inner) => inner.value(of),
            Expr::Negative(inner) => -inner.value(of),
            Expr::Both(op, a, b) => op.of(a.value(of), b.value(of)),
            Expr::Sqrt(inner) => inner.value(of).sqrt(),
        }
    }

    /// Calls `f` with every leaf.
    pub fn leaves<'e>(&'e self, f: &mut impl FnMut(&'e L)) {
        match self {
            Expr::Number(_) => {}
            Expr::Leaf(leaf) => f(leaf),
            Expr::Each(inner) | Expr::Negative(inner) | Expr::Sqrt(inner) => inner.leaves(f),
            Expr::Both(_, a, b) => {
                a.leaves(f);
                b.leaves(f);
            }
        }
    }

    /// The same expression over other leaves; `each` decides what becomes of an `each(...)`.
    ///
    /// # Errors
    /// The first that `leaf` or `each` returns.
    pub fn resolve<M, E, S>(
        &self,
        state: &mut S,
        leaf: &impl Fn(&mut S, &L) -> Result<M, E>,
        each: &impl Fn(&mut S, &Expr<L>) -> Result<Expr<M>, E>,
    ) -> Result<Expr<M>, E> {
        let mut inside = |inner: &Expr<L>| inner.resolve(state, leaf, each).map(Box::new);
        Ok(match self {
            Expr::Number(number) => Expr::Number(*number),
            Expr::Leaf(name) => Expr::Leaf(leaf(state, name)?),
            Expr::Each(inner) => each(state, inner)?,
            Expr::Negative(inner) => Expr::Negative(inside(inner)?),
            Expr::Sqrt(inner) => Expr::Sqrt(inside(inner)?),
            Expr::Both(op, a, b) => Expr::Both(*op, inside(a)?, inside(b)?),
        })
    }
}

/// Reads an expression.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse(text: &str) -> Result<Expr<Reference>, Wrong> {
    let mut reader = Reader { text, at: 0, depth: 0, in_each: false };
    let expr = reader.comparison()?;
    match reader.peek() {
        None => Ok(expr),
        Some(c) => Err(reader.wrong(
            format!("`{c}` is not expected here"),
            "write an operator with a blank on both sides, such as ` - `",
        )),
    }
}

/// Parentheses inside each other at most.
const DEEPEST: usize = 64;

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    in_each: bool,
}

type Parsed = Result<Expr<Reference>, Wrong>;

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// The next character that is not a blank.
    fn peek(&mut self) -> Option<char> {
        self.at += self.rest().len() - self.rest().trim_start().len();
        self.rest().chars().next()
    }

    fn eat(&mut self, word: &str) -> bool {
        self.peek();
        let is_there = self.rest().starts_with(word);
        if is_there {
            self.at += word.len();
        }
        is_there
    }

    fn wrong(&self, what: String, help: &str) -> Wrong {
        let end = self.rest().chars().next().map_or(self.at, |c| self.at + c.len_utf8());
        Wrong { what, help: help.to_owned(), at: (self.at, end) }
    }

    fn both(op: Op, a: Expr<Reference>, b: Expr<Reference>) -> Expr<Reference> {
        Expr::Both(op, Box::new(a), Box::new(b))
    }

    fn comparison(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong("too many parentheses".to_owned(), "make it simpler"));
        }
        let left = self.sum()?;
        let words = [
            ("<=", Op::AtMost),
            (">=", Op::AtLeast),
            ("==", Op::Equal),
            ("<", Op::Less),
            (">", Op::More),
        ];
        for (word, op) in words {
            if self.eat(word) {
                let right = self.sum()?;
                self.depth -= 1;
                return Ok(Self::both(op, left, right));
            }
        }
        self.depth -= 1;
        Ok(left)
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        loop {
            let op = match self.peek() {
                Some('+') => Op::Plus,
                Some('-') => Op::Minus,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Self::both(op, left, self.product()?);
        }
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.signed()?;
        loop {
            let op = match self.peek() {
                Some('*') => Op::Times,
                Some('/') => Op::Over,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Self::both(op, left, self.signed()?);
        }
    }

    fn signed(&mut self) -> Parsed {
        if self.eat("-") {
            return Ok(Expr::Negative(Box::new(self.power()?)));
        }
        self.power()
    }

    fn power(&mut self) -> Parsed {
        let base = self.primary()?;
        if self.eat("^") {
            return Ok(Self::both(Op::Power, base, self.primary()?));
        }
        Ok(base)
    }

    fn primary(&mut self) -> Parsed {
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let inside = self.comparison()?;
                self.close()?;
                Ok(inside)
            }
            Some(c) if c.is_ascii_digit() => self.number(),
            Some(c) if c.is_alphabetic() || c == '_' => self.word(),
            Some(c) => Err(self.wrong(
                format!("`{c}` cannot begin a value"),
                "write a number, a measure, `(` or a function",
            )),
            None => Err(self.wrong(
                "the expression ends where a value should be".to_owned(),
                "write a number, a measure, `(` or a function",
            )),
        }
    }

    fn close(&mut self) -> Result<(), Wrong> {
        if self.eat(")") {
            return Ok(());
        }
        Err(self.wrong("a `)` is missing here".to_owned(), "close every parenthesis"))
    }

    fn number(&mut self) -> Parsed {
        let from = self.at;
        let bytes = self.text.as_bytes();
        let mut end = from;
        while let Some(&byte) = bytes.get(end) {
            let is_sign = matches!(byte, b'-' | b'+') && matches!(bytes[end - 1], b'e' | b'E');
            if !(byte.is_ascii_alphanumeric() || byte == b'.' || (end > from && is_sign)) {
                break;
            }
            end += 1;
        }
        let text = &self.text[from..end];
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        let number = number.ok_or_else(|| Wrong {
            what: format!("`{text}` is not a number"),
            help: "write numbers without units, in seconds and requests".to_owned(),
            at: (from, end),
        })?;
        self.at = end;
        Ok(Expr::Number(number))
    }

    /// A measure or a function.
    fn word(&mut self) -> Parsed {
        let from = self.at;
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ':');
        let end = self.rest().find(|c| !is_name(c)).map_or(self.text.len(), |end| from + end);
        let word = self.text[from..end].to_owned();
        self.at = end;
        if self.peek() == Some('(') {
            self.at += 1;
            let call = self.call(&word, (from, end))?;
            self.close()?;
            return Ok(call);
        }
        let (run, measure) = match word.split_once(':') {
            Some((run, measure)) => (Some(run.to_owned()), measure.to_owned()),
            None => (None, word),
        };
        Ok(Expr::Leaf(Reference { run, measure, at: (from, end) }))
    }

    fn call(&mut self, word: &str, at: (usize, usize)) -> Parsed {
        match word {
            "sqrt" => Ok(Expr::Sqrt(Box::new(self.comparison()?))),
            "min" | "max" | "share" => {
                let op = match word {
                    "min" => Op::Min,
                    "max" => Op::Max,
                    _ => Op::Share,
                };
                let first = self.comparison()?;
                if !self.eat(",") {
                    let what = format!("`{word}` takes two values");
                    return Err(self.wrong(what, "put a comma between them"));
                }
                Ok(Self::both(op, first, self.comparison()?))
            }
            "each" if self.in_each => Err(Wrong {
                what: "`each` inside `each`".to_owned(),
                help: "one replica has nothing to average".to_owned(),
                at,
            }),
            "each" => {
                self.in_each = true;
                let inside = self.comparison()?;
                self.in_each = false;
                Ok(Expr::Each(Box::new(inside)))
            }
            _ => Err(Wrong {
                what: format!("unknown function `{word}`"),
                help: "known: `sqrt`, `min`, `max`, `share`, `each`".to_owned(),
                at,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> f64 {
        let leaf = |name: &Reference| match (name.run.as_deref(), name.measure.as_str()) {
            (None, "a-b.mean") => 2.0,
            (Some("lifo"), "wait.50s.at.1") => 5.0,
            (None, "missing") => f64::NAN,
            other => panic!("{other:?}"),
        };
        parse(text).unwrap().value(&leaf)
    }

    #[test]
    fn operators_bind_as_in_school() {
        for (text, expected) in [
            ("1 + 2 * 3", 7.0),
            ("(1 + 2) * 3", 9.0),
            ("2 * 3^2", 18.0),
            ("-2^2", -4.0),
            ("8 / 4 / 2", 1.0),
            ("5 - 2 - 1", 2.0),
            ("sqrt(16) + min(1, 2) + max(1, 2)", 7.0),
            ("1e-3 * 2", 0.002),
            ("1 < 2", 1.0),
            ("2 <= 1", 0.0),
            ("1 + 1 == 2", 1.0),
            ("share(1, 4)", 0.25),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn names_have_hyphens_dots_and_runs() {
        assert_eq!(value("a-b.mean"), 2.0);
        assert_eq!(value("lifo:wait.50s.at.1 - a-b.mean"), 3.0);
        assert_eq!(value("each(lifo:wait.50s.at.1 > 4)"), 1.0);
    }

    #[test]
    fn what_does_not_apply_is_neither_true_nor_false() {
        for text in ["missing < 1", "missing > 1", "max(missing, 1)", "missing^0"] {
            assert!(value(text).is_nan(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_shown_where_it_stands() {
        for (text, part, at) in [
            ("1 +", "ends where a value", (3, 3)),
            ("(1 + 2", "`)` is missing", (6, 6)),
            ("1 2", "`2` is not expected", (2, 3)),
            ("3s", "`3s` is not a number", (0, 2)),
            ("log(2)", "unknown function `log`", (0, 3)),
            ("each(each(1))", "inside", (5, 9)),
            ("min(1)", "two values", (5, 6)),
            ("2 * $", "cannot begin", (4, 5)),
        ] {
            let wrong = parse(text).unwrap_err();
            assert!(wrong.what.contains(part), "{text}: {wrong:?}");
            assert_eq!(wrong.at, at, "{text}");
        }
        assert!(parse(&"(".repeat(10_000)).is_err());
    }
}
