//! How the whole shop starts, and what keeps it from starting.

use std::process::Command;

use crate::harness::command;
use crate::serve::refusal;

/// `shop up` on free ports, with nothing kept.
fn up(arguments: &[&str]) -> Command {
    let mut command = command();
    command.args(["up", "--ephemeral"]).args(arguments);
    command
}

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let documents = folder.path().join("documents");
    std::fs::write(&documents, format!("{} the first page\n\n12ab\n", "0f".repeat(32))).unwrap();

    for (mut command, sentence) in [
        (up(&["--documents", "/nowhere"]), "it cannot be read"),
        (
            up(&["--documents", documents.to_str().unwrap()]),
            "line 3: '12ab' is not a SHA-256 of 64 hexadecimal digits",
        ),
        (up(&["--origins", "shop.example"]), "'shop.example' is not an origin like https://shop.example"),
        (up(&["--origins", "https://Shop.example"]), "is not an origin"),
        (up(&["--origins", "https://a.example,https://shop.example/"]), "'https://shop.example/' is not an"),
    ] {
        let said = refusal(&mut command);
        assert!(said.contains(sentence), "{said}");
    }
}
