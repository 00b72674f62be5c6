//! Circles of calls: which end, and which do not.

use super::{bad, good};

fn circle(api: &str, database: &str) -> String {
    format!(
        "name: circle
horizon: 1h
clients:
  web: {{arrivals: {{poisson: {{rate: 1/s}}}}, requests: {{search: 50%, look: 50%}}, calls: api}}
components:
  api:
    kind: server
    workers: 8
    while_calling: hold
    endpoints:
      search: {api}
      look: [work: 1ms]
  database:
    kind: server
    workers: 8
    while_calling: hold
    endpoints:
      query: {database}
"
    )
}

#[test]
fn a_circle_of_calls_without_a_way_out_is_printed() {
    bad(
        &circle("[call: database.query]", "[call: api.search]"),
        &["18:21 an endless circle of calls: api.search -> database.query -> api.search"],
    );
}

#[test]
fn a_feedback_that_ends_with_probability_1_is_fine() {
    good(&circle("[call: database.query]", "[choose: [{share: 90%, steps: [call: api.search]}]]"));
    // A reply ends it as well.
    good(&circle(
        "[call: database.query]",
        "[choose: [{share: 20%, steps: [reply: ok]}], call: api.search]",
    ));
}

#[test]
fn a_feedback_that_doubles_more_often_than_it_ends_is_endless() {
    let twice = "[choose: [{share: 60%, steps: [call: api.search, call: api.search]}]]";
    bad(&circle("[call: database.query]", twice), &["18:51 an endless circle of calls"]);
    let seldom = twice.replace("60%", "40%");
    good(&circle("[call: database.query]", &seldom));
    let parallel = "[choose: [{share: 60%, steps: [parallel: {wait_for: any, branches: [[call: \
                    api.search], [call: api.search]]}]}]]";
    bad(&circle("[call: database.query]", parallel), &["18:89 an endless circle of calls"]);
}

#[test]
fn a_feedback_that_goes_on_once_in_the_mean_is_endless_and_one_just_below_is_not() {
    let round = |share: &str| {
        let again = format!("[choose: [{{share: {share}, steps: [call: api.search]}}]]");
        circle("[call: database.query]", &again)
    };
    bad(&round("100%"), &["18:52 an endless circle of calls"]);
    good(&round("99.9%"));
    // Two with probability 1/2: it ends with probability 1, but after infinitely many rounds in
    // the mean.
    let critical = "[choose: [{share: 50%, steps: [call: api.search, call: api.search]}]]";
    bad(&circle("[call: database.query]", critical), &["18:51 an endless circle of calls"]);
}

#[test]
fn a_circle_is_endless_for_the_class_that_it_keeps() {
    let kept = "[choose: [{class: search, steps: [call: api.search]}]]";
    bad(
        &circle("[call: database.query]", kept),
        &["18:54 an endless circle of calls: api.search -> database.query -> api.search \
             (requests of class `search`)"],
    );
    // Requests of the class `look` never come there.
    good(&circle("[call: database.query]", &kept.replace("class: search", "class: look")));
}

#[test]
fn a_circle_through_a_balancer_is_found() {
    let model =
        circle("[call: front]", "[work: 1ms]") + "  front: {kind: balancer, backends: api}\n";
    bad(&model, &["19:37 an endless circle of calls: api.search -> front.search -> api.search"]);
}

#[test]
fn a_long_chain_of_calls_is_proved_without_a_deep_stack() {
    let mut model = circle("[call: c0.search]", "[work: 1ms]");
    for i in 0..2000 {
        let next =
            if i == 1999 { "database.query".to_owned() } else { format!("c{}.search", i + 1) };
        model += &format!(
            "  c{i}: {{kind: server, workers: 1, while_calling: hold, endpoints: {{search: [call: \
             {next}]}}}}\n"
        );
    }
    good(&model);
}

#[test]
fn an_endpoint_that_starts_over_needs_a_way_out() {
    good(&circle("[work: 1ms]", "[choose: [{share: 90%, steps: [start_over]}]]"));
    bad(
        &circle("[call: database.query]", "[work: 1ms, start_over]"),
        &["18:7 an endless circle of calls: database.query -> database.query"],
    );
    bad(
        &circle(
            "[parallel: {wait_for: all, branches: [[choose: [{share: 1%, steps: [start_over]}]]]}]",
            "[work: 1ms]",
        ),
        &["11:52 `start_over` inside `parallel`"],
    );
}

#[test]
fn many_copies_of_a_feedback_are_endless() {
    let copies = |n: u32| {
        let inside = format!("{{wait_for: all, copies: {n}, branches: [[call: api.search]]}}");
        format!("[choose: [{{share: 40%, steps: [parallel: {inside}]}}]]")
    };
    good(&circle("[call: database.query]", &copies(2)));
    bad(&circle("[call: database.query]", &copies(3)), &["18:100 an endless circle of calls"]);
}
