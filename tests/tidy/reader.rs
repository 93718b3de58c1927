//! The rules are only as good as the eyes they see with, so these are tested as well.

use crate::source::{Function, bare, code_lines, functions, paths, without_tests};
use crate::tree::dependencies;

fn named(source: &str) -> Vec<String> {
    paths(&bare(source)).iter().map(|path| path.segments.join("::")).collect()
}

#[test]
fn comments_and_quotes_are_not_code() {
    let source = r##"let a = "fn x() { // no"; // fn y() {}
/* fn z() /* nested */ {} */ let b = r#"fn "w"() {"#; let c = '"'; let d = '\''; let e: &'static str = b"\"fn";
let r#fn = br"fn"; fn real() {}"##;

    let bare = bare(source);

    assert_eq!(bare.lines().count(), source.lines().count());
    assert!(
        !bare.contains("fn x") && !bare.contains("fn y") && !bare.contains("fn z") && !bare.contains("\"w\"")
    );
    assert!(bare.contains("let e: &'static str"));
    let found: Vec<String> = functions(&bare).into_iter().map(|function| function.name).collect();
    assert_eq!(found, ["real"]);
}

#[test]
fn a_function_is_measured_from_its_name_to_its_last_brace() {
    let source = "fn one() {}\n\npub async fn two<T>(\n    f: fn(u8) -> u8,\n) -> [u8; 2]\nwhere\n    T: Into<u8>,\n{\n    if true {\n    }\n}\ntrait T {\n    fn three(&self);\n}\n";

    let function = |name: &str, line, lines| Function { name: name.to_owned(), line, lines };
    assert_eq!(
        functions(&bare(source)),
        [function("one", 1, 1), function("two", 3, 9), function("three", 13, 1)]
    );
}

#[test]
fn imports_are_spelt_out() {
    assert_eq!(
        named("use kit::{Id, money::{Money as M, *}, time};\nuse proto::orders as pb;"),
        ["kit::Id", "kit::money::Money", "kit::money::*", "kit::time", "proto::orders"]
    );
    assert_eq!(
        named("let a: ::tonic::Status = kit::Money::zero(x); b.c::<d::E>();"),
        ["tonic::Status", "kit::Money::zero", "d::E"]
    );
    assert_eq!(named("pub(crate) use super::store::Store;"), ["super::store::Store"]);
    let imports = paths(&bare("use kit::{Id, money::Money as M}; Id::new()"));
    let names: Vec<Option<&str>> = imports.iter().map(|path| path.import.as_deref()).collect();
    assert_eq!(names, [Some("Id"), Some("M"), None]);
}

#[test]
fn modules_of_tests_are_left_out() {
    let source = "//! Why.\n\nuse a::b;\n\n#[cfg(test)]\nmod tests {\n    use c::d;\n}\n\n#[cfg(test)]\nmod more;\nfn e() { f::g() }\n";

    let kept = without_tests(&bare(source));

    assert_eq!(kept.lines().count(), source.lines().count());
    assert_eq!(named(&kept), ["a::b", "f::g"]);
    assert_eq!(code_lines(source), 2);
}

#[test]
fn a_manifest_is_read_in_all_its_forms() {
    let manifest = "[package]\nname = \"x\"\n\n[dependencies]\nproto.workspace = true\n# kit = 1\nkit = { path = \"../kit\" }\n\n\
                    [dev-dependencies.mesh]\nworkspace = true\n\n[target.'cfg(unix)'.dependencies]\nlibc = \"1\"\n\n[lints]\nworkspace = true\n";

    assert_eq!(dependencies(manifest), ["proto", "kit", "mesh", "libc"]);
}
