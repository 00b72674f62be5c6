//! Tables for spreadsheets and data frames.

use super::result::StudyResult;
use super::table::Table;

/// One line for each run: variant, replica, drawn inputs (in base units), all measures. A measure
/// that does not apply, or that the variant does not have, is left empty.
///
/// # Errors
/// A message, if a line cannot be written.
pub fn replicas_csv(result: &StudyResult) -> Result<String, String> {
    let mut measures: Vec<&str> = Vec::new();
    for name in result.variants.iter().flat_map(|variant| &variant.measures) {
        if !measures.contains(&name.as_str()) {
            measures.push(name);
        }
    }
    let inputs = result.inputs.iter().map(String::as_str);
    let head = ["variant", "replica"].into_iter().chain(inputs).chain(measures.iter().copied());
    let mut lines = vec![head.map(str::to_owned).collect::<Vec<String>>()];
    for variant in &result.variants {
        let columns: Vec<Option<usize>> = measures
            .iter()
            .map(|name| variant.measures.iter().position(|own| own == name))
            .collect();
        for (replica, row) in variant.rows.iter().enumerate() {
            let mut line = vec![variant.name.clone(), replica.to_string()];
            // A replica whose draws made no model has no inputs.
            let drawn = |index| row.inputs.get(index).copied().unwrap_or(f64::NAN);
            line.extend((0..result.inputs.len()).map(|index| text(drawn(index))));
            line.extend(columns.iter().map(|c| c.map_or(String::new(), |c| text(row.values[c]))));
            lines.push(line);
        }
    }
    write(lines)
}

/// One line for each measure of each variant: the estimates and the difference to the baseline.
///
/// # Errors
/// A message, if a line cannot be written.
pub fn table_csv(table: &Table) -> Result<String, String> {
    const HEAD: [&str; 17] = [
        "variant",
        "measure",
        "unit",
        "n",
        "mean",
        "ci95_low",
        "ci95_high",
        "median",
        "p5",
        "p10",
        "p90",
        "p95",
        "difference",
        "difference_ci95_low",
        "difference_ci95_high",
        "replicas",
        "difference_variance_ratio",
    ];
    let mut lines = vec![HEAD.map(str::to_owned).to_vec()];
    for variant in &table.variants {
        for (name, e) in variant.measures.iter() {
            let mut line = vec![variant.name.clone(), name.to_owned(), e.unit.clone()];
            line.push(e.n.to_string());
            let numbers = [e.mean, e.ci95[0], e.ci95[1], e.median, e.p5, e.p10, e.p90, e.p95];
            line.extend(numbers.map(text));
            let difference = variant.differences.get(name);
            let of = |d: &super::table::Difference| [d.mean, d.ci95[0], d.ci95[1]];
            line.extend(difference.map_or([f64::NAN; 3], of).map(text));
            line.push(variant.replicas.to_string());
            line.push(text(difference.map_or(f64::NAN, |d| d.variance_ratio)));
            lines.push(line);
        }
    }
    write(lines)
}

/// The shortest text that reads back as the same number; nothing for NaN.
fn text(number: f64) -> String {
    if number.is_nan() { String::new() } else { number.to_string() }
}

fn write(lines: Vec<Vec<String>>) -> Result<String, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.write_record(&line).map_err(|error| error.to_string())?;
    }
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}
