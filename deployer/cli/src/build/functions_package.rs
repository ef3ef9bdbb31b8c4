//! The cargo package with the functions of an application. It must not know what a function does.

/// The cargo package with the functions of an application: its binaries, those of its path dependencies, and those
/// that another package provides.
#[derive(Clone, Copy, Debug)]
pub struct FunctionsPackage {
    /// The name of the package.
    pub name: &'static str,
    /// The functions of a package that this one depends on.
    pub provided: Option<ProvidedFunctions>,
}

/// The functions of a package that the functions' package depends on. Cargo builds them wherever that package comes
/// from; without the network, it lists only the binaries of path dependencies.
#[derive(Clone, Copy, Debug)]
pub struct ProvidedFunctions {
    /// The name of the package.
    pub package: &'static str,
    /// The names of its binaries.
    pub names: &'static [&'static str],
}

impl FunctionsPackage {
    /// Returns the package of this name, with the functions of its path dependencies.
    pub const fn named(name: &'static str) -> Self {
        Self { name, provided: None }
    }
}
