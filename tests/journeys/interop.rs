//! A client of another language, made by others, talks to the shop.

use std::process::Command;

use crate::harness::Shop;

/// The interpreter with grpcio; `cargo xtask test` makes one and names it here.
const INTERPRETER: &str = "SHOP_TEST_PYTHON";

#[tokio::test]
async fn a_python_client_lists_gets_and_understands_errors() {
    let Some(interpreter) = std::env::var_os(INTERPRETER) else {
        println!("not run: {INTERPRETER} names no interpreter with grpcio");
        return;
    };
    let shop = Shop::shared();

    let output = Command::new(interpreter)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop.py"))
        .arg(shop.grpc.trim_start_matches("http://"))
        .output()
        .unwrap();

    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let done: Vec<&str> = said.lines().collect();
    assert_eq!(done, ["reflection", "health", "list", "get", "error details", "deadline", "policy"]);
}
