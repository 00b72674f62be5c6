//! `study`: an experiment, from its file to its report.

use super::problems::Refusal;
use super::results;
use super::write::{Folder, Output, leave_whole_files_on_interrupt};
use super::{Done, Verdict, input, say};
use crate::plot::{PLOTS, render};
use crate::report;
use crate::study::{
    Checked, Options, StudyResult, check, prices_csv, ranking_csv, replicas_csv, run, table_csv,
};
use crate::text::{Problem, Sources};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::PathBuf;
use std::sync::Arc;

/// Run an experiment: all variants, many replicas, and a report.
///
/// Prints a table and writes report.html, table.csv, results.json, replicas.csv, provenance.json
/// and the figures (SVG and PNG) into `output/EXPERIMENT/`; with corrective measures ranking.csv
/// and prices.csv, too. Results are the same for any number of threads. Exits with 1 if a claim of
/// the experiment does not hold (what the postmortem says may turn out wrong).
#[derive(clap::Args)]
pub struct Args {
    /// The experiment.
    experiment: PathBuf,
    /// Replicas of the baseline in place of the file's; other variants get at most as many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    replicas: Option<u64>,
    /// The seed in place of the file's.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Threads; one for each core when left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// The folder for the results; `output/EXPERIMENT` when left out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A first look with few replicas, as the file says under `smoke`.
    #[arg(long)]
    smoke: bool,
    /// Judge each claim again without its claimed cause (its `unless`).
    #[arg(long)]
    without_causes: bool,
    /// Print results.json instead of the table.
    #[arg(long)]
    json: bool,
    /// No progress bar and no talk on stderr.
    #[arg(long)]
    quiet: bool,
}

/// Runs the experiment, writes its results and prints them.
pub fn study(args: &Args) -> Verdict {
    let checked = checked(args)?;
    let folder = Arc::new(Folder::open(&out(args, &checked))?);
    leave_whole_files_on_interrupt(&folder);
    let result = run_with_bar(args, &checked);
    let (files, gone, json) = match outputs(&checked, &result) {
        Ok(outputs) => outputs,
        Err(problem) => {
            folder.give_up();
            return Err(problem.into());
        }
    };
    folder.write(&files, &gone)?;
    if !args.quiet {
        let path = folder.path().display();
        say::talk(&format!("results are in {path}; open {path}/report.html\n"));
    }
    let text = if args.json { json } else { results::text(&checked, &result.table) };
    say::print(&text)?;
    Ok(if result.claims_hold() { Done::Well } else { Done::ClaimFailed })
}

fn checked(args: &Args) -> Result<Checked, Refusal> {
    let mut sources = Sources::default();
    let text = match input::text(&mut sources, &args.experiment) {
        Ok(text) => text,
        Err(problem) => return Err(Refusal::new(vec![problem], sources)),
    };
    let path = args.experiment.display().to_string();
    check(&mut sources, &path, &text, &mut input::data)
        .map_err(|problems| Refusal::new(problems, sources))
}

/// The folder for the results.
fn out(args: &Args, checked: &Checked) -> PathBuf {
    let ordinary = || ["output", &checked.name].iter().collect();
    args.out.clone().unwrap_or_else(ordinary)
}

fn run_with_bar(args: &Args, checked: &Checked) -> StudyResult {
    let options = Options {
        replicas: args.replicas,
        seed: args.seed,
        threads: args.threads.map(usize::from),
        smoke: args.smoke,
        ablations: args.without_causes,
    };
    let bar = ProgressBar::with_draw_target(None, target(args));
    let looks = "{bar:30} {pos} of {len} runs, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(looks) {
        bar.set_style(style);
    }
    let progress = |done: usize, total: usize| {
        if done == 1 && bar.is_hidden() && !args.quiet {
            // No terminal, no bar: one line says how much there is to do.
            say::talk(&format!("{total} runs\n"));
        }
        bar.set_length(total as u64);
        // Threads report out of order; the bar only goes forward.
        bar.inc((done as u64).saturating_sub(bar.position()));
    };
    let mut result = run(checked, &options, &progress);
    bar.finish_and_clear();
    let command = command(args);
    result.table.provenance.insert("command".to_owned(), command.into());
    result
}

/// Not drawn where stderr is not a terminal.
fn target(args: &Args) -> ProgressDrawTarget {
    if args.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() }
}

/// What gives the same results again. Neither threads nor folders change them.
fn command(args: &Args) -> String {
    let mut command = format!("outagelab study {}", args.experiment.display());
    for (option, value) in [("--replicas", args.replicas), ("--seed", args.seed)] {
        if let Some(value) = value {
            command.push_str(&format!(" {option} {value}"));
        }
    }
    for (option, is_on) in [("--smoke", args.smoke), ("--without-causes", args.without_causes)] {
        if is_on {
            command.push_str(&format!(" {option}"));
        }
    }
    command
}

/// All files, figures of an earlier study that this one does not have, and the text of
/// `results.json`.
fn outputs(
    checked: &Checked,
    result: &StudyResult,
) -> Result<(Vec<Output>, Vec<String>, String), Problem> {
    let failed = |error: String| Problem::new(format!("the results cannot be written: {error}"));
    let table = &result.table;
    let pretty = |value: Result<String, serde_json::Error>| {
        value.map(|text| text + "\n").map_err(|error| failed(error.to_string()))
    };
    let json = pretty(serde_json::to_string_pretty(table))?;
    let provenance = pretty(serde_json::to_string_pretty(&table.provenance))?;
    let mut files = vec![
        ("report.html".to_owned(), report::html(table).map_err(failed)?.into_bytes()),
        ("table.csv".to_owned(), table_csv(table).map_err(failed)?.into_bytes()),
        ("results.json".to_owned(), json.clone().into_bytes()),
        ("replicas.csv".to_owned(), replicas_csv(result).map_err(failed)?.into_bytes()),
        ("provenance.json".to_owned(), provenance.into_bytes()),
    ];
    let mut gone = Vec::new();
    // Only a study of corrective measures has these.
    for (name, csv) in [("ranking.csv", ranking_csv(table)), ("prices.csv", prices_csv(table))] {
        match csv.map_err(failed)? {
            Some(csv) => files.push((name.to_owned(), csv.into_bytes())),
            None => gone.push(name.to_owned()),
        }
    }
    let wanted: Vec<&str> = checked.experiment.plots.iter().map(|plot| plot.word()).collect();
    for plot in PLOTS {
        let [svg, png] = ["svg", "png"].map(|end| format!("figures/{}.{end}", plot.name));
        let is_wanted = wanted.is_empty() || wanted.contains(&plot.name);
        // A study without a sweep has no figure of one.
        match render(table, plot.name) {
            Ok(figure) if is_wanted => {
                files.extend([(svg, figure.svg.into_bytes()), (png, figure.png)]);
            }
            _ => gone.extend([svg, png]),
        }
    }
    Ok((files, gone, json))
}
