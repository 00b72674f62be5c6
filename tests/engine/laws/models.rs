//! Random small models. A part of a model is made of genes: small numbers that decide one thing
//! after the other. Gene 0 always means the plain case, so that a failing model shrinks to a small
//! one.

use proptest::collection::vec;
use proptest::prelude::*;

/// Genes of a random model.
#[derive(Debug, Clone)]
pub struct Genome {
    /// One list for each client.
    pub clients: Vec<Vec<u8>>,
    /// One list for each component; a component may call those behind it.
    pub components: Vec<Vec<u8>>,
    /// One list for each change.
    pub changes: Vec<Vec<u8>>,
}

/// Any genome.
pub fn genomes() -> impl Strategy<Value = Genome> {
    let genes = |n| vec(any::<u8>(), n);
    (vec(genes(12), 1..=2), vec(genes(32), 1..=4), vec(genes(5), 0..=4))
        .prop_map(|(clients, components, changes)| Genome { clients, components, changes })
}

/// What a model may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    /// Everything.
    All,
    /// Nothing that stays for ever: all faults end, nothing hangs, stalls or is lost without a
    /// time-out, and nobody comes after a minute.
    Passing,
}

/// Reads genes one after the other.
pub struct Genes<'g>(std::slice::Iter<'g, u8>);

impl<'g> Genes<'g> {
    pub fn new(genes: &'g [u8]) -> Genes<'g> {
        Genes(genes.iter())
    }

    /// A number below `n`.
    pub fn pick(&mut self, n: usize) -> usize {
        usize::from(*self.0.next().unwrap_or(&0)) % n
    }

    /// True in one of three cases.
    fn third(&mut self) -> bool {
        self.pick(3) == 2
    }

    /// One of the words; the first one is the plain case.
    pub fn word<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.pick(words.len())]
    }
}

const LAYERS: [&str; 12] = [
    "",
    "retry: {attempts: 3, backoff: {constant: 50ms}}",
    "retry: {attempts: 4, backoff: none}",
    "retry: {attempts: 3, backoff: {exponential: {base: 20ms, factor: 2x, jitter: full}}}",
    "circuit_breaker: {window: {count: 10}, minimum_calls: 5, open_for: 2s, half_open_calls: 2}",
    "bulkhead: {limit: 3}",
    "rate_limit: {token_bucket: {rate: 20/s, burst: 5}}",
    "fallback: {answer: degraded, takes: 5ms}",
    "hedge: {after: {exponential: {mean: 60ms}}, at_most: 2}",
    "hedge: {after: 20ms, cancels: no, on: [timeout, unavailable]}",
    "retry_quota: {size: 10, retry_takes: 1, success_gives: 0.1}",
    "retry_ratio: {retries_below: 30%}",
];

impl Genome {
    /// The model's text. `layer` is put around every client's calls, `change` among the changes.
    pub fn text(&self, kinds: Kinds, layer: &str, change: &str) -> String {
        let (clients, components, changes) = self.parts(kinds, layer);
        Self::put_together(kinds, &clients, &components, &changes, change)
    }

    /// The same model with its clients, components and changes in another order.
    pub fn reversed_text(&self, kinds: Kinds) -> String {
        let (mut clients, mut components, mut changes) = self.parts(kinds, "");
        changes.reverse();
        clients.reverse();
        components.reverse();
        Self::put_together(kinds, &clients, &components, &changes, "")
    }

    fn parts(&self, kinds: Kinds, layer: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
        let count = self.components.len();
        let clients = self.clients.iter().enumerate().map(|(i, g)| client(i, g, kinds, layer));
        let components =
            self.components.iter().enumerate().map(|(i, g)| component(i, count, g, kinds));
        let changes = self.changes.iter().enumerate().map(|(i, g)| change(i, count, g, kinds));
        (clients.collect(), components.collect(), changes.collect())
    }

