//! What lies below a field, so that its resolver can ask for all of it at once.

use async_graphql::{Context, Lookahead, SelectionField, Value};

/// The fields selected below one or several places that show the same type.
pub(crate) struct Look<'a>(Vec<SelectionField<'a>>);

impl<'a> Look<'a> {
    /// Below the field that is being resolved.
    pub(crate) fn here(ctx: &'a Context<'a>) -> Self {
        Self(vec![ctx.field()])
    }

    /// Below `name`, wherever it stands and whatever its alias.
    pub(crate) fn below(&self, name: &str) -> Self {
        let children = self.0.iter().flat_map(SelectionField::selection_set);
        Self(children.filter(|field| field.name() == name).collect())
    }

    /// Below the nodes of a connection, with or without edges.
    pub(crate) fn items(&self) -> Self {
        let mut items = self.below("nodes");
        items.0.extend(self.below("edges").below("node").0);
        items
    }

    /// Below either of two fields.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(crate) fn exists(&self) -> bool {
        !self.0.is_empty()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names().any(|field| field == name)
    }

    pub(crate) fn has_any(&self, names: &[&str]) -> bool {
        self.names().any(|field| names.contains(&field))
    }

    /// The names of the fields right below.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        let children = self.0.iter().flat_map(SelectionField::selection_set);
        children.map(|field| field.name())
    }

    /// The values that an argument has at these places, absent ones left out.
    pub(crate) fn arguments(&self, name: &str) -> Vec<Option<Value>> {
        let value = |field: &SelectionField<'a>| {
            let arguments = field.arguments().ok()?;
            let found = arguments.into_iter().find(|(argument, _)| argument == name);
            found.map(|(_, value)| value)
        };
        self.0.iter().map(value).collect()
    }

    /// Each place on its own.
    pub(crate) fn each(&self) -> impl Iterator<Item = Look<'a>> {
        self.0.iter().map(|field| Look(vec![*field]))
    }
}

impl<'a> From<Lookahead<'a>> for Look<'a> {
    fn from(look: Lookahead<'a>) -> Self {
        Self(look.selection_fields())
    }
}
