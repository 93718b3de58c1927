//! The two streams: a file coming in, a file going out.

use std::pin::Pin;

use futures::{Stream, StreamExt, stream};
use kit::parse::Fields;
use kit::{Currency, RequestKey};
use mesh::status::Problem;
use observability::names;
use proto::catalogue as pb;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};
use tracing::Instrument;

use super::convert;
use super::parse::invalid;
use crate::app::{Catalogue, Export};
use crate::error::Error;
use crate::sheet::Generation;

/// A piece of the file in one message.
const CHUNK_BYTES_MAX: usize = 256 * 1024;
/// What is said waits for its reader; the import waits when so much is unread.
const SAID_MAX: usize = 256;

/// A stream of answers.
pub(super) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Starts an import with the first message; the answers run while the file comes.
pub(super) async fn import(
    catalogue: Catalogue,
    principal: &str,
    mut messages: Streaming<pb::ImportProductsRequest>,
) -> Result<Answers<pb::ImportProductsResponse>, Status> {
    use pb::import_products_request::Part;
    let first = messages.message().await?.and_then(|message| message.part);
    let Some(Part::Start(start)) = first else {
        return Err(Error::OutOfOrder.into());
    };
    // The file makes the import repeatable; its name must still be one that a request may have.
    RequestKey::new(principal, "ImportProducts", &start.request_id, &start).map_err(Error::from)?;
    let mut fields = Fields::new();
    let currency = fields.currency("start.currency_code", &start.currency_code);
    let currency: Currency = fields.build(|| currency).map_err(invalid)?;

    let (said, heard) = mpsc::channel(SAID_MAX);
    let (ended, end) = tokio::sync::oneshot::channel();
    let task = async move {
        let (broken, mut breaks) = mpsc::channel(1);
        let chunks = chunks(messages, broken);
        let outcome = catalogue.import_products(currency, chunks, said).await;
        if let Ok(progress) = &outcome {
            let changed = progress.created + progress.updated;
            tracing::info!({ names::COUNT } = changed, "an import changed {changed} products");
        }
        // A stream that broke off says why in its own words.
        let outcome = match breaks.try_recv() {
            Ok(status) => Err(status),
            Err(_) => outcome.map_err(Status::from),
        };
        // Nobody may be there to hear it.
        let _ = ended.send(outcome);
    };
    tokio::spawn(task.in_current_span());

    let heard = ReceiverStream::new(heard).map(|said| Ok(convert::said(said)));
    let last = stream::once(async move {
        let stopped = |error| Err(Problem::unavailable("the import", &error).status());
        let progress = end.await.unwrap_or_else(stopped)?;
        let part = pb::import_products_response::Part::Progress(convert::progress(progress, true));
        Ok(pb::ImportProductsResponse { part: Some(part) })
    });
    Ok(Box::pin(heard.chain(last)))
}

/// The pieces of the file. Ends after the first error; a status of the wire goes to `broken`.
fn chunks(
    messages: Streaming<pb::ImportProductsRequest>,
    broken: mpsc::Sender<Status>,
) -> impl Stream<Item = Result<Vec<u8>, Error>> + Send {
    use pb::import_products_request::Part;
    stream::unfold(Some((messages, broken)), async |state| {
        let (mut messages, broken) = state?;
        let chunk = match messages.message().await {
            Ok(None) => return None,
            Ok(Some(message)) => match message.part {
                Some(Part::Chunk(chunk)) if chunk.len() <= CHUNK_BYTES_MAX => Ok(chunk),
                Some(Part::Chunk(_)) => {
                    let mut fields = Fields::new();
                    fields.refuse("chunk", "must be at most 256 KiB");
                    if let Err(violations) = fields.finish() {
                        // There is room for one, and this is the only one.
                        let _ = broken.try_send(invalid(violations));
                    }
                    Err(Error::OutOfOrder)
                }
                Some(Part::Start(_)) | None => Err(Error::OutOfOrder),
            },
            Err(status) => {
                let _ = broken.try_send(status);
                Err(Error::OutOfOrder)
            }
        };
        match chunk {
            Ok(chunk) => Some((Ok(chunk), Some((messages, broken)))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

/// Starts an export.
pub(super) async fn export(
    catalogue: &Catalogue,
    message: pb::ExportProductsRequest,
) -> Result<Answers<pb::ExportProductsResponse>, Status> {
    let mut fields = Fields::new();
    let currency = fields.currency("currency_code", &message.currency_code);
    let currency = fields.build(|| currency).map_err(invalid)?;
    let generation = match message.new_headers {
        true => Generation::New,
        false => Generation::Old,
    };
    let export = Export { generation, currency };
    let pieces = catalogue.export_products(export).await?;
    let answers = pieces.flat_map(|piece| {
        let answers: Vec<Result<pb::ExportProductsResponse, Status>> = match piece {
            Ok(piece) => piece
                .chunks(CHUNK_BYTES_MAX)
                .map(|chunk| Ok(pb::ExportProductsResponse { chunk: chunk.to_vec() }))
                .collect(),
            Err(error) => vec![Err(error.into())],
        };
        stream::iter(answers)
    });
    Ok(Box::pin(answers))
}
