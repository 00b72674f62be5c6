//! How cost grows, and the page that tells it.
//!
//! Reading order: [`points`] (what is measured), this file (sizes, repetition, what is asked of the
//! numbers), [`fit`], `figures` and `page` (what is drawn and written).

mod figures;
mod fit;
mod instructions;
mod page;
mod points;
mod start;

use crate::rows::Measured;
use fit::Spread;
use points::{Point, Task};
use std::path::Path;
use std::process::Command;

/// Runs of each study at most; those of a thousand replicas are long, and vary little.
const STUDY_RUNS: usize = 3;

/// The program is started so often with each command; it takes milliseconds.
const STARTS: usize = 21;

/// What is run.
struct Sizes {
    requests: Vec<u64>,
    /// Instances and simulated seconds.
    pending: Vec<(u32, f64)>,
    /// Instances for which instructions are counted; more would take minutes.
    counted: Vec<u32>,
    overload: Vec<u32>,
    replicas: Vec<u64>,
    /// Replicas of a study on one and on two threads.
    threads: u64,
}

impl Sizes {
    /// About four million requests for each number of instances, and never less than some seconds,
    /// so that the beginning weighs little.
    fn whole() -> Sizes {
        let pending: [u32; 7] = [10, 30, 100, 300, 1000, 3000, 10_000];
        Sizes {
            requests: (0..7).map(|step| 100_000 << step).collect(),
            pending: pending.map(|n| (n, (20_000.0 / f64::from(n)).max(4.0))).to_vec(),
            counted: pending[..6].to_vec(),
            overload: vec![15, 30, 60, 120],
            replicas: vec![10, 30, 100, 300, 1000],
            threads: 120,
        }
    }

    fn smoke() -> Sizes {
        Sizes {
            requests: vec![1000, 2000, 4000],
            pending: vec![(10, 0.5), (30, 0.2), (100, 0.1)],
            counted: Vec::new(),
            overload: vec![1, 2, 3],
            replicas: vec![1, 2, 3],
            threads: 2,
        }
    }
}

/// All runs of one size.
struct Size {
    /// Number of instances, of replicas, or whatever was varied.
    of: f64,
    points: Vec<Point>,
}

impl Size {
    /// Of a number over the runs.
    fn spread(&self, of: impl Fn(&Point) -> f64) -> Spread {
        Spread::of(self.points.iter().map(of))
    }
}

/// All that was measured.
pub struct Growth {
    requests: Vec<Size>,
    pending: Vec<Size>,
    /// Instances and instructions for a request; none without callgrind.
    counted: Vec<(f64, f64)>,
    overload: Vec<Size>,
    replicas: Vec<Size>,
    /// On one and on two threads.
    threads: Vec<Size>,
    starts: start::Starts,
}

impl Growth {
    /// Two numbers of each point of some sizes.
    fn pairs(sizes: &[Size], of: impl Fn(&Point) -> (f64, f64)) -> Vec<(f64, f64)> {
        sizes.iter().flat_map(|size| &size.points).map(of).collect()
    }
}

