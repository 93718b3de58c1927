//! A shop in which everything can be had: each method that a storefront's operations come to has an answer.

use futures::{StreamExt, stream};
use proto::{
    cart, catalogue, identity, inventory, orders, payments, pricing, recommendations, reviews, search,
};

use crate::cart::{quote, wire_cart, with_cart};
use crate::order::order;
use crate::pages::product;
use crate::support::{Shop, money, uuid};

/// A shop whose every list holds so many.
pub fn shop(size: usize) -> Shop {
    let shop = with_cart(size);
    offering(&shop, size);
    filling(&shop, size);
    buying(&shop, size);
    knowing(&shop, size);
    finding(&shop, size);
    changing(&shop);
    naming(&shop);
    shop
}

fn offering(shop: &Shop, size: usize) {
    shop.catalogue.on("GetProduct", move |_: catalogue::GetProductRequest| {
        let variants = (0..size).flat_map(|number| product(number).variants).collect();
        let product = catalogue::Product { variants, ..product(0) };
        Ok(catalogue::GetProductResponse { product: Some(product) })
    });
    let collection = move |number: usize| catalogue::Collection {
        id: uuid(500 + number),
        product_ids: (0..size).map(uuid).collect(),
        ..Default::default()
    };
    shop.catalogue.on("GetCollection", move |_: catalogue::GetCollectionRequest| {
        Ok(catalogue::GetCollectionResponse { collection: Some(collection(0)) })
    });
    shop.catalogue.on("ListCollections", move |_: catalogue::ListCollectionsRequest| {
        let collections = (0..size).map(collection).collect();
        Ok(catalogue::ListCollectionsResponse { collections, ..Default::default() })
    });
    shop.catalogue.on("ListCategories", move |_: catalogue::ListCategoriesRequest| {
        let category = |number| catalogue::Category { id: uuid(number), ..Default::default() };
        let categories = (0..size).map(category).collect();
        Ok(catalogue::ListCategoriesResponse { categories, ..Default::default() })
    });
    shop.reviews.on("ListReviews", move |_: reviews::ListReviewsRequest| {
        let reviews = (0..size).map(review).collect();
        Ok(reviews::ListReviewsResponse { reviews, ..Default::default() })
    });
    shop.pricing.on("ListShippingOptions", move |_: pricing::ListShippingOptionsRequest| {
        let option = |number| pricing::ShippingOption {
            method_id: uuid(number),
            display_name: format!("Way {number}"),
            price: money(450),
            ..Default::default()
        };
        // Pricing never answers more.
        let options = (0..size.min(50)).map(option).collect();
        Ok(pricing::ListShippingOptionsResponse { options, ..Default::default() })
    });
}

fn review(number: usize) -> reviews::Review {
    reviews::Review {
        id: uuid(number),
        product_id: uuid(0),
        state: reviews::ReviewState::Approved.into(),
        ..Default::default()
    }
}

fn filling(shop: &Shop, size: usize) {
    let cart = move || Some(wire_cart(size));
    shop.cart.on("CreateCart", move |_: cart::CreateCartRequest| {
        Ok(cart::CreateCartResponse { cart: cart(), ..Default::default() })
    });
    shop.cart.on("AddCartLines", move |_: cart::AddCartLinesRequest| {
        Ok(cart::AddCartLinesResponse { cart: cart(), ..Default::default() })
    });
    shop.cart.on("UpdateCartLines", move |_: cart::UpdateCartLinesRequest| {
        Ok(cart::UpdateCartLinesResponse { cart: cart(), ..Default::default() })
    });
    shop.cart.on("RemoveCartLines", move |_: cart::RemoveCartLinesRequest| {
        Ok(cart::RemoveCartLinesResponse { cart: cart() })
    });
    shop.cart.on("SetCartCodes", move |_: cart::SetCartCodesRequest| {
        Ok(cart::SetCartCodesResponse { cart: cart() })
    });
    shop.cart.on("SetCartContext", move |_: cart::SetCartContextRequest| {
        Ok(cart::SetCartContextResponse { cart: cart(), ..Default::default() })
    });
    shop.cart.on("MergeCarts", move |_: cart::MergeCartsRequest| {
        Ok(cart::MergeCartsResponse { cart: cart(), ..Default::default() })
    });
    shop.cart.on_stream("WatchCart", move |_: cart::WatchCartRequest| {
        stream::iter([Ok(cart::WatchCartResponse { cart: cart() })]).boxed()
    });
    shop.inventory.on_stream("WatchStock", |_: inventory::WatchStockRequest| {
        let stock = Some(inventory::Stock::default());
        stream::iter([Ok(inventory::WatchStockResponse { stock })]).boxed()
    });
}

