//! `@inContext(country, language)`: for whom a query is answered.
//!
//! The directive stands on the operation, where the library validates it but hands it to nobody: the edge reads it off the
//! parsed document before execution.

use std::borrow::Cow;

use async_graphql::parser::types::{Directive, ExecutableDocument};
use async_graphql::registry::{MetaDirective, MetaInputValue, Registry};
use async_graphql::{ContextDirective, CustomDirective, CustomDirectiveFactory, ServerResult, Variables};

use crate::context::{Locale, Market};
use crate::error::{Fault, Problem};

const NAME: &str = "inContext";

/// The directive as the schema declares it.
pub(crate) struct InContext;

impl CustomDirectiveFactory for InContext {
    fn name(&self) -> Cow<'static, str> {
        NAME.into()
    }

    fn register(&self, registry: &mut Registry) {
        let argument = |name: &str, ty: &str, description: &str| {
            let mut value = MetaInputValue::new(name, ty);
            value.description = Some(description.to_owned());
            (name.to_owned(), value)
        };
        registry.add_directive(MetaDirective {
            name: NAME.to_owned(),
            description: Some(
                "For whom a query is answered: prices are shown in the country's currency. A cart keeps its own country."
                    .to_owned(),
            ),
            locations: vec![async_graphql::registry::__DirectiveLocation::QUERY],
            args: [
                argument("country", "CountryCode", "Where the shopper is."),
                argument(
                    "language",
                    "String",
                    "BCP 47: \"en\". Where the shop does not speak it, it answers in its own: the header `content-language` says in which.",
                ),
            ]
            .into_iter()
            .collect(),
            is_repeatable: false,
            visible: None,
            composable: None,
        });
    }

    fn create(
        &self,
        _ctx: &ContextDirective<'_>,
        _directive: &Directive,
    ) -> ServerResult<Box<dyn CustomDirective>> {
        Ok(Box::new(Nothing))
    }
}

/// What the directive does to a field: it never stands on one.
struct Nothing;

impl CustomDirective for Nothing {}

/// The context of a document that holds one operation.
pub(crate) fn locale_of(
    document: &ExecutableDocument,
    variables: &Variables,
    market: &Market,
) -> Result<Locale, Fault> {
    let (_, operation) = crate::guard::only_operation(&document.operations)?;
    let mut directives = operation.directives.iter();
    let Some(directive) = directives.find(|directive| directive.node.name.node == NAME) else {
        return Ok(Locale::of(market, None));
    };
    let country = argument(&directive.node, "country", variables);
    let well_formed = |code: &String| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
    if country.as_ref().is_some_and(|code| !well_formed(code)) {
        return Err(Fault::of(Problem::BadRequest, "A country is two capital letters."));
    }
    let language = argument(&directive.node, "language", variables);
    if language.as_ref().is_some_and(|language| !is_language(language)) {
        return Err(Fault::of(Problem::BadRequest, "A language is a tag of BCP 47: \"en\" or \"pt-BR\"."));
    }
    Ok(Locale::of(market, country.as_deref()))
}

/// Is it in form? Which languages there are is not for the edge to know.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    let alphanumeric =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    tag.len() <= LANGUAGE_LENGTH_MAX
        && (2..=3).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(alphanumeric)
}

/// Characters of a language's tag.
const LANGUAGE_LENGTH_MAX: usize = 35;

fn argument(directive: &Directive, name: &str, variables: &Variables) -> Option<String> {
    let value = directive.get_argument(name)?.node.clone();
    let value = value.into_const_with(|name| variables.get(&name).cloned().ok_or(())).ok()?;
    match value {
        async_graphql::Value::String(text) => Some(text.to_string()),
        async_graphql::Value::Enum(name) => Some(name.to_string()),
        _ => None,
    }
}
