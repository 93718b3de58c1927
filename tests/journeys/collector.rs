//! A collector of telemetry, in this process: what a shop sends over OTLP, kept as it came.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, async_trait};

/// Listens for as long as its test runs.
#[derive(Clone, Default)]
pub struct Collector(Arc<Mutex<Kept>>);

/// What came so far.
#[derive(Clone, Default)]
pub struct Kept {
    pub spans: Vec<Span>,
    pub records: Vec<LogRecord>,
    pub metrics: BTreeSet<String>,
    /// Everything, as bytes: a text is in them as it is, wherever it stood.
    pub bytes: Vec<u8>,
}

impl Collector {
    /// Starts to listen, and says where.
    pub async fn start() -> (Self, String) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .add_service(LogsServiceServer::new(collector.clone()))
            .add_service(MetricsServiceServer::new(collector.clone()))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(server);
        (collector, endpoint)
    }

    pub fn kept(&self) -> Kept {
        self.0.lock().unwrap().clone()
    }

    fn keep(&self, request: &impl Message, what: impl FnOnce(&mut Kept)) {
        let mut kept = self.0.lock().unwrap();
        kept.bytes.extend(request.encode_to_vec());
        what(&mut kept);
    }
}

#[async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let request = request.into_inner();
        self.keep(&request, |kept| {
            let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
            kept.spans.extend(scopes.flat_map(|scope| scope.spans.clone()));
        });
        Ok(Response::new(Default::default()))
    }
}

#[async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let request = request.into_inner();
        self.keep(&request, |kept| {
            let scopes = request.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
            kept.records.extend(scopes.flat_map(|scope| scope.log_records.clone()));
        });
        Ok(Response::new(Default::default()))
    }
}

#[async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let request = request.into_inner();
        self.keep(&request, |kept| {
            let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
            kept.metrics.extend(scopes.flat_map(|scope| &scope.metrics).map(|metric| metric.name.clone()));
        });
        Ok(Response::new(Default::default()))
    }
}
