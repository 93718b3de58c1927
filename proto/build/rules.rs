//! Reads the rule of every method from the descriptors and refuses a contract that breaks a rule of the house.
//! The build script and the tests of these refusals share this file.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::prost_types::method_options::IdempotencyLevel;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use prost_reflect::{MethodDescriptor, ServiceDescriptor, Value};

use super::method::{Access, Idempotency, Method, Refusal, parse_timeout};

/// The programs that may call. A new service adds its name here.
pub(crate) const WORKLOADS: [&str; 13] = [
    "gateway",
    "identity",
    "catalogue",
    "inventory",
    "pricing",
    "payments",
    "search",
    "cart",
    "orders",
    "reviews",
    "analytics",
    "notifications",
    "recommendations",
];

/// Everybody may call: keys that each service fetches, for example. Such a method takes no part in the call graph.
const ALL: &str = "all";

/// How the name of a caller begins whose service account is outside this repository: `partner:acme`.
const PARTNER: &str = "partner:";

/// The only methods with an effect that carry no key: a kept answer would be a kept token.
const WITHOUT_KEY: [&str; 2] =
    ["/shop.identity.v1.IdentityService/LogIn", "/shop.identity.v1.IdentityService/RefreshSession"];

/// The option of `shop/mesh/v1/rule.proto`.
const RULE: &str = "shop.mesh.v1.rule";

/// Reads all rules, sorted by path, or says everything that is wrong.
pub(crate) fn read(pool: &DescriptorPool) -> Result<Vec<Method>, Vec<Refusal>> {
    let permissions = permissions(pool);
    let mut methods = Vec::new();
    let mut refusals = Vec::new();
    for service in pool.services() {
        let Some(owner) = owner(&service) else {
            refusals.push(refuse_service(
                &service,
                "stands in no package `shop.<service>.v<n>` of a known service; add its name to WORKLOADS in proto/build/rules.rs",
            ));
            continue;
        };
        for method in service.methods() {
            match read_method(&method, &owner, &permissions) {
                Ok(rule) => methods.push((rule, method)),
                Err(sentences) => {
                    refusals.extend(sentences.into_iter().map(|sentence| refuse(&method, &sentence)))
                }
            }
        }
    }
    refusals.extend(find_cycle(&methods));
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let mut methods: Vec<Method> = methods.into_iter().map(|(rule, _)| rule).collect();
    methods.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(methods)
}

/// The permissions of `shop.identity.v1.Permission` as rules write them: `orders.write`.
fn permissions(pool: &DescriptorPool) -> BTreeSet<String> {
    let Some(permissions) = pool.get_enum_by_name("shop.identity.v1.Permission") else {
        return BTreeSet::new();
    };
    permissions
        .values()
        .filter(|value| value.number() != 0)
        .map(|value| {
            let name = value.name();
            let name = name.strip_prefix("PERMISSION_").unwrap_or(name);
            name.to_lowercase().replace('_', ".")
        })
        .collect()
}

/// `orders` of `shop.orders.v1`, when there is such a workload.
fn owner(service: &ServiceDescriptor) -> Option<String> {
    let name = service.package_name().strip_prefix("shop.")?;
    let (name, version) = name.split_once('.')?;
    version.strip_prefix('v')?.parse::<u32>().ok()?;
    (name != "gateway" && WORKLOADS.contains(&name)).then(|| name.to_owned())
}

/// Reads one method; collects every sentence against it rather than the first.
fn read_method(
    method: &MethodDescriptor,
    owner: &str,
    permissions: &BTreeSet<String>,
) -> Result<Method, Vec<String>> {
    let Some(rule) = rule(method) else {
        return Err(vec![
            "has no rule: state `option (shop.mesh.v1.rule)` with callers, access and timeout".to_owned(),
        ]);
    };
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let mut wrong = Vec::new();
    let callers = read_callers(&rule, owner, &mut wrong);
    let access = read_access(&rule, permissions, &mut wrong);
    let timeout = read_timeout(method, &rule, &mut wrong);
    let idempotency = read_idempotency(method, &path, &mut wrong);
    check_list(method, &mut wrong);
    match idempotency {
        Some(idempotency) if wrong.is_empty() => Ok(Method {
            path,
            service: owner.to_owned(),
            name: method.name().to_owned(),
            callers,
            access,
            timeout,
            idempotency,
            client_streaming: method.is_client_streaming(),
            server_streaming: method.is_server_streaming(),
        }),
        _ => Err(wrong),
    }
}

