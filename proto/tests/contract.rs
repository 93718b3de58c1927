//! What the build refuses, with file and line, and what the table of the real contract holds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "../build/method.rs"]
mod method;
#[path = "../build/rules.rs"]
mod rules;

use std::time::Duration;

use method::{Access, Idempotency, Method};
use prost_reflect::DescriptorPool;
use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

/// Where the method under test stands in every contract of these tests.
const HERE: &str = "proto/shop/orders/v1/orders.proto:7";

#[test]
fn a_method_that_states_everything_becomes_a_row_of_the_table() {
    let contract = Contract::of("CancelOrder")
        .callers(r#""gateway", "reviews""#)
        .access(r#""customer", "staff(orders.write)""#)
        .timeout("800ms")
        .effect();

    let methods = contract.read().expect("the contract is sound");

    let expected = Method {
        path: "/shop.orders.v1.OrdersService/CancelOrder".to_owned(),
        service: "orders".to_owned(),
        name: "CancelOrder".to_owned(),
        callers: vec!["gateway".to_owned(), "reviews".to_owned()],
        access: vec![Access::Customer, Access::Staff("orders.write".to_owned())],
        timeout: Some(Duration::from_millis(800)),
        idempotency: Idempotency::Idempotent,
        client_streaming: false,
        server_streaming: false,
    };
    assert_eq!(methods, [expected]);
}

#[test]
fn a_method_without_a_rule_is_refused() {
    let contract = Contract {
        options: Some("option idempotency_level = NO_SIDE_EFFECTS;".to_owned()),
        ..Contract::of("GetOrder")
    };

    contract.is_refused_by("OrdersService.GetOrder has no rule: ");
}

#[test]
fn callers_must_be_known_others_named_once() {
    for (callers, sentence) in [
        ("", "names no callers"),
        (r#""warehouse""#, "names the unknown caller `warehouse`"),
        (r#""Gateway""#, "names the unknown caller `Gateway`"),
        (r#""orders""#, "names its own service `orders` as a caller"),
        (r#""all", "gateway""#, "names others beside `all`"),
        (r#""gateway", "gateway""#, "names the caller `gateway` twice"),
        (r#""partner:""#, "names the partner ``"),
        (r#""partner:Acme""#, "names the partner `Acme`"),
        (r#""partner:-acme""#, "names the partner `-acme`"),
        (r#""partner:acme/shop""#, "names the partner `acme/shop`"),
        (r#""partner:acme", "partner:acme""#, "names the caller `partner:acme` twice"),
    ] {
        Contract::of("GetOrder")
            .callers(callers)
            .is_refused_by(&format!("OrdersService.GetOrder {sentence}"));
    }
}

#[test]
fn a_caller_may_be_a_service_account_outside_this_repository() {
    let methods = Contract::of("GetOrder").callers(r#""gateway", "partner:acme-2""#).read().expect("it may");

    assert_eq!(methods[0].callers, ["gateway", "partner:acme-2"]);
}

#[test]
fn access_must_be_well_formed() {
    for (access, sentence) in [
        ("", "states no access"),
        (r#""everybody""#, "has the malformed access `everybody`"),
        (r#""staff""#, "has the malformed access `staff`"),
        (r#""staff(orders.write""#, "has the malformed access `staff(orders.write`"),
        (r#""Public""#, "has the malformed access `Public`"),
        (r#""public", "public""#, "states the access `public` twice"),
    ] {
        Contract::of("GetOrder").access(access).is_refused_by(&format!("OrdersService.GetOrder {sentence}"));
    }
}

#[test]
fn a_permission_that_identity_does_not_know_is_refused() {
    for permission in ["orders.burn", "ORDERS.WRITE", "unspecified", ""] {
        Contract::of("GetOrder").access(&format!(r#""staff({permission})""#)).is_refused_by(&format!(
            "OrdersService.GetOrder asks for the permission `{permission}`, which is not in"
        ));
    }
}

#[test]
fn a_malformed_timeout_is_refused() {
    for timeout in [
        "",
        "5",
        "5m",
        "0s",
        "05s",
        "-5s",
        "+5s",
        "5 s",
        "1.5s",
        "s",
        "ms",
        "3601s",
        "99999999999999999999s",
        "18446744073709551615s",
    ] {
        Contract::of("GetOrder")
            .timeout(timeout)
            .is_refused_by(&format!("OrdersService.GetOrder has the malformed timeout `{timeout}`"));
    }
}

#[test]
fn only_a_stream_may_last_without_an_end() {
    Contract::of("GetOrder").timeout("none").is_refused_by("OrdersService.GetOrder has the timeout `none`");

    let watch = Contract { output: "stream Output", ..Contract::of("WatchOrder").timeout("none") };
    let methods = watch.read().expect("a stream may");
    assert_eq!(methods[0].timeout, None);
    assert!(methods[0].server_streaming && !methods[0].client_streaming);
}

#[test]
fn a_method_must_say_whether_it_may_be_repeated() {
    Contract::of("GetOrder").idempotency("").is_refused_by("OrdersService.GetOrder has no idempotency_level");
    Contract::of("PlaceOrder")
        .idempotency("option idempotency_level = IDEMPOTENCY_UNKNOWN;")
        .is_refused_by("OrdersService.PlaceOrder is IDEMPOTENCY_UNKNOWN, which only LogIn");
}

#[test]
fn only_logging_in_and_refreshing_have_an_effect_without_a_key() {
    let log_in = |fields: &str| {
        let text = Contract::of("LogIn")
            .idempotency("option idempotency_level = IDEMPOTENCY_UNKNOWN;")
            .fields(fields)
            .text()
            .replace("shop.orders.v1", "shop.identity.v1")
            .replace("OrdersService", "IdentityService");
        compile(&[("shop/identity/v1/log_in.proto", text)])
    };

    let methods = rules::read(&log_in("")).expect("it may");
    assert_eq!(methods[0].idempotency, Idempotency::Unknown);

    let refusals = rules::read(&log_in("string request_id = 1;")).unwrap_err();
    assert_eq!(
        refusals[0].to_string(),
        "proto/shop/identity/v1/log_in.proto:7: \
         IdentityService.LogIn is IDEMPOTENCY_UNKNOWN and yet has a request_id."
    );
}

#[test]
fn an_effect_carries_a_key_and_a_read_does_not() {
    let effect = "option idempotency_level = IDEMPOTENT;";
    let without = "OrdersService.CancelOrder is an effect whose request has no `string request_id`";
    for fields in [
        "",
        "bytes request_id = 1;",
        "repeated string request_id = 1;",
        "string key = 1;",
        // Only a stream may keep the key in a part of the message.
        "Part opening = 1;",
    ] {
        Contract::of("CancelOrder").idempotency(effect).fields(fields).is_refused_by(without);
    }
    Contract::of("GetOrder")
        .fields("string request_id = 1;")
        .is_refused_by("OrdersService.GetOrder is a read whose request has a request_id");
}

#[test]
fn a_stream_carries_its_key_in_any_part_of_the_message() {
    let import = |fields: &str| Contract {
        input: "stream Input",
        ..Contract::of("ImportOrders").idempotency("option idempotency_level = IDEMPOTENT;").fields(fields)
    };

    let methods = import("oneof part { Part opening = 1; bytes chunk = 2; }")
        .read()
        .expect("the opening part holds the key");
    assert!(methods[0].client_streaming);
    import("bytes chunk = 2;").is_refused_by("OrdersService.ImportOrders is an effect whose request has no");
}

#[test]
fn a_list_is_paged() {
    let request = "OrdersService.ListOrders is a list whose request lacks";
    for fields in
        ["", "int32 page_size = 1;", "string page_token = 2;", "string page_size = 1; string page_token = 2;"]
    {
        Contract::of("ListOrders").fields(fields).is_refused_by(request);
    }
    let paged = || Contract::of("ListOrders").fields("int32 page_size = 1; string page_token = 2;");
    Contract { answer: "", ..paged() }
        .is_refused_by("OrdersService.ListOrders is a list whose response lacks");

    paged().read().expect("a paged list is sound");
    Contract::of("ListenToOrders").read().expect("a word that begins with the same letters is no list");
}

#[test]
fn a_cycle_of_callers_is_refused_and_all_is_exempt() {
    let three = |first: &str| {
        let file = |service: &str, caller: &str| {
            let text = Contract::of("Get")
                .callers(&format!("\"{caller}\""))
                .text()
                .replace("shop.orders.v1", &format!("shop.{service}.v1"));
            (format!("shop/{service}/v1/{service}.proto"), text)
        };
        let files = [file("cart", first), file("pricing", "cart"), file("orders", "pricing")];
        rules::read(&compile(&files))
    };

    let refusals = three("orders").unwrap_err();

    assert_eq!(refusals.len(), 1);
    assert_eq!(
        refusals[0].to_string(),
        "proto/shop/cart/v1/cart.proto:7: OrdersService.Get closes a cycle of callers: \
         cart → pricing → orders → cart."
    );
    assert!(three("gateway").is_ok());
    assert!(three("all").is_ok());
}

#[test]
fn a_package_outside_the_known_services_is_refused() {
    for package in ["shop.warehouse.v1", "shop.orders", "shop.gateway.v1", "orders.v1", "shop.orders.beta"] {
        let text = Contract::of("GetOrder").text().replace("shop.orders.v1", package);

        let refusals = rules::read(&compile(&[("other.proto", text)])).unwrap_err();

        let refusal = refusals[0].to_string();
        assert!(refusal.starts_with("proto/other.proto:6: OrdersService stands in no package"), "{refusal}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let refusals = Contract::of("ListOrders").callers(r#""warehouse""#).timeout("soon").read().unwrap_err();

    assert_eq!(refusals.len(), 3, "{refusals:?}");
    assert!(refusals.iter().all(|refusal| refusal.starts_with(HERE)));
}

#[test]
fn the_table_is_sorted_and_every_path_is_found_in_it() {
    let paths: Vec<&str> = proto::rules::METHODS.iter().map(|method| method.path).collect();

    assert!(paths.is_sorted() && !paths.is_empty());
    for method in proto::rules::METHODS {
        assert_eq!(proto::rules::find(method.path), Some(method));
    }
    assert_eq!(proto::rules::find(""), None);
    assert_eq!(proto::rules::find("/shop.orders.v1.OrdersService"), None);
}

#[test]
fn the_descriptors_that_reflection_serves_keep_the_rules() {
    let pool = DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).expect("it decodes");

    let methods = rules::read(&pool).expect("the contract is sound");

    assert_eq!(methods.len(), proto::rules::METHODS.len());
    for (read, built) in methods.iter().zip(proto::rules::METHODS) {
        assert_eq!(read.path, built.path);
        assert_eq!(read.callers, built.callers);
        assert_eq!(read.timeout, built.timeout);
    }
}

#[test]
fn a_named_caller_is_allowed_and_all_means_everybody() {
    let of = |callers| proto::rules::Method { callers, ..proto::rules::METHODS[0] };

    assert!(of(&["gateway", "orders"]).allows("orders"));
    assert!(!of(&["gateway", "orders"]).allows("cart"));
    assert!(!of(&["gateway"]).allows(""));
    assert!(of(&["all"]).allows("cart"));
}

/// A contract of one method, sound unless a test spoils it.
struct Contract {
    name: &'static str,
    input: &'static str,
    output: &'static str,
    /// Fields of the request.
    fields: String,
    /// Fields of the response.
    answer: &'static str,
    idempotency: String,
    callers: String,
    access: String,
    timeout: String,
    /// In place of all options.
    options: Option<String>,
}

impl Contract {
    fn of(name: &'static str) -> Contract {
        Contract {
            name,
            input: "Input",
            output: "Output",
            fields: String::new(),
            answer: "string next_page_token = 1;",
            idempotency: "option idempotency_level = NO_SIDE_EFFECTS;".to_owned(),
            callers: r#""gateway""#.to_owned(),
            access: r#""public""#.to_owned(),
            timeout: "2s".to_owned(),
            options: None,
        }
    }

    fn callers(mut self, callers: &str) -> Contract {
        self.callers = callers.to_owned();
        self
    }

    fn access(mut self, access: &str) -> Contract {
        self.access = access.to_owned();
        self
    }

    fn timeout(mut self, timeout: &str) -> Contract {
        self.timeout = timeout.to_owned();
        self
    }

    fn idempotency(mut self, option: &str) -> Contract {
        self.idempotency = option.to_owned();
        self
    }

    fn fields(mut self, fields: &str) -> Contract {
        self.fields = fields.to_owned();
        self
    }

    fn effect(self) -> Contract {
        self.idempotency("option idempotency_level = IDEMPOTENT;").fields("string request_id = 1;")
    }

    fn text(&self) -> String {
        let rule = format!(
            "{} option (shop.mesh.v1.rule) = {{ callers: [{}] access: [{}] timeout: \"{}\" }};",
            self.idempotency, self.callers, self.access, self.timeout
        );
        format!(
            "syntax = \"proto3\";\n\npackage shop.orders.v1;\nimport \"shop/mesh/v1/rule.proto\";\n\n\
             service OrdersService {{\n  rpc {}({}) returns ({}) {{\n    {}\n  }}\n}}\n\n\
             message Input {{ {} }}\nmessage Output {{ {} }}\nmessage Part {{ string request_id = 1; }}\n",
            self.name,
            self.input,
            self.output,
            self.options.as_ref().unwrap_or(&rule),
            self.fields,
            self.answer,
        )
    }

    fn read(&self) -> Result<Vec<Method>, Vec<String>> {
        let pool = compile(&[("shop/orders/v1/orders.proto", self.text())]);
        rules::read(&pool).map_err(|refusals| refusals.iter().map(std::string::ToString::to_string).collect())
    }

    /// Exactly one refusal, at the line of the method, that begins so.
    fn is_refused_by(&self, sentence: &str) {
        let refusals = self.read().expect_err(sentence);
        assert_eq!(refusals.len(), 1, "{refusals:?}");
        let expected = format!("{HERE}: {sentence}");
        assert!(refusals[0].starts_with(&expected), "expected {expected}\n  but got {}", refusals[0]);
    }
}

/// Files that exist in a test only, with what identity knows and the real options beside them.
struct Inline(Vec<(String, String)>);

impl FileResolver for Inline {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.iter().find(|(known, _)| known == name) {
            Some((name, source)) => File::from_source(name, source),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

fn compile<S: Into<String> + Clone>(files: &[(S, String)]) -> DescriptorPool {
    let permissions = "syntax = \"proto3\";\npackage shop.identity.v1;\n\
                       enum Permission { PERMISSION_UNSPECIFIED = 0; PERMISSION_ORDERS_WRITE = 1; }\n";
    let rule = include_str!("../shop/mesh/v1/rule.proto");
    let mut sources: Vec<(String, String)> =
        files.iter().map(|(name, text)| (name.clone().into(), text.clone())).collect();
    sources.push(("permissions.proto".to_owned(), permissions.to_owned()));
    sources.push(("shop/mesh/v1/rule.proto".to_owned(), rule.to_owned()));
    let names: Vec<String> = sources.iter().map(|(name, _)| name.clone()).collect();

    let mut resolver = ChainFileResolver::new();
    resolver.add(Inline(sources));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(names).expect("the contract parses");
    compiler.descriptor_pool()
}
