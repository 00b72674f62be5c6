//! Knobs: what changes turn, and how turns that overlap combine.
//!
//! Each active turn stays in a list; the value of a knob is folded anew from the list whenever a
//! turn begins or ends. Undoing a change can therefore never undo another one.

use crate::status::Status;

/// What a turn does to an instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Turn {
    /// The process is down.
    Down,
    /// The process is frozen.
    Frozen,
    /// Work takes so many times longer.
    Slower(f64),
    /// Requests at the door fail with this chance and status.
    Errors(f64, Status),
    /// So many workers at most.
    Workers(u32),
}

/// The knobs of one instance: what all active turns amount to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knobs {
    /// No turn holds the process down.
    pub up: bool,
    /// A turn freezes it.
    pub frozen: bool,
    /// Product of all slownesses; 1 is full speed.
    pub slower: f64,
    /// Chance that a request at the door fails: 1 - product of (1 - chance), as the turns are
    /// independent.
    pub error_share: f64,
    /// The status of such a failure: that of the last turn in the list.
    pub error_status: Status,
    /// The least number of workers that a turn allows.
    pub workers: u32,
}

impl Default for Knobs {
    fn default() -> Self {
        Knobs {
            up: true,
            frozen: false,
            slower: 1.0,
            error_share: 0.0,
            error_status: Status::ServerError,
            workers: u32::MAX,
        }
    }
}

impl Knobs {
    /// Folds all active turns, in the order of their changes in the plan.
    pub fn fold(turns: impl Iterator<Item = Turn>) -> Knobs {
        let mut knobs = Knobs::default();
        for turn in turns {
            match turn {
                Turn::Down => knobs.up = false,
                Turn::Frozen => knobs.frozen = true,
                Turn::Slower(by) => knobs.slower *= by,
                Turn::Errors(share, status) if share > 0.0 => {
                    knobs.error_share = 1.0 - (1.0 - knobs.error_share) * (1.0 - share);
                    knobs.error_status = status;
                }
                Turn::Errors(..) => {}
                Turn::Workers(n) => knobs.workers = knobs.workers.min(n),
            }
        }
        knobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_turns_combine_and_ending_one_leaves_the_other() {
        let both = [
            Turn::Slower(3.0),
            Turn::Slower(2.0),
            Turn::Down,
            Turn::Errors(0.5, Status::Unavailable),
        ];
        let knobs = Knobs::fold(both.into_iter());
        assert_eq!((knobs.slower, knobs.up, knobs.error_share), (6.0, false, 0.5));
        let one = Knobs::fold([Turn::Slower(2.0)].into_iter());
        assert_eq!((one.slower, one.up, one.error_share), (2.0, true, 0.0));
        assert_eq!(Knobs::fold(std::iter::empty()), Knobs::default());
    }

    #[test]
    fn two_independent_error_shares_combine_as_chances() {
        let turns =
            [Turn::Errors(0.5, Status::ServerError), Turn::Errors(0.2, Status::Unavailable)];
        let knobs = Knobs::fold(turns.into_iter());
        assert!((knobs.error_share - 0.6).abs() < 1e-12);
        assert_eq!(knobs.error_status, Status::Unavailable);
    }
}
