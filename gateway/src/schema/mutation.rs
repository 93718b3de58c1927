//! What can be changed.

mod account;
mod address;
mod cart;
mod catalogue;
mod checkout;
mod discount;
mod order;
mod review;
mod session;
mod stock;

use async_graphql::MergedObject;

use crate::schema::shipping::ShippingMutation;
use crate::schema::tax::TaxMutation;

/// What can be changed. A business refusal is in `userErrors`; a repeated `idempotencyKey` repeats the answer, not the effect.
#[derive(MergedObject, Default)]
pub(crate) struct Mutation(
    cart::CartMutation,
    checkout::CheckoutMutation,
    order::OrderMutation,
    session::SessionMutation,
    account::AccountMutation,
    address::AddressMutation,
    review::ReviewMutation,
    catalogue::CatalogueMutation,
    stock::StockMutation,
    discount::DiscountMutation,
    TaxMutation,
    ShippingMutation,
);
