//! The page: words from a template, numbers from what was measured.

use super::fit::{self, Line, Spread};
use super::points::Point;
use super::{Growth, Size};
use crate::clock;
use crate::rows::Measured;

const TEMPLATE: &str = include_str!("page.md");
/// Time-outs of W3 scaled out that stand in their lane, for each instance: rate times 1 s.
const IN_LANE: f64 = 224.0;

/// The whole page; fails if a number does not exist or a gap of the template stays open.
pub fn text(growth: &Growth, rows: &[Measured], runs: usize) -> Result<String, String> {
    let mut gaps = Vec::new();
    let mut fill = |name: &'static str, text: String| gaps.push((name, text));
    fill("machine", clock::machine());
    fill("version", env!("CARGO_PKG_VERSION").to_owned());
    fill("runs", runs.to_string());
    fill("study_runs", runs.min(super::STUDY_RUNS).to_string());
    fill("rows", rows_table(rows.iter().filter(|row| !is_incident(row))));
    fill("incidents", incidents_table(rows.iter().filter(|row| is_incident(row))));
    fill("own", own_row(rows));

    fill("requests", requests_table(&growth.requests));
    let time = Growth::pairs(&growth.requests, |p| (p.done, p.cpu_seconds));
    let power = fit::power(&time);
    fill("requests_power", format!("{:.3}", power.slope));
    fill("requests_interval", interval(power, 3));
    let memory = fit::line(&Growth::pairs(&growth.requests, |p| (p.done, p.peak_bytes)));
    fill("minute_bytes", whole(memory.slope * super::points::RATE * 60.0));

    fill("pending", pending_table(growth));
    fill("instructions", instructions(&growth.counted));
    let time = Growth::pairs(&growth.pending, |p| (p.pending, p.cpu_for_each()));
    let power = fit::power(&time);
    fill("pending_power", format!("{:.3}", power.slope));
    fill("pending_interval", interval(power, 3));
    let first = growth.pending[0].spread(Point::cpu_for_each).median;
    let by_tens: Vec<(f64, f64)> = time.iter().map(|(x, y)| (x.log10(), y / first)).collect();
    fill("pending_tenfold", format!("{:.0}", fit::line(&by_tens).slope * 100.0));

    fill("overload", overload_table(&growth.overload));
    let flight = fit::line(&Growth::pairs(&growth.overload, |p| (p.in_flight, p.peak_bytes)));
    fill("flight_bytes", format!("{:.0}", flight.slope));
    fill("flight_interval", interval(flight, 0));

    fill("replicas", replicas_table(&growth.replicas));
    let [few, many] = [2, 1].map(|back| &growth.replicas[growth.replicas.len() - back]);
    let each = |of: &dyn Fn(&Point) -> f64| {
        whole((many.spread(of).median - few.spread(of).median) / (many.of - few.of))
    };
    fill("few", whole(few.of));
    fill("many", whole(many.of));
    fill("kept_bytes", each(&|p| p.kept_bytes));
    fill("peak_bytes", each(&|p| p.peak_bytes));

    let [one, two] = [0, 1].map(|n| growth.threads[n].spread(|p| p.seconds).median);
    fill("threads_replicas", format!("{:.0}", growth.threads[0].points[0].done));
    fill("one_thread", format!("{one:.2}"));
    fill("two_threads", format!("{two:.2}"));
    let [cpu_one, cpu_two] = [0, 1].map(|n| growth.threads[n].spread(|p| p.cpu_seconds).median);
    fill("cpu_one", format!("{cpu_one:.2}"));
    fill("cpu_two", format!("{cpu_two:.2}"));
    fill("threads_ratio", format!("{:.2}", one / two));
    let milliseconds = |spread: Spread| {
        let ms = spread.times(1e3);
        format!("{} ms ({})", digits(ms.median), least_to_greatest(ms))
    };
    fill("large", whole(f64::from(super::start::LARGE)));
    fill("starts", growth.starts.times.to_string());
    fill("check", milliseconds(growth.starts.check));
    fill("run", milliseconds(growth.starts.run));
    filled(&gaps)
}

fn filled(gaps: &[(&str, String)]) -> Result<String, String> {
    let mut page = TEMPLATE.to_owned();
    for (name, text) in gaps {
        if text.contains("NaN") || text.contains("inf") {
            return Err(format!("{name} of the page is no number: {text}"));
        }
        let gap = format!("{{{{{name}}}}}");
        if !page.contains(&gap) {
            return Err(format!("the page has no place for {name}"));
        }
        page = page.replace(&gap, text);
    }
    match page.split_once("{{") {
        Some((_, rest)) => Err(format!("nothing fills {}", rest.lines().next().unwrap_or(rest))),
        None => Ok(wrapped(&page)),
    }
}

