//! What befalls users: who sent a request, who had a bad answer, who a good one, and when.

use crate::units::Nanos;

/// What befell the users of a population. Three bits for each user and bucket: sent a request; had
/// one fail or be slow; had a good answer. Memory grows with users and simulated time, not with
/// requests.
#[derive(Debug)]
pub struct UserRecords {
    bucket: Nanos,
    /// The last bucket; what comes later counts in it.
    last: u64,
    /// A row for each [`IN_A_ROW`] buckets, and in it a number for each user: what happens at
    /// about the same time lies together.
    marks: Vec<u64>,
    /// The present bucket: when it began, where its row begins, and where its bits are.
    began: Nanos,
    row: usize,
    shift: u64,
    lost: Vec<Lost>,
    at_most: Nanos,
    /// Time from bad answers to the next good one, summed over all users.
    pub time_lost: Nanos,
}

/// Buckets of one number with three bits for each.
const IN_A_ROW: u64 = 21;
/// The bits of a bucket.
const SENT: u64 = 1;
const BAD: u64 = 2;
const GOOD: u64 = 4;
const ANY: u64 = SENT | BAD | GOOD;

/// A user's present bad time.
#[derive(Debug, Clone, Copy)]
struct Lost {
    /// Since when the user waits for a good answer; [`Nanos::MAX`] when content.
    since: Nanos,
    /// Time that this visit may still lose.
    left: Nanos,
}

impl UserRecords {
    /// Nothing has happened to so many users; `buckets` at most.
    pub fn new(users: u32, buckets: usize, bucket: Nanos, at_most: Nanos) -> UserRecords {
        let content = Lost { since: Nanos::MAX, left: at_most };
        let last = (buckets as u64).max(1) - 1;
        let rows = last / IN_A_ROW + 1;
        UserRecords {
            bucket,
            last,
            marks: vec![0; rows as usize * users as usize],
            began: 0,
            row: 0,
            shift: 0,
            lost: vec![content; users as usize],
            at_most,
            time_lost: 0,
        }
    }

    /// Marks a user in the bucket of the present time.
    #[inline]
    fn mark(&mut self, user: u32, now: Nanos, bits: u64) {
        if now.wrapping_sub(self.began) >= self.bucket {
            self.turn_to(now);
        }
        self.marks[self.row + user as usize] |= bits << self.shift;
    }

    /// Another bucket is the present one.
    #[cold]
    #[inline(never)]
    fn turn_to(&mut self, now: Nanos) {
        let bucket = now / self.bucket;
        self.began = bucket * self.bucket;
        let bucket = bucket.min(self.last);
        self.row = (bucket / IN_A_ROW) as usize * self.lost.len();
        self.shift = bucket % IN_A_ROW * 3;
    }

    /// Counts what a waiting user has lost up to now.
    #[inline]
    fn settle(&mut self, user: u32, now: Nanos) {
        let lost = &mut self.lost[user as usize];
        if lost.since != Nanos::MAX {
            let time = (now - lost.since).min(lost.left);
            self.time_lost += time;
            lost.left -= time;
            lost.since = now;
        }
    }

    /// A visit begins: it may lose its own time.
    pub fn visit_begins(&mut self, user: u32, now: Nanos) {
        self.settle(user, now);
        self.lost[user as usize] = Lost { since: Nanos::MAX, left: self.at_most };
    }

    /// A request of a user begins.
    #[inline]
    pub fn sent(&mut self, user: u32, now: Nanos) {
        self.mark(user, now, SENT);
    }

    /// A request of a user is over: in time and good, or not; `usable`: good, perhaps slow.
    #[inline]
    pub fn ended(&mut self, user: u32, now: Nanos, in_time: bool, usable: bool) {
        let good = if usable { GOOD } else { 0 };
        let bad = if in_time { 0 } else { BAD };
        self.mark(user, now, good | bad);
        self.settle(user, now);
        self.lost[user as usize].since = if in_time { Nanos::MAX } else { now };
    }

    /// The end of the run: users who still wait have lost their time.
    pub fn close(&mut self, now: Nanos) {
        for user in 0..self.lost.len() as u32 {
            self.settle(user, now);
        }
    }

    /// Numbers of users with something in the buckets from `from` to `to` (inclusive).
    pub fn count(&self, from: Nanos, to: Nanos) -> UserCounts {
        let users = self.lost.len();
        let (from, to) = (from / self.bucket, (to / self.bucket).min(self.last));
        let mut seen = vec![0; users];
        for row in from / IN_A_ROW..=to / IN_A_ROW {
            let buckets = row * IN_A_ROW..(row + 1) * IN_A_ROW;
            let wanted = buckets.filter(|bucket| (from..=to).contains(bucket));
            let mask = wanted.fold(0, |mask, bucket| mask | ANY << (bucket % IN_A_ROW * 3));
            let marks = &self.marks[row as usize * users..][..users];
            seen.iter_mut().zip(marks).for_each(|(seen, marks)| *seen |= marks & mask);
        }
        let all = (0..IN_A_ROW).fold(0, |all, bucket| all | 1 << (3 * bucket));
        let mut counts = UserCounts::default();
        for seen in seen {
            let has = |bits: u64| seen & (bits * all) != 0;
            counts.active += u64::from(has(SENT));
            counts.affected += u64::from(has(SENT) && has(BAD));
            counts.unable += u64::from(has(SENT) && !has(GOOD));
        }
        counts
    }
}