/// The option of the method, if it is stated.
fn rule(method: &MethodDescriptor) -> Option<DynamicMessage> {
    let extension = method.parent_pool().get_extension_by_name(RULE)?;
    let options = method.options();
    if !options.has_extension(&extension) {
        return None;
    }
    options.get_extension(&extension).as_message().cloned()
}

fn read_callers(rule: &DynamicMessage, owner: &str, wrong: &mut Vec<String>) -> Vec<String> {
    let callers = texts(rule, "callers");
    if callers.is_empty() {
        wrong.push("names no callers: a method that nobody may call is not needed".to_owned());
    }
    for (at, caller) in callers.iter().enumerate() {
        if caller == ALL {
            if callers.len() > 1 {
                wrong.push("names others beside `all`, who are already meant".to_owned());
            }
        } else if let Some(name) = caller.strip_prefix(PARTNER) {
            if !is_account(name) {
                wrong.push(format!(
                    "names the partner `{name}`, which no service account can be called: lower-case letters, digits, dashes"
                ));
            }
        } else if !WORKLOADS.contains(&caller.as_str()) {
            wrong.push(format!(
                "names the unknown caller `{caller}`; known are all, {} and {PARTNER}NAME",
                WORKLOADS.join(", ")
            ));
        } else if caller == owner {
            wrong.push(format!("names its own service `{caller}` as a caller: a cycle of one"));
        }
        if callers.iter().take(at).any(|before| before == caller) {
            wrong.push(format!("names the caller `{caller}` twice"));
        }
    }
    callers
}

