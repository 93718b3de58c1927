//! A catalogue on each store, its clients, and the things that tests put into it.

use std::time::Duration;

use kit::{Clock, Database, Reader, Timestamp};
use mesh::testing::{TestServer, customer, serve, staff};
use mesh::{Channel, User};
use proto::catalogue as pb;
use proto::catalogue::catalogue_service_client::CatalogueServiceClient;
use proto::common::Money;
use scratch::Scratch;
use tonic::Status;

pub use kit::testing::request_id;
pub use mesh::testing::reason;

pub type Client = CatalogueServiceClient<Channel>;

/// One catalogue with its store.
pub struct Shop {
    pub database: Database,
    pub clock: Clock,
    pub server: TestServer,
    pub editor: User,
    pub readers: Vec<Reader>,
}

struct Migrations;

impl sea_orm_migration::MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn sea_orm_migration::MigrationTrait>> {
        Vec::new()
    }
}

/// A fresh catalogue on each store.
pub async fn shops() -> Vec<Shop> {
    shops_with(|| None).await
}

/// The same, each with a place for hot products of its own.
pub async fn shops_with(hot: impl Fn() -> Option<Scratch>) -> Vec<Shop> {
    let mut shops = Vec::new();
    for database in kit::testing::databases::<Migrations>().await {
        catalogue::migrate(&database).await.unwrap();
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let clock = Clock::fixed(start);
        let hot = hot();
        let routes = catalogue::routes(database.clone(), hot.clone(), clock.clone());
        shops.push(Shop {
            readers: catalogue::readers(&database, hot, &clock),
            server: serve(catalogue::NAME, routes),
            editor: staff(&["catalogue.read", "catalogue.write"]),
            database,
            clock,
        });
    }
    shops
}

impl Shop {
    pub fn client(&self, workload: &'static str, user: Option<User>) -> Client {
        CatalogueServiceClient::new(self.server.channel_as(workload, user))
    }

    /// Nobody in particular.
    pub fn visitor(&self) -> Client {
        self.client("gateway", None)
    }

    pub fn shopper(&self) -> Client {
        self.client("gateway", Some(customer()))
    }

    /// Staff who read and write.
    pub fn staff(&self) -> Client {
        self.client("gateway", Some(self.editor.clone()))
    }

    pub async fn create(&self, product: pb::Product) -> pb::Product {
        self.clock.advance(Duration::from_secs(1));
        self.try_create(product).await.unwrap()
    }

    pub async fn try_create(&self, product: pb::Product) -> Result<pb::Product, Status> {
        let request = pb::CreateProductRequest { product: Some(product), request_id: request_id() };
        let answer = self.staff().create_product(request).await?;
        Ok(answer.into_inner().product.unwrap())
    }

    pub async fn update(&self, product: pb::Product, paths: &[&str]) -> Result<pb::Product, Status> {
        self.clock.advance(Duration::from_secs(1));
        let request = pb::UpdateProductRequest {
            etag: product.etag.clone(),
            product: Some(product),
            update_mask: Some(mask(paths)),
            request_id: request_id(),
        };
        let answer = self.staff().update_product(request).await?;
        Ok(answer.into_inner().product.unwrap())
    }

    pub async fn archive(&self, id: &str) -> pb::Product {
        let request = pb::ArchiveProductRequest { product_id: id.to_owned(), request_id: request_id() };
        let answer = self.staff().archive_product(request).await.unwrap();
        answer.into_inner().product.unwrap()
    }

    pub async fn get(&self, id: &str) -> pb::Product {
        get(&mut self.staff(), id).await.unwrap()
    }

    pub async fn category(&self, name: &str, parent: &str) -> Result<pb::Category, Status> {
        let request = pb::CreateCategoryRequest {
            category: Some(pb::Category {
                name: name.to_owned(),
                parent_id: parent.to_owned(),
                ..Default::default()
            }),
            request_id: request_id(),
        };
        let answer = self.staff().create_category(request).await?;
        Ok(answer.into_inner().category.unwrap())
    }

