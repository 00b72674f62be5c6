//! Two runs of one replica beside each other, as text and as JSON.

use super::super::words::{self, Column};
use super::Args;
use super::load::Loaded;
use super::told::{BEFORE_TEXT, IMPACT, clock, run_time, when};
use crate::measure::View;
use crate::plan::Plan;
use crate::plot::words::{number, quantity, signed, title};
use crate::report::diff::{
    Apart, COUNTS_PART, Compared, FEWEST, Number, Row, SHARES_PART, Told, compared, first_apart,
    merge,
};
use crate::report::story::{self, in_short, tell_from};
use crate::report::summary::summary;
use crate::sim::verify::{Difference, first_difference};
use crate::sim::{self, Outcome};
use crate::units::{Nanos, from_seconds, seconds};
use serde_json::{Value, json};

/// Numbers of the first minute that are shown.
const MOST_NUMBERS: usize = 4;
/// Lines before the first one that differs.
const CONTEXT: usize = 3;

/// Everything about the two runs.
struct Parted<'a> {
    plans: [&'a Plan; 2],
    outcomes: [&'a Outcome; 2],
    /// The alert from which times count: the first run's, or else the second's.
    alert: Option<Nanos>,
    event: Option<Difference>,
    rows: Vec<Row>,
    apart: Option<Apart>,
    measures: Vec<Compared>,
    names: [String; 2],
}

/// The two runs, told.
pub fn text(args: &Args, loaded: &Loaded, first: &Plan, second: &Plan) -> String {
    let plans = [first, second];
    let outcomes = plans.map(|plan| sim::run(plan, args.replica));
    let alert = outcomes[0].response.alert.or(outcomes[1].response.alert);
    let stories = [0, 1].map(|i| tell_from(plans[i], &outcomes[i], alert));
    let summaries = [0, 1].map(|i| summary(plans[i], &outcomes[i]));
    let views = [0, 1].map(|i| View::new(plans[i], &outcomes[i]));
    let parted = Parted {
        plans,
        outcomes: outcomes.each_ref(),
        alert,
        event: first_difference(first, second, args.replica),
        rows: merge(&stories[0], &stories[1]),
        apart: first_apart(&views[0], &views[1]),
        measures: compared(&summaries[0], &summaries[1]),
        names: ["as it is".to_owned(), loaded.name_of_changed()],
    };
    if args.json { parted.json(args, loaded) } else { parted.told(args, loaded) }
}

impl Parted<'_> {
    /// The first row that is not the same in both.
    fn first_row(&self) -> Option<usize> {
        self.rows.iter().position(|row| row.told != Told::Same)
    }

    fn time(&self, at: Nanos) -> String {
        story::clock(self.plans[0], self.alert, at).unwrap_or_else(|| run_time(at))
    }

    fn told(&self, args: &Args, loaded: &Loaded) -> String {
        let mut out = format!("{}: as it is, and changed\n", self.plans[0].name);
        let (seed, replica) = (self.plans[0].seed, args.replica);
        out.push_str(&format!("seed {seed}, replica {replica}, with the same luck in both\n\n"));
        for change in loaded.changes() {
            out.push_str(&format!("Changed: {}\n", words::wrapped(&change, 9)));
        }
        out.push_str("\nWhere the two part\n\n");
        out.push_str(&self.where_they_part());
        out.push_str(&self.stories());
        out.push_str(&self.in_short());
        out.push_str("\nThe two in numbers\n\n");
        out.push_str(&self.table());
        out.push_str(&format!(
            "\n{}\n",
            words::wrapped(
                "One replica shows how a change works; `outagelab study` estimates over many how \
                 much it helps.",
                0
            )
        ));
        out
    }

    fn where_they_part(&self) -> String {
        let mut out = String::new();
        let mut say = |head: &str, text: &str| {
            out.push_str(&format!("{head:<14}{}\n", words::wrapped(text, 14)));
        };
        match &self.event {
            None => {
                let events = number(self.outcomes[0].events as f64);
                say("first event", &format!("none: the two runs never part, in {events} events"));
            }
            Some(event) => say("first event", &self.event_words(event)),
        }
        match self.first_row() {
            None => say("first line", "none: the two stories are the same"),
            Some(row) => say("first line", &self.row_words(&self.rows[row])),
        }
        let rule = format!(
            "shares more than {} points apart, requests more than {} and {}",
            number(SHARES_PART * 100.0),
            quantity(COUNTS_PART, "1"),
            number(FEWEST)
        );
        match &self.apart {
            None if self.outcomes[0].bucket != self.outcomes[1].bucket => {
                say("first minute", "not compared: the two count in buckets of different widths");
            }
            None => say("first minute", &format!("none ({rule})")),
            Some(apart) => say("first minute", &self.apart_words(apart, &rule)),
        }
        out
    }

    fn event_words(&self, event: &Difference) -> String {
        let [first, second] = &event.runs;
        let count = number(event.event as f64);
        let place = |at: Nanos| format!("at {}", self.time(at));
        if event.same_event {
            let at = place(first.at);
            return format!("number {count}, {at}: {} has not the same effect", first.what);
        }
        // The earlier one happens in one run only, as far as is known at that moment.
        let [a, b] = &self.names;
        if first.at == second.at {
            let at = place(first.at);
            return format!("number {count}, {at}: {} ({a}), {} ({b})", first.what, second.what);
        }
        let (sooner, name, other) =
            if first.at < second.at { (first, a, b) } else { (second, b, a) };
        format!(
            "number {count}, {}: {} ({name}); nothing then ({other})",
            place(sooner.at),
            sooner.what
        )
    }

    fn row_words(&self, row: &Row) -> String {
        let [a, b] = &self.names;
        match (&row.first, &row.second) {
            (Some(first), Some(second)) => {
                format!("at {} ({a}), {} ({b}): {}", clock(first), clock(second), first.text)
            }
            (Some(line), None) => format!("at {}, only {a}: {}", clock(line), line.text),
            (None, Some(line)) => format!("at {}, only {b}: {}", clock(line), line.text),
            (None, None) => String::new(),
        }
    }

    fn apart_words(&self, apart: &Apart, rule: &str) -> String {
        let value = |number: &Number, value| match number.unit {
            "1" => quantity(value, "1"),
            _ => self::number(value),
        };
        let shown = apart.numbers.iter().take(MOST_NUMBERS).map(|number| {
            let (first, second) = (value(number, number.first), value(number, number.second));
            format!("{} {first} / {second}", number.what)
        });
        let shown: Vec<String> = shown.collect();
        let more = match apart.numbers.len().saturating_sub(MOST_NUMBERS) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let [from, to] = [apart.from_seconds, apart.to_seconds].map(|s| self.time(from_seconds(s)));
        let [a, b] = &self.names;
        format!("{from} to {to}, {a} / {b}: {}{more} ({rule})", shown.join(", "))
    }

    /// The two stories from a little before the first row that differs.
    fn stories(&self) -> String {
        let Some(first) = self.first_row() else { return String::new() };
        let [a, b] = &self.names;
        let mut out = format!(
            "\nThe two stories from there on\n\n{}\n\n",
            words::wrapped(
                &format!(
                    "-  only {a}    +  only {b}    ~  in both, at another time or with other \
                     numbers"
                ),
                0
            )
        );
        let begin = first.saturating_sub(CONTEXT);
        if begin > 0 {
            let lines = if begin == 1 { "line is" } else { "lines are" };
            out.push_str(&format!("   ({begin} earlier {lines} the same in both)\n"));
        }
        for row in &self.rows[begin..] {
            out.push_str(&row_text(row, b));
        }
        out
    }

    fn in_short(&self) -> String {
        let mut out = String::new();
        for (index, name) in self.names.iter().enumerate() {
            out.push_str(&format!("\nIn short, {name}\n\n"));
            for sentence in
                story::in_short_from(self.plans[index], self.outcomes[index], self.alert)
            {
                out.push_str(&format!("{}\n", words::wrapped(&sentence, 0)));
            }
        }
        out
    }

    fn table(&self) -> String {
        let columns = [
            Column::text("measure"),
            Column::numbers(self.names[0].clone()),
            Column::numbers(self.names[1].clone()),
            Column::number("difference"),
        ];
        let shown = IMPACT.iter().filter_map(|name| self.measures.iter().find(|m| m.name == *name));
        let rows = shown.map(|measure| {
            let value = |value: Option<f64>| words::or_none(value, |v| quantity(v, measure.unit));
            let unit = if measure.unit == "1" { "points" } else { measure.unit };
            let difference = words::or_none(measure.difference(), |difference| {
                format!("{}\u{a0}{unit}", signed(difference, measure.unit))
            });
            vec![title(&measure.name), value(measure.first), value(measure.second), difference]
        });
        words::table(&columns, rows)
    }

    fn json(&self, args: &Args, loaded: &Loaded) -> String {
        let event = self.event.as_ref().map(|event| {
            let moment = |i: usize| {
                let at = seconds(event.runs[i].at);
                json!({"at_seconds": at, "what": event.runs[i].what})
            };
            json!({
                "event": event.event,
                "same_event": event.same_event,
                "first": moment(0),
                "second": moment(1),
            })
        });
        let run = |i: usize| {
            let outcome = self.outcomes[i];
            json!({
                "name": self.names[i],
                "alert_seconds": outcome.response.alert.map(seconds),
                "end_seconds": seconds(outcome.end),
                "events": outcome.events,
                "fingerprint": format!("{:016x}", outcome.fingerprint),
                "in_short": in_short(self.plans[i], outcome),
            })
        };
        let measures = self.measures.iter().map(|measure| {
            let mut value = json!(measure);
            value["difference"] = json!(measure.difference());
            value
        });
        let object = json!({
            "model": self.plans[0].name,
            "seed": self.plans[0].seed,
            "replica": args.replica,
            "changes": loaded.changes(),
            "first": run(0),
            "second": run(1),
            "same": self.event.is_none(),
            "first_event": event,
            "first_line": self.first_row().map(|row| json!(self.rows[row])),
            "first_minute": self.apart,
            "story": self.rows,
            "measures": measures.collect::<Vec<Value>>(),
        });
        format!("{object:#}\n")
    }
}

/// A row, and below it what is otherwise in the second run.
fn row_text(row: &Row, second_name: &str) -> String {
    let sign = match row.told {
        Told::Same => ' ',
        Told::Otherwise => '~',
        Told::FirstOnly => '-',
        Told::SecondOnly => '+',
    };
    let Some(line) = row.first.as_ref().or(row.second.as_ref()) else { return String::new() };
    let indent = BEFORE_TEXT + 1;
    let mut out = format!("{sign}{}{}\n", when(line), words::wrapped(&line.text, indent));
    if let (Told::Otherwise, Some(first), Some(second)) = (row.told, &row.first, &row.second) {
        let apart = second.at_seconds - first.at_seconds;
        let moved = match apart.abs() {
            s if s < 1.0 => "then too".to_owned(),
            s => {
                let word = if apart > 0.0 { "later" } else { "earlier" };
                format!("{} {word}, at {}", story::length(from_seconds(s)), clock(second))
            }
        };
        let text = match first.text == second.text {
            true => String::new(),
            false => format!(": {}", second.text),
        };
        let words = words::wrapped(&format!("(`{second_name}`: {moved}{text})"), indent + 2);
        out.push_str(&format!("{}{words}\n", " ".repeat(indent + 2)));
    }
    out
}
