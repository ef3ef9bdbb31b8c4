//! The desired state: a scope and the resources in it.
//!
//! A stack is built by code and only describes; `survey` reads, `plan` decides, `apply` writes.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};

use crate::resource::{Cloud, Described, Kind, Neighbours, Node, Resource, ResourceId};
use crate::scope::Scope;

/// The desired resources of one environment.
pub struct Stack<C: Cloud> {
    /// The names, account and region of the environment.
    pub scope: Scope,
    /// The resources, in their display order.
    pub resources: Vec<Box<dyn Node<C>>>,
    /// Every kind that this program can find and delete, whether or not it is in the stack.
    pub kinds: Vec<Kind<C>>,
    /// The schemas that the code of this stack writes and reads, by name, each with its highest known
    /// version. Code that knows only a lower version could not read the stored data.
    pub reads: BTreeMap<String, u32>,
}

impl<C: Cloud> Stack<C> {
    /// Returns an empty stack that knows these kinds.
    pub fn new(scope: Scope, kinds: Vec<Kind<C>>) -> Self {
        Self { scope, resources: Vec::new(), kinds, reads: BTreeMap::new() }
    }

    /// Adds this kind to the known kinds, if it is not among them.
    pub fn know<R: Resource<Cloud = C>>(&mut self) -> &mut Self {
        if self.kind(R::KIND).is_none() {
            self.kinds.push(Kind::of::<R>());
        }
        self
    }

    /// Adds a resource.
    pub fn add(&mut self, resource: impl Node<C> + 'static) -> &mut Self {
        self.resources.push(Box::new(resource));
        self
    }

    /// Returns the resource of this id.
    pub fn get(&self, id: &ResourceId) -> Option<&dyn Node<C>> {
        self.resources.iter().find(|node| node.id() == *id).map(|node| &**node)
    }

    /// Returns the kind of this name.
    pub fn kind(&self, name: &str) -> Option<&Kind<C>> {
        self.kinds.iter().find(|kind| kind.info.name == name)
    }

    /// Returns whether a resource of this id holds data.
    pub fn holds_data(&self, id: &ResourceId) -> bool {
        self.kind(id.kind()).is_some_and(|kind| kind.info.stateful)
    }

    /// Returns the read operations that the kinds declare.
    pub fn read_operations(&self) -> Vec<&'static str> {
        self.kinds.iter().flat_map(|kind| kind.info.read_operations).copied().collect()
    }

    /// Returns the resources as the planner uses them.
    pub fn described(&self) -> Vec<&dyn Described> {
        self.resources.iter().map(|node| &**node as &dyn Described).collect()
    }

    /// Returns all resources of this kind, for settings that are known only later.
    pub fn of_kind_mut<R: Resource>(&mut self) -> impl Iterator<Item = &mut R> {
        self.resources.iter_mut().filter_map(|node| (&mut **node as &mut dyn Any).downcast_mut())
    }

    /// Returns the resources for lookups by kind.
    pub fn neighbours(&self) -> Neighbours<'_> {
        Neighbours::new(self.described())
    }

    /// Returns the mistakes in the stack that were found offline, by resource. Two resources of one id would be created
    /// as one, and never be in sync.
    pub fn mistakes(&self) -> Vec<(ResourceId, String)> {
        let neighbours = self.neighbours();
        let of = |node: &dyn Described| {
            let id = node.id();
            node.mistakes(&neighbours).into_iter().map(move |mistake| (id.clone(), mistake))
        };
        let nodes = self.described();
        let mut seen = BTreeSet::new();
        let repeated = nodes.iter().map(|node| node.id()).filter(|id| !seen.insert(id.clone()));
        let repeated =
            repeated.map(|id| (id, "the stack has it twice: give one of them another name".to_owned()));
        let repeated: Vec<_> = repeated.collect();
        repeated.into_iter().chain(nodes.into_iter().flat_map(of)).collect()
    }
}
