//! The contract as the mesh needs it: every method with its callers and its limit in time. It is read from `proto/` by the
//! code that builds the crate `proto`, so what is wrong there is refused here in the same words, with file and line.

#[path = "../../../proto/build/method.rs"]
#[allow(dead_code, reason = "the build script needs all of it")]
mod method;
#[path = "../../../proto/build/rules.rs"]
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use protox::Compiler;

use crate::process::{Error, file_error};

/// The word of the contract for every service.
const ALL: &str = "all";
/// Health is asked for by whoever may call anything of a service, and has no rule of its own in the contract.
const HEALTH: &str = "grpc.health.v1.Health";
const HEALTH_TIME_MAX: Duration = Duration::from_secs(1);
/// The edge, which calls and is not called.
pub(crate) const EDGE: &str = "gateway";
/// How a caller outside this repository begins.
pub(crate) const PARTNER: &str = "partner:";

/// Every method that goes over the mesh.
pub(crate) struct Contract {
    pub(crate) methods: Vec<Method>,
}

/// A method, and who may call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Method {
    /// The process that answers: `orders`.
    pub(crate) service: String,
    /// As it travels: `shop.orders.v1.OrdersService`.
    pub(crate) interface: String,
    /// `CancelOrder`.
    pub(crate) name: String,
    /// The processes that may call, each by its name; nobody is "all" here.
    pub(crate) callers: BTreeSet<String>,
    /// The longest time that a call may take; nothing for a stream.
    pub(crate) timeout: Option<Duration>,
}

impl Contract {
    /// Reads the contract of a checkout.
    pub(crate) fn read(root: &Path) -> Result<Contract, Error> {
        let folder = root.join("proto");
        let mut files = Vec::new();
        proto_files(&folder.join("shop"), &mut files)?;
        files.sort();
        let refused = |error: protox::Error| Error::Refused(format!("the contract is malformed: {error:?}"));
        let mut compiler = Compiler::new([&folder]).map_err(refused)?;
        compiler.include_imports(true).include_source_info(true).open_files(&files).map_err(refused)?;
        let rules = rules::read(&compiler.descriptor_pool()).map_err(|refusals| {
            let refusals: Vec<String> = refusals.iter().map(ToString::to_string).collect();
            Error::Refused(refusals.join("\n"))
        })?;
        Ok(Contract::of(rules.iter().map(Method::new).collect()))
    }

    /// These methods, and health beside them.
    pub(crate) fn of(mut methods: Vec<Method>) -> Contract {
        let mut callers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for method in &methods {
            callers.entry(method.service.clone()).or_default().extend(method.callers.iter().cloned());
        }
        for (service, callers) in callers {
            for (name, timeout) in [("Check", Some(HEALTH_TIME_MAX)), ("Watch", None)] {
                methods.push(Method {
                    service: service.clone(),
                    interface: HEALTH.to_owned(),
                    name: name.to_owned(),
                    callers: callers.clone(),
                    timeout,
                });
            }
        }
        Contract { methods }
    }

    /// The services, sorted.
    pub(crate) fn services(&self) -> BTreeSet<&str> {
        self.methods.iter().map(|method| method.service.as_str()).collect()
    }

    /// The methods of a service.
    pub(crate) fn of_service(&self, service: &str) -> impl Iterator<Item = &Method> {
        self.methods.iter().filter(move |method| method.service == service)
    }

    /// Who may call anything of a service.
    pub(crate) fn callers_of(&self, service: &str) -> BTreeSet<&str> {
        self.of_service(service).flat_map(|method| &method.callers).map(String::as_str).collect()
    }

    /// The services of which somebody may call anything.
    pub(crate) fn called_by(&self, caller: &str) -> BTreeSet<&str> {
        let called = self.methods.iter().filter(|method| method.callers.contains(caller));
        called.map(|method| method.service.as_str()).collect()
    }
}

impl Method {
    fn new(rule: &method::Method) -> Method {
        let interface = rule.path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let everybody = || rules::WORKLOADS.iter().filter(|name| **name != rule.service);
        let callers = match rule.callers.iter().any(|caller| caller == ALL) {
            true => everybody().map(|name| (*name).to_owned()).collect(),
            false => rule.callers.iter().cloned().collect(),
        };
        Method {
            service: rule.service.clone(),
            interface: interface.to_owned(),
            name: rule.name.clone(),
            callers,
            timeout: rule.timeout.filter(|_| !rule.client_streaming && !rule.server_streaming),
        }
    }
}

fn proto_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(|source| file_error(folder, "read", source))? {
        let path = entry.map_err(|source| file_error(folder, "read", source))?.path();
        if path.is_dir() {
            proto_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
