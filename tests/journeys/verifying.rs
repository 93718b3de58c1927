//! Whoever runs a shop can see whether it kept its promises.

use std::path::Path;
use std::process::Output;

use kit::Database;

use crate::acts::{self, goods};
use crate::harness::{Shop, command};

const INVARIANTS: [&str; 8] = ["INV-1", "INV-2", "INV-3", "INV-4", "INV-5", "INV-7", "INV-8", "INV-9"];

fn verify(folder: &Path) -> (Output, String) {
    let output = command().arg("verify").arg("--data").arg(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, said)
}

#[tokio::test]
async fn a_shop_that_kept_its_promises_says_so_and_one_that_did_not_names_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::start_on(folder.path());
    let goods = goods(&shop.staff().await, "10.00", 5).await;
    let guest = shop.guest();
    let order = acts::bought(&guest, &goods, 2).await;
    acts::paid(&guest, &order).await;
    // It is not stopped before all that it began has ended.
    drop(shop);
    let (whole, said) = verify(folder.path());
    assert!(whole.status.success() && !said.contains("BROKEN"), "{said}");
    for invariant in INVARIANTS {
        assert!(said.contains(&format!("kept    {invariant} ")), "{invariant} is not in {said}");
    }

    let provider = format!("sqlite:{}", folder.path().join("provider.db").display());
    let tx = Database::open(&provider).await.unwrap().begin().await.unwrap();
    kit::execute(&tx, "UPDATE simulated_payments SET status = 'voided', captured = 0", []).await.unwrap();
    tx.commit().await.unwrap();

    let (broken, said) = verify(folder.path());
    assert_eq!(broken.status.code(), Some(1));
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("BROKEN")).collect();
    // The order is not paid any more, and payments says something else than the provider.
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].contains("INV-3") && lines[1].contains("INV-5"), "{said}");
    assert_eq!(lines[0].rsplit(": ").next(), lines[1].rsplit(": ").next(), "the id of the order");

    let (nowhere, _) = verify(Path::new("no-such-folder"));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("--data"));
}
