//! Reading the audit trail: page by page, or all of it as a stream of lines.

mod entry;

pub use entry::AuditEntryResponse;

use crate::{
    domain::{
        Result, Timestamp,
        actor::SignedIn,
        audit::{AuditQuery, Outcome},
        error::{Fault, Violation},
        id::UserId,
        page::PageRequest,
    },
    http::{
        collection::{Collection, CollectionResponse, PageFields},
        extract::{Asked, Caller, Check, Field, Offers, Query},
    },
    services::{
        Services,
        audit_logs::{AuditExport, ORDER},
    },
};
use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use chrono::DateTime;
use futures_util::stream;
use serde::Deserialize;
use utoipa::IntoParams;

const LINES: &str = "application/x-ndjson";
/// The longest name of an action.
const LONGEST_ACTION: usize = 64;

/// What the operation offers.
pub struct Forms;

impl Offers for Forms {
    const FORMS: &'static [&'static str] = &["application/json", LINES, "application/problem+json"];
    const REFUSAL: &'static str =
        "This operation answers in application/json or application/x-ndjson.";
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditLogsQuery {
    /// Id of the person who acted.
    #[param(value_type = Option<Uuid>, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f")]
    #[serde(default)]
    actor: Field<String>,
    /// Id of the person on whom.
    #[param(value_type = Option<Uuid>, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f")]
    #[serde(default)]
    subject: Field<String>,
    /// Name of the use case.
    #[param(value_type = Option<String>, max_length = 64, example = "login")]
    #[serde(default)]
    action: Field<String>,
    /// `success`, `refused` or `failed`.
    #[param(value_type = Option<String>, max_length = 20, pattern = "^(success|refused|failed)$", example = "success")]
    #[serde(default)]
    outcome: Field<String>,
    /// Network address of the request.
    #[param(value_type = Option<String>, max_length = 45, example = "203.0.113.7")]
    #[serde(default)]
    ip: Field<String>,
    /// From this time on (RFC 3339).
    #[param(value_type = Option<String>, max_length = 40, example = "2026-01-05T12:00:00Z")]
    #[serde(default)]
    from: Field<String>,
    /// Before this time (RFC 3339).
    #[param(value_type = Option<String>, max_length = 40, example = "2027-01-05T12:00:00Z")]
    #[serde(default)]
    to: Field<String>,
    /// How many entries a page has: 1 to 100.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100, default = 20, example = 20)]
    #[serde(default)]
    limit: Field<String>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>, max_length = 1000)]
    #[serde(default)]
    cursor: Field<String>,
    /// `total` counts all that match, too.
    #[param(value_type = Option<String>, max_length = 20, pattern = "^total$", example = "total")]
    #[serde(default)]
    include: Field<String>,
}

impl AuditLogsQuery {
    fn check(self) -> Result<(AuditQuery, PageRequest)> {
        let mut check = Check::new();
        let actor = check.optional_text("actor", self.actor, user_id);
        let subject = check.optional_text("subject", self.subject, user_id);
        let action = check.optional_text("action", self.action, action);
        let outcome = check.optional_text("outcome", self.outcome, Outcome::read);
        let ip = check.optional_text("ip", self.ip, |text| {
            let fault = Fault::new("format", "This is not a network address.");
            text.parse().map_err(|_| fault)
        });
        let from = check.optional_text("from", self.from, time);
        let to = check.optional_text("to", self.to, time);
        if let (Some(Some(from)), Some(Some(to))) = (from.value(), to.value())
            && from > to
        {
            check.report([Violation::new("to", "mismatch", "This lies before from.")]);
        }
        let page = PageFields {
            limit: self.limit,
            cursor: self.cursor,
            include: self.include,
        };
        let page = page.check(&mut check, ORDER);
        let fields = (actor, subject, action, outcome, ip, from, to, page);
        let (actor, subject, action, outcome, ip, from, to, page) = check.done(fields)?;
        let query = AuditQuery {
            actor,
            subject,
            action,
            outcome,
            ip,
            from,
            to,
        };
        Ok((query, page))
    }
}

/// Reads the id of a person.
pub(super) fn user_id(text: &str) -> Result<UserId, Fault> {
    text.parse()
        .map_err(|_| Fault::new("format", "This is not an id."))
}

fn action(text: &str) -> Result<String, Fault> {
    let is_name = |byte: u8| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !text.is_empty() && text.len() <= LONGEST_ACTION && text.bytes().all(is_name) {
        return Ok(text.to_owned());
    }
    Err(Fault::new("format", "This is not the name of an action."))
}

fn time(text: &str) -> Result<Timestamp, Fault> {
    let fault = Fault::new("format", "This is not a time such as 2026-01-05T12:00:00Z.");
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| fault)?;
    Ok(time.to_utc())
}

/// Read the audit trail
///
/// Newest first. Managers see what was done to people of role `user`. With `Accept: application/x-ndjson` all that
/// match come as one stream, an entry a line; `limit`, `cursor` and `include` mean nothing there. A read is itself an entry.
#[utoipa::path(
    get, path = "/audit-logs", tag = "Audit trail", params(AuditLogsQuery), operation_id = "list_audit_logs",
    security(("bearerAuth" = [])),
    responses(
        (status = 200, description = "The entries that match", content(
            (CollectionResponse<AuditEntryResponse> = "application/json"),
            (AuditEntryResponse = "application/x-ndjson"),
        )),
        (status = 403, description = "`forbidden`"),
    )
)]
pub async fn list_audit_logs(
    State(services): State<Services>,
    asked: Asked<Forms>,
    Caller(client): Caller,
    who: SignedIn,
    Query(query): Query<AuditLogsQuery>,
) -> Result<Response> {
    let (query, request) = query.check()?;
    if asked.form == LINES {
        let export = services.export_audit_logs(&who, &query, &client).await?;
        return Ok(lines(services, export));
    }
    let page = services.list_audit_logs(&who, &query, &request, &client);
    let page = page.await?.map(AuditEntryResponse::from);
    Ok(Collection::of(page, &asked.uri).into_response())
}

/// Page after page as the client takes them; a failure on the way breaks the stream off, which no client takes for its
/// end.
fn lines(services: Services, export: AuditExport) -> Response {
    let pages = stream::try_unfold((services, export), async |(services, mut export)| {
        let entries = services.next_of_export(&mut export).await?;
        if entries.is_empty() {
            return Ok(None);
        }
        let mut text = Vec::new();
        for entry in entries {
            let entry = AuditEntryResponse::from(entry);
            serde_json::to_writer(&mut text, &entry).map_err(crate::domain::Error::internal)?;
            text.push(b'\n');
        }
        Ok::<_, crate::domain::Error>(Some((text, (services, export))))
    });
    ([(header::CONTENT_TYPE, LINES)], Body::from_stream(pages)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_breaks_a_filter(text in "\\PC{0,70}") {
            let _ = (user_id(&text), time(&text));
            if let Ok(action) = action(&text) {
                prop_assert_eq!(action, text);
            }
        }
    }
}
