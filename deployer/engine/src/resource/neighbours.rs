//! The desired resources of a stack, by kind and name.

use std::any::Any;

use super::{Described, Resource};

/// The desired resources of a stack, in its order. The offline checks of a resource use them.
#[derive(Default)]
pub struct Neighbours<'a>(Vec<&'a dyn Described>);

impl<'a> Neighbours<'a> {
    /// Returns a collection of these resources.
    pub fn new(resources: impl IntoIterator<Item = &'a dyn Described>) -> Self {
        Self(resources.into_iter().collect())
    }

    /// Returns the resource of this kind and name.
    pub fn get<R: Resource>(&self, name: &str) -> Option<&'a R> {
        self.of_kind::<R>().find(|resource| resource.name() == name)
    }

    /// Returns all resources of this kind.
    pub fn of_kind<R: Resource>(&self) -> impl Iterator<Item = &'a R> {
        self.0.iter().filter_map(|resource| (*resource as &dyn Any).downcast_ref())
    }

    /// Returns the names of all resources of the kind with this name.
    pub fn names(&self, kind: &'static str) -> impl Iterator<Item = String> {
        let ids = self.0.iter().map(|resource| resource.id());
        ids.filter(move |id| id.kind() == kind).map(|id| id.name().to_owned())
    }
}