/// The page with its paragraphs in lines of 100 columns again; what stands in gaps is longer or
/// shorter than their names. Tables, headings, figures and listings stay.
fn wrapped(page: &str) -> String {
    let wrap = |part: &str| {
        if part.starts_with(['|', '#', '!', '`', '-']) {
            return part.to_owned();
        }
        let mut lines = vec![String::new()];
        for word in part.split_whitespace() {
            let last = lines.len() - 1;
            let is_first = lines[last].is_empty();
            if !is_first && lines[last].chars().count() + 1 + word.chars().count() > 100 {
                lines.push(word.to_owned());
            } else {
                lines[last] += if is_first { "" } else { " " };
                lines[last] += word;
            }
        }
        lines.join("\n")
    };
    let parts: Vec<String> = page.trim_end().split("\n\n").map(wrap).collect();
    parts.join("\n\n") + "\n"
}

fn is_incident(row: &Measured) -> bool {
    row.name.starts_with("incident-")
}

/// A table in Markdown; all columns but the first are numbers.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let below = (0..head.len()).map(|n| if n == 0 { "---" } else { "---:" }.to_owned());
    let mut lines = vec![line(&head), line(&below.collect::<Vec<_>>())];
    lines.extend(rows.map(|cells| line(&cells)));
    lines.join("\n")
}

fn rows_table<'m>(rows: impl Iterator<Item = &'m Measured>) -> String {
    let head = [
        "row",
        "M requests/s",
        "min to max",
        "M events/s",
        "relative",
        "allocations / 1,000 events",
        "mean latency",
        "peak",
    ];
    table(
        &head,
        rows.map(|row| {
            let beside = crate::rows::all().into_iter().find(|r| r.name == row.name);
            let beside = beside.map(|r| r.beside).unwrap_or_default();
            let relative = row.relative.map(|times| format!("{times:.2} of {beside}"));
            vec![
                row.name.clone(),
                digits(row.requests_per_s / 1e6),
                format!("{} to {}", digits(slowest(row) / 1e6), digits(fastest(row) / 1e6)),
                digits(row.events_per_s / 1e6),
                relative.unwrap_or_default(),
                format!("{:.3}", row.allocations_per_event * 1e3),
                latency(row.mean_latency),
                megabytes(row.peak_rss_bytes.unwrap_or(0) as f64),
            ]
        }),
    )
}

fn incidents_table<'m>(rows: impl Iterator<Item = &'m Measured>) -> String {
    let head = [
        "incident",
        "ms for a replica",
        "min to max",
        "M attempts/s of clients",
        "events for each",
        "M requests/s at components",
        "M events/s",
        "peak",
    ];
    let rows: Vec<&Measured> = rows.collect();
    let one = rows.iter().map(|row| {
        let name = row.name.trim_start_matches("incident-").to_owned();
        incident_line(name, &[row], megabytes(row.peak_rss_bytes.unwrap_or(0) as f64))
    });
    let all = incident_line("a replica of each".to_owned(), &rows, String::new());
    table(&head, one.chain([all]))
}

/// A replica of each of some incidents, one after the other.
fn incident_line(name: String, rows: &[&Measured], peak: String) -> Vec<String> {
    let sum = |of: &dyn Fn(&Measured) -> f64| -> f64 {
        rows.iter().map(|row| of(row) / row.replicas.max(1) as f64).sum()
    };
    let seconds = |speed: fn(&Measured) -> f64| sum(&|row| row.requests as f64 / speed(row));
    let time = seconds(|row| row.requests_per_s);
    let requests = sum(&|row| row.requests as f64);
    let events = sum(&|row| row.events as f64);
    let ms = |seconds: f64| digits(seconds * 1e3);
    vec![
        name,
        ms(time),
        format!("{} to {}", ms(seconds(fastest)), ms(seconds(slowest))),
        digits(requests / time / 1e6),
        digits(events / requests),
        digits(sum(&|row| row.arrivals as f64) / time / 1e6),
        digits(events / time / 1e6),
        peak,
    ]
}

fn fastest(row: &Measured) -> f64 {
    row.fastest.unwrap_or(row.requests_per_s)
}

fn slowest(row: &Measured) -> f64 {
    row.slowest.unwrap_or(row.requests_per_s)
}

