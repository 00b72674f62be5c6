//! The figures: panels side by side, in the look of the other figures.

use super::fit::Spread;
use super::points::Point;
use super::{Growth, Size};
use outagelab::plot::{Anchor, Colour, Figure, Type};

const INK: Colour = Colour(27, 31, 36, 1.0);
const MUTED: Colour = Colour(91, 101, 112, 1.0);
const BLUE: Colour = Colour(0, 114, 178, 1.0);
const VERMILLION: Colour = Colour(213, 94, 0, 1.0);
const PURPLE: Colour = Colour(204, 121, 167, 1.0);
const GREEN: Colour = Colour(0, 158, 115, 1.0);

/// Where the panels stand in a figure of 1200 pixels: left and right ends of their axes.
const PANELS: [(f64, f64); 2] = [(84.0, 560.0), (684.0, 1160.0)];
const HEIGHT: f64 = 300.0;
const LABEL: f64 = 13.0;
const TICK: f64 = 12.0;

/// A panel.
struct Panel {
    title: &'static str,
    x: &'static str,
    /// Whether the horizontal axis is logarithmic; otherwise it begins at 0.
    log_x: bool,
    /// Whether the vertical axis is logarithmic; otherwise it begins at 0.
    log: bool,
    /// Median, least and greatest over the runs, at each place.
    points: Vec<(f64, Spread)>,
    guides: Vec<Guide>,
}

/// A line that the points are compared with.
struct Guide {
    name: &'static str,
    colour: Colour,
    dashed: bool,
    points: Vec<(f64, f64)>,
}

/// All figures with their names.
pub fn all(growth: &Growth) -> [(&'static str, Figure); 3] {
    [
        ("growth-requests", requests(growth)),
        ("growth-pending", pending(growth)),
        ("growth-replicas", replicas(growth)),
    ]
}

fn requests(growth: &Growth) -> Figure {
    let sizes = &growth.requests;
    let time = at(sizes, |p| p.done, |p| p.cpu_seconds);
    let last = time.last().copied();
    let proportional = |x: f64| last.map_or(f64::NAN, |(end, spread)| spread.median * x / end);
    let linear = guide("in proportion to requests", GREEN, &time, proportional);
    figure(
        "Cost against the number of requests",
        "W3 for longer and longer, one thread. Dots: medians; bars: the fastest and the slowest \
         run.",
        [
            Panel {
                title: "Seconds on a processor",
                x: "requests",
                log_x: true,
                log: true,
                points: time,
                guides: vec![linear],
            },
            memory("requests", at(sizes, |p| p.done, |p| p.peak_bytes / 1e6)),
        ],
    )
}

fn pending(growth: &Growth) -> Figure {
    let sizes = &growth.pending;
    let first = sizes.first().map_or(f64::NAN, |size| size.spread(Point::cpu_for_each).median);
    let time = at(sizes, |p| p.pending, |p| p.cpu_for_each() / first);
    let least = time.first().map_or(f64::NAN, |(x, _)| *x);
    let mut guides = vec![
        guide("constant", GREEN, &time, |_| 1.0),
        guide("logarithmic", VERMILLION, &time, |x| x.ln() / least.ln()),
    ];
    if let Some((_, fewest)) = growth.counted.first() {
        // The counted sizes are the first of the measured ones.
        let points = time.iter().zip(&growth.counted).map(|((x, _), (_, n))| (*x, n / fewest));
        let points = points.collect();
        guides.push(Guide { name: "instructions", colour: PURPLE, dashed: false, points });
    }
    let in_flight = at(&growth.overload, |p| p.in_flight, |p| p.peak_bytes / 1e6);
    figure(
        "Cost against what is under way",
        "Left: W3 with 10 to 10,000 API servers, time for a request over that with 10. Right: W3 \
         under a storm of retries that lasts longer and longer. One thread. Dots: medians; bars: \
         the fastest and the slowest run.",
        [
            Panel {
                title: "Time for a request",
                x: "events pending",
                log_x: true,
                log: false,
                points: time,
                guides,
            },
            Panel {
                log_x: false,
                ..memory("attempts that wait or are served at the end", in_flight)
            },
        ],
    )
}

fn replicas(growth: &Growth) -> Figure {
    let sizes = &growth.replicas;
    let each = at(sizes, |p| p.done, |p| p.cpu_for_each() * 1e3);
    let last = each.last().map_or(f64::NAN, |(_, spread)| spread.median);
    let constant = guide("constant", GREEN, &each, |_| last);
    figure(
        "Cost against the number of replicas",
        "Studies of a short incident, one thread. Dots: medians; bars: the least and the most of \
         the runs.",
        [
            memory("replicas", at(sizes, |p| p.done, |p| p.peak_bytes / 1e6)),
            Panel {
                title: "Milliseconds on a processor for each replica",
                x: "replicas",
                log_x: true,
                log: false,
                points: each,
                guides: vec![constant],
            },
        ],
    )
}

fn memory(x: &'static str, points: Vec<(f64, Spread)>) -> Panel {
    let title = "Peak memory of the process, MB";
    Panel { title, x, log_x: true, log: false, points, guides: Vec::new() }
}

/// A number of each size over another.
fn at(sizes: &[Size], x: impl Fn(&Point) -> f64, y: impl Fn(&Point) -> f64) -> Vec<(f64, Spread)> {
    sizes.iter().map(|size| (size.spread(&x).median, size.spread(&y))).collect()
}

fn guide(
    name: &'static str,
    colour: Colour,
    along: &[(f64, Spread)],
    y: impl Fn(f64) -> f64,
) -> Guide {
    let points = along.iter().map(|(x, _)| (*x, y(*x))).collect();
    Guide { name, colour, dashed: true, points }
}

fn figure(title: &str, subtitle: &str, panels: [Panel; 2]) -> Figure {
    let (mut figure, top) = Figure::new(title, subtitle);
    for (panel, (left, right)) in panels.iter().zip(PANELS) {
        draw(&mut figure, panel, top + 6.0, (left, right));
    }
    figure.height = top + HEIGHT + 92.0;
    figure
}

fn draw(figure: &mut Figure, panel: &Panel, top: f64, (left, right): (f64, f64)) {
    figure.text((left, top + LABEL), panel.title, Type::new(LABEL, INK).bold());
    legend(figure, panel, top + LABEL, right);
    let (top, bottom) = (top + 32.0, top + 32.0 + HEIGHT - 16.0);
    let ys = || {
        let points = panel.points.iter().flat_map(|(_, s)| [s.least, s.greatest]);
        points.chain(panel.guides.iter().flat_map(|g| g.points.iter().map(|p| p.1)))
    };
    let xs = panel.points.iter().map(|(x, _)| *x);
    let x = if panel.log_x { Scale::log(xs, left, right) } else { Scale::zero(xs, left, right) };
    let y = if panel.log { Scale::log(ys(), bottom, top) } else { Scale::zero(ys(), bottom, top) };
    for tick in y.ticks() {
        figure.grid_h(y.at(tick), left, right);
        let style = Type::new(TICK, MUTED).anchor(Anchor::End);
        figure.text((left - 8.0, y.at(tick) + TICK * 0.36), &number(tick), style);
    }
    let middle = Type::new(TICK, MUTED).anchor(Anchor::Middle);
    for tick in x.ticks() {
        figure.grid_v(x.at(tick), top, bottom);
        figure.text((x.at(tick), bottom + 18.0), &number(tick), middle);
    }
    figure.axis((left, bottom), (right, bottom));
    figure.text(((left + right) / 2.0, bottom + 38.0), panel.x, middle);
    for guide in &panel.guides {
        let places: Vec<(f64, f64)> =
            guide.points.iter().map(|&(a, b)| (x.at(a), y.at(b))).collect();
        if !guide.dashed {
            figure.line(&places, guide.colour, 2.0);
            places.iter().for_each(|&place| figure.dot(place, 3.0, guide.colour));
            continue;
        }
        for ends in places.windows(2) {
            figure.dashed(ends[0], ends[1], guide.colour, 1.5);
        }
    }
    let medians: Vec<(f64, f64)> =
        panel.points.iter().map(|(at, s)| (x.at(*at), y.at(s.median))).collect();
    figure.line(&medians, BLUE, 2.0);
    for ((at, spread), median) in panel.points.iter().zip(&medians) {
        let bar = [(x.at(*at), y.at(spread.least)), (x.at(*at), y.at(spread.greatest))];
        figure.line(&bar, BLUE, 1.5);
        figure.dot(*median, 4.0, BLUE);
    }
}

/// The names of the guides, from the right end of a line of text.
fn legend(figure: &mut Figure, panel: &Panel, y: f64, right: f64) {
    let mut right = right;
    for guide in panel.guides.iter().rev() {
        figure.text((right, y), guide.name, Type::new(TICK, guide.colour).anchor(Anchor::End));
        let last = figure.text_boxes();
        let start = last.last().map_or(right, |(_, place)| place[0]) - 8.0;
        let (from, to) = ((start - 26.0, y - 4.0), (start, y - 4.0));
        if guide.dashed {
            figure.dashed(from, to, guide.colour, 1.5);
        } else {
            figure.line(&[from, to], guide.colour, 2.0);
        }
        right = start - 44.0;
    }
}

/// From numbers to pixels.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
}

