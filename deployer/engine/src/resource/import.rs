//! The ids under which another tool imports a resource.

/// The id of one object of another tool that has declarations and imports (AWS: Terraform's AWS provider).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportId {
    /// The tool's type of the object: `aws_dynamodb_table`.
    pub type_name: &'static str,
    /// The part of the resource that the object is, if a resource can have several objects of this type.
    pub part: Option<String>,
    /// The value that identifies the object in an import.
    pub id: String,
}

impl ImportId {
    /// Returns the id of an object that the resource has at most once.
    pub fn new(type_name: &'static str, id: impl Into<String>) -> Self {
        Self { type_name, part: None, id: id.into() }
    }

    /// Returns the id of an object for this part of the resource.
    pub fn of_part(mut self, part: impl Into<String>) -> Self {
        self.part = Some(part.into());
        self
    }
}
