//! The first admin of a shop, made at a terminal.

use std::process::Output;

use serde_json::json;

use crate::harness::{PASSWORD, Shop, command};

const EMAIL: &str = "owner@example.com";

#[tokio::test]
async fn the_first_admin_is_made_before_the_shop_is_started_and_may_do_what_staff_may() {
    let folder = tempfile::tempdir().unwrap();
    let create = |password: &str| {
        let mut command = command();
        command.args(["admin", "create", "--email", EMAIL, "--data"]).arg(folder.path());
        command.env("SHOP_ADMIN_PASSWORD", password).output().unwrap()
    };

    let weak = create("short");
    assert!(!weak.status.success() && said(&weak).contains("password"), "{}", said(&weak));
    let made = create(PASSWORD);
    assert!(made.status.success(), "{}", said(&made));
    let twice = create(PASSWORD);
    assert!(!twice.status.success(), "{}", said(&twice));
    let shop = Shop::start_on(folder.path());
    let running = create(PASSWORD);
    assert!(!running.status.success() && said(&running).contains("in use"), "{}", said(&running));

    let admin = shop.signed_in(EMAIL, PASSWORD).await;
    let me = admin.look("{ answer: customer { email } }", json!({})).await;
    assert_eq!(me["email"], EMAIL);
    for of_staff in ["orders", "stockMovements", "payments"] {
        let document = format!("{{ answer: {of_staff}(first: 1) {{ nodes {{ id }} }} }}");
        admin.look(&document, json!({})).await;
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
