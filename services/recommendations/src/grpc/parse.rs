//! Requests into values of the domain.

use kit::parse::{BATCH_MAX, Fields};
use mesh::status::Problem;
use proto::recommendations as pb;
use proto::recommendations::list_for_account_request::Customer;

use crate::domain::{CustomerId, ProductId};
use crate::events::external_customer;

const PRODUCTS_MAX: usize = 250;
const RECOMMENDATIONS_EACH_MAX: i64 = 20;
const EXTERNAL_NAME_LENGTH_MAX: usize = 200;

type Parsed<T> = Result<T, Problem>;

pub fn basket(product_ids: &[String]) -> Parsed<Vec<ProductId>> {
    let mut fields = Fields::new();
    let basket = fields.ids("product_ids", product_ids, 1..=BATCH_MAX);
    fields.build(|| basket).map_err(Problem::invalid)
}

pub fn each(message: &pb::BatchListBoughtTogetherRequest) -> Parsed<(Vec<ProductId>, usize)> {
    let mut fields = Fields::new();
    let asked = fields.ids("product_ids", &message.product_ids, 1..=PRODUCTS_MAX);
    let each =
        fields.integer("recommendations_each", message.recommendations_each, 1..=RECOMMENDATIONS_EACH_MAX);
    fields.build(|| Some((asked?, usize::try_from(each?).ok()?))).map_err(Problem::invalid)
}

pub fn customer(named: Option<&Customer>) -> Parsed<Option<CustomerId>> {
    let mut fields = Fields::new();
    let customer = match named {
        None => Some(None),
        Some(Customer::AccountId(account)) => fields.id("account_id", account).map(Some),
        Some(Customer::ExternalCustomer(name)) => {
            let name = fields.text("external_customer", name, 1..=EXTERNAL_NAME_LENGTH_MAX);
            name.map(|name| Some(external_customer(&name)))
        }
    };
    fields.build(|| customer).map_err(Problem::invalid)
}
