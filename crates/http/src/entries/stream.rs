//! A whole range as one answer, written as it is read: a page at a time, with nothing held between the pages.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use coffer_ledger::Seq;
use coffer_service::{EntryQuery, ReadError};
use futures_util::stream;

use super::{EntryBody, View};
use crate::App;
use crate::limits::STREAM_PAGE_MAX;
use crate::problem::{Problem, note_failed_read};

/// How entries are written one behind the other.
pub(super) trait Writing: Send + 'static {
    /// What stands before the first.
    fn head(&mut self) -> Vec<u8>;
    /// Some of them.
    fn rows(&mut self, entries: &[EntryBody]) -> Vec<u8>;
}

/// A JSON object a line.
pub(super) struct Lines;

impl Writing for Lines {
    fn head(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn rows(&mut self, entries: &[EntryBody]) -> Vec<u8> {
        let mut lines = Vec::with_capacity(entries.len() * 512);
        for entry in entries {
            serde_json::to_writer(&mut lines, entry).expect("an entry can be written as JSON");
            lines.push(b'\n');
        }
        lines
    }
}

struct Stream<Format> {
    app: Arc<App>,
    query: EntryQuery,
    view: View,
    format: Format,
    /// The last entry when the stream began: it would never end beside a busy account.
    last: Seq,
    has_begun: bool,
    has_ended: bool,
}

pub(super) async fn answer(
    app: &Arc<App>,
    range: EntryQuery,
    view: View,
    content_type: &'static str,
    format: impl Writing,
) -> Result<Response, Problem> {
    let account = app.service.reader().account(range.account_id).await?;
    let last = account.map_or(Seq(0), |account| account.seq);
    let query = EntryQuery { count_max: STREAM_PAGE_MAX, ..range };
    let stream =
        Stream { app: Arc::clone(app), query, view, format, last, has_begun: false, has_ended: false };
    let body = Body::from_stream(stream::try_unfold(stream, next));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((StatusCode::OK, headers, body).into_response())
}

/// The next piece. Where the store cannot be read the connection breaks off, so that nobody takes a part for the whole.
async fn next<Format: Writing>(
    mut stream: Stream<Format>,
) -> Result<Option<(Bytes, Stream<Format>)>, ReadError> {
    if !stream.has_begun {
        stream.has_begun = true;
        let head = stream.format.head();
        if !head.is_empty() {
            return Ok(Some((head.into(), stream)));
        }
    }
    while !stream.has_ended {
        let page = stream.app.service.reader().entries(stream.query.clone()).await.inspect_err(|error| {
            tracing::warn!("a statement breaks off: the store cannot be read");
            note_failed_read(error);
        })?;
        stream.query.beyond = page.next;
        stream.has_ended = page.next.is_none_or(|next| next >= stream.last);
        let entries = page.entries.into_iter().filter(|entry| entry.seq <= stream.last);
        let entries: Vec<EntryBody> = entries.map(|entry| EntryBody::of(entry, stream.view)).collect();
        if !entries.is_empty() {
            return Ok(Some((stream.format.rows(&entries).into(), stream)));
        }
    }
    Ok(None)
}
