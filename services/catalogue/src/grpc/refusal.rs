//! How the catalogue says no: one exhaustive match.

use kit::parse::Violation;
use mesh::status::Problem;
use proto::catalogue::Reason;
use tonic::{Code, Status};

use crate::NAME;
use crate::domain::{Flaw, Place, Refusal, VariantField};
use crate::error::Error;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let problem = match error {
            Error::Refused(refusal) => refused(refusal),
            Error::Page(error) => error.into(),
            Error::Request(error) => error.into(),
            Error::File(error) => problem(Code::InvalidArgument, Reason::FileUnreadable, error.to_string()),
            Error::OutOfOrder => {
                let message = error.to_string();
                problem(Code::InvalidArgument, Reason::StreamOutOfOrder, message)
            }
            Error::AnswerTooLarge(field) => Problem::invalid_field(field, error.to_string()),
            Error::Contended => Problem::unavailable("the catalogue", &error),
            Error::Storage(error) => kit::RequestError::Storage(error).into(),
        };
        problem.status()
    }
}

fn refused(refusal: Refusal) -> Problem {
    let message = refusal.to_string();
    let (code, reason, named) = match refusal {
        Refusal::ProductNotFound(id) => (Code::NotFound, Reason::ProductNotFound, Some(("product", id))),
        Refusal::CategoryNotFound(id) => (Code::NotFound, Reason::CategoryNotFound, Some(("category", id))),
        Refusal::CollectionNotFound(id) => {
            (Code::NotFound, Reason::CollectionNotFound, Some(("collection", id)))
        }
        Refusal::HandleTaken(handle) => (Code::AlreadyExists, Reason::HandleTaken, Some(("handle", handle))),
        Refusal::SkuTaken(sku) => (Code::AlreadyExists, Reason::SkuTaken, Some(("sku", sku))),
        Refusal::CategoryCycle => (Code::FailedPrecondition, Reason::CategoryCycle, None),
        Refusal::CategoryTooDeep => (Code::FailedPrecondition, Reason::CategoryTooDeep, None),
        Refusal::EtagMismatch => return Problem::etag_mismatch(),
        Refusal::Flawed(flaws) => {
            return Problem::invalid(flaws.into_iter().map(violation).collect());
        }
    };
    let problem = problem(code, reason, message);
    match named {
        Some((key, value)) => problem.with(key, value),
        None => problem,
    }
}

fn problem(code: Code, reason: Reason, message: String) -> Problem {
    Problem::new(code, NAME, reason.as_str_name(), message)
}

fn violation(flaw: Flaw) -> Violation {
    let field = match flaw.place {
        Place::Handle => "handle".to_owned(),
        Place::Title => "title".to_owned(),
        Place::Description => "description".to_owned(),
        Place::Vendor => "vendor".to_owned(),
        Place::ProductType => "product_type".to_owned(),
        Place::Tags => "tags".to_owned(),
        Place::SeoTitle => "seo.title".to_owned(),
        Place::SeoDescription => "seo.description".to_owned(),
        Place::Options => "options".to_owned(),
        Place::OptionName(number) => format!("options[{number}].name"),
        Place::OptionValues(number) => format!("options[{number}].values"),
        Place::Variants => "variants".to_owned(),
        Place::Variant(number, field) => format!("variants[{number}].{}", variant_field(field)),
        Place::Media => "media".to_owned(),
        Place::MediaUrl(number) => format!("media[{number}].url"),
        Place::MediaAltText(number) => format!("media[{number}].alt_text"),
    };
    Violation { field: format!("product.{field}"), description: flaw.sentence }
}

fn variant_field(field: VariantField) -> &'static str {
    match field {
        VariantField::Sku => "sku",
        VariantField::OptionValues => "option_values",
        VariantField::Prices => "prices",
        VariantField::CompareAt => "prices.compare_at",
        VariantField::WeightGrams => "weight_grams",
        VariantField::Barcode => "barcode",
        VariantField::TaxClass => "tax_class",
        VariantField::Media => "media_id",
    }
}
