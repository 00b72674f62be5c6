//! From a figure to SVG text and PNG bytes, with the drawing backends of plotters.

use super::figure::{Anchor, Figure, Shape, Type};
use super::theme::{Colour, FONT, LINE_PER_EM, WHITE, WIDTH, ensure_font};
use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBAColor, ShapeStyle, TextStyle};

/// Backends count in whole pixels. Drawing this much larger keeps curves smooth: the SVG is scaled
/// back by its view box, the bitmap by averaging.
const OVERSAMPLING: f64 = 4.0;
/// Pixels of the PNG for each pixel of the figure: sharp on dense screens and in print.
const PNG_DENSITY: usize = 2;

/// A stroke or a filling as the backends want it; `width` in pixels of the figure.
fn ink(colour: Colour, width: f64) -> ShapeStyle {
    let stroke_width = px(width).max(1) as u32;
    ShapeStyle { color: rgba(colour), filled: true, stroke_width }
}

fn rgba(Colour(r, g, b, alpha): Colour) -> RGBAColor {
    RGBAColor(r, g, b, alpha)
}

/// How a backend counts font sizes and where it puts a text's baseline.
struct TextRules {
    /// The backend's size for a font of one pixel per em.
    size: f64,
    /// Height of the baseline under the position given to the backend, in ems.
    baseline: f64,
}

/// The SVG backend divides sizes by 1.24, and `dy` moves the text down by 0.76 em.
const SVG_TEXT: TextRules = TextRules { size: 1.24, baseline: 0.76 };
/// The rasteriser scales a line to the size, and puts the baseline half a size down.
const BITMAP_TEXT: TextRules = TextRules { size: LINE_PER_EM, baseline: LINE_PER_EM / 2.0 };

fn px(value: f64) -> i32 {
    (value * OVERSAMPLING).round() as i32
}

fn size_of(figure: &Figure) -> (u32, u32) {
    (px(WIDTH).max(1) as u32, px(figure.height).max(1) as u32)
}

fn failed(error: impl std::fmt::Display) -> String {
    format!("the figure cannot be drawn: {error}")
}

/// The figure as SVG text.
///
/// # Errors
/// If the built-in font cannot be read or a shape cannot be drawn.
pub fn svg(figure: &Figure) -> Result<String, String> {
    ensure_font()?;
    let mut text = String::new();
    let (width, height) = size_of(figure);
    {
        let mut backend = SVGBackend::with_string(&mut text, (width, height));
        shapes(&mut backend, figure, &SVG_TEXT)?;
        backend.present().map_err(failed)?;
    }
    // Shown at the figure's own size, and with a name for readers who cannot see it.
    let opening = format!("<svg width=\"{width}\" height=\"{height}\"");
    let label = figure.title.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let scaled = format!(
        "<svg width=\"{WIDTH}\" height=\"{}\" role=\"img\" aria-label=\"{label}\"",
        figure.height.round()
    );
    Ok(text.replacen(&opening, &scaled, 1))
}

/// The figure as the bytes of a PNG file.
///
/// # Errors
/// If the built-in font cannot be read or a shape cannot be drawn.
pub fn png(figure: &Figure) -> Result<Vec<u8>, String> {
    ensure_font()?;
    let (width, height) = size_of(figure);
    let mut pixels = vec![255; width as usize * height as usize * 3];
    {
        let mut backend = BitMapBackend::with_buffer(&mut pixels, (width, height));
        shapes(&mut backend, figure, &BITMAP_TEXT)?;
        backend.present().map_err(failed)?;
    }
    let factor = OVERSAMPLING as usize / PNG_DENSITY;
    let (pixels, width, height) = averaged(&pixels, width as usize, height as usize, factor);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&pixels).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

