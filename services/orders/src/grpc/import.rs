//! The import stream: pieces of a file in, progress and refused lines out.

use kit::RequestKey;
use kit::parse::Fields;
use mesh::Caller;
use mesh::status::Problem;
use proto::orders as pb;
use proto::orders::import_orders_request::Part;
use proto::orders::import_orders_response::Part as Told;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, Streaming};
use tracing::Instrument;

use crate::app::{Import, ImportError, Line, Orders, Progress};
use crate::error::Error;

/// So many answers wait for a slow reader; then the file waits, too.
const ANSWERS_WAITING_MAX: usize = 64;
const CHUNK_BYTES_MAX: usize = 256 * 1024;

pub type Answers = ReceiverStream<Result<pb::ImportOrdersResponse, Status>>;
type Sender = mpsc::Sender<Result<pb::ImportOrdersResponse, Status>>;

/// Reads the first message, then the file in a task of its own.
pub async fn import(
    orders: &Orders,
    request: Request<Streaming<pb::ImportOrdersRequest>>,
) -> Result<Answers, Status> {
    let caller = Caller::of(&request);
    let mut parts = request.into_inner();
    let Some(Part::Start(start)) = parts.message().await?.and_then(|message| message.part) else {
        return Err(Error::StreamOutOfOrder.into());
    };
    let mut fields = Fields::new();
    let currency = fields.currency("start.currency_code", &start.currency_code);
    let currency = fields.build(|| currency).map_err(Problem::invalid)?;
    // What makes an import happen once are the external ids; the request id must only be one.
    RequestKey::new(&caller.principal(), "ImportOrders", &start.request_id, &start).map_err(Problem::from)?;

    let (answers, receiver) = mpsc::channel(ANSWERS_WAITING_MAX);
    let import = orders.import(currency);
    let reading = async move {
        if let Err(status) = read(import, parts, &answers).await {
            // Whoever left does not hear it.
            let _ = answers.send(Err(status)).await;
        }
    };
    tokio::spawn(reading.in_current_span());
    Ok(ReceiverStream::new(receiver))
}

async fn read(
    mut import: Import,
    mut parts: Streaming<pb::ImportOrdersRequest>,
    answers: &Sender,
) -> Result<(), Status> {
    while let Some(message) = parts.message().await? {
        let Some(Part::Chunk(chunk)) = message.part else {
            return Err(Error::StreamOutOfOrder.into());
        };
        if chunk.len() > CHUNK_BYTES_MAX {
            let mut fields = Fields::new();
            fields.refuse("chunk", format!("must have at most {CHUNK_BYTES_MAX} bytes"));
            return fields.finish().map_err(|violations| Problem::invalid(violations).status());
        }
        for told in import.take(&chunk).await {
            if !send(answers, told, false).await {
                return Ok(());
            }
        }
    }
    let (told, progress) = import.finish().await;
    for told in told {
        if !send(answers, told, false).await {
            return Ok(());
        }
    }
    send(answers, Line::Progress(progress), true).await;
    Ok(())
}

/// False when nobody listens any more.
async fn send(answers: &Sender, told: Line, done: bool) -> bool {
    let part = match told {
        Line::Progress(progress) => Told::Progress(shown(progress, done)),
        Line::Error(ImportError { line, external_id, message }) => {
            Told::Error(pb::OrderImportError { line, external_id, message })
        }
    };
    answers.send(Ok(pb::ImportOrdersResponse { part: Some(part) })).await.is_ok()
}

fn shown(progress: Progress, done: bool) -> pb::OrderImportProgress {
    pb::OrderImportProgress {
        lines_read: progress.lines_read,
        orders_created: progress.created,
        orders_unchanged: progress.unchanged,
        orders_refused: progress.refused,
        order_lines_created: progress.lines_created,
        total_minor_units: progress.total,
        done,
    }
}
