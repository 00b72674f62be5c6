//! A figure as data: shapes in pixels, from back to front.

use super::theme::{
    AXIS, Colour, EDGE, GRID, INK, MUTED, SUBTITLE, TITLE, WIDTH, fit, text_width, wrap,
};

/// A position in pixels from the upper left corner.
pub type Xy = (f64, f64);

/// On which side of its position a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The text starts at the position.
    Start,
    /// The text is centred on the position.
    Middle,
    /// The text ends at the position.
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Type {
    /// Font size in pixels.
    pub size: f64,
    /// Colour.
    pub colour: Colour,
    /// Bold or regular.
    pub bold: bool,
    /// Side of the position.
    pub anchor: Anchor,
}

impl Type {
    /// Regular text which starts at its position.
    pub const fn new(size: f64, colour: Colour) -> Type {
        Type { size, colour, bold: false, anchor: Anchor::Start }
    }

    /// The same in bold.
    pub const fn bold(self) -> Type {
        Type { bold: true, ..self }
    }

    /// The same on another side of its position.
    pub const fn anchor(self, anchor: Anchor) -> Type {
        Type { anchor, ..self }
    }
}

/// One shape.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// An open line.
    Line {
        /// Its corners.
        points: Vec<Xy>,
        /// Its colour.
        colour: Colour,
        /// Its width in pixels.
        width: f64,
    },
    /// A filled polygon.
    Area {
        /// Its corners.
        points: Vec<Xy>,
        /// Its colour.
        colour: Colour,
    },
    /// A filled disc.
    Dot {
        /// Its centre.
        at: Xy,
        /// Its radius in pixels.
        radius: f64,
        /// Its colour.
        colour: Colour,
    },
    /// One line of text.
    Text {
        /// Where its baseline starts, is centred or ends.
        at: Xy,
        /// What it says.
        text: String,
        /// How it looks.
        style: Type,
    },
}

/// A figure, ready to be drawn to any format.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Height in pixels; the width is always `WIDTH`.
    pub height: f64,
    /// What the figure shows, for readers who cannot see it.
    pub title: String,
    /// The shapes from back to front.
    pub shapes: Vec<Shape>,
}

impl Figure {
    /// A figure with its heading, and the height at which the heading ends.
    pub fn new(title: &str, subtitle: &str) -> (Figure, f64) {
        let mut figure = Figure { height: 0.0, title: title.into(), shapes: Vec::new() };
        let room = WIDTH - 2.0 * EDGE;
        let mut y = EDGE + TITLE * 0.8;
        figure.text((EDGE, y), &fit(title, TITLE, true, room), Type::new(TITLE, INK).bold());
        y += 4.0;
        for line in wrap(subtitle, SUBTITLE, false, room) {
            y += SUBTITLE * 1.45;
            figure.text((EDGE, y), &line, Type::new(SUBTITLE, MUTED));
        }
        (figure, y + 14.0)
    }

    /// Adds an open line, broken where a coordinate is not a number.
    pub fn line(&mut self, points: &[Xy], colour: Colour, width: f64) {
        for run in points.split(|(x, y)| !(x.is_finite() && y.is_finite())) {
            if run.len() > 1 {
                self.shapes.push(Shape::Line { points: run.to_vec(), colour, width });
            }
        }
    }

    /// Adds a straight dashed line.
    pub fn dashed(&mut self, from: Xy, to: Xy, colour: Colour, width: f64) {
        const DASH: f64 = 4.0;
        const GAP: f64 = 4.0;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        let mut start = 0.0;
        while start < length {
            let end = (start + DASH).min(length);
            let at = |d: f64| (from.0 + dx * d / length, from.1 + dy * d / length);
            self.line(&[at(start), at(end)], colour, width);
            start = end + GAP;
        }
    }

    /// Adds a filled polygon.
    pub fn area(&mut self, points: Vec<Xy>, colour: Colour) {
        if points.len() > 2 && points.iter().all(|(x, y)| x.is_finite() && y.is_finite()) {
            self.shapes.push(Shape::Area { points, colour });
        }
    }