    fn put_together(
        kinds: Kinds,
        clients: &[String],
        components: &[String],
        changes: &[String],
        more: &str,
    ) -> String {
        let horizon = if kinds == Kinds::All { "20s" } else { "2h" };
        let middleware = "  auth: {kind: middleware, work: 1ms, bugs: {odd: {when: {share: 2%}, \
                          raises: {exception: {holds_worker: no}}}}}\n";
        format!(
            "name: random\nhorizon: {horizon}\n\
             clients:\n{}components:\n{}{middleware}changes:\n{}  \
             nothing: {{what: {{slow: {{component: c0, by: 1x}}}}, at: 1s}}\n{more}",
            clients.concat(),
            components.concat(),
            changes.concat()
        )
    }
}

fn client(index: usize, genes: &[u8], kinds: Kinds, layer: &str) -> String {
    let mut g = Genes::new(genes);
    let rate = [5, 20, 50][g.pick(3)];
    let open = match kinds {
        Kinds::All => format!("poisson: {{rate: {rate}/s}}"),
        // Nobody comes after a minute.
        Kinds::Passing => {
            format!("profile: {{points: [[0s, {rate}/s], [50s, {rate}/s], [1min, 0/s]]}}")
        }
    };
    let users = format!(
        "users: 20, visits: {{{open}}}, visit: {{requests: {{geometric: {{mean: 3}}}}, \
         thinking: {{exponential: {{mean: 500ms}}}}, patience: {{failures: 2}}, \
         return: {{share: 50%, after: 1s}}}}"
    );
    let source = match (g.pick(4), kinds) {
        (1, _) => users,
        (2, Kinds::All) if index > 0 => {
            "arrivals: {closed: {population: 8, thinking: {exponential: {mean: 300ms}}}}".into()
        }
        _ => format!("arrivals: {{{open}}}"),
    };
    let mut words = vec![source, "calls: c0".to_owned()];
    let timeout = g.word(&["", "timeout: 300ms", "timeout: {lognormal: {mean: 200ms, cv: 1}}"]);
    // Without a time-out a cut link would be waited for until the end.
    words.push(
        if kinds == Kinds::Passing && timeout.is_empty() { "timeout: 1s" } else { timeout }.into(),
    );
    words.push(g.word(&["", "deadline: 700ms", ""]).into());
    words.push(g.word(&["", "cancels: yes"]).into());
    words.push(g.word(&["", "late_answers: used"]).into());
    words.push(g.word(&["", "priority: 1"]).into());
    words.push(layers(&mut g, layer));
    if g.third() {
        words.push("requests: {request: 60%, heavy: {share: 40%, endpoint: request}}".into());
    }
    words.retain(|word| !word.is_empty());
    format!("  u{index}: {{{}}}\n", words.join(", "))
}

fn layers(g: &mut Genes, first: &str) -> String {
    let mut all = [first, g.word(&LAYERS), g.word(&LAYERS)];
    // One hedge around a call.
    let is_hedge = |layer: &str| layer.starts_with("hedge");
    for index in 0..2 {
        if is_hedge(all[index]) && all[index + 1..].iter().any(|layer| is_hedge(layer)) {
            all[index] = "";
        }
    }
    let written: Vec<String> =
        all.iter().filter(|l| !l.is_empty()).map(|l| format!("{{{l}}}")).collect();
    match written.is_empty() {
        true => String::new(),
        false => format!("layers: [{}]", written.join(", ")),
    }
}

