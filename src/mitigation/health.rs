//! Active health checks: the counter that turns results into up and down.
//!
//! Source: reference on resilience mechanisms, B2; HAProxy `fall` and `rise`.

/// One line for lists.
pub const SUMMARY: &str =
    "Ask instances regularly whether they are well, and avoid those that are not.";

/// Help for the health checks written at a component.
pub const EXPLAIN: &str = "\
An active health check asks every instance each `interval`. `fall` failures in a row take the
instance out, `rise` successes in a row put it back; a result in the other direction starts the
count again. Each checker has its own counters and its own phase.

Source: HAProxy (inter 2s, fall 3, rise 2); Envoy's unhealthy_threshold and healthy_threshold,
Kubernetes' failureThreshold 3 and successThreshold 1 are the same counter. Time to detect = phase
of the first failing check (uniform over the interval) + (fall - 1) x interval + the time-out when
the instance hangs instead of refusing.

```yaml
probe: {needs: worker, interval: 2s, timeout: 2s, fall: 3, rise: 2}
```

Traps: taking overloaded instances out overloads the rest. A check of the port says that a hung
process is well; a check of the dependencies takes the whole fleet out with one dependency. `fall`
and `rise` of 1 flap.
";

/// A change of the verdict on an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may be used again.
    Up,
    /// It must not be used.
    Down,
}

/// One checker's view of one instance. Starts up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checker {
    fall: u32,
    rise: u32,
    up: bool,
    /// Results in a row that contradict `up`.
    streak: u32,
}

impl Checker {
    /// A checker that believes its instance to be up. `fall` failures in a row turn it down and
    /// `rise` successes in a row up; 0 means 1.
    #[must_use]
    pub fn new(fall: u32, rise: u32) -> Self {
        Self { fall, rise, up: true, streak: 0 }
    }

    /// Counts one result; says so if the verdict changes with it.
    #[must_use]
    pub fn result(&mut self, ok: bool) -> Option<Verdict> {
        if ok == self.up {
            self.streak = 0;
            return None;
        }
        self.streak += 1;
        if self.streak < if self.up { self.fall } else { self.rise } {
            return None;
        }
        self.streak = 0;
        self.up = ok;
        Some(if ok { Verdict::Up } else { Verdict::Down })
    }

    /// The verdict now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Verdicts with the second of the check that brought them.
    fn verdicts(checks: impl Iterator<Item = (u32, bool)>) -> Vec<(u32, Verdict)> {
        let mut checker = Checker::new(3, 2);
        checks.filter_map(|(at, ok)| Some((at, checker.result(ok)?))).collect()
    }

    #[test]
    fn m59_haproxy_defaults_see_down_at_6_and_up_at_14() {
        // Checks at even seconds; refused at once from 0.5 s, answered again from 10.5 s.
        let checks = (0..=20).step_by(2).map(|at| (at, !(1..=10).contains(&at)));
        assert_eq!(verdicts(checks), [(6, Verdict::Down), (14, Verdict::Up)]);
    }

    #[test]
    fn m59_a_hanging_server_is_seen_down_one_time_out_later() {
        // Checks start at even seconds from 2; their result comes with the time-out of 2 s.
        let checks = (2..=8).step_by(2).map(|start| (start + 2, false));
        assert_eq!(verdicts(checks), [(8, Verdict::Down)]);
    }

    #[test]
    fn a_result_in_the_other_direction_starts_the_count_again() {
        let results = [false, false, true, false, false, false, true, false, true, true];
        let checks = (0..).zip(results);
        assert_eq!(verdicts(checks), [(5, Verdict::Down), (9, Verdict::Up)]);
    }

    #[test]
    fn the_verdict_is_kept_between_changes() {
        let mut checker = Checker::new(1, 1);
        assert!(checker.is_up());
        assert_eq!(checker.result(false), Some(Verdict::Down));
        assert!(!checker.is_up());
        assert_eq!(checker.result(false), None);
        assert_eq!(checker.result(true), Some(Verdict::Up));
    }
}
