//! What is decided before anything starts: ports, databases, and which process is told which secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use uuid::Uuid;

use super::EDGE;
use crate::process::Error;
use crate::servers::{Server, free_port, postgres};

/// Services without tables: an index of its own, and Redis.
const WITHOUT_TABLES: [&str; 2] = ["search", "cart"];

/// See the module.
pub(crate) struct Plan {
    pub(crate) services: Vec<String>,
    pub(crate) edge: u16,
    pub(crate) provider: u16,
    /// gRPC and admin port of each service and of the edge.
    ports: BTreeMap<String, (u16, u16)>,
    /// What a process is told by its name.
    own: BTreeMap<&'static str, Vec<(&'static str, String)>>,
    broker: String,
    /// Where the store of each service is.
    databases: BTreeMap<String, String>,
}

impl Plan {
    /// For these services; `stores` are the URLs of Redis and of the broker, `sealing` the public key and the file of the
    /// private one.
    pub(crate) fn new(
        services: Vec<String>,
        folder: &Path,
        postgres: &Server,
        (redis, broker): (String, String),
        (public, private): (String, PathBuf),
    ) -> Result<Plan, Error> {
        let mut plan = Plan {
            edge: free_port(),
            provider: free_port(),
            ports: BTreeMap::new(),
            own: BTreeMap::new(),
            broker,
            databases: BTreeMap::new(),
            services,
        };
        for name in plan.services.iter().map(String::as_str).chain([EDGE]) {
            plan.ports.insert(name.to_owned(), (free_port(), free_port()));
        }
        for service in plan.services.iter().filter(|name| !WITHOUT_TABLES.contains(&name.as_str())) {
            postgres::create_database(postgres, service)?;
            let url = postgres.url().replace("/postgres", &format!("/{service}"));
            plan.databases.insert(service.clone(), url);
        }
        let secret = || format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let (webhooks, sealer) = (secret(), ("SHOP_SEALING_PUBLIC_KEY", public));
        let bank = format!("http://127.0.0.1:{}", plan.provider);
        let mails = ("SHOP_MAIL_FOLDER", folder.join("mail").display().to_string());
        let (redis, webhooks) = (("REDIS_URL", redis), ("SHOP_WEBHOOK_SECRET", webhooks));
        plan.own = BTreeMap::from([
            ("identity", vec![("SHOP_SIGNING_SECRET", secret()), sealer.clone()]),
            ("catalogue", vec![redis.clone()]),
            ("cart", vec![("SHOP_CART_TOKEN_SECRET", secret()), redis.clone()]),
            ("payments", vec![("SHOP_PROVIDER_URL", bank), webhooks.clone()]),
            ("provider", vec![webhooks]),
            ("orders", vec![("SHOP_CHECKOUT_TOKEN_SECRET", secret()), sealer]),
            ("notifications", vec![("SHOP_SEALING_KEY_FILE", private.display().to_string()), mails.clone()]),
            (EDGE, vec![redis, mails]),
        ]);
        Ok(plan)
    }

    /// The gRPC and the admin port of a process.
    pub(crate) fn ports(&self, name: &str) -> (u16, u16) {
        self.ports.get(name).copied().unwrap_or_default()
    }

    /// Where each service is.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (String, Value)> {
        self.services.iter().map(|name| (name.clone(), Value::String(self.address(name))))
    }

    /// The services that keep tables.
    pub(crate) fn with_tables(&self) -> impl Iterator<Item = &String> {
        self.databases.keys()
    }

    /// The variable that says where the tables of a service are.
    pub(crate) fn database(&self, service: &str) -> Option<(String, String)> {
        let url = self.databases.get(service)?;
        Some((format!("SHOP_{}_DATABASE_URL", service.to_uppercase()), url.clone()))
    }

    /// What a process is told: where the services are, and the secrets that are its own.
    pub(crate) fn told(&self, name: &str) -> Vec<(String, String)> {
        let addresses = self
            .services
            .iter()
            .map(|service| (format!("SHOP_{}_ADDRESS", service.to_uppercase()), self.address(service)));
        let own = self.own.get(name).into_iter().flatten();
        let own = own.map(|(variable, value)| ((*variable).to_owned(), value.clone()));
        // The edge and the provider neither tell nor hear news.
        let broker = self.services.iter().any(|service| service == name);
        let broker = broker.then(|| ("AMQP_URL".to_owned(), self.broker.clone()));
        addresses.chain(own).chain(broker).collect()
    }

    fn address(&self, service: &str) -> String {
        format!("http://127.0.0.1:{}", self.ports(service).0)
    }
}
