//! Who may call what.

use mesh::context::{self, Context};
use mesh::testing::{customer, staff};
use mesh::{Role, User};
use proto::inventory as pb;
use tonic::Code;

use crate::support::{Shop, reason, reservation, signed_in, skus};

#[tokio::test]
async fn a_method_sees_who_called_and_on_whose_behalf() {
    let shop = Shop::start();
    let user = customer();

    shop.client("gateway", Some(user.clone())).batch_get_stock(skus("a")).await.unwrap();

    let caller = shop.state.last().caller;
    assert_eq!(caller.workload, "gateway");
    assert_eq!(caller.user, Some(user.clone()));
    assert_eq!(caller.principal(), format!("account:{}", user.account));
    assert_eq!(caller.customer().unwrap(), user.account);
}

#[tokio::test]
async fn a_visitor_is_nobody() {
    let shop = Shop::start();

    shop.client("gateway", None).batch_get_stock(skus("a")).await.unwrap();

    let caller = shop.state.last().caller;
    assert_eq!(caller.user, None);
    assert_eq!(caller.principal(), "service:gateway");
    assert_eq!(reason(&caller.customer().unwrap_err()), "SIGN_IN_REQUIRED");
}

#[tokio::test]
async fn a_service_that_the_contract_does_not_name_is_refused_on_both_sides() {
    let shop = Shop::start();
    let wire = shop.wire("reviews").await;

    let by_client = shop.client("reviews", None).batch_get_stock(skus("a")).await.unwrap_err();
    // The client claims to be the gateway, but the listener knows better.
    let by_server = wire.client("gateway").batch_get_stock(skus("a")).await.unwrap_err();

    for refusal in [by_client, by_server] {
        assert_eq!(refusal.code(), Code::PermissionDenied);
        assert_eq!(reason(&refusal), "CALLER_NOT_ALLOWED");
    }
    assert_eq!(shop.state.began(), 0);
}

#[tokio::test]
async fn every_alternative_of_access_is_enforced_by_the_server_alone_too() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;
    let cases = [
        (None, Some((Code::Unauthenticated, "SIGN_IN_REQUIRED"))),
        (Some(customer()), Some((Code::PermissionDenied, "PERMISSION_MISSING"))),
        (Some(staff(&["orders.read"])), Some((Code::PermissionDenied, "PERMISSION_MISSING"))),
        (Some(staff(&["stock.read"])), None),
        (Some(User { role: Role::Admin, ..customer() }), None),
    ];

    for (user, expected) in cases {
        // The client stack knows the token only, not what it says, so it lets the call through.
        let context = user.as_ref().map(signed_in).unwrap_or_default();
        let before = shop.state.began();
        let mut client = wire.client("gateway");
        let answer = context::scope(context, client.list_stock(pb::ListStockRequest::default())).await;

        match expected {
            None => assert!(answer.is_ok(), "{user:?}"),
            Some((code, name)) => {
                let refusal = answer.unwrap_err();
                assert_eq!((refusal.code(), reason(&refusal).as_str()), (code, name), "{user:?}");
                assert_eq!(shop.state.began(), before);
            }
        }
    }
}

#[tokio::test]
async fn the_client_stack_refuses_before_it_sends() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;
    let user = customer();
    let context = Context { user: Some(user.clone().into()), ..signed_in(&user) };
    wire.stop.send(()).unwrap();
    wire.serving.await.unwrap().unwrap();

    // Nobody listens any more, so an answer other than UNAVAILABLE was given on this side.
    let channel = mesh::Upstream::remote("inventory", wire.uri, 1, None).channel("gateway");
    let mut client = crate::support::Client::new(channel);
    let refusal =
        context::scope(context, client.list_stock(pb::ListStockRequest::default())).await.unwrap_err();

    assert_eq!(reason(&refusal), "PERMISSION_MISSING");
}

#[tokio::test]
async fn a_service_method_gets_no_token_and_needs_none() {
    let shop = Shop::start();

    shop.client("orders", Some(customer())).reserve_stock(reservation("r")).await.unwrap();

    let seen = shop.state.last();
    assert_eq!(seen.caller.user, None);
    assert_eq!(seen.context.token, None);
    assert_eq!(seen.caller.principal(), "service:orders");
}

#[tokio::test]
async fn a_token_is_handed_on_to_the_calls_that_a_method_makes() {
    let shop = Shop::start();
    let user = customer();
    let wire = shop.wire("gateway").await;
    let context = signed_in(&user);
    let token = context.token.clone();

    context::scope(context, wire.client("gateway").batch_get_stock(skus("a"))).await.unwrap();

    let inherited = shop.state.last().context;
    assert_eq!(inherited.token, token);
    assert_eq!(inherited.user.unwrap().account, user.account);
    assert!(inherited.record.is_none());
}

#[tokio::test]
async fn a_bad_token_is_refused_even_where_none_is_needed() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;
    let expired = Context { token: Some("not.a.token".into()), ..Context::default() };

    let refusal =
        context::scope(expired, wire.client("gateway").batch_get_stock(skus("a"))).await.unwrap_err();

    assert_eq!(refusal.code(), Code::Unauthenticated);
    assert_eq!(reason(&refusal), "TOKEN_INVALID");
    assert_eq!(shop.state.began(), 0);
}

#[tokio::test]
async fn identity_is_never_read_from_a_header() {
    let shop = Shop::start();
    let wire = shop.wire("reviews").await;
    let mut request = tonic::Request::new(skus("a"));
    for name in ["l5d-client-id", "x-shop-caller", "x-user-id", "workload"] {
        request.metadata_mut().insert(name, "gateway".parse().unwrap());
    }

    let refusal = wire.client("gateway").batch_get_stock(request).await.unwrap_err();

    assert_eq!(reason(&refusal), "CALLER_NOT_ALLOWED");
}

#[tokio::test]
async fn a_token_that_fits_into_no_header_is_refused_as_a_token() {
    let shop = Shop::start();

    for token in
        ["a\nb".to_owned(), "\u{7f}".to_owned(), "ключ".to_owned(), "x".repeat(100_000), String::new()]
    {
        let context = Context { token: Some(token.as_str().into()), ..Context::default() };
        let mut client = crate::support::Client::new(shop.server.upstream().channel("gateway"));
        let refusal = context::scope(context, client.batch_get_stock(skus("a"))).await.unwrap_err();

        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::Unauthenticated, "TOKEN_INVALID"));
    }
    assert_eq!(shop.state.began(), 0);
}