fn checkout(size: usize) -> Option<orders::Checkout> {
    let line = |number: usize| pricing::QuoteLineRequest { variant_id: uuid(10_000 + number), quantity: 2 };
    let lines = (0..size).map(line).collect();
    let priced = pricing::QuoteRequest { lines, currency_code: "GBP".to_owned(), ..Default::default() };
    Some(orders::Checkout {
        id: uuid(800),
        state: orders::CheckoutState::Completed.into(),
        cart_id: uuid(900),
        quote: Some(quote(&priced)),
        order_id: uuid(700),
        ..Default::default()
    })
}

fn bought(size: usize) -> Option<orders::Order> {
    let line =
        |number| orders::OrderLine { variant_id: uuid(10_000 + number), ..order(700).lines[0].clone() };
    Some(orders::Order { lines: (0..size).map(line).collect(), shipments: Vec::new(), ..order(700) })
}

fn buying(shop: &Shop, size: usize) {
    let (checkout, order) = (move || checkout(size), move || bought(size));
    shop.orders.on("StartCheckout", move |_: orders::StartCheckoutRequest| {
        Ok(orders::StartCheckoutResponse { checkout: checkout(), ..Default::default() })
    });
    shop.orders.on("UpdateCheckout", move |_: orders::UpdateCheckoutRequest| {
        Ok(orders::UpdateCheckoutResponse { checkout: checkout() })
    });
    shop.orders.on("CompleteCheckout", move |_: orders::CompleteCheckoutRequest| {
        Ok(orders::CompleteCheckoutResponse { checkout: checkout() })
    });
    shop.orders.on("CancelCheckout", move |_: orders::CancelCheckoutRequest| {
        Ok(orders::CancelCheckoutResponse { checkout: checkout() })
    });
    shop.orders.on("CancelOrder", move |_: orders::CancelOrderRequest| {
        Ok(orders::CancelOrderResponse { order: order() })
    });
    shop.orders.on("RequestReturn", move |request: orders::RequestReturnRequest| {
        assert_eq!(request.lines.len(), size);
        Ok(orders::RequestReturnResponse { order: order(), return_id: uuid(630) })
    });
    shop.orders.on("GetCheckout", move |_: orders::GetCheckoutRequest| {
        Ok(orders::GetCheckoutResponse { checkout: checkout() })
    });
    shop.orders.on_stream("WatchCheckout", move |_: orders::WatchCheckoutRequest| {
        stream::iter([Ok(orders::WatchCheckoutResponse { checkout: checkout() })]).boxed()
    });
    shop.orders
        .on("GetOrder", move |_: orders::GetOrderRequest| Ok(orders::GetOrderResponse { order: order() }));
    shop.orders.on("ListOrders", move |_: orders::ListOrdersRequest| {
        let orders = (0..size).flat_map(|_| order()).collect();
        Ok(orders::ListOrdersResponse { orders, ..Default::default() })
    });
    shop.orders.on_stream("WatchOrder", move |_: orders::WatchOrderRequest| {
        stream::iter([Ok(orders::WatchOrderResponse { order: order() })]).boxed()
    });
}

fn knowing(shop: &Shop, size: usize) {
    shop.identity.on("GetAccount", |_: identity::GetAccountRequest| {
        let account = identity::Account { role: identity::Role::Customer.into(), ..Default::default() };
        Ok(identity::GetAccountResponse { account: Some(account) })
    });
    shop.identity.on("ListAddresses", move |_: identity::ListAddressesRequest| {
        let addresses = vec![identity::AccountAddress::default(); size];
        Ok(identity::ListAddressesResponse { addresses, ..Default::default() })
    });
    shop.identity.on("ListSessions", move |_: identity::ListSessionsRequest| {
        let sessions = vec![identity::Session::default(); size];
        Ok(identity::ListSessionsResponse { sessions, ..Default::default() })
    });
    shop.identity.on("ListWishlistItems", move |_: identity::ListWishlistItemsRequest| {
        let item = |number| identity::WishlistItem { product_id: uuid(number), ..Default::default() };
        let items = (0..size).map(item).collect();
        Ok(identity::ListWishlistItemsResponse { items, ..Default::default() })
    });
}

