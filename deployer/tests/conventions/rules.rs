//! Every rule in `docs/rules.md` has a number, a source and existing tests.

use std::fs;
use std::path::Path;

use crate::test_names::test_names;

/// Returns the cells of every rule: number, rule, source, tests.
fn rules(page: &str) -> Vec<[String; 4]> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| # "));
    let cells = rows.map(|row| {
        let cells: Vec<String> =
            row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
        <[String; 4]>::try_from(cells).unwrap_or_else(|cells| panic!("a rule has four cells: {cells:?}"))
    });
    cells.collect()
}

#[test]
fn rules_all_have_number_source_and_existing_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/rules.md")).expect("the page is committed");
    let known = test_names();
    let rules = rules(&page);
    assert!(rules.len() > 40, "too few rules were found: {}", rules.len());
    let mut numbers = Vec::new();
    for [number, rule, source, tests] in &rules {
        numbers.push(number.parse::<u32>().unwrap_or_else(|_| panic!("`{number}` is not a number")));
        assert!(rule.ends_with('.'), "rule {number} is a sentence");
        assert!(!source.is_empty(), "rule {number} has no source");
        let tests: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "rule {number} has no test");
        for test in tests {
            assert!(known.contains(test), "rule {number} names `{test}`, which is not a test");
        }
    }
    assert!(numbers.is_sorted_by(|one, next| one < next), "the numbers must increase: {numbers:?}");
}