    /// Adds a filled rectangle between two corners.
    pub fn rect(&mut self, (x0, y0): Xy, (x1, y1): Xy, colour: Colour) {
        self.area(vec![(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour);
    }

    /// Adds the area between two lines over the same horizontal positions, broken where either is
    /// not a number.
    pub fn band(&mut self, xs: &[f64], lower: &[f64], upper: &[f64], colour: Colour) {
        let points: Vec<(f64, f64, f64)> =
            xs.iter().zip(lower).zip(upper).map(|((&x, &l), &u)| (x, l, u)).collect();
        for run in points.split(|(x, l, u)| !(x.is_finite() && l.is_finite() && u.is_finite())) {
            let there = run.iter().map(|&(x, l, _)| (x, l));
            let back = run.iter().rev().map(|&(x, _, u)| (x, u));
            self.area(there.chain(back).collect(), colour);
        }
    }

    /// Adds a filled disc.
    pub fn dot(&mut self, at: Xy, radius: f64, colour: Colour) {
        if at.0.is_finite() && at.1.is_finite() {
            self.shapes.push(Shape::Dot { at, radius, colour });
        }
    }

    /// Adds a line of text whose baseline is at `at`.
    pub fn text(&mut self, at: Xy, text: &str, style: Type) {
        if at.0.is_finite() && at.1.is_finite() && !text.is_empty() {
            self.shapes.push(Shape::Text { at, text: text.to_string(), style });
        }
    }

    /// Adds several lines of text, centred around the height `y`.
    pub fn lines(&mut self, (x, y): Xy, lines: &[String], style: Type) {
        let step = style.size * 1.25;
        let first = y - step * (lines.len() as f64 - 1.0) / 2.0 + style.size * 0.36;
        for (index, line) in lines.iter().enumerate() {
            self.text((x, first + step * index as f64), line, style);
        }
    }

    /// Adds a faint vertical grid line.
    pub fn grid_v(&mut self, x: f64, top: f64, bottom: f64) {
        self.line(&[(x, top), (x, bottom)], GRID, 1.0);
    }

    /// Adds a faint horizontal grid line.
    pub fn grid_h(&mut self, y: f64, left: f64, right: f64) {
        self.line(&[(left, y), (right, y)], GRID, 1.0);
    }

    /// Adds an axis line.
    pub fn axis(&mut self, from: Xy, to: Xy) {
        self.line(&[from, to], AXIS, 1.0);
    }

    /// The rectangles which the texts cover: left, top, right, bottom. For tests of the layout.
    pub fn text_boxes(&self) -> Vec<(String, [f64; 4])> {
        let boxed = |shape: &Shape| {
            let Shape::Text { at, text, style } = shape else { return None };
            let width = text_width(text, style.size, style.bold);
            let left = match style.anchor {
                Anchor::Start => at.0,
                Anchor::Middle => at.0 - width / 2.0,
                Anchor::End => at.0 - width,
            };
            let top = at.1 - style.size * 0.76;
            Some((text.clone(), [left, top, left + width, at.1 + style.size * 0.2]))
        };
        self.shapes.iter().filter_map(boxed).collect()
    }
}

/// Moves label heights apart, keeping their order, until neighbours are at least `gap` apart and
/// all lie between `top` and `bottom` as far as there is room.
pub fn spread(wanted: &[f64], gap: f64, top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]).then(a.cmp(&b)));
    let mut placed = wanted.to_vec();
    let mut lowest = top;
    for &index in &order {
        placed[index] = placed[index].max(lowest);
        lowest = placed[index] + gap;
    }
    let mut highest = bottom;
    for &index in order.iter().rev() {
        placed[index] = placed[index].min(highest);
        highest = placed[index] - gap;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_breaks_where_there_is_no_number() {
        let (mut figure, _) = Figure::new("t", "");
        let before = figure.shapes.len();
        let points = [(0.0, 0.0), (1.0, 1.0), (2.0, f64::NAN), (3.0, 1.0), (4.0, 2.0)];
        figure.line(&points, INK, 1.0);
        assert_eq!(figure.shapes.len() - before, 2);
    }

    #[test]
    fn labels_at_the_same_height_move_apart_and_keep_their_order() {
        let placed = spread(&[50.0, 50.0, 49.0], 10.0, 0.0, 60.0);
        assert!(placed[2] < placed[0] && placed[0] < placed[1]);
        assert!(placed[1] <= 60.0);
        assert!((placed[1] - placed[0]).abs() >= 10.0 && (placed[0] - placed[2]).abs() >= 10.0);
    }
}
