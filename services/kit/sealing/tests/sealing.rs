//! Sealed boxes: who can open them, and what happens to those that were damaged.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use proto::common as pb;
use sealing::{Opener, SealError, Sealer};

fn address() -> pb::Address {
    pb::Address { given_name: "Ada".to_owned(), city: "London".to_owned(), ..Default::default() }
}

#[test]
fn only_the_holder_of_the_key_reads_what_was_sealed() {
    let opener = Opener::generate();
    let sealer = Sealer::from_text(&opener.public_key()).unwrap();

    let sealed = sealer.seal(&address()).unwrap();

    assert_eq!(opener.open::<pb::Address>(&sealed).unwrap(), address());
    assert!(matches!(Opener::generate().open::<pb::Address>(&sealed), Err(SealError::OtherKey)));
    let under_another_name = pb::Sealed { key_id: "another".to_owned(), ..sealed.clone() };
    assert!(matches!(opener.open::<pb::Address>(&under_another_name), Err(SealError::OtherKey)));
    assert!(!sealed.ciphertext.windows(3).any(|bytes| bytes == b"Ada"));
}

#[test]
fn another_key_under_the_same_name_opens_nothing() {
    let (opener, stranger) = (Opener::generate(), Opener::generate());
    let sealed = stranger.sealer().seal(&address()).unwrap();
    let name = opener.sealer().seal(&address()).unwrap().key_id;
    let sealed = pb::Sealed { key_id: name, ..sealed };

    assert!(matches!(opener.open::<pb::Address>(&sealed), Err(SealError::Damaged)));
}

#[test]
fn the_same_message_is_sealed_differently_each_time() {
    let sealer = Opener::generate().sealer();

    assert_ne!(sealer.seal(&address()).unwrap().ciphertext, sealer.seal(&address()).unwrap().ciphertext);
}

#[test]
fn a_box_with_any_changed_byte_is_refused() {
    let opener = Opener::generate();
    let sealed = opener.sealer().seal(&address()).unwrap();

    for position in 0..sealed.ciphertext.len() {
        let mut damaged = sealed.clone();
        damaged.ciphertext[position] ^= 1;
        assert!(matches!(opener.open::<pb::Address>(&damaged), Err(SealError::Damaged)), "{position}");
    }
    for length in 0..sealed.ciphertext.len() {
        let mut cut = sealed.clone();
        cut.ciphertext.truncate(length);
        assert!(matches!(opener.open::<pb::Address>(&cut), Err(SealError::Damaged)), "{length}");
    }
}

#[test]
fn a_key_file_is_made_once_private_and_read_again() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.key");

    let first = Opener::from_file(&path).unwrap();
    let second = Opener::from_file(&path).unwrap();

    let sealed = first.sealer().seal(&address()).unwrap();
    assert_eq!(second.open::<pb::Address>(&sealed).unwrap(), address());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_is_no_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.key");
    for text in ["", "nonsense", "AAAA"] {
        std::fs::write(&path, text).unwrap();
        assert!(matches!(Opener::from_file(&path), Err(SealError::Key)), "{text}");
    }
    assert!(matches!(Opener::from_file(folder.path()), Err(SealError::File(_))));
    assert!(matches!(Sealer::from_text("AQID"), Err(SealError::Key)));
}
