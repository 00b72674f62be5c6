//! Instructions for a request, counted by callgrind where it is installed.

use super::points::Task;
use std::process::Command;

/// Instructions for a request of W3 with so many instances: the difference of two runs, so that
/// start-up and the first second, before any time-out is due, are not in it.
pub fn for_a_request(instances: u32) -> Option<f64> {
    // Twenty thousand requests apart, and long enough for the lane of time-outs to be full.
    let apart = (100.0 / f64::from(instances)).max(0.05);
    let (less, few) = counted(Task::Pending(instances, 1.1))?;
    let (more, many) = counted(Task::Pending(instances, 1.1 + apart))?;
    Some((more - less) / (many - few))
}

/// Instructions and requests of a run.
fn counted(task: Task) -> Option<(f64, f64)> {
    let exe = std::env::current_exe().ok()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(exe)
        .args([format!("--point={}", task.argument()).as_str(), "--smoke"])
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let count = said.split("Collected : ").nth(1)?.split_whitespace().next()?.parse().ok()?;
    let point: super::Point = serde_json::from_slice(&output.stdout).ok()?;
    eprintln!("{}: {count:.0} instructions", task.argument());
    Some((count, point.done))
}
