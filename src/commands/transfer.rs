//! `shop import` and `shop export`: clients of a running shop's gRPC port, with a staff account. They never touch its files.

use std::io;
use std::path::Path;

use futures::{Stream, StreamExt, stream};
use proto::catalogue::catalogue_service_client::CatalogueServiceClient;
use proto::catalogue::{self as catalogue_pb, import_products_response::Part as Told};
use proto::identity::LogInRequest;
use proto::identity::identity_service_client::IdentityServiceClient;
use proto::inventory::inventory_service_client::InventoryServiceClient;
use proto::inventory::{AdjustStockRequest, StockAdjustment, stock_adjustment::Change};
use proto::orders::orders_service_client::OrdersServiceClient;
use proto::orders::{self as orders_pb, import_orders_response::Part as OrderTold};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};
use uuid::Uuid;

use super::Failure;
use crate::config::{Client, ImportFile};

/// Pieces in which a file travels; the contract takes 256 KiB.
const CHUNK_BYTES: usize = 64 * 1024;
/// Adjustments that go in one call; the contract takes 1,000.
const ADJUSTMENTS_MAX: usize = 1_000;
/// Errors that are printed; the rest is counted.
const ERRORS_PRINTED_MAX: i64 = 50;

type Signed = InterceptedService<Channel, Bearer>;

/// Imports products, and hands the quantities of the file to inventory.
pub async fn import_catalogue(arguments: &ImportFile) -> Result<(), Failure> {
    let channel = sign_in(&arguments.client).await?;
    let mut inventory = InventoryServiceClient::new(channel.clone());
    let start = catalogue_pb::import_products_request::Part::Start(catalogue_pb::ImportStart {
        currency_code: arguments.currency.clone(),
        request_id: Uuid::new_v4().to_string(),
    });
    let (chunks, broken) = chunks(open(&arguments.file).await?);
    let parts = stream::iter([start]).chain(chunks.map(catalogue_pb::import_products_request::Part::Chunk));
    let requests = parts.map(|part| catalogue_pb::ImportProductsRequest { part: Some(part) });
    let mut told = CatalogueServiceClient::new(channel).import_products(requests).await?.into_inner();

    let mut adjustments = Vec::new();
    let mut refused = 0;
    while let Some(message) = told.message().await? {
        match message.part {
            Some(Told::Progress(progress)) => {
                println!(
                    "{} lines: {} products created, {} updated, {} unchanged, {} refused; {} variants",
                    progress.lines_read,
                    progress.products_created,
                    progress.products_updated,
                    progress.products_unchanged,
                    progress.products_refused,
                    progress.variants_imported
                );
                refused = progress.products_refused;
            }
            Some(Told::Error(error)) => {
                eprintln!("line {}, {} {}: {}", error.line, error.handle, error.column, error.message);
            }
            Some(Told::Quantity(quantity)) => adjustments.push(counted(quantity)),
            None => {}
        }
        if adjustments.len() >= ADJUSTMENTS_MAX {
            adjust(&mut inventory, std::mem::take(&mut adjustments)).await?;
        }
    }
    adjust(&mut inventory, adjustments).await?;
    to_its_end(broken)?;
    all_or(refused, "products were refused; the lines above say why")
}

/// Imports order history.
pub async fn import_orders(arguments: &ImportFile) -> Result<(), Failure> {
    let channel = sign_in(&arguments.client).await?;
    let start = orders_pb::import_orders_request::Part::Start(orders_pb::OrderImportStart {
        currency_code: arguments.currency.clone(),
        request_id: Uuid::new_v4().to_string(),
    });
    let (chunks, broken) = chunks(open(&arguments.file).await?);
    let parts = stream::iter([start]).chain(chunks.map(orders_pb::import_orders_request::Part::Chunk));
    let requests = parts.map(|part| orders_pb::ImportOrdersRequest { part: Some(part) });
    let mut told = OrdersServiceClient::new(channel).import_orders(requests).await?.into_inner();

    let mut refused = 0;
    let mut printed = 0;
    while let Some(message) = told.message().await? {
        match message.part {
            Some(OrderTold::Progress(progress)) => {
                println!(
                    "{} lines: {} orders created with {} lines, {} unchanged, {} refused; {} {} in minor units",
                    progress.lines_read,
                    progress.orders_created,
                    progress.order_lines_created,
                    progress.orders_unchanged,
                    progress.orders_refused,
                    arguments.currency,
                    progress.total_minor_units
                );
                refused = progress.orders_refused;
            }
            Some(OrderTold::Error(error)) if printed < ERRORS_PRINTED_MAX => {
                printed += 1;
                eprintln!("line {}, order {}: {}", error.line, error.external_id, error.message);
            }
            Some(OrderTold::Error(_)) | None => {}
        }
    }
    to_its_end(broken)?;
    all_or(refused, "orders were refused and left out; the lines above say why")
}

