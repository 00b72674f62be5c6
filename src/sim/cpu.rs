//! CPU cores of an instance.
//!
//! *Processor sharing*: n jobs on c cores each advance at speed min(1, c/n). In *virtual time*,
//! which advances at that speed, a job ends its demand after it came; so jobs end in the order of
//! (virtual time of arrival + demand), and one heap and one event per instance suffice.
//!
//! All other ways rank the jobs, and the c jobs of the best rank are on the cores: *one at a time*
//! ranks them by arrival, *newest first* by arrival backwards, *by priority* by priority and then
//! arrival. A job that loses its core to a better one keeps the rest of its work (pre-emptive
//! resume).

use super::records::Id;
use crate::component::Sharing;
use crate::units::{Nanos, nearest};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

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

/// A job that is on a core or waits for one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ranked {
    /// Smaller goes first: priority, then place in the order of arrival (or backwards).
    rank: (u8, i64),
    id: Id,
    /// What is left of its demand (nanoseconds of one core); on a core: at [`Cpu::at`].
    rest: f64,
}
impl Eq for Ranked {}
impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
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
    /// All other ways: jobs on cores, and jobs that wait for one.
    running: Vec<Ranked>,
    waiting: BinaryHeap<Reverse<Ranked>>,
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
            waiting: BinaryHeap::new(),
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
            _ => {
                for job in &mut self.running {
                    job.rest -= passed * self.speed;
                }
            }
        }
    }

    /// A job comes with its demand (nanoseconds of one core) and its priority (0 goes first).
    pub fn add(&mut self, now: Nanos, id: Id, demand: f64, priority: u8) {
        self.advance(now);
        self.present += 1;
        self.sequence += 1;
        let order = self.sequence as i64;
        let rank = match self.sharing {
            Sharing::Processor => {
                if self.present == 1 {
                    // A new busy period: keep virtual time small, and so exact.
                    self.jobs.clear();
                    self.virtual_now = 0.0;
                }
                let ends = self.virtual_now + demand;
                self.jobs.push(Reverse(Job { ends, sequence: self.sequence, id }));
                return;
            }
            Sharing::OneAtATime => (0, order),
            Sharing::NewestFirst => (0, -order),
            Sharing::ByPriority => (priority, order),
        };
        self.place(Ranked { rank, id, rest: demand });
    }

    /// Puts a job on a free core, or on that of the worst job if it is worse, or into the line.
    fn place(&mut self, job: Ranked) {
        if (self.running.len() as u32) < self.cores {
            return self.running.push(job);
        }
        match self.running.iter_mut().max() {
            Some(worst) if *worst > job => {
                self.waiting.push(Reverse(std::mem::replace(worst, job)));
            }
            _ => self.waiting.push(Reverse(job)),
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
            _ => {
                let before = self.running.len() + self.waiting.len();
                self.running.retain(|job| job.id != id);
                self.waiting.retain(|job| job.0.id != id);
                self.fill();
                self.present -= (before - self.running.len() - self.waiting.len()) as u32;
            }
        }
    }

    fn fill(&mut self) {
        while (self.running.len() as u32) < self.cores {
            let Some(Reverse(next)) = self.waiting.pop() else { return };
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
            _ => {
                let done = |job: &Ranked| job.rest <= HALF_NANO * self.speed;
                let at = self.running.iter().position(done)?;
                let id = self.running.remove(at).id;
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
            _ => {
                let least = self.running.iter().map(|job| job.rest).min_by(f64::total_cmp)?;
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

    /// Priorities of jobs, in turn.
    const PRIORITIES: [u8; 5] = [1, 0, 2, 1, 1];

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
                    cpu.add(
                        now,
                        id(next as u32),
                        jobs[next].1,
                        PRIORITIES[next % PRIORITIES.len()],
                    );
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

    #[test]
    fn a_newer_or_more_urgent_job_takes_the_core_and_the_other_resumes() {
        // The second job (0 is its priority, the first one's 1) comes at 50, the third at 60.
        let jobs = [(0, 100.0), (50, 20.0), (60, 5.0)];
        let mut cpu = Cpu::new(1, Sharing::NewestFirst);
        assert_eq!(departures(&mut cpu, &jobs), [125, 75, 65]);
        let mut cpu = Cpu::new(1, Sharing::ByPriority);
        assert_eq!(departures(&mut cpu, &jobs), [120, 70, 125]);
        let mut cpu = Cpu::new(2, Sharing::NewestFirst);
        assert_eq!(departures(&mut cpu, &jobs), [105, 70, 65]);
    }

    /// The share of a core that each job gets at a moment; `here` are the jobs that are there, in
    /// the order of arrival.
    fn shares(sharing: Sharing, cores: u32, here: &[usize]) -> Vec<(usize, f64)> {
        let mut order = here.to_vec();
        match sharing {
            Sharing::Processor => {
                let share = (f64::from(cores) / here.len().max(1) as f64).min(1.0);
                return here.iter().map(|&i| (i, share)).collect();
            }
            Sharing::OneAtATime => {}
            Sharing::NewestFirst => order.reverse(),
            Sharing::ByPriority => order.sort_by_key(|i| PRIORITIES[i % PRIORITIES.len()]),
        }
        order.into_iter().take(cores as usize).map(|i| (i, 1.0)).collect()
    }

    /// The slow twin: time advances in small steps and every job gets its share of each.
    fn agrees_with_a_brute_force_integration(sharing: Sharing) {
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
            let fast = departures(&mut Cpu::new(cores, sharing), &jobs);
            let mut rest: Vec<f64> = jobs.iter().map(|j| j.1).collect();
            let mut slow = vec![0; jobs.len()];
            let mut now = 0u64;
            while slow.contains(&0) {
                let here: Vec<usize> =
                    (0..jobs.len()).filter(|&i| jobs[i].0 <= now && rest[i] > 0.0).collect();
                now += 1;
                for (i, share) in shares(sharing, cores, &here) {
                    rest[i] -= share;
                    if rest[i] <= 1e-9 {
                        rest[i] = 0.0;
                        slow[i] = now;
                    }
                }
            }
            // The slow twin loses a part of a step whenever a job ends in the middle of one.
            let lost = jobs.len() as u64;
            for (f, s) in fast.iter().zip(&slow) {
                assert!(f.abs_diff(*s) <= lost, "{sharing:?}, {cores} cores: {f}, by steps {s}");
            }
        }
    }

    #[test]
    fn processor_sharing_agrees_with_a_brute_force_integration() {
        agrees_with_a_brute_force_integration(Sharing::Processor);
    }

    #[test]
    fn ranked_jobs_agree_with_a_brute_force_integration() {
        for sharing in [Sharing::OneAtATime, Sharing::NewestFirst, Sharing::ByPriority] {
            agrees_with_a_brute_force_integration(sharing);
        }
    }

    #[test]
    fn a_stopped_cpu_keeps_its_work() {
        let mut cpu = Cpu::new(1, Sharing::Processor);
        cpu.add(0, id(0), 100.0, 0);
        cpu.set_speed(40, 0.0);
        assert_eq!(cpu.next_done(500), None);
        cpu.set_speed(1000, 0.5);
        assert_eq!(cpu.next_done(1000), Some(1120));
    }
}
