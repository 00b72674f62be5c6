use super::*;

fn span(text: &str) -> Span {
    text.parse().unwrap()
}

#[test]
fn spans_are_read_with_every_unit_with_fractions_and_compound() {
    for (text, nanos) in [
        ("7ns", 7),
        ("3us", 3_000),
        ("3µs", 3_000),
        ("250ms", 250 * MILLISECOND),
        ("1.5s", 1_500 * MILLISECOND),
        (".5s", 500 * MILLISECOND),
        ("0.1s", 100 * MILLISECOND),
        ("5 min", 5 * MINUTE),
        ("1h30min", 90 * MINUTE),
        (" 1h 30min ", 90 * MINUTE),
        ("2d", 48 * HOUR),
        ("0s", 0),
        ("730d", LONGEST),
    ] {
        assert_eq!(span(text), Span(nanos), "{text}");
    }
}

#[test]
fn a_wrong_unit_is_explained_with_an_example_and_the_units() {
    assert_eq!(
        "5kg".parse::<Span>().unwrap_err(),
        "`5kg` is not a length of time; write for example `250ms` (units: ns us ms s min h d)"
    );
    assert_eq!(
        "5".parse::<Span>().unwrap_err(),
        "5 is a number without unit; write for example `250ms`"
    );
}

#[test]
fn absurd_and_malformed_quantities_are_refused() {
    for text in
        ["", "s", "-5s", "731d", "1h30", "1..5s", "infs", "NaNs", "1e3s", "9999999999999999999999d"]
    {
        assert!(text.parse::<Span>().is_err(), "{text}");
    }
    for text in ["5", "5/week", "-1/s", "2000000000/s", "inf/s", "5s", "/s"] {
        assert!(text.parse::<Rate>().is_err(), "{text}");
    }
    for text in ["5", "1025TiB", "-1B", "5mb", "99999999999999999999999TB"] {
        assert!(text.parse::<Bytes>().is_err(), "{text}");
    }
    for text in ["0.5", "101%", "-1%", "0/0", "2/1", "1/", "nan%", "5 percent"] {
        assert!(text.parse::<Share>().is_err(), "{text}");
    }
    for text in ["0x", "-1x", "4", "infx", "x"] {
        assert!(text.parse::<Factor>().is_err(), "{text}");
    }
}

#[test]
fn rates_bytes_shares_and_factors_are_read() {
    assert_eq!("120/s".parse(), Ok(Rate(120.0)));
    assert_eq!("3/min".parse(), Ok(Rate(0.05)));
    assert_eq!("1.4/s".parse(), Ok(Rate(1.4)));
    assert_eq!("5/d".parse(), Ok(Rate(5.0 / 86_400.0)));
    assert_eq!("1.5GiB".parse(), Ok(Bytes(3 << 29)));
    assert_eq!("2GB".parse(), Ok(Bytes(2_000_000_000)));
    assert_eq!("7%".parse(), Ok(Share(0.07)));
    assert_eq!("1/100".parse(), Ok(Share(0.01)));
    assert_eq!("100%".parse(), Ok(Share(1.0)));
    assert_eq!("0.5x".parse(), Ok(Factor(0.5)));
}

#[test]
fn the_exact_text_parses_back_to_the_same_value() {
    // Awkward values from a fixed recurrence, of all magnitudes.
    let mut x = 1_u64;
    for i in 0..2_000 {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let whole = (x >> (i % 50)) % LONGEST;
        assert_eq!(Span(whole).exact().parse(), Ok(Span(whole)));
        let bytes = (x >> (i % 60)) % LARGEST;
        assert_eq!(Bytes(bytes).exact().parse(), Ok(Bytes(bytes)));
        let share = (x >> 11) as f64 / (1_u64 << 53) as f64 * 10_f64.powi(-(i % 12));
        assert_eq!(Share(share).exact().parse(), Ok(Share(share)));
        let rate = share * 1e6;
        assert_eq!(Rate(rate).exact().parse(), Ok(Rate(rate)));
        assert_eq!(Factor(rate).exact().parse(), Ok(Factor(rate)));
    }
}

