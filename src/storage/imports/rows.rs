//! The rows of a batch, table by table; columns that are not named take their defaults.

use super::{Batch, NewPerson};
use crate::{
    domain::{search::Document, user::UserStatus, username::Username},
    storage::bulk::{Cell, Rows},
};

pub(super) fn user_rows(people: &[NewPerson]) -> Rows {
    let row = |person: &NewPerson| {
        let user = &person.user;
        vec![
            Cell::Id(user.id.0),
            Cell::Bytes(user.email.0.clone()),
            Cell::Bytes(person.email_index.0.to_vec()),
            Cell::text(user.username.as_ref().map(Username::as_str)),
            Cell::text(user.username.as_ref().map(Username::key).as_deref()),
            Cell::text(user.full_name.as_deref()),
            Cell::text(user.country.as_deref()),
            Cell::text(user.state_province.as_deref()),
            Cell::text(user.current_title.as_deref()),
            Cell::text(user.location.as_deref()),
            Cell::text(user.locale.as_deref()),
            Cell::text(user.timezone.as_deref()),
            Cell::Text(user.status.as_str().to_owned()),
            Cell::time(user.verified_at),
            Cell::Text(user.tier.as_str().to_owned()),
            Cell::time(user.tier_since),
            Cell::time(user.tier_until),
            Cell::Time(user.created_at),
            Cell::Time(user.updated_at),
            Cell::Number(user.version),
            Cell::Number(i64::from(person.event.is_some())),
        ]
    };
    Rows {
        table: "users",
        columns: &[
            "id",
            "email_sealed",
            "email_index",
            "username",
            "username_key",
            "full_name",
            "country",
            "state_province",
            "current_title",
            "location",
            "locale",
            "timezone",
            "status",
            "verified_at",
            "tier",
            "tier_since",
            "tier_until",
            "created_at",
            "updated_at",
            "version",
            "event_sequence",
        ],
        cells: people.iter().map(row).collect(),
    }
}

pub(super) fn key_rows(people: &[NewPerson]) -> Rows {
    let row = |person: &NewPerson| {
        vec![
            Cell::Id(person.user.id.0),
            Cell::Text(person.key.master_key_id.clone()),
            Cell::Bytes(person.key.bytes.clone()),
            Cell::Time(person.user.updated_at),
        ]
    };
    Rows {
        table: "user_keys",
        columns: &["user_id", "master_key_id", "wrapped", "created_at"],
        cells: people.iter().map(row).collect(),
    }
}

pub(super) fn credential_rows(people: &[NewPerson]) -> Rows {
    let row = |person: &NewPerson| {
        let hash = person.password_hash.clone()?;
        let user = &person.user;
        Some(vec![
            Cell::Id(user.id.0),
            Cell::Text(hash),
            Cell::Time(user.updated_at),
            Cell::Number(0),
        ])
    };
    Rows {
        table: "credentials",
        columns: &["user_id", "password_hash", "changed_at", "failures"],
        cells: people.iter().filter_map(row).collect(),
    }
}

pub(super) fn role_rows(people: &[NewPerson]) -> Rows {
    let rows = people.iter().flat_map(|person| {
        let user = &person.user;
        user.roles.names().into_iter().map(|role| {
            vec![
                Cell::Id(user.id.0),
                Cell::Text(role.to_owned()),
                Cell::Time(user.updated_at),
            ]
        })
    });
    Rows {
        table: "user_roles",
        columns: &["user_id", "role", "granted_at"],
        cells: rows.collect(),
    }
}

pub(super) fn document_rows(people: &[NewPerson]) -> Rows {
    let row = |person: &NewPerson| {
        let user = &person.user;
        let texts = [
            user.full_name.as_deref(),
            user.username.as_ref().map(Username::as_str),
            user.current_title.as_deref(),
            None,
            user.location.as_deref(),
        ];
        let document = Document::of(texts, &[]);
        vec![
            Cell::Id(user.id.0),
            Cell::Text(document.text),
            Cell::Text(document.name),
            Cell::Text(document.location),
            Cell::text(user.country.as_deref()),
            Cell::Flag(false),
            Cell::Flag(user.status == UserStatus::Active),
        ]
    };
    Rows {
        table: "search_documents",
        columns: &[
            "user_id",
            "document",
            "name",
            "location",
            "country",
            "open_to_work",
            "is_visible",
        ],
        cells: people.iter().map(row).collect(),
    }
}

pub(super) fn event_rows(people: &[NewPerson], batch: &Batch<'_>) -> Rows {
    let row = |person: &NewPerson| {
        let (id, data) = person.event.as_ref()?;
        Some(vec![
            Cell::Id(id.0),
            Cell::Id(person.user.id.0),
            Cell::Number(1),
            Cell::Text("user.created".to_owned()),
            Cell::Time(batch.at),
            Cell::Text(batch.request_id.to_owned()),
            Cell::Bytes(data.0.clone()),
        ])
    };
    Rows {
        table: "outbox_events",
        columns: &[
            "id",
            "user_id",
            "sequence",
            "type",
            "occurred_at",
            "request_id",
            "data_sealed",
        ],
        cells: people.iter().filter_map(row).collect(),
    }
}

pub(super) fn batch_rows(people: &[NewPerson], batch: &Batch<'_>) -> Rows {
    let imported = i64::try_from(people.len()).unwrap_or(i64::MAX);
    Rows {
        table: "import_batches",
        columns: &[
            "file_digest",
            "first_record",
            "records",
            "imported",
            "written_at",
        ],
        cells: vec![vec![
            Cell::Text(batch.file_digest.to_owned()),
            Cell::Number(batch.first_record),
            Cell::Number(batch.records),
            Cell::Number(imported),
            Cell::Time(batch.at),
        ]],
    }
}

/// One entry for the batch: a million people are one act.
pub(super) fn audit_rows(people: &[NewPerson], batch: &Batch<'_>) -> Rows {
    let details = serde_json::json!({
        "file_digest": batch.file_digest,
        "first_record": batch.first_record,
        "records": batch.records,
        "imported": people.len(),
    });
    Rows {
        table: "audit_log",
        columns: &[
            "id",
            "at",
            "action",
            "outcome",
            "actor_type",
            "request_id",
            "details",
        ],
        cells: vec![vec![
            Cell::Id(batch.audit_id.0),
            Cell::Time(batch.at),
            Cell::Text("import_users".to_owned()),
            Cell::Text("success".to_owned()),
            Cell::Text("system".to_owned()),
            Cell::Text(batch.request_id.to_owned()),
            Cell::Text(details.to_string()),
        ]],
    }
}
