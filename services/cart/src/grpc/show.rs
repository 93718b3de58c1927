//! The domain's values as messages.

use kit::time;
use proto::cart as pb;

use crate::domain::{
    Answer, Cart, Line, Merged, Outcome, Problem, ProblemKind, Report, Warning, WarningKind,
};

/// The cart after a change, and what was done otherwise than asked.
pub fn changed(answer: Answer) -> (Option<pb::Cart>, Vec<pb::CartWarning>) {
    let Report { warnings, problems, merged: _ } = answer.report;
    let warnings = warnings.iter().map(warning).collect();
    (Some(cart(answer.cart, problems)), warnings)
}

pub fn merged(merged: &Merged) -> pb::MergedLine {
    let outcome = match merged.outcome {
        Outcome::Merged => pb::MergeOutcome::Merged,
        Outcome::Capped => pb::MergeOutcome::Capped,
        Outcome::Dropped => pb::MergeOutcome::Dropped,
    };
    pb::MergedLine {
        variant_id: merged.variant.to_string(),
        outcome: outcome.into(),
        guest_quantity: merged.guest,
        final_quantity: merged.total,
    }
}

fn cart(cart: Cart, problems: Option<Vec<Problem>>) -> pb::Cart {
    pb::Cart {
        id: cart.id.to_string(),
        account_id: cart.account.map(|account| account.to_string()).unwrap_or_default(),
        currency_code: cart.currency.as_str().to_owned(),
        country_code: cart.country,
        lines: cart.lines.into_iter().map(line).collect(),
        codes: cart.codes,
        problems_unknown: problems.is_none(),
        problems: problems.unwrap_or_default().iter().map(problem).collect(),
        version: cart.version,
        etag: cart.version.to_string(),
        create_time: Some(time::to_proto(cart.created)),
        update_time: Some(time::to_proto(cart.updated)),
    }
}

fn line(line: Line) -> pb::CartLine {
    pb::CartLine {
        id: line.id.to_string(),
        variant_id: line.variant.to_string(),
        sku: line.sku,
        product_id: line.product.to_string(),
        quantity: line.quantity,
        seen_price: Some(line.seen_price.into()),
    }
}

fn problem(problem: &Problem) -> pb::CartProblem {
    let (kind, available_quantity, present_price) = match problem.kind {
        ProblemKind::Gone => (pb::ProblemKind::Gone, 0, None),
        ProblemKind::OutOfStock => (pb::ProblemKind::OutOfStock, 0, None),
        ProblemKind::Short { available } => (pb::ProblemKind::Short, available, None),
        ProblemKind::PriceChanged { present } => (pb::ProblemKind::PriceChanged, 0, Some(present.into())),
    };
    pb::CartProblem {
        kind: kind.into(),
        line_id: problem.line.to_string(),
        available_quantity,
        present_price,
    }
}

fn warning(warning: &Warning) -> pb::CartWarning {
    let kind = match warning.kind {
        WarningKind::CappedByStock => pb::WarningKind::CappedByStock,
        WarningKind::CappedByLimit => pb::WarningKind::CappedByLimit,
        WarningKind::Dropped => pb::WarningKind::Dropped,
    };
    pb::CartWarning {
        kind: kind.into(),
        variant_id: warning.variant.to_string(),
        requested_quantity: warning.requested,
        actual_quantity: warning.actual,
    }
}