/// The line among those of the other programs.
fn own_row(rows: &[Measured]) -> String {
    let find = |name: &str| rows.iter().find(|row| row.name == name);
    let speed =
        |name| find(name).map_or("–".to_owned(), |r| digits(r.requests_per_s / 1e6) + " M");
    let memory = find("w3").and_then(|row| row.peak_rss_bytes).unwrap_or(0) as f64;
    let [w1, w2, w3] = ["w1", "w2", "w3"].map(speed);
    format!("| **OutageLab** | {w1} | {w2} | {w3} | {} |", megabytes(memory))
}

fn requests_table(sizes: &[Size]) -> String {
    let head = ["requests", "seconds", "min to max", "ns for a request", "peak"];
    table(
        &head,
        sizes.iter().map(|size| {
            let time = size.spread(|p| p.cpu_seconds);
            vec![
                whole(size.spread(|p| p.done).median),
                digits(time.median),
                least_to_greatest(time),
                whole(size.spread(Point::cpu_for_each).median * 1e9),
                megabytes(size.spread(|p| p.peak_bytes).median),
            ]
        }),
    )
}

fn pending_table(growth: &Growth) -> String {
    let head = [
        "servers",
        "pending",
        "in the lane",
        "ns for a request",
        "min to max",
        "relative",
        "instructions",
        "peak",
    ];
    let first = growth.pending[0].spread(Point::cpu_for_each).median;
    table(
        &head,
        growth.pending.iter().map(|size| {
            let time = size.spread(Point::cpu_for_each);
            let counted = growth.counted.iter().find(|(servers, _)| *servers == size.of);
            vec![
                whole(size.of),
                whole(size.spread(|p| p.pending).median),
                whole(size.of * IN_LANE),
                whole(time.median * 1e9),
                least_to_greatest(time.times(1e9)),
                format!("{:.2}", time.median / first),
                counted.map_or("–".to_owned(), |(_, number)| whole(*number)),
                megabytes(size.spread(|p| p.peak_bytes).median),
            ]
        }),
    )
}

/// What the counts of instructions say.
fn instructions(counted: &[(f64, f64)]) -> String {
    let (Some((few, first)), Some((many, last))) = (counted.first(), counted.last()) else {
        return "Instructions were not counted: callgrind was not there.".to_owned();
    };
    let (few, many, times) = (whole(*few), whole(*many), last / first);
    format!(
        "The processor's caches do not show in instructions, which callgrind counts: with {many} \
         servers a request takes {times:.2} times as many as with {few}."
    )
}

fn overload_table(sizes: &[Size]) -> String {
    let head = ["simulated seconds", "attempts in flight at the end", "peak"];
    table(
        &head,
        sizes.iter().map(|size| {
            vec![
                whole(size.of),
                whole(size.spread(|p| p.in_flight).median),
                megabytes(size.spread(|p| p.peak_bytes).median),
            ]
        }),
    )
}

fn replicas_table(sizes: &[Size]) -> String {
    let head = ["replicas", "ms for each", "min to max", "peak", "results keep"];
    table(
        &head,
        sizes.iter().map(|size| {
            let time = size.spread(Point::cpu_for_each).times(1e3);
            vec![
                whole(size.of),
                digits(time.median),
                least_to_greatest(time),
                megabytes(size.spread(|p| p.peak_bytes).median),
                format!("{} kB", whole(size.spread(|p| p.kept_bytes).median / 1e3)),
            ]
        }),
    )
}

fn least_to_greatest(spread: Spread) -> String {
    format!("{} to {}", digits(spread.least), digits(spread.greatest))
}

fn interval(line: Line, places: usize) -> String {
    let (low, high) = (line.slope - line.off, line.slope + line.off);
    format!("{low:.places$} to {high:.places$}")
}

/// Three digits that mean something.
fn digits(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => whole(value),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 1.0 => format!("{value:.2}"),
        v if v >= 0.1 => format!("{value:.3}"),
        _ => format!("{value:.4}"),
    }
}

/// A whole number in groups of three digits.
fn whole(value: f64) -> String {
    let text = format!("{value:.0}");
    let mut grouped = String::new();
    for (index, digit) in text.chars().enumerate() {
        let left = text.len() - index;
        if index > 0 && left % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn megabytes(bytes: f64) -> String {
    format!("{} MB", digits(bytes / 1e6))
}

/// In milliseconds where it is short.
fn latency(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.2} ms", seconds * 1e3) } else { format!("{seconds:.3} s") }
}
