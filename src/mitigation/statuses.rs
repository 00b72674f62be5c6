//! A set of statuses in one word of memory.

use crate::status::Status;

/// A set of [`Status`]es.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusSet(u16);

const _: () = assert!(Status::ALL.len() <= u16::BITS as usize, "one bit for every status");

impl StatusSet {
    /// The set of these statuses; writing one twice changes nothing.
    #[must_use]
    pub fn of(statuses: &[Status]) -> Self {
        Self(statuses.iter().fold(0, |bits, status| bits | 1 << *status as u16))
    }

    /// The set of all statuses with this property.
    #[must_use]
    pub fn having(property: impl Fn(Status) -> bool) -> Self {
        let all = Status::ALL.into_iter().filter(|status| property(*status));
        Self(all.fold(0, |bits, status| bits | 1 << status as u16))
    }

    /// True if the status is in the set.
    #[inline]
    #[must_use]
    pub fn has(self, status: Status) -> bool {
        self.0 & 1 << status as u16 != 0
    }
}

/// Refuses a list of statuses to react to that is empty or names a good status.
pub(super) fn check_failures(word: &str, statuses: &[Status]) -> Result<(), String> {
    if statuses.is_empty() {
        return Err(format!("`{word}` names no status; leave it out to have the default"));
    }
    match statuses.iter().find(|status| status.is_good()) {
        Some(good) => {
            Err(format!("`{word}` names `{}`, which is no failure; remove it", good.word()))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_it_was_made_of_and_nothing_else() {
        let pair = [Status::Ok, Status::Cancelled];
        for status in Status::ALL {
            assert_eq!(StatusSet::of(&pair).has(status), pair.contains(&status));
            assert_eq!(StatusSet::having(Status::is_good).has(status), status.is_good());
        }
    }

    #[test]
    fn lists_of_failures_must_name_failures() {
        assert!(check_failures("on", &[Status::Timeout]).is_ok());
        assert!(check_failures("on", &[]).unwrap_err().contains("no status"));
        assert!(check_failures("on", &[Status::Timeout, Status::Ok]).unwrap_err().contains("`ok`"));
    }
}