/// Every block of `factor` by `factor` pixels becomes its average.
fn averaged(pixels: &[u8], width: usize, height: usize, factor: usize) -> (Vec<u8>, usize, usize) {
    let (narrow, low) = (width / factor, height / factor);
    let mut result = Vec::with_capacity(narrow * low * 3);
    let count = (factor * factor) as u32;
    for y in 0..low {
        for x in 0..narrow {
            let mut sum = [count / 2; 3];
            for row in y * factor..(y + 1) * factor {
                let start = (row * width + x * factor) * 3;
                for pixel in pixels[start..start + 3 * factor].chunks_exact(3) {
                    for (channel, value) in sum.iter_mut().zip(pixel) {
                        *channel += u32::from(*value);
                    }
                }
            }
            result.extend(sum.map(|channel| (channel / count) as u8));
        }
    }
    (result, narrow, low)
}

fn shapes<B: DrawingBackend>(
    backend: &mut B,
    figure: &Figure,
    rules: &TextRules,
) -> Result<(), String> {
    let (width, height) = backend.get_size();
    let corner = (width as i32, height as i32);
    backend.draw_rect((0, 0), corner, &ink(WHITE, 0.0), true).map_err(failed)?;
    for shape in &figure.shapes {
        match shape {
            Shape::Line { points, colour, width } => {
                let points = points.iter().map(|&(x, y)| (px(x), px(y)));
                backend.draw_path(points, &ink(*colour, *width)).map_err(failed)?;
            }
            Shape::Area { points, colour } => {
                let points = points.iter().map(|&(x, y)| (px(x), px(y)));
                backend.fill_polygon(points, &ink(*colour, 0.0)).map_err(failed)?;
            }
            Shape::Dot { at, radius, colour } => {
                let centre = (px(at.0), px(at.1));
                let ink = ink(*colour, 0.0);
                backend.draw_circle(centre, px(*radius) as u32, &ink, true).map_err(failed)?;
            }
            Shape::Text { at, text, style } => {
                let y = px(at.1 - style.size * rules.baseline);
                let style = text_style(style, rules);
                backend.draw_text(text, &style, (px(at.0), y)).map_err(failed)?;
            }
        }
    }
    Ok(())
}

fn text_style(style: &Type, rules: &TextRules) -> TextStyle<'static> {
    let weight = if style.bold { FontStyle::Bold } else { FontStyle::Normal };
    let size = style.size * rules.size * OVERSAMPLING;
    let side = match style.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let mut result = TextStyle::from(FontDesc::new(FontFamily::Name(FONT), size, weight))
        .pos(Pos::new(side, VPos::Top));
    result.color = rgba(style.colour).to_backend_color();
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::theme::INK;

    fn figure() -> Figure {
        let (mut figure, top) = Figure::new("A <title> & more", "subtitle");
        figure.rect((10.0, top), (60.0, top + 20.0), INK);
        figure.height = top + 30.0;
        figure
    }

    #[test]
    fn the_same_figure_gives_the_same_bytes() {
        assert_eq!(png(&figure()).unwrap(), png(&figure()).unwrap());
        assert_eq!(svg(&figure()).unwrap(), svg(&figure()).unwrap());
    }

    #[test]
    fn an_svg_has_the_figures_size_its_name_and_its_text() {
        let text = svg(&figure()).unwrap();
        assert!(text.starts_with("<svg width=\"1200\" height="));
        assert!(text.contains("aria-label=\"A &lt;title> &amp; more\""));
        assert!(text.contains("DejaVu Sans") && text.contains("subtitle"));
    }

    #[test]
    fn a_png_is_twice_as_wide_as_the_figure() {
        let bytes = png(&figure()).unwrap();
        let reader = png::Decoder::new(bytes.as_slice()).read_info().unwrap();
        assert_eq!(reader.info().width, 2400);
    }

    #[test]
    fn averaging_keeps_a_flat_colour_and_mixes_an_edge() {
        let flat = averaged(&[7; 4 * 4 * 3], 4, 4, 2);
        assert_eq!(flat, (vec![7; 2 * 2 * 3], 2, 2));
        let edge = averaged(&[0, 0, 0, 200, 200, 200, 0, 0, 0, 200, 200, 200], 2, 2, 2);
        assert_eq!(edge.0, [100, 100, 100]);
    }
}