fn finding(shop: &Shop, size: usize) {
    let hit = |number| search::Hit { product_id: uuid(number), ..Default::default() };
    shop.search.on("SearchProducts", move |_: search::SearchProductsRequest| {
        Ok(search::SearchProductsResponse { hits: (0..size).map(hit).collect(), ..Default::default() })
    });
    shop.search.on("PredictSearch", move |_: search::PredictSearchRequest| {
        Ok(search::PredictSearchResponse { hits: (0..size).map(hit).collect(), ..Default::default() })
    });
    let recommended = |number| recommendations::Recommendation {
        product_id: uuid(number),
        explanation: Some(recommendations::Explanation {
            kind: recommendations::ExplanationKind::BoughtTogether.into(),
            with_product_id: uuid(150),
            ..Default::default()
        }),
        ..Default::default()
    };
    let list = move || (0..size).map(recommended).collect::<Vec<_>>();
    shop.recommendations.on("ListForAccount", move |_: recommendations::ListForAccountRequest| {
        Ok(recommendations::ListForAccountResponse { recommendations: list(), ..Default::default() })
    });
    shop.recommendations.on("ListBoughtTogether", move |_: recommendations::ListBoughtTogetherRequest| {
        Ok(recommendations::ListBoughtTogetherResponse { recommendations: list(), ..Default::default() })
    });
    shop.recommendations.on(
        "BatchListBoughtTogether",
        move |request: recommendations::BatchListBoughtTogetherRequest| {
            let together =
                |product_id| recommendations::ProductRecommendations { product_id, recommendations: list() };
            let products = request.product_ids.into_iter().map(together).collect();
            Ok(recommendations::BatchListBoughtTogetherResponse { products })
        },
    );
}

/// Changes of accounts, and of what they wrote.
fn changing(shop: &Shop) {
    let account = || Some(account(uuid(1)));
    let tokens = || Some(identity::Tokens::default());
    let address = || Some(identity::AccountAddress { id: uuid(2), ..Default::default() });
    let wished = |product_id| identity::WishlistItem { product_id, ..Default::default() };
    let people = &shop.identity;
    people.on("Register", |_: identity::RegisterRequest| Ok(identity::RegisterResponse {}));
    people.on("RequestEmailVerification", |_: identity::RequestEmailVerificationRequest| {
        Ok(identity::RequestEmailVerificationResponse {})
    });
    people.on("VerifyEmail", |_: identity::VerifyEmailRequest| Ok(identity::VerifyEmailResponse {}));
    people.on("LogIn", move |_: identity::LogInRequest| {
        Ok(identity::LogInResponse { tokens: tokens(), account: account() })
    });
    people.on("RefreshSession", move |_: identity::RefreshSessionRequest| {
        Ok(identity::RefreshSessionResponse { tokens: tokens(), account: account() })
    });
    people.on("LogOut", |_: identity::LogOutRequest| Ok(identity::LogOutResponse {}));
    people.on("RequestPasswordReset", |_: identity::RequestPasswordResetRequest| {
        Ok(identity::RequestPasswordResetResponse {})
    });
    people.on("ResetPassword", |_: identity::ResetPasswordRequest| Ok(identity::ResetPasswordResponse {}));
    people.on("UpdateAccount", move |_: identity::UpdateAccountRequest| {
        Ok(identity::UpdateAccountResponse { account: account() })
    });
    people.on("ChangePassword", |_: identity::ChangePasswordRequest| Ok(identity::ChangePasswordResponse {}));
    people.on("RevokeSession", |_: identity::RevokeSessionRequest| Ok(identity::RevokeSessionResponse {}));
    people.on("ExportAccount", |_: identity::ExportAccountRequest| {
        Ok(identity::ExportAccountResponse { document: b"{}".to_vec() })
    });
    people.on("EraseAccount", |_: identity::EraseAccountRequest| Ok(identity::EraseAccountResponse {}));
    people.on("CreateAddress", move |_: identity::CreateAddressRequest| {
        Ok(identity::CreateAddressResponse { address: address() })
    });
    people.on("UpdateAddress", move |_: identity::UpdateAddressRequest| {
        Ok(identity::UpdateAddressResponse { address: address() })
    });
    people.on("DeleteAddress", |_: identity::DeleteAddressRequest| Ok(identity::DeleteAddressResponse {}));
    people.on("AddWishlistItems", move |request: identity::AddWishlistItemsRequest| {
        let items = request.product_ids.into_iter().map(wished).collect();
        Ok(identity::AddWishlistItemsResponse { items })
    });
    people.on("RemoveWishlistItems", |_: identity::RemoveWishlistItemsRequest| {
        Ok(identity::RemoveWishlistItemsResponse {})
    });
    let review = || Some(review(0));
    shop.reviews.on("CreateReview", move |_: reviews::CreateReviewRequest| {
        Ok(reviews::CreateReviewResponse { review: review() })
    });
    shop.reviews.on("UpdateReview", move |_: reviews::UpdateReviewRequest| {
        Ok(reviews::UpdateReviewResponse { review: review() })
    });
    shop.reviews.on("DeleteReview", |_: reviews::DeleteReviewRequest| Ok(reviews::DeleteReviewResponse {}));
    shop.reviews.on("VoteReview", move |_: reviews::VoteReviewRequest| {
        Ok(reviews::VoteReviewResponse { review: review() })
    });
    shop.reviews.on("ReportReview", |_: reviews::ReportReviewRequest| Ok(reviews::ReportReviewResponse {}));
}

