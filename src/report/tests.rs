//! What the page promises.

use super::*;
use crate::plot::sample;

/// The page without the chart library, which is somebody else's text.
fn own(page: &str) -> String {
    page.replace(&library().unwrap(), "")
}

#[test]
fn the_same_table_gives_the_same_page() {
    let page = html(&sample::table()).unwrap();
    assert_eq!(page, html(&sample::table()).unwrap());
    if let Ok(folder) = std::env::var("OUTAGELAB_FIGURES") {
        std::fs::write(format!("{folder}/report.html"), &page).unwrap();
    }
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let page = own(&html(&sample::table()).unwrap());
    for load in ["src=", "href=\"http", "href='http", "@import", "url(", "<link", "<iframe"] {
        assert!(!page.contains(load), "{load}");
    }
    let addresses = page.matches("http://").count() + page.matches("https://").count();
    assert_eq!(addresses, page.matches("http://www.w3.org/2000/svg").count());
}

#[test]
fn the_chart_library_is_in_the_page_once() {
    let page = html(&sample::table()).unwrap();
    assert_eq!(page.matches(library().unwrap().as_str()).count(), 1);
    assert!((4_000_000..7_000_000).contains(&page.len()), "{}", page.len());
}

#[test]
fn words_of_a_file_cannot_become_markup_or_end_a_script() {
    let mut table = sample::table();
    table.question = "<img onerror=alert(1)>".into();
    table.variants[1].name = "</script><b>x".into();
    let page = own(&html(&table).unwrap());
    assert!(!page.contains("<img onerror") && !page.contains("</script><b>x"));
}

#[test]
fn the_sections_come_in_the_order_in_which_a_reader_asks() {
    let page = own(&html(&sample::table()).unwrap());
    let order = [
        "id=\"question\"",
        "id=\"answer\"",
        "id=\"facts\"",
        "id=\"timeline\"",
        "id=\"variants\"",
        "id=\"comparison\"",
        "id=\"distributions\"",
        "id=\"sweep\"",
        "id=\"claims\"",
        "id=\"cautions\"",
        "id=\"measures\"",
        "id=\"provenance\"",
    ];
    let places: Vec<usize> = order.iter().map(|id| page.find(id).expect(id)).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn the_page_has_a_language_and_every_chart_a_text() {
    let page = own(&html(&sample::table()).unwrap());
    assert!(page.contains("<html lang=\"en\">"));
    let charts = page.matches("class=\"chart\"").count();
    assert_eq!(charts, PLOTS.len());
    assert_eq!(page.matches("class=\"chart\" role=\"img\" aria-label=\"").count(), charts);
}

#[test]
fn an_empty_table_still_gives_a_page() {
    let page = own(&html(&Table::default()).unwrap());
    assert!(page.contains("The study measured no outage."));
    assert!(!page.contains("class=\"chart\""));
}