    pub async fn collection(&self, handle: &str, ids: &[&pb::Product]) -> Result<pb::Collection, Status> {
        let request = pb::CreateCollectionRequest {
            collection: Some(pb::Collection {
                handle: handle.to_owned(),
                title: format!("The {handle}"),
                product_ids: ids.iter().map(|product| product.id.clone()).collect(),
                ..Default::default()
            }),
            request_id: request_id(),
        };
        let answer = self.staff().create_collection(request).await?;
        Ok(answer.into_inner().collection.unwrap())
    }

    /// The events written so far, as "kind version".
    pub async fn news(&self, subject: &str) -> Vec<String> {
        let events = kit::testing::unsent(&self.database, 10_000).await.unwrap();
        events
            .iter()
            .filter(|event| event.subject == subject)
            .map(|event| format!("{} {}", event.kind, event.subject_version))
            .collect()
    }
}

pub async fn get(client: &mut Client, id: &str) -> Result<pb::Product, Status> {
    let request = pb::GetProductRequest {
        key: Some(pb::get_product_request::Key::ProductId(id.to_owned())),
        read_mask: None,
    };
    let answer = client.get_product(request).await?;
    Ok(answer.into_inner().product.unwrap())
}

pub async fn list(client: &mut Client, request: pb::ListProductsRequest) -> Vec<String> {
    let answer = client.list_products(request).await.unwrap().into_inner();
    handles(&answer.products)
}

pub fn handles(products: &[pb::Product]) -> Vec<String> {
    products.iter().map(|p| p.handle.clone()).collect()
}

pub fn mask(paths: &[&str]) -> prost_types::FieldMask {
    prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() }
}

pub fn pounds(minor_units: i64) -> Money {
    Money { currency_code: "GBP".to_owned(), minor_units }
}

pub fn price(minor_units: i64) -> pb::Price {
    pb::Price { amount: Some(pounds(minor_units)), compare_at: None }
}

/// A product for sale with one variant and no options.
pub fn mug(handle: &str) -> pb::Product {
    pb::Product {
        handle: handle.to_owned(),
        title: format!("Mug {handle}"),
        description: "<p>Holds tea.</p>".to_owned(),
        vendor: "Potters".to_owned(),
        product_type: "Mugs".to_owned(),
        tags: vec!["Kitchen".to_owned()],
        status: pb::ProductStatus::Active.into(),
        variants: vec![variant(handle, &[], 1_250)],
        media: vec![picture(&format!("/media/{handle}.svg"))],
        ..Default::default()
    }
}

pub fn variant(sku: &str, values: &[&str], minor_units: i64) -> pb::Variant {
    pb::Variant {
        sku: sku.to_uppercase(),
        option_values: values.iter().map(ToString::to_string).collect(),
        prices: vec![price(minor_units)],
        weight_grams: 300,
        requires_shipping: true,
        ..Default::default()
    }
}

pub fn picture(url: &str) -> pb::Media {
    pb::Media { url: url.to_owned(), alt_text: "A picture".to_owned(), ..Default::default() }
}

/// A shirt in two sizes and two colours.
pub fn shirt(handle: &str) -> pb::Product {
    let option = |name: &str, values: [&str; 2]| pb::Option {
        name: name.to_owned(),
        values: values.map(str::to_owned).to_vec(),
    };
    let variants = [("S", "Red"), ("S", "Blue"), ("M", "Red"), ("M", "Blue")];
    pb::Product {
        options: vec![option("Size", ["S", "M"]), option("Colour", ["Red", "Blue"])],
        variants: variants
            .iter()
            .map(|(size, colour)| variant(&format!("{handle}-{size}-{colour}"), &[size, colour], 2_900))
            .collect(),
        ..mug(handle)
    }
}

/// The reason of a refusal, and where it points.
pub fn violated(status: &Status) -> Vec<String> {
    let violations = mesh::status::violations_of(status);
    violations.into_iter().map(|violation| violation.field).collect()
}
