//! The two forms of the shop, side by side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use mesh::{CertificateFiles, Certificates, Channel, Upstream};
use serde::Deserialize;

use crate::harness::{Front, Heard, Shop};
use crate::names::renamed;

/// A file that says where the shop apart is; `cargo xtask test` writes it and names it here.
const APART: &str = "SHOP_TEST_APART";
/// The folder in which each case leaves what it heard, a file for each column.
const TRANSCRIPTS: &str = "SHOP_TEST_TRANSCRIPTS";

/// One form of the shop, as one case sees it.
pub struct Column {
    name: &'static str,
    pub front: Front,
    /// The workload that calls.
    pub caller: &'static str,
    services: Services,
    heard: Heard,
}

enum Services {
    /// Behind one port, which takes whoever calls for `caller`.
    Together(Shop),
    /// Each at its own port, which wants to see a certificate.
    Apart(Apart),
}

#[derive(Deserialize)]
struct Apart {
    edge: String,
    certificates: PathBuf,
    addresses: BTreeMap<String, String>,
}

/// Tells a case to both columns and compares what they answered.
pub async fn same(case: &str, caller: &'static str, tell: impl AsyncFn(&Column)) {
    let one = Column::one(caller);
    tell(&one).await;
    let one = one.end(case);
    let Some(apart) = Column::apart(caller) else {
        println!("not run: {APART} names no shop in many processes");
        return;
    };
    tell(&apart).await;
    let apart = apart.end(case);
    for (at, (one, apart)) in one.lines().zip(apart.lines()).enumerate() {
        assert_eq!(one, apart, "answer {at} of {case}");
    }
    assert_eq!(one.lines().count(), apart.lines().count(), "answers of {case}");
}

impl Column {
    fn one(caller: &'static str) -> Self {
        let shop = Shop::start(&["--ephemeral", "--grpc-as", caller]);
        let heard = Heard::default();
        let front = Front::new(shop.edge.clone(), Some(Arc::clone(&heard)));
        Self { name: "one", front, caller, services: Services::Together(shop), heard }
    }

    fn apart(caller: &'static str) -> Option<Self> {
        let path = std::env::var_os(APART)?;
        let text = std::fs::read_to_string(Path::new(&path)).unwrap();
        let apart: Apart = serde_json::from_str(&text).unwrap();
        let heard = Heard::default();
        let front = Front::new(apart.edge.clone(), Some(Arc::clone(&heard)));
        Some(Self { name: "apart", front, caller, services: Services::Apart(apart), heard })
    }

    /// A way to a service, as the caller.
    pub fn channel(&self, service: &'static str) -> Channel {
        let upstream = match &self.services {
            Services::Together(shop) => Upstream::remote(service, shop.grpc.parse().unwrap(), 1, None),
            Services::Apart(apart) => {
                let file = |kind: &str| apart.certificates.join(format!("{}.{kind}", self.caller));
                let files = CertificateFiles {
                    certificate: file("pem"),
                    key: file("key"),
                    authority: apart.certificates.join("authority.pem"),
                    domain: "shop".to_owned(),
                };
                let certificates = Certificates::load(files).unwrap();
                let address = apart.addresses[service].parse().unwrap();
                Upstream::remote(service, address, 1, Some(&certificates))
            }
        };
        upstream.channel(self.caller)
    }

    /// Keeps an answer for the comparison.
    pub fn hear(&self, text: String) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    /// What was answered, a line each. A shop in one process stops, and all it promised is kept.
    fn end(self, case: &str) -> String {
        let transcript = self.transcript(case);
        match self.services {
            // Who calls in the place of orders, makes payments and takes goods of which no order knows.
            Services::Together(shop) if self.caller != "gateway" => shop.kill(),
            Services::Together(_) | Services::Apart(_) => {}
        }
        transcript
    }

    fn transcript(&self, case: &str) -> String {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(!heard.is_empty(), "a case that hears nothing compares nothing");
        let text = renamed(&heard);
        if let Some(folder) = std::env::var_os(TRANSCRIPTS) {
            std::fs::write(Path::new(&folder).join(format!("{case}.{}", self.name)), &text).unwrap();
        }
        text
    }
}