fn account(id: String) -> identity::Account {
    identity::Account { id, role: identity::Role::Customer.into(), ..Default::default() }
}

/// What has a name of its own, by its ids.
fn naming(shop: &Shop) {
    shop.catalogue.on("BatchGetCollections", |request: catalogue::BatchGetCollectionsRequest| {
        let product_ids = || (0..3).map(uuid).collect();
        let named = |id| catalogue::Collection { id, product_ids: product_ids(), ..Default::default() };
        let collections = request.collection_ids.into_iter().map(named).collect();
        Ok(catalogue::BatchGetCollectionsResponse { collections, ..Default::default() })
    });
    shop.orders.on("BatchGetOrders", |request: orders::BatchGetOrdersRequest| {
        let named = |id| orders::Order { id, ..order(700) };
        let orders = request.order_ids.into_iter().map(named).collect();
        Ok(orders::BatchGetOrdersResponse { orders, ..Default::default() })
    });
    shop.reviews.on("BatchGetReviews", |request: reviews::BatchGetReviewsRequest| {
        let named = |id| reviews::Review { id, ..review(0) };
        let reviews = request.review_ids.into_iter().map(named).collect();
        Ok(reviews::BatchGetReviewsResponse { reviews, ..Default::default() })
    });
    shop.identity.on("BatchGetAccounts", |request: identity::BatchGetAccountsRequest| {
        let accounts = request.account_ids.into_iter().map(account).collect();
        Ok(identity::BatchGetAccountsResponse { accounts, ..Default::default() })
    });
    shop.pricing.on("BatchGetDiscounts", |request: pricing::BatchGetDiscountsRequest| {
        let named = |id| pricing::Discount { id, code: "TEN".to_owned(), ..Default::default() };
        let discounts = request.discount_ids.into_iter().map(named).collect();
        Ok(pricing::BatchGetDiscountsResponse { discounts, ..Default::default() })
    });
    shop.payments.on("BatchGetPayments", |request: payments::BatchGetPaymentsRequest| {
        let state = payments::PaymentState::Captured.into();
        let named = |id| payments::Payment { id, state, amount: money(7_996), ..Default::default() };
        let payments = request.payment_ids.into_iter().map(named).collect();
        Ok(payments::BatchGetPaymentsResponse { payments, ..Default::default() })
    });
}
