//! What a document may be, decided before anything executes or validates it.
//!
//! Linear in the document: each fragment is measured once and its figures are added wherever it is spread, so that forty
//! spreads of forty spreads cost forty visits. The parser bounds how deep a text may nest; variables it does not see, so
//! they are walked without recursion.

use std::collections::HashMap;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};

use crate::error::{Fault, Problem};
use crate::limits;

/// What the edge wants to know of an operation before it runs.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) name: Option<String>,
    pub(crate) kind: OperationType,
    /// Fields at the root, which a mutation pays for one by one.
    pub(crate) roots: u64,
}

/// Measures a document and names its one operation.
pub(crate) fn check(document: &ExecutableDocument) -> Result<Operation, Fault> {
    let (name, operation) = only_operation(&document.operations)?;
    if document.fragments.len() > limits::DOCUMENT_FRAGMENTS_MAX {
        return Err(too_large("fragments"));
    }
    let mut measured = HashMap::with_capacity(document.fragments.len());
    let mut size = measure(&operation.selection_set.node, document, &mut measured)?;
    // Validation walks fragments that nothing spreads, too.
    for name in document.fragments.keys() {
        size.nodes = size.nodes.max(measure_fragment(name, document, &mut measured)?.nodes);
    }
    within(size.nodes, limits::DOCUMENT_NODES_MAX, "fields")?;
    within(size.aliases, limits::DOCUMENT_ALIASES_MAX, "aliases")?;
    within(size.depth, depth_max(operation), "levels")?;
    within(size.roots, limits::DOCUMENT_ROOTS_MAX, "fields at the root")?;
    if operation.directives.len() > limits::DIRECTIVES_MAX {
        return Err(too_large("directives"));
    }
    Ok(Operation { name, kind: operation.ty, roots: size.roots })
}

/// What asks about the schema alone reads nothing of the shop, and in production nothing at all.
fn depth_max(operation: &OperationDefinition) -> u64 {
    let mut roots = operation.selection_set.node.items.iter();
    let introspects = |root: &Positioned<Selection>| match &root.node {
        Selection::Field(field) => matches!(field.node.name.node.as_str(), "__schema" | "__type"),
        _ => false,
    };
    match roots.all(introspects) {
        true => limits::INTROSPECTION_DEPTH_MAX,
        false => limits::DOCUMENT_DEPTH_MAX,
    }
}

/// The operation of a document that holds exactly one.
pub(crate) fn only_operation(
    operations: &DocumentOperations,
) -> Result<(Option<String>, &OperationDefinition), Fault> {
    let mut all = operations.iter();
    match (all.next(), all.next()) {
        (Some((name, operation)), None) => Ok((name.map(Name::to_string), &operation.node)),
        _ => Err(Fault::of(Problem::BadRequest, "A document must hold exactly one operation.")),
    }
}