/// A name that Kubernetes takes for a namespace, too: a partner's account lies in a namespace of its own name.
fn is_account(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(inside)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

fn read_access(
    rule: &DynamicMessage,
    permissions: &BTreeSet<String>,
    wrong: &mut Vec<String>,
) -> Vec<Access> {
    let mut alternatives = Vec::new();
    for text in texts(rule, "access") {
        let Some(access) = Access::parse(&text) else {
            wrong.push(format!(
                "has the malformed access `{text}`; write public, customer, service or staff(PERMISSION)"
            ));
            continue;
        };
        if let Access::Staff(permission) = &access
            && !permissions.contains(permission)
        {
            wrong.push(format!(
                "asks for the permission `{permission}`, which is not in shop.identity.v1.Permission"
            ));
        }
        if alternatives.contains(&access) {
            wrong.push(format!("states the access `{text}` twice"));
        }
        alternatives.push(access);
    }
    if alternatives.is_empty() && wrong.is_empty() {
        wrong.push("states no access: say what the end user must be".to_owned());
    }
    alternatives
}

fn read_timeout(
    method: &MethodDescriptor,
    rule: &DynamicMessage,
    wrong: &mut Vec<String>,
) -> Option<std::time::Duration> {
    let text = text(rule, "timeout");
    if text == "none" {
        if !method.is_client_streaming() && !method.is_server_streaming() {
            wrong.push("has the timeout `none`, which only a stream may have".to_owned());
        }
        return None;
    }
    let timeout = parse_timeout(&text);
    if timeout.is_none() {
        wrong.push(format!(
            "has the malformed timeout `{text}`; write a whole number with ms or s, an hour at most, or none for a stream"
        ));
    }
    timeout
}

/// Reads the level and checks it against the key in the request.
fn read_idempotency(method: &MethodDescriptor, path: &str, wrong: &mut Vec<String>) -> Option<Idempotency> {
    let options = method.method_descriptor_proto().options.as_ref();
    let Some(level) = options.and_then(|options| options.idempotency_level) else {
        wrong.push(
            "has no idempotency_level: NO_SIDE_EFFECTS for a read, IDEMPOTENT for an effect".to_owned(),
        );
        return None;
    };
    let keyed = has_request_id(method);
    let idempotency = match IdempotencyLevel::try_from(level).ok()? {
        IdempotencyLevel::NoSideEffects => Idempotency::NoSideEffects,
        IdempotencyLevel::Idempotent => Idempotency::Idempotent,
        IdempotencyLevel::IdempotencyUnknown => Idempotency::Unknown,
    };
    match idempotency {
        Idempotency::NoSideEffects if keyed => {
            wrong.push("is a read whose request has a request_id, which only an effect needs".to_owned())
        }
        Idempotency::Idempotent if !keyed => {
            wrong.push("is an effect whose request has no `string request_id`".to_owned());
        }
        Idempotency::Unknown if !WITHOUT_KEY.contains(&path) => wrong.push(
            "is IDEMPOTENCY_UNKNOWN, which only LogIn and RefreshSession of identity may be".to_owned(),
        ),
        Idempotency::Unknown if keyed => {
            wrong.push("is IDEMPOTENCY_UNKNOWN and yet has a request_id".to_owned());
        }
        _ => {}
    }
    Some(idempotency)
}

/// Does the request carry a key? In a stream of messages the key stands in any part, usually in the opening one.
fn has_request_id(method: &MethodDescriptor) -> bool {
    let input = method.input();
    if has_text(&input, "request_id") {
        return true;
    }
    method.is_client_streaming()
        && input.fields().any(|field| match field.kind() {
            Kind::Message(part) => has_text(&part, "request_id"),
            _ => false,
        })
}

/// A list is paged from its first day: adding pages later would break its callers.
fn check_list(method: &MethodDescriptor, wrong: &mut Vec<String>) {
    let rest = method.name().strip_prefix("List");
    // `ListenToSales` is no list.
    if !rest.is_some_and(|rest| rest.starts_with(|letter: char| letter.is_uppercase())) {
        return;
    }
    let input = method.input();
    let sized = input.get_field_by_name("page_size").is_some_and(|field| is_single(&field, &Kind::Int32));
    if !sized || !has_text(&input, "page_token") {
        wrong.push("is a list whose request lacks `int32 page_size` or `string page_token`".to_owned());
    }
    if !has_text(&method.output(), "next_page_token") {
        wrong.push("is a list whose response lacks `string next_page_token`".to_owned());
    }
}

fn has_text(message: &MessageDescriptor, name: &str) -> bool {
    message.get_field_by_name(name).is_some_and(|field| is_single(&field, &Kind::String))
}

fn is_single(field: &FieldDescriptor, kind: &Kind) -> bool {
    !field.is_list() && field.kind() == *kind
}

fn text(rule: &DynamicMessage, field: &str) -> String {
    let value = rule.get_field_by_name(field);
    let text = value.as_deref().and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn texts(rule: &DynamicMessage, field: &str) -> Vec<String> {
    let value = rule.get_field_by_name(field);
    let list = value.as_deref().and_then(Value::as_list);
    list.unwrap_or_default().iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Finds a service that calls itself by way of others: no order of starting and no order of deadlines exists for it.
fn find_cycle(methods: &[(Method, MethodDescriptor)]) -> Option<Refusal> {
    // Who calls whom, and by which method the contract allows it.
    let mut calls: BTreeMap<&str, BTreeMap<&str, &MethodDescriptor>> = BTreeMap::new();
    for (rule, method) in methods {
        for caller in rule.callers.iter().filter(|caller| *caller != ALL) {
            let edges = calls.entry(caller).or_default();
            edges.entry(&rule.service).or_insert(method);
        }
    }
    for start in calls.keys() {
        let mut road = vec![*start];
        if let Some(method) = walk_back(&calls, start, &mut road) {
            road.push(start);
            return Some(refuse(method, &format!("closes a cycle of callers: {}", road.join(" → "))));
        }
    }
    None
}

/// Walks the calls from the end of `road` until they lead back to `start`; the method is the last step.
fn walk_back<'a>(
    calls: &BTreeMap<&'a str, BTreeMap<&'a str, &'a MethodDescriptor>>,
    start: &str,
    road: &mut Vec<&'a str>,
) -> Option<&'a MethodDescriptor> {
    let here = road.last()?;
    for (next, method) in calls.get(here)? {
        if *next == start {
            return Some(*method);
        }
        if road.contains(next) {
            continue;
        }
        road.push(next);
        if let Some(found) = walk_back(calls, start, road) {
            return Some(found);
        }
        road.pop();
    }
    None
}

fn refuse(method: &MethodDescriptor, sentence: &str) -> Refusal {
    let file = method.parent_file();
    Refusal {
        file: file.name().to_owned(),
        line: line_of(&file, method.path()),
        sentence: format!("{}.{} {sentence}.", method.parent_service().name(), method.name()),
    }
}

fn refuse_service(service: &ServiceDescriptor, sentence: &str) -> Refusal {
    let file = service.parent_file();
    Refusal {
        file: file.name().to_owned(),
        line: line_of(&file, service.path()),
        sentence: format!("{} {sentence}.", service.name()),
    }
}

/// The line on which a descriptor begins, counted from one.
fn line_of(file: &prost_reflect::FileDescriptor, path: &[i32]) -> usize {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    info.and_then(|info| info.location.iter().find(|location| location.path == path))
        .and_then(|location| location.span.first())
        .and_then(|line| usize::try_from(*line).ok())
        .map_or(0, |line| line + 1)
}