/// Writes all products to standard output.
pub async fn export_catalogue(client: &Client, new_headers: bool, currency: &str) -> Result<(), Failure> {
    let channel = sign_in(client).await?;
    let request = catalogue_pb::ExportProductsRequest { new_headers, currency_code: currency.to_owned() };
    let mut exported = CatalogueServiceClient::new(channel).export_products(request).await?.into_inner();
    let mut out = tokio::io::stdout();
    while let Some(message) = exported.message().await? {
        out.write_all(&message.chunk).await?;
    }
    out.flush().await?;
    Ok(())
}

/// Sends the access token with every call.
#[derive(Clone)]
struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

async fn sign_in(client: &Client) -> Result<Signed, Failure> {
    let endpoint = tonic::transport::Endpoint::from_shared(client.url.clone())
        .map_err(|_| Failure::new(format!("'{}' is not a URL like http://127.0.0.1:9090", client.url)))?;
    let channel = endpoint
        .connect()
        .await
        .map_err(|_| Failure::new(format!("nothing answers at {}: is the shop running?", client.url)))?;
    let token = match (&client.token, &client.password) {
        (Some(token), _) => token.clone(),
        (None, Some(password)) => log_in(channel.clone(), &client.email, password).await?,
        (None, None) => {
            return Err(Failure::new(
                "say who you are: --email with SHOP_STAFF_PASSWORD, or SHOP_TOKEN with an access token",
            ));
        }
    };
    let bearer = format!("Bearer {token}")
        .parse()
        .map_err(|_| Failure::new("the access token has characters that no token has"))?;
    Ok(InterceptedService::new(channel, Bearer(bearer)))
}

async fn log_in(channel: Channel, email: &str, password: &str) -> Result<String, Failure> {
    let request = LogInRequest { email: email.to_owned(), password: password.to_owned(), client: None };
    let answer = IdentityServiceClient::new(channel).log_in(request).await?.into_inner();
    Ok(answer.tokens.map(|tokens| tokens.access_token).unwrap_or_default())
}

type Source = Box<dyn AsyncRead + Send + Unpin>;

async fn open(path: &Path) -> Result<Source, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(tokio::io::stdin()));
    }
    match tokio::fs::File::open(path).await {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(Failure::new(format!("{} cannot be read: {error}", path.display()))),
    }
}

/// The file in pieces, and why it broke off, if it did. That ends the stream, too: what came before is imported, whole
/// products only.
fn chunks(source: Source) -> (impl Stream<Item = Vec<u8>> + Send, oneshot::Receiver<io::Error>) {
    let (tell, broken) = oneshot::channel();
    let pieces = stream::unfold((source, tell), |(mut source, tell)| async move {
        let mut chunk = vec![0; CHUNK_BYTES];
        match source.read(&mut chunk).await {
            Ok(0) => None,
            Ok(length) => {
                chunk.truncate(length);
                Some((chunk, (source, tell)))
            }
            Err(error) => {
                drop(tell.send(error));
                None
            }
        }
    });
    (pieces, broken)
}

fn to_its_end(mut broken: oneshot::Receiver<io::Error>) -> Result<(), Failure> {
    match broken.try_recv() {
        Ok(error) => {
            Err(Failure::new(format!("the file broke off, and only what came before is in: {error}")))
        }
        Err(_) => Ok(()),
    }
}

fn counted(quantity: catalogue_pb::ImportQuantity) -> StockAdjustment {
    StockAdjustment {
        sku: quantity.sku,
        change: Some(Change::AvailableCount(quantity.quantity)),
        ..Default::default()
    }
}

async fn adjust(
    inventory: &mut InventoryServiceClient<Signed>,
    adjustments: Vec<StockAdjustment>,
) -> Result<(), Failure> {
    if adjustments.is_empty() {
        return Ok(());
    }
    let request = AdjustStockRequest {
        adjustments,
        reason: "product import".to_owned(),
        request_id: Uuid::new_v4().to_string(),
    };
    inventory.adjust_stock(request).await?;
    Ok(())
}

fn all_or(refused: i64, words: &str) -> Result<(), Failure> {
    match refused {
        0 => Ok(()),
        refused => Err(Failure::new(format!("{refused} {words}"))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::ReadBuf;

    use super::*;

    /// A disk that is pulled out.
    struct Gone;

    impl AsyncRead for Gone {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::Error::other("the disk is gone")))
        }
    }

    #[tokio::test]
    async fn a_file_that_breaks_off_is_a_failure() {
        let (pieces, broken) = chunks(Box::new(b"a,b\n1,2\n".chain(Gone)));
        let (whole, at_its_end) = chunks(Box::new(&b"a,b\n"[..]));

        assert_eq!(pieces.collect::<Vec<_>>().await, [b"a,b\n1,2\n"]);
        assert!(to_its_end(broken).unwrap_err().to_string().contains("the disk is gone"));
        assert_eq!(whole.collect::<Vec<_>>().await, [b"a,b\n"]);
        assert!(to_its_end(at_its_end).is_ok());
    }
}
