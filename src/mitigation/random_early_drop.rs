//! Refusing more and more as requests pile up.
//!
//! Source: Floyd and Jacobson 1993; queueing theory calls it baulking.

use super::{Ask, Context, Layer, Told};
use crate::status::Status;
use crate::units::Share;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Help for `random_early_drop`.
pub const EXPLAIN: &str = "\
Refuses a call with a chance that grows with the number of calls in progress through this layer.
`levels` are steps: from so many in progress on, so great a chance. The refusal is `unavailable`
(503) and comes at once. At a door the calls in progress are the requests that the instance has let
in and not answered, whether they wait or are served.

Source: random early detection (Floyd and Jacobson 1993), on the present number and not on its
moving average. Queueing theory calls it baulking (a birth-death chain with state-dependent
arrivals).

```yaml
- random_early_drop:
    levels:
      - {from: 50, chance: 10%}
      - {from: 80, chance: 50%}
      - {from: 100, chance: 100%}
```

Traps: a chance below 100 % at the last level is no bound. What is refused may come again at once
(a retry draws anew), so that with n tries a chance p refuses only p^n. It knows nothing of how
long requests have waited.
";

/// Refuses calls with a chance that depends on the number in progress through this layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomEarlyDropSpec {
    /// Steps, in rising order of `from`; below the first one all pass.
    pub levels: Vec<DropLevel>,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropLevel {
    /// From so many calls in progress on.
    pub from: u32,
    /// The chance of a refusal.
    pub chance: Share,
}

impl RandomEarlyDropSpec {
    /// Refuses levels that are missing or not in order.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self) -> Result<(), String> {
        if self.levels.is_empty() {
            return Err("`levels` is empty; write for example `{from: 50, chance: 10%}`".to_owned());
        }
        match self.levels.windows(2).find(|pair| pair[1].from <= pair[0].from) {
            Some(pair) => Err(format!(
                "level {} comes after {}; put them in order",
                pair[1].from, pair[0].from
            )),
            None => Ok(()),
        }
    }
}

/// The calls in progress through one such layer.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomEarlyDrop {
    levels: Box<[DropLevel]>,
    inside: u32,
}

impl RandomEarlyDrop {
    /// Nothing in progress.
    #[must_use]
    pub fn new(spec: &RandomEarlyDropSpec) -> Self {
        Self { levels: spec.levels.clone().into(), inside: 0 }
    }

    /// The chance that a call is refused now.
    #[must_use]
    pub fn chance(&self) -> f64 {
        let reached = self.levels.iter().rev().find(|level| level.from <= self.inside);
        reached.map_or(0.0, |level| level.chance.0)
    }
}

impl Layer for RandomEarlyDrop {
    fn ask(&mut self, cx: &mut Context) -> Ask {
        let chance = self.chance();
        let refused = chance > 0.0 && cx.luck.unit() < chance;
        *cx.memo = u32::from(!refused);
        self.inside += *cx.memo;
        if refused { Ask::Answer(Status::Unavailable) } else { Ask::Pass }
    }

    fn told(&mut self, cx: &mut Context, _: Status) -> Told {
        self.forgotten(*cx.memo);
        *cx.memo = 0;
        Told::Deliver
    }

    fn forgotten(&mut self, memo: u32) {
        debug_assert!(memo <= self.inside, "more leave than have entered");
        self.inside = self.inside.saturating_sub(memo);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(from: u32, chance: f64) -> DropLevel {
        DropLevel { from, chance: Share(chance) }
    }

    #[test]
    fn the_chance_is_that_of_the_highest_level_that_is_reached() {
        let spec = RandomEarlyDropSpec { levels: vec![level(3, 0.5), level(7, 1.0)] };
        let mut layer = RandomEarlyDrop::new(&spec);
        let chances: Vec<f64> = (0..9)
            .map(|inside| {
                layer.inside = inside;
                layer.chance()
            })
            .collect();
        assert_eq!(chances, [0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0]);
    }

    #[test]
    fn levels_must_be_there_and_in_order() {
        assert!(RandomEarlyDropSpec { levels: vec![] }.check().is_err());
        let twice = RandomEarlyDropSpec { levels: vec![level(3, 0.1), level(3, 0.2)] };
        assert!(twice.check().unwrap_err().contains("3 comes after 3"));
        assert_eq!(RandomEarlyDropSpec { levels: vec![level(0, 1.0)] }.check(), Ok(()));
    }
}