/// Measures, draws and writes: figures into `images/` and the page into `background/` of a folder.
/// Nothing is written if a run was wrong.
pub fn write(folder: &Path, smoke: bool, rows: &[Measured], runs: usize) -> Result<(), String> {
    let growth = measure(if smoke { Sizes::smoke() } else { Sizes::whole() }, smoke, runs)?;
    let mut files = Vec::new();
    for (name, figure) in figures::all(&growth) {
        files.push((format!("images/{name}.svg"), outagelab::plot::svg(&figure)?));
    }
    files.push(("background/performance.md".to_owned(), page::text(&growth, rows, runs)?));
    for (name, text) in &files {
        let path = folder.join(name);
        let into = path.parent().expect("a file lies in a folder");
        std::fs::create_dir_all(into)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

/// Whether what was written is whole: every figure that the page shows is there and has no number
/// that does not exist.
pub fn look_at(folder: &Path) -> Result<(), String> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let page = folder.join("background/performance.md");
    let text = read(&page)?;
    let shown = text.split("](../images/").skip(1).filter_map(|rest| rest.split(')').next());
    let mut figures = 0;
    for name in shown {
        let figure = read(&folder.join("images").join(name))?;
        let is_whole =
            figure.trim_end().ends_with("</svg>") && figure.matches("<circle").count() > 5;
        if !is_whole || ["NaN", "inf"].iter().any(|word| figure.contains(word)) {
            return Err(format!("{name} is no whole figure"));
        }
        figures += 1;
    }
    let is_whole = figures == 3 && !["NaN", "| inf", "{{"].iter().any(|word| text.contains(word));
    if is_whole { Ok(()) } else { Err(format!("the page is not whole:\n{text}")) }
}

/// Does one task in this process and says what came out of it.
pub fn answer(argument: &str, smoke: bool) -> Result<String, String> {
    let task = Task::read(argument).ok_or_else(|| format!("no point {argument}"))?;
    serde_json::to_string(&points::measure(task, smoke)).map_err(|error| error.to_string())
}

/// Runs all points once, then all again, so that a slow minute of the machine does not hit one size
/// alone.
fn measure(sizes: Sizes, smoke: bool, runs: usize) -> Result<Growth, String> {
    let series = |all: Vec<(f64, Task)>, runs: usize| -> Result<Vec<Size>, String> {
        let mut done: Vec<Size> =
            all.iter().map(|(of, _)| Size { of: *of, points: Vec::new() }).collect();
        for _ in 0..runs {
            for ((_, task), size) in all.iter().zip(&mut done) {
                size.points.push(in_a_process(*task, smoke)?);
            }
        }
        Ok(done)
    };
    let requests = sizes.requests.iter().map(|&n| (n as f64, Task::Requests(n)));
    let pending = sizes.pending.iter().map(|&(n, s)| (f64::from(n), Task::Pending(n, s)));
    let counted = sizes.counted.iter();
    let counted = counted.filter_map(|&n| Some((f64::from(n), instructions::for_a_request(n)?)));
    let overload = sizes.overload.iter().map(|&s| (f64::from(s), Task::Overload(s)));
    let replicas = sizes.replicas.iter().map(|&n| (n as f64, Task::Replicas(n)));
    let threads = [1, 2].map(|n| (n as f64, Task::Threads(sizes.threads, n)));
    let growth = Growth {
        requests: series(requests.collect(), runs)?,
        pending: series(pending.collect(), runs)?,
        counted: counted.collect(),
        overload: series(overload.collect(), runs)?,
        replicas: series(replicas.collect(), runs.min(STUDY_RUNS))?,
        threads: series(threads.to_vec(), runs)?,
        starts: start::measure(if smoke { 1 } else { STARTS })?,
    };
    let mut same = growth.threads.iter().flat_map(|size| &size.points).map(|p| p.fingerprint);
    let first = same.next();
    if same.any(|fingerprint| Some(fingerprint) != first) {
        return Err("one thread and two did not do the same".to_owned());
    }
    Ok(growth)
}

fn in_a_process(task: Task, smoke: bool) -> Result<Point, String> {
    let exe = std::env::current_exe().map_err(|error| error.to_string())?;
    let argument = task.argument();
    let mut child = Command::new(exe);
    child.arg(format!("--point={argument}"));
    if smoke {
        child.arg("--smoke");
    }
    let output = child.output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = || format!("{argument} did not run: {}", String::from_utf8_lossy(&output.stderr));
    let point: Point = serde_json::from_str(said.trim()).map_err(|_| failed())?;
    eprintln!("{argument}: {:.3} s, peak {:.1} MB", point.cpu_seconds, point.peak_bytes / 1e6);
    match &point.wrong {
        Some(why) => Err(format!("{argument}: {why}")),
        None => Ok(point),
    }
}
