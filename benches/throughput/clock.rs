//! What the system says of this process: time on a processor, memory. Only Linux says it.

/// Seconds that this thread has been on a processor; of a kernel without schedstat those of the
/// whole process.
pub fn thread_seconds() -> Option<f64> {
    // The kernel counts up to now when a thread gives way, otherwise to its last tick.
    std::thread::yield_now();
    let from_schedstat = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        let nanos: u64 = text.split_whitespace().next()?.parse().ok()?;
        (nanos > 0).then_some(nanos as f64 / 1e9)
    };
    from_schedstat().or_else(process_seconds)
}

/// Seconds that all threads of this process have been on a processor, in hundredths.
pub fn process_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The fields after the name in brackets: utime is the 12th, stime the 13th.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / 100.0)
}

/// The most memory that this process has had, in bytes.
pub fn peak_rss() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// How many threads of this machine wanted a processor in the last minute, on average.
pub fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// The kind of this machine, in words.
#[cfg(feature = "cli")]
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let value = |file: &str, name: &str| {
        let text = std::fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(name))?.to_owned();
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let mut words = vec![if cores == 1 { "1 core".to_owned() } else { format!("{cores} cores") }];
    if let Some(model) = value("/proc/cpuinfo", "model name") {
        words[0].push_str(&format!(" ({model})"));
    }
    let kib = value("/proc/meminfo", "MemTotal");
    let kib = kib.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    words.extend(kib.map(|kib| format!("{:.0} GiB of memory", kib / 1024.0 / 1024.0)));
    words.push(match std::env::consts::OS {
        "linux" => "Linux".to_owned(),
        other => other.to_owned(),
    });
    words.join(", ")
}