fn component(index: usize, count: usize, genes: &[u8], kinds: Kinds) -> String {
    let mut g = Genes::new(genes);
    let all = kinds == Kinds::All;
    let mut words = vec![format!("kind: server, instances: {}", 1 + g.pick(3))];
    words.push(format!("workers: {}", 1 + g.pick(4)));
    words.push(format!("while_calling: {}", g.word(&["hold", "release"])));
    let discipline = g.word(&["fifo", "lifo", "random", "priority"]);
    let line =
        g.word(&["", ", capacity: 0", ", capacity: 4", ", wait: 100ms", ", drops_abandoned: yes"]);
    words.push(format!("line: {{discipline: {discipline}{line}}}"));
    words.push(g.word(&["", "connections: 6"]).into());
    let cpu = g.word(&[
        "",
        "cpu: {cores: 1}",
        "cpu: {cores: 2, sharing: one_at_a_time}",
        "cpu: {cores: 1, sharing: newest_first}",
        "cpu: {cores: 2, sharing: by_priority}",
    ]);
    words.push(cpu.into());
    let costs = g.third() && !cpu.is_empty();
    words.push(if costs { "cost_of_rejecting: 1ms" } else { "" }.into());
    let at_limit = if all { g.word(&["killed", "stalls"]) } else { "killed" };
    let memory =
        g.word(&["", "per_request: 2MB", "leak: {per_request: 100kB}", "per_request: 5MB"]);
    let memory = match memory {
        "" => String::new(),
        held => format!(
            "memory: {{limit: 60MB, base: 40MB, {held}, \
             pressure: {{from: 80%, slowdown: 3x}}, at_limit: {at_limit}}}"
        ),
    };
    words.push(memory);
    words.push(
        g.word(&[
            "",
            "restart: {always: {takes: 500ms, back_off: {first: 1s, cap: 5s, reset: 20s}}}",
        ])
        .into(),
    );
    words.push("start_takes: 300ms".into());
    words.push(
        g.word(&[
            "",
            "pick: random",
            "pick: least_requests",
            "pick: sticky_by_user",
            "pick: power_of_two",
            "pick: {fewest_of: {choices: 2}}",
        ])
        .into(),
    );
    words.push(
        g.word(&[
            "",
            "",
            "layers: [{bulkhead: {limit: 9}}]",
            "layers: [{random_early_drop: {levels: [{from: 3, chance: 30%}]}}]",
            "layers: [{rate_limit: {token_bucket: {rate: 30/s, burst: 9}}}]",
            "layers: [{fallback: {on: middleware, open: yes}}]",
        ])
        .into(),
    );
    if g.third() {
        words.push("middleware: [auth]".into());
    }
    let needs = g.word(&["", "", "port", "worker"]);
    if !needs.is_empty() {
        words.push(format!(
            "probe: {{needs: {needs}, interval: 1s, timeout: 200ms, fall: 2, rise: 1, \
             fail_open: {}}}",
            g.word(&["yes", "no"])
        ));
    }
    let bug = g.word(&[
        "",
        "",
        "error: server_error",
        "crash: yes",
        "delay: 30ms",
        "slow: 3x",
        "leaks_memory: 1MB",
        "exception: {holds_worker: yes}",
        "calls_again: {times: 3, pause: 5ms}",
    ]);
    let bug = if !all && bug.contains("holds_worker") { "error: server_error" } else { bug };
    let raises = if bug.is_empty() { "error: client_error" } else { bug };
    let share = if bug.is_empty() { "0%" } else { "3%" };
    let present = g.word(&["yes", "no"]);
    words.push(format!(
        "bugs: {{b: {{present: {present}, when: {{share: {share}}}, raises: {{{raises}}}}}}}"
    ));
    let work =
        g.word(&["fixed: 10ms", "exponential: {mean: 20ms}", "lognormal: {mean: 30ms, cv: 2}"]);
    words.push("caches: {k: {size: 1, ttl: 500ms}}".into());
    let mut steps = vec![format!("work: {{{work}}}")];
    let mut pools = Vec::new();
    for to in index + 1..count {
        // The next one is always called, so that every component has a caller.
        if to > index + 1 && g.pick(2) == 0 {
            continue;
        }
        steps.push(call(to, &mut g, all));
        if g.third() {
            let wait = g.word(&[", wait: 50ms", ""]);
            let leak = if all { g.word(&["", ", leak: 1%"]) } else { "" };
            pools.push(format!("c{to}: {{size: 2{wait}{leak}}}"));
        }
    }
    steps.push(
        g.word(&[
            "wait: 1ms",
            "reply: ok",
            "choose: [{share: 10%, steps: [reply: server_error]}]",
            "choose: [{share: 20%, steps: [start_over]}]",
        ])
        .into(),
    );
    words.push(if pools.is_empty() {
        String::new()
    } else {
        format!("pools: {{{}}}", pools.join(", "))
    });
    words.push(
        "versions: {next: {bugs: {n: {when: {share: 5%}, raises: {error: server_error}}}}}".into(),
    );
    words.push(format!("endpoints: {{request: [{}]}}", steps.join(", ")));
    words.retain(|word| !word.is_empty());
    format!("  c{index}: {{{}}}\n", words.join(", "))
}

