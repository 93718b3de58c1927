//! Mails: how they leave this shop, and the page of development that shows those that landed in a folder.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use mail_parser::{Message, MessageParser};
use notifications::{Folder, Mailer, Sender, Settings, Smtp, Storefront, Words};
use sealing::Opener;
use uuid::Uuid;

use crate::commands::Failure;
use crate::config::Mail;

/// Mails listed on the page; older ones stay in the folder.
const SHOWN_MAX: usize = 50;
/// A file that is longer is no mail of ours.
const MAIL_LENGTH_MAX: u64 = 4 * 1024 * 1024;
/// Where a storefront under development usually is.
const STOREFRONT: &str = "http://localhost:3000";
const FROM: &str = "Shopmesh <shop@localhost>";

/// The page itself: nothing from anywhere but frames of its own.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'none'; \
                           base-uri 'none'; frame-ancestors 'self'";
/// A mail in its frame: no scripts, no forms, nothing loaded; its links open windows of their own.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; \
                           frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";
const STYLE: &str = "body{font:16px/1.5 system-ui;max-width:46rem;margin:2rem auto;padding:0 1rem}\
                     li{margin:.5rem 0}small{color:#5c6660}\
                     pre{border:1px solid #ccc;border-radius:6px;padding:1rem;white-space:pre-wrap}\
                     iframe{width:100%;height:40rem;border:1px solid #ccc;border-radius:6px}";

/// What notifications is told: mails go to the server that is named, else into a folder.
pub fn settings(mail: &Mail, opener: Opener, folder: Option<PathBuf>) -> Result<Settings, Failure> {
    let sender = Sender::parse(mail.mail_from.as_deref().unwrap_or(FROM))
        .map_err(|error| Failure::new(format!("--mail-from {error}")))?;
    let storefront = Storefront::parse(mail.storefront_url.as_deref().unwrap_or(STOREFRONT))
        .map_err(|error| Failure::new(format!("--storefront-url {error}")))?;
    let message_host = sender.host().to_owned();
    let mailer: Arc<dyn Mailer> = match (&mail.smtp_url, mail.mail_folder.clone().or(folder)) {
        // The value stays unsaid: it holds a password.
        (Some(url), _) => {
            let smtp = Smtp::new(url, sender);
            Arc::new(smtp.map_err(|error| Failure::new(format!("--smtp-url {error}")))?)
        }
        (None, Some(folder)) => Arc::new(Folder::new(folder, sender)),
        (None, None) => {
            return Err(Failure::new(
                "mails need a way out: name a server with --smtp-url, or --mail-folder",
            ));
        }
    };
    let words = Words { shop: mail.shop_name.clone(), storefront };
    Ok(Settings { opener, mailer, message_host, words })
}

/// The pages that show the mails of a folder.
pub fn router(folder: &Path) -> Router {
    let folder: Arc<Path> = folder.into();
    Router::new()
        .route("/dev/mail", get(list))
        .route("/dev/mail/{id}", get(show))
        .route("/dev/mail/{id}/html", get(html))
        .with_state(folder)
}

async fn list(extract::State(folder): extract::State<Arc<Path>>) -> Response {
    let mut items = String::new();
    for (id, path) in newest(&folder).await {
        let Some(bytes) = read(&path).await else { continue };
        let Some(mail) = MessageParser::default().parse(&bytes) else { continue };
        // Writing into a string cannot fail.
        let _ = write!(
            items,
            "<li><a href=\"/dev/mail/{id}\">{}</a><br><small>to {} · {}</small>",
            escaped(mail.subject().unwrap_or_default()),
            escaped(&recipient(&mail)),
            escaped(&date(&mail)),
        );
    }
    let body = match items.is_empty() {
        true => "<p>No mail yet. Register an account or place an order.</p>".to_owned(),
        false => format!("<ul>{items}</ul>"),
    };
    page(&format!("<h1>Mail</h1>{body}"))
}

async fn show(
    extract::State(folder): extract::State<Arc<Path>>,
    extract::Path(id): extract::Path<Uuid>,
) -> Response {
    let Some(bytes) = read(&file(&folder, id)).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(mail) = MessageParser::default().parse(&bytes) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    page(&format!(
        "<p><a href=\"/dev/mail\">All mails</a></p><h1>{}</h1><p>To: {}<br>Date: {}<br>Message-ID: {}</p>\
         <h2>Text</h2><pre>{}</pre><h2>HTML</h2>\
         <iframe sandbox=\"allow-popups allow-popups-to-escape-sandbox\" src=\"/dev/mail/{id}/html\"></iframe>",
        escaped(mail.subject().unwrap_or_default()),
        escaped(&recipient(&mail)),
        escaped(&date(&mail)),
        escaped(mail.message_id().unwrap_or_default()),
        escaped(&mail.body_text(0).unwrap_or_default()),
    ))
}

async fn html(
    extract::State(folder): extract::State<Arc<Path>>,
    extract::Path(id): extract::Path<Uuid>,
) -> Response {
    let Some(bytes) = read(&file(&folder, id)).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mail = MessageParser::default().parse(&bytes);
    let body = mail.and_then(|mail| mail.body_html(0).map(|html| html.into_owned()));
    match body {
        // Links of a mail open beside the frame, not in it.
        Some(body) => {
            let body = body.replacen("<head>", "<head><base target=\"_blank\">", 1);
            (headers(MAIL_POLICY), Html(body)).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Mails are named by their events, whose ids are in the order of time.
async fn newest(folder: &Path) -> Vec<(Uuid, PathBuf)> {
    let mut found = Vec::new();
    if let Ok(mut entries) = tokio::fs::read_dir(folder).await {
        while let Ok(Some(entry)) = entries.next_entry().await {
            let path = entry.path();
            let is_mail = path.extension().is_some_and(|extension| extension == "eml");
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if let (true, Ok(id)) = (is_mail, name.parse::<Uuid>()) {
                found.push((id, path));
            }
        }
    }
    found.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
    found.truncate(SHOWN_MAX);
    found
}

fn file(folder: &Path, id: Uuid) -> PathBuf {
    folder.join(format!("{id}.eml"))
}

async fn read(path: &Path) -> Option<Vec<u8>> {
    let length = tokio::fs::metadata(path).await.ok()?.len();
    if length > MAIL_LENGTH_MAX {
        return None;
    }
    tokio::fs::read(path).await.ok()
}

fn recipient(mail: &Message<'_>) -> String {
    mail.to().and_then(|to| to.first()?.address().map(str::to_owned)).unwrap_or_default()
}

fn date(mail: &Message<'_>) -> String {
    mail.date().map(|date| date.to_rfc822()).unwrap_or_default()
}

fn page(body: &str) -> Response {
    let html = format!("<!doctype html><meta charset=utf-8><title>Mail</title><style>{STYLE}</style>{body}");
    (headers(PAGE_POLICY), Html(html)).into_response()
}

fn headers(policy: &'static str) -> [(HeaderName, &'static str); 4] {
    [
        // A mail may carry a token.
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ]
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
