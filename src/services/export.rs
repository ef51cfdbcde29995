//! Everything that is kept about oneself, in one document. What would let its reader act as the person is not in it:
//! no hash, no secret, no text of a mail that may hold a live link.

use super::{
    Services,
    personal_data::{field, open_text},
};
use crate::{
    domain::{
        Error, Result, actor::SignedIn, audit::AuditEntry, client::Client, mail::Message,
        user::User, username::Username,
    },
    infra::archive,
    storage::{
        Db,
        export::{self, Record, Section},
        stats,
    },
};
use serde_json::{Map, Value, json};

const ACTION: &str = "export_me";

impl Services {
    /// All personal data of the person who asks.
    pub async fn export_me(&self, who: &SignedIn, client: &Client) -> Result<Value> {
        self.note_export(who, "json", client).await?;
        self.everything_about(who).await
    }

    /// The same as a zip with `export.json` and the picture.
    pub async fn export_me_zip(&self, who: &SignedIn, client: &Client) -> Result<Vec<u8>> {
        self.note_export(who, "zip", client).await?;
        let document = self.everything_about(who).await?;
        let picture = self.picture(who).await?;
        let packing = tokio::task::spawn_blocking(move || pack(&document, picture.as_deref()));
        packing.await.map_err(Error::internal)?
    }

    async fn note_export(&self, who: &SignedIn, form: &str, client: &Client) -> Result<()> {
        let entry = AuditEntry::success(ACTION, who.actor(), client);
        self.audit_alone(entry.with(json!({ "form": form }))).await
    }

    async fn everything_about(&self, who: &SignedIn) -> Result<Value> {
        let (db, user) = (self.store.reader(), &who.user);
        let counters = stats::get_counters(db, user.id).await?;
        let mut account = account(user);
        account.insert("login_count".to_owned(), json!(counters.login_count));
        account.insert("profile_views".to_owned(), json!(counters.profile_views));
        let mut document = Map::new();
        document.insert("exported_at".to_owned(), json!(self.now()));
        document.insert("account".to_owned(), Value::Object(account));
        document.insert("profile".to_owned(), self.exported_profile(db, user).await?);
        let preferences = self.exported_preferences(db, user).await?;
        document.insert("preferences".to_owned(), preferences);
        let mut incomplete = Vec::new();
        for section in export::list_sections(db, user.id).await? {
            if section.is_cut {
                incomplete.push(section.name);
            }
            let (name, rows) = (section.name, self.open_section(db, section).await?);
            document.insert(name.to_owned(), rows);
        }
        document.insert("incomplete".to_owned(), json!(incomplete));
        Ok(Value::Object(document))
    }

    async fn exported_profile(&self, db: &impl Db, user: &User) -> Result<Value> {
        let profile = self.profile_of(db, user.id).await?;
        let told = json!({
            "headline": profile.headline, "skills": profile.skills, "visibility": profile.visibility.as_str(),
            "updated_at": profile.updated_at, "version": profile.version,
        });
        joined(told, &profile.details)
    }

    async fn exported_preferences(&self, db: &impl Db, user: &User) -> Result<Value> {
        let told = self.preferences_of(db, user.id).await?;
        let clear = json!({
            "open_to_work": told.open_to_work, "email_notifications": told.email_notifications,
            "marketing_emails": told.marketing_emails, "updated_at": told.updated_at, "version": told.version,
        });
        joined(clear, &told.details)
    }

    async fn open_section(&self, db: &impl Db, section: Section) -> Result<Value> {
        let mut rows = Vec::new();
        for record in section.records {
            rows.push(self.open_record(db, record).await?);
        }
        Ok(Value::Array(rows))
    }

    async fn open_record(&self, db: &impl Db, record: Record) -> Result<Value> {
        let mut row = record.plain;
        let Value::Object(fields) = &mut row else {
            return Ok(row);
        };
        for (name, sealed) in record.sealed {
            // What the person did to somebody who was erased since is sealed for good.
            let value = match self.find_user_key(db, record.owner).await? {
                Some(key) => shown(name, open_text(&key, name, &sealed)?)?,
                None => Value::Null,
            };
            let column = name.rsplit('.').next().unwrap_or(name);
            fields.insert(column.to_owned(), value);
        }
        Ok(row)
    }

    async fn picture(&self, who: &SignedIn) -> Result<Option<Vec<u8>>> {
        let db = self.store.reader();
        let Some(sealed) = export::find_avatar(db, who.user.id).await? else {
            return Ok(None);
        };
        let key = self.user_key(db, who.user.id).await?;
        Ok(Some(key.open(field::AVATAR_LARGE, &sealed)?.to_vec()))
    }
}

/// A sealed text as the export shows it.
fn shown(name: &str, text: String) -> Result<Value> {
    match name {
        field::EVENT_DATA => serde_json::from_str(&text).map_err(Error::internal),
        field::MAIL => {
            let mail: Message = serde_json::from_str(&text).map_err(Error::internal)?;
            Ok(json!({ "to": mail.to, "subject": mail.subject }))
        }
        _ => Ok(Value::String(text)),
    }
}

fn account(user: &User) -> Map<String, Value> {
    let told = json!({
        "id": user.id,
        "email": user.email.as_str(),
        "username": user.username.as_ref().map(Username::as_str),
        "wished_username": user.wished_username.as_ref().map(Username::as_str),
        "full_name": user.full_name,
        "country": user.country,
        "state_province": user.state_province,
        "current_title": user.current_title,
        "location": user.location,
        "locale": user.locale,
        "timezone": user.timezone,
        "status": user.status.as_str(),
        "verified_at": user.verified_at,
        "tier": user.tier.as_str(),
        "tier_since": user.tier_since,
        "tier_until": user.tier_until,
        "has_avatar": user.avatar_tag.is_some(),
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "last_login_at": user.last_login_at,
        "version": user.version,
    });
    match told {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The fields in clear and those that were sealed, as one object.
fn joined(clear: Value, sealed: &impl serde::Serialize) -> Result<Value> {
    let sealed = serde_json::to_value(sealed).map_err(Error::internal)?;
    match (clear, sealed) {
        (Value::Object(mut all), Value::Object(more)) => {
            all.extend(more);
            Ok(Value::Object(all))
        }
        _ => Err(Error::internal(anyhow::anyhow!("not two objects"))),
    }
}

fn pack(document: &Value, picture: Option<&[u8]>) -> Result<Vec<u8>> {
    let text = serde_json::to_vec_pretty(document).map_err(Error::internal)?;
    let mut files = vec![("export.json", text.as_slice())];
    files.extend(picture.map(|bytes| ("avatar.png", bytes)));
    archive::zip(&files)
}
