//! The list of faults for `.ci/mutants` fits the code. Trying the faults takes half an hour; this does not.

use std::fs;
use std::path::Path;

use toml::Table;

use crate::sources::has_mutants;

#[test]
fn mutants_match_the_code_once() {
    if has_mutants() {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let list = fs::read_to_string(root.join(".ci/mutants.toml")).expect("the list is committed");
    let list: Table = list.parse().expect("the list is TOML");
    let mutants = list["mutant"].as_array().expect("the list has mutants");
    assert!(mutants.len() > 100, "the list was not understood");
    let stale: Vec<String> = mutants
        .iter()
        .filter_map(|mutant| {
            let [id, file, find] = ["id", "file", "find"]
                .map(|key| mutant.get(key).and_then(|value| value.as_str()).expect("each mutant has these"));
            let code = fs::read_to_string(root.join(file)).unwrap_or_default();
            let matches = code.matches(find).count();
            (matches != 1).then(|| format!("{id}: `find` matches {matches} times in {file}"))
        })
        .collect();
    assert_eq!(stale, [""; 0], "adapt `find` and `replace` in .ci/mutants.toml");
}
