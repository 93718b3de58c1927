//! What is written comes back as it went, whatever it is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use kit::Currency;
use proptest::prelude::*;

use super::*;
use crate::domain::tests::content;
use crate::domain::{Content, Product};

fn pounds() -> Currency {
    "GBP".parse().unwrap()
}

fn written(product: &Product, generation: Generation) -> Vec<u8> {
    let mut writer = Writer::new(generation, pounds()).unwrap();
    writer.product(product, &[]).unwrap();
    writer.take()
}

fn read(file: &[u8], piece: usize) -> ProductSheet {
    let mut tokenizer = Tokenizer::new();
    let mut assembler = Assembler::new(pounds());
    let mut items = Vec::new();
    for piece in file.chunks(piece) {
        for row in tokenizer.push(piece).unwrap() {
            items.extend(assembler.push(row).unwrap());
        }
    }
    for row in tokenizer.finish().unwrap() {
        items.extend(assembler.push(row).unwrap());
    }
    items.extend(assembler.finish().unwrap());
    match items.pop() {
        Some(Item::Product(sheet)) if items.is_empty() => *sheet,
        other => panic!("{other:?} after {items:?}"),
    }
}

fn product(content: Content) -> Product {
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    Product::create(content, now).unwrap().product
}

proptest! {
    #[test]
    fn a_product_comes_back_as_it_went(content in content(), piece in 1_usize..200) {
        let product = product(content);

        for generation in [Generation::Old, Generation::New] {
            let sheet = read(&written(&product, generation), piece);
            prop_assert!(sheet.warnings.is_empty(), "{:?}", sheet.warnings);
            let back = sheet.onto(Some(&product.content), None).unwrap();
            prop_assert_eq!(back.differences(&product.content), Vec::<&str>::new());
            prop_assert!(product.update(back, product.created).unwrap().is_none());
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut file = b"Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src,Tags\n".to_vec();
        file.extend(bytes);
        let mut tokenizer = Tokenizer::new();
        let mut assembler = Assembler::new(pounds());

        let Ok(mut rows) = tokenizer.push(&file) else { return Ok(()) };
        let Ok(last) = tokenizer.finish() else { return Ok(()) };
        rows.extend(last);
        for row in rows {
            for item in assembler.push(row).unwrap() {
                if let Item::Product(sheet) = item {
                    let _ = sheet.onto(None, None).map(|content| content.flaws());
                }
            }
        }
    }
}
