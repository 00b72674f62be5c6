use super::*;

/// Idle instances, user 0; luck is the golden-ratio sequence, which is uniform.
fn picks(spec: &BalanceSpec, instances: u32, available: &[u32], n: u64) -> Vec<u32> {
    let mut picker = Picker::new(spec, instances);
    let luck = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (0..n).filter_map(|n| picker.pick(available, |_| 0, 0, luck(n))).collect()
}

#[test]
fn round_robin_takes_turns_and_skips_what_is_not_available() {
    let spec = BalanceSpec::RoundRobin;
    assert_eq!(picks(&spec, 3, &[0, 1, 2], 5), [0, 1, 2, 0, 1]);
    assert_eq!(picks(&spec, 5, &[1, 3, 4], 5), [1, 3, 4, 1, 3]);
    let mut picker = Picker::new(&spec, 3);
    let mut pick = |available: &[u32]| picker.pick(available, |_| 0, 0, 0);
    assert_eq!([pick(&[0, 1, 2]), pick(&[0, 2]), pick(&[0, 1, 2])], [Some(0), Some(2), Some(0)]);
}

#[test]
fn nobody_available_is_nobody_picked() {
    for spec in [
        BalanceSpec::RoundRobin,
        BalanceSpec::Random,
        BalanceSpec::LeastRequests,
        BalanceSpec::PowerOfTwo,
        BalanceSpec::StickyByUser,
        BalanceSpec::Weighted(vec![1, 1]),
    ] {
        assert_eq!(Picker::new(&spec, 2).pick(&[], |_| 0, 7, 7), None);
        assert_eq!(Picker::new(&spec, 2).pick(&[1], |_| 0, 7, u64::MAX), Some(1));
    }
}

#[test]
fn random_is_uniform_over_the_available() {
    let picks = picks(&BalanceSpec::Random, 5, &[0, 2, 4], 30_000);
    for n in [0, 2, 4] {
        let share = picks.iter().filter(|picked| **picked == n).count() as f64 / 30_000.0;
        assert!((share - 1.0 / 3.0).abs() < 0.01, "{n}: {share}");
    }
}

#[test]
fn least_requests_takes_the_fewest_and_equals_in_turn() {
    let mut picker = Picker::new(&BalanceSpec::LeastRequests, 4);
    let loads = [2, 1, 3, 1];
    let mut pick = || picker.pick(&[0, 1, 2, 3], |n| loads[n as usize], 0, 0).unwrap();
    assert_eq!([pick(), pick(), pick()], [1, 3, 1]);
    assert_eq!(picker.pick(&[0, 2], |n| loads[n as usize], 0, 0), Some(0));
}

#[test]
fn least_requests_over_idle_instances_is_round_robin() {
    assert_eq!(picks(&BalanceSpec::LeastRequests, 3, &[0, 1, 2], 5), [0, 1, 2, 0, 1]);
}

#[test]
fn power_of_two_takes_the_idle_one_if_it_is_drawn() {
    let mut picker = Picker::new(&BalanceSpec::PowerOfTwo, 2);
    let loads = [3, 0];
    let (low, high) = (0, u64::from(u32::MAX));
    let mut pick = |one: u64, other: u64| {
        picker.pick(&[0, 1], |n| loads[n as usize], 0, one | other << 32).unwrap()
    };
    assert_eq!(pick(low, high), 1);
    assert_eq!(pick(high, low), 1);
    assert_eq!(pick(low, low), 0, "with repetition the busy one can be drawn twice");
    let mut equal = Picker::new(&BalanceSpec::PowerOfTwo, 2);
    assert_eq!(equal.pick(&[0, 1], |_| 5, 0, high), Some(1), "the first of equals");
}

#[test]
fn a_user_moves_only_while_the_instance_is_away() {
    let mut picker = Picker::new(&BalanceSpec::StickyByUser, 10);
    let all: Vec<u32> = (0..10).collect();
    let without_3: Vec<u32> = all.iter().copied().filter(|n| *n != 3).collect();
    let mut moved = [0_u32; 10];
    let mut of_3 = 0;
    for user in 0..10_000 {
        let home = picker.pick(&all, |_| 0, user, 1).unwrap();
        let away = picker.pick(&without_3, |_| 0, user, 2).unwrap();
        if home == 3 {
            of_3 += 1;
            moved[away as usize] += 1;
        } else {
            assert_eq!(home, away);
        }
        assert_eq!(picker.pick(&all, |_| 0, user, 3), Some(home), "and comes back");
    }
    // A tenth of the users, spread evenly: within 4 standard errors.
    assert!((880..=1120).contains(&of_3), "{of_3}");
    assert!(without_3.iter().all(|n| (70..=155).contains(&moved[*n as usize])), "{moved:?}");
}

#[test]
fn m60_smooth_weighted_round_robin() {
    let spec = BalanceSpec::Weighted(vec![5, 1, 1]);
    assert_eq!(picks(&spec, 3, &[0, 1, 2], 8), [0, 0, 1, 0, 2, 0, 0, 0]);
    assert_eq!(picks(&spec, 3, &[1, 2], 4), [1, 2, 1, 2]);
}

#[test]
fn weights_must_fit_the_instances() {
    assert_eq!(BalanceSpec::Weighted(vec![5, 1]).check(2), Ok(()));
    assert!(BalanceSpec::Weighted(vec![5, 1]).check(3).unwrap_err().contains("3 instances"));
    assert!(BalanceSpec::Weighted(vec![5, 0]).check(2).is_err());
    assert_eq!(BalanceSpec::Random.check(7), Ok(()));
}