#[test]
fn texts_are_what_a_person_would_write() {
    for text in ["0s", "250ms", "1500ms", "90s", "1min", "2h", "1d", "135min"] {
        assert_eq!(span(text).to_string(), text);
        assert_eq!(span(text).exact(), text);
    }
    assert_eq!(Span(1_234_567_891).to_string(), "1.235s");
    assert_eq!(Bytes(2_000_000_000).to_string(), "2GB");
    assert_eq!(Bytes(512 << 20).to_string(), "512MiB");
    assert_eq!(Bytes(123_456_789).to_string(), "117.7MiB");
    for text in ["120/s", "3/min", "0.5/s", "10/h"] {
        assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
    }
    assert_eq!(Rate(1.0 / 3.0).to_string(), "20/min");
    assert_eq!(Rate(123.456_789_123).to_string(), "123.5/s");
    for text in ["0%", "5%", "7%", "12.5%", "0.1%", "100%"] {
        assert_eq!(text.parse::<Share>().unwrap().to_string(), text);
    }
    assert_eq!(Share(1.0 / 3.0).to_string(), "33.33%");
    assert_eq!(Factor(4.0).to_string(), "4x");
}

#[test]
fn files_must_carry_units() {
    let error = serde_saphyr::from_str::<Span>("5").unwrap_err().to_string();
    assert!(error.contains("5 is a number without unit; write for example `250ms`"), "{error}");
    let error = serde_saphyr::from_str::<Share>("0.5").unwrap_err().to_string();
    assert!(error.contains("0.5 is a number without unit; write for example `5%`"), "{error}");
    let error = serde_saphyr::from_str::<Rate>("[1]").unwrap_err().to_string();
    assert!(error.contains("a rate such as `120/s`"), "{error}");
    assert_eq!(
        serde_saphyr::from_str::<Vec<Span>>("[5ms, 1h]").unwrap(),
        [span("5ms"), span("1h")]
    );
    assert_eq!(serde_json::to_string(&span("5ms")).unwrap(), r#""5ms""#);
}

#[test]
fn the_schema_is_a_described_text() {
    let schema = serde_json::to_value(schemars::schema_for!(Span)).unwrap();
    assert_eq!(schema["type"], "string");
    assert!(schema["pattern"].is_string() && schema["examples"].is_array());
}

#[test]
fn seconds_and_nanoseconds_convert_with_saturation() {
    assert_eq!(from_seconds(1.5), 1_500 * MILLISECOND);
    assert_eq!(from_seconds(0.6e-9), 1);
    assert_eq!(from_seconds(-1.0), 0);
    assert_eq!(from_seconds(f64::NAN), 0);
    assert_eq!(from_seconds(f64::INFINITY), NEVER);
    assert_eq!(from_seconds(1e30), NEVER);
    assert_eq!(seconds(2_500 * MILLISECOND), 2.5);
}

/// The slow twin is the standard library's way: a half is added, what is behind the point cut off.
#[test]
fn the_nearest_nanosecond_is_that_of_the_standard_library() {
    let slow = |nanos: f64| {
        if nanos < (1u64 << 52) as f64 { (nanos + 0.5).floor() as u64 } else { nanos as u64 }
    };
    let mut luck = crate::rng::Stream::new(1, 0, "test", "nearest");
    for _ in 0..100_000 {
        // All bit patterns: all sizes, negative numbers, infinities and NaN.
        let any = f64::from_bits(luck.next_u64());
        assert_eq!(nearest(any), slow(any), "{any}");
        let usual = luck.unit() * 10f64.powi((luck.unit() * 20.0) as i32);
        assert_eq!(nearest(usual), slow(usual), "{usual}");
    }
    let below_whole = (1u64 << 52) as f64 - 0.5;
    for edge in [0.0, -0.0, 0.5, -0.5, 0.499_999, 1.5, 2.5, below_whole, below_whole + 0.5] {
        assert_eq!(nearest(edge), slow(edge), "{edge}");
    }
    assert_eq!([nearest(f64::INFINITY), nearest(f64::NAN)], [NEVER, 0]);
}
