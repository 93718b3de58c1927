//! An answer as it is kept: the cart as it stood, and what was said about it.

use kit::{Id, Money};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::entity::{CartRow, LineRow};
use crate::domain::{Answer, Merged, Outcome, Problem, ProblemKind, Report, Warning, WarningKind};

#[derive(Serialize, Deserialize)]
pub struct Kept {
    cart: CartRow,
    lines: Vec<LineRow>,
    warnings: Vec<KeptWarning>,
    merged: Vec<KeptMerged>,
    problems: Option<Vec<KeptProblem>>,
}

#[derive(Serialize, Deserialize)]
struct KeptWarning {
    kind: KeptWarningKind,
    variant: Uuid,
    requested: i64,
    actual: i64,
}

#[derive(Serialize, Deserialize)]
enum KeptWarningKind {
    CappedByStock,
    CappedByLimit,
    Dropped,
}

#[derive(Serialize, Deserialize)]
struct KeptMerged {
    variant: Uuid,
    outcome: KeptOutcome,
    guest: i64,
    total: i64,
}

#[derive(Serialize, Deserialize)]
enum KeptOutcome {
    Merged,
    Capped,
    Dropped,
}

#[derive(Serialize, Deserialize)]
struct KeptProblem {
    line: Uuid,
    kind: KeptProblemKind,
}

#[derive(Serialize, Deserialize)]
enum KeptProblemKind {
    Gone,
    OutOfStock,
    Short { available: i64 },
    PriceChanged { present: Money },
}

impl TryFrom<&Answer> for Kept {
    type Error = DbErr;

    fn try_from(answer: &Answer) -> Result<Self, DbErr> {
        let Report { warnings, merged, problems } = &answer.report;
        Ok(Self {
            cart: CartRow::try_from(&answer.cart)?,
            lines: answer.cart.lines.iter().map(LineRow::from).collect(),
            warnings: warnings.iter().map(KeptWarning::from).collect(),
            merged: merged.iter().map(KeptMerged::from).collect(),
            problems: problems.as_ref().map(|problems| problems.iter().map(KeptProblem::from).collect()),
        })
    }
}

impl TryFrom<Kept> for Answer {
    type Error = DbErr;

    fn try_from(kept: Kept) -> Result<Self, DbErr> {
        let problems = kept.problems.map(|problems| problems.into_iter().map(Problem::from).collect());
        let report = Report {
            warnings: kept.warnings.into_iter().map(Warning::from).collect(),
            merged: kept.merged.into_iter().map(Merged::from).collect(),
            problems,
        };
        Ok(Answer { cart: kept.cart.cart(kept.lines)?, report })
    }
}

impl From<&Warning> for KeptWarning {
    fn from(warning: &Warning) -> Self {
        let kind = match warning.kind {
            WarningKind::CappedByStock => KeptWarningKind::CappedByStock,
            WarningKind::CappedByLimit => KeptWarningKind::CappedByLimit,
            WarningKind::Dropped => KeptWarningKind::Dropped,
        };
        let variant = warning.variant.as_uuid();
        Self { kind, variant, requested: warning.requested, actual: warning.actual }
    }
}

impl From<KeptWarning> for Warning {
    fn from(kept: KeptWarning) -> Self {
        let kind = match kept.kind {
            KeptWarningKind::CappedByStock => WarningKind::CappedByStock,
            KeptWarningKind::CappedByLimit => WarningKind::CappedByLimit,
            KeptWarningKind::Dropped => WarningKind::Dropped,
        };
        let variant = Id::from_uuid(kept.variant);
        Self { kind, variant, requested: kept.requested, actual: kept.actual }
    }
}

impl From<&Merged> for KeptMerged {
    fn from(merged: &Merged) -> Self {
        let outcome = match merged.outcome {
            Outcome::Merged => KeptOutcome::Merged,
            Outcome::Capped => KeptOutcome::Capped,
            Outcome::Dropped => KeptOutcome::Dropped,
        };
        Self { variant: merged.variant.as_uuid(), outcome, guest: merged.guest, total: merged.total }
    }
}

impl From<KeptMerged> for Merged {
    fn from(kept: KeptMerged) -> Self {
        let outcome = match kept.outcome {
            KeptOutcome::Merged => Outcome::Merged,
            KeptOutcome::Capped => Outcome::Capped,
            KeptOutcome::Dropped => Outcome::Dropped,
        };
        Self { variant: Id::from_uuid(kept.variant), outcome, guest: kept.guest, total: kept.total }
    }
}

impl From<&Problem> for KeptProblem {
    fn from(problem: &Problem) -> Self {
        let kind = match problem.kind {
            ProblemKind::Gone => KeptProblemKind::Gone,
            ProblemKind::OutOfStock => KeptProblemKind::OutOfStock,
            ProblemKind::Short { available } => KeptProblemKind::Short { available },
            ProblemKind::PriceChanged { present } => KeptProblemKind::PriceChanged { present },
        };
        Self { line: problem.line.as_uuid(), kind }
    }
}

impl From<KeptProblem> for Problem {
    fn from(kept: KeptProblem) -> Self {
        let kind = match kept.kind {
            KeptProblemKind::Gone => ProblemKind::Gone,
            KeptProblemKind::OutOfStock => ProblemKind::OutOfStock,
            KeptProblemKind::Short { available } => ProblemKind::Short { available },
            KeptProblemKind::PriceChanged { present } => ProblemKind::PriceChanged { present },
        };
        Self { line: Id::from_uuid(kept.line), kind }
    }
}