/// Users in a window of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserCounts {
    /// Sent at least one request.
    pub active: u64,
    /// Had at least one request that failed or was slow.
    pub affected: u64,
    /// Got no usable answer at all.
    pub unable: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Nanos = 60_000_000_000;

    #[test]
    fn users_are_counted_in_a_window_and_only_there() {
        let mut users = UserRecords::new(3, 200, MINUTE, 10 * MINUTE);
        users.sent(0, 5 * MINUTE);
        users.ended(0, 5 * MINUTE, false, false);
        users.sent(1, 130 * MINUTE);
        users.ended(1, 130 * MINUTE, true, true);
        users.sent(1, 131 * MINUTE);
        users.ended(1, 131 * MINUTE, false, false);
        let counts = |users: &UserRecords, from: u64, to: u64| {
            let c = users.count(from * MINUTE, to * MINUTE);
            (c.active, c.affected, c.unable)
        };
        assert_eq!(counts(&users, 0, 199), (2, 2, 1));
        assert_eq!(counts(&users, 100, 130), (1, 0, 0));
        assert_eq!(counts(&users, 131, 140), (1, 1, 1));
        assert_eq!(counts(&users, 10, 20), (0, 0, 0));
        // What comes after the last bucket counts in it, and nobody need know when that is.
        users.sent(2, 500 * MINUTE);
        assert_eq!(counts(&users, 199, 600), (1, 0, 1));
        let all = users.count(0, Nanos::MAX);
        assert_eq!((all.active, all.affected, all.unable), (3, 2, 2));
        assert_eq!(counts(&users, 700, 800), (0, 0, 0));
    }

    /// The slow twin remembers what happened to whom and when.
    #[test]
    fn users_are_counted_in_any_window_as_by_a_list_of_all_that_happened() {
        const USERS: u32 = 7;
        const BUCKETS: u64 = 100;
        let mut luck = crate::rng::Stream::new(1, 0, "test", "users");
        let mut users = UserRecords::new(USERS, BUCKETS as usize, MINUTE, 10 * MINUTE);
        let (mut list, mut now) = (Vec::new(), 0);
        while now < BUCKETS * MINUTE {
            let user = (luck.unit() * f64::from(USERS)) as u32;
            let what = (luck.unit() * 4.0) as u32;
            match what {
                0 => users.sent(user, now),
                1 => users.ended(user, now, true, true),
                2 => users.ended(user, now, false, true),
                _ => users.ended(user, now, false, false),
            }
            list.push((now / MINUTE, user, what));
            now += (luck.unit() * 1.6 * MINUTE as f64) as u64;
        }
        let mut had_all = 0;
        for from in 0..BUCKETS {
            for to in from..BUCKETS {
                let has = |user: u32, kinds: &[u32]| {
                    let within = list.iter().filter(|(at, ..)| (from..=to).contains(at));
                    within.into_iter().any(|(_, who, what)| *who == user && kinds.contains(what))
                };
                let mut counts = UserCounts::default();
                for user in (0..USERS).filter(|user| has(*user, &[0])) {
                    counts.active += 1;
                    counts.affected += u64::from(has(user, &[2, 3]));
                    counts.unable += u64::from(!has(user, &[1, 2]));
                }
                assert_eq!(users.count(from * MINUTE, to * MINUTE), counts, "{from} to {to}");
                had_all += u32::from(0 < counts.unable && counts.unable < counts.active);
            }
        }
        assert!(had_all > 100, "some are unable and some are not: {had_all}");
    }

    #[test]
    fn time_lost_runs_from_the_failure_to_the_next_good_answer_up_to_the_cap_of_a_visit() {
        let mut users = UserRecords::new(2, 100, MINUTE, 10 * MINUTE);
        users.visit_begins(0, 0);
        users.ended(0, MINUTE, false, false);
        users.ended(0, 3 * MINUTE, false, false);
        users.ended(0, 5 * MINUTE, true, true);
        assert_eq!(users.time_lost, 4 * MINUTE);
        users.ended(0, 6 * MINUTE, false, false);
        users.close(60 * MINUTE);
        assert_eq!(users.time_lost, 10 * MINUTE, "4 before and at most 6 more in this visit");
    }
}