/// Refuses values nested deeper than any input of the schema.
pub(crate) fn check_variables(value: &serde_json::Value) -> Result<(), Fault> {
    let mut waiting = vec![(value, 0_usize)];
    while let Some((value, depth)) = waiting.pop() {
        if depth > limits::VARIABLES_DEPTH_MAX {
            return Err(too_large("levels of variables"));
        }
        match value {
            serde_json::Value::Array(items) => {
                waiting.extend(items.iter().map(|item| (item, depth + 1)));
            }
            serde_json::Value::Object(fields) => {
                waiting.extend(fields.values().map(|field| (field, depth + 1)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a selection amounts to with its fragments expanded.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: u64,
    aliases: u64,
    depth: u64,
    roots: u64,
}

impl Size {
    fn add(&mut self, other: Size) {
        self.nodes = self.nodes.saturating_add(other.nodes);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.roots = self.roots.saturating_add(other.roots);
        self.depth = self.depth.max(other.depth);
    }
}

/// `None` stands for a fragment that is being measured: meeting it again means that it contains itself.
type Measured<'a> = HashMap<&'a str, Option<Size>>;

fn measure<'a>(
    set: &'a SelectionSet,
    document: &'a ExecutableDocument,
    measured: &mut Measured<'a>,
) -> Result<Size, Fault> {
    let mut size = Size::default();
    for item in &set.items {
        if item.node.directives().len() > limits::DIRECTIVES_MAX {
            return Err(too_large("directives"));
        }
        size.add(measure_item(item, document, measured)?);
    }
    Ok(size)
}

fn measure_item<'a>(
    item: &'a Positioned<Selection>,
    document: &'a ExecutableDocument,
    measured: &mut Measured<'a>,
) -> Result<Size, Fault> {
    match &item.node {
        Selection::Field(field) => {
            let below = measure(&field.node.selection_set.node, document, measured)?;
            Ok(Size {
                nodes: below.nodes.saturating_add(1),
                aliases: below.aliases + u64::from(field.node.alias.is_some()),
                depth: below.depth.saturating_add(1),
                roots: 1,
            })
        }
        Selection::InlineFragment(inline) => measure(&inline.node.selection_set.node, document, measured),
        Selection::FragmentSpread(spread) => {
            measure_fragment(&spread.node.fragment_name.node, document, measured)
        }
    }
}

fn measure_fragment<'a>(
    name: &'a Name,
    document: &'a ExecutableDocument,
    measured: &mut Measured<'a>,
) -> Result<Size, Fault> {
    match measured.get(name.as_str()) {
        Some(Some(size)) => return Ok(*size),
        Some(None) => return Err(Fault::of(Problem::BadRequest, "A fragment contains itself.")),
        None => {}
    }
    let Some(fragment) = document.fragments.get(name) else {
        return Err(Fault::of(Problem::BadRequest, "A fragment is used that the document does not define."));
    };
    measured.insert(name.as_str(), None);
    let size = measure(&fragment.node.selection_set.node, document, measured)?;
    measured.insert(name.as_str(), Some(size));
    Ok(size)
}

fn within(figure: u64, limit: u64, what: &str) -> Result<(), Fault> {
    if figure > limit {
        return Err(too_large(what));
    }
    Ok(())
}

fn too_large(what: &str) -> Fault {
    Fault::of(Problem::QueryTooLarge, format!("The document asks for too many {what}."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use async_graphql::parser::parse_query;

    use super::*;

    fn verdict(text: &str) -> Result<Operation, Fault> {
        check(&parse_query(text).expect("the test's document parses"))
    }

    #[test]
    fn an_honest_document_passes() {
        let operation = verdict("query Page { products { nodes { title } } }").unwrap();

        assert_eq!(operation.name.as_deref(), Some("Page"));
        assert_eq!(operation.roots, 1);
    }

    #[test]
    fn a_bomb_of_fragments_is_refused_without_being_expanded() {
        let mut text = String::from("{ ...f0 } ");
        for level in 0..29 {
            let next = format!("...f{} ", level + 1).repeat(40);
            text.push_str(&format!("fragment f{level} on Query {{ {next} }} "));
        }
        text.push_str("fragment f29 on Query { a }");

        let started = std::time::Instant::now();
        let refused = verdict(&text);

        assert!(refused.is_err());
        assert!(started.elapsed() < std::time::Duration::from_millis(500));
    }

    #[test]
    fn each_limit_holds_at_its_figure() {
        let fields = |count: usize| {
            let inner: String = (0..count).map(|n| format!("f{n} ")).collect();
            format!("{{ a {{ {inner} }} }}")
        };
        let roots = |count: usize| {
            let inner: String = (0..count).map(|n| format!("f{n} ")).collect();
            format!("{{ {inner} }}")
        };
        let aliases = |count: usize| {
            let inner: String = (0..count).map(|n| format!("a{n}: f ")).collect();
            format!("{{ x {{ {inner} }} }}")
        };
        let depth = |count: usize| {
            let open = "{ a ".repeat(count);
            format!("{open}{}", "}".repeat(count))
        };
        let fragments = |count: usize| {
            let all: String = (0..count).map(|n| format!("fragment f{n} on Query {{ a }} ")).collect();
            format!("{{ a }} {all}")
        };
        let introspection = |count: usize| format!("{{ __schema {} }}", depth(count - 1));

        assert!(verdict(&fields(999)).is_ok());
        assert!(verdict(&fields(1_000)).is_err());
        assert!(verdict(&roots(10)).is_ok());
        assert!(verdict(&roots(11)).is_err());
        assert!(verdict(&aliases(15)).is_ok());
        assert!(verdict(&aliases(16)).is_err());
        assert!(verdict(&depth(12)).is_ok());
        assert!(verdict(&depth(13)).is_err());
        assert!(verdict(&introspection(16)).is_ok());
        assert!(verdict(&introspection(17)).is_err());
        assert!(verdict(&format!("{{ a __schema {} }}", depth(12))).is_err());
        assert!(verdict(&fragments(30)).is_ok());
        assert!(verdict(&fragments(31)).is_err());
        assert!(verdict("{ a @x @x @x @x }").is_ok());
        assert!(verdict("{ a @x @x @x @x @x }").is_err());
    }

    #[test]
    fn two_operations_a_cycle_and_an_unknown_fragment_are_refused() {
        assert!(verdict("query A { a } query B { b }").is_err());
        assert!(verdict("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }").is_err());
        assert!(verdict("{ ...a }").is_err());
    }

    #[test]
    fn deeply_nested_variables_are_refused() {
        let nest =
            |levels: usize| (0..levels).fold(serde_json::json!(1), |value, _| serde_json::json!([value]));

        assert!(check_variables(&nest(12)).is_ok());
        assert!(check_variables(&nest(13)).is_err());
    }
}
