//! The desired world: a scope that names things and the resources in it.
//!
//! A stack is built by code and only describes; `survey` looks, `plan` decides, `apply` acts.

use std::any::Any;
use std::collections::BTreeMap;

use crate::resource::{Cloud, Described, Kind, Neighbours, Node, Resource, ResourceId};
use crate::scope::Scope;

/// Everything that one environment is to have.
pub struct Stack<C: Cloud> {
    /// What it is called and where it is.
    pub scope: Scope,
    /// The resources, in the order in which people read them.
    pub resources: Vec<Box<dyn Node<C>>>,
    /// Every kind that this program can find and delete, in the stack or not.
    pub kinds: Vec<Kind<C>>,
    /// The data that the code of this stack writes and reads, by name, each with the highest version of its schema
    /// that is known. Where code that knows less is deployed later, what is stored could not be read.
    pub reads: BTreeMap<String, u32>,
}

impl<C: Cloud> Stack<C> {
    /// Returns an empty stack that knows these kinds.
    pub fn new(scope: Scope, kinds: Vec<Kind<C>>) -> Self {
        Self { scope, resources: Vec::new(), kinds, reads: BTreeMap::new() }
    }

    /// Knows things of this kind as well, if it does not yet.
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

    /// Tells whether a thing of this id holds data.
    pub fn holds_data(&self, id: &ResourceId) -> bool {
        self.kind(id.kind()).is_some_and(|kind| kind.info.stateful)
    }

    /// Returns the operations by which the kinds that declare some look at their things.
    pub fn looks_by(&self) -> Vec<&'static str> {
        self.kinds.iter().flat_map(|kind| kind.info.looks_by).copied().collect()
    }

    /// Returns the resources as the planner knows them.
    pub fn described(&self) -> Vec<&dyn Described> {
        self.resources.iter().map(|node| &**node as &dyn Described).collect()
    }

    /// Returns all resources of this kind, to be completed with what is known only later.
    pub fn of_kind_mut<R: Resource>(&mut self) -> impl Iterator<Item = &mut R> {
        self.resources.iter_mut().filter_map(|node| (&mut **node as &mut dyn Any).downcast_mut())
    }

    /// Returns the resources, to be looked up by their kind.
    pub fn neighbours(&self) -> Neighbours<'_> {
        Neighbours::new(self.described())
    }

    /// Returns what of the stack could not work, by resource.
    pub fn mistakes(&self) -> Vec<(ResourceId, String)> {
        let neighbours = self.neighbours();
        let of = |node: &dyn Described| {
            let id = node.id();
            node.mistakes(&neighbours).into_iter().map(move |mistake| (id.clone(), mistake))
        };
        self.described().into_iter().flat_map(of).collect()
    }
}
