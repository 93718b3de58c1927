//! What a fresh shop starts with: taxes and shipping methods. Staff change them like any other.

use kit::{Currency, Id, Money, execute};
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, IntoActiveModel};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};
use uuid::Uuid;

use super::entity::method;
use crate::domain::tax::STANDARD;
use crate::domain::{Method, Offer, Tier};

pub struct Seeds;

impl MigrationName for Seeds {
    fn name(&self) -> &str {
        "pricing_0003_seeds"
    }
}

#[async_trait]
impl MigrationTrait for Seeds {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let on = manager.get_connection();
        for (country, rates) in VALUE_ADDED_TAXES {
            tax(on, country, true, rates).await?;
        }
        for country in EXPORTS {
            tax(on, country, false, &[(STANDARD, 0)]).await?;
        }
        for row in [standard()?, express()?, abroad()?] {
            method::Entity::insert(method::Model::of(row).into_active_model())
                .exec_without_returning(on)
                .await?;
        }
        Ok(())
    }
}

// In parts per million, as in force on 1 January 2025: compared with easytax.co, "VAT rates in Europe", of that date.
// The authorities are GOV.UK, "VAT rates", and for the European Union the Commission's "Taxes in Europe Database".
// Of several reduced rates one stands here. SetTaxRule adds the others, and follows when a rate changes.
const VALUE_ADDED_TAXES: [(&str, &[(&str, i64)]); 14] = [
    ("GB", &[(STANDARD, 200_000), ("reduced", 50_000), ("zero", 0)]),
    ("IE", &[(STANDARD, 230_000), ("reduced", 135_000), ("zero", 0)]),
    ("DE", &[(STANDARD, 190_000), ("reduced", 70_000)]),
    ("FR", &[(STANDARD, 200_000), ("reduced", 55_000)]),
    ("NL", &[(STANDARD, 210_000), ("reduced", 90_000)]),
    ("BE", &[(STANDARD, 210_000), ("reduced", 60_000)]),
    ("LU", &[(STANDARD, 170_000), ("reduced", 80_000)]),
    ("AT", &[(STANDARD, 200_000), ("reduced", 100_000)]),
    ("ES", &[(STANDARD, 210_000), ("reduced", 100_000)]),
    ("IT", &[(STANDARD, 220_000), ("reduced", 100_000)]),
    ("PT", &[(STANDARD, 230_000), ("reduced", 60_000)]),
    ("PL", &[(STANDARD, 230_000), ("reduced", 80_000)]),
    ("SE", &[(STANDARD, 250_000), ("reduced", 120_000)]),
    ("DK", &[(STANDARD, 250_000)]),
];

// Goods that leave for these countries are exports: nothing is charged here, the receiver pays what his country asks.
const EXPORTS: [&str; 7] = ["US", "CA", "AU", "NZ", "JP", "CH", "NO"];

/// Grams up to which a parcel is a parcel; above it goes on a pallet.
const FREIGHT_GRAMS_MAX: i64 = 100_000_000;

// Grams, then pence, euro cents and US cents.
const STANDARD_TIERS: [(i64, [i64; 3]); 5] = [
    (2_000, [395, 465, 495]),
    (10_000, [595, 695, 745]),
    (30_000, [995, 1_165, 1_245]),
    (1_000_000, [4_500, 5_250, 5_650]),
    (FREIGHT_GRAMS_MAX, [45_000, 52_500, 56_500]),
];
const EXPRESS_TIERS: [(i64, [i64; 3]); 3] =
    [(2_000, [795, 925, 995]), (10_000, [1_195, 1_395, 1_495]), (30_000, [1_995, 2_325, 2_495])];
const ABROAD_TIERS: [(i64, [i64; 3]); 5] = [
    (500, [895, 1_045, 1_125]),
    (2_000, [1_495, 1_745, 1_875]),
    (10_000, [3_495, 4_075, 4_375]),
    (30_000, [7_995, 9_325, 9_995]),
    (FREIGHT_GRAMS_MAX, [95_000, 110_750, 118_750]),
];

// Fixed, so that examples in documents keep working.
const STANDARD_ID: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
const EXPRESS_ID: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002);
const ABROAD_ID: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0003);

async fn tax(
    on: &impl ConnectionTrait,
    country: &str,
    included: bool,
    rates: &[(&str, i64)],
) -> Result<(), DbErr> {
    let sql = "INSERT INTO tax_countries (country, included) VALUES ($1, $2)";
    execute(on, sql, [country.into(), included.into()]).await?;
    for (class, rate_ppm) in rates {
        let sql = "INSERT INTO tax_rules (country, class, rate_ppm) VALUES ($1, $2, $3)";
        execute(on, sql, [country.into(), (*class).into(), (*rate_ppm).into()]).await?;
    }
    Ok(())
}

fn standard() -> Result<Method, DbErr> {
    let offer = Offer {
        display_name: "Standard delivery".to_owned(),
        description: "Two to four working days.".to_owned(),
        countries: vec!["GB".to_owned()],
        tiers: tiers(&STANDARD_TIERS)?,
        free_from: Some(Money::new(currency("GBP")?, 5_000)),
        days_min: 2,
        days_max: 4,
        disabled: false,
    };
    Ok(Method { id: Id::from_uuid(STANDARD_ID), offer, version: 1 })
}

fn express() -> Result<Method, DbErr> {
    let offer = Offer {
        display_name: "Express delivery".to_owned(),
        description: "The next working day.".to_owned(),
        countries: vec!["GB".to_owned()],
        tiers: tiers(&EXPRESS_TIERS)?,
        free_from: None,
        days_min: 1,
        days_max: 1,
        disabled: false,
    };
    Ok(Method { id: Id::from_uuid(EXPRESS_ID), offer, version: 1 })
}

fn abroad() -> Result<Method, DbErr> {
    let taxed = VALUE_ADDED_TAXES.iter().map(|(country, _)| *country);
    let offer = Offer {
        display_name: "International delivery".to_owned(),
        description: "Five to twelve working days, tracked.".to_owned(),
        countries: taxed.chain(EXPORTS).filter(|country| *country != "GB").map(str::to_owned).collect(),
        tiers: tiers(&ABROAD_TIERS)?,
        free_from: None,
        days_min: 5,
        days_max: 12,
        disabled: false,
    };
    Ok(Method { id: Id::from_uuid(ABROAD_ID), offer, version: 1 })
}

fn tiers(table: &[(i64, [i64; 3])]) -> Result<Vec<Tier>, DbErr> {
    let currencies = [currency("GBP")?, currency("EUR")?, currency("USD")?];
    let in_each = |(weight_grams_max, prices): &(i64, [i64; 3])| {
        let weight_grams_max = *weight_grams_max;
        let prices = currencies.into_iter().zip(*prices);
        prices
            .map(|(currency, price)| Tier { weight_grams_max, price: Money::new(currency, price) })
            .collect::<Vec<_>>()
    };
    Ok(table.iter().flat_map(in_each).collect())
}

fn currency(code: &str) -> Result<Currency, DbErr> {
    code.parse().map_err(|_| DbErr::Type(format!("{code} is no currency")))
}
