//! No cycles between the modules of a crate: of two siblings, at most one refers to its sibling.
//!
//! A module and its submodules count as one and may refer to each other. Unit tests may refer to everything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item};

use crate::directions::metadata;

/// A path from the root of the crate: `["plan", "owner"]`.
type Names = Vec<String>;

/// A module of a crate.
#[derive(Default)]
struct Module {
    path: Names,
    within: BTreeMap<String, Module>,
    /// The paths in the crate that it refers to.
    knows: Vec<Names>,
}

impl Module {
    /// Reads a module and its submodules. Submodules outside of its text are files in `folder`.
    fn read(path: Names, items: &[Item], folder: &Path) -> Self {
        let mut module = Self { path, ..Self::default() };
        for item in items {
            let (name, child) = match item {
                Item::Mod(inner) if is_test(&inner.attrs) => continue,
                Item::Mod(inner) => (inner.ident.to_string(), inner),
                item => {
                    named(item.to_token_stream(), &module.path, &mut module.knows);
                    continue;
                }
            };
            let (path, folder) =
                ([&module.path[..], std::slice::from_ref(&name)].concat(), folder.join(&name));
            let child = match &child.content {
                Some((_, items)) => Self::read(path, items, &folder),
                None => Self::read(path, &parsed(&folder.with_extension("rs")), &folder),
            };
            module.within.insert(name, child);
        }
        module
    }

    /// Returns all paths that this module and its submodules refer to.
    fn known(&self) -> Vec<&Names> {
        self.knows.iter().chain(self.within.values().flat_map(Self::known)).collect()
    }

    /// Finds the cycles here and in the submodules, as pairs of modules on a cycle.
    fn cycles(&self, found: &mut Vec<String>) {
        let mut arrows = BTreeSet::new();
        for (name, child) in &self.within {
            child.cycles(found);
            let beside =
                child.known().into_iter().filter_map(|path| path.strip_prefix(&self.path[..])?.first());
            let beside = beside.filter(|other| *other != name && self.within.contains_key(*other));
            arrows.extend(beside.map(|other| (name, other)));
        }
        // A module without references in one direction is not on a cycle.
        loop {
            let (from, to): (BTreeSet<_>, BTreeSet<_>) = arrows.iter().copied().unzip();
            let before = arrows.len();
            arrows.retain(|(one, other)| to.contains(one) && from.contains(other));
            if arrows.len() == before {
                break;
            }
        }
        let of = self.path.join("::");
        found.extend(arrows.iter().map(|(one, other)| format!("{of}: {one} knows {other}")));
    }
}

fn parsed(file: &Path) -> Vec<Item> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display())).items
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.to_token_stream().to_string() == "# [cfg (test)]")
}

/// Collects the paths that begin with `crate` or `super`, also inside of macros.
fn named(tokens: TokenStream, here: &Names, found: &mut Vec<Names>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let begins = at == 0 || !is_colon(&tokens[at - 1]);
        match token {
            TokenTree::Ident(root) if *root == "crate" && begins => {
                follow(&tokens[at + 1..], Names::new(), found);
            }
            TokenTree::Ident(root) if *root == "super" && begins => {
                follow(&tokens[at..], here.clone(), found);
            }
            TokenTree::Group(group) => named(group.stream(), here, found),
            _ => {}
        }
    }
}

/// Follows a path to its end, or to each of its ends: `::plan::{Plan, Step}`.
fn follow(mut rest: &[TokenTree], mut path: Names, found: &mut Vec<Names>) {
    loop {
        match rest {
            [one, other, behind @ ..] if is_colon(one) && is_colon(other) => rest = behind,
            [TokenTree::Ident(name), behind @ ..] => {
                if *name == "super" {
                    path.pop();
                } else if *name != "self" {
                    path.push(name.to_string());
                }
                rest = behind;
                if !rest.first().is_some_and(is_colon) {
                    break;
                }
            }
            [TokenTree::Group(group), ..] if group.delimiter() == Delimiter::Brace => {
                let each: Vec<TokenTree> = group.stream().into_iter().collect();
                let each =
                    each.split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ','));
                each.for_each(|each| follow(each, path.clone(), found));
                return;
            }
            _ => break,
        }
    }
    found.push(path);
}

fn is_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(colon) if colon.as_char() == ':')
}

fn cycles(root: &Module) -> Vec<String> {
    let mut found = Vec::new();
    root.cycles(&mut found);
    found
}

#[test]
fn modules_of_a_crate_know_each_other_in_one_direction() {
    let (mut modules, mut found) = (0, Vec::new());
    for package in metadata().workspace_packages() {
        let made = package.targets.iter().filter(|target| target.is_lib() || target.is_bin());
        for root in made.map(|target| PathBuf::from(&target.src_path)) {
            let folder = root.parent().expect("the file has a parent folder");
            let module = Module::read(Names::new(), &parsed(&root), folder);
            modules += module.within.len();
            found.extend(cycles(&module).into_iter().map(|arrow| format!("{} {arrow}", package.name)));
        }
    }
    assert_eq!(found, [""; 0]);
    assert!(modules > 60, "too few modules were found: {modules}");
}

#[test]
fn module_circle_is_found_in_any_form() {
    let of = |text| {
        let file = syn::parse_file(text).expect("the text is Rust");
        cycles(&Module::read(Names::new(), &file.items, Path::new("nowhere")))
    };
    let circle = ["a knows b", "b knows a"];
    for (text, prefix) in [
        ("mod a { use crate::b::B; } mod b { use super::a::A; }", ""),
        ("mod a { fn f() { println!(\"{}\", crate::b::B) } } mod b { use crate::{c, a::{A}}; } mod c {}", ""),
        ("mod a { mod deep { use super::super::b; } } mod b { impl crate::a::A {} }", ""),
        ("mod m { mod a { use crate::m::b; } mod b { use super::{self, a}; } }", "m"),
    ] {
        assert_eq!(of(text), circle.map(|arrow| format!("{prefix}: {arrow}")), "{text}");
    }
    let three =
        "mod a { use crate::b; } mod b { use crate::c; } mod c { use crate::a; } mod d { use crate::a; }";
    assert_eq!(of(three).len(), 3);
    for text in [
        "mod a { use crate::b; } mod b { #[cfg(test)] mod tests { use crate::a; } }",
        "use a::A; mod a { use super::B; mod c { use super::A; } } mod b { use crate::B; use self::a::X; }",
        "mod a { use other::super_b::a; use crate::a::A; } mod b { use crate::a; }",
    ] {
        assert_eq!(of(text), [""; 0], "{text}");
    }
}