impl Scale {
    /// A logarithmic axis with a little air at its ends.
    fn log(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Scale {
        let fits = |v: &f64| v.is_finite() && *v > 0.0;
        let (low, high) = values
            .into_iter()
            .filter(fits)
            .fold((f64::INFINITY, 0.0f64), |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = if low <= high { (low, high) } else { (1.0, 10.0) };
        Scale { low: low / 1.25, high: high * 1.25, from, to, log: true }
    }

    /// A linear axis from 0.
    fn zero(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Scale {
        let high = values.into_iter().filter(|v| v.is_finite()).fold(0.0, f64::max);
        let high = if high > 0.0 { high * 1.08 } else { 1.0 };
        Scale { low: 0.0, high, from, to, log: false }
    }

    fn at(&self, value: f64) -> f64 {
        let share = if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share * (self.to - self.from)
    }

    /// Round numbers: powers of ten, with few of them also their multiples; or equal steps.
    fn ticks(&self) -> Vec<f64> {
        if self.log {
            let factors: &[f64] =
                if self.high / self.low < 300.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
            let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
            let all = decades.flat_map(|d| factors.iter().map(move |f| f * 10f64.powi(d)));
            return all.filter(|tick| (self.low..=self.high).contains(tick)).collect();
        }
        let rough = self.high / 7.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0].map(|f| f * power).into_iter().find(|s| *s >= rough);
        let step = step.unwrap_or(10.0 * power);
        (0..).map(|k| f64::from(k) * step).take_while(|tick| *tick <= self.high).collect()
    }
}

/// A tick as a short text.
fn number(value: f64) -> String {
    if value >= 1e6 {
        return format!("{} M", value / 1e6);
    }
    if value >= 1e3 {
        let whole = (value / 1e3).floor();
        let rest = value - whole * 1e3;
        return format!("{whole},{rest:03.0}");
    }
    // Steps such as 0.30000000000000004.
    format!("{}", (value * 1e6).round() / 1e6)
}
