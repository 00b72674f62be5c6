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

/// How often each instance is taken in many picks with independent luck.
fn shares(spec: FewestSpec, loads: &[u32]) -> Vec<f64> {
    let mut picker = Picker::new(&BalanceSpec::FewestOf(spec), loads.len() as u32);
    let all: Vec<u32> = (0..loads.len() as u32).collect();
    let mut counts = vec![0_u32; loads.len()];
    for i in 0..100_000 {
        let picked = picker.pick(&all, |n| loads[n as usize], 0, mixed(i)).unwrap();
        counts[picked as usize] += 1;
    }
    counts.iter().map(|count| f64::from(*count) / 1e5).collect()
}

fn close(found: &[f64], expected: &[f64]) -> bool {
    // Four standard errors of a share of 1/2.
    found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 4.0 * 0.5 / 1e5_f64.sqrt())
}

const TWO: FewestSpec =
    FewestSpec { choices: Choices::Drawn(2), replacement: false, ties: Ties::Random };

#[test]
fn two_of_four_without_replacement_never_take_the_busiest() {
    // Pairs of {0, 1, 2, 3} with loads 0, 0, 1, 2: 0 and 1 share half of the pair {0, 1} and win
    // against 2 and 3; 2 wins against 3.
    let found = shares(TWO, &[0, 0, 1, 2]);
    assert!(close(&found, &[2.5 / 6.0, 2.5 / 6.0, 1.0 / 6.0, 0.0]), "{found:?}");
    let with = shares(FewestSpec { replacement: true, ..TWO }, &[0, 0, 1, 2]);
    assert!(close(&with, &[6.0 / 16.0, 6.0 / 16.0, 3.0 / 16.0, 1.0 / 16.0]), "{with:?}");
}

#[test]
fn ties_are_drawn_evenly_go_in_turn_or_to_the_first() {
    let all = FewestSpec { choices: Choices::All, ..TWO };
    let loads = [1, 0, 0, 0];
    let third = 1.0 / 3.0;
    assert!(close(&shares(all, &loads), &[0.0, third, third, third]));
    let first = FewestSpec { ties: Ties::First, ..all };
    assert_eq!(shares(first, &loads), [0.0, 1.0, 0.0, 0.0]);
    let in_turn = BalanceSpec::FewestOf(FewestSpec { ties: Ties::InTurn, ..all });
    assert_eq!(
        picks(&in_turn, 3, &[0, 1, 2], 5),
        picks(&BalanceSpec::LeastRequests, 3, &[0, 1, 2], 5)
    );
    // Of two that are drawn, `first` is the one drawn first: nobody is favoured.
    let drawn = shares(FewestSpec { ties: Ties::First, ..TWO }, &[0; 4]);
    assert!(close(&drawn, &[0.25; 4]), "{drawn:?}");
}

#[test]
fn choices_are_a_number_or_all() {
    let read = |text: &str| serde_saphyr::from_str::<BalanceSpec>(text);
    assert_eq!(read("fewest_of: {choices: 2}").unwrap(), BalanceSpec::FewestOf(TWO));
    assert!(read("fewest_of: {choices: all, ties: in_turn}").is_ok());
    let none = read("fewest_of: {choices: 0}").unwrap();
    assert!(none.check(3).unwrap_err().contains("0 choices"));
    assert!(read("fewest_of: {choices: 2, surprise: 1}").is_err());
}
