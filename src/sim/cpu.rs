//! CPU cores of an instance.
//!
//! *Processor sharing*: n jobs on c cores each advance at speed min(1, c/n). In *virtual time*,
//! which advances at that speed, a job ends its demand after it came; so jobs end in the order of
//! (virtual time of arrival + demand), and one heap and one event per instance suffice. *One at a
//! time*: a first-in-first-out line for the cores.

use super::records::Id;
use crate::component::Sharing;
use crate::units::{Nanos, nearest};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Rest below which a job counts as done: half a nanosecond, the rounding of event times.
const HALF_NANO: f64 = 0.5;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Job {
    /// Virtual time (nanoseconds) at which it ends.
    ends: f64,
    /// First come, first served among equals.
    sequence: u64,
    id: Id,
}
impl Eq for Job {}
impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Job {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.ends.total_cmp(&other.ends).then(self.sequence.cmp(&other.sequence))
    }
}

/// The cores of one instance and what they work on.
#[derive(Debug)]
pub struct Cpu {
    cores: u32,
    sharing: Sharing,
    /// Speed of a core: 1 is full, 0 is stopped.
    speed: f64,
    /// Virtual time (nanoseconds of work done by each job since the start) and when it was so much.
    virtual_now: f64,
    at: Nanos,
    /// Processor sharing: jobs at work, some of them gone already.
    jobs: BinaryHeap<Reverse<Job>>,
    /// One at a time: jobs on cores with their rest at `at`, and jobs that wait.
    running: Vec<(Id, f64)>,
    waiting: VecDeque<(Id, f64)>,
    /// Jobs that are really there.
    present: u32,
    sequence: u64,
}

impl Cpu {
    /// Idle cores.
    pub fn new(cores: u32, sharing: Sharing) -> Cpu {
        Cpu {
            cores,
            sharing,
            speed: 1.0,
            virtual_now: 0.0,
            at: 0,
            jobs: BinaryHeap::new(),
            running: Vec::new(),
            waiting: VecDeque::new(),
            present: 0,
            sequence: 0,
        }
    }

    /// Jobs on the CPU.
    pub fn present(&self) -> u32 {
        self.present
    }

    /// The speed of one job in processor sharing.
    fn job_speed(&self) -> f64 {
        self.speed * (f64::from(self.cores) / f64::from(self.present.max(1))).min(1.0)
    }

    /// Brings the work done up to date. Must be called before anything changes.
    fn advance(&mut self, now: Nanos) {
        let passed = (now - self.at) as f64;
        self.at = now;
        match self.sharing {
            Sharing::Processor => self.virtual_now += passed * self.job_speed(),
            Sharing::OneAtATime => {
                for job in &mut self.running {
                    job.1 -= passed * self.speed;
                }
            }
        }
    }

    /// A job comes with its demand (nanoseconds of one core).
    pub fn add(&mut self, now: Nanos, id: Id, demand: f64) {
        self.advance(now);
        self.present += 1;
        self.sequence += 1;
        match self.sharing {
            Sharing::Processor => {
                if self.present == 1 {
                    // A new busy period: keep virtual time small, and so exact.
                    self.jobs.clear();
                    self.virtual_now = 0.0;
                }
                let ends = self.virtual_now + demand;
                self.jobs.push(Reverse(Job { ends, sequence: self.sequence, id }));
            }
            Sharing::OneAtATime if (self.running.len() as u32) < self.cores => {
                self.running.push((id, demand));
            }
            Sharing::OneAtATime => self.waiting.push_back((id, demand)),
        }
    }

    /// A job goes before it is done.
    pub fn remove(&mut self, now: Nanos, id: Id) {
        self.advance(now);
        match self.sharing {
            Sharing::Processor => {
                let before = self.jobs.len();
                self.jobs.retain(|job| job.0.id != id);
                self.present -= (before - self.jobs.len()) as u32;
            }
            Sharing::OneAtATime => {
                let before = self.running.len() + self.waiting.len();
                self.running.retain(|job| job.0 != id);
                self.waiting.retain(|job| job.0 != id);
                self.fill();
                self.present -= (before - self.running.len() - self.waiting.len()) as u32;
            }
        }
    }

    fn fill(&mut self) {
        while (self.running.len() as u32) < self.cores {
            let Some(next) = self.waiting.pop_front() else { return };
            self.running.push(next);
        }
    }

    /// The speed of the cores changes.
    pub fn set_speed(&mut self, now: Nanos, speed: f64) {
        self.advance(now);
        self.speed = speed;
    }

