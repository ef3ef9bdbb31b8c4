//! The dependency rules between crates. `ARCHITECTURE.md` describes them.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Every crate of this repository, with the crates that it may depend on.
const MAY_KNOW: [(&str, &[&str]); 13] = [
    ("eventsourcing", &[]),
    ("engine", &[]),
    ("aws", &["engine", "eventsourcing"]),
    ("cli", &["aws", "engine", "eventsourcing", "storage"]),
    ("domain", &["eventsourcing"]),
    ("storage", &["eventsourcing"]),
    ("runtime", &["eventsourcing", "storage"]),
    ("functions", &["domain", "eventsourcing", "runtime", "storage"]),
    ("template", &["cli"]),
    ("deployer", &["aws", "cli", "domain", "engine", "eventsourcing", "template"]),
    ("shop", &["eventsourcing", "functions", "runtime"]),
    ("shop-deployer", &["aws", "cli", "domain", "engine", "eventsourcing", "shop"]),
    (
        "acceptance",
        &["aws", "cli", "domain", "engine", "eventsourcing", "functions", "runtime", "shop", "storage"],
    ),
];

/// Forbidden dependencies, direct or indirect: the prefixes of their crate names.
const MUST_NOT_HOLD: [(&str, &[&str]); 6] = [
    // `uuid` depends on crates for randomness only with features that are not used here.
    ("eventsourcing", &["aws", "tokio", "fastrand", "anstream", "clap"]),
    ("domain", &["aws", "tokio", "fastrand", "anstream", "clap"]),
    ("engine", &["aws", "anstream", "anstyle", "clap", "indicatif"]),
    ("aws", &["storage", "domain", "anstream", "anstyle", "clap", "indicatif", "cargo_metadata"]),
    ("cli", &["domain", "functions", "runtime", "lambda_runtime"]),
    ("storage", &["lambda_runtime", "anstream", "clap"]),
];

pub(crate) fn metadata() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).exec().expect("cargo describes the workspace")
}

#[test]
fn crates_know_only_the_crates_below_them() {
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let own: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let known: BTreeMap<&str, &[&str]> = MAY_KNOW.into();
    assert_eq!(own, known.keys().copied().collect(), "each crate has a dependency rule");
    for package in packages {
        let name = package.name.as_str();
        // For its tests, a crate may depend on itself with the feature `testing`.
        let knows = package.dependencies.iter().map(|dependency| dependency.name.as_str());
        for other in knows.filter(|other| own.contains(other) && *other != name) {
            assert!(known[name].contains(&other), "{name} must not depend on {other}");
        }
    }
}

#[test]
fn crates_have_no_forbidden_dependencies() {
    let metadata = metadata();
    let resolve = metadata.resolve.as_ref().expect("cargo resolved the workspace");
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    for (name, forbidden) in MUST_NOT_HOLD {
        let package = metadata.workspace_packages().into_iter().find(|package| package.name.as_str() == name);
        let mut waiting = vec![&package.expect("the crate is in the workspace").id];
        let mut seen = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if !seen.insert(id) {
                continue;
            }
            let dependencies = nodes[id].deps.iter();
            let normal = dependencies.filter(|dependency| {
                dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
            });
            waiting.extend(normal.map(|dependency| &dependency.pkg));
            let made_of = metadata[id].name.as_str();
            let bad = forbidden.iter().find(|begin| made_of.starts_with(**begin));
            assert_eq!(bad, None, "{name} depends on {made_of}");
        }
        assert!(seen.len() > 3, "{name} has dependencies: {seen:?}");
    }
}
