//! One look for all figures: colours, sizes, the font.

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};
use std::sync::LazyLock;

/// A colour: red, green, blue, opacity (0 to 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Colour(pub u8, pub u8, pub u8, pub f64);

impl Colour {
    /// The same colour, more transparent.
    pub const fn faint(self, opacity: f64) -> Colour {
        Colour(self.0, self.1, self.2, opacity)
    }

    /// This colour mixed into white: `share` 1 is the colour itself, 0 is white. Opaque, so that
    /// overlapping areas do not darken each other.
    pub fn tint(self, share: f64) -> Colour {
        let mix = |c: u8| (255.0 - (255.0 - f64::from(c)) * share.clamp(0.0, 1.0)).round() as u8;
        Colour(mix(self.0), mix(self.1), mix(self.2), 1.0)
    }

    /// As CSS writes it.
    pub fn css(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// Paper.
pub const WHITE: Colour = Colour(255, 255, 255, 1.0);
/// Text and baselines.
pub const INK: Colour = Colour(27, 31, 36, 1.0);
/// Secondary text.
pub const MUTED: Colour = Colour(91, 101, 112, 1.0);
/// Axes.
pub const AXIS: Colour = Colour(160, 168, 176, 1.0);
/// Grid lines.
pub const GRID: Colour = Colour(229, 232, 236, 1.0);

// Okabe and Ito's palette, distinguishable with every common form of colour blindness (Color
// Universal Design, 2008). Its yellow is left out: too pale for lines on white.

/// Better than the baseline; first series.
pub const BLUE: Colour = Colour(0, 114, 178, 1.0);
/// Worse than the baseline; alerts; second series.
pub const VERMILLION: Colour = Colour(213, 94, 0, 1.0);
/// Actions; third series.
pub const GREEN: Colour = Colour(0, 158, 115, 1.0);
/// Changes.
pub const ORANGE: Colour = Colour(230, 159, 0, 1.0);
/// Fourth series.
pub const PURPLE: Colour = Colour(204, 121, 167, 1.0);
/// Fifth series.
pub const SKY: Colour = Colour(86, 180, 233, 1.0);

/// Colours of the series of one panel, in order.
pub const SERIES: [Colour; 5] = [BLUE, VERMILLION, GREEN, PURPLE, SKY];

/// Width of every figure in pixels.
pub const WIDTH: f64 = 1200.0;
/// Distance from the edge of the figure.
pub const EDGE: f64 = 24.0;
/// Font size of the figure's title.
pub const TITLE: f64 = 21.0;
/// Font size of what stands under the title.
pub const SUBTITLE: f64 = 13.5;
/// Font size of panel titles and row names.
pub const LABEL: f64 = 13.0;
/// Font size of ticks and notes.
pub const TICK: f64 = 12.0;

/// The font: DejaVu Sans comes with the build, so that no system font is looked for. Verdana has
/// nearly the same widths, for readers of an SVG without DejaVu.
pub const FONT: &str = "DejaVu Sans, Verdana, sans-serif";

/// Height of DejaVu's line (ascent plus descent) in units of the font size. The rasteriser counts
/// sizes in lines, SVG and this crate count them in ems.
pub const LINE_PER_EM: f64 = 1.164_06;

static REGISTERED: LazyLock<bool> = LazyLock::new(|| {
    let regular = register_font(FONT, FontStyle::Normal, dejavu::sans::regular());
    let bold = register_font(FONT, FontStyle::Bold, dejavu::sans::bold());
    regular.is_ok() && bold.is_ok()
});

/// Makes the built-in font known to plotters.
///
/// # Errors
/// If the font which came with the build cannot be read.
pub fn ensure_font() -> Result<(), String> {
    if *REGISTERED { Ok(()) } else { Err("the built-in font cannot be read".into()) }
}

/// The width of a text in pixels when it is drawn at `size`.
pub fn text_width(text: &str, size: f64, bold: bool) -> f64 {
    // Widths come back as whole pixels: measure large, then scale down.
    const LARGE: f64 = 100.0;
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    let known = ensure_font().is_ok();
    let font = FontDesc::new(FontFamily::Name(FONT), LARGE * LINE_PER_EM, style);
    match font.box_size(text) {
        Ok((width, _)) if known => f64::from(width) * size / LARGE,
        // Half an em for each letter is a fair guess for a sans-serif.
        _ => text.chars().count() as f64 * size * 0.55,
    }
}

/// The text, cut off with an ellipsis where it would be wider than `room`.
pub fn fit(text: &str, size: f64, bold: bool, room: f64) -> String {
    if text_width(text, size, bold) <= room {
        return text.to_string();
    }
    let mut short: String = text.to_string();
    while short.pop().is_some() {
        let candidate = format!("{}…", short.trim_end());
        if text_width(&candidate, size, bold) <= room {
            return candidate;
        }
    }
    String::new()
}

/// The text in lines no wider than `room`; a single word that is wider is cut off.
pub fn wrap(text: &str, size: f64, bold: bool, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match (longer, lines.last_mut()) {
            (Some(longer), Some(line)) if text_width(&longer, size, bold) <= room => *line = longer,
            _ => lines.push(fit(word, size, bold, room)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bold_text_is_wider_and_twice_the_size_is_twice_the_width() {
        let plain = text_width("balancer limits", 12.0, false);
        assert!(text_width("balancer limits", 12.0, true) > plain);
        assert!((text_width("balancer limits", 24.0, false) - 2.0 * plain).abs() < 1e-9);
    }

    #[test]
    fn wrapped_lines_keep_all_words_and_stay_in_their_room() {
        let text = "balancers restarted together with the hotfix of the rate limiter";
        let lines = wrap(text, 12.0, false, 160.0);
        assert!(lines.len() > 1);
        assert_eq!(lines.join(" "), text);
        assert!(lines.iter().all(|line| text_width(line, 12.0, false) <= 160.0));
    }

    #[test]
    fn a_text_that_is_too_wide_ends_in_an_ellipsis() {
        let short = fit("declared over after a quiet time", 12.0, false, 90.0);
        assert!(short.ends_with('…') && text_width(&short, 12.0, false) <= 90.0);
        assert_eq!(fit("short", 12.0, false, 90.0), "short");
    }
}
