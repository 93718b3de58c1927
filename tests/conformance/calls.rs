//! gRPC calls by name, with requests and answers as protobuf's JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

use futures::future::join_all;
use http::uri::PathAndQuery;
use mesh::context::{self, Context};
use prost::Message;
use prost::bytes::Buf;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor, SerializeOptions};
use serde_json::Value;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::columns::Column;
use crate::harness::Visitor;

/// How many come at once with one key.
pub const AT_ONCE: usize = 20;
/// Before somebody who was told to come again does.
pub const PAUSE: Duration = Duration::from_millis(500);

/// Read once: it is large.
static CONTRACT: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).unwrap());

/// The methods that let a workload in and take such a field, by their names here.
pub fn methods_with(field: &str, caller: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for method in CONTRACT.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let rule = proto::rules::find(&path).expect("a rule");
        if rule.allows(caller) && method.input().get_field_by_name(field).is_some() {
            found.insert(format!("{}.{}", rule.service, rule.name));
        }
    }
    found
}

/// The method that is called "cart.CreateCart" here.
pub fn method(name: &str) -> (&'static str, MethodDescriptor) {
    let (service, method) = name.split_once('.').unwrap();
    let known = proto::rules::METHODS.iter().find(|rule| rule.service == service).expect(name);
    let package = format!("shop.{service}.v1");
    let services: Vec<_> = CONTRACT.services().filter(|one| one.package_name() == package).collect();
    let found = services.iter().flat_map(|one| one.methods()).find(|one| one.name() == method);
    (known.service, found.expect(name))
}

impl Column {
    /// Calls a method on behalf of somebody, and keeps the answer.
    pub async fn call(&self, who: Option<&Visitor>, name: &str, request: Value) -> Result<Value, Status> {
        let answer = self.ask(who, name, request).await;
        self.keep(name, &answer);
        answer
    }

    /// Calls a method, twenty times at once and once more, with one key. Whoever is not told to come again, is told the
    /// same; `part` is what of an answer does not go on living.
    pub async fn once(
        &self,
        who: Option<&Visitor>,
        name: &str,
        mut request: Value,
        part: fn(Value) -> Value,
    ) -> Result<Value, Status> {
        request["request_id"] = Uuid::new_v4().to_string().into();
        let ask = || async { self.ask(who, name, request.clone()).await.map(part) };
        let answers = join_all((0..AT_ONCE).map(|_| ask())).await;
        let mut again = ask().await;
        for _ in 0..AT_ONCE {
            match &again {
                Err(status) if later(status) => tokio::time::sleep(PAUSE).await,
                _ => break,
            }
            again = ask().await;
        }
        for answer in answers {
            match (answer, &again) {
                (Ok(answer), Ok(again)) => assert_eq!(answer, *again, "{name}"),
                (Err(status), _) if later(&status) => {}
                (Err(status), Err(again)) => assert_eq!(told(&status), told(again), "{name}"),
                (answer, again) => panic!("{name}: {answer:?}, and then {again:?}"),
            }
        }
        self.keep(name, &again);
        again
    }

    fn keep(&self, name: &str, answer: &Result<Value, Status>) {
        self.hear(match answer {
            Ok(answer) => format!("{name} {answer}"),
            Err(status) => format!("{name} {}", told(status)),
        });
    }

    /// The same, of which nothing is kept.
    pub async fn ask(&self, who: Option<&Visitor>, name: &str, request: Value) -> Result<Value, Status> {
        let (service, method) = method(name);
        let request = DynamicMessage::deserialize(method.input(), request).expect(name);
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let path: PathAndQuery = path.parse().unwrap();
        let token = who.and_then(|who| who.token.as_deref()).map(Into::into);
        let call = async {
            let mut client = tonic::client::Grpc::new(self.channel(service));
            client.ready().await?;
            client.unary(Request::new(request), path, Json(method.output())).await
        };
        let answer = context::scope(Context { token, ..Context::default() }, call).await?;
        let options = SerializeOptions::new().skip_default_fields(false).use_proto_field_name(true);
        let answer = answer.into_inner();
        Ok(answer.serialize_with_options(serde_json::value::Serializer, &options).unwrap())
    }
}

/// Whether the caller is to come again: another is at it, there is no room for more, no time was left, somebody was too busy
/// to answer, or so many at once look like somebody who guesses a password.
fn later(status: &Status) -> bool {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.as_str());
    status.code() == Code::Unavailable
        || matches!(
            reason,
            Some("REQUEST_IN_PROGRESS" | "OVERLOADED" | "DEADLINE_EXCEEDED" | "LOGIN_THROTTLED")
        )
}

/// All that a caller can read of an error.
fn told(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().map(|info| {
        let metadata: BTreeMap<_, _> = info.metadata.iter().collect();
        format!("{} {} {metadata:?}", info.domain, info.reason)
    });
    let (fields, retry) = (details.bad_request(), details.retry_info());
    format!("{:?} {} {info:?} {fields:?} {retry:?}", status.code(), status.message())
}

/// Messages of which only the descriptor is known.
struct Json(MessageDescriptor);

impl Codec for Json {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Outgoing;
    type Decoder = Incoming;

    fn encoder(&mut self) -> Outgoing {
        Outgoing
    }

    fn decoder(&mut self) -> Incoming {
        Incoming(self.0.clone())
    }
}

struct Outgoing;

impl Encoder for Outgoing {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

struct Incoming(MessageDescriptor);

impl Decoder for Incoming {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        let message = DynamicMessage::decode(self.0.clone(), bytes);
        message.map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
