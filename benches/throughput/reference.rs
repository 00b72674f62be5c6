//! W3 as an engineer would write it who needs only W3: one loop, one heap, plain records. It shares
//! nothing with the engine but the generators of random numbers and the histogram, and is the
//! measure of how much a general engine costs.

use outagelab::histogram::Histogram;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_pcg::Pcg64Mcg;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

const SERVERS: usize = 4;
const WORKERS: u32 = 8;
const CONNECTIONS: u32 = 16;
const RATE: f64 = 896.0;
const TIMEOUT: u64 = 1_000_000_000;
const RETRIES: u32 = 3;

/// What came of it.
pub struct Reference {
    pub requests: u64,
    pub events: u64,
    pub latency: Histogram,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrival,
    ApiDone { job: u32 },
    DatabaseDone { job: u32 },
    Timeout { request: u32, life: u32, attempt: u32 },
    Retry { request: u32, life: u32 },
}

/// A request of a client.
#[derive(Debug, Clone, Copy, Default)]
struct Request {
    life: u32,
    attempt: u32,
    /// Whether an attempt is out; an answer that comes later is ignored.
    is_out: bool,
    began: u64,
}

/// One attempt at the servers; it goes on after its client has given up.
#[derive(Debug, Clone, Copy, Default)]
struct Job {
    request: u32,
    life: u32,
    attempt: u32,
    server: usize,
}

struct World {
    now: u64,
    sequence: u64,
    heap: BinaryHeap<Reverse<(u64, u64, Event)>>,
    rng: Pcg64Mcg,
    requests: Vec<Request>,
    free_requests: Vec<u32>,
    jobs: Vec<Job>,
    free_jobs: Vec<u32>,
    busy: [u32; SERVERS],
    lines: [VecDeque<u32>; SERVERS],
    database_busy: u32,
    database_line: VecDeque<u32>,
    next_server: usize,
    done: Reference,
}

/// Runs W3 for so many simulated seconds.
pub fn w3(seconds: f64, seed: u64) -> Reference {
    let mut world = World {
        now: 0,
        sequence: 0,
        heap: BinaryHeap::new(),
        rng: Pcg64Mcg::seed_from_u64(seed),
        requests: Vec::new(),
        free_requests: Vec::new(),
        jobs: Vec::new(),
        free_jobs: Vec::new(),
        busy: [0; SERVERS],
        lines: Default::default(),
        database_busy: 0,
        database_line: VecDeque::new(),
        next_server: 0,
        done: Reference { requests: 0, events: 0, latency: Histogram::default() },
    };
    let end = (seconds * 1e9) as u64;
    world.plan(0, Event::Arrival);
    while let Some(Reverse((time, _, event))) = world.heap.pop() {
        if time > end {
            break;
        }
        world.now = time;
        world.done.events += 1;
        world.handle(event);
    }
    world.done
}

impl World {
    fn plan(&mut self, after: u64, event: Event) {
        self.sequence += 1;
        self.heap.push(Reverse((self.now + after, self.sequence, event)));
    }

    fn exponential(&mut self, mean: f64) -> u64 {
        let x: f64 = Exp1.sample(&mut self.rng);
        (x * mean * 1e9) as u64
    }

    /// Lognormal with mean 20 ms and coefficient of variation 1.
    fn work(&mut self) -> u64 {
        let sigma2 = std::f64::consts::LN_2;
        let z: f64 = StandardNormal.sample(&mut self.rng);
        ((0.020f64.ln() - sigma2 / 2.0 + sigma2.sqrt() * z).exp() * 1e9) as u64
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Arrival => {
                let gap = self.exponential(1.0 / RATE);
                self.plan(gap, Event::Arrival);
                let index = self.free_requests.pop().unwrap_or_else(|| {
                    self.requests.push(Request::default());
                    self.requests.len() as u32 - 1
                });
                let request = &mut self.requests[index as usize];
                (request.attempt, request.began) = (0, self.now);
                self.send(index);
            }
            Event::Retry { request, life } => {
                if self.requests[request as usize].life == life {
                    self.send(request);
                }
            }
            Event::Timeout { request, life, attempt } => {
                let known = self.requests[request as usize];
                if known.is_out && (known.life, known.attempt) == (life, attempt) {
                    self.attempt_failed(request);
                }
            }
            Event::ApiDone { job } => {
                if self.database_busy < CONNECTIONS {
                    self.start_query(job);
                } else {
                    self.database_line.push_back(job);
                }
            }
            Event::DatabaseDone { job } => {
                self.database_busy -= 1;
                if let Some(next) = self.database_line.pop_front() {
                    self.start_query(next);
                }
                self.job_done(job);
            }
        }
    }

    fn send(&mut self, index: u32) {
        let request = &mut self.requests[index as usize];
        request.attempt += 1;
        request.is_out = true;
        let Request { life, attempt, .. } = *request;
        self.plan(TIMEOUT, Event::Timeout { request: index, life, attempt });
        let server = self.next_server;
        self.next_server = (server + 1) % SERVERS;
        let job = self.free_jobs.pop().unwrap_or_else(|| {
            self.jobs.push(Job::default());
            self.jobs.len() as u32 - 1
        });
        self.jobs[job as usize] = Job { request: index, life, attempt, server };
        if self.busy[server] < WORKERS {
            self.start_work(job, server);
        } else {
            self.lines[server].push_back(job);
        }
    }

    fn start_work(&mut self, job: u32, server: usize) {
        self.busy[server] += 1;
        let work = self.work();
        self.plan(work, Event::ApiDone { job });
    }

    fn start_query(&mut self, job: u32) {
        self.database_busy += 1;
        let work = self.exponential(0.005);
        self.plan(work, Event::DatabaseDone { job });
    }

    fn job_done(&mut self, index: u32) {
        let job = self.jobs[index as usize];
        self.free_jobs.push(index);
        self.busy[job.server] -= 1;
        if let Some(next) = self.lines[job.server].pop_front() {
            self.start_work(next, job.server);
        }
        let request = &mut self.requests[job.request as usize];
        if request.is_out && (request.life, request.attempt) == (job.life, job.attempt) {
            self.done.latency.record(self.now - request.began);
            self.request_over(job.request);
        }
    }

    fn attempt_failed(&mut self, index: u32) {
        let request = &mut self.requests[index as usize];
        if request.attempt > RETRIES {
            return self.request_over(index);
        }
        request.is_out = false;
        let (life, attempt) = (request.life, request.attempt);
        let most = 0.1 * f64::from(1u32 << (attempt - 1));
        let pause = (self.rng.random::<f64>() * most * 1e9) as u64;
        self.plan(pause, Event::Retry { request: index, life });
    }

    fn request_over(&mut self, index: u32) {
        let request = &mut self.requests[index as usize];
        self.done.requests += u64::from(request.attempt);
        request.life = request.life.wrapping_add(1);
        self.free_requests.push(index);
    }
}