fn call(to: usize, g: &mut Genes, all: bool) -> String {
    let mut words = vec![format!("to: c{to}.request")];
    let timeout = g.word(&["timeout: 100ms", "timeout: {exponential: {mean: 100ms}}", ""]);
    words.push(if !all && timeout.is_empty() { "timeout: 400ms" } else { timeout }.into());
    words.push(layers(g, ""));
    words.push(
        g.word(&[
            "",
            "on_failure: go_on",
            "cancels: yes",
            "network: 2ms",
            "deadline: 150ms",
            "late_answers: used",
        ])
        .into(),
    );
    words.retain(|word| !word.is_empty());
    let call = format!("call: {{{}}}", words.join(", "));
    let work = "work: 5ms";
    match g.pick(7) {
        1 => format!("parallel: {{wait_for: all, branches: [[{call}], [{call}]]}}"),
        2 => format!("parallel: {{wait_for: any, branches: [[{call}], [{work}], [{call}]]}}"),
        3 => format!(
            "choose: [{{share: 50%, steps: [{call}]}}, {{otherwise: yes, steps: [{work}]}}]"
        ),
        4 => format!("parallel: {{wait_for: {{at_least: 2}}, copies: 3, branches: [[{call}]]}}"),
        5 => format!("look_up: {{cache: k, hit: [{work}], miss: [{call}]}}"),
        _ => call,
    }
}

fn change(index: usize, count: usize, genes: &[u8], kinds: Kinds) -> String {
    let mut g = Genes::new(genes);
    let c = format!("c{}", g.pick(count));
    let what = match g.pick(13) {
        0 => format!("slow: {{component: {c}, by: 3x}}"),
        1 => format!("crash: {{component: {c}}}"),
        2 => format!("freeze: {{component: {c}}}"),
        3 => format!("errors: {{component: {c}, share: 30%, status: unavailable}}"),
        4 => format!("cut: {{to: {c}}}"),
        5 => format!("delay: {{to: {c}, by: 30ms}}"),
        6 => format!("fewer_workers: {{component: {c}, workers: 1}}"),
        7 => "surge: {clients: u0, by: 3x}".to_owned(),
        8 => format!("crash: {{component: {c}, instances: 1}}"),
        9 => format!(
            "deploy: {{component: {c}, version: next, how: {{rolling: {{batch: 1, pause: 2s}}}}}}"
        ),
        10 => format!("rollback: {{component: {c}}}"),
        11 => format!("empty_caches: {{component: {c}}}"),
        _ => format!("flush: {{component: {c}}}"),
    };
    let moment =
        ["deploy", "rollback", "flush", "empty_caches"].iter().any(|word| what.starts_with(word));
    // Times that no two changes share, so that nothing depends on the order of the file.
    let at = 5 * index + 1 + g.pick(20);
    let at = at * 1000 + index;
    let rescaled = what.starts_with("slow") && g.third();
    let how = if rescaled { ", in_progress: rescaled" } else { "" };
    let end = match (moment, g.pick(3), kinds) {
        (true, _, _) => String::new(),
        (_, 2, Kinds::All) if !what.starts_with("cut") => String::new(),
        (_, lasts, _) => format!(", lasts: {}", ["3s", "500ms", "8s"][lasts]),
    };
    format!("  x{index}: {{what: {{{what}}}, at: {at}ms{end}{how}}}\n")
}