    /// Takes a job that is done by now, the one that ends first.
    pub fn take_done(&mut self, now: Nanos) -> Option<Id> {
        self.advance(now);
        let done = match self.sharing {
            Sharing::Processor => {
                let first = self.jobs.peek()?.0;
                if first.ends - self.virtual_now
                    > HALF_NANO * self.job_speed().max(f64::MIN_POSITIVE)
                {
                    return None;
                }
                self.jobs.pop();
                first.id
            }
            Sharing::OneAtATime => {
                let at = self.running.iter().position(|j| j.1 <= HALF_NANO * self.speed)?;
                let (id, _) = self.running.remove(at);
                self.fill();
                id
            }
        };
        self.present -= 1;
        Some(done)
    }

    /// When the next job will be done if nothing changes.
    pub fn next_done(&self, now: Nanos) -> Option<Nanos> {
        let (rest, speed) = match self.sharing {
            Sharing::Processor => {
                let first = self.jobs.peek()?.0;
                (first.ends - self.virtual_now, self.job_speed())
            }
            Sharing::OneAtATime => {
                let least = self.running.iter().map(|j| j.1).min_by(f64::total_cmp)?;
                (least, self.speed)
            }
        };
        (speed > 0.0).then(|| now.saturating_add(nearest(rest.max(0.0) / speed)))
    }

    /// All jobs are gone.
    pub fn clear(&mut self, now: Nanos) {
        self.advance(now);
        self.jobs.clear();
        self.running.clear();
        self.waiting.clear();
        self.present = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(index: u32) -> Id {
        Id { index, life: 0 }
    }

    /// Runs (arrival, demand) through the CPU and gives the times of departure.
    fn departures(cpu: &mut Cpu, jobs: &[(Nanos, f64)]) -> Vec<Nanos> {
        let mut out = vec![0; jobs.len()];
        let mut next = 0;
        let mut now = 0;
        loop {
            let arrival = jobs.get(next).map(|j| j.0);
            let done = cpu.next_done(now);
            match (arrival, done) {
                (None, None) => return out,
                (Some(a), d) if d.is_none_or(|d| a < d) => {
                    now = a;
                    cpu.add(now, id(next as u32), jobs[next].1);
                    next += 1;
                }
                (_, Some(d)) => {
                    now = d;
                    while let Some(job) = cpu.take_done(now) {
                        out[job.index as usize] = now;
                    }
                }
                _ => unreachable!("an arrival is always before no departure"),
            }
        }
    }

    #[test]
    fn two_jobs_share_one_core() {
        // At 0 a job of 100, at 50 one of 20: they share until the second is done at 90, the first
        // ends at 120.
        let mut cpu = Cpu::new(1, Sharing::Processor);
        assert_eq!(departures(&mut cpu, &[(0, 100.0), (50, 20.0)]), [120, 90]);
        let mut cpu = Cpu::new(2, Sharing::Processor);
        assert_eq!(departures(&mut cpu, &[(0, 100.0), (50, 20.0)]), [100, 70]);
        let mut cpu = Cpu::new(1, Sharing::OneAtATime);
        assert_eq!(departures(&mut cpu, &[(0, 100.0), (50, 20.0)]), [100, 120]);
    }

    /// The slow twin: time advances in small steps and every job gets its share of each.
    #[test]
    fn processor_sharing_agrees_with_a_brute_force_integration() {
        let mut state = 7u64;
        let mut draw = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % n
        };
        for cores in 1..4 {
            let mut time = 0;
            let jobs: Vec<(Nanos, f64)> = (0..40)
                .map(|_| {
                    time += draw(3000);
                    (time, (100 + draw(4000)) as f64)
                })
                .collect();
            let fast = departures(&mut Cpu::new(cores, Sharing::Processor), &jobs);
            let mut rest: Vec<f64> = jobs.iter().map(|j| j.1).collect();
            let mut slow = vec![0; jobs.len()];
            let mut now = 0u64;
            while slow.contains(&0) {
                let here: Vec<usize> =
                    (0..jobs.len()).filter(|&i| jobs[i].0 <= now && rest[i] > 0.0).collect();
                let speed = (f64::from(cores) / here.len().max(1) as f64).min(1.0);
                now += 1;
                for i in here {
                    rest[i] -= speed;
                    if rest[i] <= 1e-9 {
                        slow[i] = now;
                    }
                }
            }
            // The slow twin loses a part of a step whenever a job ends in the middle of one.
            let lost = jobs.len() as u64;
            for (f, s) in fast.iter().zip(&slow) {
                assert!(f.abs_diff(*s) <= lost, "{cores} cores: {f} by virtual time, {s} by steps");
            }
        }
    }

    #[test]
    fn a_stopped_cpu_keeps_its_work() {
        let mut cpu = Cpu::new(1, Sharing::Processor);
        cpu.add(0, id(0), 100.0);
        cpu.set_speed(40, 0.0);
        assert_eq!(cpu.next_done(500), None);
        cpu.set_speed(1000, 0.5);
        assert_eq!(cpu.next_done(1000), Some(1120));
    }
}
